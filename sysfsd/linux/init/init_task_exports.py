"""The first task and the namespaces that every task is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("init/version.c", "init/init_task.c", "init/main.c")


def _init_task(kernel: Kernel, address: int) -> None:
    task = kernel.struct("task_struct", address)
    task["comm"] = b"swapper/0"
    task["usage.refs.counter"] = 2
    task["flags"] = 0x00200002
    task["real_parent"] = task["parent"] = task["group_leader"] = address
    task["prio"] = task["static_prio"] = task["normal_prio"] = 120
    for head in ("children", "sibling", "thread_group", "tasks", "thread_node"):
        task[f"{head}.next"] = task[f"{head}.prev"] = task.at(head)
    nsproxy = kernel.struct("nsproxy", kernel.slab.kmalloc(kernel.image.structs["nsproxy"].size))
    nsproxy["uts_ns"] = kernel.exports.data_address("init_uts_ns")
    nsproxy["net_ns"] = kernel.exports.data_address("init_net")
    nsproxy["pid_ns_for_children"] = kernel.exports.data_address("init_pid_ns")
    task["nsproxy"] = nsproxy.address
    cred = kernel.sched.new_cred(kernel.sched.init_cred)
    task["cred"] = task["real_cred"] = cred


def _init_uts_ns(kernel: Kernel, address: int) -> None:
    uts = kernel.struct("uts_namespace", address)
    proc, tunables = kernel.image.proc, kernel.tunables
    names = {
        "sysname": proc["sys/kernel/ostype"].strip(),
        "nodename": tunables.hostname,
        "release": kernel.image.release,
        "version": proc["sys/kernel/version"].strip(),
        "machine": "x86_64",
        "domainname": tunables.domainname,
    }
    for name, text in names.items():
        uts[f"name.{name}"] = text.encode("latin-1", "replace")


export.data("struct uts_namespace init_uts_ns", _init_uts_ns)

export.data("struct task_struct init_task", _init_task)

#: SYSTEM_RUNNING.
export.data("enum system_states system_state", lambda kernel, address: kernel.memory.write_int(address, 3, 4))
