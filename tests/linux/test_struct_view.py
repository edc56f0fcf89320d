"""Layouts of structures, and structures in the kernel's memory."""

from __future__ import annotations

import pytest

from sysfsd.image.image import KernelImage
from sysfsd.image.structs import Member, Structs, find_line
from sysfsd.linux.mm.memory import PAGE_SIZE, Memory
from sysfsd.linux.struct_view import StructView

TABLE = b"""\
alias =outer
inner 8 x:0:u4 y:4:s2
list_head 16 next:0:*list_head prev:8:*list_head
outer 96 s:0:s4 u:4:u4 b:8:u1/2+3 n:8:s2/5+4 text:10:c6 raw:16:[4]u1 in:20:.inner many:28:[2].inner to:48:*inner \
any:56:* grid:64:[2][3]u2 big:80:s8 tail:96:[0]u4
"""


@pytest.fixture(scope="session")
def structs() -> Structs:
    return Structs(TABLE)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def outer(structs: Structs, memory: Memory) -> StructView:
    """A zeroed ``struct outer``."""
    return StructView(memory, structs["outer"], memory.modules.alloc(PAGE_SIZE))


@pytest.fixture
def task(image: KernelImage, memory: Memory) -> StructView:
    """A zeroed ``struct task_struct``."""
    layout = image.structs["task_struct"]
    return StructView(memory, layout, memory.modules.alloc(layout.size))


# Tables


@pytest.mark.parametrize(
    ("key", "rest"),
    [(b"a", b"1"), (b"b.c", b"2 3"), (b"bb", b""), (b"b", None), (b"", None), (b"c", None), (b"A", None)],
)
def test_a_line_is_found_by_its_first_word(key: bytes, rest: bytes | None) -> None:
    assert find_line(b"a 1\nb.c 2 3\nbb \n", key) == rest


def test_in_an_empty_table_nothing_is_found() -> None:
    assert find_line(b"", b"a") is None


def test_every_line_of_a_table_is_found() -> None:
    rows = {f"{number:x}".encode(): str(number).encode() for number in range(1000)}
    table = b"".join(key + b" " + rest + b"\n" for key, rest in sorted(rows.items()))
    assert all(find_line(table, key) == rest for key, rest in rows.items())


# Layouts


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("s", Member(0, 4, "int", signed=True)),
        ("u", Member(4, 4, "int")),
        ("b", Member(8, 1, "bits", shift=2, width=3)),
        ("n", Member(8, 2, "bits", signed=True, shift=5, width=4)),
        ("text", Member(10, 6, "chars", type="s1", length=6)),
        ("raw", Member(16, 4, "array", type="u1", length=4)),
        ("in", Member(20, 8, "struct", type="inner")),
        ("in.y", Member(24, 2, "int", signed=True)),
        ("many", Member(28, 16, "array", type=".inner", length=2)),
        ("many[1].y", Member(40, 2, "int", signed=True)),
        ("to", Member(48, 8, "pointer", type="inner")),
        ("any", Member(56, 8, "pointer")),
        ("grid", Member(64, 12, "array", type="[3]u2", length=2)),
        ("grid[1]", Member(70, 6, "array", type="u2", length=3)),
        ("grid[1][2]", Member(74, 2, "int")),
        ("text[5]", Member(15, 1, "int", signed=True)),
        ("tail", Member(96, 0, "array", type="u4")),
        ("tail[3]", Member(108, 4, "int")),
    ],
)
def test_a_member_by_its_path(structs: Structs, path: str, member: Member) -> None:
    assert structs["outer"].member(path) == member
    assert structs["outer"].member(path) is structs["outer"].member(path)


@pytest.mark.parametrize("path", ["", "nothing", "ou", "x", "in.nothing", "s.x", "many.x", ".s", "to.x"])
def test_a_member_that_is_not_there(structs: Structs, path: str) -> None:
    with pytest.raises(KeyError, match="has no member"):
        structs["outer"].member(path)


@pytest.mark.parametrize("path", ["raw[4]", "raw[-1]", "text[6]", "tail[-1]"])
def test_an_element_that_is_not_there(structs: Structs, path: str) -> None:
    with pytest.raises(IndexError):
        structs["outer"].member(path)


def test_only_arrays_have_elements(structs: Structs) -> None:
    with pytest.raises(TypeError, match="s is no array"):
        structs["outer"].member("s[0]")


def test_a_typedef_names_the_same_structure(structs: Structs) -> None:
    assert structs["alias"] is structs["outer"]


def test_the_structures_are_a_mapping(structs: Structs) -> None:
    assert list(structs) == ["alias", "inner", "list_head", "outer"]
    assert len(structs) == 4
    assert "inner" in structs and "in" not in structs
    assert structs.get("nothing") is None
    with pytest.raises(KeyError):
        structs["nothing"]


def test_all_members_in_their_order(structs: Structs) -> None:
    assert structs["list_head"].members == {
        "next": Member(0, 8, "pointer", type="list_head"),
        "prev": Member(8, 8, "pointer", type="list_head"),
    }


def test_the_container_of_a_member(structs: Structs) -> None:
    assert structs.container_of(0x1018, "outer", "in.y") == 0x1000


# Structures in memory


def test_integers_are_of_the_declared_sign_and_width(outer: StructView) -> None:
    outer["s"] = outer["u"] = -2
    assert (outer["s"], outer["u"]) == (-2, (1 << 32) - 2)
    outer["in.y"] = 0x18000
    assert (outer["in.y"], outer["in.x"]) == (-0x8000, 0)
    outer["big"] = -1 << 63
    assert outer["big"] == -1 << 63


def test_pointers_are_integers(outer: StructView) -> None:
    outer["to"] = 0xFFFF888000001000
    assert outer["to"] == 0xFFFF888000001000


def test_bit_fields_leave_their_neighbours_alone(outer: StructView, memory: Memory) -> None:
    memory.write(outer.address + 7, b"\xff" * 4)
    outer["b"] = 2
    outer["n"] = 3
    assert (outer["b"], outer["n"]) == (2, 3)
    assert memory.read(outer.address + 7, 4) == bytes((0xFF, 0xFF & ~0x1C & ~0xE0 | 2 << 2 | 3 << 5, 0xFE, 0xFF))


@pytest.mark.parametrize(("value", "unsigned", "signed"), [(7, 7, 7), (8, 0, -8), (-1, 7, -1), (15, 7, -1)])
def test_bit_fields_are_cut_to_their_width(outer: StructView, value: int, unsigned: int, signed: int) -> None:
    outer["b"] = outer["n"] = value
    assert (outer["b"], outer["n"]) == (unsigned, signed)


@pytest.mark.parametrize(
    ("text", "there"), [(b"", b"\0" * 6), (b"abc", b"abc\0\0\0"), (b"abcde", b"abcde\0"), (b"abcdefgh", b"abcde\0")]
)
def test_text_is_padded_or_cut_and_keeps_its_nul(outer: StructView, memory: Memory, text: bytes, there: bytes) -> None:
    memory.write(outer.at("text"), b"zzzzzz")
    outer["text"] = text
    assert memory.read(outer.at("text"), 6) == there
    assert outer.string("text") == text[:5]


def test_bytes_need_no_nul(outer: StructView) -> None:
    outer["raw"] = b"abcd"
    assert outer.string("raw") == b"abcd"
    outer["raw"] = b"x"
    assert outer.array("raw") == (ord("x"), 0, 0, 0)
    with pytest.raises(ValueError, match="raw has 4 bytes, not 5"):
        outer["raw"] = b"abcde"


def test_text_that_a_pointer_points_to(outer: StructView, memory: Memory) -> None:
    outer["text"] = b"far"
    outer["any"] = outer.at("text")
    assert outer.string("any") == b"far"


def test_arrays_of_integers(outer: StructView) -> None:
    outer["grid[1][0]"], outer["grid[1][2]"] = 1, 0xFFFF
    assert outer.array("grid[1]") == (1, 0, 0xFFFF)
    outer["text"] = b"a\xff"
    assert outer.array("text") == (ord("a"), -1, 0, 0, 0, 0)
    assert outer.array("tail") == ()


def test_a_structure_within(outer: StructView) -> None:
    inner = outer.sub("many[1]")
    inner["y"] = -5
    assert outer["many[1].y"] == -5
    assert (inner.struct.name, inner.address) == ("inner", outer.address + 36)


def test_a_structure_pointed_to(outer: StructView) -> None:
    outer["in.x"] = 7
    outer["to"] = outer.at("in")
    assert outer.to("to")["x"] == 7


def test_behind_null_there_is_nothing(outer: StructView) -> None:
    with pytest.raises(OSError):
        outer.to("to")["x"]
    with pytest.raises(OSError):
        outer.string("any")


@pytest.mark.parametrize("path", ["text", "raw", "in", "many"])
def test_what_is_no_integer(outer: StructView, path: str) -> None:
    with pytest.raises(TypeError, match="not an integer"):
        outer[path]
    with pytest.raises(TypeError, match="not an integer"):
        outer[path] = 1


@pytest.mark.parametrize("path", ["s", "b", "to", "in", "many", "grid", "tail"])
def test_what_is_no_text(outer: StructView, path: str) -> None:
    with pytest.raises(TypeError, match="not characters"):
        outer[path] = b""


@pytest.mark.parametrize("path", ["s", "b", "in", "many", "grid"])
def test_what_has_no_text(outer: StructView, path: str) -> None:
    with pytest.raises(TypeError, match="not characters"):
        outer.string(path)


def test_what_is_no_structure_or_leads_to_none(outer: StructView) -> None:
    for path in ("to", "s", "many"):
        with pytest.raises(TypeError, match="not a structure"):
            outer.sub(path)
    for path in ("any", "s", "in"):
        with pytest.raises(TypeError, match="not a pointer to a structure"):
            outer.to(path)
    for path in ("grid", "many"):
        with pytest.raises(TypeError, match="not an integer"):
            outer.array(path)


# This kernel's


def test_a_task(task: StructView) -> None:
    task["pid"], task["comm"], task["se.vruntime"], task["in_execve"] = 5, b"insmod", 1 << 63, 1
    task["parent"] = task.address
    assert (task["pid"], task.string("comm"), task["se.vruntime"], task["in_execve"]) == (5, b"insmod", 1 << 63, 1)
    assert task["in_iowait"] == 0
    assert task.to("parent")["pid"] == 5
    assert task.sub("se")["vruntime"] == 1 << 63


@pytest.mark.parametrize(
    ("name", "size", "path", "offset"),
    [
        ("list_head", 16, "prev", 8),
        ("spinlock_t", 4, "rlock.raw_lock.val.counter", 0),
        ("raw_spinlock_t", 4, "raw_lock", 0),
        ("atomic_t", 4, "counter", 0),
        ("rwlock_t", 8, "raw_lock.wait_lock", 4),
        ("seqlock_t", 8, "lock", 4),
        ("poll_table", 16, "_key", 8),
        ("timer_list", 40, "function", 24),
        ("delayed_work", 88, "timer.expires", 48),
        ("wait_queue_head_t", 24, "head.next", 8),
        ("wait_queue_entry", 40, "entry.prev", 32),
        ("dentry", 192, "d_name.len", 36),
        ("pt_regs", 168, "orig_ax", 120),
        ("sockaddr_in", 16, "sin_addr.s_addr", 4),
        ("new_utsname", 390, "release", 130),
        ("jump_entry", 16, "key", 8),
        ("exception_table_entry", 12, "data", 8),
    ],
)
def test_structures_of_this_kernel(image: KernelImage, name: str, size: int, path: str, offset: int) -> None:
    assert image.structs[name].size == size
    assert image.offset(name, path) == offset


def test_every_structure_and_member_can_be_read(image: KernelImage) -> None:
    for name, layout in Structs(image.structs._table).items():
        for path, member in layout.members.items():
            assert member.offset + member.size <= layout.size, f"{name}.{path}"
            assert member.kind != "struct" or member.type in image.structs


def test_the_lines_are_sorted(image: KernelImage) -> None:
    for table in (image.structs._table, image._constants):
        names = [line.partition(b" ")[0] for line in table[:].splitlines()]
        assert names == sorted(set(names))
