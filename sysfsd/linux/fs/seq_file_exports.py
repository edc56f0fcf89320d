"""Files that are made of records: iterators of modules, and what they print."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.fs.d_path_exports import dentry_path
from sysfsd.linux.fs.libfs_exports import OneArgument
from sysfsd.linux.fs.vfs import MAX_RW_COUNT, FMode
from sysfsd.linux.kernel.locking.mutex_exports import mutex_lock, mutex_unlock
from sysfsd.linux.lib.hexdump import hex_dump_to_buffer
from sysfsd.linux.lib.iov_iter_exports import _copy_to_iter as copy_to_iter
from sysfsd.linux.lib.list import INIT_LIST_HEAD
from sysfsd.linux.lib.ratelimit import RatelimitState
from sysfsd.linux.lib.string_helpers import Escape, string_escape_mem
from sysfsd.linux.lib.vsprintf import LIMIT, MemoryVaList, vsnprintf_sized
from sysfsd.linux.mm.memory import PAGE_SIZE
from sysfsd.linux.mm.uaccess import Uaccess
from sysfsd.linux.mm.util_exports import kvfree, kvmalloc_node

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/seq_file.c")

_U64: Final = (1 << 64) - 1

_FIRST_ERROR: Final = (1 << 64) - 4095

_GFP_KERNEL: Final = 0xCC0

_SEQ_START_TOKEN: Final = 1

_EAGAIN: Final = -errno.EAGAIN

#: Kinds of what stands in front of each line of a dump.
_DUMP_PREFIX_ADDRESS, _DUMP_PREFIX_OFFSET = 1, 2


def _error(pointer: int) -> int:
    """``PTR_ERR()`` of an error, 0 of anything else."""
    return pointer - (1 << 64) if pointer >= _FIRST_ERROR else 0


#: From where the kernel itself reads such files, and what the places in seq_read_iter() are called then.
_READERS: Final = {"proc_read": "proc", "proc_read_iter": "proc_iter", "debugfs_read": "debugfs", "file_read": "file"}


def _reader(kernel: Kernel) -> str | None:
    """Who has called the exported function that the current task is in; None: code of a module."""
    sites, sp = kernel.image.call_sites, kernel.current.sp
    caller = kernel.memory.read_pointer(sp) if sp else 0
    return next((reader for site, reader in _READERS.items() if site in sites and sites[site][0] == caller), None)


# The iterator


class _Records:
    """A sequence of records, by the operations of a module."""

    def __init__(self, kernel: Kernel, m: StructView, reading: bool = True) -> None:
        self._cpu = kernel.cpu
        self._m = m
        self._op = m.to("op")
        self._reader = _reader(kernel) if reading else None

    def _site(self, place: str) -> str:
        return f"seq_{place}.{self._reader}" if self._reader else ""

    def start(self, place: str = "start") -> int:
        site = self._site(place)
        return self._cpu.call_long(self._op["start"], self._m.address, self._m.at("index"), site=site)

    def next(self, record: int, place: str = "next") -> int:
        site = self._site(place)
        return self._cpu.call_long(self._op["next"], self._m.address, record, self._m.at("index"), site=site)

    def show(self, record: int, place: str = "show") -> int:
        return self._cpu.call(self._op["show"], self._m.address, record, site=self._site(place))

    def stop(self, record: int, place: str = "stop") -> None:
        self._cpu.call(self._op["stop"], self._m.address, record, site=self._site(place))


def _alloc(kernel: Kernel, m: StructView, size: int) -> None:
    """Give the file a buffer of *size* bytes.

    :raises OSError: ENOMEM
    """
    m["size"] = size
    m["buf"] = kvmalloc_node(kernel, size, _GFP_KERNEL, -1) if size <= MAX_RW_COUNT else 0
    if not m["buf"]:
        raise err(errno.ENOMEM)


def _grow(kernel: Kernel, m: StructView) -> None:
    """A record did not fit.

    :raises OSError: ENOMEM
    """
    kvfree(kernel, m["buf"])
    m["count"], m["buf"] = 0, 0
    _alloc(kernel, m, 2 * m["size"])


def _overflowed(m: StructView) -> bool:
    return m["count"] == m["size"]


def _traverse(kernel: Kernel, m: StructView, offset: int) -> int:
    """``traverse()``: go to a position by making all that comes before it.

    :returns: 0 or an errno; EAGAIN after the buffer has grown
    """
    m["index"] = m["count"] = m["from"] = 0
    if not offset:
        return 0
    if not m["buf"]:
        _alloc(kernel, m, PAGE_SIZE)
    records, pos, error = _Records(kernel, m, reading=False), 0, 0
    record = records.start()
    while record:
        error = _error(record)
        if error:
            break
        error = records.show(record)
        if error < 0:
            break
        if error:
            error = m["count"] = 0
        if _overflowed(m):
            records.stop(record)
            _grow(kernel, m)
            return _EAGAIN
        record = records.next(record)
        if pos + m["count"] > offset:
            m["from"] = offset - pos
            m["count"] -= m["from"]
            break
        pos += m["count"]
        m["count"] = 0
        if pos == offset:
            break
    records.stop(record)
    return error


def _seek(kernel: Kernel, m: StructView, offset: int) -> int:
    """The same until the buffer is large enough; after an error the file begins anew."""
    try:
        while (error := _traverse(kernel, m, offset)) == _EAGAIN:
            pass
    except OSError as failed:
        error = -(failed.errno or 0)
    if error:
        m["read_pos"] = m["index"] = m["count"] = 0
    else:
        m["read_pos"] = offset
    return error


class _BuggyNext:
    """How often it is said that an iterator does not count."""

    def __init__(self, kernel: Kernel) -> None:
        self.limit = RatelimitState()


def _advance(kernel: Kernel, m: StructView, records: _Records, record: int) -> int:
    """The record behind one that has been shown."""
    pos = m["index"]
    record = records.next(record)
    if m["index"] == pos:
        if kernel.state(_BuggyNext).limit.ratelimit():
            function = kernel.kallsyms.sprint_symbol(m.to("op")["next"], offset=False)
            kernel.log.pr_info(f"seq_file: buggy .next function {function} did not update position index")
        m["index"] += 1
    return record


def _first(kernel: Kernel, m: StructView, records: _Records) -> tuple[int, int]:
    """Have one record that is not empty in the buffer.

    :returns: it, or 0 where there is none, and an errno or 0
    :raises OSError: ENOMEM
    """
    record = records.start()
    while True:
        error = _error(record)
        if not record or error:
            break
        error = records.show(record)
        if error < 0:
            break
        if error:
            m["count"] = 0
        if not m["count"]:
            record = records.next(record, "next_first")
        elif not _overflowed(m):
            return record, 0
        else:
            records.stop(record, "stop_full")
            _grow(kernel, m)
            record = records.start("start_again")
    records.stop(record, "stop_end")
    m["count"] = 0
    return 0, error


def _read(
    kernel: Kernel, m: StructView, pos: int, room: Callable[[], int], copy: Callable[[int, int], int]
) -> tuple[int, int]:
    """``seq_read_iter()``.

    :param room: the bytes that are still wanted
    :param copy: takes bytes from an address, and returns how many it could
    :returns: the bytes read, or an errno; and the position behind them
    """
    if not room():
        return 0, pos
    copied = error = 0
    if pos == 0:
        m["index"] = m["count"] = 0
    if pos != m["read_pos"]:
        error = _seek(kernel, m, pos)
        if error:
            return error, pos
    if not m["buf"]:
        _alloc(kernel, m, PAGE_SIZE)
    if m["count"]:
        done = copy(m["buf"] + m["from"], m["count"])
        m["count"] -= done
        m["from"] += done
        copied += done
    if not m["count"]:
        records = _Records(kernel, m)
        m["from"] = 0
        record, error = _first(kernel, m, records)
        if record:
            error = 0
            while True:
                before = m["count"]
                record = _advance(kernel, m, records, record)
                if not record or _error(record) or m["count"] >= room():
                    break
                error = records.show(record, "show_more")
                if error > 0:
                    m["count"] = before
                elif error or _overflowed(m):
                    m["count"] = before
                    break
            records.stop(record)
            done = copy(m["buf"], m["count"])
            copied += done
            m["count"] -= done
            m["from"] = done
    if not copied:
        return (-errno.EFAULT if m["count"] else error), pos
    m["read_pos"] += copied
    return copied, pos + copied


def _locked_read(
    kernel: Kernel, m: StructView, pos: int, room: Callable[[], int], copy: Callable[[int, int], int]
) -> tuple[int, int]:
    mutex_lock(kernel, m.sub("lock"))
    try:
        return _read(kernel, m, pos, room, copy)
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        return -errno.ENOMEM, pos
    finally:
        mutex_unlock(kernel, m.sub("lock"))


def _seq(kernel: Kernel, file: StructView) -> StructView:
    return kernel.struct("seq_file", file["private_data"])


@export("ssize_t seq_read(struct file *file, char *buf, size_t size, loff_t *ppos)")
def seq_read(kernel: Kernel, file: StructView, buf: int, size: int, ppos: int) -> int:
    uaccess, done = kernel.state(Uaccess), 0

    def copy(source: int, count: int) -> int:
        nonlocal done
        count = min(count, size - done)
        copied = count - uaccess.copy_to_user(buf + done, kernel.memory.read(source, count)) if count else 0
        done += copied
        return copied

    pos = kernel.memory.read_int(ppos, 8, signed=True)
    ret, pos = _locked_read(kernel, _seq(kernel, file), pos, lambda: size - done, copy)
    kernel.memory.write_int(ppos, pos, 8)
    return ret


@export("ssize_t seq_read_iter(struct kiocb *iocb, struct iov_iter *iter)")
def seq_read_iter(kernel: Kernel, iocb: StructView, iter: StructView) -> int:
    m = _seq(kernel, iocb.to("ki_filp"))
    ret, iocb["ki_pos"] = _locked_read(
        kernel, m, iocb["ki_pos"], lambda: iter["count"], lambda source, size: copy_to_iter(kernel, source, size, iter)
    )
    return ret


@export("loff_t seq_lseek(struct file *file, loff_t offset, int whence)")
def seq_lseek(kernel: Kernel, file: StructView, offset: int, whence: int) -> int:
    m = _seq(kernel, file)
    mutex_lock(kernel, m.sub("lock"))
    try:
        if whence == os.SEEK_CUR:
            offset += file["f_pos"]
        if whence not in (os.SEEK_SET, os.SEEK_CUR) or offset < 0:
            raise err(errno.EINVAL)
        error = _seek(kernel, m, offset) if offset != m["read_pos"] else 0
        file["f_pos"] = 0 if error else offset
        return error or offset
    finally:
        mutex_unlock(kernel, m.sub("lock"))


# Open and close


def open_(kernel: Kernel, file: StructView, op: int) -> StructView:
    """``seq_open()``.

    :raises OSError: ENOMEM
    """
    if file["private_data"]:
        kernel.traps.warn_at("fs/seq_file.c", 61, site="seq_open+0x67")
    m = kernel.struct("seq_file", kernel.slab.kmalloc(kernel.image.structs["seq_file"].size))
    INIT_LIST_HEAD(kernel.memory, m.at("lock.wait_list"))
    file["private_data"], m["op"], m["file"] = m.address, op, file.address
    file["f_mode"] &= ~FMode.PWRITE
    return m


@export("int seq_open(struct file *file, const struct seq_operations *op)")
def seq_open(kernel: Kernel, file: StructView, op: StructView) -> int:
    open_(kernel, file, op.address)
    return 0


@export("int seq_release(struct inode *inode, struct file *file)")
def seq_release(kernel: Kernel, inode: StructView, file: StructView) -> int:
    m = _seq(kernel, file)
    kvfree(kernel, m["buf"])
    kernel.slab.kfree(m.address)
    return 0


def _single_start(kernel: Kernel, p: StructView, pos: int) -> int:
    return 0 if kernel.memory.read_int(pos, 8) else _SEQ_START_TOKEN


def _single_next(kernel: Kernel, p: StructView, v: int, pos: int) -> int:
    kernel.memory.write_int(pos, kernel.memory.read_int(pos, 8) + 1, 8)
    return 0


def _single_stop(kernel: Kernel, p: StructView, v: int) -> None:
    pass


#: The iterator over the one record of a file that has one.
_SINGLE: Final[dict[str, tuple[str, Callable[..., object]]]] = {
    "start": ("void *single_start(struct seq_file *p, loff_t *pos)", _single_start),
    "next": ("void *single_next(struct seq_file *p, void *v, loff_t *pos)", _single_next),
    "stop": ("void single_stop(struct seq_file *p, void *v)", _single_stop),
}


def open_single(kernel: Kernel, file: StructView, show: int, data: int) -> StructView:
    """``single_open()``.

    :raises OSError: ENOMEM
    """
    op = kernel.struct("seq_operations", kernel.slab.kmalloc(kernel.image.structs["seq_operations"].size))
    for name, (declaration, function) in _SINGLE.items():
        op[name] = kernel.exports.internal(declaration, function)
    op["show"] = show
    m = open_(kernel, file, op.address)
    m["private"] = data
    return m


@export("int single_open(struct file *file, int (*show)(struct seq_file *, void *), void *data)")
def single_open(kernel: Kernel, file: StructView, show: int, data: int) -> int:
    open_single(kernel, file, show, data)
    return 0


@export("int single_open_size(struct file *file, int (*show)(struct seq_file *, void *), void *data, size_t size)")
def single_open_size(kernel: Kernel, file: StructView, show: int, data: int, size: int) -> int:
    buf = kvmalloc_node(kernel, size, _GFP_KERNEL, -1) if size <= MAX_RW_COUNT else 0
    if not buf:
        raise err(errno.ENOMEM)
    m = open_single(kernel, file, show, data)
    m["buf"], m["size"] = buf, size
    return 0


@export("int single_release(struct inode *inode, struct file *file)")
def single_release(kernel: Kernel, inode: StructView, file: StructView) -> int:
    op = _seq(kernel, file)["op"]
    seq_release(kernel, inode, file)
    kernel.slab.kfree(op)
    return 0


def open_private(kernel: Kernel, file: StructView, ops: int, psize: int) -> int:
    """``__seq_open_private()``: with so many zeroed bytes for the iterator.

    :returns: their address
    :raises OSError: ENOMEM
    """
    private = kernel.slab.kmalloc(psize)
    open_(kernel, file, ops)["private"] = private
    return private


@export("void *__seq_open_private(struct file *f, const struct seq_operations *ops, int psize)")
def __seq_open_private(kernel: Kernel, f: StructView, ops: StructView, psize: int) -> int:
    try:
        return open_private(kernel, f, ops.address, psize)
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        return 0


@export("int seq_open_private(struct file *filp, const struct seq_operations *ops, int psize)")
def seq_open_private(kernel: Kernel, filp: StructView, ops: StructView, psize: int) -> int:
    open_private(kernel, filp, ops.address, psize)
    return 0


@export("int seq_release_private(struct inode *inode, struct file *file)")
def seq_release_private(kernel: Kernel, inode: StructView, file: StructView) -> int:
    m = _seq(kernel, file)
    kernel.slab.kfree(m["private"])
    m["private"] = 0
    return seq_release(kernel, inode, file)


# Printing


def _put(kernel: Kernel, m: StructView, text: bytes, room: int = 1) -> bool:
    """Append *text* if *room* bytes are left behind it; where they are not, the buffer counts as full.

    :returns: whether they were
    """
    count, size = m["count"], m["size"]
    if count + len(text) + room > size:
        m["count"] = size
        return False
    kernel.memory.write(m["buf"] + count, text)
    m["count"] = count + len(text)
    return True


@export(
    "void seq_printf(struct seq_file *m, const char *f, ...)",
    "void seq_vprintf(struct seq_file *m, const char *f, va_list args)",
)
def seq_vprintf(kernel: Kernel, m: StructView, f: bytes, args: CallVaList | MemoryVaList) -> None:
    count, size = m["count"], m["size"]
    if count < size:
        text, length = vsnprintf_sized(kernel, f, args, min(size - count, LIMIT))
        if count + length < size:
            kernel.memory.write(m["buf"] + count, text + b"\0")
            m["count"] = count + length
            return
    m["count"] = size


@export("void seq_putc(struct seq_file *m, char c)")
def seq_putc(kernel: Kernel, m: StructView, c: int) -> None:
    count = m["count"]
    if count < m["size"]:
        kernel.memory.write_int(m["buf"] + count, c, 1)
        m["count"] = count + 1


@export("void seq_puts(struct seq_file *m, const char *s)")
def seq_puts(kernel: Kernel, m: StructView, s: bytes) -> None:
    _put(kernel, m, s)


@export("int seq_write(struct seq_file *seq, const void *data, size_t len)")
def seq_write(kernel: Kernel, seq: StructView, data: int, len: int) -> int:
    if seq["count"] + len >= seq["size"]:
        seq["count"] = seq["size"]
        return -1
    return 0 if _put(kernel, seq, kernel.memory.read(data, len)) else -1


def _delimiter(kernel: Kernel, m: StructView, delimiter: bytes | None) -> None:
    if delimiter is not None and len(delimiter) == 1:
        seq_putc(kernel, m, delimiter[0])
    elif delimiter:
        _put(kernel, m, delimiter)


@export("void seq_put_decimal_ull(struct seq_file *m, const char *delimiter, unsigned long long num)")
def seq_put_decimal_ull(kernel: Kernel, m: StructView, delimiter: bytes | None, num: int) -> None:
    if m["count"] + 2 < m["size"]:
        _delimiter(kernel, m, delimiter)
        if m["count"] + 1 < m["size"]:
            _put(kernel, m, b"%d" % num, 0)
            return
    m["count"] = m["size"]


@export("void seq_put_decimal_ll(struct seq_file *m, const char *delimiter, long long num)")
def seq_put_decimal_ll(kernel: Kernel, m: StructView, delimiter: bytes | None, num: int) -> None:
    if m["count"] + 3 < m["size"]:
        _delimiter(kernel, m, delimiter)
        if m["count"] + 2 < m["size"]:
            _put(kernel, m, b"%d" % num, 0)
            return
    m["count"] = m["size"]


@export("void seq_pad(struct seq_file *m, char c)")
def seq_pad(kernel: Kernel, m: StructView, c: int) -> None:
    more = m["pad_until"] - m["count"]
    if more > 0 and not _put(kernel, m, b" " * min(more, m["size"] + 1), 0):
        return
    if c:
        seq_putc(kernel, m, c)


@export(
    "void seq_escape_mem(struct seq_file *m, const void *src, size_t len, unsigned int flags, const char *esc)",
)
def seq_escape_mem(kernel: Kernel, m: StructView, src: int, len: int, flags: int, esc: bytes | None) -> None:
    _put(kernel, m, string_escape_mem(kernel.memory.read(src, len) if len else b"", Escape(flags), esc or b""))


@export(
    "void seq_hex_dump(struct seq_file *m, const char *prefix_str, int prefix_type, int rowsize, int groupsize,"
    " const void *buf, size_t len, bool ascii)"
)
def seq_hex_dump(
    kernel: Kernel,
    m: StructView,
    prefix_str: bytes,
    prefix_type: int,
    rowsize: int,
    groupsize: int,
    buf: int,
    len: int,
    ascii: bool,
) -> None:
    rowsize = rowsize if rowsize in (16, 32) else 16
    for at in range(0, len, rowsize):
        if _overflowed(m):
            break
        prefix = prefix_str
        if prefix_type == _DUMP_PREFIX_ADDRESS:
            prefix += vsnprintf_sized(kernel, b"%p: ", OneArgument(buf + at))[0]
        elif prefix_type == _DUMP_PREFIX_OFFSET:
            prefix += b"%.8x: " % at
        _put(kernel, m, prefix)
        room = m["size"] - m["count"]
        data = kernel.memory.read(buf + at, min(rowsize, len - at))
        line, length = hex_dump_to_buffer(data, rowsize, groupsize, room, ascii)
        if line is None or length >= room:
            m["count"] = m["size"]
        else:
            _put(kernel, m, line[:length])
        seq_putc(kernel, m, ord("\n"))


# Paths


def _mangled(path: bytes, esc: bytes) -> bytes:
    """``mangle_path()``."""
    return b"".join(b"\\%03o" % char if char in esc else bytes([char]) for char in path)


def _put_path(kernel: Kernel, m: StructView, dentry: StructView, esc: bytes) -> int:
    """:returns: the bytes, or -1 where there is no room"""
    text = _mangled(dentry_path(kernel, dentry), esc)
    return len(text) if _put(kernel, m, text) else -1


@export("int seq_path(struct seq_file *m, const struct path *path, const char *esc)")
def seq_path(kernel: Kernel, m: StructView, path: StructView, esc: bytes) -> int:
    return _put_path(kernel, m, path.to("dentry"), esc)


@export("int seq_file_path(struct seq_file *m, struct file *file, const char *esc)")
def seq_file_path(kernel: Kernel, m: StructView, file: StructView, esc: bytes) -> int:
    return _put_path(kernel, m, file.to("f_path.dentry"), esc)


@export("int seq_dentry(struct seq_file *m, struct dentry *dentry, const char *esc)")
def seq_dentry(kernel: Kernel, m: StructView, dentry: StructView, esc: bytes) -> int:
    return _put_path(kernel, m, dentry, esc)


# Lists


def _list_at(kernel: Kernel, head: int, pos: int) -> int:
    entry = kernel.memory.read_pointer(head)
    while entry != head:
        if pos == 0:
            return entry
        pos -= 1
        entry = kernel.memory.read_pointer(entry)
    return 0


def _count(kernel: Kernel, ppos: int) -> None:
    kernel.memory.write_int(ppos, kernel.memory.read_int(ppos, 8) + 1, 8)


@export(
    "struct list_head *seq_list_start(struct list_head *head, loff_t pos)",
    "struct list_head *seq_list_start_rcu(struct list_head *head, loff_t pos)",
)
def seq_list_start(kernel: Kernel, head: StructView, pos: int) -> int:
    return _list_at(kernel, head.address, pos)


@export(
    "struct list_head *seq_list_start_head(struct list_head *head, loff_t pos)",
    "struct list_head *seq_list_start_head_rcu(struct list_head *head, loff_t pos)",
)
def seq_list_start_head(kernel: Kernel, head: StructView, pos: int) -> int:
    return _list_at(kernel, head.address, pos - 1) if pos else head.address


@export(
    "struct list_head *seq_list_next(void *v, struct list_head *head, loff_t *ppos)",
    "struct list_head *seq_list_next_rcu(void *v, struct list_head *head, loff_t *ppos)",
)
def seq_list_next(kernel: Kernel, v: int, head: StructView, ppos: int) -> int:
    following = kernel.memory.read_pointer(v)
    _count(kernel, ppos)
    return 0 if following == head.address else following


def _hlist_at(kernel: Kernel, head: int, pos: int) -> int:
    node = kernel.memory.read_pointer(head)
    while node and pos:
        pos -= 1
        node = kernel.memory.read_pointer(node)
    return node


@export(
    "struct hlist_node *seq_hlist_start(struct hlist_head *head, loff_t pos)",
    "struct hlist_node *seq_hlist_start_rcu(struct hlist_head *head, loff_t pos)",
)
def seq_hlist_start(kernel: Kernel, head: StructView, pos: int) -> int:
    return _hlist_at(kernel, head.address, pos)


@export(
    "struct hlist_node *seq_hlist_start_head(struct hlist_head *head, loff_t pos)",
    "struct hlist_node *seq_hlist_start_head_rcu(struct hlist_head *head, loff_t pos)",
)
def seq_hlist_start_head(kernel: Kernel, head: StructView, pos: int) -> int:
    return _hlist_at(kernel, head.address, pos - 1) if pos else _SEQ_START_TOKEN


@export(
    "struct hlist_node *seq_hlist_next(void *v, struct hlist_head *head, loff_t *ppos)",
    "struct hlist_node *seq_hlist_next_rcu(void *v, struct hlist_head *head, loff_t *ppos)",
)
def seq_hlist_next(kernel: Kernel, v: int, head: StructView, ppos: int) -> int:
    _count(kernel, ppos)
    return kernel.memory.read_pointer(head.address if v == _SEQ_START_TOKEN else v)
