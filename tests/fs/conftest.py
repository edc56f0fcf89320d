"""What the tests of the file trees share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from sysfsd.fs.kernfs import Tree
from sysfsd.fs.tree import tree
from sysfsd.kernel.image import KernelImage
from sysfsd.kernel.kernel import Kernel

_SAMPLES: Final = Path(__file__).resolve().parents[2] / "sysfsd" / "samples"
_MODULES: Final = Path(__file__).resolve().parents[1] / "modules"


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
def files(kernel: Kernel) -> Tree:
    """All files over the kernel."""
    return tree(kernel)


@pytest.fixture
def module_file() -> Callable[[str], Path]:
    """The file of a module: a sample, or one of the tests' own."""

    def path(name: str) -> Path:
        sample = _SAMPLES / f"{name}.ko"
        return sample if sample.exists() else _MODULES / f"{name}.ko"

    return path


@pytest.fixture
def load(kernel: Kernel, files: Tree, module_file: Callable[[str], Path]) -> Callable[..., None]:
    """Load a module by the name of its file: ``load("greeter", "count=2")``."""

    def init_module(name: str, args: str = "") -> None:
        kernel.init_module(module_file(name).read_bytes(), args.encode("latin-1"))

    return init_module
