"""Properties of devices, which on this machine only modules give them."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.swnode import SoftwareNodes
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/base/property.c")

_MAX_ERRNO: Final = 4095

_POINTER: Final = 8


@export("struct fwnode_handle *__dev_fwnode(struct device *dev)")
@export("const struct fwnode_handle *__dev_fwnode_const(const struct device *dev)")
def __dev_fwnode(kernel: Kernel, dev: StructView) -> int:
    return int(dev["fwnode"])


@export("const void *device_get_match_data(const struct device *dev)")
def device_get_match_data(kernel: Kernel, dev: StructView) -> int:
    """What firmware has said about a device, it has not."""
    return 0


# One property. Each function is there for a device and for a node


def _entry(kernel: Kernel, fwnode: int, name: bytes) -> StructView:
    """:raises OSError: EINVAL"""
    if not 0 < fwnode < (1 << 64) - _MAX_ERRNO:
        raise err(errno.EINVAL)
    entry = kernel.state(SoftwareNodes).entry(fwnode, name)
    if entry is None:
        raise err(errno.EINVAL)
    return entry


def _both(name: str, params: str, function: Callable[..., int], returns: str = "int") -> None:
    """Declare ``device_NAME()`` and ``fwnode_NAME()``."""

    @export(f"{returns} device_{name}(struct device *dev, const char *propname{params})")
    def of_device(kernel: Kernel, dev: StructView, *args: int) -> int:
        return function(kernel, dev["fwnode"], *args)

    @export(f"{returns} fwnode_{name}(const struct fwnode_handle *fwnode, const char *propname{params})")
    def of_node(kernel: Kernel, fwnode: StructView, *args: int) -> int:
        return function(kernel, fwnode.address, *args)


def _present(kernel: Kernel, fwnode: int, name: bytes) -> bool:
    try:
        _entry(kernel, fwnode, name)
    except OSError:
        return False
    return True


def _integers(size: int) -> Callable[..., int]:
    def read(kernel: Kernel, fwnode: int, name: bytes, values: int, count: int) -> int:
        entry = _entry(kernel, fwnode, name)
        if not values:
            return int(entry["length"]) // size
        kernel.memory.write(values, kernel.state(SoftwareNodes).values(entry, count * size))
        return 0

    return read


def _strings(kernel: Kernel, fwnode: int, name: bytes, values: int, count: int) -> int:
    entry = _entry(kernel, fwnode, name)
    there = int(entry["length"]) // _POINTER
    if not values:
        return there
    count = min(count, there)
    kernel.memory.write(values, kernel.state(SoftwareNodes).values(entry, count * _POINTER))
    return count


def _string(kernel: Kernel, fwnode: int, name: bytes, value: int) -> int:
    _strings(kernel, fwnode, name, value, 1)
    return 0


def _match(kernel: Kernel, fwnode: int, name: bytes, string: bytes) -> int:
    entry = _entry(kernel, fwnode, name)
    data = kernel.state(SoftwareNodes).values(entry, int(entry["length"]) // _POINTER * _POINTER)
    for at in range(0, len(data), _POINTER):
        pointer = int.from_bytes(data[at : at + _POINTER], "little")
        if pointer and kernel.memory.read_string(pointer) == string:
            return at // _POINTER
    raise err(errno.ENODATA)


_both("property_present", "", _present, "bool")

for _bits in (8, 16, 32, 64):
    _both(f"property_read_u{_bits}_array", f", u{_bits} *val, size_t nval", _integers(_bits // 8))

_both("property_read_string_array", ", const char **val, size_t nval", _strings)

_both("property_read_string", ", const char **val", _string)

_both("property_match_string", ", const char *string", _match)
