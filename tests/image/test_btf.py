"""Type information: Documentation/bpf/btf.rst."""

from __future__ import annotations

import lzma
import struct
from pathlib import Path

import pytest

from sysfsd.image.btf import Btf

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, FUNC_PROTO, VAR = range(1, 15)
FLOAT, TYPE_TAG, ENUM64 = 16, 18, 19


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
    made.add(INT, "int", 4, 1 << 24 | 32)
    made.add(PTR, "", 1)
    made.add(ARRAY, "", 0, 1, 1, 3)
    return made


def structs(types: Types) -> dict[str, str]:
    return Btf(types.data()).structs()


def declared(types: Types) -> list[str]:
    return [text for _name, text in Btf(types.data()).declarations()]


# Layouts


def test_members_have_offsets_and_types(types: Types) -> None:
    a, b, c = types.name("a"), types.name("b"), types.name("c")
    types.add(STRUCT, "s", 32, a, 1, 0, b, 2, 64, c, 3, 128, vlen=3)
    assert structs(types) == {"s": "32 a:0:s4 b:8:* c:16:[3]s4"}


@pytest.mark.parametrize(
    ("name", "size", "encoding", "code"),
    [("int", 4, 1 << 24 | 32, "s4"), ("u8", 1, 8, "u1"), ("_Bool", 1, 4 << 24 | 8, "u1"), ("u128", 16, 128, "u16")],
)
def test_integers(types: Types, name: str, size: int, encoding: int, code: str) -> None:
    types.add(INT, name, size, encoding)
    types.add(STRUCT, "s", size, types.name("a"), 4, 0, vlen=1)
    assert structs(types) == {"s": f"{size} a:0:{code}"}


@pytest.mark.parametrize(("kind", "size"), [(ENUM, 4), (ENUM, 1), (ENUM64, 8)])
@pytest.mark.parametrize(("signed", "letter"), [(0, "u"), (1, "s")])
def test_enumerations_are_integers(types: Types, kind: int, size: int, signed: int, letter: str) -> None:
    types.add(kind, "e", size, flag=signed)
    types.add(STRUCT, "s", 8, types.name("a"), 4, 0, vlen=1)
    assert structs(types) == {"s": f"8 a:0:{letter}{size}"}


def test_arrays_of_characters_are_text(types: Types) -> None:
    types.add(INT, "char", 1, 1 << 24 | 8)
    types.add(CONST, "", 4)
    types.add(ARRAY, "", 0, 5, 1, 16)
    types.add(ARRAY, "", 0, 6, 1, 2)
    types.add(STRUCT, "s", 48, types.name("a"), 6, 0, types.name("b"), 7, 128, vlen=2)
    assert structs(types) == {"s": "48 a:0:c16 b:16:[2]c16"}


def test_a_floating_point_number_is_its_bytes(types: Types) -> None:
    types.add(FLOAT, "double", 8)
    types.add(STRUCT, "s", 8, types.name("a"), 4, 0, vlen=1)
    assert structs(types) == {"s": "8 a:0:u8"}


def test_typedefs_and_qualifiers_are_looked_through(types: Types) -> None:
    types.add(TYPEDEF, "number", 1)
    types.add(CONST, "", 4)
    types.add(TYPE_TAG, "user", 5)
    types.add(STRUCT, "s", 4, types.name("a"), 6, 0, vlen=1)
    assert structs(types) == {"s": "4 a:0:s4"}


def test_structures_within_and_pointed_to_have_names(types: Types) -> None:
    types.add(STRUCT, "t", 8, types.name("x"), 2, 0, vlen=1)
    types.add(PTR, "", 4)
    types.add(FWD, "elsewhere", 0)
    types.add(PTR, "", 6)
    types.add(PTR, "", 5)
    members = [types.name("a"), 4, 0, types.name("b"), 5, 64, types.name("c"), 7, 128, types.name("d"), 8, 192]
    types.add(STRUCT, "s", 32, *members, vlen=4)
    assert structs(types)["s"] == "32 a:0:.t b:8:*t c:16:*elsewhere d:24:*"


def test_members_of_nameless_members_are_its_own(types: Types) -> None:
    types.add(UNION, "", 8, types.name("x"), 1, 0, types.name("y"), 2, 0, vlen=2)
    types.add(STRUCT, "s", 16, types.name("a"), 1, 0, 0, 4, 64, vlen=2)
    assert structs(types) == {"s": "16 a:0:s4 x:8:s4 y:8:*"}


def test_a_nameless_structure_is_called_after_its_member(types: Types) -> None:
    types.add(STRUCT, "", 4, types.name("x"), 1, 0, vlen=1)
    types.add(STRUCT, "", 8, types.name("in"), 4, 0, vlen=1)
    types.add(ARRAY, "", 0, 5, 1, 2)
    types.add(STRUCT, "s", 16, types.name("a"), 6, 0, vlen=1)
    assert structs(types) == {"s": "16 a:0:[2].s.a", "s.a": "8 in:0:.s.a.in", "s.a.in": "4 x:0:s4"}


def test_or_after_its_typedef(types: Types) -> None:
    types.add(STRUCT, "", 4, types.name("x"), 1, 0, vlen=1)
    types.add(TYPEDEF, "t", 4)
    types.add(TYPEDEF, "u", 5)
    types.add(STRUCT, "s", 4, types.name("a"), 6, 0, vlen=1)
    assert structs(types) == {"s": "4 a:0:.t", "t": "4 x:0:s4", "u": "=t"}


def test_a_typedef_of_a_structure_stands_for_it(types: Types) -> None:
    types.add(STRUCT, "s", 4)
    types.add(TYPEDEF, "s_t", 4)
    types.add(TYPEDEF, "s", 4)
    types.add(TYPEDEF, "number", 1)
    assert structs(types) == {"s": "4", "s_t": "=s"}


def test_bit_fields(types: Types) -> None:
    a, b, c = types.name("a"), types.name("b"), types.name("c")
    types.add(STRUCT, "s", 8, a, 1, 5 << 24 | 35, b, 1, 9 << 24 | 40, c, 1, 0, vlen=3, flag=1)
    assert structs(types) == {"s": "8 a:4:s1/3+5 b:5:s2/0+9 c:0:s4"}


def test_bit_fields_of_narrow_types(types: Types) -> None:
    types.add(INT, "unsigned int", 4, 3 << 16 | 5)
    types.add(STRUCT, "s", 4, types.name("a"), 4, 8, vlen=1)
    assert structs(types) == {"s": "4 a:1:u1/3+5"}


def test_nameless_bit_fields_are_no_members(types: Types) -> None:
    types.add(STRUCT, "s", 4, 0, 1, 3 << 24, types.name("a"), 1, 1 << 24 | 3, vlen=2, flag=1)
    assert structs(types) == {"s": "4 a:0:s1/3+1"}


def test_of_structures_of_one_name_the_largest_has_it(types: Types) -> None:
    for size in (4, 16, 8, 8):
        types.add(STRUCT, "s", size)
    types.add(PTR, "", 4)
    types.add(STRUCT, "user", 8, types.name("a"), 8, 0, vlen=1)
    assert structs(types) == {"s": "16", "s#2": "8", "s#3": "8", "s#4": "4", "user": "8 a:0:*s#4"}


# Constants


def test_enumerators_have_values(types: Types) -> None:
    all_ones = 0xFFFFFFFF
    types.add(ENUM, "e", 4, types.name("A"), 1, types.name("B"), all_ones, vlen=2)
    types.add(ENUM, "", 4, types.name("C"), all_ones, vlen=1, flag=1)
    types.add(ENUM64, "f", 8, types.name("D"), 1, 2, vlen=1)
    types.add(ENUM64, "g", 8, types.name("E"), all_ones - 1, all_ones, vlen=1, flag=1)
    assert Btf(types.data()).constants() == {"A": 1, "B": all_ones, "C": -1, "D": (2 << 32) + 1, "E": -2}


def test_enumerators_with_several_values_have_none(types: Types) -> None:
    types.add(ENUM, "e", 4, types.name("SAME"), 1, types.name("OTHER"), 1, vlen=2)
    types.add(ENUM, "f", 4, types.name("SAME"), 1, types.name("OTHER"), 2, vlen=2)
    assert Btf(types.data()).constants() == {"SAME": 1}


# Declarations


def test_a_function(types: Types) -> None:
    types.add(INT, "char", 1, 1 << 24 | 8)
    types.add(CONST, "", 4)
    types.add(PTR, "", 5)
    types.add(FUNC_PROTO, "", 1, types.name("s"), 6, types.name("res"), 2, vlen=2)
    types.add(FUNC, "kstrtoint", 7)
    assert list(Btf(types.data()).declarations()) == [("kstrtoint", "int kstrtoint(const char *s, int *res)")]


def test_functions_of_nothing_and_of_anything(types: Types) -> None:
    types.add(FUNC_PROTO, "", 0)
    types.add(FUNC, "f", 4)
    types.add(FUNC_PROTO, "", 2, 0, 1, 0, 0, vlen=2)
    types.add(FUNC, "g", 6)
    assert declared(types) == ["void f(void)", "int *g(int, ...)"]


def test_pointers_to_functions_are_written_in_full(types: Types) -> None:
    types.add(FUNC_PROTO, "", 1, 0, 2, vlen=1)
    types.add(PTR, "", 4)
    types.add(CONST, "", 5)
    types.add(FUNC_PROTO, "", 5, types.name("f"), 6, vlen=1)
    types.add(FUNC, "signal", 7)
    assert declared(types) == ["int (*signal(int (*const f)(int *)))(int *)"]


def test_qualifiers_stand_by_what_they_qualify(types: Types) -> None:
    types.add(VOLATILE, "", 1)
    types.add(PTR, "", 4)
    types.add(RESTRICT, "", 5)
    types.add(CONST, "", 0)
    types.add(PTR, "", 7)
    types.add(FUNC_PROTO, "", 8, types.name("p"), 6, vlen=1)
    types.add(FUNC, "f", 9)
    assert declared(types) == ["const void *f(volatile int *restrict p)"]


def test_structures_and_enumerations_have_their_keyword(types: Types) -> None:
    for kind, name, extra in ((STRUCT, "s", 0), (UNION, "u", 0), (ENUM, "e", 0), (FWD, "f", 0), (FWD, "g", 1)):
        types.add(kind, name, 0, flag=extra)
    types.add(TYPEDEF, "t", 4)
    types.add(FUNC_PROTO, "", 0, *(word for number in range(4, 10) for word in (0, number)), vlen=6)
    types.add(FUNC, "x", 10)
    assert declared(types) == ["void x(struct s, union u, enum e, struct f, union g, t)"]


def test_the_compilers_names_of_types_are_made_usual(types: Types) -> None:
    types.add(INT, "long unsigned int", 8, 64)
    types.add(VAR, "jiffies", 4, 1)
    assert declared(types) == ["unsigned long jiffies"]


def test_variables(types: Types) -> None:
    types.add(PTR, "", 3)
    types.add(VAR, "a", 3, 1)
    types.add(VAR, "b", 4, 1)
    assert declared(types) == ["int a[3]", "int (*b)[3]"]


def test_the_packed_prototypes_are_this_kernels() -> None:
    lines = lzma.decompress(Path(__file__).with_name("prototypes.txt.xz").read_bytes()).decode().splitlines()
    assert "int kstrtoint(const char *s, unsigned int base, int *res)" in lines
    assert "int _printk(const char *fmt, ...)" in lines
    assert "struct task_struct *current_task" in lines


# What is no BTF


def test_anything_else_is_no_btf() -> None:
    with pytest.raises(ValueError, match="not BTF"):
        Btf(b"\0" * 24)


@pytest.mark.parametrize("length", [0, 1, 7])
def test_less_than_a_header_is_no_btf(length: int) -> None:
    with pytest.raises(ValueError):
        Btf(struct.pack("<HBBI", 0xEB9F, 1, 0, 24)[:length])
