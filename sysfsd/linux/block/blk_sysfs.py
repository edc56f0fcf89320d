"""What /sys/block shows of disks, partitions and their queues (block/blk-sysfs.c, block/genhd.c)."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sysfsd.linux.block.blk_types import (
    ADD_RANDOM,
    FUA,
    HIDDEN,
    IO_STAT,
    MAX_PARTS,
    NO_PART,
    NONROT,
    REMOVABLE,
    SECTOR,
    STABLE_WRITES,
    WC,
    Disk,
    ignored,
    stored,
)
from sysfsd.linux.err import err
from sysfsd.linux.lib.kobject import SysfsDirectory
from sysfsd.linux.mm.memory import PAGE_SIZE
from sysfsd.linux.mm.percpu import NR_CPUS

if TYPE_CHECKING:
    from sysfsd.linux.block.genhd import Disks
    from sysfsd.linux.struct_view import StructView

__all__ = ["QueueSysfs"]

_NOMERGES, _SAME_COMP = 1 << 3, 1 << 4


class QueueSysfs:
    """The files of the disks of one kernel."""

    def __init__(self, disks: Disks) -> None:
        self.disks = disks
        self.kernel = disks.kernel

    # Files

    def uevent(self, device: StructView, env: StructView) -> None:
        """``block_uevent()``, ``part_uevent()``."""
        part = self.disks.bdev.by_device.get(device.address)
        if part is not None:
            self.disks.core.kobjects.add_var(env, b"DISKSEQ=%d" % part.disk.view["diskseq"])
            if part.number:
                self.disks.core.kobjects.add_var(env, b"PARTN=%d" % part.number)

    def add_files(self, device: StructView, directory: SysfsDirectory) -> None:
        part = self.disks.bdev.by_device[device.address]
        disk = part.disk
        numbers: dict[str, Callable[[], object]] = {
            "alignment_offset": lambda: 0,
            "discard_alignment": lambda: 0,
            "inflight": lambda: f"{0:8d} {0:8d}",
            "ro": lambda: int(self.disks.read_only(part)),
            "size": lambda: part.sectors,
            "stat": part.stats.text,
        }
        if part.number:
            numbers |= {"partition": lambda: part.number, "start": lambda: part.start}
        else:
            view = disk.view
            numbers |= {
                "capability": lambda: f"{view['flags']:x}",
                "diskseq": lambda: view["diskseq"],
                "ext_range": lambda: 1 if view["flags"] & NO_PART else MAX_PARTS,
                "hidden": lambda: int(bool(view["flags"] & HIDDEN)),
                "range": lambda: view["minors"],
                "removable": lambda: int(bool(view["flags"] & REMOVABLE)),
            }
        self.numbers(directory, numbers)
        if not part.number:
            self.disks.events.add_event_files(disk, directory)
            self._directory(directory, "slaves")
            self._add_integrity(directory)
            self._add_queue_files(disk, self._directory(directory, "queue"))
            if disk.set is not None:
                self._add_mq_files(disk, self._directory(directory, "mq"))
        self._directory(directory, "holders")
        trace = self._directory(directory, "trace")
        for name, text in (("enable", "0"), *((n, "disabled") for n in ("act_mask", "end_lba", "pid", "start_lba"))):
            self.writable(trace, {name: (partial(str, text), _refused)})

    def _directory(self, parent: SysfsDirectory, name: str) -> SysfsDirectory:
        made = self.disks.core.sysfs.add(SysfsDirectory(name, parent, 0, parent.kobj))
        assert isinstance(made, SysfsDirectory)
        return made

    def numbers(self, directory: SysfsDirectory, files: dict[str, Callable[[], object]], mode: int = 0o444) -> None:
        for name, value in files.items():
            self.disks.core.sysfs.create_own_file(directory, name, mode, partial(_show, value))

    def writable(
        self, directory: SysfsDirectory, files: dict[str, tuple[Callable[[], object], Callable[[bytes], None]]]
    ) -> None:
        for name, (value, store) in files.items():
            self.disks.core.sysfs.create_own_file(directory, name, 0o644, partial(_show, value), store)

    def _add_integrity(self, directory: SysfsDirectory) -> None:
        integrity = self._directory(directory, "integrity")
        zero: Callable[[], object] = lambda: 0  # noqa: E731
        self.numbers(
            integrity,
            {
                "device_is_integrity_capable": zero,
                "format": lambda: "none",
                "protection_interval_bytes": zero,
                "tag_size": zero,
            },
        )
        self.writable(integrity, {"read_verify": (zero, _refused), "write_generate": (zero, _refused)})

    def _add_mq_files(self, disk: Disk, directory: SysfsDirectory) -> None:
        tags = disk.set
        assert tags is not None
        for index in range(tags["nr_hw_queues"]):
            queue = self._directory(directory, str(index))
            cpus = [cpu for cpu in range(NR_CPUS) if cpu % tags["nr_hw_queues"] == index]
            self.numbers(
                queue,
                {
                    "cpu_list": partial(str, ", ".join(str(cpu) for cpu in cpus)),
                    "nr_reserved_tags": lambda: tags["reserved_tags"],
                    "nr_tags": lambda: tags["queue_depth"],
                },
            )
            for cpu in cpus:
                self._directory(queue, f"cpu{cpu}")

    def _limit(self, disk: Disk, member: str, unit: int = 1) -> Callable[[], object]:
        return lambda: disk.queue[f"limits.{member}"] // unit if unit > 0 else disk.queue[f"limits.{member}"] * -unit

    def _flag(self, disk: Disk, flag: int, inverted: bool = False) -> Callable[[], object]:
        return lambda: int(bool(disk.queue["queue_flags"] & flag) != inverted)

    def _store_flag(self, disk: Disk, flag: int, inverted: bool = False) -> Callable[[bytes], None]:
        def store(data: bytes) -> None:
            on = bool(stored(data)) != inverted
            flags = disk.queue["queue_flags"]
            disk.queue["queue_flags"] = flags | flag if on else flags & ~flag

        return store

    def _add_queue_files(self, disk: Disk, directory: SysfsDirectory) -> None:
        queue, limit = disk.queue, partial(self._limit, disk)
        zero: Callable[[], object] = lambda: 0  # noqa: E731
        self.numbers(
            directory,
            {
                "chunk_sectors": limit("chunk_sectors"),
                "dax": zero,
                "discard_granularity": limit("discard_granularity"),
                "discard_max_hw_bytes": limit("max_hw_discard_sectors", -SECTOR),
                "discard_zeroes_data": zero,
                "dma_alignment": limit("dma_alignment"),
                "fua": self._flag(disk, FUA),
                "hw_sector_size": limit("logical_block_size"),
                "logical_block_size": limit("logical_block_size"),
                "max_discard_segments": limit("max_discard_segments"),
                "max_hw_sectors_kb": limit("max_hw_sectors", 2),
                "max_integrity_segments": limit("max_integrity_segments"),
                "max_segment_size": limit("max_segment_size"),
                "max_segments": limit("max_segments"),
                "minimum_io_size": limit("io_min"),
                "nr_zones": zero,
                "optimal_io_size": limit("io_opt"),
                "physical_block_size": limit("physical_block_size"),
                "virt_boundary_mask": limit("virt_boundary_mask"),
                "write_same_max_bytes": zero,
                "write_zeroes_max_bytes": limit("max_write_zeroes_sectors", -SECTOR),
                "zone_append_max_bytes": zero,
                "zone_write_granularity": limit("zone_write_granularity"),
                "zoned": lambda: "none",
            },
        )

        def set_max_sectors(data: bytes) -> None:
            value, most = stored(data), queue["limits.max_hw_sectors"] // 2
            if value > most or value < PAGE_SIZE >> 10:
                raise err(errno.EINVAL)
            queue["limits.max_sectors"] = value * 2

        def set_requests(data: bytes) -> None:
            if disk.set is None:
                raise err(errno.EINVAL)
            value = max(stored(data), 4)
            if disk.scheduler == "none" and value > disk.set["queue_depth"]:
                raise err(errno.EINVAL)
            queue["nr_requests"] = value

        self.disks.bdi.read_ahead_kb.setdefault(disk, 128)

        def set_read_ahead(data: bytes) -> None:
            self.disks.bdi.read_ahead_kb[disk] = stored(data)

        self.writable(
            directory,
            {
                "add_random": (self._flag(disk, ADD_RANDOM), self._store_flag(disk, ADD_RANDOM)),
                "discard_max_bytes": (limit("max_discard_sectors", -SECTOR), _refused),
                "io_poll": (zero, _refused),
                "io_poll_delay": (lambda: -1, ignored),
                "iostats": (self._flag(disk, IO_STAT), self._store_flag(disk, IO_STAT)),
                "max_sectors_kb": (limit("max_sectors", 2), set_max_sectors),
                "nomerges": (self._flag(disk, _NOMERGES), self._store_flag(disk, _NOMERGES)),
                "nr_requests": (lambda: queue["nr_requests"], set_requests),
                "read_ahead_kb": (lambda: self.disks.bdi.read_ahead_kb[disk], set_read_ahead),
                "rotational": (self._flag(disk, NONROT, True), self._store_flag(disk, NONROT, True)),
                "rq_affinity": (self._flag(disk, _SAME_COMP), self._store_flag(disk, _SAME_COMP)),
                "scheduler": (partial(self._schedulers, disk), partial(self._choose_scheduler, disk, directory)),
                "stable_writes": (self._flag(disk, STABLE_WRITES), self._store_flag(disk, STABLE_WRITES)),
                "wbt_lat_usec": (lambda: 75000, ignored),
                "write_cache": (
                    lambda: "write back" if queue["queue_flags"] & WC else "write through",
                    partial(self._store_write_cache, disk),
                ),
            },
        )
        if disk.scheduler != "none":
            self._add_scheduler_files(disk, directory)

    def _store_write_cache(self, disk: Disk, data: bytes) -> None:
        value = {b"write back": True, b"write through": False, b"none": False}.get(data.strip())
        if value is None:
            raise err(errno.EINVAL)
        flags = disk.queue["queue_flags"]
        disk.queue["queue_flags"] = flags | WC if value else flags & ~WC

    def _schedulers(self, disk: Disk) -> str:
        if disk.set is None:
            return "none"
        return "[mq-deadline] none" if disk.scheduler != "none" else "[none] mq-deadline "

    def _choose_scheduler(self, disk: Disk, directory: SysfsDirectory, data: bytes) -> None:
        name = data.strip().decode("latin-1")
        if disk.set is None:
            return
        if name not in ("none", "mq-deadline"):
            raise err(errno.EINVAL)
        if name != disk.scheduler:
            self.disks.set_scheduler(disk, name)
            if name == "none":
                self.disks.core.sysfs.remove_by_name(directory, "iosched")
            else:
                self._add_scheduler_files(disk, directory)

    def _add_scheduler_files(self, disk: Disk, directory: SysfsDirectory) -> None:
        iosched = self._directory(directory, "iosched")
        values = {
            "async_depth": disk.queue["nr_requests"], "fifo_batch": 16, "front_merges": 1, "prio_aging_expire": 10000,
            "read_expire": 500, "write_expire": 5000, "writes_starved": 2,
        }  # fmt: skip

        def set_value(name: str, data: bytes) -> None:
            values[name] = stored(data)

        for name in values:
            self.writable(iosched, {name: (partial(values.__getitem__, name), partial(set_value, name))})


def _show(value: Callable[[], object]) -> bytes:
    return f"{value()}\n".encode("latin-1")


def _refused(data: bytes) -> None:
    raise err(errno.EINVAL)
