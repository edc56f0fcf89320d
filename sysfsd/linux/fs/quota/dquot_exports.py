"""Formats of disk quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import Registrations

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/quota/dquot.c")


@export("int register_quota_format(struct quota_format_type *fmt)")
def register_quota_format(kernel: Kernel, fmt: StructView) -> int:
    kernel.state(Registrations).add("quota_format", fmt.address, fmt.address)
    return 0


@export("void unregister_quota_format(struct quota_format_type *fmt)")
def unregister_quota_format(kernel: Kernel, fmt: StructView) -> None:
    kernel.state(Registrations).remove("quota_format", fmt.address)
