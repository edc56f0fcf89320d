"""Paths of open files."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/dcache.c", "fs/d_path.c")


# Paths


@export("void dput(struct dentry *dentry)")
def dput(kernel: Kernel, dentry: StructView) -> None:
    """Whoever has made an entry of a directory keeps it."""
    if dentry.address:
        dentry["d_lockref.count"] -= 1


def dentry_path(kernel: Kernel, dentry: StructView) -> bytes:
    """The path of a directory entry."""
    names: list[bytes] = []
    while dentry["d_parent"] != dentry.address:
        names.append(kernel.memory.read(dentry["d_name.name"], dentry["d_name.len"]))
        dentry = dentry.to("d_parent")
    return b"/" + b"/".join(reversed(names))


def path_text(kernel: Kernel, dentry: StructView, buf: int, buflen: int) -> int:
    """A path at the end of a buffer.

    :returns: its address
    :raises OSError: ENAMETOOLONG
    """
    text = dentry_path(kernel, dentry) + b"\0"
    if len(text) > buflen:
        raise err(errno.ENAMETOOLONG)
    kernel.memory.write(buf + buflen - len(text), text)
    return buf + buflen - len(text)


@export("char *d_path(const struct path *path, char *buf, int buflen)")
def d_path(kernel: Kernel, path: StructView, buf: int, buflen: int) -> int:
    return path_text(kernel, path.to("dentry"), buf, buflen)


@export("char *dentry_path_raw(const struct dentry *dentry, char *buf, int buflen)")
def dentry_path_raw(kernel: Kernel, dentry: StructView, buf: int, buflen: int) -> int:
    return path_text(kernel, dentry, buf, buflen)
