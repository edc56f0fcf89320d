"""Device numbers, and who has them (fs/char_dev.c, block/genhd.c, drivers/char/misc.c).

Whoever opens a device finds it by :meth:`DeviceNumbers.cdevs`.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["MKDEV", "CharRegion", "DeviceNumbers", "major", "minor"]

_MINOR_BITS: Final = 20
_MINOR_MASK: Final = (1 << _MINOR_BITS) - 1
CHRDEV_MAJOR_MAX: Final = 512
#: Majors that are handed out: from the first down to the second.
_DYNAMIC: Final = ((254, 234), (511, 384))
DYNAMIC_MINORS: Final = 128
MISC_DYNAMIC_MINOR: Final = 255
MISC_MAJOR: Final = 10
_ALL_MINORS: Final = (0, 1 << _MINOR_BITS)
#: The first minor that the kernel proper has taken under a name, and how many: where it has not taken all of a major.
_BUILTIN_MINORS: Final = {
    **dict.fromkeys(("mem", "vcs", "misc", "fb", "spi"), (0, 256)),
    "/dev/vc/0": (0, 1),
    "tty": (1, 63),
    "ttyS": (64, 32),
    "/dev/tty": (0, 1),
    "/dev/console": (1, 1),
    "/dev/ptmx": (2, 1),
    "input": (0, 1024),
}
#: More regions than there are majors, even if each has many.
_MANY: Final = 1 << 16


def major(dev: int) -> int:
    return dev >> _MINOR_BITS


def minor(dev: int) -> int:
    return dev & _MINOR_MASK


def MKDEV(ma: int, mi: int) -> int:  # noqa: N802 - the kernel's name
    return ma << _MINOR_BITS | mi


@dataclass(eq=False)
class CharRegion:
    """``struct char_device_struct``: minors of a major that somebody has taken."""

    major: int
    baseminor: int
    count: int
    name: str
    #: The cdev that came with it, if it did.
    cdev: int = 0


class DeviceNumbers:
    """The device numbers of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.regions: list[CharRegion] = []
        self.blocks: dict[int, str] = {}
        #: By the address of a ``struct cdev``: the numbers that it serves.
        self._cdevs: dict[int, range] = {}
        #: Misc devices: the minor by the address of the structure.
        self.misc: dict[int, int] = {}
        #: What the kernel proper has, as /proc/devices shows it: majors and names.
        self._read_builtin()

    def _read_builtin(self) -> None:
        """What the kernel proper has taken for itself."""
        proc = self._kernel.image.proc
        kind = ""
        for line in proc["devices"].splitlines():
            if line.endswith(":"):
                kind = line
            elif line.strip():
                number, name = line.split(None, 1)
                if kind.startswith("Block"):
                    self.blocks[int(number)] = name
                    continue
                self.regions.append(CharRegion(int(number), *_BUILTIN_MINORS.get(name, _ALL_MINORS), name))
        self.builtin_misc = {
            int(line.split()[0]): line.split()[1] for line in proc["misc"].splitlines() if line.strip()
        }

    # /proc/devices, /proc/misc

    def devices(self) -> bytes:
        """``devinfo_show()``."""
        regions = sorted(self.regions, key=lambda region: (region.major, region.baseminor))
        lines = ["Character devices:"]
        lines += [f"{region.major:3d} {region.name}" for region in regions]
        lines += ["", "Block devices:"]
        lines += [f"{number:3d} {name}" for number, name in sorted(self.blocks.items())]
        return "".join(f"{line}\n" for line in lines).encode("latin-1")

    def misc_devices(self) -> bytes:
        """``misc_seq_show()``: the newest first."""
        text = b""
        for address, number in reversed(self.misc.items()):
            device = self._kernel.struct("miscdevice", address)
            text += b"%3d %s\n" % (number, device.string("name") if device["name"] else b"")
        return text + b"".join(b"%3d %s\n" % (n, name.encode("latin-1")) for n, name in self.builtin_misc.items())

    # Character devices

    def register_region(self, major: int, baseminor: int, count: int, name: str) -> CharRegion:
        """``__register_chrdev_region()``; *major* 0: any.

        :raises OSError: EINVAL, EBUSY, ENOMEM
        """
        log = self._kernel.log
        if major >= CHRDEV_MAJOR_MAX:
            log.pr_err(
                f'CHRDEV "{name}" major requested ({major}) is greater than the maximum ({CHRDEV_MAJOR_MAX - 1})'
            )
            raise err(errno.EINVAL)
        if count > _MINOR_MASK + 1 - baseminor:
            last = (baseminor + count - 1) & 0xFFFFFFFF
            log.pr_err(
                f'CHRDEV "{name}" minor range requested ({baseminor}-{last}) is out of range of maximum range'
                f" (0-{_MINOR_MASK}) for a single major"
            )
            raise err(errno.EINVAL)
        if len(self.regions) >= _MANY:
            raise err(errno.ENOMEM)
        if major == 0:
            taken = {region.major for region in self.regions}
            free = [n for first, last in _DYNAMIC for n in range(first, last - 1, -1) if n not in taken]
            if not free:
                log.pr_err(f'CHRDEV "{name}" dynamic allocation region is full')
                raise err(errno.EBUSY)
            major = free[0]
        for region in self.regions:
            overlap = baseminor < region.baseminor + region.count and region.baseminor < baseminor + count
            if region.major == major and overlap:
                raise err(errno.EBUSY)
        new = CharRegion(major, baseminor, count, name[:63])
        self.regions.append(new)
        return new

    def unregister_region(self, major: int, baseminor: int, count: int) -> CharRegion | None:
        """``__unregister_chrdev_region()``: what was taken in just that way."""
        for region in self.regions:
            if (region.major, region.baseminor, region.count) == (major, baseminor, count):
                self.regions.remove(region)
                return region
        return None

    def cdev_map(self, cdev: int, dev: int, count: int) -> None:
        """``cdev_add()``'s part of it.

        :raises OSError: ENOMEM
        """
        if len(self._cdevs) >= _MANY:
            raise err(errno.ENOMEM)
        self._cdevs[cdev] = range(dev, dev + count)

    def cdev_unmap(self, cdev: int) -> None:
        self._cdevs.pop(cdev, None)

    def cdevs(self, dev: int) -> list[int]:
        """Each ``struct cdev`` that serves a number, those with the fewest first."""
        serving = [(len(numbers), cdev) for cdev, numbers in self._cdevs.items() if dev in numbers]
        return [cdev for _count, cdev in sorted(serving)]

    # Block devices

    def register_blkdev(self, major: int, name: str) -> int:
        """``__register_blkdev()``; *major* 0: any.

        :returns: what the function does: the major if it was any, else 0
        :raises OSError: EINVAL, EBUSY
        """
        log, wanted = self._kernel.log, major
        if major == 0:
            major = next((n for n in range(254, 0, -1) if n not in self.blocks), 0)
            if major == 0:
                log.pr_err(f"register_blkdev: failed to get major for {name}")
                raise err(errno.EBUSY)
        if major >= CHRDEV_MAJOR_MAX:
            log.pr_err(
                f"__register_blkdev: major requested ({major}) is greater than the maximum ({CHRDEV_MAJOR_MAX - 1})"
                f" for {name}"
            )
            raise err(errno.EINVAL)
        if major in self.blocks:
            log.pr_err(f"__register_blkdev: cannot get major {major} for {name}")
            raise err(errno.EBUSY)
        self.blocks[major] = name[:15]
        return major if wanted == 0 else 0

    def unregister_blkdev(self, major: int, name: str) -> None:
        if self.blocks.get(major) != name[:15]:
            self._kernel.traps.warn_here("block/genhd.c", 306)
            return
        del self.blocks[major]

    # Misc devices

    def misc_minor(self, wanted: int) -> int:
        """The minor of a new misc device.

        :raises OSError: EBUSY
        """
        taken = {*self.misc.values(), *self.builtin_misc}
        if wanted == MISC_DYNAMIC_MINOR:
            found = next((n for n in range(DYNAMIC_MINORS - 1, -1, -1) if n not in taken), None)
            if found is None:
                raise err(errno.EBUSY)
            return found
        if wanted in taken:
            raise err(errno.EBUSY)
        return wanted
