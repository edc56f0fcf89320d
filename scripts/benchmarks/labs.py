"""What a lab costs: to start it, to have it, to load modules in it, and what its system calls cost."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from . import worlds
from .machines import LAB, QEMU, UML, World
from .measure import OURS, Aim, Bench, Question, Row, Sampler, Side

__all__ = ["QUESTIONS"]

MIB: Final = 1024


class Memory(NamedTuple):
    """What a side occupies (KiB): now, and at most."""

    now: float
    peak: float


def processes(first: int) -> list[Path]:
    """A process and all that come from it, but for clients: whoever asks is not what is asked about."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            pid, name, rest = re.fullmatch(r"(\d+) \((.*)\) (.*)\n", stat.read_text(), re.DOTALL).groups()  # type: ignore[union-attr]
            if name != "client":
                parents[int(pid)] = int(rest.split()[1])
    family = [first]
    for pid in family:
        family.extend(child for child, parent in parents.items() if parent == pid)
    return [Path("/proc", str(pid)) for pid in family]


def kib(text: str, name: str) -> float:
    found = re.search(rf"^{name}:\s*(\d+)", text, re.MULTILINE)
    return float(found[1]) if found else 0


def memory(first: int) -> Memory:
    """What is shared counts for each in part; the peak is what each process had at most beyond what it has now."""
    now = peak = 0.0
    for process in processes(first):
        with suppress(OSError):
            pss = kib((process / "smaps_rollup").read_text(), "Pss")
            status = (process / "status").read_text()
            now += pss
            peak += pss + kib(status, "VmHWM") - kib(status, "VmRSS")
    return Memory(now, peak)


def wakeups(first: int) -> int:
    """How often they have gone to sleep by themselves."""
    count = 0.0
    for process in processes(first):
        for status in process.glob("task/*/status"):
            with suppress(OSError):
                count += kib(status.read_text(), "voluntary_ctxt_switches")
    return int(count)


@contextmanager
def cold(world: World, bench: Bench) -> Iterator[Sampler]:
    """From nothing to a module that is loaded, looked at and unloaded, to nothing."""
    once = [*world.load(), "++", *world.cat(), "++", *world.unload()]

    def sample() -> dict[str, float]:
        start = time.perf_counter()
        with world.start(bench) as client:
            client.ask("run", 1, *once)
            looking = time.perf_counter()
            peak = memory(client.process.pid).peak
            looked = time.perf_counter()
        return {"wall": time.perf_counter() - start - (looked - looking), "memory": peak / MIB}

    yield sample


@contextmanager
def idle(world: World, bench: Bench) -> Iterator[Sampler]:
    """A world in which a module is loaded, and nothing happens."""
    with world.start(bench) as client:
        client.ask("run", 1, *world.load())
        seconds = bench.count(5, 2)

        def sample() -> dict[str, float]:
            time.sleep(0.5)  # until all is quiet
            before = wakeups(client.process.pid)
            time.sleep(seconds)
            return {
                "wakeups": (wakeups(client.process.pid) - before) / seconds,
                "memory": memory(client.process.pid).now / MIB,
            }

        yield sample


@contextmanager
def pairs(world: World, bench: Bench) -> Iterator[Sampler]:
    """Two processes for each pair: insmod and rmmod."""
    with world.start(bench) as client:
        pair = [*world.load(), "++", *world.unload()]
        client.ask("run", 2, *pair)
        yield lambda: {"pair": client.ask("run", bench.count(10, 5), *pair)[0] / 1e6}


CALLS: Final[dict[str, Callable[[worlds.Client, Bench], float]]] = {
    "insmod": lambda client, bench: client.ask("try", bench.count(20, 10), "insmod", "/none.ko")[0] / 1e3,
    "finit_module": lambda client, bench: client.ask("call", "finit_module", bench.count(2000, 500))[0] / 1e3,
    "uname": lambda client, bench: client.ask("call", "uname", bench.count(2000, 500))[0] / 1e3,
    "getppid": lambda client, bench: client.ask("call", "getppid", bench.count(100_000, 20_000))[0] / 1e3,
}


@contextmanager
def calls(inside: bool, bench: Bench) -> Iterator[Sampler]:
    """System calls, in and out of a lab."""
    with (worlds.lab if inside else worlds.client)(bench) as client:
        yield lambda: {name: call(client, bench) for name, call in CALLS.items()}


def each(measure: Callable[[World, Bench], AbstractContextManager[Sampler]], *given: World) -> tuple[Side, ...]:
    """The same of several worlds."""
    return tuple(Side(world.name, partial(measure, world)) for world in given)


QUESTIONS: Final = (
    Question(
        "insmod",
        "insmod and rmmod of a small module",
        rows=(Row("pair", "insmod and rmmod of hello, in the lab", "ms", UML.name, Aim("ours", 8)),),
        sides=each(pairs, LAB, UML),
        rounds=(9, 3),
    ),
    Question(
        "cold",
        "From nothing to a loaded module and back",
        rows=(
            Row("wall", "cold start: lab, insmod, cat, rmmod, out", "s", UML.name, Aim("ratio", 0.4)),
            Row("wall", "the same", "s", QEMU.name),
            Row("memory", "cold start: peak memory", "MiB", UML.name, Aim("ours", 60)),
            Row("memory", "the same", "MiB", QEMU.name),
        ),
        sides=each(cold, LAB, UML, QEMU),
        rounds=(5, 1),
    ),
    Question(
        "idle",
        "A lab in which nothing happens",
        rows=(
            Row("memory", "idle lab: memory", "MiB", UML.name, Aim("ours", 60)),
            Row("wakeups", "idle lab: wake-ups", "/s", UML.name, Aim("ours", 0)),
        ),
        sides=each(idle, LAB, UML),
        rounds=(3, 1),
    ),
    Question(
        "calls",
        "System calls in a lab",
        rows=(
            Row("finit_module", "system call that the lab answers: finit_module(-1)", "us", "host"),
            Row("uname", "the same: uname", "us", "host"),
            Row("getppid", "system call that it does not: getppid", "us", "host"),
            Row("insmod", "insmod of a missing file", "us", "host"),
        ),
        sides=(Side(OURS, partial(calls, True)), Side("host", partial(calls, False))),
        rounds=(9, 3),
    ),
)
