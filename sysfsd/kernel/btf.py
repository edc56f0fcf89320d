"""The kernel's own type information: BPF Type Format (Documentation/bpf/btf.rst).

Only what a description of a structure needs is read: names, sizes, members and what they are.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

__all__ = ["Btf", "Member", "Struct"]

_MAGIC: Final = 0xEB9F
_HEADER_SIZE: Final = 24
_INT, _PTR, _ARRAY, _STRUCT, _UNION, _ENUM, _FWD, _TYPEDEF, _VOLATILE, _CONST, _RESTRICT = range(1, 12)
_FUNC, _FUNC_PROTO, _VAR, _DATASEC, _FLOAT, _DECL_TAG, _TYPE_TAG, _ENUM64 = range(12, 20)
_ALIASES: Final = {_TYPEDEF, _VOLATILE, _CONST, _RESTRICT, _TYPE_TAG}

#: Bytes behind the common header of a type: fixed, and for each of its ``vlen`` entries.
_EXTRA: Final = {
    _INT: (4, 0),
    _ARRAY: (12, 0),
    _STRUCT: (0, 12),
    _UNION: (0, 12),
    _ENUM: (0, 8),
    _FUNC_PROTO: (0, 8),
    _VAR: (4, 0),
    _DATASEC: (0, 12),
    _DECL_TAG: (4, 0),
    _ENUM64: (0, 12),
}


@dataclass(frozen=True, slots=True)
class Member:
    """A field: where it lies in its structure and how large it is (bytes)."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Struct:
    """A structure's size in bytes and its members by name; those of nameless members are its own."""

    size: int
    members: dict[str, Member]


class Btf:
    """One .BTF section.

    :param data: the section's bytes
    :raises ValueError: if they are no BTF
    """

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER_SIZE:
            raise ValueError("not BTF")
        magic, _version, _flags, header = struct.unpack_from("<HBBI", data)
        if magic != _MAGIC:
            raise ValueError("not BTF")
        type_off, type_len, str_off, str_len = struct.unpack_from("<4I", data, 8)
        self._data = data
        self._strings = data[header + str_off : header + str_off + str_len]
        self._types: list[int] = [0]
        at, end = header + type_off, header + type_off + type_len
        while at < end:
            self._types.append(at)
            kind, vlen = self._kind(at)
            fixed, each = _EXTRA.get(kind, (0, 0))
            at += 12 + fixed + each * vlen

    def _kind(self, at: int) -> tuple[int, int]:
        (info,) = struct.unpack_from("<I", self._data, at + 4)
        return info >> 24 & 0x1F, info & 0xFFFF

    def _name(self, offset: int) -> str:
        return self._strings[offset : self._strings.index(b"\0", offset)].decode()

    def _size_or_type(self, at: int) -> int:
        return int(struct.unpack_from("<I", self._data, at + 8)[0])

    def _resolve(self, type_id: int) -> int:
        """The place of a type behind its typedefs and qualifiers."""
        at = self._types[type_id]
        while self._kind(at)[0] in _ALIASES:
            at = self._types[self._size_or_type(at)]
        return at

    def _sizeof(self, type_id: int) -> int:
        at = self._resolve(type_id)
        match self._kind(at)[0]:
            case 2:  # a pointer
                return 8
            case 3:
                element, _index, count = struct.unpack_from("<3I", self._data, at + 12)
                return self._sizeof(element) * int(count)
            case 7 | 12 | 13:
                return 0
            case _:
                return self._size_or_type(at)

    def structs(self, names: set[str]) -> dict[str, Struct]:
        """The structures and unions called *names*, as far as there are any."""
        found: dict[str, Struct] = {}
        for at in self._types[1:]:
            if self._kind(at)[0] in (_STRUCT, _UNION):
                name = self._name(struct.unpack_from("<I", self._data, at)[0])
                if name in names and name not in found:
                    found[name] = Struct(self._size_or_type(at), self._members(at))
        return found

    def _members(self, at: int, base: int = 0) -> dict[str, Member]:
        members: dict[str, Member] = {}
        (info,) = struct.unpack_from("<I", self._data, at + 4)
        for i in range(info & 0xFFFF):
            name, type_id, offset = struct.unpack_from("<3I", self._data, at + 12 + 12 * i)
            if info >> 31:  # bit fields: the upper byte is the width
                offset &= 0xFFFFFF
            where = base + offset // 8
            if name:
                members[self._name(name)] = Member(where, self._sizeof(type_id))
            elif self._kind(inner := self._resolve(type_id))[0] in (_STRUCT, _UNION):
                members |= self._members(inner, where)
        return members
