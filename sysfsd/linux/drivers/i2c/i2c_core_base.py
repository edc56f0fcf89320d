"""I2C: adapters that modules bring, the chips behind them, and messages between them (drivers/i2c/i2c-core-base.c)."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.base import Subsystem
from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.drivers.i2c.i2c import (
    BLOCK_MAX,
    BYTE,
    BYTE_DATA,
    CLIENT_SLAVE,
    CLIENT_TEN,
    M_RD,
    M_TEN,
    QUICK,
    READ,
    WRITE,
)
from sysfsd.linux.drivers.i2c.i2c_core_smbus import Smbus
from sysfsd.linux.err import err
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.lib.kobject import SysfsDirectory, SysfsLink
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add_tail, list_del, list_entries

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["I2c"]


_NAME_SIZE: Final = 20
_CLIENT_END: Final = 0xFFFE
#: What is added to an address that is written to ``new_device``, for one of ten bits, or of this machine as a slave.
_TEN_BIT_OFFSET, _SLAVE_OFFSET = 0xA000, 0x1000
_FUNC_SMBUS_QUICK, _FUNC_SMBUS_READ_BYTE, _FUNC_SMBUS_READ_BYTE_DATA = 0x00010000, 0x00020000, 0x00080000
_CLASS_HWMON: Final = 1
_AQ_COMB, _AQ_COMB_WRITE_FIRST, _AQ_COMB_READ_SECOND, _AQ_COMB_SAME_ADDR = 1, 2, 4, 8
_AQ_NO_ZERO_LEN_READ, _AQ_NO_ZERO_LEN_WRITE = 0x20, 0x40
_ADDRESS: Final = re.compile(rb"[ \t\n]*([+-]?)(0[xX][0-9a-fA-F]+|\d+)([\0-\377]?)")
_MAX_ERRNO: Final = 4095
#: Where adapters are to be found as well, for programs that look there.
_COMPAT_CLASS: Final = "class/i2c-adapter"


class I2c:
    """The bus: adapters by number, clients as devices below them."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.core = kernel.state(DriverCore)
        self._bus = kernel.exports.data_address("i2c_bus_type")
        self._adapter_type = kernel.exports.data_address("i2c_adapter_type")
        self._client_type = kernel.exports.data_address("i2c_client_type")
        self.adapters: dict[int, StructView] = {}
        #: Transactions of SMBus.
        self.smbus = Smbus(self)

    # What the bus does

    def registered(self, subsys: Subsystem) -> None:
        subsys.match, subsys.probe, subsys.remove = self._match, self._probe, self._remove
        subsys.uevent, subsys.add_files = self._uevent, self._add_files

    def client(self, dev: StructView) -> StructView | None:
        """``i2c_verify_client()``."""
        if dev["type"] != self._client_type:
            return None
        address = self.kernel.image.structs.container_of(dev.address, "i2c_client", "dev")
        return self.kernel.struct("i2c_client", address)

    def adapter(self, dev: StructView) -> StructView | None:
        """``i2c_verify_adapter()``."""
        if dev["type"] != self._adapter_type:
            return None
        address = self.kernel.image.structs.container_of(dev.address, "i2c_adapter", "dev")
        return self.kernel.struct("i2c_adapter", address)

    def _driver(self, drv: StructView) -> StructView:
        address = self.kernel.image.structs.container_of(drv.address, "i2c_driver", "driver")
        return self.kernel.struct("i2c_driver", address)

    def match_id(self, table: int, client: StructView) -> StructView | None:
        """``i2c_match_id()``."""
        if not table or not client.address:
            return None
        entry, name = self.kernel.struct("i2c_device_id", table), client.string("name")
        while entry.string("name"):
            if entry.string("name") == name:
                return entry
            entry = self.kernel.struct("i2c_device_id", entry.address + entry.struct.size)
        return None

    def _match(self, dev: StructView, drv: StructView) -> bool:
        client = self.client(dev)
        return client is not None and self.match_id(self._driver(drv)["id_table"], client) is not None

    def _probe(self, dev: StructView) -> int:
        client = self.client(dev)
        if client is None:
            return 0
        driver, call = self._driver(dev.to("driver")), self.kernel.cpu.call
        client["irq"] = client["init_irq"]
        if not driver["id_table"]:
            return -errno.ENODEV
        if driver["probe_new"]:
            return call(driver["probe_new"], client.address)
        if driver["probe"]:
            found = self.match_id(driver["id_table"], client)
            return call(driver["probe"], client.address, found.address if found is not None else 0)
        return -errno.EINVAL

    def _remove(self, dev: StructView) -> None:
        client = self.client(dev)
        if client is None:
            return
        driver = self._driver(dev.to("driver"))
        if driver["remove"]:
            self.kernel.cpu.call(driver["remove"], client.address)
        client["irq"] = 0

    def _uevent(self, dev: StructView, env: StructView) -> None:
        client = self.client(dev)
        if client is not None:
            self.core.kobjects.add_var(env, b"MODALIAS=i2c:" + client.string("name"))

    def _add_files(self, dev: StructView, directory: SysfsDirectory) -> None:
        create, client, adapter = self.core.sysfs.create_own_file, self.client(dev), self.adapter(dev)
        device = client if client is not None else adapter
        if device is not None:
            create(directory, "name", 0o444, lambda: device.string("name") + b"\n")
        if client is not None:
            create(directory, "modalias", 0o444, lambda: b"i2c:" + client.string("name") + b"\n")
        if adapter is not None:
            create(directory, "new_device", 0o200, None, partial(self._new_device, adapter))
            create(directory, "delete_device", 0o200, None, partial(self._delete_device, adapter))

    # Drivers

    def register_driver(self, driver: StructView, owner: int) -> None:
        """:raises OSError: as driver_register()"""
        driver["driver.owner"], driver["driver.bus"] = owner, self._bus
        INIT_LIST_HEAD(self.kernel.memory, driver.at("clients"))
        self.core.driver.driver_register(driver.sub("driver"))
        for adapter in list(self.adapters.values()):
            self._detect(adapter, driver)

    def del_driver(self, driver: StructView) -> None:
        for client in self._listed(driver.at("clients")):
            list_del(self.kernel.memory, client.at("detected"))
            self.unregister_device(client)
        self.core.driver.driver_unregister(driver.sub("driver"))

    def _listed(self, head: int) -> Iterator[StructView]:
        container_of = self.kernel.image.structs.container_of
        for entry in list_entries(self.kernel.memory, head):
            yield self.kernel.struct("i2c_client", container_of(entry, "i2c_client", "detected"))

    # Adapters

    def add_adapter(self, adapter: StructView, number: int | None) -> None:
        """``i2c_add_adapter()``, or with a number that its owner wants.

        :raises OSError: EBUSY, EINVAL, and as device_add()
        """
        if number is None:
            number = next(nr for nr in range(len(self.adapters) + 1) if nr not in self.adapters)
        elif number in self.adapters or number < 0:
            self.kernel.traps.warn_at("drivers/i2c/i2c-core-base.c", 1646, "couldn't get idr")
            raise err(errno.EBUSY if number >= 0 else errno.EINVAL)
        adapter["nr"] = number
        self.adapters[number] = adapter
        try:
            self._register_adapter(adapter)
        except OSError:
            del self.adapters[number]
            raise

    def _register_adapter(self, adapter: StructView) -> None:
        kernel, core, name = self.kernel, self.core, adapter.string("name")
        if not name:
            kernel.traps.warn_at("drivers/i2c/i2c-core-base.c", 1525, "i2c adapter has no name")
            raise err(errno.EINVAL)
        if not adapter["algo"]:
            kernel.log.pr_err(f"i2c-core: adapter '{name.decode('latin-1')}': no algo supplied!")
            raise err(errno.EINVAL)
        INIT_LIST_HEAD(kernel.memory, adapter.at("userspace_clients"))
        INIT_LIST_HEAD(kernel.memory, adapter.at("userspace_clients_lock.wait_list"))
        adapter["timeout"] = adapter["timeout"] or 250
        dev = adapter.sub("dev")
        dev["bus"], dev["type"] = self._bus, self._adapter_type
        core.set_name(dev, b"i2c-%d" % adapter["nr"])
        core.device_initialize(dev)
        core.own_release[dev.address] = lambda: None
        try:
            core.device_add(dev)
        except OSError as error:
            text = f"i2c-core: adapter '{name.decode('latin-1')}': can't register device ({-(error.errno or 0)})"
            kernel.log.pr_err(text)
            core.put(dev)
            raise
        compat, own = core.sysfs.lookup(_COMPAT_CLASS), core.sysfs.directory(dev.sub("kobj"))
        assert isinstance(compat, SysfsDirectory)
        core.sysfs.add(SysfsLink(core.name(dev), compat, 0, own))
        for drv in list(self._drivers()):
            self._detect(adapter, drv)

    def _drivers(self) -> Iterator[StructView]:
        bus = self.core.bus.find_bus(self._bus)
        for driver in bus.drivers.values() if bus is not None else ():
            yield self._driver(self.kernel.struct("device_driver", driver.address))

    def del_adapter(self, adapter: StructView) -> None:
        number = adapter["nr"]
        if self.adapters.get(number) != adapter:
            return
        for client in self._listed(adapter.at("userspace_clients")):
            list_del(self.kernel.memory, client.at("detected"))
            self.unregister_device(client)
        # A client that is called dummy belongs to another, whose driver takes it away.
        for dummies in (False, True):
            for dev in list(self.core.children(adapter.at("dev"))):
                client_ = self.client(dev)
                if client_ is not None and (dummies or client_.string("name") != b"dummy"):
                    self.unregister_device(client_)
        dev = adapter.sub("dev")
        link = self.core.sysfs.lookup(f"{_COMPAT_CLASS}/{self.core.name(dev)}")
        if link is not None:
            self.core.sysfs.remove(link)
        self.core.device_unregister(dev)
        del self.adapters[number]
        self.kernel.memory.write(dev.address, bytes(dev.struct.size))

    def get_adapter(self, number: int) -> StructView | None:
        adapter = self.adapters.get(number)
        if adapter is None:
            return None
        owner = self.kernel.modules.address(adapter["owner"])
        if owner is not None and not owner.try_module_get():
            return None
        self.core.get(adapter.sub("dev"))
        return adapter

    def put_adapter(self, adapter: StructView) -> None:
        if adapter.address:
            owner = self.kernel.modules.address(adapter["owner"])
            if owner is not None:
                owner.module_put()
            self.core.put(adapter.sub("dev"))

    # Clients

    def _encoded(self, client: StructView) -> int:
        """``i2c_encode_flags_to_addr()``."""
        flags = client["flags"]
        return int(
            client["addr"]
            | (_TEN_BIT_OFFSET if flags & CLIENT_TEN else 0)
            | (_SLAVE_OFFSET if flags & CLIENT_SLAVE else 0)
        )

    def busy(self, adapter: StructView, address: int) -> bool:
        """``i2c_check_addr_busy()``."""
        clients = (self.client(dev) for dev in self.core.children(adapter.at("dev")))
        return any(client is not None and self._encoded(client) == address for client in clients)

    def new_client_device(self, adapter: StructView, info: StructView) -> StructView:
        """:raises OSError: EINVAL, EBUSY, and as device_register()"""
        return self._new_client(
            adapter,
            {name: info[name] for name in ("flags", "addr", "platform_data", "fwnode", "irq")},
            info.string("type")[: _NAME_SIZE - 1],
            info.string("dev_name") if info["dev_name"] else None,
        )

    def new_named(self, adapter: StructView, name: bytes, addr: int, flags: int = 0) -> StructView:
        """The same for a chip of which nothing else is known."""
        return self._new_client(adapter, {"flags": flags, "addr": addr}, name, None)

    def _new_client(self, adapter: StructView, info: dict[str, int], name: bytes, dev_name: bytes | None) -> StructView:
        kernel, core = self.kernel, self.core
        flags, addr = info["flags"], info["addr"]
        ten = bool(flags & CLIENT_TEN)
        if addr > (0x3FF if ten else 0x7F) or not (ten or addr):
            text = b"Invalid %d-bit I2C address 0x%02x\n" % (10 if ten else 7, addr)
            core.printk(Level.ERR, adapter.sub("dev"), text)
            raise err(errno.EINVAL)
        client = kernel.struct("i2c_client", kernel.slab.kmalloc(kernel.image.structs["i2c_client"].size))
        client["adapter"], client["flags"], client["addr"] = adapter.address, flags, addr
        client["init_irq"], client["name"] = info.get("irq", 0), name
        dev = client.sub("dev")
        dev["platform_data"], dev["fwnode"] = info.get("platform_data", 0), info.get("fwnode", 0)
        try:
            if self.busy(adapter, self._encoded(client)):
                kernel.slab.kfree(client.address)
                raise err(errno.EBUSY)
            dev["parent"], dev["bus"], dev["type"] = adapter.at("dev"), self._bus, self._client_type
            if dev_name is not None:
                core.set_name(dev, b"i2c-" + dev_name)
            else:
                core.set_name(dev, b"%d-%04x" % (adapter["nr"], self._encoded(client)))
            core.device_initialize(dev)
            core.own_release[dev.address] = lambda: kernel.slab.kfree(client.address)
            try:
                core.device_add(dev)
            except OSError:
                core.put(dev)
                raise
        except OSError as error:
            text = b"Failed to register i2c client %s at 0x%02x (%d)\n" % (name, addr, -(error.errno or 0))
            core.printk(Level.ERR, adapter.sub("dev"), text)
            raise
        return client

    def unregister_device(self, client: StructView) -> None:
        if 0 < client.address < (1 << 64) - _MAX_ERRNO:
            self.core.device_unregister(client.sub("dev"))

    def new_scanned_device(self, adapter: StructView, info: StructView, addresses: int, probe: int) -> StructView:
        """:raises OSError: ENODEV, and as :meth:`new_client_device`"""
        for addr in self._addresses(addresses):
            if not 0x08 <= addr <= 0x77:
                text = b"Invalid 7-bit address 0x%02x\n" % addr
                self.core.printk(Level.WARNING, adapter.sub("dev"), text)
            elif not self.busy(adapter, addr) and (
                self.kernel.cpu.call(probe, adapter.address, addr) if probe else self._default_probe(adapter, addr)
            ):
                info["addr"] = addr
                return self.new_client_device(adapter, info)
        raise err(errno.ENODEV)

    def _addresses(self, table: int) -> Iterator[int]:
        while (addr := self.kernel.memory.read_int(table, 2)) != _CLIENT_END:
            yield addr
            table += 2

    def functionality(self, adapter: StructView) -> int:
        return self.kernel.cpu.call(adapter.to("algo")["functionality"], adapter.address) & 0xFFFFFFFF

    def _default_probe(self, adapter: StructView, addr: int) -> bool:
        """``i2c_default_probe()``: whether something answers."""
        able = self.functionality(adapter)
        with self.buffer(BLOCK_MAX + 2) as data:
            if addr == 0x73 and adapter["class"] & _CLASS_HWMON and able & _FUNC_SMBUS_READ_BYTE_DATA:
                return self.smbus.smbus_xfer(adapter, addr, 0, READ, 0, BYTE_DATA, data) >= 0
            if addr & ~0x07 != 0x30 and addr & ~0x0F != 0x50 and able & _FUNC_SMBUS_QUICK:
                return self.smbus.smbus_xfer(adapter, addr, 0, WRITE, 0, QUICK, 0) >= 0
            if able & _FUNC_SMBUS_READ_BYTE:
                return self.smbus.smbus_xfer(adapter, addr, 0, READ, 0, BYTE, data) >= 0
        text = b"No suitable probing method supported for address 0x%02X\n" % addr
        self.core.printk(Level.WARNING, adapter.sub("dev"), text)
        return False

    def _detect(self, adapter: StructView, driver: StructView) -> None:
        """``i2c_detect()``: let a driver look for its chips."""
        if not driver["detect"] or not driver["address_list"] or not adapter["class"] & driver["class"]:
            return
        kernel = self.kernel
        with self.buffer(kernel.image.structs["i2c_client"].size) as address:
            client = kernel.struct("i2c_client", address)
            client["adapter"] = adapter.address
            for addr in self._addresses(driver["address_list"]):
                client["addr"] = addr
                if not self._detect_address(adapter, driver, client, addr):
                    break

    def _detect_address(self, adapter: StructView, driver: StructView, client: StructView, addr: int) -> bool:
        """:returns: whether to go on"""
        kernel, dev = self.kernel, adapter.sub("dev")
        if not 0x08 <= addr <= 0x77:
            self.core.printk(Level.WARNING, dev, b"Invalid probe address 0x%02x\n" % addr)
            return False
        if self.busy(adapter, addr) or not self._default_probe(adapter, addr):
            return True
        with self.buffer(kernel.image.structs["i2c_board_info"].size) as address:
            info = kernel.struct("i2c_board_info", address)
            info["addr"] = addr
            ret = kernel.cpu.call(driver["detect"], client.address, address)
            if ret:
                return ret == -errno.ENODEV
            name = info.string("type")
            if not name:
                text = b"%s detection function provided no name for 0x%x\n" % (driver.string("driver.name"), addr)
                self.core.printk(Level.ERR, dev, text)
                return True
            try:
                found = self.new_client_device(adapter, info)
            except OSError:
                self.core.printk(Level.ERR, dev, b"Failed creating %s at 0x%02x\n" % (name, info["addr"]))
                return True
        list_add_tail(kernel.memory, found.at("detected"), driver.at("clients"))
        return True

    # What users write

    def _complaint(self, adapter: StructView, text: bytes, number: int = errno.EINVAL) -> OSError:
        self.core.printk(Level.ERR, adapter.sub("dev"), text)
        return err(number)

    def _written_address(self, adapter: StructView, file: bytes, data: bytes) -> int:
        """:raises OSError: EINVAL"""
        found = _ADDRESS.match(data.partition(b"\0")[0])
        if found is None:
            raise self._complaint(adapter, file + b": Can't parse I2C address\n")
        sign, digits, after = found.groups()
        if after not in (b"", b"\n"):
            raise self._complaint(adapter, file + b": Extra parameters\n")
        base = 16 if digits[:2].lower() == b"0x" else 8 if digits[:1] == b"0" else 10
        value = int(digits, base)
        return (-value if sign == b"-" else value) & 0xFFFF

    def _new_device(self, adapter: StructView, data: bytes) -> None:
        """``new_device_store()``."""
        name, blank, rest = data.partition(b" ")
        if not blank:
            raise self._complaint(adapter, b"new_device: Missing parameters\n")
        if len(name) > _NAME_SIZE - 1:
            raise self._complaint(adapter, b"new_device: Invalid device name\n")
        addr, flags = self._written_address(adapter, b"new_device", rest), 0
        for offset, flag in ((_TEN_BIT_OFFSET, CLIENT_TEN), (_SLAVE_OFFSET, CLIENT_SLAVE)):
            if addr & offset == offset:
                addr, flags = addr & ~offset, flags | flag
        client = self.new_named(adapter, name, addr, flags)
        list_add_tail(self.kernel.memory, client.at("detected"), adapter.at("userspace_clients"))
        text = b"new_device: Instantiated device %s at 0x%02x\n" % (name, addr)
        self.core.printk(Level.INFO, adapter.sub("dev"), text)

    def _delete_device(self, adapter: StructView, data: bytes) -> None:
        """``delete_device_store()``."""
        addr = self._written_address(adapter, b"delete_device", data)
        for client in self._listed(adapter.at("userspace_clients")):
            if self._encoded(client) == addr:
                text = b"delete_device: Deleting device %s at 0x%02x\n" % (client.string("name"), client["addr"])
                self.core.printk(Level.INFO, adapter.sub("dev"), text)
                list_del(self.kernel.memory, client.at("detected"))
                self.unregister_device(client)
                return
        raise self._complaint(adapter, b"delete_device: Can't find device in list\n", errno.ENOENT)

    # Transfers

    def buffer(self, size: int) -> _Buffer:
        return _Buffer(self.kernel, size)

    def retried(self, adapter: StructView, attempt: Callable[[], int]) -> int:
        """What has lost the bus to another is made again."""
        sched = self.kernel.sched
        until, ret = sched.jiffies + adapter["timeout"], 0
        for _ in range(adapter["retries"] + 1):
            ret = attempt()
            if ret != -errno.EAGAIN or sched.jiffies > until:
                break
        return ret

    def transfer(self, adapter: StructView, msgs: int, num: int) -> int:
        """``__i2c_transfer()``."""
        xfer = adapter.to("algo")["master_xfer"]
        if not xfer:
            return -errno.EOPNOTSUPP
        if not msgs or num < 1:
            self.kernel.traps.warn_at("drivers/i2c/i2c-core-base.c", 2280)
            return -errno.EINVAL
        if adapter["quirks"] and self._quirk(adapter, msgs, num):
            return -errno.EOPNOTSUPP
        return self.retried(adapter, lambda: self.kernel.cpu.call(xfer, adapter.address, msgs, num))

    def _quirk(self, adapter: StructView, msgs: int, num: int) -> bool:
        """``i2c_check_for_quirks()``: whether an adapter cannot do that."""
        quirks, size = adapter.to("quirks"), self.kernel.image.structs["i2c_msg"].size
        all_msgs = [self.kernel.struct("i2c_msg", msgs + size * i) for i in range(num)]
        flags, max_num, lengths = quirks["flags"], quirks["max_num_msgs"], True

        def no(msg: StructView, why: str) -> bool:
            kind = "read" if msg["flags"] & M_RD else "write"
            text = f"adapter quirk: {why} (addr 0x{msg['addr']:04x}, size {msg['len']}, {kind})\n"
            self.core.printk(Level.ERR, adapter.sub("dev"), text.encode())
            return True

        def exceeded(value: int, limit: int) -> bool:
            return bool(limit) and value > limit

        if flags & _AQ_COMB:
            max_num = 2
            if num == 2:
                first, second = all_msgs
                if flags & _AQ_COMB_WRITE_FIRST and first["flags"] & M_RD:
                    return no(first, "1st comb msg must be write")
                if flags & _AQ_COMB_READ_SECOND and not second["flags"] & M_RD:
                    return no(second, "2nd comb msg must be read")
                if flags & _AQ_COMB_SAME_ADDR and first["addr"] != second["addr"]:
                    return no(first, "comb msg only to same addr")
                for msg, limit in ((first, "max_comb_1st_msg_len"), (second, "max_comb_2nd_msg_len")):
                    if exceeded(msg["len"], quirks[limit]):
                        return no(msg, "msg too long")
                lengths = False
        if exceeded(num, max_num):
            return no(all_msgs[0], "too many messages")
        for msg in all_msgs:
            reads = msg["flags"] & M_RD
            if lengths and exceeded(msg["len"], quirks["max_read_len" if reads else "max_write_len"]):
                return no(msg, "msg too long")
            if not msg["len"] and flags & (_AQ_NO_ZERO_LEN_READ if reads else _AQ_NO_ZERO_LEN_WRITE):
                return no(msg, "no zero length")
        return False

    def transfer_buffer(self, client: StructView, buf: int, count: int, flags: int) -> int:
        """``i2c_transfer_buffer_flags()``: one message."""
        size = self.kernel.image.structs["i2c_msg"].size
        with self.buffer(size) as address:
            msg = self.kernel.struct("i2c_msg", address)
            msg["addr"], msg["flags"] = client["addr"], flags | client["flags"] & M_TEN
            msg["len"], msg["buf"] = count & 0xFFFF, buf
            ret = self.transfer(client.to("adapter"), address, 1)
        return count if ret == 1 else ret


class _Buffer:
    """Memory for as long as a call takes."""

    def __init__(self, kernel: Kernel, size: int) -> None:
        self._slab, self._size = kernel.slab, size
        self._address = 0

    def __enter__(self) -> int:
        self._address = self._slab.kmalloc(self._size)
        return self._address

    def __exit__(self, *_exc: object) -> None:
        self._slab.kfree(self._address)
