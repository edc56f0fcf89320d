"""All that is mounted, as one tree."""

from __future__ import annotations

from sysfsd.fs.control import control
from sysfsd.fs.devfs import dev
from sysfsd.fs.kernfs import Tree
from sysfsd.fs.procfs import proc
from sysfsd.fs.sysfs import sys
from sysfsd.linux.system import Kernel

__all__ = ["tree"]


def tree(kernel: Kernel, control_files: bool = True) -> Tree:
    """The files over *kernel*, which from now on follow what happens to it.

    :param control_files: with files that stand for the system calls
    """
    nodes = {"dev": dev(kernel), "proc": proc(kernel), "sys": sys(kernel)}
    return Tree({"control": control(kernel), **nodes} if control_files else nodes)
