"""Names of addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("kernel/kallsyms.c")


def _print(kernel: Kernel, buffer: int, text: str) -> int:
    data = text.encode("latin-1")
    kernel.memory.write(buffer, data + b"\0")
    return len(data)


@export("int sprint_symbol(char *buffer, unsigned long address)")
def sprint_symbol(kernel: Kernel, buffer: int, address: int) -> int:
    return _print(kernel, buffer, kernel.kallsyms.sprint_symbol(address))


@export("int sprint_symbol_no_offset(char *buffer, unsigned long address)")
def sprint_symbol_no_offset(kernel: Kernel, buffer: int, address: int) -> int:
    return _print(kernel, buffer, kernel.kallsyms.sprint_symbol(address, offset=False))
