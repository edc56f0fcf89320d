"""Who is told of what switches forward."""

from __future__ import annotations

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import declare_chain

export = Area("net/switchdev/switchdev.c")

declare_chain(export, "switchdev", "register_switchdev_notifier", "unregister_switchdev_notifier")

declare_chain(
    export, "switchdev_blocking", "register_switchdev_blocking_notifier", "unregister_switchdev_blocking_notifier"
)
