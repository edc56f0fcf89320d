"""Type information: Documentation/bpf/btf.rst."""

from __future__ import annotations

import struct

import pytest

from sysfsd.kernel.btf import Btf, Member, Struct

INT, PTR, ARRAY, STRUCT, UNION, TYPEDEF, CONST = 1, 2, 3, 4, 5, 8, 10


class Types:
    """A .BTF section in the making."""

    def __init__(self) -> None:
        self.types = b""
        self.strings = b"\0"

    def name(self, text: str) -> int:
        self.strings += text.encode() + b"\0"
        return len(self.strings) - len(text) - 1

    def add(self, kind: int, name: str, size_or_type: int, *extra: int, vlen: int = 0, flag: int = 0) -> None:
        place = self.name(name) if name else 0
        self.types += struct.pack("<III", place, flag << 31 | kind << 24 | vlen, size_or_type)
        self.types += struct.pack(f"<{len(extra)}I", *extra)

    def data(self) -> bytes:
        sizes = (0, len(self.types), len(self.types), len(self.strings))
        return struct.pack("<HBBI4I", 0xEB9F, 1, 0, 24, *sizes) + self.types + self.strings


@pytest.fixture
def types() -> Types:
    """Int is type 1, a pointer to it type 2, an array of three of them type 3."""
    made = Types()
    made.add(INT, "int", 4, 32)
    made.add(PTR, "", 1)
    made.add(ARRAY, "", 0, 1, 1, 3)
    return made


def test_members_have_offsets_and_sizes(types: Types) -> None:
    a, b, c = types.name("a"), types.name("b"), types.name("c")
    types.add(STRUCT, "s", 32, a, 1, 0, b, 2, 64, c, 3, 128, vlen=3)
    assert Btf(types.data()).structs({"s"}) == {
        "s": Struct(32, {"a": Member(0, 4), "b": Member(8, 8), "c": Member(16, 12)})
    }


def test_typedefs_and_qualifiers_are_looked_through(types: Types) -> None:
    types.add(TYPEDEF, "number", 1)
    types.add(CONST, "", 4)
    types.add(STRUCT, "s", 4, types.name("a"), 5, 0, vlen=1)
    assert Btf(types.data()).structs({"s"})["s"].members == {"a": Member(0, 4)}


def test_members_of_nameless_members_are_its_own(types: Types) -> None:
    types.add(UNION, "", 8, types.name("x"), 1, 0, types.name("y"), 2, 0, vlen=2)
    types.add(STRUCT, "s", 16, types.name("a"), 1, 0, 0, 4, 64, vlen=2)
    assert Btf(types.data()).structs({"s"})["s"].members == {"a": Member(0, 4), "x": Member(8, 4), "y": Member(8, 8)}


def test_of_a_bit_field_the_byte_counts(types: Types) -> None:
    types.add(STRUCT, "s", 8, types.name("a"), 1, 5 << 24 | 35, vlen=1, flag=1)
    assert Btf(types.data()).structs({"s"})["s"].members == {"a": Member(4, 4)}


def test_names_that_are_not_there_are_left_out(types: Types) -> None:
    assert Btf(types.data()).structs({"nothing", "int"}) == {}


def test_the_first_of_two_structures_of_one_name_counts(types: Types) -> None:
    types.add(STRUCT, "s", 4)
    types.add(STRUCT, "s", 8)
    assert Btf(types.data()).structs({"s"})["s"].size == 4


def test_anything_else_is_no_btf() -> None:
    with pytest.raises(ValueError, match="not BTF"):
        Btf(b"\0" * 24)


@pytest.mark.parametrize("length", [0, 1, 7])
def test_less_than_a_header_is_no_btf(length: int) -> None:
    with pytest.raises(ValueError):
        Btf(struct.pack("<HBBI", 0xEB9F, 1, 0, 24)[:length])
