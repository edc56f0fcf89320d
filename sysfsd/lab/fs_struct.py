"""Acting in the place of a process in the lab: with its root, working directory, umask and rights to files."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from sysfsd.host.callers import CallerCred, fs_credentials
from sysfsd.host.namespaces import Clone, setns, unshare

__all__ = ["in_place_of"]

T = TypeVar("T")


def in_place_of(cred: CallerCred, directory: str, function: Callable[[], T]) -> T:
    """What *function* returns in a thread for which paths lead where they lead for the process ``cred.pid``.

    The process must wait meanwhile.

    :param directory: where relative paths start: a link below ``/proc/PID``, such as ``cwd`` or ``fd/3``
    :raises OSError: what *function* raises; what open(2) says of *directory*
    """
    results: list[T] = []
    errors: list[Exception] = []

    def act() -> None:
        unshare(Clone.FS)
        opened = []
        try:
            for link in ("ns/mnt", "root", directory):
                flags = os.O_RDONLY if link == "ns/mnt" else os.O_PATH | os.O_DIRECTORY
                opened.append(os.open(f"/proc/{cred.pid}/{link}", flags))
            namespace, root, start = opened
            setns(namespace, Clone.NEWNS)
            os.fchdir(root)
            os.chroot(".")
            os.fchdir(start)
            os.umask(int(cred.status.get("Umask", "0"), 8))
            with fs_credentials(cred):
                results.append(function())
        except Exception as error:
            errors.append(error)
        finally:
            for fd in opened:
                os.close(fd)

    thread = Thread(target=act)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
