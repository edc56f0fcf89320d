"""The kernel's own type information: BPF Type Format (Documentation/bpf/btf.rst).

What ``scripts/pack-image`` makes a kernel's description of: layouts of structures, enumerators, prototypes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cached_property
from typing import Final

__all__ = ["Btf"]

_MAGIC: Final = 0xEB9F
_HEADER_SIZE: Final = 24
_INT, _PTR, _ARRAY, _STRUCT, _UNION, _ENUM, _FWD, _TYPEDEF, _VOLATILE, _CONST, _RESTRICT = range(1, 12)
_FUNC, _FUNC_PROTO, _VAR, _DATASEC, _FLOAT, _DECL_TAG, _TYPE_TAG, _ENUM64 = range(12, 20)
_INT_SIGNED: Final = 1
_ALIASES: Final = {_TYPEDEF, _VOLATILE, _CONST, _RESTRICT, _TYPE_TAG}

#: What compilers call these types, and everybody else.
_C_NAMES: Final = {
    "long int": "long",
    "long long int": "long long",
    "long long unsigned int": "unsigned long long",
    "long unsigned int": "unsigned long",
    "short int": "short",
    "short unsigned int": "unsigned short",
}

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

    def _word(self, at: int, index: int) -> int:
        return int.from_bytes(self._data[at + 4 * index : at + 4 * index + 4], "little")

    def _info(self, at: int) -> int:
        return self._word(at, 1)

    def _size_or_type(self, at: int) -> int:
        return self._word(at, 2)

    def _kind(self, at: int) -> tuple[int, int]:
        """Kind of the type at *at* and number of its entries; the void type is none."""
        if not at:
            return 0, 0
        info = self._info(at)
        return info >> 24 & 0x1F, info & 0xFFFF

    def _name(self, offset: int) -> str:
        return self._strings[offset : self._strings.index(b"\0", offset)].decode()

    def _name_of(self, at: int) -> str:
        return self._name(self._word(at, 0)) if at else ""

    def _of_kind(self, kind: int) -> Iterator[tuple[int, str]]:
        """Place and name of each type of a kind."""
        for at in self._types[1:]:
            if self._kind(at)[0] == kind:
                yield at, self._name_of(at)

    def _resolve(self, type_id: int) -> int:
        """The place of a type behind its typedefs and qualifiers."""
        at = self._types[type_id]
        while self._kind(at)[0] in _ALIASES:
            at = self._types[self._size_or_type(at)]
        return at

    # Layouts

    def structs(self) -> dict[str, str]:
        """All structures and unions in the form that docs/kernel-image.md describes, by name."""
        packed: dict[str, str] = {}
        names = self._struct_names
        done = 0
        while done < len(names):  # describing one may name another
            for at, name in list(names.items())[done:]:
                packed[name] = " ".join((str(self._size_or_type(at)), *self._members(at, name)))
                done += 1
        for at, name in self._of_kind(_TYPEDEF):
            if (target := names.get(self._resolve(self._size_or_type(at)))) is not None and name not in packed:
                packed[name] = f"={target}"
        return packed

    @cached_property
    def _struct_names(self) -> dict[int, str]:
        """What each structure goes by: its own name or that of the typedef of a nameless one.

        Of several that share a name, the largest has it to itself and the others have a number.
        """
        places: dict[str, list[int]] = {}
        for kind in (_STRUCT, _UNION, _TYPEDEF):
            for at, name in self._of_kind(kind):
                if kind == _TYPEDEF:
                    at = self._types[self._size_or_type(at)]
                    if self._kind(at)[0] not in (_STRUCT, _UNION) or self._name_of(at):
                        continue
                if name and at not in (same := places.setdefault(name, [])):
                    same.append(at)
        names: dict[int, str] = {}
        for name, same in sorted(places.items()):
            for number, at in enumerate(sorted(same, key=self._size_or_type, reverse=True), 1):
                names.setdefault(at, name if number == 1 else f"{name}#{number}")
        return names

    def _members(self, at: int, outer: str, base: int = 0) -> Iterator[str]:
        """``NAME:OFFSET:TYPE`` for each member; those of nameless members are its own."""
        for name, type_id, bit, width in self._fields(at):
            if name:
                (place, shift), code = divmod(base + bit, 8), self._code(type_id, f"{outer}.{name}")
                if width:  # of the bytes that it lies in, for nobody else to be touched
                    code = f"{code[0]}{(shift + width + 7) // 8}/{shift}+{width}"
                yield f"{name}:{place}:{code}"
            elif self._kind(inner := self._resolve(type_id))[0] in (_STRUCT, _UNION):
                yield from self._members(inner, outer, base + bit)

    def _fields(self, at: int) -> Iterator[tuple[str, int, int, int]]:
        """Name, type, offset in bits, and width if it is a bit field, of each member."""
        info, vlen = self._info(at), self._kind(at)[1]
        for name, type_id, bit in struct.iter_unpack("<3I", self._data[at + 12 : at + 12 + 12 * vlen]):
            width = 0
            if info >> 31:  # the upper byte is the width of a bit field
                bit, width = bit & 0xFFFFFF, bit >> 24
            elif self._kind(plain := self._resolve(type_id))[0] == _INT:  # or the type itself is narrow
                encoding = self._word(plain, 3)
                if (narrow := encoding & 0xFF) != 8 * self._size_or_type(plain):
                    bit, width = bit + (encoding >> 16 & 0xFF), narrow
            yield self._name(name), type_id, bit, width

    def _code(self, type_id: int, path: str) -> str:
        """The type of the member *path*; a structure that has no name is called after it."""
        at = self._resolve(type_id)
        match self._kind(at)[0]:
            case 1:  # an integer
                return f"{'su'[not self._word(at, 3) >> 24 & _INT_SIGNED]}{self._size_or_type(at)}"
            case 6 | 19:  # an enumeration
                return f"{'us'[self._info(at) >> 31]}{self._size_or_type(at)}"
            case 2:  # a pointer
                target = self._resolve(self._size_or_type(at))
                return "*" + (self._struct_name(target, path) or "")
            case 3:  # an array
                element, count = self._word(at, 3), self._word(at, 5)
                if self._name_of(self._resolve(element)) == "char":
                    return f"c{count}"
                return f"[{count}]{self._code(element, path)}"
            case _:
                name = self._struct_name(at, path)
                return f"u{self._size_or_type(at)}" if name is None else f".{name}"

    def _struct_name(self, at: int, path: str) -> str | None:
        kind = self._kind(at)[0]
        if kind == _FWD:
            return self._name_of(at)
        if kind not in (_STRUCT, _UNION):
            return None
        return self._struct_names.setdefault(at, path)

    # Constants

    def constants(self) -> dict[str, int]:
        """The enumerators, by name; those that have several values, in enumerations of several files, are left out."""
        values: dict[str, set[int]] = {}
        for kind, entry in ((_ENUM, "Ii"), (_ENUM64, "Iq")):
            for at, _name in self._of_kind(kind):
                form = f"<{entry if self._info(at) >> 31 else entry.upper()}"
                end = at + 12 + self._kind(at)[1] * struct.calcsize(form)
                for name, value in struct.iter_unpack(form, self._data[at + 12 : end]):
                    values.setdefault(self._name(name), set()).add(value)
        return {name: of.pop() for name, of in values.items() if len(of) == 1}

    # Declarations

    def declarations(self) -> Iterator[tuple[str, str]]:
        """Name and C declaration, without the semicolon, of each function and variable."""
        for kind in (_FUNC, _VAR):
            for at, name in self._of_kind(kind):
                yield name, self._declare(self._size_or_type(at), name)

    def _declare(self, type_id: int, inner: str) -> str:
        """The declaration of *inner*, which may be empty, as being of that type."""
        at = self._types[type_id]
        kind, vlen = self._kind(at)
        target = self._size_or_type(at)
        match kind:
            case 2:  # a pointer
                pointee = self._kind(self._types[target])[0]
                return self._declare(target, f"(*{inner})" if pointee in (_ARRAY, _FUNC_PROTO) else f"*{inner}")
            case 3:  # an array
                return self._declare(self._word(at, 3), f"{inner}[{self._word(at, 5) or ''}]")
            case 9 | 10 | 11:  # a qualifier
                word = {_VOLATILE: "volatile", _CONST: "const", _RESTRICT: "restrict"}[kind]
                if self._kind(self._types[target])[0] == _PTR:
                    return self._declare(target, f"{word} {inner}".rstrip())
                return f"{word} {self._declare(target, inner)}"
            case 13:  # a function
                parameters = list(struct.iter_unpack("<II", self._data[at + 12 : at + 12 + 8 * vlen]))
                listed = (self._declare(of, self._name(name)) if of else "..." for name, of in parameters)
                return self._declare(target, f"{inner}({', '.join(listed) or 'void'})")
            case 18:  # an attribute of what is pointed to
                return self._declare(target, inner)
        base = _C_NAMES.get(base := self._name_of(at), base) or ("{...}" if type_id else "void")
        word = {_STRUCT: "struct ", _UNION: "union ", _FWD: "struct ", _ENUM: "enum ", _ENUM64: "enum "}.get(kind, "")
        if kind == _FWD and self._info(at) >> 31:
            word = "union "
        return f"{word}{base} {inner}".rstrip()
