"""All symbols and their addresses (kernel/kallsyms.c, kernel/module/kallsyms.c)."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from sysfsd.image.image import KernelImage
    from sysfsd.linux.kernel.module.module import Module
    from sysfsd.linux.mm.memory import Memory

__all__ = ["Kallsyms", "SymbolPlace"]

KSYM_NAME_LEN: Final = 512
_U64: Final = (1 << 64) - 1
#: Digits of an address at the start of a line.
_ADDRESS: Final = 16
_SYM: Final = struct.Struct("<I2xHQ8x")


class SymbolPlace(NamedTuple):
    """Where an address lies: so many bytes behind the start of a function or object of a size, maybe in a module."""

    name: str
    offset: int
    size: int
    module: str

    def __str__(self) -> str:
        return f"{self.name}+{self.offset:#x}/{self.size & _U64:#x}" + (f" [{self.module}]" if self.module else "")


class Kallsyms:
    """The symbol tables of a kernel and of its modules as /proc/kallsyms shows them.

    :param module_address: finds the module that an address lies in
    """

    def __init__(
        self,
        image: KernelImage,
        memory: Memory,
        module_address: Callable[[int], Module | None] = lambda address: None,
    ) -> None:
        self._image = image
        self._memory = memory
        self._module_address = module_address

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

    # Addresses to names

    def lookup(self, address: int) -> SymbolPlace | None:
        """``kallsyms_lookup()``: what lies at *address*."""
        mod = self._module_address(address)
        if mod is not None:
            return self._lookup_in_module(mod, address)
        text = self._image.text
        if not text[0] <= address < self._image.symbols["_end"]:
            return None
        return self._lookup_in_kernel(address)

    def _lookup_in_kernel(self, address: int) -> SymbolPlace | None:
        """The same for the kernel proper, whose lines stand in the order of their addresses."""
        lines = self._kernel_lines
        low, high = 0, len(lines)
        while low < high:
            start = lines.rfind(b"\n", low, (low + high) // 2) + 1 or low
            if int(lines[start : start + _ADDRESS], 16) <= address:
                low = lines.find(b"\n", start) + 1
            else:
                high = start
        if not 0 < low < len(lines):
            return None
        following = int(lines[low : low + _ADDRESS], 16)
        # Of several at one place the first counts.
        at = lines.rfind(b"\n", 0, low - 1) + 1
        digits = lines[at : at + _ADDRESS]
        while at and lines.startswith(digits, before := lines.rfind(b"\n", 0, at - 1) + 1):
            at = before
        start = int(digits, 16)
        name = lines[at + _ADDRESS + 3 : lines.find(b"\n", at)].decode("latin-1")
        return SymbolPlace(name, address - start, following - start, "")

    def address_of(self, name: str) -> int | None:
        """``kallsyms_lookup_name()`` for the kernel proper."""
        lines = self._kernel_lines
        found = lines.find(f" {name}\n".encode("latin-1"))
        if found < 0:
            return None
        start = lines.rfind(b"\n", 0, found) + 1
        return int(lines[start : start + _ADDRESS], 16)

    def module_address_of(self, mod: Module, name: str) -> int | None:
        """The same for a module's symbols."""
        table, wanted = mod.kallsyms, name.encode("latin-1")
        if table is None:
            return None
        symbols = self._memory.read(table.symtab, table.num_symtab * _SYM.size)
        for name_offset, shndx, value in _SYM.iter_unpack(symbols):
            if shndx and self._memory.read_string(table.strtab + name_offset, KSYM_NAME_LEN - 1) == wanted:
                return int(value)
        return None

    def _lookup_in_module(self, mod: Module, address: int) -> SymbolPlace | None:
        """``find_kallsyms_symbol()``."""
        table = mod.kallsyms
        if table is None:
            return None
        layout = mod.init_layout if address in mod.init_layout else mod.core_layout
        following = layout.base + layout.text_size
        best, best_name = 0, b""
        symbols = self._memory.read(table.symtab, table.num_symtab * _SYM.size)
        for name_offset, shndx, value in _SYM.iter_unpack(symbols):
            if not shndx or not name_offset:
                continue
            if best < value <= address:
                name = self._memory.read_string(table.strtab + name_offset, KSYM_NAME_LEN - 1)
                if name:
                    best, best_name = value, name
            elif address < value < following:
                following = value
        if not best:
            return None
        return SymbolPlace(best_name.decode("latin-1"), address - best, following - best, mod.name)

    def sprint_symbol(self, address: int, offset: bool = True, backtrace: bool = False) -> str:
        """``sprint_symbol()``: ``name+0x12/0x34 [module]``, or the number where nothing is known.

        :param backtrace: it is a return address: what counts is the instruction before it
        """
        place = self.lookup(address - backtrace)
        if place is None:
            return f"{address:#x}"
        if offset:
            return str(place._replace(offset=place.offset + backtrace))
        return place.name + (f" [{place.module}]" if place.module else "")
