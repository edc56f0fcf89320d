"""Who is in the functions of something that may be taken away (fs/proc/inode.c, fs/debugfs/file.c)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sysfsd.linux.kernel.sched.core import Task
    from sysfsd.linux.system import Kernel

__all__ = ["Users"]

#: How often who waits for the last user looks whether the kernel has ended (seconds).
_END_POLL: Final = 0.5


class Users:
    """The tasks that run functions of one file right now."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._tasks: list[Task] = []
        self.changed = kernel.condition()

    @contextmanager
    def using(self) -> Iterator[None]:
        """The current task is one, meanwhile."""
        task = self._kernel.current
        self.enter(task)
        try:
            yield
        finally:
            self.leave(task)

    def enter(self, task: Task) -> None:
        self._tasks.append(task)

    def leave(self, task: Task) -> None:
        if task in self._tasks:
            self._tasks.remove(task)
        if not self._tasks:
            self.changed.notify_all()

    def drain(self) -> None:
        """Wait for the last one; who waits for itself does so for ever."""
        sched = self._kernel.sched
        while self._tasks:
            task = self._kernel.current
            if task in self._tasks:
                sched.hung_task(task)
            self.changed.wait(_END_POLL)
            if sched.ended():
                return
