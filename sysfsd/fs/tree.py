"""All that is mounted, as one tree."""

from __future__ import annotations

from sysfsd.fs.control import HostFiles, control
from sysfsd.fs.devfs import dev
from sysfsd.fs.kernfs import Tree
from sysfsd.fs.procfs import proc
from sysfsd.fs.sysfs import sys
from sysfsd.linux.system import Kernel

__all__ = ["tree"]


def tree(kernel: Kernel, host_files: HostFiles | None = None) -> Tree:
    """The files over *kernel*, which from now on follow what happens to it.

    :param host_files: where control files load modules from; None: there are no control files
    """
    nodes = {"dev": dev(kernel), "proc": proc(kernel), "sys": sys(kernel)}
    return Tree({"control": control(kernel, host_files), **nodes} if host_files is not None else nodes)
