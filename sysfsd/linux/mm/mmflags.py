"""Names of the bits of gfp_t, of a vma's and of a page's flags (include/trace/events/mmflags.h, mm/debug.c).

The order counts: flags are named by the first masks that they contain, so those of many bits come first.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["GFPFLAG_NAMES", "PAGEFLAGS_MASK", "PAGEFLAG_NAMES", "PAGE_FLAGS_FIELDS", "VMAFLAG_NAMES", "PageFlagsField"]

GFPFLAG_NAMES: Final = {
    "GFP_TRANSHUGE": 0x1C24CA,
    "GFP_TRANSHUGE_LIGHT": 0x1C20CA,
    "GFP_HIGHUSER_MOVABLE": 0x100CCA,
    "GFP_HIGHUSER": 0x100CC2,
    "GFP_USER": 0x100CC0,
    "GFP_KERNEL_ACCOUNT": 0x400CC0,
    "GFP_KERNEL": 0xCC0,
    "GFP_NOFS": 0xC40,
    "GFP_ATOMIC": 0xA20,
    "GFP_NOIO": 0xC00,
    "GFP_NOWAIT": 0x800,
    "GFP_DMA": 1 << 0,
    "__GFP_HIGHMEM": 1 << 1,
    "GFP_DMA32": 1 << 2,
    "__GFP_HIGH": 1 << 5,
    "__GFP_ATOMIC": 1 << 9,
    "__GFP_IO": 1 << 6,
    "__GFP_FS": 1 << 7,
    "__GFP_NOWARN": 1 << 13,
    "__GFP_RETRY_MAYFAIL": 1 << 14,
    "__GFP_NOFAIL": 1 << 15,
    "__GFP_NORETRY": 1 << 16,
    "__GFP_COMP": 1 << 18,
    "__GFP_ZERO": 1 << 8,
    "__GFP_NOMEMALLOC": 1 << 19,
    "__GFP_MEMALLOC": 1 << 17,
    "__GFP_HARDWALL": 1 << 20,
    "__GFP_THISNODE": 1 << 21,
    "__GFP_RECLAIMABLE": 1 << 4,
    "__GFP_MOVABLE": 1 << 3,
    "__GFP_ACCOUNT": 1 << 22,
    "__GFP_WRITE": 1 << 12,
    "__GFP_RECLAIM": 0xC00,
    "__GFP_DIRECT_RECLAIM": 1 << 10,
    "__GFP_KSWAPD_RECLAIM": 1 << 11,
    "__GFP_ZEROTAGS": 1 << 23,
}

VMAFLAG_NAMES: Final = {
    "read": 1 << 0,
    "write": 1 << 1,
    "exec": 1 << 2,
    "shared": 1 << 3,
    "mayread": 1 << 4,
    "maywrite": 1 << 5,
    "mayexec": 1 << 6,
    "mayshare": 1 << 7,
    "growsdown": 1 << 8,
    "uffd_missing": 1 << 9,
    "uffd_minor": 1 << 37,
    "pfnmap": 1 << 10,
    "uffd_wp": 1 << 12,
    "locked": 1 << 13,
    "io": 1 << 14,
    "seqread": 1 << 15,
    "randread": 1 << 16,
    "dontcopy": 1 << 17,
    "dontexpand": 1 << 18,
    "lockonfault": 1 << 19,
    "account": 1 << 20,
    "noreserve": 1 << 21,
    "hugetlb": 1 << 22,
    "sync": 1 << 23,
    "pat": 1 << 24,
    "wipeonfork": 1 << 25,
    "dontdump": 1 << 26,
    "softdirty": 1 << 27,
    "mixedmap": 1 << 28,
    "hugepage": 1 << 29,
    "nohugepage": 1 << 30,
    "mergeable": 1 << 31,
}

PAGEFLAG_NAMES: Final = {
    "locked": 1 << 0,
    "waiters": 1 << 7,
    "error": 1 << 8,
    "referenced": 1 << 1,
    "uptodate": 1 << 2,
    "dirty": 1 << 3,
    "lru": 1 << 4,
    "active": 1 << 5,
    "workingset": 1 << 6,
    "slab": 1 << 9,
    "owner_priv_1": 1 << 10,
    "arch_1": 1 << 11,
    "reserved": 1 << 12,
    "private": 1 << 13,
    "private_2": 1 << 14,
    "writeback": 1 << 15,
    "head": 1 << 16,
    "mappedtodisk": 1 << 17,
    "reclaim": 1 << 18,
    "swapbacked": 1 << 19,
    "unevictable": 1 << 20,
    "mlocked": 1 << 21,
    "uncached": 1 << 22,
    "hwpoison": 1 << 23,
    "arch_2": 1 << 24,
}

#: The flags proper; the upper bits of the word hold numbers.
PAGEFLAGS_MASK: Final = (1 << len(PAGEFLAG_NAMES)) - 1


class PageFlagsField(NamedTuple):
    """A number in the upper bits of a page's flags (include/linux/page-flags-layout.h)."""

    name: str
    shift: int
    mask: int
    hexadecimal: bool = False


#: As Debian's kernel has them: 1024 nodes, five zones, NUMA balancing for 8192 CPUs.
PAGE_FLAGS_FIELDS: Final = (
    PageFlagsField("node", 54, 0x3FF),
    PageFlagsField("zone", 51, 0x7),
    PageFlagsField("lastcpupid", 30, 0x1FFFFF, hexadecimal=True),
)
