"""Parsers of asymmetric keys (crypto/asymmetric_keys/asymmetric_type.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("crypto/asymmetric_keys/asymmetric_type.c")


# Others


@export("int register_asymmetric_key_parser(struct asymmetric_key_parser *parser)")
def register_asymmetric_key_parser(kernel: Kernel, parser: StructView) -> int:
    name = parser.string("name").decode("latin-1")
    try:
        registered(kernel).add("asymmetric_key_parser", name, parser.address)
    except FileExistsError:
        kernel.log.pr_err(f"Asymmetric key parser '{name}' already registered")
        raise
    kernel.log.pr_notice(f"Asymmetric key parser '{name}' registered")
    return 0


@export("void unregister_asymmetric_key_parser(struct asymmetric_key_parser *parser)")
def unregister_asymmetric_key_parser(kernel: Kernel, parser: StructView) -> None:
    registered(kernel).remove("asymmetric_key_parser", parser.address)
    kernel.log.pr_notice(f"Asymmetric key parser '{parser.string('name').decode('latin-1')}' unregistered")
