"""Copies between the kernel and its users (what the inlined parts call)."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.exports.slab import __check_object_size as check_object_size
from sysfsd.kernel.kstrtox import INT_TYPES, IntType, kstrto, kstrtobool
from sysfsd.kernel.memory import PAGE_SIZE
from sysfsd.kernel.uaccess import TASK_SIZE_MAX, Uaccess, access_ok

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area(
    "uaccess",
    "mm/maccess.c, mm/util.c, lib/usercopy.c, lib/strncpy_from_user.c, lib/kstrtox.c, lib/iov_iter.c, arch/x86/lib/",
)

_EFAULT: Final = -errno.EFAULT
#: What is looked at of a truth value (bytes).
_BOOL_MAX: Final = 3


def _uaccess(kernel: Kernel) -> Uaccess:
    return kernel.state(Uaccess)


@export("void __copy_overflow(int size, unsigned long count)")
def __copy_overflow(kernel: Kernel, size: int, count: int) -> None:
    kernel.traps.warn_at("mm/maccess.c", 228, f"Buffer overflow detected ({size} < {count})!", "__copy_overflow+0x16")


# Single values: the address in RAX (or RCX), the value in RDX (or RAX), the result in RAX (or RCX)


def _get_user(name: str, size: int, checked: bool) -> None:
    @export(f"long {name}(void)")
    def get_user(kernel: Kernel) -> int:
        address = kernel.cpu.reg("rax")
        data = _uaccess(kernel).read(address, size) if not checked or access_ok(address, size) else b""
        found = len(data) == size
        kernel.cpu.set_reg("rdx", int.from_bytes(data, "little") if found else 0)
        return 0 if found else _EFAULT


def _put_user(name: str, size: int, checked: bool) -> None:
    @export(f"unsigned long {name}(void)")
    def put_user(kernel: Kernel) -> int:
        value, address = kernel.cpu.reg("rax"), kernel.cpu.reg("rcx")
        data = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        done = (not checked or access_ok(address, size)) and _uaccess(kernel).write(address, data) == size
        kernel.cpu.set_reg("rcx", 0 if done else _EFAULT & 0xFFFFFFFF)
        return value


for _size in (1, 2, 4, 8):
    _get_user(f"__get_user_{_size}", _size, True)
    _get_user(f"__get_user_nocheck_{_size}", _size, False)
    _put_user(f"__put_user_{_size}", _size, True)
    _put_user(f"__put_user_nocheck_{_size}", _size, False)


# Copies


@export("unsigned long _copy_from_user(void *to, const void *from, unsigned long n)")
def _copy_from_user(kernel: Kernel, to: int, from_: int, n: int) -> int:
    """What cannot be copied is zeroed."""
    data = _uaccess(kernel).copy_from_user(from_, n)
    kernel.memory.write(to, data.ljust(n, b"\0"))
    return n - len(data)


@export("unsigned long _copy_to_user(void *to, const void *from, unsigned long n)")
def _copy_to_user(kernel: Kernel, to: int, from_: int, n: int) -> int:
    return _uaccess(kernel).raw_copy(to, from_, n) if access_ok(to, n) else n


@export(
    "unsigned long copy_user_generic_unrolled(void *to, const void *from, unsigned int len)",
    "unsigned long copy_user_generic_string(void *to, const void *from, unsigned int len)",
    "unsigned long copy_user_enhanced_fast_string(void *to, const void *from, unsigned int len)",
)
def copy_user_generic(kernel: Kernel, to: int, from_: int, len: int) -> int:
    return _uaccess(kernel).raw_copy(to, from_, len)


@export("long __copy_user_nocache(void *dst, const void *src, unsigned int size, int zerorest)")
def __copy_user_nocache(kernel: Kernel, dst: int, src: int, size: int, zerorest: int) -> int:
    return _uaccess(kernel).raw_copy(dst, src, size)


@export("void clear_user_original(void)", "void clear_user_rep_good(void)", "void clear_user_erms(void)")
def clear_user(kernel: Kernel) -> None:
    """The address is in RDI and the size in RCX, where what is left goes, too."""
    address, size = kernel.cpu.reg("rdi"), kernel.cpu.reg("rcx")
    done = _uaccess(kernel).write(address, bytes(size)) if access_ok(address, size) else 0
    if done < size & -8:
        done &= -8  # it goes by eight bytes at a time, as long as there are
    kernel.cpu.set_reg("rdi", address + done)
    kernel.cpu.set_reg("rcx", size - done)


@export("int check_zeroed_user(const void *from, size_t size)")
def check_zeroed_user(kernel: Kernel, from_: int, size: int) -> int:
    data = _uaccess(kernel).copy_from_user(from_, size)
    if any(data):
        return 0
    if len(data) < size:
        raise err(errno.EFAULT)
    return 1


# Without a fault that anybody would notice


@export("long copy_from_kernel_nofault(void *dst, const void *src, size_t size)")
def copy_from_kernel_nofault(kernel: Kernel, dst: int, src: int, size: int) -> int:
    if not -(1 << 47) <= src - (1 << 64) < 0:
        return -errno.ERANGE
    try:
        data = kernel.memory.read(src, size) if size else b""
    except OSError:
        return _EFAULT
    kernel.memory.write(dst, data)
    return 0


@export("long copy_from_user_nofault(void *dst, const void *src, size_t size)")
def copy_from_user_nofault(kernel: Kernel, dst: int, src: int, size: int) -> int:
    data = _uaccess(kernel).copy_from_user(src, size)
    kernel.memory.write(dst, data)
    return 0 if len(data) == size else _EFAULT


@export("long copy_to_user_nofault(void *dst, const void *src, size_t size)")
def copy_to_user_nofault(kernel: Kernel, dst: int, src: int, size: int) -> int:
    return _EFAULT if _copy_to_user(kernel, dst, src, size) else 0


# Strings


def _string(kernel: Kernel, source: int, limit: int) -> tuple[bytes, bool]:
    """A user's string, at most *limit* bytes of it, and whether its NUL was found.

    :raises OSError: EFAULT where the memory ends before
    """
    uaccess, text = _uaccess(kernel), b""
    while len(text) < limit:
        at = source + len(text)
        size = min(limit - len(text), PAGE_SIZE - at % PAGE_SIZE)
        piece = uaccess.copy_from_user(at, size)
        end = piece.find(b"\0")
        if end >= 0:
            return text + piece[:end], True
        text += piece
        if len(piece) < size:
            raise err(errno.EFAULT)
    return text, False


@export("long strncpy_from_user(char *dst, const void *src, long count)")
def strncpy_from_user(kernel: Kernel, dst: int, src: int, count: int) -> int:
    if count <= 0:
        return 0
    if src < TASK_SIZE_MAX:
        check_object_size(kernel, dst, count, False)
    text, ended = _string(kernel, src, count)
    kernel.memory.write(dst, text + b"\0" if ended else text)
    return len(text)


@export("long strnlen_user(const void *str, long n)")
def strnlen_user(kernel: Kernel, str: int, n: int) -> int:
    """With its NUL; more than *n* where that is not among them, 0 where the memory ends. Looks at whole words."""
    if n <= 0:
        return 0
    word = 8
    ahead = str % word
    try:
        text, ended = _string(kernel, str, -(-(ahead + n) // word) * word - ahead)
    except OSError:
        return 0
    return len(text) + 1 if ended else n + 1


# Copies in memory of their own


def _memdup(kernel: Kernel, src: int, length: int, more: int = 0) -> int:
    """:raises OSError: ENOMEM, EFAULT"""
    address = kernel.slab.kmalloc(length + more)
    data = _uaccess(kernel).copy_from_user(src, length)
    if len(data) < length:
        kernel.slab.kfree(address)
        raise err(errno.EFAULT)
    kernel.memory.write(address, data + bytes(more))
    return address


@export("void *memdup_user(const void *src, size_t len)", "void *vmemdup_user(const void *src, size_t len)")
def memdup_user(kernel: Kernel, src: int, len: int) -> int:
    return _memdup(kernel, src, len)


@export("void *memdup_user_nul(const void *src, size_t len)")
def memdup_user_nul(kernel: Kernel, src: int, len: int) -> int:
    return _memdup(kernel, src, len, 1)


@export("char *strndup_user(const void *s, long n)")
def strndup_user(kernel: Kernel, s: int, n: int) -> int:
    length: int = strnlen_user(kernel, s, n)
    if not length:
        raise err(errno.EFAULT)
    if length > n:
        raise err(errno.EINVAL)
    return _memdup(kernel, s, length - 1, 1)


# Numbers


def _text(kernel: Kernel, source: int, count: int, limit: int) -> bytes:
    """:raises OSError: EFAULT"""
    count = min(count, limit)
    data = _uaccess(kernel).copy_from_user(source, count)
    if len(data) < count:
        raise err(errno.EFAULT)
    return data.split(b"\0", 1)[0]


def _kstrto_from_user(name: str, kind: IntType, c_type: str) -> None:
    @export(f"int {name}(const void *s, size_t count, unsigned int base, {c_type} *res)")
    def convert(kernel: Kernel, s: int, count: int, base: int, res: int) -> int:
        text = _text(kernel, s, count, 8 * kind.size + 2)
        kernel.memory.write_int(res, kstrto(kind, text, base), kind.size)
        return 0


for _name, _kind, _c_type in (
    ("ull", "ull", "unsigned long long"),
    ("ll", "ll", "long long"),
    ("ul", "ul", "unsigned long"),
    ("l", "l", "long"),
    ("uint", "uint", "unsigned int"),
    ("int", "int", "int"),
    ("u16", "u16", "u16"),
    ("s16", "s16", "s16"),
    ("u8", "u8", "u8"),
    ("s8", "s8", "s8"),
):
    _kstrto_from_user(f"kstrto{_name}_from_user", INT_TYPES[_kind], _c_type)


@export("int kstrtobool_from_user(const void *s, size_t count, bool *res)")
def kstrtobool_from_user(kernel: Kernel, s: int, count: int, res: int) -> int:
    kernel.memory.write_int(res, kstrtobool(_text(kernel, s, count, _BOOL_MAX)), 1)
    return 0


# Iterators over buffers (lib/iov_iter.c)

_ITER_IOVEC, _ITER_KVEC, _ITER_UBUF, _ITER_DISCARD = "ITER_IOVEC", "ITER_KVEC", "ITER_UBUF", "ITER_DISCARD"


def _advance(kernel: Kernel, i: StructView, size: int, step: Callable[[int, int, int], int]) -> int:
    """``iterate_and_advance()``: have *step* deal with each piece, and go on behind what it did.

    :param step: given the address of a piece, its size, how many bytes came before, and what it cannot do of it
    :returns: the bytes that were dealt with
    """
    size = min(size, i["count"])
    kind, constant = i["iter_type"], kernel.image.constant
    done = 0
    if kind == constant(_ITER_DISCARD):
        done = size
    elif kind == constant(_ITER_UBUF):
        done = size - step(i["ubuf"] + i["iov_offset"], size, 0) if size else 0
        i["iov_offset"] += done
    elif kind in (constant(_ITER_IOVEC), constant(_ITER_KVEC)):
        skip, vector = i["iov_offset"], kernel.struct("iovec", i["iov"])
        segments = i["nr_segs"]
        while done < size and segments:
            length = min(vector["iov_len"] - skip, size - done)
            if length:
                left = step(vector["iov_base"] + skip, length, done)
                done += length - left
                skip += length - left
                if skip < vector["iov_len"]:
                    break
            vector = kernel.struct("iovec", vector.address + vector.struct.size)
            skip, segments = 0, segments - 1
        i["iov"], i["iov_offset"], i["nr_segs"] = vector.address, skip, segments
    i["count"] -= done
    return done


def _is_kernel(kernel: Kernel, i: StructView) -> bool:
    return i["iter_type"] == kernel.image.constant(_ITER_KVEC)


@export("size_t _copy_to_iter(const void *addr, size_t bytes, struct iov_iter *i)")
def _copy_to_iter(kernel: Kernel, addr: int, bytes_: int, i: StructView) -> int:
    def step(to: int, size: int, offset: int) -> int:
        if _is_kernel(kernel, i):
            kernel.memory.write(to, kernel.memory.read(addr + offset, size))
            return 0
        return _copy_to_user(kernel, to, addr + offset, size)  # type: ignore[no-any-return]

    return _advance(kernel, i, bytes_, step)


@export(
    "size_t _copy_from_iter(void *addr, size_t bytes, struct iov_iter *i)",
    "size_t _copy_from_iter_nocache(void *addr, size_t bytes, struct iov_iter *i)",
)
def _copy_from_iter(kernel: Kernel, addr: int, bytes_: int, i: StructView) -> int:
    def step(source: int, size: int, offset: int) -> int:
        if _is_kernel(kernel, i):
            kernel.memory.write(addr + offset, kernel.memory.read(source, size))
            return 0
        data = _uaccess(kernel).copy_from_user(source, size)
        kernel.memory.write(addr + offset, data)
        return size - len(data)

    return _advance(kernel, i, bytes_, step)


@export("size_t iov_iter_zero(size_t bytes, struct iov_iter *i)")
def iov_iter_zero(kernel: Kernel, bytes_: int, i: StructView) -> int:
    def step(to: int, size: int, offset: int) -> int:
        if _is_kernel(kernel, i):
            kernel.memory.write(to, bytes(size))
            return 0
        return _uaccess(kernel).copy_to_user(to, bytes(size))

    return _advance(kernel, i, bytes_, step)


@export("void iov_iter_advance(struct iov_iter *i, size_t size)")
def iov_iter_advance(kernel: Kernel, i: StructView, size: int) -> None:
    _advance(kernel, i, size, lambda address, size, offset: 0)


@export("void iov_iter_revert(struct iov_iter *i, size_t unroll)")
def iov_iter_revert(kernel: Kernel, i: StructView, unroll: int) -> None:
    if not unroll:
        return
    i["count"] += unroll
    while i["iter_type"] != kernel.image.constant(_ITER_UBUF) and unroll > i["iov_offset"]:
        unroll -= i["iov_offset"]
        i["iov"] -= kernel.image.structs["iovec"].size
        i["nr_segs"] += 1
        i["iov_offset"] = kernel.struct("iovec", i["iov"])["iov_len"]
    i["iov_offset"] -= unroll


@export(
    "void iov_iter_init(struct iov_iter *i, unsigned int direction, const struct iovec *iov, unsigned long nr_segs,"
    " size_t count)"
)
def iov_iter_init(kernel: Kernel, i: StructView, direction: int, iov: StructView, nr_segs: int, count: int) -> None:
    init_iter(kernel, i, _ITER_IOVEC, direction, iov.address, nr_segs, count)


@export(
    "void iov_iter_kvec(struct iov_iter *i, unsigned int direction, const struct kvec *kvec, unsigned long nr_segs,"
    " size_t count)"
)
def iov_iter_kvec(kernel: Kernel, i: StructView, direction: int, kvec: StructView, nr_segs: int, count: int) -> None:
    init_iter(kernel, i, _ITER_KVEC, direction, kvec.address, nr_segs, count)


def init_iter(kernel: Kernel, i: StructView, kind: str, direction: int, where: int, segments: int, count: int) -> None:
    """An iterator of some kind over what is described at *where*."""
    kernel.memory.write(i.address, bytes(i.struct.size))
    i["iter_type"], i["data_source"] = kernel.image.constant(kind), direction
    i["user_backed"] = kind != _ITER_KVEC
    i["iov"], i["nr_segs"], i["count"] = where, segments, count


@export("size_t iov_iter_single_seg_count(const struct iov_iter *i)")
def iov_iter_single_seg_count(kernel: Kernel, i: StructView) -> int:
    if i["nr_segs"] > 1 and i["iter_type"] in map(kernel.image.constant, (_ITER_IOVEC, _ITER_KVEC)):
        return min(i["count"], kernel.struct("iovec", i["iov"])["iov_len"] - i["iov_offset"])
    return i["count"]
