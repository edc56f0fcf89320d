"""The library's functions: what test modules print here, and what they printed on a real kernel."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sysfsd.linux.arch.x86.traps import TaskKilled
from sysfsd.linux.system import Kernel

EXPECTED = Path(__file__).parents[3] / "tests" / "conformance" / "expected"

ModuleImage = Callable[[str], bytes]


def recorded(name: str) -> list[str]:
    """The lines of a scenario's recording."""
    return (EXPECTED / name).read_bytes().decode("latin-1").splitlines()


def log(kernel: Kernel, seq: int = 0) -> list[str]:
    """The lines of the log."""
    return [line for record in kernel.log.records(seq) for line in record.text.decode("latin-1").split("\n")]


@pytest.mark.parametrize("name", ["string", "numbers", "sets", "ids", "misc", "pieces"])
def test_a_module_prints_what_it_printed_on_a_real_kernel(kernel: Kernel, module_image: ModuleImage, name: str) -> None:
    kernel.init_module(module_image(f"lib_{name}"))
    kernel.delete_module(f"lib_{name}")
    assert log(kernel) == [line for line in recorded(f"run-lib-{name}") if not line.startswith("$ ")]
    assert not kernel.unmodelled


#: What the scenario leaves of the log, and what differs from run to run.
WARNINGS = re.compile(r"refcount|ida_free|err =|notifier|invalid|WARNING|[a-z_]+ -?[0-9]|went|--")
BUGS = re.compile(r"list|detected|kernel BUG|RIP: 0010|--|went on")
VARIES = {r"PID: \d+": "PID: N", r"CPU: \d": "CPU: N", r"buf:[0-9a-f]+": "buf:HASH", r"[0-9a-f]{16}": "ADDR"}


def shown(line: str) -> str:
    for pattern, replacement in VARIES.items():
        line = re.sub(pattern, replacement, line)
    return line


def sections(command: str) -> dict[int, list[str]]:
    """What was printed for each number that the scenario gave to a command, the first time."""
    found: dict[int, list[str]] = {}
    lines: list[str] = []
    for line in recorded("run-lib-misuse"):
        if not line.startswith("$ "):
            lines.append(line)
            continue
        lines = []
        match = re.fullmatch(r"\$ (\w+) (\d+)", line)
        if match is not None and match[1] == command:
            found.setdefault(int(match[2]), lines)
    return found


@pytest.mark.parametrize("how", sections("warn"))
def test_misuse_is_warned_of(kernel: Kernel, module_image: ModuleImage, how: int) -> None:
    kernel.init_module(module_image("lib_misuse"), b"how=%d" % how)
    assert [shown(line) for line in log(kernel) if WARNINGS.match(line)] == [
        shown(line) for line in sections("warn")[how]
    ]


def test_a_reference_count_is_warned_of_only_once(kernel: Kernel, module_image: ModuleImage) -> None:
    for count in (1, 1):
        kernel.init_module(module_image("lib_misuse"), b"how=1")
        kernel.delete_module("lib_misuse")
        assert sum("refcount_t" in line for line in log(kernel)) == count


@pytest.mark.parametrize("how", sections("bug"))
def test_corruption_is_fatal(kernel: Kernel, module_image: ModuleImage, how: int) -> None:
    with pytest.raises(TaskKilled) as caught:
        kernel.init_module(module_image("lib_misuse"), b"how=%d" % how)
    expected = [line for line in sections("bug")[how] if line not in ("Segmentation fault", "status 139")]
    found = [shown(line) for line in log(kernel) if BUGS.match(line)][: len(expected)]
    assert found == [shown(line) for line in expected]
    assert caught.value.signum == 11
