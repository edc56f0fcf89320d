"""Static keys and static calls: branches and calls that are patched into the code."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sysfsd.linux.arch.x86.alternative import jump_label_update
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.softirq import KSOFTIRQD

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/jump_label.c")

_HZ = 250

export.data("bool static_key_initialized", lambda kernel, address: kernel.memory.write_int(address, 1, 1))


@export("int static_key_count(struct static_key *key)")
def static_key_count(kernel: Kernel, key: StructView) -> int:
    return key["enabled.counter"]


def _set(kernel: Kernel, key: StructView, count: int) -> None:
    """Change how many want the key to be true; where that changes whether it is, so do the branches."""
    was = key["enabled.counter"]
    key["enabled.counter"] = count
    if (was > 0) != (count > 0):
        jump_label_update(kernel, key.address, count > 0)


@export("bool static_key_slow_inc(struct static_key *key)")
def static_key_slow_inc(kernel: Kernel, key: StructView) -> bool:
    _set(kernel, key, key["enabled.counter"] + 1)
    return True


@export("bool static_key_fast_inc_not_disabled(struct static_key *key)")
def static_key_fast_inc_not_disabled(kernel: Kernel, key: StructView) -> bool:
    if key["enabled.counter"] <= 0:
        return False
    key["enabled.counter"] += 1
    return True


@export("void static_key_slow_dec(struct static_key *key)")
def static_key_slow_dec(kernel: Kernel, key: StructView) -> None:
    if key["enabled.counter"] <= 0:
        kernel.traps.warn_at("kernel/jump_label.c", 277, "jump label: negative count!")
        return
    _set(kernel, key, key["enabled.counter"] - 1)


@export("void static_key_enable(struct static_key *key)", "void static_key_enable_cpuslocked(struct static_key *key)")
def static_key_enable(kernel: Kernel, key: StructView) -> None:
    if key["enabled.counter"] <= 0:
        _set(kernel, key, 1)


@export("void static_key_disable(struct static_key *key)", "void static_key_disable_cpuslocked(struct static_key *key)")
def static_key_disable(kernel: Kernel, key: StructView) -> None:
    if key["enabled.counter"] > 0:
        _set(kernel, key, 0)


@export("void __static_key_slow_dec_deferred(struct static_key *key, struct delayed_work *work, unsigned long timeout)")
def __static_key_slow_dec_deferred(kernel: Kernel, key: StructView, work: StructView, timeout: int) -> None:
    if key["enabled.counter"] > 1:
        key["enabled.counter"] -= 1
        return
    deadline = time.monotonic() + timeout / _HZ
    kernel.softirq.arm(key.address, deadline, lambda: static_key_slow_dec(kernel, key), KSOFTIRQD)


@export("void __static_key_deferred_flush(void *key, struct delayed_work *work)")
def __static_key_deferred_flush(kernel: Kernel, key: int, work: StructView) -> None:
    if kernel.softirq.disarm(key):
        static_key_slow_dec(kernel, kernel.struct("static_key", key))


@export("void jump_label_rate_limit(struct static_key_deferred *key, unsigned long rl)")
def jump_label_rate_limit(kernel: Kernel, key: StructView, rl: int) -> None:
    key["timeout"] = rl
