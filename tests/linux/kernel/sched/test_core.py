"""Tasks and whose turn it is: kernel/sched/, kernel/locking/, kthread.c, workqueue.c, softirq.c, time/timer.c."""

from __future__ import annotations

import errno
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from sysfsd.image.image import KernelImage
from sysfsd.linux.arch.x86.traps import TaskKilled
from sysfsd.linux.kernel.cred import INIT_CRED, Cred
from sysfsd.linux.kernel.params import show_param, store_param
from sysfsd.linux.kernel.sched.core import Identity, KernelLock, TaskState
from sysfsd.linux.system import Kernel
from tests.conftest import HANG, wait_until
from tests.linux.arch.x86.test_cpu import Functions
from tests.linux.ko import module_path
from tests.linux.state import log

Load = Callable[..., None]

#: More jiffies than any test lasts.
LONG = 1_000_000
ERESTARTSYS = 512
USER = Cred(1000, 1000, 0)


class Call(threading.Thread):
    """A task that calls a function of a module."""

    def __init__(self, functions: Functions, name: str, *args: int, interrupted: Callable[[], bool] = bool) -> None:
        super().__init__(daemon=True)
        self.functions = functions
        self.name = name
        self.args = args
        self.interrupted = interrupted
        self.result: int | BaseException | None = None
        self.start()

    def run(self) -> None:
        kernel = self.functions.kernel
        identity = Identity(self.native_id or 0, self.native_id or 0, self.name[:15])
        try:
            with kernel.sched.enter(INIT_CRED, lambda: identity, self.interrupted):
                self.result = self.functions(self.name, *self.args)
        except TaskKilled as killed:
            self.result = killed

    def wait_until_asleep(self) -> Call:
        """Wait until the task waits for something."""

        def asleep() -> bool:
            kernel = self.functions.kernel
            with kernel.lock:
                assert self.is_alive(), self.result
                tasks = [task for task in kernel.sched.tasks.values() if task.pid == self.native_id]
                return any(task.state & TaskState.NORMAL for task in tasks)

        wait_until(asleep)
        return self

    def end(self) -> int | BaseException | None:
        """What the function has returned."""
        self.join(HANG)
        assert not self.is_alive()
        return self.result


@pytest.fixture
def turns(kernel: Kernel, load: Load) -> Functions:
    """The module ``turns``, whose functions are there to be called."""
    load("turns")
    return Functions(kernel, "turns")


# The kernel lock


def test_the_lock_can_be_taken_again_by_who_has_it() -> None:
    lock = KernelLock()
    with lock, lock:
        assert lock._is_owned()
    assert not lock._is_owned()


def test_the_lock_keeps_others_out_until_it_is_released_as_often_as_taken() -> None:
    lock = KernelLock()
    inside = threading.Event()

    def enter() -> None:
        with lock:
            inside.set()

    lock.acquire()
    lock.acquire()
    thread = threading.Thread(target=enter)
    thread.start()
    wait_until(lambda: lock.contended)
    lock.release()
    assert not inside.is_set()
    lock.release()
    assert inside.wait(HANG)
    thread.join()
    assert not lock.contended


def test_yielding_lets_whoever_waits_go_first_and_then_goes_on() -> None:
    lock = KernelLock()
    order: list[str] = []

    def other() -> None:
        with lock:
            order.append("other")

    with lock, lock:
        thread = threading.Thread(target=other)
        thread.start()
        wait_until(lambda: lock.contended)
        order.append("before")
        lock.yield_()
        order.append("behind")
        assert lock._is_owned()
        assert order == ["before", "other", "behind"]
    assert not lock._is_owned()
    thread.join()


def test_yielding_to_nobody_does_nothing() -> None:
    lock = KernelLock()
    with lock:
        lock.yield_()
        assert lock._is_owned()


def test_waiting_for_a_condition_gives_the_lock_up_entirely() -> None:
    lock = KernelLock()
    condition = threading.Condition(lock)  # type: ignore[arg-type]

    def notify() -> None:
        with lock:
            condition.notify_all()

    with lock, lock, lock:
        thread = threading.Thread(target=notify)
        thread.start()
        assert condition.wait(HANG)
        assert lock._is_owned()
    assert not lock._is_owned()
    thread.join()


def test_many_that_take_turns_all_get_theirs() -> None:
    lock = KernelLock()
    count = 0

    def work() -> None:
        nonlocal count
        for _ in range(200):
            with lock:
                seen = count
                lock.yield_()
                count = max(count, seen) + 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    assert not lock.contended and not any(thread.is_alive() for thread in threads)
    assert count >= 200


# Sleeping


def test_while_one_sleeps_another_loads_a_module(turns: Functions) -> None:
    sleeper = Call(turns, "sleep_for", 3_600_000).wait_until_asleep()
    turns.kernel.init_module(module_path("hello").read_bytes())
    assert log(turns.kernel)[-1] == "hello: (0) Hello, world"
    assert sleeper.is_alive()


def test_a_kernel_that_is_stopped_wakes_nobody_but_ends_all(turns: Functions) -> None:
    sleepers = [Call(turns, "sleep_for", 3_600_000).wait_until_asleep() for _ in range(5)]
    turns.kernel.stop()
    assert all(isinstance(sleeper.end(), TaskKilled) for sleeper in sleepers)


@pytest.mark.parametrize("ms", [0, 1, 20])
def test_a_sleep_lasts_at_least_as_long_as_asked(turns: Functions, ms: int) -> None:
    before = time.monotonic()
    turns("sleep_for", ms)
    assert time.monotonic() - before >= ms / 1000


def test_a_signal_ends_an_interruptible_sleep_and_no_other(turns: Functions) -> None:
    left = Call(turns, "sleep_interruptibly", 3_600_000, interrupted=lambda: True).end()
    assert isinstance(left, int) and 3_500_000 < left <= 3_600_100
    before = time.monotonic()
    assert Call(turns, "sleep_for", 20, interrupted=lambda: True).end() == 0
    assert time.monotonic() - before >= 0.02


def test_schedule_timeout_returns_at_once_while_running(turns: Functions) -> None:
    left = turns.long("timeout_while_running", LONG)
    assert LONG - 10_000 < left <= LONG
    assert turns.long("timeout_while_running", 0) == 0
    assert turns.long("timeout_asleep", 2) == 0


def test_a_negative_timeout_is_complained_about(turns: Functions) -> None:
    assert turns.long("timeout_while_running", -5) == 0
    lines = log(turns.kernel)[2:]
    assert lines[0] == "schedule_timeout: wrong timeout value fffffffffffffffb"
    assert " schedule_timeout+0x138/0x150" in lines


# Wait queues


def test_wait_event_waits_until_it_is_so(turns: Functions) -> None:
    waiter = Call(turns, "wait_flag_forever").wait_until_asleep()
    assert turns("anybody_waits") & 1
    turns("set_flag", 0)
    waiter.wait_until_asleep()
    turns("set_flag", 1)
    assert waiter.end() is not None
    assert not turns("anybody_waits") & 1


@pytest.mark.parametrize(("flag", "timeout", "left"), [(0, 0, 0), (0, 2, 0), (1, 0, 1), (1, 5, 5)])
def test_what_wait_event_timeout_returns(turns: Functions, flag: int, timeout: int, left: int) -> None:
    turns("set_flag", flag)
    assert turns.long("wait_flag", timeout) == left


def test_a_waiter_that_is_woken_has_time_left(turns: Functions) -> None:
    waiter = Call(turns, "wait_flag", LONG).wait_until_asleep()
    turns("set_flag", 1)
    left = waiter.end()
    assert isinstance(left, int) and 1 <= left <= LONG


def test_everybody_that_waits_is_woken(turns: Functions) -> None:
    waiters = [Call(turns, "wait_flag_forever").wait_until_asleep() for _ in range(6)]
    turns("set_flag", 1)
    for waiter in waiters:
        waiter.end()


def test_a_signal_ends_an_interruptible_wait(turns: Functions) -> None:
    signal = threading.Event()
    waiter = Call(turns, "wait_flag_interruptibly", interrupted=signal.is_set).wait_until_asleep()
    signal.set()
    assert waiter.end() == -ERESTARTSYS


# Completions


def test_a_completion_lets_as_many_pass_as_it_was_completed(turns: Functions) -> None:
    turns("complete_one")
    turns("complete_one")
    assert turns("times_done") == 2
    assert turns.long("wait_done", 5) == 5
    assert turns.long("wait_done", 1) == 1
    assert turns("times_done") == 0
    assert turns.long("wait_done", 2) == 0


def test_completing_wakes_one_and_completing_all_everybody(turns: Functions) -> None:
    waiters = [Call(turns, "wait_done_forever").wait_until_asleep() for _ in range(3)]
    turns("complete_one")
    wait_until(lambda: sum(waiter.is_alive() for waiter in waiters) == 2)
    turns("complete_everybody")
    for waiter in waiters:
        waiter.end()
    assert turns("times_done") & 0xFFFFFFFF == 0xFFFFFFFF
    turns("wait_done_forever")
    turns("begin_again")
    assert turns("times_done") == 0


def test_who_waits_longest_is_woken_first(turns: Functions) -> None:
    waiters = [Call(turns, "wait_done_forever").wait_until_asleep() for _ in range(3)]
    for waiter in waiters:
        turns("complete_one")
        waiter.end()
        assert sum(other.is_alive() for other in waiters) == 2 - waiters.index(waiter)


def test_a_signal_ends_an_interruptible_wait_for_a_completion(turns: Functions) -> None:
    waiter = Call(turns, "wait_done_interruptibly", interrupted=lambda: True)
    assert waiter.end() == -ERESTARTSYS


# Locks of modules


def test_a_mutex_is_one_tasks_at_a_time(turns: Functions) -> None:
    turns("take_mutex")
    second = Call(turns, "take_mutex").wait_until_asleep()
    assert turns("try_mutex") == 0
    turns("give_mutex")
    second.end()
    assert turns("try_mutex") == 0
    turns("give_mutex")
    assert turns("try_mutex") == 1


def test_a_signal_ends_waiting_for_a_mutex(turns: Functions) -> None:
    turns("take_mutex")
    assert Call(turns, "take_mutex_interruptibly", interrupted=lambda: True).end() == -errno.EINTR
    turns("give_mutex")
    assert turns("try_mutex") == 1


def test_who_has_given_back_what_it_took_is_the_same_task_in_its_next_call(turns: Functions) -> None:
    sched = turns.kernel.sched
    sched.exists = lambda pid: True
    tasks = set()
    for _ in range(2):
        with sched.enter(INIT_CRED, lambda: Identity(4242, 4242, "caller")):
            turns("take_mutex")
            turns("give_mutex")
            tasks.add(sched.current.address)
            assert not sched.current.held
    assert len(tasks) == 1


def test_a_semaphore_counts(turns: Functions) -> None:
    assert [turns("try_semaphore"), turns("try_semaphore")] == [0, 1]
    waiter = Call(turns, "take_semaphore").wait_until_asleep()
    turns("give_semaphore")
    waiter.end()
    turns("give_semaphore")
    assert turns("try_semaphore") == 0


def test_many_may_read_and_only_one_may_write(turns: Functions) -> None:
    turns("begin_reading")
    turns("begin_reading")
    assert turns("try_writing") == 0
    writer = Call(turns, "begin_writing").wait_until_asleep()
    turns("end_reading")
    turns("end_reading")
    writer.end()
    reader = Call(turns, "begin_reading").wait_until_asleep()
    turns("end_writing")
    reader.end()


def test_spinlocks_count_as_long_as_they_are_held(turns: Functions) -> None:
    assert turns("count_in_spinlock") & 0x7FFFFFFF == 0x201
    assert turns("count_now") & 0x7FFFFFFF == 0


# Kernel threads


def test_a_thread_runs_when_it_is_woken_and_returns_when_it_is_stopped(turns: Functions) -> None:
    turns("make_thread", 42)
    assert turns("times_run") == 0
    assert turns("wake_thread") == 1
    wait_until(lambda: turns("times_run") == 1)
    assert turns("stop_thread") == 42


def test_a_thread_that_never_ran_does_not_when_it_is_stopped(turns: Functions) -> None:
    turns("make_thread", 42)
    assert turns("stop_thread") == -errno.EINTR
    assert turns("times_run") == 0


def test_a_thread_has_a_name_of_fifteen_characters(turns: Functions) -> None:
    turns("make_thread", 0)
    names = [task.comm for task in turns.kernel.sched.tasks.values() if task.comm.startswith("turns/")]
    assert names == ["turns/a_rather_"]
    turns("stop_thread")


@pytest.mark.parametrize("result", [7, -5, 0])
def test_the_result_of_a_thread_that_has_ended_can_be_asked_for(turns: Functions, result: int) -> None:
    turns("make_short_thread", result)
    turns("wake_thread")
    turns("wait_done_forever")
    wait_until(lambda: not turns.kernel.kthreads._count)
    assert turns("wake_thread") == 0
    assert turns("stop_thread") == result


def test_a_thread_parks_and_goes_on(turns: Functions) -> None:
    turns("make_thread", 3)
    turns("wake_thread")
    wait_until(lambda: turns("times_run") == 1)
    assert turns("park_thread") == 0
    assert turns("park_thread") == -errno.EBUSY
    assert any("at kernel/kthread.c:661 kthread_park+0x81/0x90" in line for line in log(turns.kernel))
    turns("unpark_thread")
    assert turns("park_thread") == 0
    assert turns("stop_thread") == 3


def test_a_loop_without_an_end_lets_others_have_their_turn(turns: Functions) -> None:
    loop = Call(turns, "spin")
    turns("make_short_thread", 9)
    turns("wake_thread")
    turns("wait_done_forever")
    turns("make_queue")
    assert turns("queue_it") & 1
    turns("flush_it")
    assert turns("times_run") == 2
    assert loop.is_alive()
    turns("end_queue")
    turns.kernel.stop()
    assert isinstance(loop.end(), TaskKilled)


# Work


@pytest.fixture
def work(turns: Functions) -> Iterator[Functions]:
    """The same with a work queue."""
    turns("make_queue")
    yield turns
    turns("end_queue")


def test_work_is_done_once_for_each_time_it_is_queued(work: Functions) -> None:
    for times in (1, 2, 3):
        assert work("queue_it") & 1
        work("wait_done_forever")
        work("flush_it")
        assert work("times_run") == times


def test_work_that_runs_is_busy_and_may_be_queued_again(work: Functions) -> None:
    work("close_gate")
    assert work("queue_it") & 1
    work("wait_done_forever")
    assert (work("pending") & 1, work("busy")) == (0, 2)
    assert work("queue_it") & 1
    assert (work("pending") & 1, work("busy")) == (1, 3)
    assert not work("queue_it") & 1
    work("open_gate")
    work("flush_it")
    assert work("times_run") == 2
    assert work("busy") == 0


def test_work_of_one_queue_waits_for_the_item_before(work: Functions) -> None:
    work("close_gate")
    work("queue_it")
    work("wait_done_forever")
    assert work("queue_other") & 1
    assert work("times_run") == 1
    work("open_gate")
    work("wait_done_forever")
    assert work("times_run") == 2


def test_work_that_has_not_begun_can_be_taken_back(work: Functions) -> None:
    work("close_gate")
    work("queue_it")
    work("wait_done_forever")
    assert work("queue_other") & 1
    assert work("cancel_other") & 1
    assert not work("cancel_other") & 1
    canceller = Call(work, "cancel_it")
    work("open_gate")
    assert canceller.end() == 0
    assert work("times_run") == 1


def test_flushing_waits_and_says_whether_it_had_to(work: Functions) -> None:
    assert not work("flush_it") & 1
    work("close_gate")
    work("queue_it")
    work("wait_done_forever")
    flusher = Call(work, "flush_it")
    work("open_gate")
    flushed = flusher.end()
    assert isinstance(flushed, int)
    assert work("busy") == 0


def test_delayed_work_is_done_later(work: Functions) -> None:
    assert work("queue_later", 2) & 1
    work("wait_done_forever")
    assert work("times_run") == 1


def test_delayed_work_can_be_moved_taken_back_and_hurried(work: Functions) -> None:
    assert work("queue_later", LONG) & 1
    assert not work("queue_later", LONG) & 1
    assert work("modify_later", LONG) & 1
    assert work("cancel_later") & 1
    assert not work("cancel_later") & 1
    assert not work("modify_later", LONG) & 1
    assert work("flush_later") & 1
    assert work("times_run") == 1
    assert not work("flush_later") & 1


# Timers and tasklets


def test_a_timer_fires_once(turns: Functions) -> None:
    assert turns("arm", 2) == 0
    turns("wait_done_forever")
    assert (turns("times_run"), turns("armed"), turns("disarm")) == (1, 0, 0)


def test_a_timer_that_is_armed_again_fires_then(turns: Functions) -> None:
    assert turns("arm", LONG) == 0
    assert turns("armed") == 1
    assert turns("arm", 1) == 1
    turns("wait_done_forever")
    assert turns("times_run") == 1


def test_a_timer_that_is_disarmed_does_not_fire(turns: Functions) -> None:
    turns("arm", LONG)
    assert turns("disarm") == 1
    assert turns("disarm") == 0
    assert turns("arm_pending", 1) == 0
    assert turns("armed") == 0
    assert turns("times_run") == 0


def test_a_time_in_the_past_is_the_next_tick(turns: Functions) -> None:
    turns("arm", -100)
    turns("wait_done_forever")
    assert turns("times_run") == 1


def test_a_timer_fires_while_a_task_loops(turns: Functions) -> None:
    loop = Call(turns, "spin")
    turns("arm", 1)
    turns("wait_done_forever")
    assert loop.is_alive()
    turns.kernel.stop()
    loop.end()


def test_tasklets_run_when_they_may_the_urgent_one_first_and_each_once(turns: Functions) -> None:
    assert turns("tasklets") == 9312


# Contexts, as recorded


def context(kernel: Kernel, load: Load) -> dict[str, tuple[str, str]]:
    """What the module ``context`` says of each place: who runs there, and how."""
    shell = (4000, "bash")
    with kernel.sched.enter(INIT_CRED, lambda: Identity(4001, 4001, "insmod", shell)):
        load("context")
    (kp,) = next(iter(kernel.modules)).kp
    with kernel.sched.enter(INIT_CRED, lambda: Identity(4000, 4000, "bash", (1, "init"))), kernel.lock:
        store_param(kernel, kp, b"5")
    with kernel.sched.enter(USER, lambda: Identity(4002, 4002, "cat", shell)), kernel.lock:
        show_param(kernel, kp)
    with kernel.sched.enter(INIT_CRED, lambda: Identity(4003, 4003, "rmmod", shell)):
        kernel.delete_module("context")
    lines = [line.split(": ", 2)[1:] for line in log(kernel) if line.count(": ") == 2 and "=" in line]
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return {where: (who, how) for (where, who), (_same, how) in pairs}


PROCESS = "task=1 hardirq=0 softirq=0 serving=0 interrupt=0 nmi=0 atomic=0 count=0 irqs_off=0"
INSMOD = "comm=insmod pid=4001 tgid=4001 parent=bash uid=0 euid=0 mm=1 kthread=0"
IDLE = "comm=swapper/0 pid=0 tgid=0 parent=swapper/0 uid=0 euid=0 mm=0 kthread=1"
SOFTIRQ = "task=0 hardirq=0 softirq=1 serving=1 interrupt=1 nmi=0 atomic=1"


def test_contexts_are_those_of_a_real_kernel(kernel: Kernel, load: Load) -> None:
    found = context(kernel, load)
    kthread = "parent=kthreadd uid=0 euid=0 mm=0 kthread=1"
    assert found["init"] == (INSMOD, PROCESS)
    assert found["exit"] == (INSMOD.replace("insmod", "rmmod").replace("4001", "4003"), PROCESS)
    assert found["set"] == ("comm=bash pid=4000 tgid=4000 parent=init uid=0 euid=0 mm=1 kthread=0", PROCESS)
    assert found["get"] == ("comm=cat pid=4002 tgid=4002 parent=bash uid=1000 euid=1000 mm=1 kthread=0", PROCESS)
    for where, changes in {
        "preempt_disable": {"atomic": "1", "count": "1"},
        "spin_lock": {"atomic": "1", "count": "1"},
        "spin_lock_bh": {"softirq": "1", "interrupt": "1", "atomic": "1", "count": "201"},
        "spin_lock_irq": {"atomic": "1", "count": "1", "irqs_off": "1"},
        "local_bh_disable": {"softirq": "1", "interrupt": "1", "atomic": "1", "count": "200"},
        "rcu_read_lock": {},
        "local_irq_disable": {"irqs_off": "1"},
        "smp_call_function_single": {"atomic": "1", "count": "1", "irqs_off": "1"},
    }.items():
        how = dict(pair.split("=") for pair in PROCESS.split()) | changes
        assert found[where] == (INSMOD, " ".join(f"{name}={value}" for name, value in how.items())), where
    for where, comm in (("thread", "context/thread"), ("work", "kworker/u4:0")):
        who, how_text = found[where]
        assert who.startswith(f"comm={comm} pid=") and who.endswith(kthread) and how_text == PROCESS
    assert found["timer"] == (IDLE, f"{SOFTIRQ} count=101 irqs_off=0")
    assert found["rcu"] == (IDLE, f"{SOFTIRQ} count=101 irqs_off=0")
    assert found["tasklet"] == (f"comm=ksoftirqd/0 pid=14 tgid=14 {kthread}", f"{SOFTIRQ} count=100 irqs_off=0")
    hardirq = "task=0 hardirq=1 softirq=0 serving=0 interrupt=1 nmi=0 atomic=1 count=10001 irqs_off=1"
    assert found["hrtimer"] == (IDLE, hardirq)
    assert found["irq_work"] == (INSMOD, hardirq)


def test_the_machine_has_two_processors_and_250_ticks_a_second(kernel: Kernel, load: Load) -> None:
    context(kernel, load)
    assert "context: cpus online=2 possible=2 present=2 nr_cpu_ids=2 HZ=250" in log(kernel)
    assert "context: state=0 system_state=3" in log(kernel)


# Tasks


def test_a_process_is_a_task_only_until_another_makes_a_system_call(turns: Functions) -> None:
    Call(turns, "count_now").end()
    before = len(turns.kernel.sched.tasks)
    for _ in range(5):
        Call(turns, "count_now").end()
    assert len(turns.kernel.sched.tasks) == before


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ((7, "cat", 0), (7, "cat", 0), True),
        ((7, "cat", 0), (8, "cat", 0), False),
        ((7, "cat", 0), (7, "dd", 0), True),
        ((7, "cat", 0), (7, "cat", 1000), True),
    ],
)
def test_who_calls_again_is_the_same_task(
    kernel: Kernel, first: tuple[int, str, int], second: tuple[int, str, int], same: bool
) -> None:
    """Its structure stays where it was, and says who it is now."""
    seen = []
    for pid, comm, uid in (first, second):
        who = Identity(pid, pid, comm)
        with kernel.sched.enter(Cred(uid, uid, 0, pid), lambda who=who: who), kernel.lock:  # type: ignore[misc]
            task = kernel.current
            seen.append(task)
            assert (task.pid, task.comm, task.cred.uid) == (pid, comm, uid)
            assert kernel.struct("cred", task.cred_address)["uid.val"] == uid
    assert (seen[0] is seen[1]) == same


def test_a_task_that_was_killed_is_not_used_again(kernel: Kernel) -> None:
    seen = []
    for _ in range(2):
        with (
            suppress(TaskKilled),
            kernel.sched.enter(Cred(0, 0, 0, 7), lambda: Identity(7, 7, "cat")),
            kernel.lock,
        ):
            seen.append(kernel.current)
            raise TaskKilled(seen[-1])
    assert seen[0] is not seen[1]


def test_a_task_is_used_again_for_another(turns: Functions) -> None:
    Call(turns, "count_now").end()
    used = turns.kernel.memory.used
    for _ in range(20):
        Call(turns, "count_now").end()
    assert turns.kernel.memory.used == used


def test_who_makes_a_system_call_is_asked_only_if_it_matters(kernel: Kernel) -> None:
    def identity() -> Identity:
        raise AssertionError

    with kernel.sched.enter(INIT_CRED, identity), pytest.raises(OSError):
        kernel.delete_module("nothing")


def test_system_calls_may_be_nested(turns: Functions) -> None:
    sched = turns.kernel.sched
    with sched.enter(INIT_CRED, lambda: Identity(70, 70, "outer")):
        assert sched.current.comm == "outer"
        with sched.enter(INIT_CRED, lambda: Identity(71, 71, "inner")):
            assert sched.current.comm == "inner"
        assert sched.current.comm == "outer"


# Kernels go when nobody needs them


def test_a_kernel_that_nobody_has_is_no_more(image: KernelImage) -> None:
    def use() -> weakref.ref[Kernel]:
        kernel = Kernel(image)
        kernel.init_module(module_path("calls").read_bytes())
        assert Functions(kernel, "calls").long("wait_for_tick") >= 1
        return weakref.ref(kernel)

    kernel = use()

    def gone() -> bool:
        gc.collect()
        return kernel() is None

    wait_until(gone)


def test_the_threads_of_a_kernel_end_with_it(image: KernelImage) -> None:
    before = threading.active_count()
    kernel = Kernel(image)
    kernel.init_module(module_path("turns").read_bytes())
    turns = Functions(kernel, "turns")
    turns("make_queue")
    turns("queue_it")
    turns("arm", LONG)
    turns("make_thread", 0)
    turns("wake_thread")
    Call(turns, "spin")
    kernel.stop()
    wait_until(lambda: threading.active_count() <= before)
