"""The kernel's structures in its memory, by their layout in its type information."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from sysfsd.image.structs import Member, Struct
from sysfsd.linux.mm.memory import Memory

__all__ = ["StructView"]

_FORMATS: Final = {
    (1, False): "B",
    (2, False): "H",
    (4, False): "I",
    (8, False): "Q",
    (1, True): "b",
    (2, True): "h",
    (4, True): "i",
    (8, True): "q",
}


@dataclass(slots=True)
class StructView:
    """A structure in the kernel's memory. Members go by their paths (:meth:`Struct.member`)."""

    memory: Memory = field(repr=False)
    struct: Struct
    address: int

    def __bool__(self) -> bool:
        """A structure at NULL is none."""
        return self.address != 0

    def _member(self, path: str) -> Member:
        return self.struct.known.get(path) or self.struct.member(path)

    def _mistyped(self, path: str, member: Member, wanted: str) -> TypeError:
        return TypeError(f"struct {self.struct.name}: {path} is of kind {member.kind}, not {wanted}")

    def __getitem__(self, path: str) -> int:
        """The value of an integer, enumeration, boolean, bit field or pointer."""
        member = self.struct.known.get(path) or self.struct.member(path)
        offset, size, kind, signed, _type, _length, shift, width = member
        if kind == "int" or kind == "pointer":
            return self.memory.read_int(self.address + offset, size, signed)
        if kind != "bits":
            raise self._mistyped(path, member, "an integer")
        value = self.memory.read_int(self.address + offset, size) >> shift & (1 << width) - 1
        return value - (1 << width) if signed and value >> width - 1 else value

    def __setitem__(self, path: str, value: int | bytes) -> None:
        """Set an integer as C would, or the text or the bytes of an array of characters or bytes.

        A text that is too long is cut, so that its NUL fits; bytes that are too many are refused. The rest is zeroed.
        """
        member = self.struct.known.get(path) or self.struct.member(path)
        offset, size, kind, _signed, code, _length, shift, width = member
        where = self.address + offset
        if isinstance(value, int):
            if kind == "int" or kind == "pointer":
                self.memory.write_int(where, value, size)
            elif kind == "bits":
                mask = (1 << width) - 1 << shift
                self.memory.write_int(where, self.memory.read_int(where, size) & ~mask | value << shift & mask, size)
            else:
                raise self._mistyped(path, member, "an integer")
        elif kind == "chars":
            self.memory.write(where, value[: size - 1].ljust(size, b"\0"))
        elif code != "u1" and code != "s1":
            raise self._mistyped(path, member, "characters")
        elif len(value) > size:
            raise ValueError(f"struct {self.struct.name}: {path} has {size} bytes, not {len(value)}")
        else:
            self.memory.write(where, value.ljust(size, b"\0"))

    def string(self, path: str) -> bytes:
        """The text, without its NUL, in an array of characters or bytes, or that a pointer points to."""
        member = self._member(path)
        if member.kind == "pointer":
            return self.memory.read_string(self[path])
        if member.type != "u1" and member.type != "s1":
            raise self._mistyped(path, member, "characters")
        return self.memory.read(self.address + member.offset, member.size).partition(b"\0")[0]

    def array(self, path: str) -> tuple[int, ...]:
        """The elements of an array of integers, enumerations, booleans or pointers."""
        member = self._member(path)
        element = self.struct.element(path)
        if element.kind != "int" and element.kind != "pointer":
            raise self._mistyped(path, element, "an integer")
        form = f"<{member.length}{_FORMATS[element.size, element.signed]}"
        return struct.unpack(form, self.memory.read(self.address + member.offset, member.size))

    def at(self, path: str) -> int:
        """The address of a member."""
        return self.address + self._member(path).offset

    def sub(self, path: str) -> StructView:
        """The structure that a member is."""
        member = self._member(path)
        if member.kind != "struct":
            raise self._mistyped(path, member, "a structure")
        return StructView(self.memory, self.struct.structs[member.type], self.address + member.offset)

    def to(self, path: str) -> StructView:
        """The structure that a pointer points to, which is nowhere if the pointer is NULL."""
        member = self._member(path)
        if member.kind != "pointer" or not member.type:
            raise self._mistyped(path, member, "a pointer to a structure")
        return StructView(self.memory, self.struct.structs[member.type], self[path])
