"""What the tests of the kernel model share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.linux.ko import module_path


@pytest.fixture
def module_image() -> Callable[[str], bytes]:
    """The bytes of a module's file, by its name without ``.ko``."""
    return lambda name: module_path(name).read_bytes()
