"""How the kernel's structures are laid out.

docs/kernel-image.md says how a layout is written. A line is looked up by bisection and a member in its line, each when
it is asked for and then remembered, so that what nobody asks for costs nothing.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

__all__ = ["Member", "Struct", "Structs", "Table", "find_line", "map_table"]

#: The bytes of a file, wherever they are.
Table = bytes | mmap.mmap


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
