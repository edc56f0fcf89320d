"""What a process passes to a system call by address (arch/x86/include/asm/uaccess.h, lib/usercopy.c).

Nothing of it lies in the kernel's address space: code that goes there without asking faults, as with SMAP.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from sysfsd.linux.mm.memory import PAGE_SIZE, PageFault, align

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["TASK_SIZE_MAX", "Uaccess", "UserBuffers", "UserSpace", "access_ok"]

TASK_SIZE_MAX: Final = (1 << 47) - PAGE_SIZE
#: Where buffers lie, and how far into their first page: where a C library puts large ones.
_MMAP_BASE: Final = 0x7F2C64A00000
_CHUNK_HEADER: Final = 16


def access_ok(address: int, size: int) -> bool:
    """``access_ok()``: whether a range is one that a process may have."""
    return size <= TASK_SIZE_MAX and address <= TASK_SIZE_MAX - size


class UserSpace(Protocol):
    """The memory of a process, or what a system call may see of it."""

    def read(self, address: int, size: int) -> bytes:
        """The bytes there, up to the first that is not."""

    def write(self, address: int, data: bytes) -> int:
        """Put bytes there, up to the first that is not.

        :returns: how many
        """


class UserBuffers:
    """The buffers of one system call, each in pages of its own with nothing behind them."""

    def __init__(self) -> None:
        self._buffers: dict[int, bytearray] = {}
        self._next = _MMAP_BASE

    def map(self, data: bytes = b"", size: int = 0) -> int:
        """A buffer that holds *data*, or *size* zeros.

        :returns: its address
        """
        size = max(size, len(data))
        buffer = bytearray(align(_CHUNK_HEADER + size, PAGE_SIZE))
        buffer[_CHUNK_HEADER : _CHUNK_HEADER + len(data)] = data
        base = self._next
        self._next += len(buffer) + PAGE_SIZE
        self._buffers[base] = buffer
        return base + _CHUNK_HEADER

    def _find(self, address: int) -> tuple[bytearray, int] | None:
        for base, buffer in self._buffers.items():
            if base <= address < base + len(buffer):
                return buffer, address - base
        return None

    def read(self, address: int, size: int) -> bytes:
        found = self._find(address)
        return bytes(found[0][found[1] : found[1] + size]) if found is not None else b""

    def write(self, address: int, data: bytes) -> int:
        found = self._find(address)
        if found is None:
            return 0
        buffer, offset = found
        count = min(len(data), len(buffer) - offset)
        buffer[offset : offset + count] = data[:count]
        return count


class Uaccess:
    """Who sees which user memory, and copies to and from it."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        #: By the address of a task: what it can reach, the innermost call last.
        self._spaces: dict[int, list[UserSpace]] = {}

    @contextmanager
    def using(self, space: UserSpace) -> Iterator[None]:
        """While the current task carries out a system call, *space* is what it sees of its caller."""
        task = self._kernel.current.address
        spaces = self._spaces.setdefault(task, [])
        spaces.append(space)
        try:
            yield
        finally:
            spaces.remove(space)
            if not spaces:
                self._spaces.pop(task, None)

    @property
    def space(self) -> UserSpace | None:
        """What the current task sees; None: nothing."""
        spaces = self._spaces.get(self._kernel.current.address)
        return spaces[-1] if spaces else None

    def read(self, address: int, size: int) -> bytes:
        """What can be read at *address*, user's or (unchecked) the kernel's; short where memory ends before."""
        if address < 1 << 47:
            space = self.space
            return space.read(address, size) if space is not None and size else b""
        return self._read_kernel(address, size)

    def write(self, address: int, data: bytes) -> int:
        """Write what can be written, likewise.

        :returns: how many bytes
        """
        if address < 1 << 47:
            space = self.space
            return space.write(address, data) if space is not None and data else 0
        return self._write_kernel(address, data)

    def _read_kernel(self, address: int, size: int) -> bytes:
        kernel = self._kernel
        try:
            return kernel.memory.read(address, size) if size else b""
        except PageFault as fault:
            if fault.address in kernel.kfence:
                raise
            return kernel.memory.read(address, fault.address - address) if fault.address > address else b""

    def _write_kernel(self, address: int, data: bytes) -> int:
        kernel = self._kernel
        try:
            kernel.memory.write(address, data)
            return len(data)
        except PageFault as fault:
            if fault.address in kernel.kfence:
                raise
            count = max(0, fault.address - address)
            kernel.memory.write(address, data[:count])
            return count

    def raw_copy(self, to: int, source: int, size: int) -> int:
        """``copy_user_generic()``: a copy that ends at the first fault on either side.

        :returns: the bytes that were not copied
        """
        return size - self.write(to, self.read(source, size)) if size else 0

    def copy_to_user(self, to: int, data: bytes) -> int:
        """``copy_to_user()`` of bytes that are at hand.

        :returns: the bytes that were not copied
        """
        return len(data) - self.write(to, data) if access_ok(to, len(data)) else len(data)

    def copy_from_user(self, source: int, size: int) -> bytes:
        """``copy_from_user()``: short where not all could be copied."""
        return self.read(source, size) if access_ok(source, size) else b""
