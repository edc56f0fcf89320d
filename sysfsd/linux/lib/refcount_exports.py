"""Reference counts that saturate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area, modelled

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/refcount.c", "lib/dec_and_lock.c")

_SATURATED: Final = -0x40000000
#: A reference less than there are.
REFCOUNT_SUB_UAF: Final = 3

#: By ``enum refcount_saturation_type``: the line and the place of the warning, and what it says.
_WARNINGS: Final = {
    0: (19, 0x74, "saturated; leaking memory"),
    1: (22, 0x51, "saturated; leaking memory"),
    2: (25, 0x97, "addition on 0; use-after-free"),
    3: (28, 0xBA, "underflow; use-after-free"),
    4: (31, 0xFB, "decrement hit 0; leaking memory"),
}


def _warn_once(kernel: Kernel, line: int, text: str, site: str) -> None:
    kernel.traps.warn_at("lib/refcount.c", line, f"refcount_t: {text}.", site, once=True)


@export("void refcount_warn_saturate(refcount_t *r, enum refcount_saturation_type t)")
def refcount_warn_saturate(kernel: Kernel, r: StructView, t: int) -> None:
    r["refs.counter"] = _SATURATED
    line, offset, text = _WARNINGS.get(t, (34, 0xE1, "unknown saturation event!?"))
    _warn_once(kernel, line, text, f"refcount_warn_saturate+{offset:#x}")


@export("bool refcount_dec_if_one(refcount_t *r)")
def refcount_dec_if_one(kernel: Kernel, r: StructView) -> bool:
    if r["refs.counter"] != 1:
        return False
    r["refs.counter"] = 0
    return True


def _dec_not_one(kernel: Kernel, r: StructView) -> bool:
    """Whether it has been seen to: it was not the last reference."""
    value = r["refs.counter"]
    if value == 0:
        _warn_once(kernel, 87, "underflow; use-after-free", "refcount_dec_not_one+0x48")
    elif value == 1:
        return False
    elif value != _SATURATED:
        r["refs.counter"] = value - 1
    return True


@export("bool refcount_dec_not_one(refcount_t *r)")
def refcount_dec_not_one(kernel: Kernel, r: StructView) -> bool:
    return _dec_not_one(kernel, r)


# The last reference goes under a lock


def _call(kernel: Kernel, name: str, *args: object) -> int:
    """Another of the kernel's functions."""
    function = modelled()[name].function
    assert function is not None
    return int(function(kernel, *args) or 0)


@export("bool refcount_dec_and_lock(refcount_t *r, spinlock_t *lock)")
def refcount_dec_and_lock(kernel: Kernel, r: StructView, lock: StructView) -> bool:
    if _dec_not_one(kernel, r):
        return False
    _call(kernel, "_raw_spin_lock", lock)
    r["refs.counter"] -= 1
    if not r["refs.counter"]:
        return True
    _call(kernel, "_raw_spin_unlock", lock)
    return False


@export("bool refcount_dec_and_lock_irqsave(refcount_t *r, spinlock_t *lock, unsigned long *flags)")
def refcount_dec_and_lock_irqsave(kernel: Kernel, r: StructView, lock: StructView, flags: int) -> bool:
    if _dec_not_one(kernel, r):
        return False
    kernel.memory.write_pointer(flags, _call(kernel, "_raw_spin_lock_irqsave", lock))
    r["refs.counter"] -= 1
    if not r["refs.counter"]:
        return True
    _call(kernel, "_raw_spin_unlock_irqrestore", lock, kernel.memory.read_pointer(flags))
    return False


@export("bool refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *lock)")
def refcount_dec_and_mutex_lock(kernel: Kernel, r: StructView, lock: StructView) -> bool:
    if _dec_not_one(kernel, r):
        return False
    _call(kernel, "mutex_lock", lock)
    r["refs.counter"] -= 1
    if not r["refs.counter"]:
        return True
    _call(kernel, "mutex_unlock", lock)
    return False


@export("int _atomic_dec_and_lock(atomic_t *atomic, spinlock_t *lock)")
def _atomic_dec_and_lock(kernel: Kernel, atomic: StructView, lock: StructView) -> bool:
    if atomic["counter"] != 1:
        atomic["counter"] -= 1
        return False
    _call(kernel, "_raw_spin_lock", lock)
    atomic["counter"] -= 1
    if not atomic["counter"]:
        return True
    _call(kernel, "_raw_spin_unlock", lock)
    return False


@export("int _atomic_dec_and_lock_irqsave(atomic_t *atomic, spinlock_t *lock, unsigned long *flags)")
def _atomic_dec_and_lock_irqsave(kernel: Kernel, atomic: StructView, lock: StructView, flags: int) -> bool:
    if atomic["counter"] != 1:
        atomic["counter"] -= 1
        return False
    kernel.memory.write_pointer(flags, _call(kernel, "_raw_spin_lock_irqsave", lock))
    atomic["counter"] -= 1
    if not atomic["counter"]:
        return True
    _call(kernel, "_raw_spin_unlock_irqrestore", lock, kernel.memory.read_pointer(flags))
    return False
