"""Who is told of reboots."""

from __future__ import annotations

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import declare_chain

export = Area("kernel/reboot.c")


# Chains


declare_chain(export, "reboot_notifier", "register_reboot_notifier", "unregister_reboot_notifier")

declare_chain(export, "restart_handler", "register_restart_handler", "unregister_restart_handler")
