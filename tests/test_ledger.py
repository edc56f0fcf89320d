"""Functions that no test calls could be broken, and nobody would know."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sysfsd.linux.exports import modelled
from tests import ledger

#: The functions that nothing calls: the list may only become shorter.
UNCALLED: Final = Path(__file__).with_name("uncalled.txt")
#: How many there may be: never more than there were.
MOST: Final = 803


def test_modules_have_called_every_function_but_these(debug_directory: Path) -> None:
    """Runs last, and only with all others. What is called now is to be taken off the list, but for what is called only
    when two threads happen to meet.
    """
    ledger.read(debug_directory)
    functions = {name for name, export in modelled().items() if not export.variable}
    nowhere = functions - ledger.called - set(UNCALLED.read_text().split())
    assert not nowhere, f"nothing calls {' '.join(sorted(nowhere))}"


def test_the_list_is_of_functions_that_there_are() -> None:
    names = UNCALLED.read_text().split()
    assert names == sorted(set(names))
    assert set(names) <= modelled().keys()
    assert len(names) <= MOST
