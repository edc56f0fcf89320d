"""Capabilities of the current task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/capability.c")


@export("bool capable(int cap)")
def capable(kernel: Kernel, cap: int) -> bool:
    return kernel.current_cred().capable(cap)


@export("bool ns_capable(struct user_namespace *ns, int cap)")
def ns_capable(kernel: Kernel, ns: StructView, cap: int) -> bool:
    return kernel.current_cred().capable(cap)
