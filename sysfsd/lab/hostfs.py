"""What of the host's /proc, /sys and /dev is seen in a lab: all that the lab's kernel does not have itself.

The host's own directory is mounted on ``.host`` below the lab's, and each name that the lab's kernel does not know is a
link into it. Some names of /dev are there to be mounted on.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import Final

from sysfsd.fs.kernfs import Directory, File, Node, Symlink
from sysfsd.lab.rootfs import HOST, MOUNTED_ON

__all__ = ["HostTree"]

#: What is the lab's kernel's alone.
_OURS: Final = ("sys/module", "sys/kernel/debug", "proc/kallsyms", "proc/kmsg", "proc/modules")


def _ours(path: str) -> bool:
    return any(path == ours or path.startswith(f"{ours}/") for ours in _OURS)


class HostTree:
    """The host's files, as what lies below a tree with ``dev``, ``proc`` and ``sys``.

    :param hidden: names of further directories to mount on, such as ``dev/.lab``
    """

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        self._hidden = {*hidden}

    def node(self, path: str) -> Node | None:
        _top, _, rest = path.partition("/")
        if rest == HOST or path in self._hidden:
            return Directory()
        if not rest or _ours(path):
            return None
        try:
            mode = os.lstat(f"/{path}").st_mode
        except OSError:
            return None
        if path in MOUNTED_ON and not stat.S_ISLNK(mode):
            return Directory() if stat.S_ISDIR(mode) else File(0o600)
        depth = rest.count("/")
        return Symlink("../" * depth + f"{HOST}/{rest}")

    def names(self, path: str) -> Iterable[str]:
        if not path or _ours(path):
            return ()
        try:
            return os.listdir(f"/{path}")
        except OSError:
            return ()

    def covers(self, path: str) -> bool:
        return bool(path) and not _ours(path)
