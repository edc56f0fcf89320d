"""Who looks up routing tables of layer-3 master devices."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("net/l3mdev/l3mdev.c")


@export("int l3mdev_table_lookup_register(enum l3mdev_type l3type, lookup_by_table_id_t fn)")
def l3mdev_table_lookup_register(kernel: Kernel, l3type: int, fn: int) -> int:
    if l3type > 1:
        raise err(errno.EINVAL)
    found = registered(kernel).find("l3mdev", l3type)
    if found is not None and found != fn:
        raise err(errno.EBUSY)
    registered(kernel).remove_key("l3mdev", l3type)
    registered(kernel).add("l3mdev", l3type, fn)
    return 0


@export("void l3mdev_table_lookup_unregister(enum l3mdev_type l3type, lookup_by_table_id_t fn)")
def l3mdev_table_lookup_unregister(kernel: Kernel, l3type: int, fn: int) -> None:
    if registered(kernel).find("l3mdev", l3type) == fn:
        registered(kernel).remove_key("l3mdev", l3type)
