"""All that is mounted, as one tree."""

from __future__ import annotations

from sysfsd.fs.control import control
from sysfsd.fs.devfs import dev
from sysfsd.fs.kernfs import Tree
from sysfsd.fs.procfs import proc
from sysfsd.fs.sysfs import sys
from sysfsd.kernel.kernel import Kernel

__all__ = ["tree"]


def tree(kernel: Kernel) -> Tree:
    """The files over *kernel*, which from now on follow what happens to it."""
    return Tree(
        {
            "control": control(kernel),
            "dev": dev(kernel),
            "proc": proc(kernel),
            "sys": sys(kernel),
        }
    )
