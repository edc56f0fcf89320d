"""What loading costs: of a small module, of large ones, of all that Debian has."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from statistics import median
from typing import Final

from sysfsd.linux.arch.x86.cpu import Cpu
from sysfsd.linux.system import Kernel

from . import worlds
from .machines import RELEASE
from .measure import OURS, Aim, Bench, Question, Row, Sampler, Side, Unavailable
from .modules import HELLO, ROOT

__all__ = ["QUESTIONS"]

TREE: Final = ROOT / f"build/linux-image-{RELEASE}/lib/modules/{RELEASE}"
#: Debian's modules in the order of their dependencies, and who loads them.
ORDER: Final = ROOT / "tests/debian/load-order.txt"
LOADER: Final = ROOT / "scripts/load-debian"
#: Modules of more than 100,000 relocations.
LARGE: Final = ("amdgpu", "i915")


@cache
def files() -> dict[str, Path]:
    """Debian's modules, by name."""
    found = {path.stem.replace("-", "_"): path for path in TREE.rglob("*.ko")}
    if not found:
        raise Unavailable(f"no modules of {RELEASE} below build/")
    return found


def needed(name: str) -> list[str]:
    """What a module needs, each behind what that needs."""
    command = ["modinfo", "-F", "depends", str(files()[name])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    order: dict[str, None] = {}
    for dependency in done.stdout.strip().replace("-", "_").split(","):
        if dependency:
            order.update(dict.fromkeys([*needed(dependency), dependency]))
    return list(order)


@contextmanager
def load_hello(bench: Bench) -> Iterator[Sampler]:
    """A small module, without a mount: loaded and unloaded, and how much of that is its init."""
    hello = HELLO.read_bytes()
    inits: list[float] = []
    call = Cpu.call

    def timed(self: Cpu, function: int, *args: int, site: str = "") -> int:
        start = time.perf_counter()
        try:
            return call(self, function, *args, site=site)
        finally:
            if site == "init":
                inits.append(time.perf_counter() - start)

    def both(kernel: Kernel) -> float:
        start = time.perf_counter()
        kernel.init_module(hello)
        kernel.delete_module("hello")
        return time.perf_counter() - start

    def sample() -> dict[str, float]:
        inits.clear()
        kernel = Kernel()
        try:
            first = both(kernel)
            again = median(both(kernel) for _ in range(bench.count(200, 50)))
        finally:
            kernel.stop()
        return {"first": first * 1e3, "again": again * 1e3, "init": median(inits[1:]) * 1e3}

    Cpu.call = timed  # type: ignore[method-assign]
    try:
        yield sample
    finally:
        Cpu.call = call  # type: ignore[method-assign]


@contextmanager
def load_large(bench: Bench) -> Iterator[Sampler]:
    """Large modules, by the control file of a mount in which what they need is loaded."""
    before = dict.fromkeys(name for large in LARGE for name in needed(large))

    def sample() -> dict[str, float]:
        with worlds.mount(bench) as where, worlds.client(bench) as client:
            # The client does it, as some inits are its end: there is no such hardware.
            times = {name: client.ask("put", where / "control/load", files()[name])[0] for name in [*before, *LARGE]}
        return {name: times[name] / 1e9 for name in LARGE}

    yield sample


@contextmanager
def read_large(bench: Bench) -> Iterator[Sampler]:
    """What people use to look at a module: modinfo, and a list of its relocations."""
    worlds.need("modinfo", "objdump")

    def sample() -> dict[str, float]:
        times: dict[str, float] = {}
        for name in LARGE:
            start = time.perf_counter()
            for command in (["modinfo"], ["objdump", "-r"]):
                subprocess.run([*command, files()[name]], stdout=subprocess.DEVNULL, check=True)
            times[name] = time.perf_counter() - start
        return times

    yield sample


@contextmanager
def load_all(bench: Bench) -> Iterator[Sampler]:
    """What scripts/load-debian says of itself."""
    files()
    said = re.compile(r"(\d+) of (\d+) modules loaded in ([\d.]+) s, peak memory (\d+) MiB")

    def sample() -> dict[str, float]:
        command = [sys.executable, str(LOADER), "--list", str(ORDER)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = said.search(done.stdout)
        if found is None:
            raise Unavailable((done.stderr.strip().splitlines() or ["said nothing"])[-1])
        return dict(zip(("loaded", "of", "seconds", "memory"), map(float, found.groups()), strict=True))

    yield sample


QUESTIONS: Final = (
    Question(
        "hello",
        "Load a small module, without a mount",
        rows=(
            Row("first", "load and unload hello, a kernel's first module", "ms"),
            Row("again", "load and unload hello, again", "ms"),
            Row("init", "its init, of that", "ms"),
        ),
        sides=(Side(OURS, load_hello),),
        rounds=(5, 3),
    ),
    Question(
        "large",
        "Load a module of more than 100,000 relocations",
        rows=tuple(Row(name, f"load {name}", "s", "modinfo, objdump -r", Aim("ours", 1.5)) for name in LARGE),
        sides=(Side(OURS, load_large), Side("modinfo, objdump -r", read_large)),
        rounds=(5, 2),
    ),
    Question(
        "debian",
        "Load Debian's modules",
        rows=(
            Row("loaded", "modules of Debian loaded in the order of dependencies", ""),
            Row("seconds", "in", "s", "", Aim("ours", 12)),
            Row("memory", "peak memory", "MiB", "", Aim("ours", 400)),
        ),
        sides=(Side(OURS, load_all),),
        rounds=(3, 1),
    ),
)
