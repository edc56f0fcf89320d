"""Platform devices and their drivers."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.base import Subsystem
from sysfsd.linux.drivers.base.bus_exports import builtin_bus
from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.drivers.base.swnode import SoftwareNodes
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.kernel.resource import IORESOURCE_MEM
from sysfsd.linux.lib.devres_exports import devm_ioremap_resource
from sysfsd.linux.lib.kobject import SysfsDirectory
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/base/platform.c")

_DEVID_NONE = -1

_DEVID_AUTO = -2

_EPROBE_DEFER = 517


class PlatformBus:
    """What the platform bus itself does."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.core = kernel.state(DriverCore)
        self.ids: set[int] = set()
        self.root = kernel.struct("device", kernel.exports.data_address("platform_bus"))
        self.root["init_name"] = kernel.slab.string(b"platform")
        self.core.device_register(self.root)

    def device(self, dev: StructView) -> StructView:
        structs = self._kernel.image.structs
        return self._kernel.struct("platform_device", structs.container_of(dev.address, "platform_device", "dev"))

    def driver(self, drv: StructView) -> StructView:
        structs = self._kernel.image.structs
        return self._kernel.struct("platform_driver", structs.container_of(drv.address, "platform_driver", "driver"))

    def match(self, dev: StructView, drv: StructView) -> bool:
        """``platform_match()`` without a firmware that describes devices: by the driver's table, or by name."""
        pdev, pdrv = self.device(dev), self.driver(drv)
        if pdev["driver_override"]:
            return pdev.string("driver_override") == drv.string("name")
        name = pdev.string("name")
        if not pdrv["id_table"]:
            return name == drv.string("name")
        entry = pdrv.to("id_table")
        while entry.string("name"):
            if entry.string("name") == name:
                pdev["id_entry"] = entry.address
                return True
            entry = self._kernel.struct("platform_device_id", entry.address + entry.struct.size)
        return False

    def probe(self, dev: StructView) -> int:
        pdrv = self.driver(dev.to("driver"))
        if not pdrv["probe"]:
            return 0
        ret = self._kernel.cpu.call(pdrv["probe"], self.device(dev).address)
        if pdrv["prevent_deferred_probe"] and ret == -_EPROBE_DEFER:
            self.core.printk(Level.WARNING, dev, b"probe deferral not supported\n")
            return -errno.ENXIO
        return ret

    def remove(self, dev: StructView) -> None:
        pdrv = self.driver(dev.to("driver"))
        address = self.device(dev).address
        if pdrv["remove_new"]:
            self._kernel.cpu.call(pdrv["remove_new"], address)
        elif pdrv["remove"] and self._kernel.cpu.call(pdrv["remove"], address):
            text = b"remove callback returned a non-zero value. This will be ignored.\n"
            self.core.printk(Level.WARNING, dev, text)

    # What the bus gives its devices

    def uevent(self, dev: StructView, env: StructView) -> None:
        self.core.kobjects.add_var(env, b"MODALIAS=platform:" + self.device(dev).string("name"))

    def add_files(self, dev: StructView, directory: SysfsDirectory) -> None:
        """``platform_dev_groups``; the device is on no node of memory."""
        if dev.address == self.root.address:
            return
        pdev, create = self.device(dev), self.core.sysfs.create_own_file
        create(directory, "modalias", 0o444, lambda: b"platform:" + pdev.string("name") + b"\n")
        create(
            directory,
            "driver_override",
            0o644,
            lambda: (pdev.string("driver_override") if pdev["driver_override"] else b"(null)") + b"\n",
            lambda data: self._set_override(pdev, data),
        )

    def _set_override(self, pdev: StructView, data: bytes) -> None:
        """``driver_set_override()``."""
        if len(data) >= PAGE_SIZE - 1:
            raise err(errno.EINVAL)
        slab, old = self._kernel.slab, pdev["driver_override"]
        name = data.partition(b"\0")[0].partition(b"\n")[0]
        pdev["driver_override"] = slab.string(name) if name else 0
        if old:
            slab.kfree(old)

    # Devices

    def alloc(self, name: bytes, id: int) -> StructView:
        """``platform_device_alloc()``.

        :raises OSError: ENOMEM
        """
        struct = self._kernel.image.structs["platform_device"]
        address = self._kernel.slab.kmalloc(struct.size + len(name) + 1)
        self._kernel.memory.write(address + struct.size, name + b"\0")
        pdev = self._kernel.struct("platform_device", address)
        pdev["name"], pdev["id"] = address + struct.size, id
        self.core.device_initialize(pdev.sub("dev"))
        self.setup_dma(pdev)
        self.core.own_release[pdev.at("dev")] = lambda: self.released(pdev)
        return pdev

    def setup_dma(self, pdev: StructView) -> None:
        """``setup_pdev_dma_masks()``."""
        pdev["dev.dma_parms"] = pdev.at("dma_parms")
        if not pdev["dev.coherent_dma_mask"]:
            pdev["dev.coherent_dma_mask"] = 0xFFFFFFFF
        if not pdev["dev.dma_mask"]:
            pdev["platform_dma_mask"] = 0xFFFFFFFF
            pdev["dev.dma_mask"] = pdev.at("platform_dma_mask")

    def add(self, pdev: StructView) -> None:
        """``platform_device_add()``.

        :raises OSError: EINVAL, EEXIST, ENOMEM
        """
        if not pdev.address:
            raise err(errno.EINVAL)
        dev = pdev.sub("dev")
        if not dev["parent"]:
            dev["parent"] = self.root.address
        dev["bus"] = self._kernel.exports.data_address("platform_bus_type")
        name, id = pdev.string("name"), pdev["id"]
        if id == _DEVID_AUTO:
            id = next(number for number in range(len(self.ids) + 1) if number not in self.ids)
            self.ids.add(id)
            pdev["id"], pdev["id_auto"] = id, 1
            self.core.set_name(dev, b"%s.%d.auto" % (name, id))
        else:
            self.core.set_name(dev, name if id == _DEVID_NONE else b"%s.%d" % (name, id))
        try:
            self.core.device_add(dev)
        except OSError:
            self.forget_id(pdev)
            raise

    def forget_id(self, pdev: StructView) -> None:
        if pdev["id_auto"]:
            self.ids.discard(pdev["id"])
            pdev["id"] = _DEVID_AUTO & 0xFFFFFFFF

    def delete(self, pdev: StructView) -> None:
        """``platform_device_del()``."""
        if 0 < pdev.address < (1 << 64) - 4095:
            self.core.device_del(pdev.sub("dev"))
            self.forget_id(pdev)

    def put(self, pdev: StructView) -> None:
        """``platform_device_put()``."""
        if 0 < pdev.address < (1 << 64) - 4095:
            self.core.put(pdev.sub("dev"))

    def released(self, pdev: StructView) -> None:
        """``platform_device_release()``."""
        slab = self._kernel.slab
        for member in ("dev.platform_data", "mfd_cell", "resource", "driver_override"):
            if pdev[member]:
                slab.kfree(pdev[member])
        slab.kfree(pdev.address)

    def register_driver(self, pdrv: StructView, owner: int) -> None:
        """``__platform_driver_register()``."""
        pdrv["driver.owner"] = owner
        pdrv["driver.bus"] = self._kernel.exports.data_address("platform_bus_type")
        self.core.driver.driver_register(pdrv.sub("driver"))


def _bus(kernel: Kernel) -> PlatformBus:
    return kernel.state(PlatformBus)


def _with_functions(kernel: Kernel, subsys: Subsystem) -> None:
    bus = _bus(kernel)
    subsys.match, subsys.probe, subsys.remove = bus.match, bus.probe, bus.remove
    subsys.uevent, subsys.add_files = bus.uevent, bus.add_files


builtin_bus(export, "platform_bus_type", "platform", _with_functions)

export.data("struct device platform_bus")


@export("int __platform_driver_register(struct platform_driver *drv, struct module *owner)")
def __platform_driver_register(kernel: Kernel, drv: StructView, owner: StructView) -> int:
    _bus(kernel).register_driver(drv, owner.address)
    return 0


@export("void platform_driver_unregister(struct platform_driver *drv)")
def platform_driver_unregister(kernel: Kernel, drv: StructView) -> None:
    _bus(kernel).core.driver.driver_unregister(drv.sub("driver"))


@export(
    "int __platform_driver_probe(struct platform_driver *drv, int (*probe)(struct platform_device *),"
    " struct module *module)"
)
def __platform_driver_probe(kernel: Kernel, drv: StructView, probe: int, module: StructView) -> int:
    name = drv.string("driver.name").decode("latin-1")
    if drv["driver.probe_type"] == kernel.image.constant("PROBE_PREFER_ASYNCHRONOUS"):
        kernel.log.pr_err(f"{name}: drivers registered with __platform_driver_probe can not be probed asynchronously")
        raise err(errno.EINVAL)
    drv["driver.probe_type"] = kernel.image.constant("PROBE_FORCE_SYNCHRONOUS")
    drv["prevent_deferred_probe"] = drv["driver.suppress_bind_attrs"] = 1
    drv["probe"] = probe
    _bus(kernel).register_driver(drv, module.address)
    drv["probe"] = 0
    if not _bus(kernel).core.driver.drivers[drv.at("driver")].devices:
        _bus(kernel).core.driver.driver_unregister(drv.sub("driver"))
        raise err(errno.ENODEV)
    return 0


@export(
    "int __platform_register_drivers(struct platform_driver *const *drivers, unsigned int count, struct module *owner)"
)
def __platform_register_drivers(kernel: Kernel, drivers: int, count: int, owner: StructView) -> int:
    done: list[StructView] = []
    for index in range(count):
        drv = kernel.struct("platform_driver", kernel.memory.read_pointer(drivers + 8 * index))
        try:
            _bus(kernel).register_driver(drv, owner.address)
        except OSError as error:
            symbol = kernel.kallsyms.sprint_symbol(drv.address, offset=False)
            kernel.log.pr_err(f"failed to register platform driver {symbol}: {-(error.errno or 0)}")
            for other in reversed(done):
                _bus(kernel).core.driver.driver_unregister(other.sub("driver"))
            raise
        done.append(drv)
    return 0


@export("void platform_unregister_drivers(struct platform_driver *const *drivers, unsigned int count)")
def platform_unregister_drivers(kernel: Kernel, drivers: int, count: int) -> None:
    for index in reversed(range(count)):
        drv = kernel.struct("platform_driver", kernel.memory.read_pointer(drivers + 8 * index))
        _bus(kernel).core.driver.driver_unregister(drv.sub("driver"))


@export("struct platform_device *platform_device_alloc(const char *name, int id)")
def platform_device_alloc(kernel: Kernel, name: bytes, id: int) -> StructView:
    return _bus(kernel).alloc(name, id)


@export("int platform_device_add_data(struct platform_device *pdev, const void *data, size_t size)")
def platform_device_add_data(kernel: Kernel, pdev: StructView, data: int, size: int) -> int:
    kernel.slab.kfree(pdev["dev.platform_data"])
    pdev["dev.platform_data"] = _copy(kernel, data, size)
    return 0


def _copy(kernel: Kernel, data: int, size: int) -> int:
    if not data:
        return 0
    address = kernel.slab.kmalloc(size)
    kernel.memory.write(address, kernel.memory.read(data, size))
    return address


@export("int platform_device_add_resources(struct platform_device *pdev, const struct resource *res, unsigned int num)")
def platform_device_add_resources(kernel: Kernel, pdev: StructView, res: StructView, num: int) -> int:
    kernel.slab.kfree(pdev["resource"])
    pdev["resource"] = _copy(kernel, res.address, num * res.struct.size)
    pdev["num_resources"] = num
    return 0


@export("int platform_device_add(struct platform_device *pdev)")
def platform_device_add(kernel: Kernel, pdev: StructView) -> int:
    _bus(kernel).add(pdev)
    return 0


@export("int platform_device_register(struct platform_device *pdev)")
def platform_device_register(kernel: Kernel, pdev: StructView) -> int:
    _bus(kernel).core.device_initialize(pdev.sub("dev"))
    _bus(kernel).setup_dma(pdev)
    _bus(kernel).add(pdev)
    return 0


@export("struct platform_device *platform_device_register_full(const struct platform_device_info *pdevinfo)")
def platform_device_register_full(kernel: Kernel, pdevinfo: StructView) -> StructView:
    bus = _bus(kernel)
    pdev = bus.alloc(pdevinfo.string("name"), pdevinfo["id"])
    try:
        pdev["dev.parent"], pdev["dev.fwnode"] = pdevinfo["parent"], pdevinfo["fwnode"]
        if pdevinfo["dma_mask"]:
            pdev["platform_dma_mask"] = pdev["dev.coherent_dma_mask"] = pdevinfo["dma_mask"]
            pdev["dev.dma_mask"] = pdev.at("platform_dma_mask")
        number = pdevinfo["num_res"]
        pdev["resource"] = _copy(kernel, pdevinfo["res"], number * kernel.image.structs["resource"].size)
        pdev["num_resources"] = number
        pdev["dev.platform_data"] = _copy(kernel, pdevinfo["data"], pdevinfo["size_data"])
        if pdevinfo["properties"]:
            kernel.state(SoftwareNodes).create_managed(pdev.sub("dev"), pdevinfo["properties"], 0)
        bus.add(pdev)
    except OSError:
        bus.put(pdev)
        raise
    return pdev


@export("void platform_device_del(struct platform_device *pdev)")
def platform_device_del(kernel: Kernel, pdev: StructView) -> None:
    _bus(kernel).delete(pdev)


@export("void platform_device_put(struct platform_device *pdev)")
def platform_device_put(kernel: Kernel, pdev: StructView) -> None:
    _bus(kernel).put(pdev)


@export("void platform_device_unregister(struct platform_device *pdev)")
def platform_device_unregister(kernel: Kernel, pdev: StructView) -> None:
    _bus(kernel).delete(pdev)
    _bus(kernel).put(pdev)


@export("int platform_add_devices(struct platform_device **devs, int num)")
def platform_add_devices(kernel: Kernel, devs: int, num: int) -> int:
    done: list[StructView] = []
    for index in range(num):
        pdev = kernel.struct("platform_device", kernel.memory.read_pointer(devs + 8 * index))
        try:
            platform_device_register(kernel, pdev)
        except OSError:
            for other in reversed(done):
                platform_device_unregister(kernel, other)
            raise
        done.append(pdev)
    return 0


@export(
    "struct platform_device *__platform_create_bundle(struct platform_driver *driver,"
    " int (*probe)(struct platform_device *), struct resource *res, unsigned int n_res, const void *data, size_t size,"
    " struct module *module)"
)
def __platform_create_bundle(
    kernel: Kernel,
    driver: StructView,
    probe: int,
    res: StructView,
    n_res: int,
    data: int,
    size: int,
    module: StructView,
) -> StructView:
    bus = _bus(kernel)
    pdev = bus.alloc(driver.string("driver.name"), _DEVID_NONE)
    try:
        platform_device_add_resources(kernel, pdev, res, n_res)
        platform_device_add_data(kernel, pdev, data, size)
        bus.add(pdev)
        try:
            __platform_driver_probe(kernel, driver, probe, module)
        except OSError:
            bus.delete(pdev)
            raise
    except OSError:
        bus.put(pdev)
        raise
    return pdev


# Resources

_IORESOURCE_TYPE_BITS = 0x1F00


@export("struct resource *platform_get_resource(struct platform_device *dev, unsigned int type, unsigned int num)")
def platform_get_resource(kernel: Kernel, dev: StructView, type: int, num: int) -> int:
    struct = kernel.image.structs["resource"]
    for index in range(dev["num_resources"]):
        res = kernel.struct("resource", dev["resource"] + index * struct.size)
        if res["flags"] & _IORESOURCE_TYPE_BITS == type:
            if num == 0:
                return res.address
            num -= 1
    return 0


@export(
    "struct resource *platform_get_resource_byname(struct platform_device *dev, unsigned int type, const char *name)"
)
def platform_get_resource_byname(kernel: Kernel, dev: StructView, type: int, name: bytes) -> int:
    struct = kernel.image.structs["resource"]
    for index in range(dev["num_resources"]):
        res = kernel.struct("resource", dev["resource"] + index * struct.size)
        if res["name"] and res["flags"] & _IORESOURCE_TYPE_BITS == type and res.string("name") == name:
            return res.address
    return 0


@export(
    "void *devm_platform_get_and_ioremap_resource(struct platform_device *pdev, unsigned int index,"
    " struct resource **res)"
)
def devm_platform_get_and_ioremap_resource(kernel: Kernel, pdev: StructView, index: int, res: int) -> int:
    found = kernel.struct("resource", platform_get_resource(kernel, pdev, IORESOURCE_MEM, index))
    if res:
        kernel.memory.write_pointer(res, found.address)
    return int(devm_ioremap_resource(kernel, pdev.sub("dev"), found))


@export("void *devm_platform_ioremap_resource(struct platform_device *pdev, unsigned int index)")
def devm_platform_ioremap_resource(kernel: Kernel, pdev: StructView, index: int) -> int:
    return int(devm_platform_get_and_ioremap_resource(kernel, pdev, index, 0))


@export("void *devm_platform_ioremap_resource_byname(struct platform_device *pdev, const char *name)")
def devm_platform_ioremap_resource_byname(kernel: Kernel, pdev: StructView, name: bytes) -> int:
    found = kernel.struct("resource", platform_get_resource_byname(kernel, pdev, IORESOURCE_MEM, name))
    return int(devm_ioremap_resource(kernel, pdev.sub("dev"), found))
