"""What modules register with the kernel and the kernel has no more to do with: who offers what, by kind and name."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from sysfsd.kernel.kernel import Kernel

__all__ = ["Registrations"]

#: More than anybody registers of one kind.
_MANY: Final = 1 << 16


class Registrations:
    """The registrations of one kernel: addresses of structures in modules, oldest first."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._kinds: dict[str, dict[Hashable, int]] = {}

    def add(self, kind: str, key: Hashable, address: int, taken: int = errno.EEXIST) -> None:
        """:raises OSError: *taken* where there is one of that key, ENOMEM"""
        registered = self._kinds.setdefault(kind, {})
        if key in registered:
            raise err(taken)
        if len(registered) >= _MANY:
            raise err(errno.ENOMEM)
        registered[key] = address

    def find(self, kind: str, key: Hashable) -> int | None:
        """The address that is registered for *key*."""
        return self._kinds.get(kind, {}).get(key)

    def remove(self, kind: str, address: int) -> bool:
        """:returns: whether *address* was registered"""
        registered = self._kinds.get(kind, {})
        keys = [key for key, value in registered.items() if value == address]
        for key in keys:
            del registered[key]
        return bool(keys)

    def remove_key(self, kind: str, key: Hashable) -> bool:
        """:returns: whether there was one"""
        return self._kinds.get(kind, {}).pop(key, None) is not None

    def items(self, kind: str) -> dict[Hashable, int]:
        """All of a kind."""
        return dict(self._kinds.get(kind, {}))

    # Notifier chains of the kernel proper

    def chain_register(self, chain: str, nb: int) -> None:
        """Put a block where its priority says.

        :raises OSError: EEXIST
        """
        self.add(chain, nb, nb)

    def chain_unregister(self, chain: str, nb: int) -> None:
        """:raises OSError: ENOENT"""
        if not self.remove_key(chain, nb):
            raise err(errno.ENOENT)

    def chain(self, chain: str) -> Iterator[int]:
        """The blocks of a chain, highest priority first."""
        blocks = list(self._kinds.get(chain, {}).values())
        yield from sorted(blocks, key=lambda nb: -self._kernel.struct("notifier_block", nb)["priority"])

    def chain_call(self, chain: str, action: int, data: int) -> int:
        """``notifier_call_chain()``.

        :returns: what the last that was called said
        """
        ret = 0
        for nb in self.chain(chain):
            ret = self._kernel.cpu.call(self._kernel.struct("notifier_block", nb)["notifier_call"], nb, action, data)
            if ret & 0x8000:
                break
        return ret
