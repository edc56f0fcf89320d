"""Functions that no test calls could be broken, and nobody would know."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sysfsd.linux.exports import modelled
from tests import ledger

#: The functions that nothing calls: the list may only become shorter.
UNCALLED: Final = Path(__file__).with_name("uncalled.txt")
MOST: Final = 200


def test_modules_have_called_every_function_but_these(debug_directory: Path) -> None:
    """Runs last, and only with all others; a function that is called now is to be taken off the list."""
    ledger.read(debug_directory)
    functions = {name for name, export in modelled().items() if not export.variable}
    listed = UNCALLED.read_text().split()
    assert sorted(functions - ledger.called) == listed
    assert len(listed) <= MOST
