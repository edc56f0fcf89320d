"""Transcripts of scenarios: what was typed, and what was answered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

#: What no two kernels share, and what stands in its place when two transcripts are compared.
_FOLD: Final = (
    (re.compile(r"\S*run-scenario: line \d+: +(\d+ )?"), "RUNNER: "),
    (re.compile(r"\[ *\d+\.\d{6}\]"), "[T]"),
    (re.compile(r"\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d\b"), "DATE"),
    (re.compile(r"\b[A-Z][a-z]{2} [ \d]\d  ?\d{4}\b"), "DATE"),
    (re.compile(r"(0x)?ff[0-9a-f]{14}\b"), "ADDR"),
    (re.compile(r"\bloc [0-9a-f]{16}, val [0-9a-f]+"), "loc ADDR, val ADDR"),
    (re.compile(r"\b(type \d+) val [0-9a-f]+"), r"\1 val ADDR"),
    (re.compile(r"\bCR[034]: [0-9a-f]+"), "CR"),
    (re.compile(r"\.\./libkmod/\S+ "), "LIBKMOD "),
)


class Answer(NamedTuple):
    """A command and the lines that it printed, the folds applied."""

    command: str
    lines: tuple[str, ...]


def parse(text: str) -> list[Answer]:
    """The commands of a transcript and their answers."""
    answers: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            answers.append((line[2:], []))
        elif answers:
            for pattern, to in _FOLD:
                line = pattern.sub(to, line)
            answers[-1][1].append(line.rstrip())
    return [Answer(command, tuple(lines)) for command, lines in answers]


def read(path: Path) -> list[Answer]:
    """A recorded transcript."""
    return parse(path.read_text(encoding="utf-8", errors="replace"))
