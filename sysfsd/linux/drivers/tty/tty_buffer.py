"""Flip buffers: what a driver has received, on its way to the line discipline (drivers/tty/tty_buffer.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.tty.n_tty import TTY_NORMAL

if TYPE_CHECKING:
    from sysfsd.linux.drivers.tty.tty_io import Ttys
    from sysfsd.linux.struct_view import StructView

__all__ = ["FlipBuffers"]


class FlipBuffers:
    """The flip buffers of one kernel, by port."""

    def __init__(self, ttys: Ttys) -> None:
        self.ttys = ttys
        self.kernel = ttys.kernel
        #: By the address of a port: characters that the driver has not pushed yet, and how they came in.
        self.inserted: dict[int, list[tuple[int, int]]] = {}
        #: The same, once it has, as long as no discipline has seen them.
        self.received: dict[int, list[tuple[int, int]]] = {}
        #: By the address of a port: room among what is not pushed yet that the driver fills itself.
        self.rooms: dict[int, list[tuple[int, int, int]]] = {}

    def insert(self, port: int, data: bytes, flags: bytes | None = None) -> int:
        """``tty_insert_flip_string_flags()``: as much as there is room for."""
        count = min(len(data), self.room(port))
        self.inserted.setdefault(port, []).extend(zip(data[:count], flags or bytes([TTY_NORMAL]) * count, strict=False))
        return count

    def room(self, port: int) -> int:
        """``tty_buffer_space_avail()``."""
        waiting = sum(len(queues.get(port, ())) for queues in (self.inserted, self.received))
        return max(0, self.kernel.struct("tty_port", port)["buf.mem_limit"] - waiting)

    def prepare(self, port: int, size: int) -> tuple[int, int]:
        """``tty_prepare_flip_string()``: room that the driver fills before it pushes.

        :returns: its address, and how much there is
        """
        count = min(size, self.room(port))
        if not count:
            return 0, 0
        address = self.kernel.slab.kmalloc(count)
        queue = self.inserted.setdefault(port, [])
        self.rooms.setdefault(port, []).append((len(queue), address, count))
        queue.extend([(0, TTY_NORMAL)] * count)
        return address, count

    def _commit(self, port: int) -> None:
        """``tty_flip_buffer_commit()``: what has been inserted can be read from now on."""
        queue = self.inserted.pop(port, [])
        for start, address, count in self.rooms.pop(port, ()):
            data = self.kernel.memory.read(address, count)
            queue[start : start + count] = [(char, TTY_NORMAL) for char in data]
            self.kernel.slab.kfree(address)
        self.received.setdefault(port, []).extend(queue)

    def push(self, port: StructView) -> None:
        """``tty_flip_buffer_push()``."""
        self._commit(port.address)
        kernel = self.kernel
        address = kernel.exports.data_address("system_unbound_wq")
        queue = kernel.workqueues.find(kernel.memory.read_pointer(address))
        if queue is not None:
            kernel.workqueues.queue(queue, port.at("buf.work"))

    def flush_to_ldisc(self, port: int) -> None:
        """``flush_to_ldisc()``, ``tty_port_default_receive_buf()``."""
        client = self.kernel.struct("tty_port", port).to("client_ops")
        own = client["receive_buf"] if client.address not in (0, self.ttys.ports.client_ops()) else 0
        while queue := self.received.get(port):
            if own:
                count = self._give(own, port, queue)
                del queue[:count]
                if not count:
                    return
                continue
            tty = self.ttys.opened.get(self.kernel.struct("tty_port", port)["itty"])
            if tty is None or tty.discipline is None:
                if tty is None:
                    queue.clear()
                return
            chars, flags = bytes(char for char, _ in queue), bytes(flag for _, flag in queue)
            count = tty.discipline.receive(chars, flags if any(flags) else None)
            del queue[:count]
            if not count:
                return

    def _give(self, function: int, port: int, queue: list[tuple[int, int]]) -> int:
        """Have somebody else take what has been received.

        :returns: how many characters
        """
        chars, flags = bytes(char for char, _ in queue), bytes(flag for _, flag in queue)
        kernel = self.kernel
        place = kernel.slab.kmalloc(2 * len(chars))
        try:
            kernel.memory.write(place, chars + flags)
            count = kernel.cpu.call(function, port, place, place + len(chars) if any(flags) else 0, len(chars))
            return min(max(count, 0), len(chars))
        finally:
            kernel.slab.kfree(place)

    def flush_received(self, port: int) -> None:
        """``tty_buffer_flush()``."""
        self.received.pop(port, None)
