"""Work that is done later by threads of the kernel (kernel/workqueue.c)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sysfsd.linux.kernel.cred import INIT_CRED
from sysfsd.linux.kernel.sched.core import PF_KTHREAD, PF_WQ_WORKER, Identity, Task

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["WorkItem", "Workqueue", "Workqueues"]

WQ_UNBOUND: Final = 1 << 1
WQ_HIGHPRI: Final = 1 << 4
WQ_DFL_ACTIVE: Final = 256
_ORDERED: Final = 1 << 17
_PENDING: Final = 1
#: How long a worker without work stays (seconds).
_IDLE_TIMEOUT: Final = 60
_WORKERS_MAX: Final = 64


@dataclass(eq=False)
class Workqueue:
    """``struct workqueue_struct``, whose address modules hold."""

    name: str
    flags: int
    max_active: int
    address: int
    active: int = 0
    destroyed: bool = False


@dataclass(eq=False)
class WorkItem:
    """A work item that has been queued: its structure's address, its queue, and when it was queued."""

    work: int
    wq: Workqueue
    number: int
    func: int = 0


@dataclass(eq=False)
class _Pool:
    """``struct worker_pool``: workers, and what they have to do."""

    name: str
    suffix: str = ""
    worklist: deque[WorkItem] = field(default_factory=deque)
    running: dict[Task, WorkItem] = field(default_factory=dict)
    idle: int = 0
    workers: int = 0
    #: Workers that neither sleep nor wait: one at a time is enough.
    busy: int = 0


class Workqueues:
    """All work queues of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._queues: dict[int, Workqueue] = {}
        self._pools = {0: _Pool("0:"), WQ_HIGHPRI: _Pool("0:", "H"), WQ_UNBOUND: _Pool("u4:")}
        self._changed = kernel.condition()
        self._number = 0
        self._stopped = False
        self._by_task: dict[Task, _Pool] = {}

    def alloc(self, name: str, flags: int, max_active: int) -> Workqueue:
        """``alloc_workqueue()``.

        :raises OSError: ENOMEM
        """
        address = self._kernel.slab.kmalloc(self._kernel.image.structs["workqueue_struct"].size)
        wq = Workqueue(name, flags, 1 if flags & _ORDERED else max_active or WQ_DFL_ACTIVE, address)
        self._queues[address] = wq
        return wq

    def find(self, address: int) -> Workqueue | None:
        return self._queues.get(address)

    def destroy(self, wq: Workqueue) -> None:
        """``destroy_workqueue()``: do what is queued, then go."""
        self.flush(wq)
        wq.destroyed = True
        del self._queues[wq.address]
        self._kernel.slab.kfree(wq.address)

    # Queueing

    def _pending(self, work: int, value: bool) -> bool:
        """Set the pending bit, and return what it was."""
        memory = self._kernel.memory
        data = memory.read_pointer(work)
        memory.write_pointer(work, data | _PENDING if value else data & ~_PENDING)
        return bool(data & _PENDING)

    def queue(self, wq: Workqueue, work: int) -> bool:
        """``queue_work()``: False where it is queued already."""
        if self._pending(work, True):
            return False
        self.insert(wq, work)
        return True

    def insert(self, wq: Workqueue, work: int) -> None:
        """``__queue_work()``, of an item that is marked as pending."""
        pool = self._pools[WQ_UNBOUND if wq.flags & WQ_UNBOUND else wq.flags & WQ_HIGHPRI]
        self._number += 1
        pool.worklist.append(WorkItem(work, wq, self._number))
        self._wake_worker(pool)

    def _wake_worker(self, pool: _Pool) -> None:
        if pool.idle:
            self._changed.notify_all()
        elif pool.workers < _WORKERS_MAX and not pool.busy:
            self._create_worker(pool)

    def sleeping(self, task: Task, sleeps: bool) -> None:
        """``wq_worker_sleeping()`` and ``wq_worker_running()``: others may go on while a worker sleeps."""
        pool = self._by_task.get(task)
        if pool is None:
            return
        pool.busy += -1 if sleeps else 1
        if sleeps and pool.worklist:
            self._wake_worker(pool)

    def _create_worker(self, pool: _Pool) -> None:
        kernel = self._kernel
        sched = kernel.sched
        name = f"kworker/{pool.name}{pool.workers}{pool.suffix}"
        pool.workers += 1
        pid = sched.new_pid()
        task = sched.new_task(Identity(pid, pid, name), INIT_CRED, flags=PF_KTHREAD | PF_WQ_WORKER)
        self._by_task[task] = pool
        pool.busy += 1
        kernel.kthreads.spawn(task, lambda: self._worker(pool, task))

    def _take(self, pool: _Pool) -> WorkItem | None:
        """The next item that may run: its queue has room, and it does not run already."""
        running = {item.work for item in pool.running.values()}
        for index, item in enumerate(pool.worklist):
            if item.work not in running and item.wq.active < item.wq.max_active:
                del pool.worklist[index]
                return item
        return None

    def _worker(self, pool: _Pool, task: Task) -> int:
        """``worker_thread()``."""
        try:
            while not self._stopped:
                item = self._take(pool)
                if item is not None:
                    self._process(pool, task, item)
                    continue
                pool.idle += 1
                pool.busy -= 1
                try:
                    worked = self._changed.wait(_IDLE_TIMEOUT)
                finally:
                    pool.idle -= 1
                    pool.busy += 1
                if not worked and not pool.worklist:
                    break
            return 0
        finally:
            pool.workers -= 1
            pool.busy -= 1
            self._by_task.pop(task, None)
            if pool.worklist and not self._stopped:
                self._wake_worker(pool)

    def stop(self) -> None:
        """Nothing is done any more."""
        self._stopped = True
        self._changed.notify_all()

    def _process(self, pool: _Pool, task: Task, item: WorkItem) -> None:
        """``process_one_work()``."""
        kernel = self._kernel
        pool.running[task] = item
        item.wq.active += 1
        task.on_cpu()
        try:
            item.func = kernel.struct("work_struct", item.work)["func"]
            self._pending(item.work, False)
            kernel.cpu.call(item.func, item.work, site="work")
        finally:
            item.wq.active -= 1
            pool.running.pop(task, None)
            self._changed.notify_all()

    # Waiting and taking back

    def _items(self) -> list[WorkItem]:
        """Everything that is queued or runs."""
        return [item for pool in self._pools.values() for item in (*pool.worklist, *pool.running.values())]

    def flush(self, wq: Workqueue) -> None:
        """``flush_workqueue()``: wait until what is queued now has been done."""
        last = self._number
        me = self._current_item()
        while any(item.wq is wq and item.number <= last and item is not me for item in self._items()):
            self._wait()

    def flush_work(self, work: int) -> bool:
        """``flush_work()``: wait for one item; False where it was idle."""
        waited = False
        me = self._current_item()
        last = self._number
        while any(item.work == work and item.number <= last and item is not me for item in self._items()):
            waited = True
            self._wait()
        return waited

    def cancel(self, work: int, sync: bool) -> bool:
        """``cancel_work_sync()``: take an item back.

        :param sync: wait until it does not run any more either
        :returns: whether it was pending
        """
        pending = False
        for pool in self._pools.values():
            for item in list(pool.worklist):
                if item.work == work:
                    pool.worklist.remove(item)
                    pending = True
        if pending:
            self._pending(work, False)
            self._changed.notify_all()
        if sync:
            self.flush_work(work)
        return pending

    def mark_pending(self, work: int) -> bool:
        """An item is to be queued later: False where it is queued already."""
        return not self._pending(work, True)

    def clear_pending(self, work: int) -> None:
        """An item that was to be queued later will not be."""
        self._pending(work, False)

    def busy(self, work: int) -> int:
        """``work_busy()``: 1 pending, 2 running."""
        running = any(item.work == work for pool in self._pools.values() for item in pool.running.values())
        return (self._kernel.memory.read_pointer(work) & _PENDING) | running << 1

    def current_work(self) -> int:
        """``current_work()``: the item that the current task carries out."""
        item = self._current_item()
        return item.work if item is not None else 0

    def worker_info(self, task: Task) -> str | None:
        """``print_worker_info()``: what a worker is working on."""
        item = self._item(task)
        if item is None:
            return None
        symbol, _offset, mod = self._kernel.kallsyms.sprint_symbol(item.func).partition("+0x0/")
        return f"{item.wq.name} {symbol}{mod[mod.index(' ') :] if ' ' in mod else ''}"

    def _item(self, task: Task) -> WorkItem | None:
        """What a worker is working on."""
        pool = self._by_task.get(task)
        return pool.running.get(task) if pool is not None else None

    def _current_item(self) -> WorkItem | None:
        return self._item(self._kernel.current)

    def _wait(self) -> None:
        task = self._kernel.current
        self.sleeping(task, True)
        try:
            self._changed.wait()
        finally:
            self.sleeping(task, False)
