"""Work queues and delayed work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.kernel.time.timer_exports import start_timer, stop_timer
from sysfsd.linux.kernel.workqueue import WQ_HIGHPRI, WQ_UNBOUND, Workqueue
from sysfsd.linux.lib.vsprintf import vsnprintf
from sysfsd.linux.mm.memory import PageFault

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/workqueue.c")

_WQ_FREEZABLE: Final = 1 << 2


def _system(name: str, flags: int) -> Callable[[Kernel, int], None]:
    def put(kernel: Kernel, address: int) -> None:
        kernel.memory.write_pointer(address, kernel.workqueues.alloc(name, flags, 0).address)

    return put


for _variable, (_name, _flags) in {
    "system_wq": ("events", 0),
    "system_highpri_wq": ("events_highpri", WQ_HIGHPRI),
    "system_long_wq": ("events_long", 0),
    "system_unbound_wq": ("events_unbound", WQ_UNBOUND),
    "system_freezable_wq": ("events_freezable", _WQ_FREEZABLE),
    "system_power_efficient_wq": ("events_power_efficient", 0),
    "system_freezable_power_efficient_wq": ("events_freezable_power_efficient", _WQ_FREEZABLE),
}.items():
    export.data(f"struct workqueue_struct *{_variable}", _system(_name, _flags))


def _wq(kernel: Kernel, view: StructView) -> Workqueue:
    """:raises OSError: EFAULT for what is no work queue"""
    wq = kernel.workqueues.find(view.address)
    if wq is None:
        raise PageFault(view.address)
    return wq


@export("struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags, int max_active, ...)")
def alloc_workqueue(kernel: Kernel, fmt: bytes, flags: int, max_active: int, args: CallVaList) -> int:
    name = vsnprintf(kernel, fmt, args).decode("latin-1")[:23]
    try:
        return kernel.workqueues.alloc(name, flags, max_active).address
    except OSError:
        return 0


@export("void destroy_workqueue(struct workqueue_struct *wq)")
def destroy_workqueue(kernel: Kernel, wq: StructView) -> None:
    kernel.workqueues.destroy(_wq(kernel, wq))


@export("bool queue_work_on(int cpu, struct workqueue_struct *wq, struct work_struct *work)")
def queue_work_on(kernel: Kernel, cpu: int, wq: StructView, work: StructView) -> bool:
    return kernel.workqueues.queue(_wq(kernel, wq), work.address)


@export("bool queue_work_node(int node, struct workqueue_struct *wq, struct work_struct *work)")
def queue_work_node(kernel: Kernel, node: int, wq: StructView, work: StructView) -> bool:
    return kernel.workqueues.queue(_wq(kernel, wq), work.address)


@export("void __flush_workqueue(struct workqueue_struct *wq)", "void drain_workqueue(struct workqueue_struct *wq)")
def __flush_workqueue(kernel: Kernel, wq: StructView) -> None:
    kernel.workqueues.flush(_wq(kernel, wq))


@export("bool flush_work(struct work_struct *work)")
def flush_work(kernel: Kernel, work: StructView) -> bool:
    return kernel.workqueues.flush_work(work.address)


@export("bool cancel_work_sync(struct work_struct *work)")
def cancel_work_sync(kernel: Kernel, work: StructView) -> bool:
    return kernel.workqueues.cancel(work.address, sync=True)


@export("bool cancel_work(struct work_struct *work)")
def cancel_work(kernel: Kernel, work: StructView) -> bool:
    return kernel.workqueues.cancel(work.address, sync=False)


@export("unsigned int work_busy(struct work_struct *work)")
def work_busy(kernel: Kernel, work: StructView) -> int:
    return kernel.workqueues.busy(work.address)


@export("struct work_struct *current_work(void)")
def current_work(kernel: Kernel) -> int:
    return kernel.workqueues.current_work()


@export("void workqueue_set_max_active(struct workqueue_struct *wq, int max_active)")
def workqueue_set_max_active(kernel: Kernel, wq: StructView, max_active: int) -> None:
    _wq(kernel, wq).max_active = max(1, max_active)


# Delayed work: a timer that queues it


@export("void delayed_work_timer_fn(struct timer_list *t)")
def delayed_work_timer_fn(kernel: Kernel, t: StructView) -> None:
    offset = kernel.image.offset("delayed_work", "timer")
    dwork = kernel.struct("delayed_work", t.address - offset)
    wq = kernel.workqueues.find(dwork["wq"])
    if wq is not None:
        kernel.workqueues.insert(wq, dwork.at("work"))


def _queue_delayed(kernel: Kernel, wq: Workqueue, dwork: StructView, delay: int) -> None:
    """``__queue_delayed_work()``, of an item that is marked as pending."""
    if not delay:
        kernel.workqueues.insert(wq, dwork.at("work"))
        return
    dwork["wq"] = wq.address
    start_timer(kernel, dwork.sub("timer"), kernel.sched.jiffies + delay)


@export(
    "bool queue_delayed_work_on(int cpu, struct workqueue_struct *wq, struct delayed_work *dwork, unsigned long delay)"
)
def queue_delayed_work_on(kernel: Kernel, cpu: int, wq: StructView, dwork: StructView, delay: int) -> bool:
    queue = _wq(kernel, wq)
    if not kernel.workqueues.mark_pending(dwork.at("work")):
        return False
    _queue_delayed(kernel, queue, dwork, delay)
    return True


@export(
    "bool mod_delayed_work_on(int cpu, struct workqueue_struct *wq, struct delayed_work *dwork, unsigned long delay)"
)
def mod_delayed_work_on(kernel: Kernel, cpu: int, wq: StructView, dwork: StructView, delay: int) -> bool:
    queue = _wq(kernel, wq)
    pending = _cancel(kernel, dwork, sync=False)
    kernel.workqueues.mark_pending(dwork.at("work"))
    _queue_delayed(kernel, queue, dwork, delay)
    return pending


def _cancel(kernel: Kernel, dwork: StructView, sync: bool) -> bool:
    waiting = stop_timer(kernel, dwork.sub("timer"))
    if waiting:
        kernel.workqueues.clear_pending(dwork.at("work"))
    return kernel.workqueues.cancel(dwork.at("work"), sync) or waiting


@export("bool cancel_delayed_work(struct delayed_work *dwork)")
def cancel_delayed_work(kernel: Kernel, dwork: StructView) -> bool:
    return _cancel(kernel, dwork, sync=False)


@export("bool cancel_delayed_work_sync(struct delayed_work *dwork)")
def cancel_delayed_work_sync(kernel: Kernel, dwork: StructView) -> bool:
    return _cancel(kernel, dwork, sync=True)


@export("bool flush_delayed_work(struct delayed_work *dwork)")
def flush_delayed_work(kernel: Kernel, dwork: StructView) -> bool:
    if stop_timer(kernel, dwork.sub("timer")):
        wq = kernel.workqueues.find(dwork["wq"])
        if wq is not None:
            kernel.workqueues.insert(wq, dwork.at("work"))
    return kernel.workqueues.flush_work(dwork.at("work"))
