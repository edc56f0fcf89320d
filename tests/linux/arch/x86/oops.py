"""Reports of faults, without what differs from one run to the next."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["Recording", "normalise", "recordings"]

#: What changes between two runs of the same code, and what stands for it.
_CHANGES: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"PID: \d+", "PID: N"),
        (r"kworker/\d:\d", "kworker/N:N"),
        (r"atomic: (\w+)/\d+/", r"atomic: \1/N/"),
        (r"CPU: \d+", "CPU: N"),
        (r"Tainted: G[ A-Z]{17}", "Tainted: "),
        (r"\[#\d+\]", "[#N]"),
        (r"(?<!0x)\bff(?!ffffff12345678)[0-9a-f]{14}", "ADDRESS"),
        (r"0xffffffff[bc][0-9a-f]{7}", "0xADDRESS"),
        (r"\(0{8}[0-9a-f]{8}\)", "(HASH)"),
        (r"^PGD .*", "PGD"),
        (r"Code: [0-9a-f ]*<(..)>.*", r"Code: <\1>"),
        (r"note: ([^[]+)\[\d+\]", r"note: \1[N]"),
        (r"( faults\([A-Z+-]+\)).*", r"\1"),
        (r"at /\S+/(?:flt|thr|wrk|lev|par)?\w*\.c:", "at faults.c:"),
    )
)
#: Lines of a report that hold only what changes, or what lies above module code.
_DROPPED: Final = re.compile(
    r"(Hardware name|RSP|RAX|RDX|RBP|R10|R13|FS|CS|CR2|PKRU):"
    r"| \? "
    r"| (do_one_initcall|do_init_module|do_init_module\.cold|__do_sys_finit_module)\+"
    r"| (do_syscall_64|entry_SYSCALL_64_after_hwframe)\+"
)


class Recording(NamedTuple):
    """What a real kernel said to one fault."""

    title: str
    #: As the shell has it: 128 and the signal that ended the process.
    status: int
    #: The module's state in /proc/modules afterwards.
    state: str
    lines: list[str]


def normalise(lines: list[str]) -> list[str]:
    """The lines of a log that two runs of the same code have in common."""
    kept: list[str] = []
    skipping = False
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("RIP: 0033:"):
            skipping = True  # what called the system call
        elif line.startswith(" </"):
            skipping = False
        elif line.startswith(("RIP: ", "Code: ")) and any(above.startswith("---[ end trace") for above in kept):
            continue  # the first oops of all once more
        elif line.startswith("Code: ") and before.startswith("RIP: ") and not before.endswith("]"):
            continue  # the kernel's own
        if skipping or _DROPPED.match(line):
            continue
        for pattern, replacement in _CHANGES:
            line = pattern.sub(replacement, line)
        kept.append(line.rstrip())
    return kept


def recordings(text: str) -> dict[str, Recording]:
    """A file of recordings, by how each fault was caused (``init 6``)."""
    found: dict[str, Recording] = {}
    for block in text.split("== ")[1:]:
        head, facts, *lines = block.splitlines()
        cause, _, title = head.partition(": ")
        status, state = facts.removeprefix("-- status ").split(", ")
        found[cause] = Recording(title, int(status), state, lines)
    return found
