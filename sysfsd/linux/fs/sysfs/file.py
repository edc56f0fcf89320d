"""Reading and writing the attributes of kernel objects (fs/sysfs/file.c, lib/kobject.c, drivers/base/)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.lib.kobject import Kobjects, Sysfs, SysfsFile
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["bin_read", "bin_write", "show", "store"]

#: Types of attributes whose ``show`` member is where ``struct kobj_attribute`` has it.
_ATTRIBUTE: Final = "kobj_attribute"


def _call(kernel: Kernel, function: int, *args: int, site: str) -> int:
    """Call a function that returns a ssize_t."""
    value = kernel.cpu.call_long(function, *args, site=site if site in kernel.image.call_sites else "")
    return value - (1 << 64) if value >> 63 else value


def _checked(value: int) -> int:
    """:raises OSError: for an errno"""
    if value < 0:
        raise err(-value)
    return value


def show(kernel: Kernel, node: SysfsFile) -> bytes:
    """``sysfs_kf_seq_show()``: the text of an attribute.

    :raises OSError: EIO where it has no function to show it, and what that says
    """
    if not node.attr:
        if node.show is None:
            raise err(errno.EIO)
        return node.show()
    kobj = kernel.struct("kobject", node.kobj)
    own = kernel.state(Kobjects).attribute_ops(kobj)
    with kernel.state(Sysfs).get_active(node):
        buffer = kernel.slab.kmalloc(PAGE_SIZE)
        try:
            kernel.memory.write(buffer, bytes(PAGE_SIZE))
            if own is None:
                function = kobj.to("ktype").to("sysfs_ops")["show"]
                shown_by = kernel.kallsyms.sprint_symbol(function)
                count = _call(kernel, function, node.kobj, node.attr, buffer, site="sysfs_show")
            else:
                function = kernel.struct(_ATTRIBUTE, node.attr)["show"]
                if not function:
                    raise err(errno.EIO)
                shown_by = kernel.kallsyms.sprint_symbol(kernel.image.symbols.get(f"{own.name}_show", 0))
                count = _call(kernel, function, *own.arguments(kobj, node.attr), buffer, site=f"{own.name}_show")
                if own.name == "dev_attr" and count >= PAGE_SIZE:
                    name = kernel.kallsyms.sprint_symbol(function)
                    kernel.log.pr_warn(f"dev_attr_show: {name} returned bad count")
            if count >= PAGE_SIZE:
                kernel.log.pr_warn(f"fill_read_buffer: {shown_by} returned bad count")
                count = PAGE_SIZE - 1
            return kernel.memory.read(buffer, _checked(count))
        finally:
            kernel.slab.kfree(buffer)


def store(kernel: Kernel, node: SysfsFile, data: bytes) -> int:
    """``sysfs_kf_write()`` of at most a page.

    :returns: what the attribute's function does, which may be less than there was
    :raises OSError: EIO where it has none, and what that says
    """
    if not node.attr:
        if node.store is None:
            raise err(errno.EIO)
        node.store(data)
        return len(data)
    kobj = kernel.struct("kobject", node.kobj)
    own = kernel.state(Kobjects).attribute_ops(kobj)
    with kernel.state(Sysfs).get_active(node):
        buffer = kernel.slab.kmalloc(len(data) + 1)
        try:
            kernel.memory.write(buffer, data + b"\0")
            if own is None:
                function = kobj.to("ktype").to("sysfs_ops")["store"]
                return _checked(_call(kernel, function, node.kobj, node.attr, buffer, len(data), site="sysfs_store"))
            function = kernel.struct(_ATTRIBUTE, node.attr)["store"]
            if not function:
                raise err(errno.EIO)
            arguments = own.arguments(kobj, node.attr)
            return _checked(_call(kernel, function, *arguments, buffer, len(data), site=f"{own.name}_store"))
        finally:
            kernel.slab.kfree(buffer)


def bin_read(kernel: Kernel, node: SysfsFile, offset: int, size: int) -> bytes:
    """``sysfs_kf_bin_read()`` of at most a page.

    :raises OSError: EIO where the attribute has no function for it, and what that says
    """
    if not node.attr:
        return node.show()[offset : offset + size] if node.show is not None else b""
    attr = kernel.struct("bin_attribute", node.attr)
    if not attr["read"]:
        raise err(errno.EIO)
    with kernel.state(Sysfs).get_active(node):
        buffer = kernel.slab.kmalloc(PAGE_SIZE)
        try:
            count = _call(kernel, attr["read"], 0, node.kobj, node.attr, buffer, offset, size, site="sysfs_kf_bin_read")
            return kernel.memory.read(buffer, min(_checked(count), size))
        finally:
            kernel.slab.kfree(buffer)


def bin_write(kernel: Kernel, node: SysfsFile, offset: int, data: bytes) -> int:
    """``sysfs_kf_bin_write()`` of at most a page.

    :raises OSError: EIO where the attribute has no function for it, and what that says
    """
    if not node.attr and node.store is not None:
        node.store(data)
        return len(data)
    attr = kernel.struct("bin_attribute", node.attr)
    if not attr["write"]:
        raise err(errno.EIO)
    with kernel.state(Sysfs).get_active(node):
        buffer = kernel.slab.kmalloc(len(data) + 1)
        try:
            kernel.memory.write(buffer, data + b"\0")
            return _checked(
                _call(
                    kernel, attr["write"], 0, node.kobj, node.attr, buffer, offset, len(data), site="sysfs_kf_bin_write"
                )
            )
        finally:
            kernel.slab.kfree(buffer)
