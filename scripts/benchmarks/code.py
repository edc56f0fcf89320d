"""What running module code costs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Final

from sysfsd.linux.kernel.params import KernelParam
from sysfsd.linux.system import Kernel

from . import worlds
from .measure import OURS, Bench, Question, Row, Sampler, Side
from .modules import MODULES

__all__ = ["QUESTIONS"]

COSTS: Final = MODULES / "costs.ko"
PLAIN: Final = MODULES / "dev_plain.ko"

#: One turn of the module's own loop (costs.ko): seven instructions, and five of what it calls.
TURN: Final = 12
LOOP: Final = 100_000_000
#: By what the module calls it: the key of a row.
COSTS_OF: Final = {
    "a function of the module's own": "loop",
    "jiffies_to_msecs": "exported",
    "spin_lock and spin_unlock": "spin_lock",
    "kmalloc and kfree": "kmalloc",
    "printk": "printk",
}
#: How much a unit of these rows is, in nanoseconds.
SCALE: Final = {"loop": TURN * 1e9 / LOOP}


@contextmanager
def own(bench: Bench) -> Iterator[Sampler]:
    """As the module itself measures it."""
    image = COSTS.read_bytes()

    def sample() -> dict[str, float]:
        kernel = Kernel()
        try:
            before = kernel.log.next_seq
            kernel.init_module(image, b"n=%d" % bench.count(100_000, 30_000))
            records = [record.text.decode() for record in kernel.log.records(before)]
        finally:
            kernel.stop()
        found = [re.fullmatch(r"costs: (.*): (\d+) ns", record) for record in records]
        times = {COSTS_OF[match[1]]: float(match[2]) for match in found if match}
        return {
            "exported": 1e9 / times.pop("exported"),
            **{key: cost / SCALE.get(key, 1e3) for key, cost in times.items()},
        }

    yield sample


@contextmanager
def native(bench: Bench) -> Iterator[Sampler]:
    """The same loop, as the processor runs it."""
    with worlds.client(bench) as client:
        yield lambda: {"loop": client.ask("loop", bench.count(10_000_000, 3_000_000))[0] / SCALE["loop"]}


@contextmanager
def parameters(bench: Bench) -> Iterator[Sampler]:
    """A read of a parameter, without a mount: with the kernel's operations, and with the module's own."""
    kernel = Kernel()
    kernel.init_module(COSTS.read_bytes())
    mod = kernel.modules.find("costs")
    assert mod is not None
    wanted = {param.name: param for param in mod.kp if param.name in ("plain", "own")}

    def read(param: KernelParam) -> float:
        assert param.ops.get is not None
        count = bench.count(2000, 500)
        start = time.perf_counter()
        for _ in range(count):
            with kernel.lock:
                param.ops.get(kernel, param)
        return (time.perf_counter() - start) / count * 1e6

    try:
        yield lambda: {name: read(param) for name, param in wanted.items()}
    finally:
        kernel.stop()


#: How a device is asked: what to do, and with how many bytes.
BLOCKS: Final = tuple(product(("read", "write"), (1, 4096, 131_072)))


@contextmanager
def device(bench: Bench) -> Iterator[Sampler]:
    """A module's character device that only copies, through a mount."""
    with worlds.mount(bench, PLAIN) as where, worlds.client(bench) as client:

        def sample() -> dict[str, float]:
            found: dict[str, float] = {}
            for what, size in BLOCKS:
                cost = client.ask("blocks", what, where / "dev/dev_plain", size, bench.count(1000, 300))[0]
                found[f"{what} {size}"] = 1e9 / cost if size == 1 else size / cost * 1e3
            return found

        yield sample


QUESTIONS: Final = (
    Question(
        "code",
        "Module code",
        rows=(
            Row("exported", "module code: calls of an exported function that does nothing", "/s"),
            Row("loop", "10^8 instructions of its own", "s", "native"),
            Row("spin_lock", "spin_lock and spin_unlock", "us"),
            Row("kmalloc", "kmalloc and kfree", "us"),
            Row("printk", "printk", "us"),
        ),
        sides=(Side(OURS, own), Side("native", native)),
        rounds=(5, 2),
    ),
    Question(
        "parameters",
        "Read a parameter, without a mount",
        rows=(
            Row("plain", "format a parameter, the kernel's operations", "us"),
            Row("own", "the same, the module's own operations", "us"),
        ),
        sides=(Side(OURS, parameters),),
    ),
    Question(
        "device",
        "A character device",
        rows=tuple(
            Row(
                f"{what} {size}",
                f"character device: {what} of {size:,} bytes" if size > 1 else f"character device: {what} of one byte",
                "MB/s" if size > 1 else "/s",
            )
            for what, size in BLOCKS
        ),
        sides=(Side(OURS, device),),
        rounds=(9, 3),
    ),
)
