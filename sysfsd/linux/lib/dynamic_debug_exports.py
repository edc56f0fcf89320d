"""Messages that are off until somebody turns them on: called only where they are on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.lib.vsprintf import vsnprintf

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/dynamic_debug.c")

_INCL_MODNAME, _INCL_FUNCNAME, _INCL_LINENO, _INCL_TID = 2, 4, 8, 16

_PREFIX_SIZE: Final = 64


def _prefix(kernel: Kernel, descriptor: StructView) -> bytes:
    """``dynamic_emit_prefix()``."""
    flags = descriptor["flags"]
    thread = b""
    if flags & _INCL_TID:
        task = kernel.current
        thread = b"<intr> " if task.in_interrupt else b"[%d] " % task.pid
    where = b""
    if flags & _INCL_MODNAME:
        where += descriptor.string("modname") + b":"
    if flags & _INCL_FUNCNAME:
        where += descriptor.string("function") + b":"
    if flags & _INCL_LINENO:
        where += b"%d:" % descriptor["lineno"]
    return (thread + where + (b" " if where else b""))[: _PREFIX_SIZE - 1]


@export("void __dynamic_pr_debug(struct _ddebug *descriptor, const char *fmt, ...)")
def __dynamic_pr_debug(kernel: Kernel, descriptor: StructView, fmt: bytes, args: CallVaList) -> None:
    text = _prefix(kernel, descriptor) + vsnprintf(kernel, fmt, args)
    kernel.log.emit(text, Level.DEBUG, caller=kernel.current.pid)


@export("void __dynamic_dev_dbg(struct _ddebug *descriptor, const struct device *dev, const char *fmt, ...)")
def __dynamic_dev_dbg(kernel: Kernel, descriptor: StructView, dev: StructView, fmt: bytes, args: CallVaList) -> None:
    text = vsnprintf(kernel, fmt, args)
    core = kernel.state(DriverCore)
    if not dev.address:
        core.printk(Level.DEBUG, dev, text)
        return
    where = f"{core.driver_string(dev)} {core.name(dev)}: ".encode("latin-1")
    core.printk_emit(Level.DEBUG, dev, _prefix(kernel, descriptor) + where + text)
