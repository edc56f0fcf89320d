"""Module files to load, and ways to spoil them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

__all__ = ["MODULES", "SAMPLES", "Ko", "module_path"]

MODULES: Final = Path(__file__).resolve().parents[1] / "modules"
SAMPLES: Final = Path(__file__).resolve().parents[2] / "sysfsd" / "samples"

#: The fields of a section header: place and form.
_SHDR: Final = {
    "name": (0, "I"),
    "type": (4, "I"),
    "flags": (8, "Q"),
    "addr": (16, "Q"),
    "offset": (24, "Q"),
    "size": (32, "Q"),
    "link": (40, "I"),
    "info": (44, "I"),
    "addralign": (48, "Q"),
    "entsize": (56, "Q"),
}


def module_path(name: str) -> Path:
    """The file of a module: a sample, or one of the tests' own."""
    sample = SAMPLES / f"{name}.ko"
    return sample if sample.exists() else MODULES / f"{name}.ko"


class Ko:
    """The bytes of a module's file, to be changed.

    :param name: the file's name without ``.ko``
    """

    def __init__(self, name: str) -> None:
        self.data = bytearray(module_path(name).read_bytes())
        (self.shoff,) = struct.unpack_from("<Q", self.data, 40)
        _size, self.shnum, names = struct.unpack_from("<HHH", self.data, 58)
        strings = self._field(names, "offset")
        self.index = {self.text(strings + self._field(i, "name")): i for i in range(self.shnum)}

    def __bytes__(self) -> bytes:
        return bytes(self.data)

    def text(self, at: int) -> str:
        return self.data[at : self.data.index(0, at)].decode()

    def _field(self, index: int, field: str) -> int:
        place, form = _SHDR[field]
        return int(struct.unpack_from("<" + form, self.data, self.shoff + 64 * index + place)[0])

    def get(self, section: str, field: str) -> int:
        """A field of a section's header."""
        return self._field(self.index[section], field)

    def set(self, section: str, **fields: int) -> Ko:
        """Change fields of a section's header."""
        for field, value in fields.items():
            place, form = _SHDR[field]
            self.put(self.shoff + 64 * self.index[section] + place, form, value)
        return self

    def put(self, at: int, form: str, *values: int) -> Ko:
        """Change numbers at a place in the file."""
        struct.pack_into("<" + form, self.data, at, *values)
        return self

    def contents(self, section: str) -> bytes:
        start = self.get(section, "offset")
        return bytes(self.data[start : start + self.get(section, "size")])

    def replace(self, section: str, old: bytes, new: bytes) -> Ko:
        """Change text in a section; the new one is filled up with NULs."""
        contents = self.contents(section)
        assert old in contents
        start = self.get(section, "offset")
        self.data[start : start + len(contents)] = contents.replace(old, new.ljust(len(old), b"\0"))
        return self

    def give(self, section: str, contents: bytes) -> Ko:
        """Put other, perhaps longer contents into a section; they come to lie at the end of the file."""
        self.data += bytes(-len(self.data) % 8)
        self.set(section, offset=len(self.data), size=len(contents))
        self.data += contents
        return self

    def rename(self, name: str) -> Ko:
        """Give the module another name, of up to 55 characters."""
        start = self.get(".gnu.linkonce.this_module", "offset") + 24
        self.data[start : start + 56] = name.encode("latin-1").ljust(56, b"\0")
        return self

    def symbol(self, name: str) -> int:
        """Where the entry of a symbol is in the file."""
        strings = self.get(".strtab", "offset")
        start = self.get(".symtab", "offset")
        for at in range(start, start + self.get(".symtab", "size"), 24):
            if self.text(strings + int(struct.unpack_from("<I", self.data, at)[0])) == name:
                return at
        raise LookupError(name)

    def rela(self, section: str, number: int = 0) -> int:
        """Where a relocation of *section* is in the file."""
        return self.get(".rela" + section, "offset") + 24 * number

    def version(self, symbol: str) -> int:
        """Where the entry of a symbol is in __versions."""
        start = self.get("__versions", "offset")
        for at in range(start, start + self.get("__versions", "size"), 64):
            if self.text(at + 8) == symbol:
                return at
        raise LookupError(symbol)
