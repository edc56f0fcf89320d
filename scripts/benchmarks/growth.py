"""What it costs to have many modules loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from . import modules, worlds
from .measure import OURS, Aim, Bench, Question, Row, Sampler, Side

__all__ = ["QUESTIONS"]

#: How many modules, in a full and in a quick run; the first is compared with the last.
MOST: Final = (10_000, 1000)
FEWEST: Final = 10
BETWEEN: Final = (100, 1000)


def loaded(count: Callable[[Bench], int], bench: Bench) -> Iterator[Sampler]:
    """So many modules, and one more, which comes and goes."""
    (further,) = modules.make(bench.scratch / "modules", 1, "x")
    with (
        worlds.mount(bench, *modules.make(bench.scratch / "modules", count(bench))) as where,
        worlds.client(bench) as client,
    ):
        parameter = where / "sys/module/h0000/parameters/count"

        def sample() -> dict[str, float]:
            load, unload = client.ask("control", where / "control/load", further, where / "control/unload", "x0000", 20)
            return {
                "load": load / 1e3,
                "unload": unload / 1e3,
                "read": client.ask("read", parameter, 500)[0] / 1e3,
                "missing": client.ask("missing", where / "sys/module", 200)[0] / 1e3,
            }

        sample()
        yield sample


def always(count: int, bench: Bench) -> int:
    return count


def of(name: str, count: Callable[[Bench], int]) -> Side:
    return Side(name, contextmanager(partial(loaded, count)), count)


QUESTIONS: Final = (
    Question(
        "growth",
        "Many modules",
        rows=tuple(
            Row(key, f"many modules: {what}", "us", f"{FEWEST} modules", Aim("ratio", 1.3))
            for key, what in (
                ("load", "load one more"),
                ("unload", "unload it"),
                ("read", "read a parameter"),
                ("missing", "look up a missing name"),
            )
        ),
        sides=(
            of(OURS, lambda bench: bench.count(*MOST)),
            of(f"{FEWEST} modules", partial(always, FEWEST)),
            *(of(f"{count} modules", partial(always, count)) for count in BETWEEN),
        ),
        rounds=(9, 5),
        across="modules loaded",
    ),
)
