"""How a test reads and writes files of a tree."""

from __future__ import annotations

import os
from typing import Final

from sysfsd.fs.kernfs import Directory, File, Node, OpenContext, OpenFile, Tree
from sysfsd.linux.kernel.cred import INIT_CRED, Cred

__all__ = ["NOBODY", "directory", "names", "node", "open_", "read", "write"]

NOBODY: Final = Cred(1000, 1000, 0)


def node(files: Tree, path: str) -> Node:
    return files.lookup(path)


def directory(files: Tree, path: str) -> Directory:
    found = files.lookup(path)
    assert isinstance(found, Directory)
    return found


def names(files: Tree, path: str) -> set[str]:
    return set(directory(files, path).names())


def open_(files: Tree, path: str, flags: int = os.O_RDONLY, cred: Cred = INIT_CRED) -> OpenFile:
    found = files.lookup(path)
    assert isinstance(found, File)
    return found.open(OpenContext(cred, flags))


def read(files: Tree, path: str, cred: Cred = INIT_CRED) -> bytes:
    """The whole file, as cat(1) reads it."""
    opened = open_(files, path, os.O_RDONLY, cred)
    data = b""
    while chunk := opened.read(1 << 20, len(data)):
        data += chunk
    return data


def write(files: Tree, path: str, data: bytes, cred: Cred = INIT_CRED) -> int | None:
    """The errno of one write to a file that is opened for it, or None where it was taken."""
    try:
        opened = open_(files, path, os.O_WRONLY, cred)
        assert opened.write(data, 0) == len(data)
    except OSError as error:
        return error.errno
    return None
