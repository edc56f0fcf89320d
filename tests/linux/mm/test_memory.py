"""The address space: mm/vmalloc.c, arch/x86/mm/."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from sysfsd.linux.mm.memory import MODULES_LEN, MODULES_VADDR, PAGE_SIZE, Memory, PageFault, Prot, VmArea, align

BASE = 0xFFFFFFFFC0000000


@contextmanager
def fault_at(address: int, write: bool = False) -> Iterator[None]:
    """What is within faults, at *address*."""
    with pytest.raises(PageFault) as caught:
        yield
    assert (hex(caught.value.address), caught.value.write) == (hex(address & (1 << 64) - 1), write)


@pytest.fixture
def area() -> VmArea:
    return VmArea(BASE, 64 * PAGE_SIZE)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.mark.parametrize(
    ("value", "alignment", "aligned"), [(0, 8, 0), (1, 8, 8), (8, 8, 8), (9, 8, 16), (5, 1, 5), (1, 4096, 4096)]
)
def test_align_rounds_up(value: int, alignment: int, aligned: int) -> None:
    assert align(value, alignment) == aligned


def test_the_module_area_is_where_x86_64_has_it() -> None:
    assert MODULES_VADDR == 0xFFFFFFFFC0000000
    assert MODULES_VADDR + MODULES_LEN == 0xFFFFFFFFFF000000


# Areas by pages


def test_pieces_lie_one_behind_the_other_with_a_guard_page(area: VmArea) -> None:
    assert area.alloc(1) == BASE
    assert area.alloc(PAGE_SIZE) == BASE + 2 * PAGE_SIZE
    assert area.alloc(PAGE_SIZE + 1) == BASE + 4 * PAGE_SIZE
    assert area.alloc(1) == BASE + 7 * PAGE_SIZE


def test_the_lowest_hole_that_is_large_enough_is_taken(area: VmArea) -> None:
    first, second, third = (area.alloc(PAGE_SIZE * n) for n in (1, 3, 1))
    area.free(first)
    area.free(second)
    assert area.alloc(PAGE_SIZE * 4) == first
    assert area.alloc(1) > third


def test_what_is_freed_reads_zero_when_it_is_used_again(area: VmArea) -> None:
    address = area.alloc(PAGE_SIZE)
    area.view[:PAGE_SIZE] = b"x" * PAGE_SIZE
    area.free(address)
    assert area.alloc(PAGE_SIZE) == address
    assert bytes(area.view[:PAGE_SIZE]) == bytes(PAGE_SIZE)


def test_more_than_the_largest_hole_is_out_of_memory(area: VmArea) -> None:
    assert area.alloc(63 * PAGE_SIZE) == BASE
    with pytest.raises(OSError) as caught:
        area.alloc(1)
    assert caught.value.errno == errno.ENOMEM


def test_only_what_was_allocated_can_be_freed(area: VmArea) -> None:
    address = area.alloc(1)
    with pytest.raises(KeyError):
        area.free(address + PAGE_SIZE)
    area.free(address)
    with pytest.raises(KeyError):
        area.free(address)


def test_a_piece_that_is_split_is_freed_page_by_page(area: VmArea) -> None:
    address = area.alloc(3 * PAGE_SIZE)
    area.split(address)
    pages = [address + i * PAGE_SIZE for i in range(3)]
    assert [area.piece(page) for page in pages] == [PAGE_SIZE] * 3
    assert area.alloc(PAGE_SIZE) == address + 4 * PAGE_SIZE  # the guard page is still there
    assert [area.free(page) for page in reversed(pages)] == [PAGE_SIZE] * 3
    assert area.alloc(3 * PAGE_SIZE) == address


def test_in_whatever_order_pieces_are_freed_the_whole_area_is_one_hole_again(area: VmArea) -> None:
    rng = random.Random(1)
    pieces: list[int] = []
    for _ in range(500):
        if pieces and rng.random() < 0.5:
            area.free(pieces.pop(rng.randrange(len(pieces))))
        else:
            try:
                pieces.append(area.alloc(rng.randint(1, 5 * PAGE_SIZE)))
            except OSError as error:
                assert error.errno == errno.ENOMEM
    for piece in pieces:
        area.free(piece)
    assert area.alloc(63 * PAGE_SIZE) == BASE


def test_pieces_never_overlap(area: VmArea) -> None:
    rng = random.Random(2)
    pieces: dict[int, int] = {}
    for _ in range(300):
        if pieces and rng.random() < 0.5:
            address = rng.choice(sorted(pieces))
            area.free(address)
            del pieces[address]
            continue
        size = rng.randint(1, 3 * PAGE_SIZE)
        try:
            address = area.alloc(size)
        except OSError:
            continue
        assert all(address + size <= a or a + s <= address for a, s in pieces.items())
        pieces[address] = size


# Access by address


def test_what_is_written_is_read(memory: Memory) -> None:
    address = memory.modules.alloc(PAGE_SIZE)
    memory.write(address + 3, b"hello\0")
    assert memory.read(address + 3, 5) == b"hello"
    assert memory.read_string(address + 3) == b"hello"


def test_numbers_are_little_endian(memory: Memory) -> None:
    address = memory.modules.alloc(PAGE_SIZE)
    memory.write_int(address, -2, 2)
    assert memory.read(address, 4) == b"\xfe\xff\0\0"
    assert memory.read_int(address, 2, signed=True) == -2
    assert memory.read_int(address, 2) == 0xFFFE
    memory.write_pointer(address, BASE)
    assert memory.read_pointer(address) == BASE


@pytest.mark.parametrize(
    ("address", "size"),
    [
        (0, 1),
        (1, 0),
        (MODULES_VADDR - 1, 1),
        (MODULES_VADDR + MODULES_LEN, 1),
        (MODULES_VADDR + MODULES_LEN - 1, 2),
        (MODULES_VADDR, MODULES_LEN + 1),
        (MODULES_VADDR, 1 << 64),
        ((1 << 64) - 1, 1),
        (1 << 64, 1),
        (0xFFFF888000000000 - 1, 2),
    ],
)
def test_what_lies_outside_of_all_areas_is_a_bad_address(memory: Memory, address: int, size: int) -> None:
    for access in (memory.read, memory.view):
        with pytest.raises(OSError) as caught:
            access(address, size)
        assert caught.value.errno == errno.EFAULT


@pytest.mark.parametrize("address", [0, MODULES_VADDR - 1, MODULES_VADDR + MODULES_LEN, (1 << 64) - 1])
def test_a_string_outside_of_all_areas_is_a_bad_address(memory: Memory, address: int) -> None:
    with fault_at(address):
        memory.read_string(address)


def test_a_string_is_read_up_to_its_limit(memory: Memory) -> None:
    address = memory.modules.alloc(PAGE_SIZE)
    memory.write(address, b"abcdef\0")
    assert memory.read_string(address, 3) == b"abc"
    assert memory.read_string(address, 6) == b"abcdef"


def test_a_string_may_reach_to_the_end_of_what_is_there(memory: Memory) -> None:
    address = memory.modules.alloc(PAGE_SIZE)
    memory.write(address + PAGE_SIZE - 4, b"abc\0")
    assert memory.read_string(address + PAGE_SIZE - 4) == b"abc"
    memory.write(address + PAGE_SIZE - 4, b"abcd")
    assert memory.read_string(address + PAGE_SIZE - 4, 4) == b"abcd"


def test_a_string_without_an_end_faults_where_memory_ends(memory: Memory) -> None:
    address = memory.modules.alloc(2 * PAGE_SIZE)
    memory.write(address, b"x" * 2 * PAGE_SIZE)
    with fault_at(address + 2 * PAGE_SIZE):
        memory.read_string(address + 10, 3 * PAGE_SIZE)


# What is there, and what it may be used for


def test_nothing_is_there_before_it_is_allocated(memory: Memory) -> None:
    with fault_at(MODULES_VADDR):
        memory.read(MODULES_VADDR, 1)
    with fault_at(MODULES_VADDR, write=True):
        memory.write(MODULES_VADDR, b"x")


def test_the_guard_page_behind_a_piece_is_not_there(memory: Memory) -> None:
    address = memory.modules.alloc(100)
    memory.read(address, PAGE_SIZE)
    with fault_at(address + PAGE_SIZE):
        memory.read(address + PAGE_SIZE - 1, 2)
    with fault_at(address + PAGE_SIZE, write=True):
        memory.write_pointer(address + PAGE_SIZE - 4, 0)


def test_what_has_been_freed_is_not_there_any_more(memory: Memory) -> None:
    address = memory.modules.alloc(100)
    memory.modules.free(address)
    with fault_at(address + 50):
        memory.read_int(address + 50)


def test_a_fault_is_a_bad_address_and_tells_the_first_one(memory: Memory) -> None:
    address = memory.modules.alloc(PAGE_SIZE)
    with pytest.raises(OSError) as caught:
        memory.write(address + PAGE_SIZE - 8, bytes(16))
    assert isinstance(caught.value, PageFault)
    assert (caught.value.errno, caught.value.address) == (errno.EFAULT, address + PAGE_SIZE)
    assert caught.value.write
    assert memory.read(address + PAGE_SIZE - 8, 8) == bytes(8)


def test_a_page_that_may_only_be_read_cannot_be_written(memory: Memory) -> None:
    address = memory.modules.alloc(3 * PAGE_SIZE)
    memory.write(address + PAGE_SIZE, b"constant")
    memory.modules.set_prot(address + PAGE_SIZE, PAGE_SIZE, Prot.READ)
    assert memory.read(address + PAGE_SIZE, 8) == b"constant"
    with fault_at(address + PAGE_SIZE, write=True):
        memory.write(address + PAGE_SIZE - 1, b"xy")
    memory.write(address + 2 * PAGE_SIZE, b"others can")


def test_code_can_be_read_and_patched_only_by_poke(memory: Memory) -> None:
    address = memory.modules.alloc(PAGE_SIZE, prot=Prot.RX)
    with fault_at(address, write=True):
        memory.write(address, b"\xc3")
    memory.poke(address, b"\xc3")
    assert memory.read(address, 1) == b"\xc3"


def test_nobody_can_poke_what_is_not_there(memory: Memory) -> None:
    with fault_at(MODULES_VADDR):
        memory.poke(MODULES_VADDR, b"\xc3")


def test_a_view_is_of_what_may_be_used_so(memory: Memory) -> None:
    address = memory.modules.alloc(PAGE_SIZE, prot=Prot.READ)
    assert bytes(memory.view(address, 4)) == bytes(4)
    for prot in (Prot.WRITE, Prot.RW, Prot.EXEC, Prot.RX):
        with pytest.raises(PageFault):
            memory.view(address, 4, prot)


def test_rights_are_given_to_whole_pages(memory: Memory) -> None:
    address = memory.modules.alloc(3 * PAGE_SIZE)
    memory.modules.set_prot(address + PAGE_SIZE, 1, Prot.READ)
    memory.modules.set_prot(address + 2 * PAGE_SIZE, PAGE_SIZE + 1, Prot.NONE)
    table = memory.modules.prot
    assert list(table[:4]) == [Prot.RW, Prot.READ, Prot.NONE, Prot.NONE]


def test_nothing_at_all_is_nowhere(memory: Memory) -> None:
    assert memory.read(MODULES_VADDR, 0) == b""
    memory.write(MODULES_VADDR, b"")


@pytest.mark.parametrize("prot", [Prot.NONE, Prot.READ, Prot.RX])
def test_the_processor_has_to_forget_a_page_that_loses_rights(memory: Memory, prot: int) -> None:
    address = memory.modules.alloc(2 * PAGE_SIZE)
    memory.shootdowns.known.add(address + PAGE_SIZE)
    before = memory.shootdowns.count
    memory.modules.set_prot(address, 2 * PAGE_SIZE, prot)
    assert memory.shootdowns.count > before


def test_it_has_to_forget_what_is_freed(memory: Memory) -> None:
    address = memory.modules.alloc(PAGE_SIZE)
    memory.shootdowns.known.add(address)
    before = memory.shootdowns.count
    memory.modules.free(address)
    assert memory.shootdowns.count > before


def test_it_need_not_where_rights_are_only_gained(memory: Memory) -> None:
    address = memory.modules.alloc(PAGE_SIZE, prot=Prot.READ)
    memory.shootdowns.known.add(address)
    before = memory.shootdowns.count
    memory.modules.set_prot(address, PAGE_SIZE, Prot.RW)
    memory.modules.alloc(PAGE_SIZE)
    assert memory.shootdowns.count == before


def test_all_areas_tell_the_same_processor(memory: Memory) -> None:
    assert all(area.shootdowns is memory.shootdowns for area in memory.areas)


def test_no_two_areas_overlap(memory: Memory) -> None:
    for space in ("base", "physical"):
        ranges = sorted((getattr(area, space), getattr(area, space) + area.size) for area in memory.areas)
        assert all(end <= start for (_, end), (start, _) in pairwise(ranges))


# Pages


@pytest.fixture(params=["pages", "vmalloc"])
def pages(request: pytest.FixtureRequest, memory: Memory) -> tuple[Callable[[int], int], Callable[[int], None], VmArea]:
    """What allocates memory, what frees it, and where it lies."""
    if request.param == "pages":
        return memory.alloc_pages, memory.free_pages, memory.direct_map
    return memory.vmalloc, memory.vfree, memory.vmalloc_area


Pages = tuple[Callable[[int], int], Callable[[int], None], VmArea]


@pytest.mark.parametrize("size", [1, PAGE_SIZE, PAGE_SIZE + 1, 1 << 20])
def test_pages_are_zero_and_only_as_many_as_asked_for(memory: Memory, pages: Pages, size: int) -> None:
    alloc, _free, area = pages
    address = alloc(size)
    whole = align(size, PAGE_SIZE)
    assert memory.area(address) is area
    assert address % PAGE_SIZE == 0
    assert memory.read(address, whole) == bytes(whole)
    memory.write(address, b"x" * whole)
    with fault_at(address + whole):
        memory.read(address + whole, 1)


def test_pages_can_be_freed_and_used_again(memory: Memory, pages: Pages) -> None:
    alloc, free, _area = pages
    address = alloc(PAGE_SIZE)
    memory.write(address, b"secret")
    free(address)
    with fault_at(address):
        memory.read(address, 1)
    assert alloc(PAGE_SIZE) == address
    assert memory.read(address, 6) == bytes(6)


def test_only_pages_that_were_allocated_can_be_freed(memory: Memory, pages: Pages) -> None:
    alloc, free, area = pages
    address = alloc(2 * PAGE_SIZE)
    for wrong in (address + 8, address + PAGE_SIZE, area.base + area.size, 0):
        with pytest.raises(KeyError):
            free(wrong)
    free(address)
    with pytest.raises(KeyError):
        free(address)
    assert memory.used == 0


def test_pages_are_accounted_for(memory: Memory, pages: Pages) -> None:
    alloc, free, _area = pages
    first, second = alloc(1), alloc(2 * PAGE_SIZE)
    assert memory.used == 3 * PAGE_SIZE
    free(first)
    free(second)
    assert memory.used == 0


def test_there_is_only_so_much_memory(pages: Pages, memory: Memory) -> None:
    alloc, free, _area = pages
    memory.limit = 10 * PAGE_SIZE
    address = alloc(9 * PAGE_SIZE)
    out_of_memory(alloc, 2 * PAGE_SIZE)
    alloc(PAGE_SIZE)
    out_of_memory(alloc, 1)
    free(address)
    alloc(9 * PAGE_SIZE)


def test_a_piece_larger_than_its_area_costs_nothing(pages: Pages, memory: Memory) -> None:
    alloc, _free, area = pages
    memory.limit = 1 << 40
    out_of_memory(alloc, area.size)
    assert memory.used == 0
    alloc(1)


@pytest.mark.parametrize("alignment", [PAGE_SIZE, 1 << 14, 1 << 22])
def test_pages_lie_where_they_are_wanted(memory: Memory, alignment: int) -> None:
    memory.alloc_pages(1)
    assert memory.alloc_pages(1, alignment) % alignment == 0


def test_modules_are_not_counted_with_what_they_allocate(memory: Memory) -> None:
    memory.modules.alloc(1 << 20)
    assert memory.used == 0


def out_of_memory(alloc: Callable[[int], int], size: int) -> None:
    with pytest.raises(OSError) as caught:
        alloc(size)
    assert caught.value.errno == errno.ENOMEM
