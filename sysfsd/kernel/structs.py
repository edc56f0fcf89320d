"""The kernel's structures: how they are laid out, and access to those in the kernel's memory.

docs/kernel-image.md says how a layout is written. A line is looked up by bisection and a member in its line, each when
it is asked for and then remembered, so that what nobody asks for costs nothing.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple

from sysfsd.kernel.memory import Memory

__all__ = ["Member", "Struct", "StructView", "Structs", "Table", "find_line", "map_table"]

#: The bytes of a file, wherever they are.
Table = bytes | mmap.mmap

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


def map_table(path: Path) -> Table:
    """A file of lines sorted by what they start with, of which only the pages that are looked at are read."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


def find_line(table: Table, key: bytes) -> bytes | None:
    """What follows *key* and a space in the line of *table* that starts with them; its lines are sorted by key."""
    low, high = 0, len(table)
    while low < high:
        start = table.rfind(b"\n", low, (low + high) // 2) + 1 or low
        end = table.find(b"\n", start)
        there, _, rest = table[start:end].partition(b" ")
        if there == key:
            return rest
        if there < key:
            low = end + 1
        else:
            high = start
    return None


class Member(NamedTuple):
    """A field of a structure."""

    #: Bytes from the start of the outermost structure.
    offset: int
    #: Bytes; of a bit field those that it lies in.
    size: int
    kind: Literal["int", "pointer", "bits", "chars", "array", "struct"]
    signed: bool = False
    #: The name of the structure that it is or points to, empty if it points to anything else; of an array the type of
    #: an element as it is packed.
    type: str = ""
    #: Of an array, the number of elements.
    length: int = 0
    #: Of a bit field, where it starts in the integer of ``size`` bytes at ``offset``, and its width.
    shift: int = 0
    width: int = 0


class Struct:
    """The layout of a structure or union; members of its nameless members are its own.

    :param packed: its size in bytes and its members, as packed
    """

    __slots__ = ("_packed", "known", "name", "size", "structs")

    def __init__(self, structs: Structs, name: str, packed: str) -> None:
        self.structs = structs
        self._packed = packed + " "
        self.name = name
        self.size = int(packed.partition(" ")[0])
        #: The members that were asked for, by path.
        self.known: dict[str, Member] = {}

    def member(self, path: str) -> Member:
        """The member called ``pid``, ``se.vruntime``, ``slots[3]`` or ``action[3].sa.sa_flags``.

        :raises KeyError: if there is none
        :raises IndexError: if there is no such element; arrays of fewer than two elements have as many as one likes
        """
        found = self.known.get(path)
        if found is None:
            found = self.known[path] = self._resolve(path)
        return found

    def _resolve(self, path: str) -> Member:
        if path.endswith("]"):
            outer, _, index = path[:-1].rpartition("[")
            return self.element(outer, int(index))
        outer, dot, name = path.rpartition(".")
        if dot:
            within = self.member(outer)
            if within.kind == "struct":
                inner = self.structs[within.type].member(name)
                return inner._replace(offset=within.offset + inner.offset)
        elif (start := self._packed.find(f" {name}:")) >= 0:
            end = self._packed.index(" ", start + 1)
            offset, _, code = self._packed[start + len(name) + 2 : end].partition(":")
            return self._decode(int(offset), code)
        raise KeyError(f"struct {self.name} has no member {path}")

    def _decode(self, offset: int, code: str) -> Member:
        mark, rest = code[0], code[1:]
        match mark:
            case "*":
                return Member(offset, 8, "pointer", type=rest)
            case ".":
                return Member(offset, self.structs[rest].size, "struct", type=rest)
            case "c":
                return Member(offset, int(rest), "chars", type="s1", length=int(rest))
            case "[":
                number, _, element = rest.partition("]")
                size = int(number) * self._decode(0, element).size
                return Member(offset, size, "array", type=element, length=int(number))
        number, _, bits = rest.partition("/")
        if bits:
            shift, _, width = bits.partition("+")
            return Member(offset, int(number), "bits", mark == "s", shift=int(shift), width=int(width))
        return Member(offset, int(number), "int", mark == "s")

    def element(self, path: str, index: int = 0) -> Member:
        """Element *index* of an array."""
        array = self.member(path)
        if array.kind not in ("array", "chars"):
            raise TypeError(f"struct {self.name}: {path} is no array")
        if index < 0 or index >= array.length > 1:
            raise IndexError(f"struct {self.name}: {path} has {array.length} elements")
        first = self._decode(array.offset, array.type)
        return first._replace(offset=first.offset + index * first.size)

    def offset(self, path: str) -> int:
        """``offsetof()``, in bytes."""
        return self.member(path).offset

    def fill(self, data: bytearray, values: Mapping[str, int | bytes]) -> None:
        """Put the values of whole members into what is going to be such a structure."""
        for path, value in values.items():
            member = self.known.get(path) or self.member(path)
            size = member.size
            if isinstance(value, int):
                packed = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
            else:
                packed = value[:size].ljust(size, b"\0")
            data[member.offset : member.offset + size] = packed

    @property
    def members(self) -> dict[str, Member]:
        """All members by name, in their order."""
        return {name: self.member(name) for name in (item.partition(":")[0] for item in self._packed.split()[1:])}


class Structs(Mapping[str, Struct]):
    """The layouts of all structures, unions and typedefs of them, by name.

    :param table: a sorted line for each
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._known: dict[str, Struct] = {}

    def __getitem__(self, name: str) -> Struct:
        found = self._known.get(name)
        if found is None:
            packed = find_line(self._table, name.encode())
            if packed is None:
                raise KeyError(name)
            text = packed.decode()
            found = self[text[1:]] if text.startswith("=") else Struct(self, name, text)
            self._known[name] = found
        return found

    def __iter__(self) -> Iterator[str]:
        return (line.partition(b" ")[0].decode() for line in self._table[:].splitlines())

    def __len__(self) -> int:
        return self._table[:].count(b"\n")

    def container_of(self, address: int, name: str, member: str) -> int:
        """The address of the structure *name* whose *member* is at *address*."""
        return address - self[name].member(member).offset


@dataclass(slots=True)
class StructView:
    """A structure in the kernel's memory. Members go by their paths (:meth:`Struct.member`)."""

    memory: Memory = field(repr=False)
    struct: Struct
    address: int

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
