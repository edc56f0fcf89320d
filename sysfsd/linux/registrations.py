"""What modules register with the kernel and the kernel has no more to do with: who offers what, by kind and name."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from sysfsd.linux.exports import Area
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = [
    "BUILTIN",
    "Registrations",
    "declare_chain",
    "declare_hook",
    "declare_table",
    "needs",
    "registered",
    "text_key",
]

#: More than anybody registers of one kind.
_MANY: Final = 1 << 16
#: What the kernel proper itself has registered, by kind: families, protocols, disciplines of queueing, ...
BUILTIN: Final[dict[str, set[object]]] = {
    "family": {1, 2, 10, 16, 17, 44},
    "tcp_congestion": {"reno", "cubic"},
    "tcp_ulp": {"mptcp"},
    "qdisc": {"pfifo", "bfifo", "pfifo_head_drop", "noqueue", "mq", "pfifo_fast", "fq_codel"},
    "inet_protocol": {1, 2, 6, 17},
    "inet6_protocol": {0, 6, 17, 43, 44, 58, 59, 60},
    "genl_family": {"nlctrl", "NLBL_MGMT", "netdev", "ethtool", "devlink", "SEG6", "IOAM6", "tcp_metrics", "mptcp_pm"},
    "netlink": {0, 2, 4, 9, 10, 15, 16, 18},
}


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


def registered(kernel: Kernel) -> Registrations:
    """The registrations of *kernel*."""
    return kernel.state(Registrations)


# Declaring pairs of functions that register something and unregister it


def declare_chain(export: Area, chain: str, register: str, unregister: str, returns: str = "int") -> None:
    """A chain of notifiers that the model never calls, as what it would tell of never happens here.

    :param returns: the C type of what *unregister* returns
    """

    @export(f"int {register}(struct notifier_block *nb)")
    def add(kernel: Kernel, nb: StructView) -> int:
        registered(kernel).chain_register(chain, nb.address)
        return 0

    @export(f"{returns} {unregister}(struct notifier_block *nb)")
    def remove(kernel: Kernel, nb: StructView) -> int:
        registered(kernel).chain_unregister(chain, nb.address)
        return 0


def declare_hook(export: Area, declaration: str, kind: str) -> None:
    """A place for one function or one table of functions; NULL empties it."""

    @export(declaration)
    def set_(kernel: Kernel, hook: StructView | int) -> None:
        address = hook if isinstance(hook, int) else hook.address
        registered(kernel).remove_key("hook", kind)
        if address:
            registered(kernel).add("hook", kind, address)


def declare_table(
    export: Area,
    register: str,
    unregister: str,
    key: Callable[[StructView], Hashable],
    kind: str,
    *,
    taken: int = errno.EEXIST,
    check: Callable[[Kernel, StructView], None] = lambda kernel, ops: None,
    missing: int = errno.ENOENT,
) -> None:
    """A table of structures of operations.

    :param key: what a structure goes by
    :param taken: the errno where that key is in use
    :param check: raises where a structure may not be registered
    :param missing: the errno where *unregister*, if it returns anything, is given one that is not registered
    """
    returns = unregister.startswith("int ")

    @export(register)
    def add(kernel: Kernel, ops: StructView) -> int:
        check(kernel, ops)
        name = key(ops)
        if name in BUILTIN.get(kind, ()):
            raise err(taken)
        registered(kernel).add(kind, name, ops.address, taken)
        return 0

    @export(unregister)
    def remove(kernel: Kernel, ops: StructView) -> int:
        if not registered(kernel).remove(kind, ops.address) and returns:
            raise err(missing)
        return 0


def text_key(member: str) -> Callable[[StructView], Hashable]:
    """Structures go by a string that one of their members points to or holds."""
    return lambda ops: ops.string(member).decode("latin-1")


def needs(*members: str) -> Callable[[Kernel, StructView], None]:
    """A structure without one of *members* is refused with EINVAL."""

    def check(kernel: Kernel, ops: StructView) -> None:
        if not all(ops[member] for member in members):
            raise err(errno.EINVAL)

    return check
