"""The line discipline that terminals have unless somebody chooses another (drivers/tty/n_tty.c)."""

from __future__ import annotations

import errno
import signal
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import ERESTARTSYS, err
from sysfsd.linux.kernel.sched.core import HZ

if TYPE_CHECKING:
    from sysfsd.linux.drivers.tty.tty import Tty

__all__ = ["NTty"]

N_TTY_BUF_SIZE: Final = 4096
#: Echoes are written when so many are there, and in such blocks.
_ECHO_COMMIT_WATERMARK, _ECHO_BLOCK = 256, 256
_WAKEUP_CHARS: Final = 256
#: Less room than this asks the driver to stop, fewer characters than that to go on.
_THROTTLE, _UNTHROTTLE = 128, 128
_DISABLED: Final = 0
_EPOLLIN, _EPOLLOUT, _EPOLLHUP = 0x41, 0x104, 0x10

# What to do with input, with output, and with lines (include/uapi/asm-generic/termbits.h).
IGNBRK, BRKINT, IGNPAR, PARMRK, INPCK, ISTRIP, INLCR, IGNCR, ICRNL, IUCLC, IXON, IXANY, IXOFF, IMAXBEL, IUTF8 = (
    1 << bit for bit in range(15)
)
OPOST, OLCUC, ONLCR, OCRNL, ONOCR, ONLRET = (1 << bit for bit in range(6))
XTABS: Final = 0o14000
ISIG, ICANON = 1, 2
ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, TOSTOP, ECHOCTL, ECHOPRT, ECHOKE = (1 << bit for bit in range(3, 12))
IEXTEN, EXTPROC = 0x8000, 0x10000
#: Places of special characters.
(
    VINTR,
    VQUIT,
    VERASE,
    VKILL,
    VEOF,
    VTIME,
    VMIN,
    _VSWTC,
    VSTART,
    VSTOP,
    VSUSP,
    VEOL,
    VREPRINT,
    _VDISCARD,
    VWERASE,
    VLNEXT,
    VEOL2,
) = range(17)
_SIGNALS: Final = ((VINTR, signal.SIGINT), (VQUIT, signal.SIGQUIT), (VSUSP, signal.SIGTSTP))
#: How a character came in: as it should, or not.
TTY_NORMAL, TTY_BREAK, TTY_FRAME, TTY_PARITY, TTY_OVERRUN = range(5)

#: What is echoed: a byte as it is; a control character; moves of what the column is known to be; a tab that goes.
_Echo = tuple[str, int]


def _iscntrl(char: int) -> bool:
    return char < 0x20 or 0x7F <= char < 0xA0


class NTty:
    """The discipline of one terminal that is open."""

    def __init__(self, tty: Tty) -> None:
        self._tty = tty
        self._buffer = bytearray(N_TTY_BUF_SIZE)
        self._head = self._tail = self._canon_head = self._commit_head = 0
        #: Where in the buffer lines end.
        self._ends: set[int] = set()
        self._column = self._canon_column = 0
        self._echoes: list[_Echo] = []
        #: How many of them are to be written.
        self._committed = 0
        self._erasing = self._lnext = self._push = False
        self._icanon = False
        self._raw = False
        self._overruns, self._overrun_time = 0, tty.kernel.sched.jiffies
        self.set_termios(None)

    # What is asked for

    def _i(self, flag: int) -> bool:
        return bool(self._tty.view["termios.c_iflag"] & flag)

    def _o(self, flag: int) -> bool:
        return bool(self._tty.view["termios.c_oflag"] & flag)

    def _l(self, flag: int) -> bool:
        return bool(self._tty.view["termios.c_lflag"] & flag)

    def _is(self, char: int, *which: int) -> bool:
        """Whether a character is one of the special ones."""
        cc = self._tty.cc
        return any(cc[place] == char for place in which)

    def set_termios(self, old: bytes | None) -> None:
        """``n_tty_set_termios()``: after a change.

        :param old: what was before; None: nothing
        """
        tty = self._tty
        before = tty.flags_of(old) if old is not None else None
        if before is None or (before.c_lflag ^ tty.view["termios.c_lflag"]) & (ICANON | EXTPROC):
            self._ends.clear()
            if not self._l(ICANON) or self._head == self._tail:
                self._canon_head = self._tail
                self._push = False
            else:
                self._ends.add((self._head - 1) % N_TTY_BUF_SIZE)
                self._canon_head, self._push = self._head, True
            self._commit_head = self._head
            self._erasing = self._lnext = False
        self._icanon = self._l(ICANON)
        cooked = self._i(ISTRIP | IUCLC | IGNCR | ICRNL | INLCR | IXON | PARMRK) or self._l(ICANON | ISIG | ECHO)
        self._raw = not cooked
        if before is not None and before.c_iflag & IXON and not self._i(IXON) and not tty.view["flow.tco_stopped"]:
            tty.start()
            self._process_echoes()
        tty.wake(tty.view.at("write_wait"))
        tty.wake(tty.view.at("read_wait"))

    # Output

    def _output_char(self, char: int, room: int) -> int:
        """``do_output_char()``: write one character as it is to be seen.

        :returns: the room that it took, -1 where there is not enough
        """
        tty = self._tty
        if not room:
            return -1
        match char:
            case 0x0A:
                if self._o(ONLRET):
                    self._column = 0
                if self._o(ONLCR):
                    if room < 2:
                        return -1
                    self._canon_column = self._column = 0
                    tty.write(b"\r\n")
                    return 2
                self._canon_column = self._column
            case 0x0D:
                if self._o(ONOCR) and not self._column:
                    return 0
                if self._o(OCRNL):
                    char = 0x0A
                    if self._o(ONLRET):
                        self._canon_column = self._column = 0
                else:
                    self._canon_column = self._column = 0
            case 0x09:
                spaces = 8 - (self._column & 7)
                if self._tty.view["termios.c_oflag"] & XTABS == XTABS:
                    if room < spaces:
                        return -1
                    self._column += spaces
                    tty.write(b" " * spaces)
                    return spaces
                self._column += spaces
            case 0x08:
                self._column -= self._column > 0
            case _ if not _iscntrl(char):
                if self._o(OLCUC):
                    char = ord(chr(char).upper()) & 0xFF
                self._column += not self._is_continuation(char)
        tty.put_char(char)
        return 1

    def _is_continuation(self, char: int) -> bool:
        return self._i(IUTF8) and char & 0xC0 == 0x80

    def _output_block(self, address: int, data: bytes) -> int:
        """``process_output_block()``: write what is to be seen as it is.

        :param address: of *data*
        :returns: how much was written; below 0: an error
        """
        tty = self._tty
        room = tty.write_room()
        if room <= 0:
            return room
        count = 0
        for char in data[:room]:
            if char == 0x0A:
                if self._o(ONLRET):
                    self._column = 0
                if self._o(ONLCR):
                    break
                self._canon_column = self._column
            elif char == 0x0D:
                if (self._o(ONOCR) and not self._column) or self._o(OCRNL):
                    break
                self._canon_column = self._column = 0
            elif char == 0x09:
                break
            elif char == 0x08:
                self._column -= self._column > 0
            elif not _iscntrl(char):
                if self._o(OLCUC):
                    break
                self._column += not self._is_continuation(char)
            count += 1
        return tty.call("write", address, count)

    def write(self, address: int, data: bytes, nonblock: bool) -> int:
        """``n_tty_write()``.

        :param address: where *data* is
        :returns: how much was written, or an error
        """
        tty, done, retval = self._tty, 0, 0
        self._process_echoes()
        while True:
            if tty.kernel.current.signal_pending():
                retval = -ERESTARTSYS
                break
            if tty.hung_up:
                retval = -errno.EIO
                break
            if self._o(OPOST):
                retval, done = self._write_cooked(address, data, done)
            else:
                while done < len(data):
                    count = tty.call("write", address + done, len(data) - done)
                    if count <= 0:
                        retval = count
                        break
                    done += count
            if retval < 0 or done >= len(data):
                break
            if nonblock:
                retval = -errno.EAGAIN
                break
            tty.wait(tty.view.at("write_wait"))
        return done or retval

    def _write_cooked(self, address: int, data: bytes, done: int) -> tuple[int, int]:
        """:returns: an error or 0, and how much is written then"""
        tty = self._tty
        while done < len(data):
            count = self._output_block(address + done, data[done:])
            if count < 0:
                if count == -errno.EAGAIN:
                    break
                return count, done
            done += count
            if done >= len(data) or self._output_char(data[done], tty.write_room()) < 0:
                break
            done += 1
        tty.flush_chars()
        return 0, done

    # Echoes

    def _echo_raw(self, char: int) -> None:
        self._echoes.append(("raw", char))

    def _echo_char(self, char: int) -> None:
        """``echo_char()``."""
        control = self._l(ECHOCTL) and _iscntrl(char) and char != 0x09
        self._echoes.append(("control" if control else "raw", char))

    def _finish_erasing(self) -> None:
        if self._erasing:
            self._echo_raw(ord("/"))
            self._erasing = False

    def _write_echoes(self) -> bool:
        """``__process_echoes()``: as far as there is room.

        :returns: whether any was written
        """
        tty = self._tty
        room = before = tty.write_room()
        while self._committed:
            kind, char = self._echoes[0]
            if kind == "raw":
                taken = self._output_char(char, max(room, 0)) if self._o(OPOST) else self._echo_as_it_is(char, room)
                if taken < 0:
                    break
                room -= taken
            elif kind == "control":
                if room < 2:
                    break
                tty.put_char(ord("^"))
                tty.put_char(char ^ 0o100)
                self._column += 2
                room -= 2
            elif kind == "tab":
                columns = char if char & 0x80 else char + self._canon_column
                back = 8 - (columns & 7)
                if back > room:
                    break
                for _ in range(back):
                    tty.put_char(0x08)
                    self._column -= self._column > 0
                room -= back
            elif kind == "canon":
                self._canon_column = self._column
            else:
                self._column -= self._column > 0
            del self._echoes[0]
            self._committed -= 1
        return room != before

    def _echo_as_it_is(self, char: int, room: int) -> int:
        if room <= 0:
            return -1
        self._tty.put_char(char)
        return 1

    def _commit_echoes(self) -> None:
        """``commit_echoes()``: few may wait for more."""
        old, count = self._committed, len(self._echoes)
        if count < _ECHO_COMMIT_WATERMARK or count % _ECHO_BLOCK > old % _ECHO_BLOCK:
            return
        self._committed = count
        if self._write_echoes():
            self._tty.flush_chars()

    def _process_echoes(self) -> None:
        """``process_echoes()``: what has been committed before is still to be written."""
        if not self._echoes:
            return
        self._committed = len(self._echoes)
        if self._write_echoes():
            self._tty.flush_chars()

    def _flush_echoes(self) -> None:
        if self._l(ECHO | ECHONL) and len(self._echoes) != self._committed:
            self._committed = len(self._echoes)
            self._write_echoes()

    # Input

    def _put(self, char: int) -> None:
        self._buffer[self._head % N_TTY_BUF_SIZE] = char
        self._head += 1

    def receive(self, data: bytes, flags: bytes | None) -> int:
        """``n_tty_receive_buf_common()``.

        :param flags: how each character came in; None: as it should
        :returns: how many there was room for
        """
        received = 0
        while received < len(data):
            room = N_TTY_BUF_SIZE - (self._head - self._tail)
            if self._i(PARMRK):
                room = (room + 2) // 3
            room -= 1
            if room <= 0:  # without a line that could be read, what is too much gets lost
                overflow = self._icanon and self._canon_head == self._tail
                if overflow and room < 0:
                    self._head -= 1
                room = int(overflow)
            count = min(len(data) - received, room)
            if not count:
                break
            self._receive(data[received : received + count], flags and flags[received : received + count])
            received += count
        self._check_throttle()
        return received

    def _receive(self, data: bytes, flags: bytes | None) -> None:
        """``__receive_buf()``."""
        for index, char in enumerate(data):
            self._receive_char(char, flags[index] if flags else TTY_NORMAL)
        if not self._raw:
            self._flush_echoes()
            self._tty.flush_chars()
        if self._icanon and not self._l(EXTPROC):
            return
        self._commit_head = self._head
        if self._head != self._tail:
            self._tty.wake_readers()

    def _receive_char(self, char: int, flag: int) -> None:
        if self._raw:
            if flag == TTY_NORMAL:
                self._put(char)
            else:
                self._receive_flagged(char, flag)
            return
        lnext, self._lnext = self._lnext, False
        if flag != TTY_NORMAL:
            self._receive_flagged(char, flag)
            return
        if self._i(ISTRIP):
            char &= 0x7F
        if self._i(IUCLC) and self._l(IEXTEN):
            char = ord(chr(char).lower())
        if lnext:
            self._receive_plain(char)
        elif self._l(EXTPROC):
            self._put(char)
        elif char != _DISABLED and self._special(char):
            self._receive_special(char)
        else:
            self._receive_plain(char)

    def _special(self, char: int) -> bool:
        """``char_map``."""
        if (char == 0x0D and self._i(IGNCR | ICRNL)) or (char == 0x0A and self._i(INLCR)):
            return True
        if self._l(ICANON):
            if char == 0x0A or self._is(char, VERASE, VKILL, VEOF, VEOL):
                return True
            extended = (VWERASE, VLNEXT, VEOL2, VREPRINT) if self._l(ECHO) else (VWERASE, VLNEXT, VEOL2)
            if self._l(IEXTEN) and self._is(char, *extended):
                return True
        flow = self._i(IXON) and self._is(char, VSTART, VSTOP)
        return flow or (self._l(ISIG) and self._is(char, VINTR, VQUIT, VSUSP))

    def _receive_flagged(self, char: int, flag: int) -> None:
        """``n_tty_receive_char_flagged()``."""
        tty = self._tty
        if flag == TTY_BREAK:
            if self._i(IGNBRK):
                return
            if self._i(BRKINT):
                self._isig()
                return
            for mark in (0xFF, 0, 0) if self._i(PARMRK) else (0,):
                self._put(mark)
        elif flag in (TTY_PARITY, TTY_FRAME):
            if not self._i(INPCK):
                self._put(char)
            elif not self._i(IGNPAR):
                for mark in (0xFF, 0, char) if self._i(PARMRK) else (0,):
                    self._put(mark)
        elif flag == TTY_OVERRUN:
            self._overruns += 1
            if tty.kernel.sched.jiffies > self._overrun_time + HZ:
                tty.warn(f"{self._overruns} input overrun(s)")
                self._overrun_time, self._overruns = tty.kernel.sched.jiffies, 0
        else:
            tty.log(f"unknown flag {flag}")

    def _isig(self) -> None:
        """``isig()``: nobody is in the terminal's foreground, but what was typed is gone."""
        if not self._l(NOFLSH):
            self._echoes.clear()
            self._committed = 0
            self._tty.flush_driver()
            self.flush()

    def _receive_plain(self, char: int) -> None:
        """``n_tty_receive_char()``."""
        self._resume()
        if self._l(ECHO):
            self._finish_erasing()
            self._echo_in_line(char)
            self._commit_echoes()
        self._mark(char)
        self._put(char)

    def _echo_in_line(self, char: int) -> None:
        """Echo a character; the first of a line says where that begins."""
        if self._canon_head == self._head:
            self._echoes.append(("canon", 0))
        self._echo_char(char)

    def _mark(self, char: int) -> None:
        """Where errors are marked in what is read, a character that looks like a mark comes twice."""
        if char == 0xFF and self._i(PARMRK):
            self._put(char)

    def _resume(self) -> None:
        """Any character may start what was stopped."""
        view = self._tty.view
        if view["flow.stopped"] and not view["flow.tco_stopped"] and self._i(IXON) and self._i(IXANY):
            self._tty.start()
            self._process_echoes()

    def _receive_special(self, char: int) -> None:
        """``n_tty_receive_char_special()``."""
        tty = self._tty
        if self._i(IXON) and self._is(char, VSTART, VSTOP):
            if self._is(char, VSTART):
                tty.start()
                self._process_echoes()
            else:
                tty.stop()
            return
        if self._l(ISIG) and any(self._is(char, place) for place, _signal in _SIGNALS):
            self._isig()
            if self._i(IXON):
                tty.start()
            if self._l(ECHO):
                self._echo_char(char)
                self._commit_echoes()
            else:
                self._process_echoes()
            return
        self._resume()
        if char == 0x0D:
            if self._i(IGNCR):
                return
            if self._i(ICRNL):
                char = 0x0A
        elif char == 0x0A and self._i(INLCR):
            char = 0x0D
        if self._icanon and self._edit(char):
            return
        if self._l(ECHO):
            self._finish_erasing()
            if char == 0x0A:
                self._echo_raw(char)
            else:
                self._echo_in_line(char)
            self._commit_echoes()
        self._mark(char)
        self._put(char)

    def _edit(self, char: int) -> bool:
        """What makes lines, or changes the one that is not complete.

        :returns: whether *char* is such
        """
        extended = self._l(IEXTEN)
        if self._is(char, VERASE, VKILL) or (extended and self._is(char, VWERASE)):
            self._erase(char)
            self._commit_echoes()
            return True
        if extended and self._is(char, VLNEXT):
            self._lnext = True
            if self._l(ECHO):
                self._finish_erasing()
                if self._l(ECHOCTL):
                    self._echo_raw(ord("^"))
                    self._echo_raw(0x08)
                    self._commit_echoes()
            return True
        if extended and self._l(ECHO) and self._is(char, VREPRINT):
            self._finish_erasing()
            self._echo_char(char)
            self._echo_raw(0x0A)
            for at in range(self._canon_head, self._head):
                self._echo_char(self._buffer[at % N_TTY_BUF_SIZE])
            self._commit_echoes()
            return True
        if char == 0x0A:
            if self._l(ECHO | ECHONL):
                self._echo_raw(char)
                self._commit_echoes()
            self._end_line(char)
            return True
        if self._is(char, VEOF):
            self._end_line(_DISABLED)
            return True
        if self._is(char, VEOL) or (extended and self._is(char, VEOL2)):
            if self._l(ECHO):
                self._echo_in_line(char)
                self._commit_echoes()
            self._mark(char)
            self._end_line(char)
            return True
        return False

    def _end_line(self, char: int) -> None:
        self._ends.add(self._head % N_TTY_BUF_SIZE)
        self._put(char)
        self._canon_head = self._head
        self._tty.wake_readers()

    def _erase(self, char: int) -> None:
        """``eraser()``."""
        if self._head == self._canon_head:
            return
        one, word = self._is(char, VERASE), self._is(char, VWERASE) and not self._is(char, VERASE)
        if not one and not word:
            if not self._l(ECHO):
                self._head = self._canon_head
                return
            if not (self._l(ECHOK) and self._l(ECHOKE) and self._l(ECHOE)):
                self._head = self._canon_head
                self._finish_erasing()
                self._echo_char(self._tty.cc[VKILL])
                if self._l(ECHOK):
                    self._echo_raw(0x0A)
                return
        seen = False
        while self._head != self._canon_head:
            head = self._head - 1
            while self._is_continuation(self._buffer[head % N_TTY_BUF_SIZE]) and head != self._canon_head:
                head -= 1
            gone = self._buffer[head % N_TTY_BUF_SIZE]
            if self._is_continuation(gone):
                break
            if word:
                if chr(gone).isalnum() or gone == ord("_"):
                    seen = True
                elif seen:
                    break
            more = range(head + 1, self._head)
            self._head = head
            if self._l(ECHO):
                self._echo_erased(gone, more, one)
            if one:
                break
        if self._head == self._canon_head and self._l(ECHO):
            self._finish_erasing()

    def _echo_erased(self, char: int, more: range, one: bool) -> None:
        """Show that a character is gone; *more*: where the rest of its bytes was."""
        if self._l(ECHOPRT):
            if not self._erasing:
                self._echo_raw(ord("\\"))
                self._erasing = True
            self._echo_char(char)
            for at in more:
                self._echo_raw(self._buffer[at % N_TTY_BUF_SIZE])
                self._echoes.append(("back", 0))
        elif one and not self._l(ECHOE):
            self._echo_char(self._tty.cc[VERASE])
        elif char == 0x09:
            columns, after_tab = 0, False
            for at in range(self._head - 1, self._canon_head - 1, -1):
                before = self._buffer[at % N_TTY_BUF_SIZE]
                if before == 0x09:
                    after_tab = True
                    break
                if _iscntrl(before):
                    columns += 2 * self._l(ECHOCTL)
                elif not self._is_continuation(before):
                    columns += 1
            self._echoes.append(("tab", columns & 7 | (0x80 if after_tab else 0)))
        else:
            times = (_iscntrl(char) and self._l(ECHOCTL)) + (not _iscntrl(char) or self._l(ECHOCTL))
            for _ in range(times):
                for shown in b"\b \b":
                    self._echo_raw(shown)

    # Reading

    def available(self, poll: bool = False) -> bool:
        """``input_available_p()``."""
        cc = self._tty.cc
        if self._icanon and not self._l(EXTPROC):
            return self._canon_head != self._tail
        return self._commit_head - self._tail >= (cc[VMIN] if poll and not cc[VTIME] and cc[VMIN] else 1)

    def read(self, size: int, nonblock: bool) -> bytes:
        """``n_tty_read()``.

        :raises OSError: EAGAIN, ERESTARTSYS
        """
        tty, sched, data = self._tty, self._tty.kernel.sched, b""
        minimum, between, timeout = 1, 0.0, float("inf")
        if not self._icanon:
            minimum, tenths = tty.cc[VMIN], tty.cc[VTIME] / 10
            if minimum:
                between = tenths
            else:
                minimum, timeout = 1, tenths
        while size:
            if not self.available():
                if tty.hung_up or not timeout:
                    break
                if nonblock:
                    if not data:
                        raise err(errno.EAGAIN)
                    break
                if sched.current.signal_pending():
                    if not data:
                        raise err(ERESTARTSYS)
                    break
                timeout = tty.wait(tty.view.at("read_wait"), timeout)
                continue
            if self._icanon and not self._l(EXTPROC):
                data += self._take_line(size)
                break
            count = min(size - len(data), self._commit_head - self._tail)
            data += bytes(self._buffer[at % N_TTY_BUF_SIZE] for at in range(self._tail, self._tail + count))
            self._tail += count
            if len(data) >= min(minimum, size):
                break
            if between:
                timeout = between
        self._check_unthrottle()
        if self._tail != self._head or data:
            tty.restart_input()
        return data

    def _take_line(self, size: int) -> bytes:
        """``canon_copy_from_read_buf()``: a line, or as much of it as is wanted."""
        data = bytearray()
        while self._tail != self._canon_head and len(data) < size:
            place = self._tail % N_TTY_BUF_SIZE
            char = self._buffer[place]
            self._tail += 1
            if place not in self._ends:
                data.append(char)
                continue
            self._ends.discard(place)
            if char != _DISABLED:
                data.append(char)
            self._push = False
            return bytes(data)
        place = self._tail % N_TTY_BUF_SIZE
        if self._tail != self._canon_head and place in self._ends and self._buffer[place] == _DISABLED:
            self._ends.discard(place)
            self._tail += 1
        return bytes(data)

    def flush(self) -> None:
        """``n_tty_flush_buffer()``, ``reset_buffer_flags()``."""
        self._head = self._tail = self._canon_head = self._commit_head = 0
        self._ends.clear()
        self._erasing = self._push = False

    def in_queue(self) -> int:
        """TIOCINQ."""
        if not (self._l(ICANON) and not self._l(EXTPROC)):
            return self._head - self._tail
        return sum(
            not (place in self._ends and self._buffer[place] == _DISABLED)
            for place in (at % N_TTY_BUF_SIZE for at in range(self._tail, self._canon_head))
        )

    def poll(self) -> int:
        """``n_tty_poll()``."""
        tty = self._tty
        mask = _EPOLLIN if self.available(poll=True) else 0
        if tty.hung_up:
            mask |= _EPOLLHUP
        if tty.op("write") and tty.chars_in_buffer() < _WAKEUP_CHARS and tty.write_room() > 0:
            mask |= _EPOLLOUT
        return mask

    # Flow of input

    def _check_throttle(self) -> None:
        """``n_tty_check_throttle()``."""
        if self._icanon and self._canon_head == self._tail:
            return
        if N_TTY_BUF_SIZE - (self._head - self._tail) - 1 < _THROTTLE:
            self._tty.throttle()

    def _check_unthrottle(self) -> None:
        """``n_tty_check_unthrottle()``."""
        waiting = self._canon_head if self._icanon else self._commit_head
        if waiting - self._tail <= _UNTHROTTLE:
            self._tty.unthrottle()
