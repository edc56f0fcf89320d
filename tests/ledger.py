"""Which of the modelled functions module code has called in a test run."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

__all__ = ["called", "fail", "read"]

#: The names of functions that have been called, so far.
called: set[str] = set()
#: Files whose mistakes have been told.
_read: set[Path] = set()


def fail(what: str, error: Exception) -> NoReturn:
    """End the test: the model has made a mistake."""
    raise error


def read(directory: Path) -> list[str]:
    """Add what kernels of other processes have written down.

    :param directory: what :mod:`sysfsd.host.debug` calls so
    :returns: the mistakes that the model has made, as texts
    """
    failures = []
    for path in sorted(directory.iterdir()):
        lines = path.read_text().splitlines()
        calls = [line for line in lines if line.startswith("called ")]
        called.update(line.removeprefix("called ") for line in calls)
        if len(calls) < len(lines) and path not in _read:
            _read.add(path)
            failures.append("\n".join(line for line in lines if not line.startswith("called ")))
    return failures
