"""The address space: mm/vmalloc.c, mm/slab_common.c."""

from __future__ import annotations

import errno
import random

import pytest

from sysfsd.kernel.memory import MODULES_LEN, MODULES_VADDR, PAGE_SIZE, Memory, VmArea, align

BASE = 0xFFFFFFFFC0000000


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
    with pytest.raises(OSError) as caught:
        memory.read_string(address)
    assert caught.value.errno == errno.EFAULT


def test_a_string_is_read_up_to_its_limit(memory: Memory) -> None:
    address = memory.modules.alloc(PAGE_SIZE)
    memory.write(address, b"abcdef\0")
    assert memory.read_string(address, 3) == b"abc"
    assert memory.read_string(address, 6) == b"abcdef"


def test_a_string_without_an_end_stops_with_its_area(memory: Memory) -> None:
    end = MODULES_VADDR + MODULES_LEN
    memory.write(end - 3, b"abc")
    assert memory.read_string(end - 3) == b"abc"


# kmalloc


@pytest.mark.parametrize("size", [1, 7, 8, 9, 100, 4096, 5000, 1 << 20])
def test_kmalloc_gives_memory_of_that_size(memory: Memory, size: int) -> None:
    first, second = memory.kmalloc(size), memory.kmalloc(size)
    memory.write(first, b"a" * size)
    memory.write(second, b"b" * size)
    assert memory.read(first, size) == b"a" * size


def test_kmalloc_of_nothing_is_no_null_pointer(memory: Memory) -> None:
    assert memory.kmalloc(0)


def test_kmalloc_memory_is_aligned_to_its_size(memory: Memory) -> None:
    for size in (8, 64, 4096, 1 << 16):
        assert memory.kmalloc(size) % size == 0


def test_freed_memory_is_the_next_that_is_given_out(memory: Memory) -> None:
    address = memory.kmalloc(100)
    memory.kfree(address)
    assert memory.kmalloc(120) == address


def test_freeing_the_null_pointer_is_fine(memory: Memory) -> None:
    memory.kfree(0)


def test_freeing_twice_is_noticed(memory: Memory) -> None:
    address = memory.kmalloc(8)
    memory.kfree(address)
    with pytest.raises(KeyError):
        memory.kfree(address)


@pytest.mark.parametrize("size", [1 << 31, 1 << 40])
def test_kmalloc_beyond_all_memory_is_out_of_memory(memory: Memory, size: int) -> None:
    with pytest.raises(OSError) as caught:
        memory.kmalloc(size)
    assert caught.value.errno == errno.ENOMEM
    memory.kfree(memory.kmalloc(8))
