"""Processes of the host, as module code finds them that walks from one to the next (tests/modules/task_walk.c)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sysfsd.fs.kernfs import Tree
from sysfsd.linux.kernel.cred import INIT_CRED, Cred
from sysfsd.linux.kernel.fork import Process
from sysfsd.linux.kernel.sched.core import Identity
from sysfsd.linux.system import Kernel
from tests.fs.user import open_

Load = Callable[..., None]

INIT = Process(1, "init", "S", 0, False, 10, 0, ())
BASH = Process(20, "bash", "S", 1, False, 20, 0, ())
SLEEP = Process(21, "sleep", "S", 20, False, 30, 0, ())
PERL = Process(30, "perl", "T", 20, False, 40, 0, (31, 32))
ABOUT = "leader 1, {} threads, uid 0, exit state {}, started 1"
LAST = "self 1, some 1, kernel's 1, threads 1, next of first init"


class Host:
    """The processes of a host that is not there; its shell asks what the module finds."""

    def __init__(self, kernel: Kernel, files: Tree) -> None:
        self._kernel, self._files = kernel, files
        self.there: list[Process] = [INIT, BASH, SLEEP]
        sched = kernel.sched
        sched.processes, sched.exists, sched.find = (lambda: self.there), self.exists, self.find

    def _of(self, number: int) -> Process | None:
        return next((process for process in self.there if number in (process.pid, *process.threads)), None)

    def exists(self, number: int) -> bool:
        return self._of(number) is not None

    def find(self, number: int) -> tuple[Cred, Identity] | None:
        process = self._of(number)
        if process is None:
            return None
        return Cred(process.uid, process.uid, 0, number), Identity(number, process.pid, process.comm)

    def walk(self) -> list[str]:
        with self._kernel.sched.enter(INIT_CRED, lambda: Identity(BASH.pid, BASH.pid, BASH.comm, (1, "init"))):
            file = open_(self._files, "/proc/task_walk")
            try:
                return file.read(1 << 16, 0).decode().splitlines()
            finally:
                file.release()


@pytest.fixture
def host(kernel: Kernel, files: Tree, load: Load) -> Host:
    host = Host(kernel, files)
    load("task_walk")
    return host


def test_each_process_is_found_once(host: Host) -> None:
    about = ABOUT.format(1, 0)
    expected = [f"bash: going, {about}", f"sleep: going, {about}", "bash of init", "sleep of bash", LAST]
    assert host.walk() == expected
    assert host.walk() == expected


def test_processes_come_and_go(host: Host) -> None:
    host.walk()
    host.there = [INIT, BASH, PERL]
    assert host.walk()[:-1] == [
        f"bash: going, {ABOUT.format(1, 0)}",
        f"perl: stopped, {ABOUT.format(3, 0)}",
        "bash of init",
        "perl of bash",
    ]
    host.there = [INIT, BASH]
    assert host.walk()[:-1] == [f"bash: going, {ABOUT.format(1, 0)}", "bash of init"]


def test_a_number_may_have_been_a_threads(host: Host) -> None:
    host.there = [INIT, BASH, PERL]
    host.walk()
    host.there = [INIT, BASH, Process(31, "sleep", "S", 20, False, 50, 0, ())]
    assert host.walk()[1:4] == [f"sleep: going, {ABOUT.format(1, 0)}", "bash of init", "sleep of bash"]


def test_a_process_may_become_another_users_and_another_program(host: Host) -> None:
    host.walk()
    host.there = [INIT, BASH, Process(21, "sleep", "S", 20, False, 30, 1000, ())]
    assert host.walk()[1] == f"sleep: going, {ABOUT.format(1, 0)}".replace("uid 0", "uid 1000")
    host.there = [INIT, BASH, Process(21, "perl", "S", 20, False, 30, 100, ())]
    assert host.walk()[1] == f"perl: going, {ABOUT.format(1, 0)}".replace("uid 0", "uid 100")


def test_what_has_ended_has_no_memory(host: Host) -> None:
    host.there = [INIT, BASH, Process(21, "sleep", "Z", 20, False, 30, 0, ())]
    assert host.walk()[1] == f"sleep: going, no memory, {ABOUT.format(1, 32)}"


def test_threads_of_the_hosts_kernel_have_none_either(host: Host) -> None:
    host.there = [INIT, BASH, Process(21, "sleep", "I", 1, True, 30, 0, ())]
    assert host.walk()[1] == f"sleep: going, no memory, {ABOUT.format(1, 0)}"


def test_an_orphan_is_a_child_of_the_first(host: Host) -> None:
    host.there = [INIT, BASH, Process(21, "sleep", "S", 99, False, 30, 0, ())]
    assert "sleep of init" in host.walk()
