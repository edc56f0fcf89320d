"""Routines of the architecture: memory, checksums, delays, counting bits (arch/x86/lib/)."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.time.timekeeping_exports import NSEC_PER_SEC
from sysfsd.linux.lib.crc_exports import U32_MAX, read_buffer
from sysfsd.linux.lib.iomap_exports import store_io

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area(
    "arch/x86/lib/hweight.S",
    "arch/x86/lib/csum-partial_64.c",
    "arch/x86/lib/csum-wrappers_64.c",
    "arch/x86/lib/iomem.c",
    "arch/x86/lib/memcpy_64.S",
    "arch/x86/lib/memset_64.S",
    "arch/x86/lib/memmove_64.S",
    "arch/x86/lib/copy_page_64.S",
    "arch/x86/lib/delay.c",
)

# popcnt %edi,%eax; ret. The caller expects all other registers as they were.
export.native("void __sw_hweight32(void)", "f30fb8c7 c3")

export.native("void __sw_hweight64(void)", "f3480fb8c7 c3")


# The Internet's


def _carried(value: int, bits: int) -> int:
    """Add what has run over *bits* to the lowest of them."""
    while value >> bits:
        value = (value & (1 << bits) - 1) + (value >> bits)
    return value


def _csum_partial(data: bytes, odd: bool, csum: int) -> int:
    if odd:
        if not data:
            return csum
        csum = csum >> 8 | csum << 24 & U32_MAX
        data = b"\0" + data
    words = data.ljust(-(-len(data) // 8) * 8, b"\0")
    total = _carried(csum + sum(struct.unpack(f"<{len(words) // 8}Q", words)), 64)
    result = _carried((total >> 32) + (total & U32_MAX), 32)
    if odd:
        result = _carried(result, 16)
        result = result >> 8 | result << 8 & 0xFF00
    return result


def _csum_fold(csum: int) -> int:
    return ~_carried(csum, 16) & 0xFFFF


@export("__wsum csum_partial(const void *buff, int len, __wsum sum)")
def csum_partial(kernel: Kernel, buff: int, len: int, sum: int) -> int:
    return _csum_partial(read_buffer(kernel, buff, len), bool(buff & 1), sum)


@export("__sum16 ip_compute_csum(const void *buff, int len)")
def ip_compute_csum(kernel: Kernel, buff: int, len: int) -> int:
    return _csum_fold(_csum_partial(read_buffer(kernel, buff, len), bool(buff & 1), 0))


@export("__wsum csum_partial_copy_nocheck(const void *src, void *dst, int len)")
def csum_partial_copy_nocheck(kernel: Kernel, src: int, dst: int, len: int) -> int:
    data = read_buffer(kernel, src, len)
    kernel.memory.write(dst, data)
    return _csum_partial(data, False, U32_MAX)


@export(
    "__sum16 csum_ipv6_magic(const struct in6_addr *saddr, const struct in6_addr *daddr, __u32 len, __u8 proto,"
    " __wsum sum)"
)
def csum_ipv6_magic(kernel: Kernel, saddr: StructView, daddr: StructView, len: int, proto: int, sum: int) -> int:
    rest = int.from_bytes(len.to_bytes(4, "big"), "little") + (proto << 8) + sum
    words = struct.unpack("<4Q", kernel.memory.read(saddr.address, 16) + kernel.memory.read(daddr.address, 16))
    total = _carried(rest + words[0] + words[1] + words[2] + words[3], 64)
    return _csum_fold(_carried((total >> 32) + (total & U32_MAX), 32))


@export("void memcpy_fromio(void *to, const volatile void *from, size_t n)")
def memcpy_fromio(kernel: Kernel, to: int, from_: int, n: int) -> None:
    kernel.memory.write(to, kernel.memory.read(from_, n))


@export("void memcpy_toio(volatile void *to, const void *from, size_t n)")
def memcpy_toio(kernel: Kernel, to: int, from_: int, n: int) -> None:
    store_io(kernel, to, kernel.memory.read(from_, n))


@export("void memset_io(volatile void *a, int b, size_t c)")
def memset_io(kernel: Kernel, a: int, b: int, c: int) -> None:
    store_io(kernel, a, bytes((b & 0xFF,)) * c)


# mov %rdi,%rax; mov %rdx,%rcx; shr $3,%rcx; and $7,%edx; rep movsq; mov %edx,%ecx; rep movsb; ret
export.native("void memcpy(void)", "4889f8 4889d1 48c1e903 83e207 f348a5 89d1 f3a4 c3")

export.native("void __memcpy(void)", "4889f8 4889d1 48c1e903 83e207 f348a5 89d1 f3a4 c3")

# mov %rdi,%r9; movzbl %sil,%esi; movabs $0x0101010101010101,%rax; imul %rsi,%rax; then as above with stosq and stosb,
# and mov %r9,%rax
_MEMSET: Final = "4989f9 400fb6f6 48b80101010101010101 480fafc6 4889d1 48c1e903 83e207 f348ab 89d1 f3aa 4c89c8 c3"

export.native("void memset(void)", _MEMSET)

export.native("void __memset(void)", _MEMSET)

# As memcpy(), unless %rdi-%rsi is below %rdx: then backwards, from lea -1(%rdi,%rdx),%rdi and the like, between std and
# cld.
_MEMMOVE: Final = (
    "4889f8 4889f9 4829f1 4839d1 7212 4889d1 48c1e903 83e207 f348a5 89d1 f3a4 c3"
    "488d7c17ff 488d7416ff 4889d1 fd f3a4 fc c3"
)

export.native("void memmove(void)", _MEMMOVE)

export.native("void __memmove(void)", _MEMMOVE)

# mov $512,%ecx; xor %eax,%eax; rep stosq; ret
for _name in ("clear_page_rep", "clear_page_orig", "clear_page_erms"):
    export.native(f"void {_name}(void)", "b900020000 31c0 f348ab c3")

# mov $512,%ecx; rep movsq; ret
export.native("void copy_page(void)", "b900020000 f348a5 c3")


# Delays


def _busy(kernel: Kernel, seconds: float) -> None:
    """Wait without giving the processor to others."""
    if seconds > 0:
        before = kernel.sched.jiffies
        time.sleep(min(seconds, kernel.sched.softlockup_thresh))
        kernel.sched.update_jiffies()
        if kernel.sched.jiffies != before:
            kernel.softirq.interrupt()


@export("void __const_udelay(unsigned long xloops)")
def __const_udelay(kernel: Kernel, xloops: int) -> None:
    _busy(kernel, xloops / (1 << 32))


@export("void __udelay(unsigned long usecs)")
def __udelay(kernel: Kernel, usecs: int) -> None:
    _busy(kernel, usecs / 1_000_000)


@export("void __ndelay(unsigned long nsecs)")
def __ndelay(kernel: Kernel, nsecs: int) -> None:
    _busy(kernel, nsecs / NSEC_PER_SEC)


@export("void __delay(unsigned long loops)")
def __delay(kernel: Kernel, loops: int) -> None:
    _busy(kernel, loops / 2.4e9)
