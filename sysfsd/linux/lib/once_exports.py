"""What is to be done once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.arch.x86.alternative import jump_label_update
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/once.c")


@export("bool __do_once_start(bool *done, unsigned long *flags)", "bool __do_once_sleepable_start(bool *done)")
def __do_once_start(kernel: Kernel, done: int, flags: int = 0) -> bool:
    return not kernel.memory.read_int(done, 1)


def _done(kernel: Kernel, done: int, once_key: StructView) -> None:
    """From now on nobody even asks: the code that does is patched away."""
    kernel.memory.write_int(done, 1, 1)
    kernel.memory.write_int(once_key.address, 0)
    jump_label_update(kernel, once_key.address, False)


@export("void __do_once_done(bool *done, struct static_key_true *once_key, unsigned long *flags, struct module *mod)")
def __do_once_done(kernel: Kernel, done: int, once_key: StructView, flags: int, mod: StructView) -> None:
    _done(kernel, done, once_key)


@export("void __do_once_sleepable_done(bool *done, struct static_key_true *once_key, struct module *mod)")
def __do_once_sleepable_done(kernel: Kernel, done: int, once_key: StructView, mod: StructView) -> None:
    _done(kernel, done, once_key)
