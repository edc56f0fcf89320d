"""The table of what came out."""

from __future__ import annotations

from collections.abc import Iterable

from .measure import OURS, Finding, Row

__all__ = ["json", "number", "table"]

HEAD = ("question", "ours", "peer", "ratio", "aim", "reached")


def number(value: float) -> str:
    """Three digits that count, and no exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = next(n for n in range(6) if abs(value) * 10**n >= 100 or n == 5)
    return f"{value:.{digits}f}"


def _with_unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{number(value)} {unit}".rstrip().replace(" /", "/")


def _cells(finding: Finding, row: Row) -> tuple[str, ...]:
    ours = finding.median(OURS, row.key)
    peer, why = finding.median(row.peer, row.key), finding.missing.get(row.peer)
    ratio, reached = finding.ratio(row), finding.reached(row)
    aim = ""
    if row.aim is not None:
        aim = str(row.aim) if row.aim.of == "ratio" else f"{row.aim} {row.unit}".replace(" /", "/")
    return (
        row.what,
        _with_unit(ours, row.unit) or f"none: {finding.missing.get(OURS, 'not said')}",
        f"{row.peer}: " + (why or _with_unit(peer, row.unit)) if row.peer else "",
        "" if ratio is None else number(ratio),
        aim,
        "" if row.aim is None else {True: "yes", False: "no", None: "cannot tell"}[reached],
    )


def table(findings: Iterable[Finding]) -> str:
    """As Markdown has it, aligned for those who read it as it is."""
    lines = [HEAD, *(_cells(finding, row) for finding in findings for row in finding.question.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def json(findings: Iterable[Finding]) -> dict[str, object]:
    """The same, with all samples, for programs."""
    return {
        finding.question.name: {
            "rows": [
                {
                    "row": row.key,
                    "what": row.what,
                    "unit": row.unit,
                    "peer": row.peer,
                    "ours": finding.median(OURS, row.key),
                    "ratio": finding.ratio(row),
                    "aim": row.aim and {**row.aim._asdict()},
                    "reached": finding.reached(row),
                }
                for row in finding.question.rows
            ],
            "samples": finding.samples,
            "missing": finding.missing,
        }
        for finding in findings
    }
