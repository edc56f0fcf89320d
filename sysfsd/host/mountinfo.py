"""What is mounted where: /proc/self/mountinfo (proc(5))."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["MountInfo", "mounts"]


class MountInfo(NamedTuple):
    """One mount: the device number that its files show, where it is, and the type of its file system."""

    device: int
    path: str
    fstype: str


def mounts() -> Iterator[MountInfo]:
    """All mounts that this process sees, in the order in which they were made."""
    with open("/proc/self/mountinfo", "rb") as lines:
        for line in lines:
            fields, _, rest = line.partition(b" - ")
            _id, _parent, device, _root, path, *_options = fields.split(b" ")
            major, minor = map(int, device.split(b":"))
            # White space and backslashes stand there in octal.
            path = re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), path)
            yield MountInfo(os.makedev(major, minor), os.fsdecode(path), os.fsdecode(rest.split(b" ")[0]))
