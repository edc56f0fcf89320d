"""The nodes of devices (drivers/base/devtmpfs.c).

Whoever shows /dev follows :class:`Devtmpfs`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["DevNode", "Devtmpfs"]

_DEFAULT_MODE: Final = 0o600


class DevNode(NamedTuple):
    """The node of a device: its path below /dev, permissions, and number."""

    name: str
    mode: int
    devt: int
    block: bool


class Devtmpfs:
    """The nodes of one kernel's devices, by name; *watchers* are told of each that comes (True) or goes."""

    def __init__(self, kernel: Kernel) -> None:
        self.nodes: dict[str, DevNode] = {}
        self.watchers: list[Callable[[DevNode, bool], None]] = []

    def create_node(self, name: str, mode: int, devt: int, block: bool) -> None:
        """``devtmpfs_create_node()``; a name that is taken stays what it is."""
        if name not in self.nodes:
            node = self.nodes[name] = DevNode(name, mode & 0o7777 or _DEFAULT_MODE, devt, block)
            for watcher in self.watchers:
                watcher(node, True)

    def delete_node(self, name: str, devt: int, block: bool) -> None:
        """``devtmpfs_delete_node()``."""
        node = self.nodes.get(name)
        if node is not None and (node.devt, node.block) == (devt, block):
            del self.nodes[name]
            for watcher in self.watchers:
                watcher(node, False)
