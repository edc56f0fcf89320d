"""PCI, of a machine that has no such devices."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.base import Subsystem
from sysfsd.linux.drivers.base.bus_exports import builtin_bus
from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.kobject import Kobjects, Sysfs
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add_tail, list_del, list_entries
from sysfsd.linux.lib.vsprintf import vsscanf

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area(
    "drivers/pci/pci-driver.c",
    "drivers/pci/pci.c",
    "drivers/pci/setup-bus.c",
    "drivers/pci/probe.c",
    "drivers/pci/pcie/portdrv_core.c",
    "drivers/pci/search.c",
    "drivers/pci/vgaarb.c",
)

_ANY_ID: Final = 0xFFFFFFFF

_ID_MEMBERS: Final = ("vendor", "device", "subvendor", "subdevice", "class", "class_mask", "driver_data")


def _nothing_fits(kernel: Kernel, subsys: Subsystem) -> None:
    subsys.match = lambda dev, drv: False


builtin_bus(export, "pci_bus_type", "pci", _nothing_fits)

builtin_bus(export, "pcie_port_bus_type", "pci_express", _nothing_fits)

export.data("int pci_pci_problems")

export.data("unsigned int pci_flags")


def _pci_root_buses(kernel: Kernel, address: int) -> None:
    INIT_LIST_HEAD(kernel.memory, address)


export.data("struct list_head pci_root_buses", _pci_root_buses)


@export("int __pci_register_driver(struct pci_driver *drv, struct module *owner, const char *mod_name)")
def __pci_register_driver(kernel: Kernel, drv: StructView, owner: StructView, mod_name: bytes | None) -> int:
    driver = drv.sub("driver")
    driver["name"], driver["bus"] = drv["name"], kernel.exports.data_address("pci_bus_type")
    driver["owner"] = owner.address
    driver["groups"], driver["dev_groups"] = drv["groups"], drv["dev_groups"]
    INIT_LIST_HEAD(kernel.memory, drv.at("dynids.list"))
    registered = kernel.state(DriverCore).driver.driver_register(driver)
    sysfs = kernel.state(Sysfs)
    directory = sysfs.directory(kernel.state(Kobjects).view(registered.private))
    assert directory is not None
    for name, store in (("new_id", _new_id_store), ("remove_id", _remove_id_store)):
        sysfs.create_own_file(directory, name, 0o200, None, partial(store, kernel, drv))
    return 0


def _dynids(kernel: Kernel, drv: StructView) -> Iterator[StructView]:
    """The identities that a driver has been given by users."""
    for entry in list_entries(kernel.memory, drv.at("dynids.list")):
        yield kernel.struct("pci_dynid", kernel.image.structs.container_of(entry, "pci_dynid", "node"))


def _id_table(kernel: Kernel, drv: StructView) -> Iterator[tuple[int, ...]]:
    """The identities that a driver knows by itself."""
    entry = kernel.struct("pci_device_id", drv["id_table"])
    while entry.address and (entry["vendor"] or entry["subvendor"] or entry["class_mask"]):
        yield tuple(entry[member] for member in _ID_MEMBERS)
        entry = kernel.struct("pci_device_id", entry.address + entry.struct.size)


def _matches(known: tuple[int, ...], ids: tuple[int, ...]) -> bool:
    """``pci_match_one_id()``."""
    numbers = all(its in (_ANY_ID, value) for its, value in zip(known[:4], ids[:4], strict=True))
    return numbers and not (known[4] ^ ids[4]) & known[5]


def _scan(data: bytes, fmt: bytes) -> list[int]:
    """:raises OSError: EINVAL for less than a vendor and a device"""
    values = [int(found.value) for found in vsscanf(data, fmt).stores]
    if len(values) < 2:
        raise err(errno.EINVAL)
    return values


def _new_id_store(kernel: Kernel, drv: StructView, data: bytes) -> None:
    """``new_id_store()``.

    :raises OSError: EINVAL, EEXIST
    """
    given = _scan(data, b"%x %x %x %x %x %x %lx")
    ids = tuple(given + [0, 0, _ANY_ID, _ANY_ID, 0, 0, 0][len(given) :])
    known = list(_id_table(kernel, drv))
    everything = len(given) == len(_ID_MEMBERS)
    if not everything and any(_matches(its, ids) for its in known):
        raise err(errno.EEXIST)
    if drv["id_table"] and all(its[-1] != ids[-1] for its in known):
        raise err(errno.EINVAL)
    there = [tuple(dynid[f"id.{member}"] for member in _ID_MEMBERS) for dynid in _dynids(kernel, drv)]
    if not everything and any(_matches(its, ids) for its in there):
        raise err(errno.EEXIST)
    pci_add_dynid(kernel, drv, *ids)


def _remove_id_store(kernel: Kernel, drv: StructView, data: bytes) -> None:
    """``remove_id_store()``.

    :raises OSError: EINVAL, ENODEV
    """
    given = _scan(data, b"%x %x %x %x %x %x")
    vendor, device, subvendor, subdevice, class_, class_mask = given + [0, 0, _ANY_ID, _ANY_ID, 0, 0][len(given) :]
    for dynid in _dynids(kernel, drv):
        if (
            (dynid["id.vendor"], dynid["id.device"]) == (vendor, device)
            and subvendor in (_ANY_ID, dynid["id.subvendor"])
            and subdevice in (_ANY_ID, dynid["id.subdevice"])
            and not (dynid["id.class"] ^ class_) & class_mask
        ):
            list_del(kernel.memory, dynid.at("node"))
            kernel.slab.kfree(dynid.address)
            return
    raise err(errno.ENODEV)


@export("void pci_unregister_driver(struct pci_driver *drv)")
def pci_unregister_driver(kernel: Kernel, drv: StructView) -> None:
    kernel.state(DriverCore).driver.driver_unregister(drv.sub("driver"))
    head = drv.at("dynids.list")
    while (entry := kernel.memory.read_pointer(head)) != head:
        kernel.memory.write_pointer(head, kernel.memory.read_pointer(entry))
        kernel.slab.kfree(entry)


@export(
    "int pci_add_dynid(struct pci_driver *drv, unsigned int vendor, unsigned int device, unsigned int subvendor,"
    " unsigned int subdevice, unsigned int class, unsigned int class_mask, unsigned long driver_data)"
)
def pci_add_dynid(kernel: Kernel, drv: StructView, *ids: int) -> int:
    address = kernel.slab.kmalloc(kernel.image.structs["pci_dynid"].size)
    dynid = kernel.struct("pci_dynid", address)
    for member, value in zip(_ID_MEMBERS, ids, strict=True):
        dynid[f"id.{member}"] = value
    list_add_tail(kernel.memory, dynid.at("node"), drv.at("dynids.list"))
    return 0


@export("int pcie_port_service_register(struct pcie_port_service_driver *new)")
def pcie_port_service_register(kernel: Kernel, new: StructView) -> int:
    new["driver.name"], new["driver.bus"] = new["name"], kernel.exports.data_address("pcie_port_bus_type")
    kernel.state(DriverCore).driver.driver_register(new.sub("driver"))
    return 0


@export("void pcie_port_service_unregister(struct pcie_port_service_driver *drv)")
def pcie_port_service_unregister(kernel: Kernel, drv: StructView) -> None:
    kernel.state(DriverCore).driver.driver_unregister(drv.sub("driver"))


@export("struct pci_dev *pci_get_device(unsigned int vendor, unsigned int device, struct pci_dev *from)")
def pci_get_device(kernel: Kernel, vendor: int, device: int, from_: StructView) -> int:
    return 0


@export(
    "struct pci_dev *pci_get_subsys(unsigned int vendor, unsigned int device, unsigned int ss_vendor,"
    " unsigned int ss_device, struct pci_dev *from)"
)
def pci_get_subsys(kernel: Kernel, vendor: int, device: int, ss_vendor: int, ss_device: int, from_: StructView) -> int:
    return 0


@export("struct pci_dev *pci_get_class(unsigned int class, struct pci_dev *from)")
def pci_get_class(kernel: Kernel, class_: int, from_: StructView) -> int:
    return 0


@export("struct pci_dev *pci_get_domain_bus_and_slot(int domain, unsigned int bus, unsigned int devfn)")
def pci_get_domain_bus_and_slot(kernel: Kernel, domain: int, bus: int, devfn: int) -> int:
    return 0


@export("struct pci_bus *pci_find_bus(int domain, int busnr)")
def pci_find_bus(kernel: Kernel, domain: int, busnr: int) -> int:
    return 0


@export("struct pci_bus *pci_find_next_bus(const struct pci_bus *from)")
def pci_find_next_bus(kernel: Kernel, from_: StructView) -> int:
    return 0


@export("int pci_dev_present(const struct pci_device_id *ids)")
def pci_dev_present(kernel: Kernel, ids: StructView) -> int:
    return 0


@export("int no_pci_devices(void)")
def no_pci_devices(kernel: Kernel) -> int:
    return 1


@export("void pci_dev_put(struct pci_dev *dev)")
def pci_dev_put(kernel: Kernel, dev: StructView) -> None:
    if dev.address:
        kernel.state(DriverCore).put(dev.sub("dev"))


@export("struct pci_dev *pci_dev_get(struct pci_dev *dev)")
def pci_dev_get(kernel: Kernel, dev: StructView) -> StructView:
    if dev.address:
        kernel.state(DriverCore).get(dev.sub("dev"))
    return dev


@export("int vga_client_register(struct pci_dev *pdev, unsigned int (*set_decode)(struct pci_dev *, bool))")
def vga_client_register(kernel: Kernel, pdev: StructView, set_decode: int) -> int:
    raise err(errno.ENODEV)
