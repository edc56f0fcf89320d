"""The entry of each function, where the function tracer can be called (arch/x86/kernel/ftrace_64.S)."""

from __future__ import annotations

from sysfsd.linux.exports import Area

export = Area("arch/x86/kernel/ftrace_64.S")

export.native("void __fentry__(void)", "c3")
