"""Scenarios that a real kernel has answered, typed against a mount: each command, its output and its status."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from ..conftest import Mounter
from . import mounted_run, transcript

HERE: Final = Path(__file__).parent


def known_differences() -> dict[str, set[int]]:
    """By scenario, the commands that cannot answer alike (differences.txt says why)."""
    known: dict[str, set[int]] = {}
    for line in (HERE / "differences.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, *reasons = line.split()
            known[name] = {int(index) for reason in reasons for index in reason.split(":")[1].split(",")}
    return known


KNOWN: Final = known_differences()


@pytest.mark.parametrize("scenario", KNOWN)
def test_a_mount_answers_as_the_real_kernel(scenario: str, sysfsd_mount: Mounter, tmp_path: Path) -> None:
    """A difference that has gone must leave the list, too."""
    mount = sysfsd_mount("-o", "allow_other")
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:3]:  # other users must get there
        parent.chmod(parent.stat().st_mode | 0o011)
    answers = transcript.parse(mounted_run.run(scenario, mount, tmp_path))
    wanted = transcript.read(HERE / "expected" / scenario)
    assert len(answers) == len(wanted)
    unexpected = [
        (index, want, answer)
        for index, (want, answer) in enumerate(zip(wanted, answers, strict=True))
        if want != answer and index not in KNOWN[scenario]
    ]
    assert unexpected == []
    gone = {index for index in KNOWN[scenario] if wanted[index] == answers[index]}
    assert gone == set(), "these commands answer alike now: take them off the list"
