"""What the tests of the file trees share."""

from __future__ import annotations

import pytest

from sysfsd.fs.kernfs import Tree
from sysfsd.fs.tree import tree
from sysfsd.linux.system import Kernel
from tests.conftest import HOST_FILES


@pytest.fixture(autouse=True)
def files(kernel: Kernel) -> Tree:
    """All files over the kernel."""
    return tree(kernel, HOST_FILES)
