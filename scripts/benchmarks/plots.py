"""A picture for each question: a bar for each side, a dot for each sample; or lines, where sides are more and more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot

from .measure import OURS, Finding, Row
from .table import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot"]

COLOURS: Final = ("#1f6f8b", "#d98032", "#8a8d91", "#c9b458")
#: Inches, of each row's part.
SIZE: Final = (3.2, 3.4)
COLUMNS: Final = 4


def _rows(finding: Finding) -> list[Row]:
    """Those that have something to show, each once."""
    shown = {row.key: row for row in reversed(finding.question.rows)}
    return [
        row
        for row in finding.question.rows
        if shown[row.key] is row and any(row.key in samples for samples in finding.samples.values())
    ]


def _bars(axes: Axes, finding: Finding, row: Row) -> None:
    sides = [side for side, samples in finding.samples.items() if row.key in samples]
    medians = [finding.median(side, row.key) or 0 for side in sides]
    axes.bar(range(len(sides)), medians, color=COLOURS[: len(sides)], width=0.6)
    for place, side in enumerate(sides):
        samples = finding.samples[side][row.key]
        axes.plot([place] * len(samples), samples, ".", color="black", markersize=3)
        axes.annotate(number(medians[place]), (place, max(samples)), ha="center", va="bottom", fontsize=7)
    axes.set_xticks(range(len(sides)), [side.replace(" ", "\n") for side in sides], fontsize=7)
    axes.set_ylim(bottom=0)
    axes.margins(y=0.15)


def _line(axes: Axes, finding: Finding, row: Row) -> None:
    points = sorted((finding.at[side], samples[row.key]) for side, samples in finding.samples.items())
    axes.plot([at for at, _ in points], [_median(samples) for _, samples in points], "o-", color=COLOURS[0])
    for at, samples in points:
        axes.plot([at] * len(samples), samples, ".", color="black", markersize=3)
    axes.set_xscale("log")
    axes.set_xlabel(finding.question.across, fontsize=7)
    axes.set_ylim(bottom=0)


def _median(samples: list[float]) -> float:
    return sorted(samples)[len(samples) // 2]


def _aim(axes: Axes, finding: Finding, row: Row) -> None:
    """A line at what is to be reached."""
    if row.aim is None:
        return
    base = finding.median(row.peer, row.key) if row.aim.of == "ratio" else 1
    if base is not None and row.aim.bound:
        axes.axhline(base * row.aim.bound, color="#a03030", linewidth=0.8, linestyle="--")


def plot(finding: Finding, directory: Path) -> None:
    """Write a question's picture, if it has an answer."""
    rows = _rows(finding)
    if OURS not in finding.samples or not rows:
        return
    columns = min(COLUMNS, len(rows))
    lines = -(-len(rows) // columns)
    width, height = SIZE
    figure, places = pyplot.subplots(lines, columns, figsize=(width * columns, height * lines), squeeze=False)
    for axes in places.flat[len(rows) :]:
        axes.set_visible(False)
    for axes, row in zip(places.flat, rows, strict=False):
        (_line if finding.question.across else _bars)(axes, finding, row)
        _aim(axes, finding, row)
        axes.set_title(row.what, fontsize=8, wrap=True)
        axes.set_ylabel(row.unit, fontsize=8)
        axes.tick_params(axis="y", labelsize=7)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    figure.suptitle(finding.question.title, fontsize=10)
    figure.tight_layout()
    figure.savefig(directory / f"{finding.question.name}.png", dpi=110)
    pyplot.close(figure)
