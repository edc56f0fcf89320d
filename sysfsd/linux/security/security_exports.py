"""Who is told when security policies change."""

from __future__ import annotations

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import declare_chain

export = Area("security/security.c")

declare_chain(export, "blocking_lsm_notifier", "register_blocking_lsm_notifier", "unregister_blocking_lsm_notifier")
