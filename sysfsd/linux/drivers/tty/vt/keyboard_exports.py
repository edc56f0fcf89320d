"""Who is told of keys on the console."""

from __future__ import annotations

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import declare_chain

export = Area("drivers/tty/vt/keyboard.c")

declare_chain(export, "keyboard_notifier", "register_keyboard_notifier", "unregister_keyboard_notifier")
