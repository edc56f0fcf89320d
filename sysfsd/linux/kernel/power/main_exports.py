"""Who is told of suspend and resume."""

from __future__ import annotations

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import declare_chain

export = Area("kernel/power/main.c")

declare_chain(export, "pm_notifier", "register_pm_notifier", "unregister_pm_notifier")
