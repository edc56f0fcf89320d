"""Kernel threads (kernel/kthread.c)."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from signal import SIGKILL
from typing import TYPE_CHECKING, Final

from sysfsd.linux.arch.x86.traps import TaskKilled, Unmodelled
from sysfsd.linux.kernel.cred import INIT_CRED
from sysfsd.linux.kernel.sched.core import PF_KTHREAD, TIF_NOTIFY_SIGNAL, Identity, Signals, Task, TaskState

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["Kthread", "Kthreads"]

#: More kernel threads than any module needs; each has a thread of this process (EAGAIN beyond).
KTHREADS_MAX: Final = 256
_ZOMBIES_MAX: Final = 64
#: What a kernel thread does about a signal, if it does not ignore it: takes it from whoever, from the kernel only.
_SIG_KTHREAD: Final = 2
_SIG_KTHREAD_KERNEL: Final = 3


@dataclass(eq=False)
class Kthread:
    """``struct kthread``: a kernel thread's own side."""

    task: Task
    threadfn: int
    data: int
    should_stop: bool = False
    should_park: bool = False
    parked: bool = False
    started: bool = False
    exited: bool = False
    result: int = 0
    changed: threading.Condition = field(repr=False, default_factory=threading.Condition)

    def sigaction(self, sig: int, handler: int | None = None) -> int:
        """What the thread does about a signal, which *handler* changes."""
        action = f"action[{sig - 1}].sa.sa_handler"
        sighand = self.task.view.to("sighand")
        if handler is not None:
            sighand[action] = handler
        return sighand[action]


class KthreadExit(BaseException):
    """``kthread_exit()``: the thread ends here."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Kthreads:
    """The kernel threads of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._count = 0
        self._zombies: list[Kthread] = []

    @property
    def full(self) -> bool:
        """Whether there are as many as there may be."""
        return self._count >= KTHREADS_MAX

    def create(self, threadfn: int, data: int, name: str) -> Kthread | None:
        """A thread that waits to be woken before it begins; None where there are too many."""
        if self.full:
            return None
        sched = self._kernel.sched
        pid = sched.new_pid()
        task = sched.new_task(Identity(pid, pid, name[:15]), INIT_CRED, flags=PF_KTHREAD)
        kthread = Kthread(task, threadfn, data, changed=self._kernel.condition())
        task.kthread = kthread
        task.state = TaskState.UNINTERRUPTIBLE
        self.spawn(task, lambda: self._kthread(kthread), kthread)
        return kthread

    def spawn(self, task: Task, body: Callable[[], int], kthread: Kthread | None = None) -> None:
        """Have *body* run as *task* in a thread of its own, which ends with it."""
        self._count += 1
        kernel = self._kernel

        def main() -> None:
            with kernel.lock:
                kernel.sched.become(task)
                result = 0
                try:
                    result = body()
                except KthreadExit as exit_:
                    result = exit_.code
                except (TaskKilled, Unmodelled):
                    result = -errno.EINTR
                finally:
                    kernel.sched.release_locks(task)
                    self._count -= 1
                    if kthread is not None:
                        kthread.exited, kthread.result = True, result
                        kthread.changed.notify_all()
                    if kthread is None:
                        kernel.sched.free_task(task)
                    else:
                        self._bury(kthread)

        task.thread = threading.Thread(target=main, name=task.comm, daemon=True)
        task.thread.start()

    def _bury(self, kthread: Kthread) -> None:
        """A thread that has ended can still be asked for its result; of those that nobody asks some are kept."""
        self._zombies.append(kthread)
        if len(self._zombies) > _ZOMBIES_MAX:
            self._release(self._zombies[0])

    def _release(self, kthread: Kthread) -> None:
        if kthread in self._zombies:
            self._zombies.remove(kthread)
            self._kernel.sched.free_task(kthread.task)

    def _kthread(self, kthread: Kthread) -> int:
        """``kthread()``: what every thread begins with."""
        sched = self._kernel.sched
        sched.schedule()
        kthread.started = True
        if kthread.should_stop:
            return -errno.EINTR
        result = self._kernel.cpu.call_long(kthread.threadfn, kthread.data, site="kthread")
        return (result & 0xFFFFFFFF ^ 0x80000000) - 0x80000000

    def exit(self, code: int) -> None:
        """``kthread_exit()`` of the current thread."""
        raise KthreadExit(code)

    def stop(self, kthread: Kthread) -> int:
        """``kthread_stop()``: ask the thread to end, and wait until it has.

        :returns: what its function returned, -EINTR if it never began
        """
        kthread.should_stop = True
        kthread.should_park = False
        kthread.task.view["thread_info.flags"] |= 1 << TIF_NOTIFY_SIGNAL
        self._kernel.sched.wake_up(kthread.task, TaskState.NORMAL | TaskState.PARKED)
        while not kthread.exited:
            kthread.changed.wait()
        self._release(kthread)
        return kthread.result

    def signal(self, kthread: Kthread, sig: int, priv: bool, shared: bool) -> None:
        """``send_signal_locked()``: what the thread has not asked for it does not get.

        :param priv: whether it comes from the kernel itself
        :param shared: whether it is for the process
        """
        action = kthread.sigaction(sig)
        if kthread.exited or not (action == _SIG_KTHREAD or (action == _SIG_KTHREAD_KERNEL and priv)):
            return
        task, bit = kthread.task, 1 << sig - 1
        pending, all_, blocked = task.signals
        task.set_signals(Signals(pending | bit * (not shared), all_ | bit * shared, blocked))
        task.recalc_sigpending()
        self._kernel.sched.wake_up(task, TaskState.INTERRUPTIBLE | (TaskState.WAKEKILL if sig == SIGKILL else 0))

    def park(self, kthread: Kthread) -> int:
        """``kthread_park()``: have the thread wait in kthread_parkme(), and wait until it does."""
        if kthread.exited:
            return -errno.ENOSYS
        if kthread.should_park:
            self._kernel.traps.warn_at("kernel/kthread.c", 661, site="kthread_park+0x81", once=True)
            return -errno.EBUSY
        kthread.should_park = True
        if kthread.task is not self._kernel.current:
            self._kernel.sched.wake_up(kthread.task)
            while not kthread.parked and not kthread.exited:
                kthread.changed.wait()
        return 0 if not kthread.exited else -errno.ENOSYS

    def unpark(self, kthread: Kthread) -> None:
        kthread.should_park = False
        if kthread.parked:
            self._kernel.sched.wake_up(kthread.task, TaskState.PARKED)

    def parkme(self, kthread: Kthread) -> None:
        """``kthread_parkme()``."""
        while kthread.should_park:
            kthread.task.state = TaskState.PARKED
            kthread.parked = True
            kthread.changed.notify_all()
            self._kernel.sched.schedule()
        kthread.parked = False
