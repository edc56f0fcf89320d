"""Operations that a hypervisor replaces, and whether memory is encrypted (arch/x86/kernel/paravirt.c, coco/core.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("arch/x86/coco/core.c", "arch/x86/kernel/paravirt.c")

export.native("bool cc_platform_has(enum cc_attr attr)", "31c0c3")


def _nothing(kernel: Kernel, *args: int) -> int:
    """Registers that the machine does not have read as 0, and take what is written."""
    return 0


def _read_msr_safe(kernel: Kernel, msr: int, err: int) -> int:
    kernel.memory.write_int(err, 0, 4)
    return 0


#: Operations of the processor that code calls by ``pv_ops``, where it is not patched to do them itself.
_PV_CPU_OPS: Final[dict[str, tuple[str, Callable[..., int]]]] = {
    "io_delay": ("void native_io_delay(void)", _nothing),
    "wbinvd": ("void native_wbinvd(void)", _nothing),
    "read_msr": ("u64 native_read_msr(unsigned int msr)", _nothing),
    "write_msr": ("void native_write_msr(unsigned int msr, u32 low, u32 high)", _nothing),
    "read_msr_safe": ("u64 native_read_msr_safe(unsigned int msr, int *err)", _read_msr_safe),
    "write_msr_safe": ("int native_write_msr_safe(unsigned int msr, u32 low, u32 high)", _nothing),
    "read_pmc": ("u64 native_read_pmc(int counter)", _nothing),
}


def _pv_ops(kernel: Kernel, address: int) -> None:
    template = kernel.struct("paravirt_patch_template", address)
    for member, (declaration, function) in _PV_CPU_OPS.items():
        template[f"cpu.{member}"] = kernel.exports.internal(declaration, function)


export.data("struct paravirt_patch_template pv_ops", _pv_ops)
