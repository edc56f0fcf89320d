"""Events of disks: media that are changed or to be ejected (block/disk-events.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.block.blk_types import Disk, DiskState
from sysfsd.linux.err import err
from sysfsd.linux.lib.kobject import SysfsDirectory
from sysfsd.linux.lib.vsprintf import vsscanf

if TYPE_CHECKING:
    from sysfsd.linux.block.genhd import Disks
    from sysfsd.linux.struct_view import StructView

__all__ = ["DiskEvents"]

#: What disks may tell of, by bit: in an event, in the file ``events``.
_EVENTS: Final = ((b"MEDIA_CHANGE", b"media_change"), (b"EJECT_REQUEST", b"eject_request"))
_EVENT_MEDIA_CHANGE: Final = 1
_EVENT_FLAG_UEVENT: Final = 1 << 1


class DiskEvents:
    """The events of the disks of one kernel."""

    def __init__(self, disks: Disks) -> None:
        self.disks = disks
        self.kernel = disks.kernel

    # Events

    def alloc_events(self, disk: Disk) -> None:
        """``disk_alloc_events()``."""
        if not disk.view.to("fops")["check_events"] or not disk.view["events"]:
            return
        events = self.disks.struct("disk_events")
        events["disk"], events["block"], events["poll_msecs"] = disk.view.address, 1, -1
        disk.view["ev"] = disk.events = events.address

    def check_events(self, view: StructView, mask: int) -> int:
        """``disk_clear_events()``: which events of *mask* there have been since somebody asked."""
        disk = self.disks.disk(view)
        if not disk.events:
            return 0
        kernel = self.kernel
        events = kernel.struct("disk_events", disk.events)
        pending = kernel.cpu.call(view.to("fops")["check_events"], view.address, mask) & ~events["pending"]
        events["pending"] |= pending
        if pending & _EVENT_MEDIA_CHANGE:
            self.disks.increase_diskseq(view)
        told = [name for bit, (name, _shown) in enumerate(_EVENTS) if pending & view["events"] & 1 << bit]
        if told and view["event_flags"] & _EVENT_FLAG_UEVENT:
            self.disks.change(disk, *(b"DISK_%s=1" % name for name in told))
        found = int(events["pending"] & mask)
        events["pending"] &= ~mask
        return found

    def media_changed(self, view: StructView) -> None:
        """``bdev_check_media_change()`` and ``disk_force_media_change()``: nothing that was read is valid any more."""
        disk = self.disks.disk(view)
        for part in (disk.whole, *disk.parts.values()):
            self.disks.cache.drop_pages(part)
        view["state"] |= DiskState.NEED_PART_SCAN

    def force_media_change(self, view: StructView, events: int) -> None:
        """``disk_force_media_change()``."""
        told = [name for bit, (name, _shown) in enumerate(_EVENTS) if events & view["events"] & 1 << bit]
        if told:
            self.disks.change(self.disks.disk(view), *(b"DISK_%s=1" % name for name in told))
        if events & _EVENT_MEDIA_CHANGE:
            self.disks.increase_diskseq(view)
            self.media_changed(view)

    def add_event_files(self, disk: Disk, directory: SysfsDirectory) -> None:
        view = disk.view

        def show() -> bytes:
            shown = [name for bit, (_told, name) in enumerate(_EVENTS) if view["events"] & 1 << bit]
            return b" ".join(shown) + b"\n" if shown and view["event_flags"] & _EVENT_FLAG_UEVENT else b""

        def interval() -> object:
            events = self.kernel.struct("disk_events", disk.events)
            return events["poll_msecs"] if disk.events else -1

        def set_interval(data: bytes) -> None:
            found = vsscanf(data, b"%ld").stores
            if not found or int(found[0].value) < -1:
                raise err(errno.EINVAL)
            value = int(found[0].value)
            if not disk.events:
                raise err(errno.ENODEV)
            self.kernel.struct("disk_events", disk.events)["poll_msecs"] = value

        self.disks.core.sysfs.create_own_file(directory, "events", 0o444, show)
        self.disks.core.sysfs.create_own_file(directory, "events_async", 0o444, bytes)
        self.disks.sysfs.writable(directory, {"events_poll_msecs": (interval, set_interval)})
