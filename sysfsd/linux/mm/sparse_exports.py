"""Sections of memory that pages lie in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.mm.memory import DIRECT_MAP_LEN, PAGE_SIZE, VMEMMAP

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("mm/hugetlb_vmemmap.c", "mm/sparse.c")

#: ``1 << SECTION_SIZE_BITS``.
_SECTION_SIZE: Final = 1 << 27

#: Present, with a map, online, there from the beginning.
_SECTION_FLAGS: Final = 0xF

#: Bytes of ``struct mem_section`` and of its ``struct mem_section_usage``.
_SECTION, _USAGE = 32, 32

_SUBSECTION_MAP: Final = 16

export.data("struct static_key_false hugetlb_optimize_vmemmap_key")


def _mem_section(kernel: Kernel, address: int) -> None:
    """All memory that there is, in one root."""
    memory = kernel.memory
    root = memory.alloc_pages(PAGE_SIZE)
    for number in range(DIRECT_MAP_LEN // _SECTION_SIZE):
        section, usage = root + _SECTION * number, root + PAGE_SIZE // 2 + _USAGE * number
        memory.write_pointer(section, VMEMMAP | _SECTION_FLAGS)
        memory.write_pointer(section + 8, usage)
        memory.write_pointer(usage + _SUBSECTION_MAP, (1 << 64) - 1)
    roots = memory.alloc_pages(PAGE_SIZE)
    memory.write_pointer(roots, root)
    memory.write_pointer(address, roots)


export.data("struct mem_section **mem_section", _mem_section)
