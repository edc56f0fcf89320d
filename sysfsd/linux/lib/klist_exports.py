"""Lists whose members may go while somebody walks along (struct klist)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import TaskState
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add, list_add_tail, list_del
from sysfsd.linux.lib.refcount_exports import REFCOUNT_SUB_UAF, refcount_warn_saturate

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/klist.c")

#: Set in the pointer to the list of a node that is on its way out.
_DEAD: Final = 1
# struct list_head.
_NEXT, _PREV = 0, 8


@export("void klist_init(struct klist *k, void (*get)(struct klist_node *), void (*put)(struct klist_node *))")
def klist_init(kernel: Kernel, k: StructView, get: int, put: int) -> None:
    INIT_LIST_HEAD(kernel.memory, k.at("k_list"))
    kernel.memory.write_int(k.at("k_lock"), 0)
    k["get"], k["put"] = get, put


def _node_init(kernel: Kernel, k: StructView, n: StructView) -> None:
    INIT_LIST_HEAD(kernel.memory, n.at("n_node"))
    n["n_ref.refcount.refs.counter"] = 1
    n["n_klist"] = k.address
    if k["get"]:
        kernel.cpu.call(k["get"], n.address)


@export("void klist_add_head(struct klist_node *n, struct klist *k)")
def klist_add_head(kernel: Kernel, n: StructView, k: StructView) -> None:
    _node_init(kernel, k, n)
    list_add(kernel.memory, n.at("n_node"), k.at("k_list"))


@export("void klist_add_tail(struct klist_node *n, struct klist *k)")
def klist_add_tail(kernel: Kernel, n: StructView, k: StructView) -> None:
    _node_init(kernel, k, n)
    list_add_tail(kernel.memory, n.at("n_node"), k.at("k_list"))


def _klist(kernel: Kernel, n: StructView) -> StructView:
    return kernel.struct("klist", n["n_klist"] & ~_DEAD)


@export("void klist_add_behind(struct klist_node *n, struct klist_node *pos)")
def klist_add_behind(kernel: Kernel, n: StructView, pos: StructView) -> None:
    _node_init(kernel, _klist(kernel, pos), n)
    list_add(kernel.memory, n.at("n_node"), pos.at("n_node"))


@export("void klist_add_before(struct klist_node *n, struct klist_node *pos)")
def klist_add_before(kernel: Kernel, n: StructView, pos: StructView) -> None:
    _node_init(kernel, _klist(kernel, pos), n)
    list_add_tail(kernel.memory, n.at("n_node"), pos.at("n_node"))


class _Waiters:
    """``klist_remove_waiters``: who waits for a node to go, by its address; what they look at to see that it has."""

    def __init__(self, kernel: Kernel) -> None:
        self.by_node: dict[int, list[list[bool]]] = {}


def _release(kernel: Kernel, n: StructView) -> None:
    """``klist_release()``: nobody holds the node any more."""
    if not n["n_klist"] & _DEAD:
        kernel.traps.warn_at("lib/klist.c", 188, site="klist_release+0xe8")
    list_del(kernel.memory, n.at("n_node"))
    for woken in kernel.state(_Waiters).by_node.pop(n.address, []):
        woken.append(True)
    kernel.sched.wake_waiters(n.address)
    n["n_klist"] = 0


def _dec_and_del(kernel: Kernel, n: StructView) -> bool:
    """``klist_dec_and_del()``.

    :returns: whether that was the last reference
    """
    left = n["n_ref.refcount.refs.counter"] - 1
    n["n_ref.refcount.refs.counter"] = left
    if left == 0:
        _release(kernel, n)
        return True
    if left < 0:
        refcount_warn_saturate(kernel, n.sub("n_ref.refcount"), REFCOUNT_SUB_UAF)
    return False


def _put(kernel: Kernel, n: StructView, kill: bool) -> None:
    """``klist_put()``."""
    put = _klist(kernel, n)["put"]
    if kill:
        if n["n_klist"] & _DEAD:
            kernel.traps.warn_at("lib/klist.c", 68, site="klist_put+0x7b")
        n["n_klist"] |= _DEAD
    if _dec_and_del(kernel, n) and put:
        kernel.cpu.call(put, n.address)


@export("void klist_del(struct klist_node *n)")
def klist_del(kernel: Kernel, n: StructView) -> None:
    _put(kernel, n, kill=True)


@export("void klist_remove(struct klist_node *n)")
def klist_remove(kernel: Kernel, n: StructView) -> None:
    """Wait until those who stand at the node have moved on."""
    woken: list[bool] = []
    kernel.state(_Waiters).by_node.setdefault(n.address, []).append(woken)
    _put(kernel, n, kill=True)
    while not woken:
        kernel.current.state = TaskState.UNINTERRUPTIBLE
        with kernel.sched.waiting(n.address):
            kernel.sched.schedule()


@export("int klist_node_attached(struct klist_node *n)")
def klist_node_attached(kernel: Kernel, n: StructView) -> int:
    return int(n["n_klist"] != 0)


@export("void klist_iter_init_node(struct klist *k, struct klist_iter *i, struct klist_node *n)")
def klist_iter_init_node(kernel: Kernel, k: StructView, i: StructView, n: StructView) -> None:
    i["i_klist"], i["i_cur"] = k.address, 0
    if n.address and n["n_ref.refcount.refs.counter"]:
        n["n_ref.refcount.refs.counter"] += 1
        i["i_cur"] = n.address


@export("void klist_iter_init(struct klist *k, struct klist_iter *i)")
def klist_iter_init(kernel: Kernel, k: StructView, i: StructView) -> None:
    i["i_klist"], i["i_cur"] = k.address, 0


@export("void klist_iter_exit(struct klist_iter *i)")
def klist_iter_exit(kernel: Kernel, i: StructView) -> None:
    if current := i["i_cur"]:
        _put(kernel, kernel.struct("klist_node", current), kill=False)
        i["i_cur"] = 0


def _step(kernel: Kernel, i: StructView, link: int) -> int:
    """The next node in a direction that is not on its way out, with a reference; the last one's is given back."""
    memory, klist = kernel.memory, i.to("i_klist")
    put, last, head = klist["put"], i["i_cur"], klist.at("k_list")
    offset = kernel.image.offset("klist_node", "n_node")
    at = memory.read_pointer((last + offset if last else head) + link)
    gone = bool(last) and _dec_and_del(kernel, kernel.struct("klist_node", last))
    found = 0
    while at != head:
        node = kernel.struct("klist_node", at - offset)
        if not node["n_klist"] & _DEAD:
            node["n_ref.refcount.refs.counter"] += 1
            found = node.address
            break
        at = memory.read_pointer(at + link)
    i["i_cur"] = found
    if gone and put:
        kernel.cpu.call(put, last)
    return i["i_cur"]


@export("struct klist_node *klist_next(struct klist_iter *i)")
def klist_next(kernel: Kernel, i: StructView) -> int:
    return _step(kernel, i, _NEXT)


@export("struct klist_node *klist_prev(struct klist_iter *i)")
def klist_prev(kernel: Kernel, i: StructView) -> int:
    return _step(kernel, i, _PREV)
