"""Memory errors found when they happen: each object has a page of its own, with guard pages around it (mm/kfence/).

Linux samples some allocations so; here all of them are, until the pool is used up.
"""

from __future__ import annotations

import errno
from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from sysfsd.linux.arch.x86.unwind import Unwinder
from sysfsd.linux.err import err
from sysfsd.linux.kernel.panic import Taint
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.lib.vsprintf import ptr_to_hashval
from sysfsd.linux.mm.memory import PAGE_SHIFT, PAGE_SIZE, Prot

if TYPE_CHECKING:
    from sysfsd.linux.arch.x86.traps import Regs
    from sysfsd.linux.mm.slab import KmemCache
    from sysfsd.linux.system import Kernel

__all__ = ["Kfence", "KfenceObject"]

#: Objects that the pool has room for.
NUM_OBJECTS: Final = 8192
#: Freed objects that stay what they were, for whoever still uses them; others are used again before new ones.
_KEEP: Final = 1024
_STACK_DEPTH: Final = 64
#: Callers of one place that are remembered, and what is looked up to see whether code has changed since.
_CHAINS: Final = 8
_MARK: Final = -1
_ORC_REG_SP: Final = 5
#: ``KFENCE_CANARY_PATTERN``: what surrounds an object in its page.
_CANARY: Final = bytes(0xAA ^ (i & 7) for i in range(PAGE_SIZE))
#: Pages with objects of some size that are kept to be copied.
_FILLS: Final = 256
_SLAB_TYPESAFE_BY_RCU: Final = 0x80000
_RULE: Final = "=" * 66


class _Track(NamedTuple):
    """Who allocated or freed an object, when and from where."""

    pid: int
    cpu: int
    ts_nsec: int
    stack: tuple[int, ...]


class _Chain(NamedTuple):
    """Callers found before: where on the stack their return addresses lie, which these are, and all frames."""

    slots: Struct
    addresses: tuple[int, ...]
    frames: tuple[int, ...]


class _StackTraces(Unwinder):
    """``stack_trace_save()``, fast where the same callers come again."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        self._known = kernel.unwinder._known
        #: By the innermost return address.
        self._chains: dict[int, list[_Chain]] = {}

    def save(self, ip: int, sp: int) -> tuple[int, ...]:
        """The frames above a function of the kernel that was called from what lies at *sp*."""
        if _MARK not in self._known:  # modules have come or gone
            self._chains.clear()
            self._known[_MARK] = None
        memory = self._kernel.memory
        caller = memory.read_pointer(sp)
        stack = memory.area(sp)
        assert stack is not None
        chains = self._chains.setdefault(caller, [])
        offset = sp - stack.base
        for chain in chains:
            if offset + chain.slots.size <= stack.size and (
                chain.slots.unpack_from(stack.buffer, offset) == chain.addresses
            ):
                return chain.frames
        frames = tuple(islice(self.walk(ip, sp, self._kernel.cpu.reg("rbp")), _STACK_DEPTH))
        slots = self._slots(sp)
        if slots:
            layout, end = "<", sp
            for slot in slots:
                layout += f"{slot - end}xQ"
                end = slot + 8
            addresses = tuple(memory.read_pointer(slot) for slot in slots)
            del chains[: -_CHAINS + 1]
            chains.append(_Chain(Struct(layout), addresses, frames))
        return frames

    def _slots(self, sp: int) -> list[int]:
        """Where the return addresses lie up to where the kernel has called the module.

        None are found where a frame has to be told from another register than the stack pointer.
        """
        kernel = self._kernel
        slots = [sp]
        try:
            ip = kernel.memory.read_pointer(sp)
            sp += 8
            while not kernel.image.call_sites_at(ip):
                entry = self._known[ip - 1] if ip - 1 in self._known else self._find(ip - 1)
                if entry is None or entry.sp_reg != _ORC_REG_SP or len(slots) == _STACK_DEPTH:
                    return []
                sp += entry.sp_offset
                slots.append(sp - 8)
                ip = kernel.memory.read_pointer(sp - 8)
        except OSError:
            return []
        return slots


@dataclass(slots=True)
class KfenceObject:
    """``struct kfence_metadata``: an object, live or freed."""

    index: int
    page: int
    address: int = 0
    #: Bytes that were asked for, and that the object has.
    size: int = 0
    object_size: int = 0
    cache: KmemCache | None = None
    freed: bool = False
    #: Its cache has it for good: what it holds stays when it is freed, and nobody else gets it.
    reserved: bool = False
    #: The owner has asked how much it may use (ksize()): what lies between the two sizes is its own.
    whole: bool = False
    alloc_track: _Track | None = None
    free_track: _Track | None = field(default=None)


class Kfence:
    """The pool of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        memory = kernel.memory
        self._memory = memory
        self.pool = memory.direct_map.alloc(2 * PAGE_SIZE * (NUM_OBJECTS + 1), prot=Prot.NONE)
        self._range = range(self.pool, self.pool + 2 * PAGE_SIZE * (NUM_OBJECTS + 1))
        self._objects: list[KfenceObject] = []
        self._by_page: dict[int, KfenceObject] = {}
        self._freed: deque[KfenceObject] = deque()
        #: What the page of a new object holds, by where it begins and its bytes.
        self._fills: dict[tuple[int, int], bytes] = {}
        self._traces: _StackTraces | None = None

    def __contains__(self, address: int) -> bool:
        """``is_kfence_address()``."""
        return address in self._range

    def _track(self) -> _Track:
        kernel = self._kernel
        task = kernel.sched.running
        now = kernel.log.clock()
        if task is None or not task.sp:
            return _Track(task.pid if task is not None else 0, 0, now, ())
        if self._traces is None:
            self._traces = _StackTraces(kernel)
        return _Track(task.pid, task.cpu, now, self._traces.save(task.ip, task.sp))

    def _slot(self) -> KfenceObject | None:
        """A page of the pool that nobody uses, None when all are in use.

        :raises OSError: ENOMEM when memory is used up
        """
        index = len(self._objects)
        if index < NUM_OBJECTS and len(self._freed) <= _KEEP:
            self._memory.charge(PAGE_SIZE)
            page = self.pool + 2 * PAGE_SIZE * index + PAGE_SIZE
            found = self._by_page[page] = KfenceObject(index, page)
            self._objects.append(found)
            return found
        if self._freed:
            self._memory.charge(PAGE_SIZE)
            return self._freed.popleft()
        return None

    def _prepare(self, found: KfenceObject, cache: KmemCache, size: int) -> int:
        """Make a page that of an object of *cache*, of which *size* bytes are its owner's, zeroed.

        :returns: the object's address
        """
        object_size, alignment, page = cache.object_size, cache.alignment, found.page
        start = (PAGE_SIZE - object_size) & -(alignment & -alignment)
        found.address = page + start
        found.size, found.object_size, found.cache = size, object_size, cache
        found.freed = found.whole = found.reserved = False
        fill = self._fills.get((start, size))
        if fill is None:
            if len(self._fills) >= _FILLS:
                self._fills.clear()
            fill = _CANARY[:start] + bytes(size) + _CANARY[start + size :]
            self._fills[start, size] = fill
        area = self._memory.direct_map
        offset = page - area.base
        area.prot[offset >> PAGE_SHIFT] = Prot.RW
        area.buffer[offset : offset + PAGE_SIZE] = fill
        return found.address

    def alloc(self, cache: KmemCache, size: int) -> int:
        """An object for *size* bytes of *cache*; 0 when the pool is used up.

        :raises OSError: ENOMEM when memory is
        """
        found = self._slot()
        if found is None:
            return 0
        found.alloc_track, found.free_track = self._track(), None
        return self._prepare(found, cache, size)

    def object_at(self, address: int) -> KfenceObject | None:
        """The object in whose page *address* lies."""
        return self._by_page.get(address & -PAGE_SIZE)

    def free(self, address: int) -> bool:
        """Free an object, and look whether its surroundings are as they were; what is wrong is reported.

        :returns: whether it was an object
        """
        found = self.object_at(address)
        if found is None or found.freed or found.address != address:
            self._report("invalid free", address, found)
            return False
        self._check_canary(found)
        found.freed = True
        found.free_track = self._track()
        if found.reserved:
            self._hide(found)
            return True
        area = self._memory.direct_map
        area.prot[found.page - area.base >> PAGE_SHIFT] = Prot.NONE
        self._memory.shootdowns.lost(found.page, PAGE_SIZE)
        self._give_back(found)
        return True

    def _give_back(self, found: KfenceObject) -> None:
        """What was freed may become another's once all that was freed before it has."""
        self._memory.used -= PAGE_SIZE
        self._freed.append(found)
        if len(self._freed) > _KEEP:
            self._memory.direct_map.clear(self._freed[-_KEEP - 1].page, PAGE_SIZE)

    # Objects that their cache has made and keeps

    def reserve(self, cache: KmemCache, count: int) -> list[int]:
        """So many objects of *cache*, zeroed, in which its constructor may write; none if the pool has not as many.

        :raises OSError: ENOMEM
        """
        if NUM_OBJECTS - len(self._objects) + len(self._freed) < count:
            return []
        if self._memory.used + count * PAGE_SIZE > self._memory.limit:
            raise err(errno.ENOMEM)
        track = self._track()
        objects = []
        for _ in range(count):
            found = self._slot()
            assert found is not None
            objects.append(self._prepare(found, cache, cache.asked))
            found.alloc_track, found.free_track = track, track
            found.reserved = True
        return objects

    def seal(self, address: int) -> None:
        """An object that is made waits for its first owner."""
        found = self._by_page[address & -PAGE_SIZE]
        found.freed = True
        self._hide(found)

    def _hide(self, found: KfenceObject) -> None:
        """Nobody may look at a freed object, unless it is one that stays what it is for those who come late."""
        if found.cache is None or not found.cache.flags & _SLAB_TYPESAFE_BY_RCU:
            area = self._memory.direct_map
            area.prot[found.page - area.base >> PAGE_SHIFT] = Prot.NONE
            self._memory.shootdowns.lost(found.page, PAGE_SIZE)

    def take(self, address: int) -> None:
        """Allocate an object that is made, or was freed, as it is."""
        found = self._by_page[address & -PAGE_SIZE]
        found.freed = found.whole = False
        found.alloc_track, found.free_track = self._track(), None
        area = self._memory.direct_map
        area.prot[found.page - area.base >> PAGE_SHIFT] = Prot.RW

    def release(self, objects: list[int]) -> None:
        """The cache is no more."""
        for address in objects:
            found = self._by_page[address & -PAGE_SIZE]
            found.reserved = False
            area = self._memory.direct_map
            area.prot[found.page - area.base >> PAGE_SHIFT] = Prot.NONE
            self._memory.shootdowns.lost(found.page, PAGE_SIZE)
            self._give_back(found)

    def _check_canary(self, found: KfenceObject) -> None:
        """``check_canary()``: the bytes on both sides of an object that is being freed."""
        area = self._memory.direct_map
        offset = found.page - area.base
        start = found.address - found.page
        end = start + (self._usable(found) if found.whole else found.size)
        page = area.buffer[offset : offset + PAGE_SIZE]
        if page.startswith(_CANARY[:start]) and page.endswith(_CANARY[end:]):
            return
        for low, high in ((0, start), (end, PAGE_SIZE)):
            if page[low:high] != _CANARY[low:high]:
                at = next(i for i in range(low, high) if page[i] != _CANARY[i])
                limit = min(at + 16, high)
                marks = "".join(" ." if page[i] == _CANARY[i] else " !" for i in range(at, limit))
                self._report("memory corruption", found.page + at, found, marks=marks)
                break
        area.view[offset : offset + start] = _CANARY[:start]
        area.view[offset + end : offset + PAGE_SIZE] = _CANARY[end:]

    def _usable(self, found: KfenceObject) -> int:
        """The bytes that an object has."""
        assert found.cache is not None
        return min(found.cache.ksize, found.page + PAGE_SIZE - found.address)

    def ksize(self, address: int) -> int:
        """:raises OSError: EINVAL where no object begins there"""
        found = self.object_at(address)
        if found is None or found.freed or found.address != address:
            raise err(errno.EINVAL)
        if not found.whole:
            found.whole = True
            # Memory comes zeroed; what its owner has put there without asking stays.
            start, end = found.address - found.page + found.size, found.address - found.page + self._usable(found)
            offset = found.page - self._memory.direct_map.base
            view = self._memory.direct_map.view
            if view[offset + start : offset + end] == _CANARY[start:end]:
                view[offset + start : offset + end] = bytes(end - start)
        return self._usable(found)

    def handle_page_fault(self, address: int, write: bool, regs: Regs) -> bool:
        """``kfence_handle_page_fault()``: report, then let the access happen.

        :returns: whether the fault was in the pool
        """
        if address not in self:
            return False
        verb = "write" if write else "read"
        page = address & -PAGE_SIZE
        if (page - self.pool) // PAGE_SIZE % 2 == 0:
            left, right = self._by_page.get(page - PAGE_SIZE), self._by_page.get(page + PAGE_SIZE)
            near: list[tuple[int, KfenceObject]] = []
            if left is not None and not left.freed:
                near.append((address - left.address - left.size, left))
            if right is not None and not right.freed:
                near.append((right.address - address, right))
            if near:
                self._report("out-of-bounds", address, min(near, key=lambda pair: pair[0])[1], verb, regs)
            else:
                self._report("invalid", address, None, verb, regs)
        else:
            found = self._by_page.get(page)
            if found is None:
                self._report("invalid", address, None, verb, regs)
            else:
                self._report("use-after-free", address, found, verb, regs)
        self._memory.direct_map.set_prot(page, PAGE_SIZE, Prot.RW)
        return True

    # Reports (mm/kfence/report.c)

    def _report(
        self,
        kind: str,
        address: int,
        found: KfenceObject | None,
        verb: str = "",
        regs: Regs | None = None,
        marks: str = "",
    ) -> None:
        kernel = self._kernel
        symbol = kernel.kallsyms.sprint_symbol
        task = kernel.current
        at = regs or task.caller_regs()
        stack = [at.rip, *kernel.unwinder.frames(at)]
        if regs is None:
            stack = stack[1:]  # not the function that found it
        where = symbol(stack[0]) if stack else "0x0"
        hashed = f"0x{ptr_to_hashval(address)}"
        number = f"kfence-#{found.index}" if found is not None else ""

        def line(text: str) -> None:
            kernel.log.emit(text.encode("latin-1", "replace") + b"\n", Level.ERR)

        line(_RULE)
        title = f"{kind} {verb}".rstrip()
        line(f"BUG: KFENCE: {title} in {where}\n")
        match kind:
            case "out-of-bounds" if found is not None:
                left = address < found.address
                distance = found.address - address if left else address - found.address
                line(f"Out-of-bounds {verb} at {hashed} ({distance}B {'left' if left else 'right'} of {number}):")
            case "use-after-free":
                line(f"Use-after-free {verb} at {hashed} (in {number}):")
            case "memory corruption":
                line(f"Corrupted memory at {hashed} [{marks} ] (in {number}):")
            case "invalid free":
                line(f"Invalid free of {hashed} (in {number}):")
            case _:
                line(f"Invalid {verb} at {hashed}:")
        for frame in stack:
            line(f" {symbol(frame)}")
        if found is not None:
            line("")
            self._print_object(found, line)
        line("")
        kernel.traps.print_info(task, Level.ERR)
        line(_RULE)
        kernel.add_taint(Taint.BAD_PAGE)

    def _print_object(self, found: KfenceObject, line: object) -> None:
        assert callable(line)
        start, end = ptr_to_hashval(found.address), ptr_to_hashval(found.address + found.size - 1)
        cache = found.cache.name if found.cache is not None else "<destroyed>"
        line(f"kfence-#{found.index}: 0x{start}-0x{end}, size={found.size}, cache={cache}\n")
        self._print_stack("allocated", found.alloc_track, line)
        if found.freed:
            line("")
            self._print_stack("freed", found.free_track, line)

    def _print_stack(self, what: str, track: _Track | None, line: object) -> None:
        assert callable(line) and track is not None
        seconds, rest = divmod(track.ts_nsec, 1_000_000_000)
        line(f"{what} by task {track.pid} on cpu {track.cpu} at {seconds}.{rest // 1000:06}s:")
        symbol = self._kernel.kallsyms.sprint_symbol
        for frame in track.stack:
            line(f" {symbol(frame)}")
        if not track.stack:
            line(f" no {'allocation' if what == 'allocated' else 'deallocation'} stack")
