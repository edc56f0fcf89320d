"""Backing devices: how much is read ahead (mm/backing-dev.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.block.blk_types import Disk, ignored, stored
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.block.genhd import Disks

__all__ = ["BackingDevices"]


class BackingDevices:
    """The backing devices of the disks of one kernel."""

    def __init__(self, disks: Disks) -> None:
        self.disks = disks
        self.kernel = disks.kernel
        self.bdi_class = 0
        self._warned = False
        #: KiB.
        self.read_ahead_kb: dict[Disk, int] = {}

    def read_ahead(self, disk: Disk) -> int:
        """Pages."""
        return self.read_ahead_kb.get(disk, 128) * 1024 // PAGE_SIZE

    def add_bdi_files(self, disk: Disk) -> None:
        assert disk.bdi is not None
        directory = self.disks.core.sysfs.directory(disk.bdi.sub("kobj"))
        assert directory is not None

        def set_read_ahead(data: bytes) -> None:
            self.read_ahead_kb[disk] = stored(data)

        def stable() -> object:
            if not self._warned:
                self._warned = True
                self.kernel.log.pr_warn(
                    f"bdi {directory.name}: the stable_pages_required attribute has been removed."
                    " Use the stable_writes queue attribute instead."
                )
            return 0

        self.disks.sysfs.writable(
            directory,
            {
                "max_ratio": (lambda: 100, ignored),
                "min_ratio": (lambda: 0, ignored),
                "read_ahead_kb": (lambda: self.read_ahead_kb[disk], set_read_ahead),
            },
        )
        self.disks.sysfs.numbers(directory, {"stable_pages_required": stable})
