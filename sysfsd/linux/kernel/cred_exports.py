"""Who asks: credentials, capabilities, namespaces of users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/cred.c")


class _Prepared:
    """Credentials that modules have made, by address."""

    def __init__(self, kernel: Kernel) -> None:
        self.creds: set[int] = set()


def _copy(kernel: Kernel, old: int) -> int:
    """A copy of credentials that nobody else uses yet."""
    size = kernel.image.structs["cred"].size
    new = kernel.slab.kmalloc(size)
    kernel.memory.write(new, kernel.memory.read(old, size))
    kernel.struct("cred", new)["usage.counter"] = 1
    kernel.state(_Prepared).creds.add(new)
    return new


@export("struct cred *prepare_creds(void)")
def prepare_creds(kernel: Kernel) -> int:
    return _copy(kernel, kernel.current.view["cred"])


@export("struct cred *prepare_kernel_cred(struct task_struct *daemon)")
def prepare_kernel_cred(kernel: Kernel, daemon: StructView) -> int:
    """Those of a task of the kernel's own; of the first if it is not said which."""
    task = daemon if daemon.address else kernel.struct("task_struct", kernel.exports.data_address("init_task"))
    return _copy(kernel, task["real_cred"])


@export("const struct cred *override_creds(const struct cred *new)")
def override_creds(kernel: Kernel, new: StructView) -> int:
    old: int = kernel.current.view["cred"]
    new["usage.counter"] += 1
    kernel.current.view["cred"] = new.address
    return old


@export("void revert_creds(const struct cred *old)")
def revert_creds(kernel: Kernel, old: StructView) -> None:
    override = kernel.struct("cred", kernel.current.view["cred"])
    kernel.current.view["cred"] = old.address
    _put(kernel, override)


def _put(kernel: Kernel, cred: StructView) -> None:
    cred["usage.counter"] -= 1
    if not cred["usage.counter"]:
        __put_cred(kernel, cred)


@export("void abort_creds(struct cred *new)")
def abort_creds(kernel: Kernel, new: StructView) -> None:
    _put(kernel, new)


@export("void __put_cred(struct cred *cred)")
def __put_cred(kernel: Kernel, cred: StructView) -> None:
    """Those of a task are freed with their task."""
    prepared = kernel.state(_Prepared).creds
    if cred.address in prepared:
        prepared.discard(cred.address)
        kernel.slab.kfree(cred.address)
