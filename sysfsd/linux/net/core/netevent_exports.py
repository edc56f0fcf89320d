"""Who is told of neighbours and redirects."""

from __future__ import annotations

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import declare_chain

export = Area("net/core/netevent.c")

declare_chain(export, "netevent", "register_netevent_notifier", "unregister_netevent_notifier")
