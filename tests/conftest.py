"""Fixtures for tests that mount."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[1] / "sysfsd" / "samples"
MODULES = Path(__file__).parent / "modules"

#: The command, as a user has it.
SYSFSD = str(Path(sys.executable).with_name("sysfsd"))

Mounter = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def dev_fuse() -> None:
    """/dev/fuse is for everyone on every distribution; where udev does not run, it has to be made so."""
    if os.geteuid() == 0:
        os.chmod("/dev/fuse", 0o666)


@pytest.fixture
def sysfsd_mount(tmp_path: Path) -> Iterator[Mounter]:
    """Mounts: call it with the command's options; all is unmounted in the end."""
    mounted: list[Path] = []

    def mount(*options: str) -> Path:
        where = tmp_path / f"mount{len(mounted)}"
        where.mkdir()
        subprocess.run([SYSFSD, "mount", str(where), *options], check=True)
        mounted.append(where)
        return where

    yield mount
    for where in mounted:
        subprocess.run(["umount", "--lazy", str(where)], check=False, stderr=subprocess.DEVNULL)


@pytest.fixture
def mnt(sysfsd_mount: Mounter) -> Path:
    """A mount that everybody may look at."""
    return sysfsd_mount("-o", "allow_other")
