"""Transcripts of another kernel beside those of the real one, and the lists of what is known to differ."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.conformance import transcript

__all__ = ["EXPECTED", "SCENARIOS", "assert_alike", "known_differences"]

HERE: Final = Path(__file__).parent
SCENARIOS: Final = HERE / "scenarios"
EXPECTED: Final = HERE / "expected"


def known_differences(name: str) -> dict[str, set[int]]:
    """By scenario, the commands that cannot answer alike, counted from 0.

    :param name: of a file whose lines are ``SCENARIO REASON:COMMAND,COMMAND... REASON:COMMAND...``
    """
    known: dict[str, set[int]] = {}
    for line in (HERE / name).read_text().splitlines():
        if not line.startswith("#"):
            scenario, *reasons = line.split()
            known[scenario] = {int(index) for reason in reasons for index in reason.split(":")[1].split(",")}
    return known


def assert_alike(scenario: str, text: str, known: set[int]) -> None:
    """Compare a transcript, command by command.

    :param text: what a runner returned
    :param known: the commands that are known to differ; one that no longer does must leave the list, too
    """
    answers = transcript.parse(text)
    wanted = transcript.read(EXPECTED / scenario)
    assert len(answers) == len(wanted), text
    differing = {index for index, (want, answer) in enumerate(zip(wanted, answers, strict=True)) if want != answer}
    shown = [f"command {index}: {wanted[index]}\nhere: {answers[index]}" for index in sorted(differing - known)]
    assert not shown, "\n".join(shown)
    assert known - differing == set(), "these commands answer alike now: take them off the list"
