"""Rate limits: lib/ratelimit.c."""

from __future__ import annotations

from sysfsd.linux.lib.ratelimit import RatelimitState


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_the_rest_is_counted() -> None:
    limit = RatelimitState(interval=5, burst=3, clock=Clock())
    assert [limit.ratelimit() for _ in range(5)] == [True, True, True, False, False]
    assert limit.missed == 2


def test_after_the_interval_a_new_burst_passes() -> None:
    clock = Clock()
    limit = RatelimitState(interval=5, burst=1, clock=clock)
    assert limit.ratelimit()
    clock.now += 5
    assert not limit.ratelimit()
    clock.now += 0.1
    assert limit.ratelimit()


def test_the_interval_begins_with_the_first_event() -> None:
    clock = Clock()
    limit = RatelimitState(interval=5, burst=1, clock=clock)
    clock.now += 1000
    assert limit.ratelimit()
    clock.now += 4
    assert not limit.ratelimit()


def test_without_an_interval_there_is_no_limit() -> None:
    limit = RatelimitState(interval=0, burst=1, clock=Clock())
    assert all(limit.ratelimit() for _ in range(100))


def test_without_a_burst_nothing_passes() -> None:
    assert not RatelimitState(interval=5, burst=0, clock=Clock()).ratelimit()


def test_ten_in_five_seconds_is_the_default() -> None:
    limit = RatelimitState(clock=Clock())
    assert [limit.ratelimit() for _ in range(11)] == [True] * 10 + [False]
