"""mknod(2) for devices of the lab's kernel.

A node of the host's would lead to the host's driver of that number, and only the host's root may make one. So in the
lab's /dev it is one of the lab's kernel's, and elsewhere a symbolic link to such a one. Links are known to both
the lab's first process and the launcher: whichever ends last takes them away.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["NODES", "Link", "Links", "decode_dev", "hosts_node"]

#: Where the nodes are that links lead to, below /dev.
NODES: Final = ".nodes"


def decode_dev(dev: int) -> tuple[int, int]:
    """``new_decode_dev()``: major and minor."""
    return dev >> 8 & 0xFFF, dev & 0xFF | dev >> 12 & 0xFFF00


def hosts_node(mode: int, major: int, minor: int) -> str | None:
    """What the host calls a device, below its /dev; None: it has no such device."""
    kind = "char" if stat.S_ISCHR(mode) else "block"
    with suppress(OSError):
        for line in Path(f"/sys/dev/{kind}/{major}:{minor}/uevent").read_text().splitlines():
            if line.startswith("DEVNAME="):
                return line.removeprefix("DEVNAME=")
    return None


class Link(NamedTuple):
    """A symbolic link: a descriptor of its directory, its name, and where it leads."""

    directory: int
    name: str
    target: str


class Links:
    """The links that were made in the host's directories."""

    def __init__(self) -> None:
        self._links: list[Link] = []

    def add(self, link: Link) -> None:
        self._links.append(link)

    def remove(self) -> None:
        """Take away those that are still there."""
        for directory, name, target in self._links:
            with suppress(OSError):
                if os.readlink(name, dir_fd=directory) == target:
                    os.unlink(name, dir_fd=directory)
