"""Scenarios that a real kernel has answered, typed against a mount: each command, its output and its status."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.conformance import mounted_run
from tests.conformance.comparison import assert_alike, known_differences
from tests.conftest import Mounter

KNOWN: Final = known_differences("mounted-differences.txt")


@pytest.mark.parametrize("scenario", KNOWN)
def test_a_mount_answers_as_the_real_kernel(scenario: str, sysfsd_mount: Mounter, tmp_path: Path) -> None:
    mount = sysfsd_mount("-o", "allow_other")
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:3]:  # other users must get there
        parent.chmod(parent.stat().st_mode | 0o011)
    assert_alike(scenario, mounted_run.run(scenario, mount, tmp_path), KNOWN[scenario])
