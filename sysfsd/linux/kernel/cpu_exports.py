"""Processors: their masks, their variables, calls from one to another."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.mm.percpu import NR_CPUS

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/cpu.c")

CPU_ALL = (1 << NR_CPUS) - 1


def _mask(kernel: Kernel, address: int) -> None:
    kernel.memory.write_int(address, CPU_ALL, 8)


for _name in ("possible", "online", "present", "active"):
    export.data(f"struct cpumask __cpu_{_name}_mask", _mask)

export.data("atomic_t __num_online_cpus", lambda kernel, address: kernel.memory.write_int(address, NR_CPUS, 4))


def _cpu_bit_bitmap(kernel: Kernel, address: int) -> None:
    """``cpu_bit_bitmap``: a mask for each processor, found by going back from a row that has its bit."""
    row = 8192 // 64 * 8
    for bit in range(64):
        kernel.memory.write_int(address + (bit + 1) * row, 1 << bit, 8)


export.data("unsigned long cpu_bit_bitmap[8320]", _cpu_bit_bitmap)

export.data("unsigned long cpu_all_bits[128]", lambda kernel, address: kernel.memory.write(address, b"\xff" * 1024))


@export("void cpus_read_lock(void)", "void cpus_read_unlock(void)")
def cpus_read_lock(kernel: Kernel) -> None:
    """Processors neither come nor go."""


# Processors that come and go: they do not


class CpuHotplug:
    """``cpuhp_hp_states[]``: what is to be done on each processor, by state."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.states: dict[int, tuple[int, int]] = {}
        self.online = (0, 1)

    def setup(self, state: int, startup: int, teardown: int, invoke: bool, multi: bool) -> int:
        """:raises OSError: ENOSPC, EBUSY, or what *startup* says"""
        constant = self._kernel.image.constant
        dynamic = 0
        for first in ("CPUHP_AP_ONLINE_DYN", "CPUHP_BP_PREPARE_DYN"):
            last = f"{first}_END"
            if state == constant(first):
                free = [n for n in range(constant(first), constant(last)) if n not in self.states]
                if not free:
                    raise err(errno.ENOSPC)
                state = dynamic = free[0]
        if not dynamic and state in self.states:
            raise err(errno.EBUSY)
        self.states[state] = (startup, teardown)
        if invoke and startup and not multi:
            for cpu in self.online:
                ret = self._kernel.cpu.call(startup, cpu)
                if ret:
                    for before in range(cpu - 1, -1, -1):
                        if teardown:
                            self._kernel.cpu.call(teardown, before)
                    del self.states[state]
                    raise err(-ret)
        return dynamic

    def remove(self, state: int, invoke: bool) -> None:
        _startup, teardown = self.states.pop(state, (0, 0))
        if invoke and teardown:
            for cpu in self.online:
                self._kernel.cpu.call(teardown, cpu)


_SETUP = "(enum cpuhp_state state, const char *name, bool invoke, int (*startup)(unsigned int), int (*teardown)(unsigned int), bool multi_instance)"  # noqa: E501


@export(f"int __cpuhp_setup_state{_SETUP}", f"int __cpuhp_setup_state_cpuslocked{_SETUP}")
def __cpuhp_setup_state(
    kernel: Kernel, state: int, name: bytes | None, invoke: bool, startup: int, teardown: int, multi_instance: bool
) -> int:
    return kernel.state(CpuHotplug).setup(state, startup, teardown, invoke, multi_instance)


@export("void __cpuhp_remove_state(enum cpuhp_state state, bool invoke)")
def __cpuhp_remove_state(kernel: Kernel, state: int, invoke: bool) -> None:
    kernel.state(CpuHotplug).remove(state, invoke)


@export("int __cpuhp_state_add_instance(enum cpuhp_state state, struct hlist_node *node, bool invoke)")
def __cpuhp_state_add_instance(kernel: Kernel, state: int, node: StructView, invoke: bool) -> int:
    hotplug = kernel.state(CpuHotplug)
    startup, _teardown = hotplug.states.get(state, (0, 0))
    if invoke and startup:
        for cpu in hotplug.online:
            ret = kernel.cpu.call(startup, cpu, node.address)
            if ret:
                raise err(-ret)
    return 0


@export("int __cpuhp_state_remove_instance(enum cpuhp_state state, struct hlist_node *node, bool invoke)")
def __cpuhp_state_remove_instance(kernel: Kernel, state: int, node: StructView, invoke: bool) -> int:
    hotplug = kernel.state(CpuHotplug)
    _startup, teardown = hotplug.states.get(state, (0, 0))
    if invoke and teardown:
        for cpu in hotplug.online:
            kernel.cpu.call(teardown, cpu, node.address)
    return 0
