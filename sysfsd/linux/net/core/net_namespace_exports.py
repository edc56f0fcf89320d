"""Network namespaces, of which there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.fs.proc.generic import ProcFs
from sysfsd.linux.lib.kobject import Sysfs
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add_tail, list_del
from sysfsd.linux.net.core.dev import NetDevices

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/core/net_namespace.c")

NPROTO = 46

_MIN_PERNET_OPS_ID = 3


def _init_net(kernel: Kernel, address: int) -> None:
    net = kernel.struct("net", address)
    for head in ("list", "exit_list", "dev_base_head", "rules_ops"):
        INIT_LIST_HEAD(kernel.memory, net.at(head))
    net["user_ns"] = kernel.exports.data_address("init_user_ns")
    net["passive.refs.counter"] = net["ns.count.refs.counter"] = 1
    net["ns.inum"] = 0xF0000000
    net["ifindex"] = 1
    proc = kernel.state(ProcFs)
    net["proc_net"], net["proc_net_stat"] = proc.net.address, proc.net_stat.address
    net["net_cookie"] = 1


def _net_namespace_list(kernel: Kernel, address: int) -> None:
    INIT_LIST_HEAD(kernel.memory, address)
    list_add_tail(kernel.memory, kernel.exports.data_address("init_net") + kernel.image.offset("net", "list"), address)


export.data("struct net init_net", _init_net)

export.data("struct list_head net_namespace_list", _net_namespace_list)

export.data(
    "struct rw_semaphore pernet_ops_rwsem",
    lambda kernel, address: INIT_LIST_HEAD(kernel.memory, kernel.struct("rw_semaphore", address).at("wait_list")),
)


class Net:
    """The network namespace of one kernel: what belongs to it, by the numbers that modules get for it."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.net = kernel.struct("net", kernel.exports.data_address("init_net"))
        self._ids: dict[int, int] = {}
        self._operations: dict[int, None] = {}
        self._capacity = 16
        self.net["gen"] = self._new_generic(self._capacity)
        self.rtnl_mutex = kernel.struct("mutex", kernel.slab.kmalloc(kernel.image.structs["mutex"].size))
        INIT_LIST_HEAD(kernel.memory, self.rtnl_mutex.at("wait_list"))
        self.devices = kernel.state(NetDevices)

    def _new_generic(self, capacity: int) -> int:
        """``net_alloc_generic()``."""
        address = self._kernel.slab.kmalloc(8 * (_MIN_PERNET_OPS_ID + capacity))
        self._kernel.struct("net_generic", address)["s.len"] = capacity
        return address

    def register(self, ops: StructView) -> None:
        """``register_pernet_operations()``: begin with the one namespace that there is.

        :raises OSError: what the operations' init says, ENOMEM
        """
        kernel = self._kernel
        if ops["id"]:
            taken = set(self._ids.values())
            number = next(n for n in range(_MIN_PERNET_OPS_ID, 1 << 20) if n not in taken)
            kernel.memory.write_int(ops["id"], number)
            self._ids[ops.address] = number
        self._operations[ops.address] = None
        try:
            self._init(ops)
        except OSError:
            self._forget(ops)
            raise

    def _forget(self, ops: StructView) -> None:
        self._operations.pop(ops.address, None)
        self._ids.pop(ops.address, None)

    def _init(self, ops: StructView) -> None:
        """``ops_init()``."""
        kernel, data = self._kernel, 0
        if ops["id"] and ops["size"]:
            data = kernel.slab.kmalloc(ops["size"])
            self._assign(self._ids[ops.address], data)
        if ops["init"]:
            ret = kernel.cpu.call(ops["init"], self.net.address)
            if ret:
                if data:
                    self._assign(self._ids[ops.address], 0)
                    kernel.slab.kfree(data)
                raise err(-ret)

    def _assign(self, number: int, data: int) -> None:
        """``net_assign_generic()``."""
        memory = self._kernel.memory
        generic = self.net["gen"]
        if number >= self._capacity + _MIN_PERNET_OPS_ID:
            old, capacity = generic, self._capacity
            self._capacity = max(2 * capacity, number)
            generic = self._new_generic(self._capacity)
            at = 8 * _MIN_PERNET_OPS_ID
            memory.write(generic + at, memory.read(old + at, 8 * capacity))
            self.net["gen"] = generic
            self._kernel.slab.kfree(old)
        memory.write_pointer(generic + 8 * number, data)

    def unregister(self, ops: StructView) -> None:
        """``unregister_pernet_operations()``."""
        kernel = self._kernel
        if ops.address not in self._operations:
            return
        for name in ("pre_exit", "exit"):
            if ops[name]:
                kernel.cpu.call(ops[name], self.net.address)
        for name in ("exit_batch", "exit_batch_rtnl"):
            if ops[name]:
                head = kernel.slab.kmalloc(16)
                INIT_LIST_HEAD(kernel.memory, head)
                list_add_tail(kernel.memory, self.net.at("exit_list"), head)
                kernel.cpu.call(ops[name], head, head)
                list_del(kernel.memory, self.net.at("exit_list"))
                kernel.slab.kfree(head)
        number = self._ids.get(ops.address)
        if number is not None and ops["size"]:
            where = self.net["gen"] + 8 * number
            kernel.slab.kfree(kernel.memory.read_pointer(where))
            kernel.memory.write_pointer(where, 0)
        self._forget(ops)

    def _class(self) -> StructView:
        """The directory of /sys/class/net."""
        core = self._kernel.state(DriverCore)
        found = core.class_.find_class(self.devices.class_.address)
        assert found is not None
        return core.subsys_kobj(found)

    def class_create_file(self, attr: StructView) -> None:
        """:raises OSError: EEXIST, ENOMEM"""
        sysfs = self._kernel.state(Sysfs)
        directory = sysfs.directory(self._class())
        assert directory is not None
        sysfs.create_file(directory, attr.address)

    def class_remove_file(self, attr: StructView) -> None:
        sysfs = self._kernel.state(Sysfs)
        directory = sysfs.directory(self._class())
        assert directory is not None
        sysfs.remove_by_name(directory, attr.string("attr.name").decode("latin-1"))


@export(
    "int register_pernet_subsys(struct pernet_operations *ops)",
    "int register_pernet_device(struct pernet_operations *ops)",
)
def register_pernet_subsys(kernel: Kernel, ops: StructView) -> int:
    kernel.state(Net).register(ops)
    return 0


@export(
    "void unregister_pernet_subsys(struct pernet_operations *ops)",
    "void unregister_pernet_device(struct pernet_operations *ops)",
)
def unregister_pernet_subsys(kernel: Kernel, ops: StructView) -> None:
    kernel.state(Net).unregister(ops)
