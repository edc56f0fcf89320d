"""Shell patterns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/glob.c")


def _class(pattern: bytes, at: int) -> tuple[bytes, int] | None:
    """``[a-z]`` of a glob: as a regular expression, and where it ends; None if it does not end."""
    inverted = pattern[at : at + 1] == b"!"
    at += inverted
    chars: set[int] = set()
    first = True
    while first or pattern[at : at + 1] != b"]":
        if at >= len(pattern):
            return None
        first = False
        low = high = pattern[at]
        at += 1
        if pattern[at : at + 1] == b"-" and pattern[at + 1 : at + 2] not in (b"]", b""):
            high = pattern[at + 1]
            at += 2
        chars.update(range(low, high + 1))
    members = b"".join(b"\\x%02x" % c for c in sorted(set(range(256)) - chars if inverted else chars))
    return b"[" + members + b"]" if members else b"(?!)", at + 1


@export("bool glob_match(const char *pat, const char *str)")
def glob_match(kernel: Kernel, pat: bytes, str: bytes) -> bool:
    regex, at = b"", 0
    while at < len(pat):
        char = pat[at : at + 1]
        at += 1
        found = _class(pat, at) if char == b"[" else None
        if char == b"*":
            regex += b".*"
        elif char == b"?":
            regex += b"."
        elif found is not None:
            regex += found[0]
            at = found[1]
        else:
            if char == b"\\":
                char = pat[at : at + 1]
                at += 1
            regex += re.escape(char)
    return re.fullmatch(regex, str, re.DOTALL) is not None
