"""All symbols and their addresses (kernel/kallsyms.c, kernel/module/kallsyms.c)."""

from __future__ import annotations

import re
import struct
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sysfsd.kernel.image import KernelImage
    from sysfsd.kernel.memory import Memory
    from sysfsd.kernel.module import Module

__all__ = ["Kallsyms"]

KSYM_NAME_LEN: Final = 512
_SYM: Final = struct.Struct("<I2xHQ8x")


class Kallsyms:
    """The symbol tables of a kernel and of its modules as /proc/kallsyms shows them."""

    def __init__(self, image: KernelImage, memory: Memory) -> None:
        self._image = image
        self._memory = memory

    @cached_property
    def _kernel_lines(self) -> bytes:
        return self._image.kallsyms()

    @cached_property
    def _kernel_lines_hidden(self) -> bytes:
        return re.sub(rb"(?m)^[0-9a-f]{16}", b"0" * 16, self._kernel_lines)

    def kernel_lines(self, show_value: bool) -> bytes:
        """``ffffffff81000000 T _text``, or with zeros for whoever may not see addresses."""
        return self._kernel_lines if show_value else self._kernel_lines_hidden

    def module_lines(self, mod: Module, show_value: bool) -> bytes:
        """The same for a module's symbols: ``ffffffffc0000000 t hello_start\\t[hello]``."""
        table = mod.kallsyms
        if table is None:
            return b""
        memory = self._memory
        symbols = memory.read(table.symtab, table.num_symtab * _SYM.size)
        types = memory.read(table.typetab, table.num_symtab).decode("latin-1")
        exported = {(symbol.name, symbol.value) for symbol in mod.syms if not symbol.gpl_only}
        lines: list[str] = []
        for (name_offset, _shndx, value), kind in zip(_SYM.iter_unpack(symbols), types, strict=True):
            name = memory.read_string(table.strtab + name_offset, KSYM_NAME_LEN - 1).decode("latin-1")
            if not name:  # s_show() leaves out what has no name
                continue
            kind = kind.upper() if (name, value) in exported else kind.lower()
            lines.append(f"{value if show_value else 0:016x} {kind} {name}\t[{mod.name}]\n")
        return "".join(lines).encode("latin-1")
