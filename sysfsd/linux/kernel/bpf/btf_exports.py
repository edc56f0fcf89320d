"""Kernel functions that are offered to BPF programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/bpf/btf.c")


@export("int register_btf_kfunc_id_set(enum bpf_prog_type prog_type, const struct btf_kfunc_id_set *kset)")
def register_btf_kfunc_id_set(kernel: Kernel, prog_type: int, kset: StructView) -> int:
    """No program is ever loaded that could call them."""
    registered(kernel).remove_key("btf_kfunc", (prog_type, kset.address))
    registered(kernel).add("btf_kfunc", (prog_type, kset.address), kset.address)
    return 0
