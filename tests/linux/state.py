"""What a kernel must be again after a refusal."""

from __future__ import annotations

from typing import NamedTuple

from sysfsd.linux.kernel.module.loader import free_module
from sysfsd.linux.kernel.module.module import ModuleState
from sysfsd.linux.system import Kernel

__all__ = ["KernelState", "bury", "log", "state"]


class KernelState(NamedTuple):
    """Everything that loading a module takes."""

    holes: list[tuple[int, int]]
    percpu: list[tuple[int, int]]
    strings: set[int]
    exports: set[str]
    #: Name, size, references, users, state, address and flags, as in /proc/modules.
    modules: list[tuple[str, int, int, list[str], ModuleState, int, str]]


def state(kernel: Kernel) -> KernelState:
    """What is taken now."""
    return KernelState(
        list(kernel.memory.modules._holes),
        list(kernel.percpu._used),
        set(kernel.kmalloced_params),
        set(kernel.modules._exports),
        [
            (
                mod.name,
                mod.core_layout.size + mod.init_layout.size,
                mod.refcount,
                [user.name for user in mod.source_list],
                mod.state,
                mod.core_layout.base,
                mod.flags(),
            )
            for mod in kernel.modules._modules.values()
        ],
    )


def bury(kernel: Kernel) -> None:
    """Take away modules whose init or exit has died, which a kernel keeps for ever."""
    with kernel.lock:
        for mod in list(kernel.modules):
            if mod.state is not ModuleState.LIVE:
                kernel.modules.set_state(mod, ModuleState.GOING)
                free_module(kernel, mod)


def log(kernel: Kernel) -> list[str]:
    """The messages in the log."""
    return [record.text.decode("latin-1") for record in kernel.log.records()]
