"""What a driver is given until it leaves the device (drivers/base/devres.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sysfsd.linux.drivers.base.core import DriverCore
    from sysfsd.linux.struct_view import StructView

__all__ = ["DeviceResources"]


@dataclass
class _Resource:
    """``struct devres``: what a device gives back when its driver leaves it."""

    data: int
    release: int | Callable[[int], None]
    size: int
    name: str = ""


class DeviceResources:
    """The managed resources of the devices of one kernel."""

    def __init__(self, core: DriverCore) -> None:
        self.core = core
        self.kernel = core.kernel
        self._resources: dict[int, list[_Resource]] = {}
        self._unadded: dict[int, _Resource] = {}

    # Resources

    def alloc(self, release: int | Callable[[int], None], size: int, name: str = "") -> int:
        """``devres_alloc()``.

        :returns: the address of the resource's data
        :raises OSError: ENOMEM
        """
        data = self.kernel.slab.kmalloc(size or 1)
        self._unadded[data] = _Resource(data, release, size, name)
        return data

    def free(self, data: int) -> None:
        if self._unadded.pop(data, None) is not None:
            self.kernel.slab.kfree(data)

    def add(self, dev: StructView, data: int) -> None:
        found = self._unadded.pop(data, None)
        if found is not None:
            self._resources.setdefault(dev.address, []).append(found)

    def find(
        self, dev: StructView, release: int | None, match: Callable[[int], Any] | None, size: int | None = None
    ) -> _Resource | None:
        """``find_dr()``: the newest that fits."""
        for found in reversed(self._resources.get(dev.address, [])):
            if (release is None or found.release == release) and (match is None or match(found.data)):
                return found
        return None

    def remove(self, dev: StructView, found: _Resource) -> None:
        self._resources[dev.address].remove(found)
        if not self._resources[dev.address]:
            del self._resources[dev.address]
        self._unadded[found.data] = found

    def release(self, dev: StructView, found: _Resource) -> None:
        """Have one given back now."""
        if callable(found.release):
            found.release(found.data)
        elif found.release:
            self.kernel.cpu.call(found.release, dev.address, found.data)
        self.free(found.data)

    def release_all(self, dev: StructView) -> None:
        """``devres_release_all()``: the newest first."""
        while self._resources.get(dev.address):
            found = self._resources[dev.address][-1]
            self.remove(dev, found)
            self.release(dev, found)
