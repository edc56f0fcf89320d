"""Scenarios that a real kernel has answered, typed in a lab: each command, its output and its status."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import pytest

from tests.conformance import lab_run
from tests.conformance.comparison import SCENARIOS, assert_alike, known_differences

KNOWN: Final = known_differences("lab-differences.txt")


@pytest.fixture(scope="module")
def transcripts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[str]]]:
    """What is going to be asked for: a few labs at once."""
    assert os.geteuid() == 0, "the answers are root's"
    asked = [
        str(item.callspec.params["scenario"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path
    ]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)) + 1) as pool:  # many wait for most of their time
        yield {name: pool.submit(lab_run.run, name, tmp_path_factory.mktemp(name)) for name in asked}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("scenario", sorted(path.name for path in SCENARIOS.iterdir()))
def test_a_lab_answers_as_the_real_kernel(scenario: str, transcripts: dict[str, Future[str]]) -> None:
    assert_alike(scenario, transcripts[scenario].result(), KNOWN.get(scenario, set()))
