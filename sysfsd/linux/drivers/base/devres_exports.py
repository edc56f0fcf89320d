"""What a device's driver is given until it leaves the device."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.lib.vsprintf import vsnprintf

if TYPE_CHECKING:
    from collections.abc import Callable

    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/base/devres.c")


def _core(kernel: Kernel) -> DriverCore:
    return kernel.state(DriverCore)


def _keep(_data: int) -> None:
    """Memory needs nothing but to be freed."""


@export("void *__devres_alloc_node(dr_release_t release, size_t size, gfp_t gfp, int nid, const char *name)")
def __devres_alloc_node(kernel: Kernel, release: int, size: int, gfp: int, nid: int, name: bytes | None) -> int:
    return _core(kernel).devres.alloc(release, size, (name or b"").decode("latin-1"))


@export("void devres_free(void *res)")
def devres_free(kernel: Kernel, res: int) -> None:
    _core(kernel).devres.free(res)


@export("void devres_add(struct device *dev, void *res)")
def devres_add(kernel: Kernel, dev: StructView, res: int) -> None:
    _core(kernel).devres.add(dev, res)


def _match(kernel: Kernel, dev: StructView, match: int, match_data: int) -> Callable[[int], int] | None:
    return (lambda data: kernel.cpu.call(match, dev.address, data, match_data)) if match else None


@export("void *devres_find(struct device *dev, dr_release_t release, dr_match_t match, void *match_data)")
def devres_find(kernel: Kernel, dev: StructView, release: int, match: int, match_data: int) -> int:
    found = _core(kernel).devres.find(dev, release, _match(kernel, dev, match, match_data))
    return found.data if found is not None else 0


@export("void *devres_remove(struct device *dev, dr_release_t release, dr_match_t match, void *match_data)")
def devres_remove(kernel: Kernel, dev: StructView, release: int, match: int, match_data: int) -> int:
    found = _core(kernel).devres.find(dev, release, _match(kernel, dev, match, match_data))
    if found is None:
        return 0
    _core(kernel).devres.remove(dev, found)
    return found.data


@export("int devres_destroy(struct device *dev, dr_release_t release, dr_match_t match, void *match_data)")
def devres_destroy(kernel: Kernel, dev: StructView, release: int, match: int, match_data: int) -> int:
    data = devres_remove(kernel, dev, release, match, match_data)
    if not data:
        raise err(errno.ENOENT)
    _core(kernel).devres.free(data)
    return 0


@export("int devres_release(struct device *dev, dr_release_t release, dr_match_t match, void *match_data)")
def devres_release(kernel: Kernel, dev: StructView, release: int, match: int, match_data: int) -> int:
    found = _core(kernel).devres.find(dev, release, _match(kernel, dev, match, match_data))
    if found is None:
        raise err(errno.ENOENT)
    _core(kernel).devres.remove(dev, found)
    _core(kernel).devres.release(dev, found)
    return 0


def _alloc(kernel: Kernel, dev: StructView, size: int, data: bytes = b"") -> int:
    address = _core(kernel).devres.alloc(_keep, size)
    kernel.memory.write(address, data)
    _core(kernel).devres.add(dev, address)
    return address


@export("void *devm_kmalloc(struct device *dev, size_t size, gfp_t gfp)")
def devm_kmalloc(kernel: Kernel, dev: StructView, size: int, gfp: int) -> int:
    return _alloc(kernel, dev, size)


@export("char *devm_kstrdup(struct device *dev, const char *s, gfp_t gfp)")
def devm_kstrdup(kernel: Kernel, dev: StructView, s: bytes | None, gfp: int) -> int:
    return 0 if s is None else _alloc(kernel, dev, len(s) + 1, s + b"\0")


@export("void *devm_kmemdup(struct device *dev, const void *src, size_t len, gfp_t gfp)")
def devm_kmemdup(kernel: Kernel, dev: StructView, src: int, len: int, gfp: int) -> int:
    return _alloc(kernel, dev, len, kernel.memory.read(src, len))


@export("char *devm_kasprintf(struct device *dev, gfp_t gfp, const char *fmt, ...)")
def devm_kasprintf(kernel: Kernel, dev: StructView, gfp: int, fmt: bytes, args: CallVaList) -> int:
    text = vsnprintf(kernel, fmt, args)
    return _alloc(kernel, dev, len(text) + 1, text + b"\0")


@export("void devm_kfree(struct device *dev, const void *p)")
def devm_kfree(kernel: Kernel, dev: StructView, p: int) -> None:
    if not p:
        return
    core = _core(kernel)
    found = core.devres.find(dev, None, lambda data: data == p)
    if found is None:
        kernel.traps.warn_here("drivers/base/devres.c", 1073)
        return
    core.devres.remove(dev, found)
    core.devres.free(p)


@export("int devm_add_action(struct device *dev, void (*action)(void *), void *data)")
def devm_add_action(kernel: Kernel, dev: StructView, action: int, data: int) -> int:
    def run(_data: int) -> None:
        kernel.cpu.call(action, data)

    address = _core(kernel).devres.alloc(run, 16)
    kernel.memory.write_pointer(address, data)
    kernel.memory.write_pointer(address + 8, action)
    _core(kernel).devres.add(dev, address)
    return 0
