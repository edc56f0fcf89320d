"""Who is told when memory is plugged in or out."""

from __future__ import annotations

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import declare_chain

export = Area("drivers/base/memory.c")

declare_chain(export, "memory_notifier", "register_memory_notifier", "unregister_memory_notifier", "void")
