"""Questions, the sides that are asked, and how: in turn, several times over.

A `Question` has rows, which are what the table shows, and sides. A `Side` is something to be set up, and then to be
sampled as often as it takes; a sample is a number for each row that the side has something to say to. The first side is
ours; each row says which one is its peer.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CalledProcessError
from typing import Final, NamedTuple

__all__ = ["OURS", "Aim", "Bench", "Finding", "Question", "Row", "Sample", "Sampler", "Side", "Unavailable", "ask"]

#: The name of our own side.
OURS: Final = "sysfsd"

#: By row: a number.
Sample = Mapping[str, float]
Sampler = Callable[[], Sample]


class Unavailable(Exception):
    """A side that cannot run here, and why."""


#: After which the other sides, and the other questions, are asked all the same.
FAILURES: Final = (Unavailable, OSError, CalledProcessError)


@dataclass(frozen=True)
class Bench:
    """One run of the benchmarks."""

    quick: bool
    #: A directory for whatever is needed.
    scratch: Path
    #: The client, built.
    client: Path

    def count(self, full: int, quick: int) -> int:
        """How often to do something."""
        return quick if self.quick else full


class Side(NamedTuple):
    """One of those that are compared.

    :param start: sets it up, for as long as it is wanted; raises `Unavailable`
    :param at: where it is on the line of a plot, if its question has one
    """

    name: str
    start: Callable[[Bench], AbstractContextManager[Sampler]]
    at: Callable[[Bench], int] = lambda bench: 0


class Aim(NamedTuple):
    """What a row is to reach.

    :param of: "ratio" to the peer, or "ours"
    :param bound: in the row's unit where it is ours
    :param least: the bound is the least that will do, not the most
    """

    of: str
    bound: float
    least: bool = False

    def reached(self, value: float) -> bool:
        return value >= self.bound if self.least else value <= self.bound

    def __str__(self) -> str:
        return f"{'at least' if self.least else 'at most'} {self.bound:g}"


class Row(NamedTuple):
    """A line of the table.

    :param key: what samples call it
    :param what: what the table says is measured
    :param unit: of the numbers
    :param peer: the side to compare with
    :param aim: if there is one
    """

    key: str
    what: str
    unit: str
    peer: str = ""
    aim: Aim | None = None


class Question(NamedTuple):
    """What is asked.

    :param name: on the command line
    :param title: of its plot
    :param rounds: how often each side is sampled, in a full and in a quick run
    :param across: what the sides differ in, if they are points of a line in the plot
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    sides: tuple[Side, ...]
    rounds: tuple[int, int] = (9, 3)
    across: str = ""


@dataclass
class Finding:
    """What came out of a question."""

    question: Question
    #: By side: where it is on a line.
    at: dict[str, int] = field(default_factory=dict)
    #: By side and row: all samples.
    samples: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    #: By side: why there are none.
    missing: dict[str, str] = field(default_factory=dict)

    def median(self, side: str, key: str) -> float | None:
        samples = self.samples.get(side, {}).get(key)
        return statistics.median(samples) if samples else None

    def ratio(self, row: Row) -> float | None:
        """Ours to the peer's."""
        ours, peer = self.median(OURS, row.key), self.median(row.peer, row.key)
        return ours / peer if ours is not None and peer else None

    def reached(self, row: Row) -> bool | None:
        """Whether a row's aim is; None: there is none, or nothing to tell it by."""
        if row.aim is None:
            return None
        value = self.ratio(row) if row.aim.of == "ratio" else self.median(OURS, row.key)
        return None if value is None else row.aim.reached(value)


def ask(bench: Bench, question: Question) -> Finding:
    """Set up all sides, and sample them in turn: forth, and back, so that none is always the first."""
    finding = Finding(question, {side.name: side.at(bench) for side in question.sides})
    with ExitStack() as stack:
        samplers: list[tuple[str, Sampler]] = []
        for side in question.sides:
            try:
                samplers.append((side.name, stack.enter_context(side.start(bench))))
            except FAILURES as reason:
                finding.missing[side.name] = str(reason)
        for number in range(bench.count(*question.rounds)):
            for name, sampler in samplers if number % 2 == 0 else reversed(samplers):
                if name in finding.missing:
                    continue
                try:
                    sample = sampler()
                except FAILURES as reason:
                    finding.missing[name] = str(reason)
                    continue
                for key, value in sample.items():
                    finding.samples.setdefault(name, {}).setdefault(key, []).append(value)
    return finding
