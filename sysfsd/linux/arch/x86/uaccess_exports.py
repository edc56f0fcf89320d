"""Values and blocks between kernel and user, in assembler (arch/x86/lib/getuser.S, putuser.S, copy_user_64.S)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.lib.usercopy_exports import MINUS_EFAULT, uaccess_of
from sysfsd.linux.mm.uaccess import access_ok

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("arch/x86/lib/getuser.S", "arch/x86/lib/putuser.S", "arch/x86/lib/copy_user_64.S")


# Single values: the address in RAX (or RCX), the value in RDX (or RAX), the result in RAX (or RCX)


def _get_user(name: str, size: int, checked: bool) -> None:
    @export(f"long {name}(void)")
    def get_user(kernel: Kernel) -> int:
        address = kernel.cpu.reg("rax")
        data = uaccess_of(kernel).read(address, size) if not checked or access_ok(address, size) else b""
        found = len(data) == size
        kernel.cpu.set_reg("rdx", int.from_bytes(data, "little") if found else 0)
        return 0 if found else MINUS_EFAULT


def _put_user(name: str, size: int, checked: bool) -> None:
    @export(f"unsigned long {name}(void)")
    def put_user(kernel: Kernel) -> int:
        value, address = kernel.cpu.reg("rax"), kernel.cpu.reg("rcx")
        data = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        done = (not checked or access_ok(address, size)) and uaccess_of(kernel).write(address, data) == size
        kernel.cpu.set_reg("rcx", 0 if done else MINUS_EFAULT & 0xFFFFFFFF)
        return value


for _size in (1, 2, 4, 8):
    _get_user(f"__get_user_{_size}", _size, True)
    _get_user(f"__get_user_nocheck_{_size}", _size, False)
    _put_user(f"__put_user_{_size}", _size, True)
    _put_user(f"__put_user_nocheck_{_size}", _size, False)


@export(
    "unsigned long copy_user_generic_unrolled(void *to, const void *from, unsigned int len)",
    "unsigned long copy_user_generic_string(void *to, const void *from, unsigned int len)",
    "unsigned long copy_user_enhanced_fast_string(void *to, const void *from, unsigned int len)",
)
def copy_user_generic(kernel: Kernel, to: int, from_: int, len: int) -> int:
    return uaccess_of(kernel).raw_copy(to, from_, len)


@export("long __copy_user_nocache(void *dst, const void *src, unsigned int size, int zerorest)")
def __copy_user_nocache(kernel: Kernel, dst: int, src: int, size: int, zerorest: int) -> int:
    return uaccess_of(kernel).raw_copy(dst, src, size)


@export("void clear_user_original(void)", "void clear_user_rep_good(void)", "void clear_user_erms(void)")
def clear_user(kernel: Kernel) -> None:
    """The address is in RDI and the size in RCX, where what is left goes, too."""
    address, size = kernel.cpu.reg("rdi"), kernel.cpu.reg("rcx")
    done = uaccess_of(kernel).write(address, bytes(size)) if access_ok(address, size) else 0
    if done < size & -8:
        done &= -8  # it goes by eight bytes at a time, as long as there are
    kernel.cpu.set_reg("rdi", address + done)
    kernel.cpu.set_reg("rcx", size - done)
