"""Functions that no test calls could be broken, and nobody would know."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sysfsd.linux.exports import modelled
from tests import ledger

#: The functions that nothing calls: the list may only become shorter.
UNCALLED: Final = Path(__file__).with_name("uncalled.txt")


def test_modules_have_called_every_function_but_these(debug_directory: Path) -> None:
    """Runs last, and only with all others; a function that is called now is to be taken off the list."""
    ledger.read(debug_directory)
    functions = {name for name, export in modelled().items() if not export.variable}
    uncalled, listed = functions - ledger.called, set(UNCALLED.read_text().split())
    assert not uncalled - listed, f"nothing calls {' '.join(sorted(uncalled - listed))}"
    assert not listed - uncalled, f"called, and to be taken off the list: {' '.join(sorted(listed - uncalled))}"
