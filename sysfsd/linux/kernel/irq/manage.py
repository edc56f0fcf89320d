"""Interrupts: who has asked for which, and the threads that handle them (kernel/irq/).

The machine is a PC with the sixteen interrupts of old; some are the kernel's own. No device raises any: what a module
injects is handled as if one had.
"""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.kernel.cred import INIT_CRED
from sysfsd.linux.kernel.kthread import Kthread
from sysfsd.linux.kernel.sched.core import HARDIRQ_OFFSET, PF_KTHREAD, Identity, TaskState
from sysfsd.linux.kernel.softirq import HARDIRQ

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["NR_IRQS", "Irqs"]

#: ``nr_irqs`` with two processors; those that exist are fewer.
NR_IRQS: Final = 440
_NR_LEGACY: Final = 16
#: Those that come as a level, as the firmware says.
_FASTEOI: Final = (5, 9, 10, 11)
_CHIP: Final = b"IO-APIC"
#: From where threads and handlers are called (docs/kernel-image.md).
_SITE, _SITE_HANDLER = "irq_thread", "irq_handler"
_EFLAGS_IF: Final = 0x200

# Flags of an action (include/linux/interrupt.h).
IRQF_TRIGGER_MASK: Final = 0xF
IRQF_SHARED: Final = 0x80
_IRQF_PROBE_SHARED: Final = 0x100
_IRQF_PERCPU: Final = 0x400
_IRQF_ONESHOT: Final = 0x2000
_IRQF_NO_SUSPEND: Final = 0x4000
_IRQF_COND_SUSPEND: Final = 0x40000
_IRQF_NO_AUTOEN: Final = 0x80000
_IRQ_NOTCONNECTED: Final = 1 << 31

#: What the kernel itself has asked for: flags and names.
_OWN_ACTIONS: Final = {
    0: (0x15A00, b"timer"),
    1: (IRQF_SHARED, b"i8042"),
    3: (0, b"ttyS1"),
    4: (0, b"ttyS0"),
    8: (0, b"rtc0"),
    9: (IRQF_SHARED, b"acpi"),
    12: (IRQF_SHARED, b"i8042"),
}

# irq_common_data.state_use_accessors (include/linux/irq.h).
_IRQD_ACTIVATED: Final = 1 << 9
_IRQD_IRQ_DISABLED: Final = 1 << 16
_IRQD_IRQ_MASKED: Final = 1 << 17
_IRQD_IRQ_STARTED: Final = 1 << 22
_IRQD_HANDLE_ENFORCE_IRQCTX: Final = 1 << 28
_IRQD_OFF: Final = _IRQD_IRQ_DISABLED | _IRQD_IRQ_MASKED
#: irq_desc.status_use_accessors.
_IRQ_NOPROBE: Final = 1 << 10
#: irq_desc.istate.
_IRQS_PENDING: Final = 0x200

# enum irqreturn.
_IRQ_WAKE_THREAD: Final = 2


def _name(action: StructView) -> str:
    """Who has asked, as ``%s`` prints it."""
    return action.string("name").decode("latin-1") if action["name"] else "(null)"


class _IrqThread:
    """A thread that handles interrupts: how often it still has to."""

    def __init__(self, kthread: Kthread) -> None:
        self.kthread = kthread
        self.pending = 0


class Irqs:
    """The interrupts of one kernel. A descriptor is in memory from when somebody first asks for it."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._descs: dict[int, StructView] = {}
        #: By the address of the action.
        self._threads: dict[int, _IrqThread] = {}
        self._chip = 0
        #: Those that devices give back by themselves (irq, dev_id), by the address of the device's resource.
        self.managed: dict[int, tuple[int, int]] = {}

    # Descriptors

    def desc(self, irq: int) -> StructView | None:
        """``irq_to_desc()``."""
        found = self._descs.get(irq)
        if found is None and 0 <= irq < _NR_LEGACY:
            found = self._descs[irq] = self._new_desc(irq)
        return found

    def existing(self, irq: int) -> StructView:
        """:raises OSError: EINVAL where there is no such interrupt"""
        desc = self.desc(irq)
        if desc is None:
            raise err(errno.EINVAL)
        return desc

    def _new_desc(self, irq: int) -> StructView:
        kernel, slab = self._kernel, self._kernel.slab
        if not self._chip:
            self._chip = slab.kmalloc(kernel.image.structs["irq_chip"].size)
            kernel.struct("irq_chip", self._chip)["name"] = slab.string(_CHIP)
        desc = kernel.struct("irq_desc", slab.kmalloc(kernel.image.structs["irq_desc"].size))
        data = desc.sub("irq_data")
        data["irq"] = data["hwirq"] = irq
        data["common"], data["chip"] = desc.at("irq_common_data"), self._chip
        handler = "handle_fasteoi_irq" if irq in _FASTEOI else "handle_edge_irq"
        desc["handle_irq"] = kernel.exports.address_of(handler)
        desc["name"] = slab.string(b"fasteoi" if irq in _FASTEOI else b"edge")
        desc["depth"] = 1
        self._state(desc, set_=_IRQD_OFF | _IRQD_HANDLE_ENFORCE_IRQCTX)
        if irq in _OWN_ACTIONS:
            flags, name = _OWN_ACTIONS[irq]
            desc["action"] = self._new_action(irq, 0, 0, flags, slab.string(name), 0).address
            self._startup(desc)
        return desc

    def _new_action(self, irq: int, handler: int, thread_fn: int, flags: int, name: int, dev_id: int) -> StructView:
        kernel = self._kernel
        action = kernel.struct("irqaction", kernel.slab.kmalloc(kernel.image.structs["irqaction"].size))
        action["irq"], action["handler"], action["thread_fn"] = irq, handler, thread_fn
        action["flags"], action["name"], action["dev_id"] = flags, name, dev_id
        return action

    def actions(self, desc: StructView) -> Iterator[StructView]:
        """Who has asked for it, the oldest first."""
        address = desc["action"]
        while address:
            action = self._kernel.struct("irqaction", address)
            address = action["next"]
            yield action

    def _state(self, desc: StructView, set_: int = 0, clear: int = 0) -> None:
        member = "irq_common_data.state_use_accessors"
        desc[member] = desc[member] & ~clear | set_

    def _startup(self, desc: StructView) -> None:
        """``irq_startup()``."""
        desc["depth"] = 0
        self._state(desc, set_=_IRQD_IRQ_STARTED | _IRQD_ACTIVATED, clear=_IRQD_OFF)

    def _shutdown(self, desc: StructView) -> None:
        """``irq_shutdown_and_deactivate()``."""
        if desc["irq_common_data.state_use_accessors"] & _IRQD_IRQ_STARTED:
            desc["depth"] = 1
        self._state(desc, set_=_IRQD_OFF, clear=_IRQD_IRQ_STARTED | _IRQD_ACTIVATED)

    # Asking for one, and giving it back

    def request(self, irq: int, handler: int, thread_fn: int, flags: int, name: int, dev_id: int) -> int:
        """``request_threaded_irq()``.

        :raises OSError: EINVAL, EBUSY, ENOTCONN
        """
        if irq == _IRQ_NOTCONNECTED:
            raise err(errno.ENOTCONN)
        shared = bool(flags & IRQF_SHARED)
        if (
            (shared and (not dev_id or flags & _IRQF_NO_AUTOEN))
            or (not shared and flags & _IRQF_COND_SUSPEND)
            or (flags & _IRQF_NO_SUSPEND and flags & _IRQF_COND_SUSPEND)
        ):
            raise err(errno.EINVAL)
        desc = self.existing(irq)
        if not handler and not thread_fn:
            raise err(errno.EINVAL)
        new = self._new_action(irq, handler, thread_fn, flags, name, dev_id)
        try:
            self._setup(desc, new)
        except OSError:
            self._kernel.slab.kfree(new.address)
            raise
        return 0

    def _setup(self, desc: StructView, new: StructView) -> None:
        """``__setup_irq()``."""
        log, irq, flags = self._kernel.log, new["irq"], new["flags"]
        others = list(self.actions(desc))
        if others:
            old = others[0]
            oldtype = old["flags"] & IRQF_TRIGGER_MASK
            if (
                not old["flags"] & flags & IRQF_SHARED
                or oldtype != flags & IRQF_TRIGGER_MASK
                or (old["flags"] ^ flags) & (_IRQF_ONESHOT | _IRQF_PERCPU)
            ):
                if not flags & _IRQF_PROBE_SHARED:
                    mine, theirs = (f"{action['flags']:08x} ({_name(action)})" for action in (new, old))
                    log.pr_err(f"genirq: Flags mismatch irq {irq}. {mine} vs. {theirs}")
                raise err(errno.EBUSY)
        if not new["handler"] and not flags & _IRQF_ONESHOT:
            log.pr_err(f"genirq: Threaded irq requested with handler=NULL and !ONESHOT for {_name(new)} (irq {irq})")
            raise err(errno.EINVAL)
        if new["thread_fn"]:
            self._start_thread(new)
        if others:
            others[-1]["next"] = new.address
        else:
            desc["action"] = new.address
            if not flags & _IRQF_NO_AUTOEN:
                self._startup(desc)
            else:
                desc["depth"] = 1

    def free(self, irq: int, dev_id: int) -> int:
        """``free_irq()``.

        :returns: the address of the name that it had been asked for with, 0 where it had not
        """
        kernel = self._kernel
        desc = self.desc(irq)
        if desc is None:
            return 0
        if kernel.current.in_interrupt:
            kernel.traps.warn_at("kernel/irq/manage.c", 1868, f"Trying to free IRQ {irq} from IRQ context!")
        before = desc.at("action")
        for action in self.actions(desc):
            if action["dev_id"] == dev_id:
                break
            before = action.at("next")
        else:
            kernel.traps.warn_at(
                "kernel/irq/manage.c", 1887, f"Trying to free already-free IRQ {irq}", "free_irq+0x1d3"
            )
            return 0
        kernel.memory.write_pointer(before, action["next"])
        if not desc["action"]:
            self._shutdown(desc)
        if desc["affinity_hint"]:
            kernel.traps.warn_at("kernel/irq/manage.c", 1913, site="free_irq+0x2f3", once=True)
            desc["affinity_hint"] = 0
        thread = self._threads.pop(action.address, None)
        if thread is not None:
            kernel.kthreads.stop(thread.kthread)
        name = action["name"]
        kernel.slab.kfree(action.address)
        return name

    # Threads

    def _start_thread(self, action: StructView) -> None:
        """``setup_irq_thread()``.

        :raises OSError: ENOMEM
        """
        kernel, sched = self._kernel, self._kernel.sched
        if kernel.kthreads.full:
            raise err(errno.ENOMEM)
        pid = sched.new_pid()
        name = f"irq/{action['irq']}-{_name(action)}"[:15]
        task = sched.new_task(Identity(pid, pid, name), INIT_CRED, flags=PF_KTHREAD)
        task.kthread = kthread = Kthread(task, 0, action.address, changed=kernel.condition())
        self._threads[action.address] = thread = _IrqThread(kthread)
        action["thread"] = task.address
        kernel.kthreads.spawn(task, lambda: self._irq_thread(thread, action), kthread)

    def _irq_thread(self, thread: _IrqThread, action: StructView) -> int:
        """``irq_thread()``."""
        task, sched = thread.kthread.task, self._kernel.sched
        thread.kthread.started = True
        while not thread.kthread.should_stop:
            if thread.pending:
                thread.pending -= 1
                self._kernel.cpu.call(action["thread_fn"], action["irq"], action["dev_id"], site=_SITE)
            else:
                task.state = TaskState.INTERRUPTIBLE
                sched.schedule()
        return 0

    def wake_thread(self, irq: int, dev_id: int) -> None:
        """``irq_wake_thread()``."""
        desc = self.desc(irq)
        for action in self.actions(desc) if desc is not None else ():
            if action["dev_id"] == dev_id:
                self._wake(action)
                break

    def _wake(self, action: StructView) -> None:
        thread = self._threads.get(action.address)
        if thread is not None:
            thread.pending = 1
            self._kernel.sched.wake_up(thread.kthread.task)

    # On, off

    def disable(self, irq: int) -> bool:
        """``__disable_irq_nosync()``: whether there is such an interrupt."""
        desc = self.desc(irq)
        if desc is None:
            return False
        if not desc["depth"]:
            self._state(desc, set_=_IRQD_IRQ_DISABLED)
        desc["depth"] += 1
        return True

    def enable(self, irq: int) -> None:
        """``enable_irq()``."""
        desc = self.desc(irq)
        if desc is None:
            return
        if not desc["depth"]:
            # The place that warns is in a function that the one that was called calls in turn.
            kernel = self._kernel
            sp = kernel.current.sp - 8
            kernel.memory.write_pointer(sp, kernel.exports.address_of("enable_irq") + 0x4E)
            regs = kernel.current.caller_regs()._replace(rsp=sp)
            text = f"Unbalanced enable for IRQ {irq}"
            kernel.traps.warn_at("kernel/irq/manage.c", 781, text, "__enable_irq+0x37", regs=regs)
        elif desc["depth"] == 1:
            desc["status_use_accessors"] |= _IRQ_NOPROBE
            self._startup(desc)
            if desc["core_internal_state__do_not_mess_with_it"] & _IRQS_PENDING:
                self._raise(irq)
        else:
            desc["depth"] -= 1

    def set_wake(self, irq: int, on: bool) -> int:
        """``irq_set_irq_wake()``."""
        desc = self.existing(irq)
        if on:
            desc["wake_depth"] += 1
        elif desc["wake_depth"]:
            desc["wake_depth"] -= 1
        else:
            self._kernel.traps.warn_at(
                "kernel/irq/manage.c", 907, f"Unbalanced IRQ {irq} wake disable", "irq_set_irq_wake+0x151"
            )
        return 0

    # Interrupts that happen

    def handle(self, irq: int, site: str) -> int:
        """``generic_handle_irq()``.

        :param site: where the kernel warns of a caller that is in no interrupt
        :raises OSError: EINVAL, EPERM
        """
        desc = self.existing(irq)
        if not self._kernel.current.in_hardirq:
            self._kernel.traps.warn_at("kernel/irq/irqdesc.c", 649, site=site, once=True)
            raise err(errno.EPERM)
        self._handle(desc, "")
        return 0

    def _handle(self, desc: StructView, site: str) -> None:
        """``handle_irq_event()``."""
        if not desc["action"] or desc["irq_common_data.state_use_accessors"] & _IRQD_IRQ_DISABLED:
            desc["core_internal_state__do_not_mess_with_it"] |= _IRQS_PENDING
            return
        desc["core_internal_state__do_not_mess_with_it"] &= ~_IRQS_PENDING
        for action in list(self.actions(desc)):
            if not action["handler"]:
                if action["thread_fn"]:
                    self._wake(action)
                continue
            result = self._kernel.cpu.call(action["handler"], action["irq"], action["dev_id"], site=site)
            if result == _IRQ_WAKE_THREAD:
                self._wake(action)

    def _raise(self, irq: int) -> None:
        """Interrupt the current task, or whoever runs when interrupts are on again."""
        kernel, desc = self._kernel, self.existing(irq)
        sched = kernel.sched
        if not kernel.cpu.set_interrupts(False) & _EFLAGS_IF:
            kernel.softirq.arm(desc.address, time.monotonic(), lambda: self._handle(desc, _SITE_HANDLER), HARDIRQ)
            return
        sched.preempt_count += HARDIRQ_OFFSET
        try:
            self._handle(desc, _SITE_HANDLER)
        finally:
            sched.preempt_count -= HARDIRQ_OFFSET
            kernel.cpu.set_interrupts(True)

    def inject(self, irq: int) -> int:
        """``irq_inject_interrupt()``.

        :raises OSError: EINVAL
        """
        desc = self.existing(irq)
        if irq in _FASTEOI or not desc["irq_common_data.state_use_accessors"] & _IRQD_ACTIVATED:
            raise err(errno.EINVAL)
        self._raise(irq)
        return 0

    def probe(self) -> int:
        """``probe_irq_on()``: those that nobody has asked for and that may be looked for, each a bit."""
        mask = 0
        for irq in range(_NR_LEGACY):
            desc = self.existing(irq)
            if not desc["action"] and not desc["status_use_accessors"] & _IRQ_NOPROBE:
                mask |= 1 << irq
        return mask
