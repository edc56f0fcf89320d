"""Patterns (lib/parser.c)."""

from __future__ import annotations

import re

__all__ = ["match_wildcard"]


def match_wildcard(pattern: bytes, text: bytes) -> bool:
    """``match_wildcard()``: ``*`` is any text, ``?`` any character."""
    regex = re.escape(pattern).replace(rb"\*", b".*").replace(rb"\?", b".")
    return re.fullmatch(regex, text, re.DOTALL) is not None
