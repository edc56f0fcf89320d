"""Red-black trees of nodes that lie within other structures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/rbtree.c")

# struct rb_node: the parent's address with the colour in its lowest bit, the right child, the left child.
_PARENT, _RIGHT, _LEFT = 0, 8, 16

_OTHER: Final = {_RIGHT: _LEFT, _LEFT: _RIGHT}

_RED, _BLACK = 0, 1


class _Tree:
    """A tree in the kernel's memory; nodes are addresses.

    :param root: of its ``struct rb_root``
    :param rotated: told of each rotation: the node that was above, and the one that is
    """

    def __init__(self, kernel: Kernel, root: int, rotated: Callable[[int, int], object] | None = None) -> None:
        self.root = root
        self.get = kernel.memory.read_pointer
        self.set = kernel.memory.write_pointer
        self.rotated = rotated

    def parent(self, node: int) -> int:
        return self.get(node) & ~3

    def red(self, node: int) -> bool:
        """Whether there is a node and it is red."""
        return bool(node) and self.get(node) & 1 == _RED

    def paint(self, node: int, color: int) -> None:
        self.set(node, self.parent(node) | color)

    def set_parent(self, node: int, parent: int) -> None:
        self.set(node, parent | self.get(node) & 1)

    def replace_child(self, old: int, new: int, parent: int) -> None:
        """Put *new* where *old* hangs."""
        if not parent:
            self.set(self.root, new)
        else:
            self.set(parent + (_LEFT if self.get(parent + _LEFT) == old else _RIGHT), new)

    def rotate(self, node: int, side: int) -> None:
        """Turn *node* down to *side*; its child on the other side takes its place."""
        other = _OTHER[side]
        child, parent = self.get(node + other), self.parent(node)
        inner = self.get(child + side)
        self.set(node + other, inner)
        if inner:
            self.set_parent(inner, node)
        self.set(child + side, node)
        self.set_parent(child, parent)
        self.replace_child(node, child, parent)
        self.set_parent(node, child)
        if self.rotated is not None:
            self.rotated(node, child)

    def insert(self, node: int) -> None:
        """Balance the tree after a red leaf has been hung into it."""
        while self.red(parent := self.parent(node)):
            above = self.parent(parent)
            side = _LEFT if self.get(above + _LEFT) == parent else _RIGHT
            uncle = self.get(above + _OTHER[side])
            if self.red(uncle):
                self.paint(parent, _BLACK)
                self.paint(uncle, _BLACK)
                self.paint(above, _RED)
                node = above
                continue
            if self.get(parent + _OTHER[side]) == node:
                self.rotate(parent, side)
                parent = node
            self.paint(parent, _BLACK)
            self.paint(above, _RED)
            self.rotate(above, _OTHER[side])
            return
        if not parent:
            self.paint(node, _BLACK)

    def balance_removal(self, node: int, parent: int) -> None:
        """One black node is missing below *parent* on the way to *node*, which is black or NULL."""
        while parent:
            side = _LEFT if self.get(parent + _LEFT) == node else _RIGHT
            other = _OTHER[side]
            sibling = self.get(parent + other)
            if self.red(sibling):
                self.paint(sibling, _BLACK)
                self.paint(parent, _RED)
                self.rotate(parent, side)
                sibling = self.get(parent + other)
            near, far = self.get(sibling + side), self.get(sibling + other)
            if not self.red(near) and not self.red(far):
                self.paint(sibling, _RED)
                if self.red(parent):
                    self.paint(parent, _BLACK)
                    return
                node, parent = parent, self.parent(parent)
                continue
            if not self.red(far):
                self.paint(near, _BLACK)
                self.paint(sibling, _RED)
                self.rotate(sibling, other)
                sibling, far = near, sibling
            self.paint(sibling, self.get(parent) & 1)
            self.paint(parent, _BLACK)
            self.paint(far, _BLACK)
            self.rotate(parent, side)
            return

    def erase(self, node: int) -> None:
        left, right = self.get(node + _LEFT), self.get(node + _RIGHT)
        if left and right:
            successor = right
            while following := self.get(successor + _LEFT):
                successor = following
            color = self.get(successor) & 1
            child, above = self.get(successor + _RIGHT), self.parent(successor)
            if above == node:
                above = successor
            else:
                self.set(above + _LEFT, child)
                if child:
                    self.set_parent(child, above)
                self.set(successor + _RIGHT, right)
                self.set_parent(right, successor)
            self.set(successor + _LEFT, left)
            self.set_parent(left, successor)
            self.replace_child(node, successor, self.parent(node))
            self.set(successor, self.get(node))
        else:
            child, above, color = left or right, self.parent(node), self.get(node) & 1
            self.replace_child(node, child, above)
            if child:
                self.set_parent(child, above)
        if color == _BLACK:
            if self.red(child):
                self.paint(child, _BLACK)
            else:
                self.balance_removal(child, above)

    # Order

    def outermost(self, node: int, side: int) -> int:
        """The last node on the way down one side."""
        while node and (child := self.get(node + side)):
            node = child
        return node

    def step(self, node: int, side: int) -> int:
        """The next node (on the right) or the one before."""
        if self.get(node) == node:  # RB_EMPTY_NODE()
            return 0
        if child := self.get(node + side):
            return self.outermost(child, _OTHER[side])
        while (parent := self.parent(node)) and self.get(parent + side) == node:
            node = parent
        return parent

    def deepest(self, node: int) -> int:
        """The leaf that postorder begins with."""
        while child := self.get(node + _LEFT) or self.get(node + _RIGHT):
            node = child
        return node


def _augmented(kernel: Kernel, root: int, augment_rotate: int) -> _Tree:
    return _Tree(kernel, root, lambda old, new: kernel.cpu.call(augment_rotate, old, new))


@export("void rb_insert_color(struct rb_node *node, struct rb_root *root)")
def rb_insert_color(kernel: Kernel, node: StructView, root: StructView) -> None:
    _Tree(kernel, root.address).insert(node.address)


@export(
    "void __rb_insert_augmented(struct rb_node *node, struct rb_root *root,"
    " void (*augment_rotate)(struct rb_node *, struct rb_node *))"
)
def __rb_insert_augmented(kernel: Kernel, node: StructView, root: StructView, augment_rotate: int) -> None:
    _augmented(kernel, root.address, augment_rotate).insert(node.address)


@export("void rb_erase(struct rb_node *node, struct rb_root *root)")
def rb_erase(kernel: Kernel, node: StructView, root: StructView) -> None:
    _Tree(kernel, root.address).erase(node.address)


@export(
    "void __rb_erase_color(struct rb_node *parent, struct rb_root *root,"
    " void (*augment_rotate)(struct rb_node *, struct rb_node *))"
)
def __rb_erase_color(kernel: Kernel, parent: StructView, root: StructView, augment_rotate: int) -> None:
    _augmented(kernel, root.address, augment_rotate).balance_removal(0, parent.address)


@export("struct rb_node *rb_first(const struct rb_root *root)")
def rb_first(kernel: Kernel, root: StructView) -> int:
    return _Tree(kernel, 0).outermost(root["rb_node"], _LEFT)


@export("struct rb_node *rb_last(const struct rb_root *root)")
def rb_last(kernel: Kernel, root: StructView) -> int:
    return _Tree(kernel, 0).outermost(root["rb_node"], _RIGHT)


@export("struct rb_node *rb_next(const struct rb_node *node)")
def rb_next(kernel: Kernel, node: StructView) -> int:
    return _Tree(kernel, 0).step(node.address, _RIGHT)


@export("struct rb_node *rb_prev(const struct rb_node *node)")
def rb_prev(kernel: Kernel, node: StructView) -> int:
    return _Tree(kernel, 0).step(node.address, _LEFT)


@export("struct rb_node *rb_first_postorder(const struct rb_root *root)")
def rb_first_postorder(kernel: Kernel, root: StructView) -> int:
    top = root["rb_node"]
    return _Tree(kernel, 0).deepest(top) if top else 0


@export("struct rb_node *rb_next_postorder(const struct rb_node *node)")
def rb_next_postorder(kernel: Kernel, node: StructView) -> int:
    if not node.address:
        return 0
    tree = _Tree(kernel, 0)
    parent = tree.parent(node.address)
    if parent and tree.get(parent + _LEFT) == node.address and (right := tree.get(parent + _RIGHT)):
        return tree.deepest(right)
    return parent


@export(
    "void rb_replace_node(struct rb_node *victim, struct rb_node *new, struct rb_root *root)",
    "void rb_replace_node_rcu(struct rb_node *victim, struct rb_node *new, struct rb_root *root)",
)
def rb_replace_node(kernel: Kernel, victim: StructView, new: StructView, root: StructView) -> None:
    tree = _Tree(kernel, root.address)
    kernel.memory.write(new.address, kernel.memory.read(victim.address, victim.struct.size))
    for side in (_LEFT, _RIGHT):
        if child := tree.get(victim.address + side):
            tree.set_parent(child, new.address)
    tree.replace_child(victim.address, new.address, tree.parent(victim.address))
