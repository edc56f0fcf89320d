"""What the tests of the kernel model share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sysfsd.kernel.image import KernelImage
from sysfsd.kernel.kernel import Kernel

from .ko import module_path


@pytest.fixture(scope="session")
def image() -> KernelImage:
    """The kernel's description, which no test changes."""
    return KernelImage()


@pytest.fixture
def kernel(image: KernelImage) -> Iterator[Kernel]:
    """A kernel that has just booted."""
    kernel = Kernel(image)
    yield kernel
    kernel.stop()


@pytest.fixture
def module_image() -> Callable[[str], bytes]:
    """The bytes of a module's file, by its name without ``.ko``."""
    return lambda name: module_path(name).read_bytes()


@pytest.fixture
def load(kernel: Kernel) -> Callable[..., None]:
    """Load a module by the name of its file: ``load("greeter", "count=2")``."""

    def init_module(name: str, args: str = "") -> None:
        kernel.init_module(module_path(name).read_bytes(), args.encode("latin-1"))

    return init_module
