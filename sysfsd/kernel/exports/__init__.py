"""The functions and variables that the kernel gives to modules, a file for each area (:mod:`.registry` says how)."""

from __future__ import annotations

from sysfsd.kernel.exports import (  # noqa: F401 - each declares what it models
    bug,
    cred,
    driver_core,
    init_task,
    klist,
    kobject,
    kthread,
    locking,
    module,
    params,
    platform,
    printk,
    rcu,
    slab,
    smp,
    time,
    timer,
    wait,
    workqueue,
    x86,
)
from sysfsd.kernel.exports.registry import AREAS, Export, Exports

__all__ = ["AREAS", "Export", "Exports"]
