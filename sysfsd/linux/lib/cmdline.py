"""Splitting an argument line into parameters and values (lib/cmdline.c)."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["SPACE", "next_arg", "skip_spaces"]

#: What the kernel's isspace() accepts; the last is Latin-1's no-break space.
SPACE: Final = b" \t\n\v\f\r\xa0"
_SPACE_OR_QUOTE: Final = re.compile(b"[" + SPACE + b'"]')
_NOT_SPACE: Final = re.compile(b"[^" + SPACE + b"]")


def skip_spaces(text: bytes) -> bytes:
    """*text* from its first character that is not white space."""
    return text.lstrip(SPACE)


def next_arg(args: bytes, start: int = 0) -> tuple[bytes, bytes | None, int]:
    """Split off the first argument of ``a=1 b="two words" "c=three words" d``.

    A double quote anywhere protects white space; it is taken off only around a whole argument or a
    whole value.

    :param args: the line
    :param start: where in it the argument begins
    :returns: the parameter, its value (``None`` where there is no ``=``), and where the next argument begins
    """
    quoted = args[start : start + 1] == b'"'
    if quoted:
        start += 1
    in_quote, end = quoted, len(args)
    for match in _SPACE_OR_QUOTE.finditer(args, start):
        if match[0] == b'"':
            in_quote = not in_quote
        elif not in_quote:
            end = match.start()
            break
    param = argument = args[start:end]
    value = None
    equals = argument.find(b"=", 1)
    if equals > 0:
        param, value = argument[:equals], argument[equals + 1 :]
        if value.startswith(b'"'):
            value = value[1:].removesuffix(b'"')
        elif quoted:
            value = value.removesuffix(b'"')
    elif quoted:
        param = param.removesuffix(b'"')
    return param, value, _end_of_space(args, end)


def _end_of_space(text: bytes, start: int) -> int:
    match = _NOT_SPACE.search(text, start)
    return len(text) if match is None else match.start()
