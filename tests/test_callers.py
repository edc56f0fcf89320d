"""What the host says of its processes."""

from __future__ import annotations

import os

from sysfsd.callers import address_space


def test_an_address_space_is_described() -> None:
    found = address_space(os.getpid())
    assert found["start_code"] < found["end_code"]
    assert found["start_brk"] <= found["brk"]
    assert found["arg_start"] < found["arg_end"] <= found["env_start"] < found["env_end"]
    assert found["map_count"] > 4
    assert found["total_vm"] > found["stack_vm"] > 0


def test_nothing_is_known_of_who_is_gone() -> None:
    assert address_space(1 << 22) == {}
