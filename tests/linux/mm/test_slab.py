"""Objects of a size, and the errors that are found in their use: mm/slab_common.c, mm/slub.c, mm/kfence/."""

from __future__ import annotations

import errno
import random
import re
from collections.abc import Callable
from itertools import pairwise

import pytest

from sysfsd.linux.arch.x86.traps import TaskKilled
from sysfsd.linux.kernel.panic import Taint
from sysfsd.linux.mm import kfence
from sysfsd.linux.mm.memory import DIRECT_MAP, PAGE_SIZE, VMEMMAP, PageFault
from sysfsd.linux.mm.slab import (
    KMALLOC_MAX_CACHE_SIZE,
    KMALLOC_MAX_SIZE,
    SLAB_ACCOUNT,
    SLAB_HWCACHE_ALIGN,
    SLAB_POISON,
    SLAB_RED_ZONE,
    SLAB_TYPESAFE_BY_RCU,
    ZERO_SIZE_PTR,
    KmemCache,
    SlabAllocator,
    calculate_alignment,
    calculate_order,
    kmalloc_size,
)
from sysfsd.linux.mm.slab_exports import kmem_cache_create_usercopy
from sysfsd.linux.system import Kernel
from tests.linux.state import log

Load = Callable[..., None]

#: The caches that kmalloc() has (bytes).
SIZES = (8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192)


@pytest.fixture
def slab(kernel: Kernel) -> SlabAllocator:
    """The allocator of a kernel whose own start is over."""
    assert kernel.cpu and kernel.current
    return kernel.slab


@pytest.fixture
def dense(slab: SlabAllocator, monkeypatch: pytest.MonkeyPatch) -> SlabAllocator:
    """The same with nothing left in the pool where each object has a page of its own."""
    monkeypatch.setattr(kfence, "NUM_OBJECTS", 0)
    return slab


@pytest.fixture(params=["guarded", "dense"])
def either(request: pytest.FixtureRequest) -> SlabAllocator:
    """Both ways in which objects are kept."""
    found = request.getfixturevalue("slab" if request.param == "guarded" else "dense")
    assert isinstance(found, SlabAllocator)
    return found


def refusal(function: Callable[..., object], *args: object) -> int | None:
    """The errno."""
    with pytest.raises(OSError) as caught:
        function(*args)
    return caught.value.errno


# Sizes


@pytest.mark.parametrize(
    ("asked", "has"),
    [
        *((size, size) for size in SIZES),
        *((small + 1, large) for small, large in pairwise(SIZES)),
        (1, 8),
        (8193, 16384),
        (16385, 32768),
        (3 << 20, 4 << 20),
        (4 << 20, 4 << 20),
    ],
)
def test_an_object_has_the_next_of_the_sizes(either: SlabAllocator, asked: int, has: int) -> None:
    assert kmalloc_size(asked) == has
    address = either.kmalloc(asked)
    assert either.ksize(address) == has
    either.kfree(address)


@pytest.mark.parametrize("size", [*SIZES, 1 << 14, 1 << 20, 4 << 20])
def test_an_object_is_aligned_to_the_power_of_two_in_its_size(either: SlabAllocator, size: int) -> None:
    assert all(either.kmalloc(size) % (size & -size) == 0 for _ in range(3))


@pytest.mark.parametrize("size", [1, 7, 8, 9, 100, 4096, 5000, 8192, 8193, 1 << 20])
def test_all_of_an_object_can_be_used_and_nobody_else_does(kernel: Kernel, either: SlabAllocator, size: int) -> None:
    first, second = either.kmalloc(size), either.kmalloc(size)
    kernel.memory.write(first, b"a" * size)
    kernel.memory.write(second, b"b" * size)
    assert kernel.memory.read(first, size) == b"a" * size
    either.kfree(second)
    assert kernel.memory.read(first, size) == b"a" * size


@pytest.mark.parametrize("size", [1, 50, 64, 4096, 8192, 8193, 100_000])
def test_memory_is_zero_however_often_it_has_been_used(kernel: Kernel, either: SlabAllocator, size: int) -> None:
    for _ in range(3):
        address = either.kmalloc(size)
        assert kernel.memory.read(address, size) == bytes(size)
        kernel.memory.write(address, b"x" * size)
        either.kfree(address)


def test_all_sizes_at_once(kernel: Kernel, either: SlabAllocator) -> None:
    rng = random.Random(3)
    before = kernel.memory.used
    objects: dict[int, bytes] = {}
    for number in range(1500):
        if objects and rng.random() < 0.45:
            address = rng.choice(list(objects))
            contents = objects.pop(address)
            assert kernel.memory.read(address, len(contents)) == contents
            either.kfree(address)
        else:
            size = rng.choice((1, 8, 33, 96, 200, 1000, 4096, 8192, 9000))
            contents = bytes((number % 255 + 1,)) * size
            address = either.kmalloc(len(contents))
            assert address not in objects
            kernel.memory.write(address, contents)
            objects[address] = contents
    for address, contents in objects.items():
        assert kernel.memory.read(address, len(contents)) == contents
        either.kfree(address)
    assert not kernel.test_taint(Taint.BAD_PAGE)
    assert kernel.memory.used - before < 1 << 20


# Nothing, and too much


def test_nothing_is_an_address_that_cannot_be_used(kernel: Kernel, slab: SlabAllocator) -> None:
    assert slab.kmalloc(0) == ZERO_SIZE_PTR == 16
    assert slab.ksize(ZERO_SIZE_PTR) == 0
    slab.kfree(ZERO_SIZE_PTR)
    with pytest.raises(PageFault):
        kernel.memory.read(ZERO_SIZE_PTR, 1)


def test_the_null_pointer_can_be_freed(slab: SlabAllocator) -> None:
    slab.kfree(0)
    assert slab.ksize(0) == 0


@pytest.mark.parametrize("size", [KMALLOC_MAX_SIZE + 1, 1 << 31, 1 << 40, (1 << 64) - 1])
def test_more_than_the_largest_size_is_out_of_memory(slab: SlabAllocator, size: int) -> None:
    assert refusal(slab.kmalloc, size) == errno.ENOMEM
    slab.kfree(slab.kmalloc(8))


@pytest.mark.parametrize("size", [8, 4096, 8192, 1 << 20])
def test_when_memory_is_used_up_there_is_none(kernel: Kernel, either: SlabAllocator, size: int) -> None:
    kernel.memory.limit = kernel.memory.used + max(1 << 18, 3 * size)
    objects: list[int] = []
    with pytest.raises(OSError) as caught:
        while True:
            objects.append(either.kmalloc(size))
    assert caught.value.errno == errno.ENOMEM
    assert objects
    for address in objects:
        either.kfree(address)
    either.kfree(either.kmalloc(size))


def test_the_limits_are_those_of_slub() -> None:
    assert (KMALLOC_MAX_CACHE_SIZE, KMALLOC_MAX_SIZE) == (8192, 4194304)


# What is used is counted


@pytest.mark.parametrize("size", [1, 100, 4096, 8193, 1 << 20])
def test_what_is_freed_is_no_longer_counted(kernel: Kernel, slab: SlabAllocator, size: int) -> None:
    before = kernel.memory.used
    objects = [slab.kmalloc(size) for _ in range(3)]
    assert kernel.memory.used >= before + 3 * size
    for address in objects:
        slab.kfree(address)
    assert kernel.memory.used == before


def test_dense_objects_share_pages(kernel: Kernel, dense: SlabAllocator) -> None:
    before = kernel.memory.used
    objects = [dense.kmalloc(64) for _ in range(512)]
    assert kernel.memory.used - before == 512 * (64 + 256)
    for address in objects:
        dense.kfree(address)
    assert {dense.kmalloc(64) for _ in range(512)} == set(objects)
    assert kernel.memory.used - before == 512 * (64 + 256)


def test_a_kernel_that_loads_and_unloads_uses_no_more_memory_in_the_end(kernel: Kernel, load: Load) -> None:
    used = []
    for _ in range(3):
        load("param_arrays", "words=a,b,c")
        kernel.delete_module("param_arrays")
        used.append(kernel.memory.used)
    assert used[1] == used[2]


# krealloc


def test_what_still_fits_stays_where_it_is(kernel: Kernel, either: SlabAllocator) -> None:
    address = either.kmalloc(10)
    kernel.memory.write(address, b"0123456789")
    assert either.krealloc(address, 16) == address
    assert kernel.memory.read(address, 16) == b"0123456789" + bytes(6)
    kernel.memory.write(address + 10, b"abcdef")
    either.kfree(address)
    assert not kernel.test_taint(Taint.BAD_PAGE)


def test_what_does_not_fit_moves_and_keeps_what_was_there(kernel: Kernel, either: SlabAllocator) -> None:
    address = either.kmalloc(10)
    kernel.memory.write(address, b"0123456789")
    for size in (17, 5000, 100_000):
        new = either.krealloc(address, size)
        assert new != address
        assert kernel.memory.read(new, size) == b"0123456789" + bytes(size - 10)
        address = new
    assert either.krealloc(address, 100) == address
    assert either.ksize(address) == 1 << 17
    either.kfree(address)


def test_krealloc_of_nothing_allocates_and_to_nothing_frees(kernel: Kernel, slab: SlabAllocator) -> None:
    before = kernel.memory.used
    for nothing in (0, ZERO_SIZE_PTR):
        address = slab.krealloc(nothing, 30)
        assert slab.ksize(address) == 32
        assert slab.krealloc(address, 0) == ZERO_SIZE_PTR
        assert slab.krealloc(nothing, 0) == ZERO_SIZE_PTR
    assert kernel.memory.used == before


def test_what_cannot_grow_stays_as_it_was(kernel: Kernel, slab: SlabAllocator) -> None:
    address = slab.string(b"still here")
    assert refusal(slab.krealloc, address, KMALLOC_MAX_SIZE + 1) == errno.ENOMEM
    assert kernel.memory.read_string(address) == b"still here"
    slab.kfree(address)


def test_a_string_has_its_nul(kernel: Kernel, slab: SlabAllocator) -> None:
    address = slab.string(b"twelve chars")
    assert slab.ksize(address) == 16
    assert kernel.memory.read_string(address) == b"twelve chars"


def test_whoever_asks_how_much_there_is_may_use_it(kernel: Kernel, slab: SlabAllocator) -> None:
    address = slab.kmalloc(50)
    assert slab.requested(address) == 50
    assert slab.ksize(address) == 64
    assert slab.requested(address) == 64
    assert kernel.memory.read(address + 50, 14) == bytes(14)
    kernel.memory.write(address + 50, b"x" * 14)
    slab.kfree(address)
    assert log(kernel) == []


# Caches


def cache(kernel: Kernel, size: int, alignment: int = 0) -> KmemCache:
    address = kernel.slab.kmalloc(kernel.image.structs["kmem_cache"].size)
    return kernel.slab.create("things", size, alignment, 0, address)


@pytest.mark.parametrize(("size", "alignment"), [(1, 0), (24, 0), (40, 64), (100, 8), (4096, 0), (5000, 4096)])
def test_a_caches_objects_have_its_size_and_alignment(
    kernel: Kernel, either: SlabAllocator, size: int, alignment: int
) -> None:
    things = cache(kernel, size, alignment)
    objects = sorted(either.alloc(things) for _ in range(20))
    assert things.objects == set(objects)
    assert all(address % max(8, alignment) == 0 for address in objects)
    assert all(b - a >= size for a, b in pairwise(objects))
    assert all(either.cache_of(address) is things and either.ksize(address) == things.size for address in objects)
    for address in objects:
        either.kfree(address)
    assert things.objects == set()
    assert not kernel.test_taint(Taint.BAD_PAGE)


def test_a_cache_with_objects_in_use_is_not_destroyed(kernel: Kernel, slab: SlabAllocator) -> None:
    things = cache(kernel, 24)
    address = slab.alloc(things)
    told: list[KmemCache] = []
    slab.destroy(things, told.append)
    assert told == [things]
    assert slab.caches[things.address] is things
    slab.kfree(address)
    slab.destroy(things, told.append)
    assert told == [things]
    assert things.address not in slab.caches


@pytest.mark.parametrize("size", [24, 5000])
def test_a_caches_pages_go_with_it(kernel: Kernel, either: SlabAllocator, size: int) -> None:
    before = kernel.memory.used
    for _ in range(3):
        things = cache(kernel, size)
        for address in [either.alloc(things) for _ in range(100)]:
            either.kfree(address)
        either.destroy(things, lambda _cache: pytest.fail("it was empty"))
        either.kfree(things.address)
    assert kernel.memory.used - before < 16 * PAGE_SIZE


# Where objects are used wrongly: no pages of their own


@pytest.mark.parametrize("size", [64, 8192, 1 << 20])
def test_only_what_is_in_use_can_be_freed(dense: SlabAllocator, size: int) -> None:
    address = dense.kmalloc(size)
    for wrong in (address + 8, address - 8, 0x1234, (1 << 64) - 12):
        with pytest.raises(PageFault):
            dense.kfree(wrong)
    dense.kfree(address)
    with pytest.raises(PageFault):
        dense.kfree(address)
    with pytest.raises(PageFault):
        dense.ksize(address)


# Where objects have a page of their own


def test_objects_end_where_their_page_does(kernel: Kernel, slab: SlabAllocator) -> None:
    for size in (8, 64, 4096):
        address = slab.kmalloc(size)
        kernel.memory.read(address, size)
        with pytest.raises(PageFault):
            kernel.memory.read(address + size, 1)


def test_what_is_freed_cannot_be_reached(kernel: Kernel, slab: SlabAllocator) -> None:
    address = slab.kmalloc(8)
    slab.kfree(address)
    with pytest.raises(PageFault):
        kernel.memory.read(address, 1)


def test_freed_objects_are_used_again_when_the_pool_is_used_up_the_oldest_first(
    slab: SlabAllocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = [slab.kmalloc(8) for _ in range(4)]
    monkeypatch.setattr(kfence, "NUM_OBJECTS", 0)
    slab.kfree(objects[2])
    slab.kfree(objects[0])
    assert slab.kmalloc(8) == objects[2]
    assert slab.kmalloc(8) == objects[0]
    assert slab.kmalloc(8) not in objects


RULE = "=" * 66
HASHED = r"0x0{8}[0-9a-f]{8}"
CALLERS = [
    " do_one_initcall+0x59/0x220",
    " do_init_module+0x4a/0x1f0",
    " __do_sys_finit_module+0xac/0x120",
    " do_syscall_64+0x5d/0xb0",
    " entry_SYSCALL_64_after_hwframe+0x6e/0xd8",
]


def misuse(kernel: Kernel, load: Load, how: int, size: int = 50) -> list[str]:
    """What the log holds after a module has misused an object, without times, addresses and the object's number."""
    load("mem_misuse", f"how={how} size={size}")
    text = "\n".join(log(kernel)[2:])
    text = re.sub(HASHED, "ADDRESS", text)
    text = re.sub(r"at \d+\.\d{6}s", "at TIME", text)
    return re.sub(r"kfence-#\d+", "kfence-#N", text).split("\n")


def report(title: str, what: str, stack: list[str], allocated: list[str], freed: list[str] | None = None) -> list[str]:
    """A report of the module's misuse."""
    lines = [RULE, f"BUG: KFENCE: {title} in {stack[0]}", "", what, *(f" {place}" for place in stack), *CALLERS, ""]
    lines += ["kfence-#N: ADDRESS-ADDRESS, size=50, cache=kmalloc-64", "", "allocated by task 1 on cpu 0 at TIME:"]
    lines += [*(f" {place}" for place in allocated), *CALLERS, ""]
    if freed is not None:
        lines += ["freed by task 1 on cpu 0 at TIME:", *(f" {place}" for place in freed), *CALLERS, ""]
    return [
        *lines,
        "CPU: 0 PID: 1 Comm: init Tainted: G           OE      6.1.0-56-amd64 #1  Debian 6.1.192-2",
        "Hardware name: sysfsd",
        RULE,
    ]


SURVIVED = ["mem_misuse: survived"]
TAKEN = ["take+0x2d/0x32 [mem_misuse]", "start+0x35/0x1000 [mem_misuse]"]


def test_bytes_written_behind_an_object_are_found_when_it_is_freed(kernel: Kernel, load: Load) -> None:
    marks = "!" + " ." * 13
    expected = report(
        "memory corruption",
        f"Corrupted memory at ADDRESS [ {marks} ] (in kfence-#N):",
        ["start+0x11d/0x1000 [mem_misuse]"],
        TAKEN,
    )
    assert misuse(kernel, load, how=1) == expected + SURVIVED
    assert kernel.test_taint(Taint.BAD_PAGE)


def test_a_byte_written_before_an_object_is_found_when_it_is_freed(kernel: Kernel, load: Load) -> None:
    what = "Corrupted memory at ADDRESS [ ! ] (in kfence-#N):"
    expected = report("memory corruption", what, ["start+0x136/0x1000 [mem_misuse]"], TAKEN)
    assert misuse(kernel, load, how=2) == expected + SURVIVED


def test_a_write_after_the_end_is_found_when_it_happens(kernel: Kernel, load: Load) -> None:
    lines = misuse(kernel, load, how=1, size=64)
    assert lines[1:4] == [
        "BUG: KFENCE: out-of-bounds write in put_at+0x8/0x10 [mem_misuse]",
        "",
        "Out-of-bounds write at ADDRESS (64B right of kfence-#N):",
    ]
    assert lines[-1:] == SURVIVED


def test_a_write_before_the_beginning_is_found_when_it_happens(kernel: Kernel, load: Load) -> None:
    lines = misuse(kernel, load, how=2, size=4096)
    assert "Out-of-bounds write at ADDRESS (1B left of kfence-#N):" in lines
    assert lines[-1:] == SURVIVED


def test_a_read_after_the_end_is_found_too(kernel: Kernel, load: Load) -> None:
    lines = misuse(kernel, load, how=7, size=64)
    assert "BUG: KFENCE: out-of-bounds read in get_at+0x8/0x10 [mem_misuse]" in lines
    assert lines[-1:] == SURVIVED


def test_a_read_of_what_has_been_freed_is_found_and_finds_what_was_there(kernel: Kernel, load: Load) -> None:
    expected = report(
        "use-after-free read",
        "Use-after-free read at ADDRESS (in kfence-#N):",
        ["get_at+0x8/0x10 [mem_misuse]", "start+0x8b/0x1000 [mem_misuse]"],
        TAKEN,
        ["start+0x7c/0x1000 [mem_misuse]"],
    )
    assert misuse(kernel, load, how=4) == [*expected, "mem_misuse: read 00", *SURVIVED]


def test_a_write_to_what_has_been_freed_is_found(kernel: Kernel, load: Load) -> None:
    expected = report(
        "use-after-free write",
        "Use-after-free write at ADDRESS (in kfence-#N):",
        ["put_at+0x8/0x10 [mem_misuse]", "start+0x157/0x1000 [mem_misuse]"],
        TAKEN,
        ["start+0x143/0x1000 [mem_misuse]"],
    )
    assert misuse(kernel, load, how=3) == expected + SURVIVED


def test_a_second_free_is_found_and_does_nothing(kernel: Kernel, load: Load) -> None:
    expected = report(
        "invalid free",
        "Invalid free of ADDRESS (in kfence-#N):",
        ["start+0x175/0x1000 [mem_misuse]"],
        TAKEN,
        ["start+0x16d/0x1000 [mem_misuse]"],
    )
    assert misuse(kernel, load, how=5) == expected + SURVIVED


def test_freeing_the_middle_of_an_object_is_found_and_does_nothing(kernel: Kernel, load: Load) -> None:
    what = "Invalid free of ADDRESS (in kfence-#N):"
    expected = report("invalid free", what, ["start+0x186/0x1000 [mem_misuse]"], TAKEN)
    assert misuse(kernel, load, how=6) == expected + SURVIVED


def test_an_object_of_a_modules_own_cache_is_watched_too(kernel: Kernel, load: Load) -> None:
    load("mem_misuse", "how=5 size=50 own=1")
    text = "\n".join(log(kernel))
    assert "BUG: KFENCE: invalid free in start+" in text
    assert ", size=50, cache=mem_misuse\n" in text
    assert log(kernel)[-1:] == SURVIVED


def test_whoever_does_nothing_wrong_hears_nothing(kernel: Kernel, load: Load) -> None:
    assert misuse(kernel, load, how=10) == ["mem_misuse: left", *SURVIVED]
    assert not kernel.test_taint(Taint.BAD_PAGE)


# What slabs hold (mm/slub.c)


@pytest.mark.parametrize(
    ("size", "order"),
    [(8, 0), (48, 0), (64, 0), (192, 0), (256, 0), (512, 1), (1024, 2), (2048, 3), (4096, 3), (8192, 3), (4 << 20, 10)],
)
def test_a_slab_has_room_for_enough_objects_and_wastes_little(size: int, order: int) -> None:
    assert calculate_order(size) == order


def test_objects_of_more_than_the_largest_order_fit_no_slab() -> None:
    assert refusal(calculate_order, (4 << 20) + 1) == errno.EINVAL


@pytest.mark.parametrize(
    ("size", "alignment", "flags", "ctor", "step", "count", "usable"),
    [
        (40, 0, 0, 0, 40, 102, 40),
        (40, 0, 0, 1, 48, 85, 48),
        (40, 0, SLAB_HWCACHE_ALIGN, 0, 64, 64, 64),
        (16, 0, SLAB_HWCACHE_ALIGN, 0, 16, 256, 16),
        (33, 0, SLAB_TYPESAFE_BY_RCU, 0, 48, 85, 40),
        (33, 0, SLAB_POISON, 0, 48, 85, 33),
        (10, 24, 0, 0, 24, 170, 24),
    ],
)
def test_how_objects_lie_in_a_slab(
    size: int, alignment: int, flags: int, ctor: int, step: int, count: int, usable: int
) -> None:
    things = KmemCache("things", size, calculate_alignment(flags, alignment, size), ctor, flags=flags)
    assert (things.size, things.per_slab, things.ksize, things.object_size) == (step, count, usable, size)


def test_red_zones_make_objects_larger() -> None:
    things = KmemCache("things", 64, 8, flags=SLAB_RED_ZONE)
    assert (things.size, things.ksize) == (64 + 8 + 16, 64)


# Caches of modules


def call(kernel: Kernel, name: str, *args: int) -> int:
    """An exported function, as module code calls it."""
    registers = [arg & (1 << 64) - 1 for arg in args] + [0] * 6
    return kernel.exports.bind(kernel.exports.address_of(name))(registers[:6])


def create(kernel: Kernel, size: int, flags: int = 0, name: bytes = b"things", usersize: int = 0) -> int:
    address: int = kmem_cache_create_usercopy(kernel, name, size, 0, flags, 0, usersize, 0)
    return address


def said(kernel: Kernel, load: Load, part: int) -> list[str]:
    """What one of the parts of mem_caches says."""
    load("mem_caches", f"part={part}")
    return log(kernel)[2:]


def test_a_constructor_runs_for_all_of_a_slab_and_objects_stay_what_they_are(kernel: Kernel, load: Load) -> None:
    assert said(kernel, load, 1)[:7] == [
        "mem_caches: created 1, constructed none 1",
        "mem_caches: kmem_cache_size(first) = 40",
        "mem_caches: after the first object: constructed a page's 1 (85)",
        "mem_caches: contents 5a 5a 5a 5a 5a 5a 5a 5a",
        "mem_caches: again: same object 1, constructed again 0, contents 01 5a 5a 5a 5a 5a 5a 5a",
        "mem_caches: kmem_cache_shrink(first) = 0",
        "mem_caches: destroyed",
    ]
    assert not kernel.test_taint(Taint.BAD_PAGE)


def test_what_is_made_and_not_in_use_cannot_be_reached(kernel: Kernel) -> None:
    things = kernel.slab.create("things", 40, 0, 0, 1, SLAB_TYPESAFE_BY_RCU)
    kept = kernel.slab.alloc(things)
    kernel.memory.write(kept, b"late readers")
    kernel.slab.kfree(kept)
    assert kernel.memory.read(kept, 12) == b"late readers"  # but of such a cache it can
    assert kernel.slab.alloc(things) == kept
    assert kernel.memory.read(kept, 12) == b"late readers"
    kernel.slab.kfree(kept)
    used = kernel.memory.used
    kernel.slab.destroy(things, lambda _cache: pytest.fail("it was empty"))
    assert used - kernel.memory.used == things.per_slab * PAGE_SIZE


def test_caches_that_cannot_be_are_refused_with_a_word(kernel: Kernel, load: Load) -> None:
    lines = said(kernel, load, 2)
    assert [line for line in lines if "failed" in line or line.startswith("mem_caches")] == [
        "kmem_cache_create_usercopy(mem_caches_large) failed with error -22",
        "mem_caches: too large: 0",
        "mem_caches: 4M: 1",
        "mem_caches: odd name: 1",
        "kmem_cache_create_usercopy(mem_caches_flags) failed with error -22",
        "mem_caches: odd flags: 0",
        "mem_caches: align 24: 1 size 10",
    ]
    assert " odd+0x1d/0x170 [mem_caches]" in lines


def test_caches_of_equal_kind_are_one(kernel: Kernel) -> None:
    first = create(kernel, 40)
    assert create(kernel, 36) == first
    assert create(kernel, 36, usersize=8) != first
    assert create(kernel, 40, SLAB_ACCOUNT) != first
    assert create(kernel, 40, SLAB_POISON) not in (first, create(kernel, 40, SLAB_POISON))
    assert create(kernel, 32) != first
    assert call(kernel, "kmem_cache_size", first) == 40


def test_a_cache_goes_with_the_last_who_shares_it(kernel: Kernel) -> None:
    first = create(kernel, 40)
    assert create(kernel, 40) == first
    things = kernel.slab.caches[first]
    kernel.slab.kfree(call(kernel, "kmem_cache_alloc", first, 0xCC0))
    call(kernel, "kmem_cache_destroy", first)
    assert kernel.slab.caches[first] is things
    call(kernel, "kmem_cache_destroy", first)
    assert first not in kernel.slab.caches


def test_the_kernel_shares_some_for_good_and_says_nothing_of_what_is_left_in_them(kernel: Kernel) -> None:
    shared = create(kernel, 40, SLAB_HWCACHE_ALIGN)
    assert call(kernel, "kmem_cache_size", shared) == 64
    address = call(kernel, "kmem_cache_alloc", shared, 0xCC0)
    before = log(kernel)
    call(kernel, "kmem_cache_destroy", shared)
    assert log(kernel) == before
    assert create(kernel, 64) == shared
    kernel.slab.kfree(address)


def test_an_object_given_to_the_wrong_cache_goes_to_its_own(kernel: Kernel, load: Load) -> None:
    lines = said(kernel, load, 5)
    assert [line for line in lines if "cache_from_obj" in line and "RIP" not in line] == [
        "cache_from_obj: Wrong slab cache. mem_caches_two but object is from mem_caches_one",
        "WARNING: CPU: 0 PID: 1 at mm/slab.h:665 cache_from_obj+0xa1/0x120",
        "cache_from_obj: Wrong slab cache. mem_caches_two but object is from kmalloc-128",
        "WARNING: CPU: 0 PID: 1 at mm/slab.h:665 cache_from_obj+0xa1/0x120",
    ]
    assert not any("still has objects" in line for line in lines)


def test_objects_that_remain_are_listed(kernel: Kernel, load: Load) -> None:
    lines = [re.sub(HASHED, "ADDRESS", line) for line in said(kernel, load, 4)]
    start = lines.index("=" * 77)
    assert lines[start + 1].startswith("BUG mem_caches_live (Tainted: G           OE     ): Objects remaining in")
    assert (
        "Slab ADDRESS objects=85 used=2 fp=ADDRESS flags=0xfffffc0000200(slab|node=0|zone=1|lastcpupid=0x1fffff)"
        in [*lines]
    )
    assert [line for line in lines if line.startswith("Object")] == [
        "Object ADDRESS @offset=0",
        "Object ADDRESS @offset=48",
    ]
    assert kernel.test_taint(Taint.BAD_PAGE)
    assert kernel.test_taint(Taint.WARN)
    assert lines[-1] == "mem_caches: freed into it"


def test_objects_of_no_size_divide_by_zero(kernel: Kernel, load: Load) -> None:
    with pytest.raises(TaskKilled):
        load("mem_caches", "part=11")
    lines = log(kernel)
    assert "divide error: 0000 [#1] PREEMPT SMP NOPTI" in lines
    assert "RIP: 0010:reciprocal_value+0x26/0x60" in lines
    assert create(kernel, 8)  # nobody holds the mutex


def test_a_null_pointer_is_no_object_of_a_cache(kernel: Kernel, load: Load) -> None:
    with pytest.raises(TaskKilled):
        load("mem_caches", "part=7")
    assert "RIP: 0010:cache_from_obj+0x36/0x120" in log(kernel)


def test_a_cache_without_a_name_follows_a_null_pointer(kernel: Kernel, load: Load) -> None:
    with pytest.raises(TaskKilled):
        load("mem_caches", "part=9")
    assert "RIP: 0010:kmem_cache_flags+0x6e/0x170" in log(kernel)


def test_many_objects_at_once(kernel: Kernel) -> None:
    things, array = create(kernel, 100), kernel.slab.kmalloc(80)
    assert call(kernel, "kmem_cache_alloc_bulk", things, 0xCC0, 10, array) == 10
    objects = {kernel.memory.read_pointer(array + 8 * i) for i in range(10)}
    assert kernel.slab.caches[things].objects == objects
    call(kernel, "kmem_cache_free_bulk", things, 10, array)
    assert not kernel.slab.caches[things].objects
    kernel.memory.limit = kernel.memory.used + 3 * PAGE_SIZE
    assert call(kernel, "kmem_cache_alloc_bulk", things, 0xCC0, 10, array) == 0
    assert not kernel.slab.caches[things].objects


def test_poisoned_objects_are_poison_unless_zeroed(kernel: Kernel) -> None:
    things = create(kernel, 16, SLAB_POISON)
    assert kernel.memory.read(call(kernel, "kmem_cache_alloc", things, 0xCC0), 16) == b"k" * 15 + b"\xa5"
    assert kernel.memory.read(call(kernel, "kmem_cache_alloc", things, 0xDC0), 16) == bytes(16)


# kvmalloc(), pages


@pytest.mark.parametrize(("size", "is_vmalloc"), [(100, 0), (65536, 0), (3_000_000, 0), (5_000_000, 1)])
def test_kvmalloc_takes_kmalloc_memory_as_long_as_it_gets_it(kernel: Kernel, size: int, is_vmalloc: int) -> None:
    address = call(kernel, "kvmalloc_node", size, 0xCC0)
    assert call(kernel, "is_vmalloc_addr", address) == is_vmalloc
    kernel.memory.write(address, b"kept")
    grown = call(kernel, "kvrealloc", address, size, 2 * size, 0xCC0)
    assert kernel.memory.read(grown, 5) == b"kept\0"
    assert call(kernel, "kvrealloc", grown, 2 * size, size, 0xCC0) == grown
    used = kernel.memory.used
    call(kernel, "kvfree", grown)
    assert used - kernel.memory.used >= 2 * size // PAGE_SIZE * PAGE_SIZE


def test_pages_have_a_structure_and_a_count(kernel: Kernel) -> None:
    used = kernel.memory.used
    page = call(kernel, "alloc_pages", 0xCC0, 2)
    address = DIRECT_MAP + (page - VMEMMAP) // 64 * PAGE_SIZE
    assert kernel.memory.read(address, 4 * PAGE_SIZE) == bytes(4 * PAGE_SIZE)
    view = kernel.struct("page", page)
    assert (view["_refcount.counter"], view["_mapcount.counter"]) == (1, -1)
    view["_refcount.counter"] = 2
    call(kernel, "__free_pages", page, 2)
    assert kernel.memory.used == used + 4 * PAGE_SIZE
    call(kernel, "__free_pages", page, 2)
    assert kernel.memory.used == used
    with pytest.raises(PageFault):
        kernel.memory.read(address, 1)


def test_the_pages_of_a_folio_know_their_head(kernel: Kernel) -> None:
    used = kernel.memory.used
    page = call(kernel, "folio_alloc", 0xCC0, 1)
    assert kernel.struct("page", page)["flags"] == 1 << 16
    tail = kernel.struct("page", page + 64)
    assert (tail["compound_head"], tail["compound_order"], tail["compound_nr"]) == (page | 1, 1, 2)
    call(kernel, "__folio_put", page)
    assert kernel.memory.used == used
    assert kernel.memory.read(page, 128) == bytes(128)


def test_pages_that_are_freed_twice_are_no_pages(kernel: Kernel) -> None:
    address = call(kernel, "__get_free_pages", 0xCC0, 0)
    call(kernel, "free_pages", address, 0)
    call(kernel, "free_pages", 0, 0)
    page = VMEMMAP + (address - DIRECT_MAP) // PAGE_SIZE * 64
    with pytest.raises(PageFault):
        call(kernel, "__folio_put", page)
    with pytest.raises(PageFault):
        call(kernel, "__folio_put", page + 8)


@pytest.mark.parametrize(
    ("name", "valid"),
    [("objects", 1), ("_text", 1), ("modules", 0), ("vmalloc", 0), ("user", 0)],
)
def test_what_virt_to_page_is_for(kernel: Kernel, name: str, valid: int) -> None:
    memory = kernel.memory
    places = {"modules": memory.modules.base, "vmalloc": memory.vmalloc_area.base, "user": 0x1000}
    places |= {"objects": kernel.slab.kmalloc(8), "_text": memory.kernel_image.base + 0x1000000}
    assert call(kernel, "__virt_addr_valid", places[name]) == valid


def test_the_same_callers_are_found_however_often_and_others_too(kernel: Kernel, load: Load) -> None:
    for _ in range(3):
        load("mem_misuse", "how=5 size=50")
        kernel.delete_module("mem_misuse")
    lines = [line for line in log(kernel) if "take+0x2d/0x32 [mem_misuse]" in line]
    assert len(lines) == 3


def test_a_constructor_runs_for_objects_side_by_side_too(kernel: Kernel, load: Load, dense: SlabAllocator) -> None:
    lines = said(kernel, load, 1)
    assert "mem_caches: after the first object: constructed a page's 1 (85)" in lines
    assert "mem_caches: again: same object 1, constructed again 0, contents 01 5a 5a 5a 5a 5a 5a 5a" in lines


def test_only_what_a_cache_allows_is_copied_to_user_space(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_args: object) -> None:
        raise SystemExit

    monkeypatch.setattr(kernel.traps, "bug_at", bug)
    for usersize, too_much in ((8, 9), (0, 1)):
        address = call(kernel, "kmem_cache_alloc", create(kernel, 40, usersize=usersize), 0xCC0)
        call(kernel, "__check_object_size", address, usersize, 1)
        with pytest.raises(SystemExit):
            call(kernel, "__check_object_size", address, too_much, 1)
        what = f"SLUB object 'things' (offset 0, size {too_much})!"
        assert log(kernel)[-1] == f"usercopy: Kernel memory exposure attempt detected from {what}"
