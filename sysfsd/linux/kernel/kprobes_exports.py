"""Probes of functions and of their returns."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.kprobes import Kprobes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/kprobes.c")


def _kprobes(kernel: Kernel) -> Kprobes:
    return kernel.state(Kprobes)


def _each(kernel: Kernel, struct: str, array: int, num: int) -> Iterator[StructView]:
    return (kernel.struct(struct, kernel.memory.read_pointer(array + 8 * i)) for i in range(num))


def _register_all(
    views: list[StructView], register: Callable[[StructView], int], unregister: Callable[[StructView], None]
) -> int:
    """All of them, or none.

    :raises OSError: EINVAL where there are none, and as *register*
    """
    if not views:
        raise err(errno.EINVAL)
    for i, view in enumerate(views):
        try:
            register(view)
        except OSError:
            for done in views[:i]:
                unregister(done)
            raise
    return 0


@export("int register_kprobe(struct kprobe *p)")
def register_kprobe(kernel: Kernel, p: StructView) -> int:
    return _kprobes(kernel).register(p)


@export("void unregister_kprobe(struct kprobe *p)")
def unregister_kprobe(kernel: Kernel, p: StructView) -> None:
    _kprobes(kernel).unregister(p)


@export("int register_kprobes(struct kprobe **kps, int num)")
def register_kprobes(kernel: Kernel, kps: int, num: int) -> int:
    kprobes = _kprobes(kernel)
    return _register_all(list(_each(kernel, "kprobe", kps, num)), kprobes.register, kprobes.unregister)


@export("void unregister_kprobes(struct kprobe **kps, int num)")
def unregister_kprobes(kernel: Kernel, kps: int, num: int) -> None:
    for probe in _each(kernel, "kprobe", kps, num):
        _kprobes(kernel).unregister(probe)


@export("int enable_kprobe(struct kprobe *kp)")
def enable_kprobe(kernel: Kernel, kp: StructView) -> int:
    return _kprobes(kernel).set_enabled(kp, True)


@export("int disable_kprobe(struct kprobe *kp)")
def disable_kprobe(kernel: Kernel, kp: StructView) -> int:
    return _kprobes(kernel).set_enabled(kp, False)


@export("int register_kretprobe(struct kretprobe *rp)")
def register_kretprobe(kernel: Kernel, rp: StructView) -> int:
    return _kprobes(kernel).register_return(rp)


@export("void unregister_kretprobe(struct kretprobe *rp)")
def unregister_kretprobe(kernel: Kernel, rp: StructView) -> None:
    _kprobes(kernel).unregister_return(rp)


@export("int register_kretprobes(struct kretprobe **rps, int num)")
def register_kretprobes(kernel: Kernel, rps: int, num: int) -> int:
    kprobes = _kprobes(kernel)
    views = list(_each(kernel, "kretprobe", rps, num))
    return _register_all(views, kprobes.register_return, kprobes.unregister_return)


@export("void unregister_kretprobes(struct kretprobe **rps, int num)")
def unregister_kretprobes(kernel: Kernel, rps: int, num: int) -> None:
    for rp in _each(kernel, "kretprobe", rps, num):
        _kprobes(kernel).unregister_return(rp)
