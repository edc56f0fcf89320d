"""Who is told when memory runs out."""

from __future__ import annotations

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import declare_chain

export = Area("mm/oom_kill.c")

declare_chain(export, "oom_notifier", "register_oom_notifier", "unregister_oom_notifier")
