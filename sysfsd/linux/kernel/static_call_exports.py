"""Static calls: calls that are patched into the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.arch.x86.alternative import static_call_update
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/static_call_inline.c", "kernel/static_call.c")


@export("void __static_call_update(struct static_call_key *key, void *tramp, void *func)")
def __static_call_update(kernel: Kernel, key: StructView, tramp: int, func: int) -> None:
    key["func"] = func
    static_call_update(kernel, tramp, func)


export.native("long __static_call_return0(void)", "31c0c3")
