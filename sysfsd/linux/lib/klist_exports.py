"""Lists whose members may go while somebody walks along (struct klist)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add, list_add_tail, list_del

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/klist.c")

#: Set in the pointer to the list of a node that is on its way out.
_DEAD = 1


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


def _put(kernel: Kernel, n: StructView, kill: bool) -> None:
    """``klist_put()``."""
    put = _klist(kernel, n)["put"]
    if kill:
        n["n_klist"] = n["n_klist"] | _DEAD
    left = n["n_ref.refcount.refs.counter"] - 1
    n["n_ref.refcount.refs.counter"] = left
    if left == 0:
        list_del(kernel.memory, n.at("n_node"))
        n["n_klist"] = 0
        if put:
            kernel.cpu.call(put, n.address)


@export("void klist_del(struct klist_node *n)", "void klist_remove(struct klist_node *n)")
def klist_del(kernel: Kernel, n: StructView) -> None:
    _put(kernel, n, kill=True)


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
    current = i["i_cur"]
    if current:
        i["i_cur"] = 0
        _put(kernel, kernel.struct("klist_node", current), kill=False)


def _step(kernel: Kernel, i: StructView, link: str) -> int:
    """The next node in a direction that is not on its way out, with a reference; the last one's is given back."""
    memory = kernel.memory
    head, last = i.to("i_klist").at("k_list"), i["i_cur"]
    offset = kernel.image.offset("klist_node", "n_node")
    at = (last + offset) if last else head
    found = 0
    while (at := memory.read_pointer(at + kernel.image.offset("list_head", link))) != head:
        node = kernel.struct("klist_node", at - offset)
        if not node["n_klist"] & _DEAD:
            node["n_ref.refcount.refs.counter"] += 1
            found = node.address
            break
    i["i_cur"] = found
    if last:
        _put(kernel, kernel.struct("klist_node", last), kill=False)
    return found


@export("struct klist_node *klist_next(struct klist_iter *i)")
def klist_next(kernel: Kernel, i: StructView) -> int:
    return _step(kernel, i, "next")


@export("struct klist_node *klist_prev(struct klist_iter *i)")
def klist_prev(kernel: Kernel, i: StructView) -> int:
    return _step(kernel, i, "prev")
