"""Algorithms that search text."""

from __future__ import annotations

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import declare_table, needs, text_key

export = Area("lib/textsearch.c")

declare_table(
    export,
    "int textsearch_register(struct ts_ops *ops)",
    "int textsearch_unregister(struct ts_ops *ops)",
    text_key("name"),
    "textsearch",
    check=needs("name", "init", "find", "get_pattern", "get_pattern_len"),
)
