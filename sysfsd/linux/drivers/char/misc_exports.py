"""Misc devices: one major, a minor for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.exports import Area
from sysfsd.linux.fs.char_dev import MISC_DYNAMIC_MINOR, MISC_MAJOR, MKDEV
from sysfsd.linux.fs.char_dev_exports import device_numbers
from sysfsd.linux.lib.list import INIT_LIST_HEAD

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/char/misc.c")


# Misc devices


class MiscClass:
    """The class ``misc``, whose devices say themselves what they are called in /dev."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        core = kernel.state(DriverCore)
        self.address = core.class_.class_create(0, b"misc").address
        core.own_devnode[self.address] = self._devnode

    def _devnode(self, dev: StructView) -> tuple[str | None, int]:
        """``misc_devnode()``."""
        misc = self._kernel.struct("miscdevice", dev["driver_data"])
        name = misc.string("nodename").decode("latin-1") if misc["nodename"] else None
        return name, misc["mode"]


@export("int misc_register(struct miscdevice *misc)")
def misc_register(kernel: Kernel, misc: StructView) -> int:
    numbers = device_numbers(kernel)
    INIT_LIST_HEAD(kernel.memory, misc.at("list"))
    dynamic = misc["minor"] == MISC_DYNAMIC_MINOR
    number = numbers.misc_minor(misc["minor"])
    misc["minor"] = number
    try:
        dev = kernel.state(DriverCore).device_create(
            kernel.state(MiscClass).address,
            misc["parent"],
            MKDEV(MISC_MAJOR, number),
            misc.address,
            misc["groups"],
            misc.string("name"),
        )
    except OSError as error:
        misc["this_device"] = -(error.errno or 0)
        if dynamic:
            misc["minor"] = MISC_DYNAMIC_MINOR
        raise
    misc["this_device"] = dev.address
    numbers.misc[misc.address] = number
    return 0


@export("void misc_deregister(struct miscdevice *misc)")
def misc_deregister(kernel: Kernel, misc: StructView) -> None:
    numbers = device_numbers(kernel)
    if misc.address not in numbers.misc:
        kernel.traps.warn_here("drivers/char/misc.c", 247)
        return
    del numbers.misc[misc.address]
    kernel.state(DriverCore).device_unregister(kernel.struct("device", misc["this_device"]))
    if misc["minor"] < 128:
        misc["minor"] = MISC_DYNAMIC_MINOR
