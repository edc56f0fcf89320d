"""Modules, their references and who uses whom: kernel/module/main.c."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable

import pytest

from sysfsd.linux.kernel.module.module import Module, ModuleState
from sysfsd.linux.kernel.panic import Taint, taint_letters
from sysfsd.linux.system import Kernel
from tests.linux.fake import FakeCpu
from tests.linux.ko import Ko, module_path
from tests.linux.state import log

Load = Callable[..., None]


def find(kernel: Kernel, name: str) -> Module:
    mod = kernel.modules.find(name)
    assert mod is not None
    return mod


# The list


def test_the_newest_module_comes_first(kernel: Kernel, load: Load) -> None:
    for name in ("greeter", "provider", "consumer"):
        load(name)
    assert [mod.name for mod in kernel.modules] == ["consumer", "provider", "greeter"]


def test_the_list_may_change_while_it_is_looked_at(kernel: Kernel, load: Load) -> None:
    load("greeter")
    load("provider")
    for mod in kernel.modules:
        kernel.delete_module(mod.name)
    assert list(kernel.modules) == []


def test_an_unformed_module_is_not_seen(kernel: Kernel) -> None:
    kernel.modules.add_unformed(Module("ghost", 0))
    assert kernel.modules.find("ghost") is None
    assert list(kernel.modules) == []


def test_a_name_is_taken_once(kernel: Kernel, load: Load) -> None:
    load("greeter")
    with pytest.raises(OSError) as caught:
        load("greeter")
    assert caught.value.errno == errno.EEXIST


def test_a_name_that_is_going_is_busy(kernel: Kernel, load: Load) -> None:
    load("greeter")
    find(kernel, "greeter").state = ModuleState.GOING
    with pytest.raises(OSError) as caught:
        load("greeter")
    assert caught.value.errno == errno.EBUSY


# References


def test_while_it_starts_a_module_holds_itself(kernel: Kernel, load: Load) -> None:
    seen: list[tuple[ModuleState, int]] = []

    def init() -> int:
        mod = find(kernel, "greeter")
        seen.append((mod.state, mod.refcount))
        return 0

    kernel.cpu = FakeCpu(lambda _function: init())
    load("greeter")
    assert seen == [(ModuleState.COMING, 1)]
    mod = find(kernel, "greeter")
    assert (mod.state, mod.refcount) == (ModuleState.LIVE, 0)


def test_a_reference_keeps_a_module(kernel: Kernel, load: Load) -> None:
    load("greeter")
    mod = find(kernel, "greeter")
    assert mod.try_module_get()
    with pytest.raises(OSError) as caught:
        kernel.delete_module("greeter")
    assert caught.value.errno == errno.EWOULDBLOCK
    assert (mod.state, mod.refcount) == (ModuleState.LIVE, 1)
    mod.module_put()
    kernel.delete_module("greeter")
    assert mod.refcount == -1


def test_no_reference_to_what_is_going(kernel: Kernel, load: Load) -> None:
    load("greeter")
    mod = find(kernel, "greeter")
    mod.state = ModuleState.GOING
    assert not mod.try_module_get()
    assert mod.refcount == 0


# Holders


def test_using_a_symbol_holds_its_module_once(kernel: Kernel, load: Load) -> None:
    load("provider")
    load("consumer")
    provider, consumer = find(kernel, "provider"), find(kernel, "consumer")
    assert (provider.refcount, provider.source_list, consumer.target_list) == (1, [consumer], [provider])


def test_a_used_module_cannot_go_first(kernel: Kernel, load: Load) -> None:
    load("provider")
    load("consumer")
    with pytest.raises(OSError) as caught:
        kernel.delete_module("provider", 0o1000)
    assert caught.value.errno == errno.EWOULDBLOCK
    kernel.delete_module("consumer")
    assert find(kernel, "provider").refcount == 0
    kernel.delete_module("provider")


def test_the_newest_user_comes_first(kernel: Kernel, load: Load) -> None:
    load("provider")
    load("consumer")
    kernel.init_module(bytes(Ko("consumer").rename("another")))
    assert [user.name for user in find(kernel, "provider").source_list] == ["another", "consumer"]


def test_a_user_that_fails_to_start_holds_nobody(kernel: Kernel, load: Load) -> None:
    load("provider")
    kernel.cpu = FakeCpu(lambda _function: -errno.EIO)
    with pytest.raises(OSError) as caught:
        load("consumer")
    assert caught.value.errno == errno.EIO
    provider = find(kernel, "provider")
    assert (provider.refcount, provider.source_list) == (0, [])


def test_a_module_that_is_going_is_not_used(kernel: Kernel, load: Load) -> None:
    load("provider")
    find(kernel, "provider").state = ModuleState.GOING
    with pytest.raises(OSError) as caught:
        load("consumer")
    assert caught.value.errno == errno.ENOENT


# Permanent modules


@pytest.mark.parametrize(
    ("name", "permanent"), [("permanent", True), ("no_init", False), ("neither", False), ("greeter", False)]
)
def test_a_module_that_can_start_but_not_stop_is_permanent(
    kernel: Kernel, load: Load, name: str, permanent: bool
) -> None:
    load(name)
    assert find(kernel, name).permanent is permanent


# Waiting


class CountingCondition(threading.Condition):
    """A condition that tells who waits already when another begins to wait."""

    def __init__(self, lock: threading.RLock) -> None:
        super().__init__(lock)
        self.waiting = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waiting += 1
        self.notify_all()
        try:
            return super().wait(timeout)
        finally:
            self.waiting -= 1


class SlowInit(FakeCpu):
    """A processor whose first ``init`` function lasts until somebody waits for it."""

    def __init__(self, kernel: Kernel, result: int) -> None:
        super().__init__(self.init)
        self.result: int | None = result
        self.started = threading.Event()
        self.wq = kernel.modules._wq = CountingCondition(kernel.lock)  # type: ignore[arg-type]

    def init(self, _function: int) -> int:
        result, self.result = self.result, None
        if result is None:
            return 0
        self.started.set()
        while not self.wq.waiting:
            assert threading.Condition.wait(self.wq, 30)
        return result


def load_both(kernel: Kernel, first: str, second: str, result: int) -> tuple[int | None, int | None]:
    """Load *second* while *first* starts, whose init then returns *result*; both errnos."""
    cpu = SlowInit(kernel, result)
    kernel.cpu = cpu
    outcomes: dict[str, int | None] = {}

    def run(key: str, name: str) -> None:
        outcomes[key] = 0
        try:
            kernel.init_module(module_path(name).read_bytes())
        except OSError as error:
            outcomes[key] = error.errno

    threads = [threading.Thread(target=run, args=args) for args in (("first", first), ("second", second))]
    threads[0].start()
    assert cpu.started.wait(30)
    threads[1].start()
    for thread in threads:
        thread.join(60)
    return outcomes["first"], outcomes["second"]


@pytest.mark.parametrize(("result", "second"), [(0, errno.EEXIST), (-errno.EIO, errno.EBUSY)])
def test_a_second_load_of_a_starting_module_waits_for_the_first(kernel: Kernel, result: int, second: int) -> None:
    assert load_both(kernel, "greeter", "greeter", result) == (-result, second)


def test_a_user_of_a_starting_module_waits_for_it(kernel: Kernel) -> None:
    assert load_both(kernel, "provider", "consumer", 0) == (0, 0)
    assert [user.name for user in find(kernel, "provider").source_list] == ["consumer"]


def test_a_user_of_a_module_that_fails_to_start_finds_no_symbol(kernel: Kernel) -> None:
    assert load_both(kernel, "provider", "consumer", -errno.EIO) == (errno.EIO, errno.ENOENT)
    assert list(kernel.modules) == []
    assert any("Unknown symbol" in line for line in log(kernel))


# Flags


@pytest.mark.parametrize(
    ("taints", "state", "flags"),
    [
        (0, ModuleState.LIVE, ""),
        (0, ModuleState.COMING, "(+)"),
        (0, ModuleState.GOING, "(-)"),
        (1 << 12 | 1 << 13, ModuleState.LIVE, "(OE)"),
        (1 << 12 | 1 << 13, ModuleState.COMING, "(OE+)"),
        (1, ModuleState.GOING, "(P-)"),
    ],
)
def test_flags_tell_taints_and_coming_or_going(taints: int, state: ModuleState, flags: str) -> None:
    assert Module("m", 0, state=state, taints=taints).flags() == flags


def test_letters_stand_in_the_order_of_their_bits() -> None:
    assert taint_letters((1 << 19) - 1) == "PFCOEKXTN"


@pytest.mark.parametrize("taint", [Taint.FORCED_RMMOD, Taint.USER, Taint.WARN, Taint.DIE])
def test_taints_that_no_module_has_show_nothing(taint: Taint) -> None:
    assert taint_letters(1 << taint) == ""
