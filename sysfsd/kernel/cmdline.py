"""Splitting an argument line into parameters and values (lib/cmdline.c)."""

from __future__ import annotations

from typing import Final

__all__ = ["SPACE", "next_arg", "skip_spaces"]

#: What the kernel's isspace() accepts; the last is Latin-1's no-break space.
SPACE: Final = b" \t\n\v\f\r\xa0"


def skip_spaces(text: bytes) -> bytes:
    """*text* from its first character that is not white space."""
    return text.lstrip(SPACE)


def next_arg(args: bytes) -> tuple[bytes, bytes | None, bytes]:
    """Split off the first argument of ``a=1 b="two words" "c=three words" d``.

    A double quote anywhere protects white space; it is taken off only around a whole argument or a
    whole value.

    :param args: the line, without leading white space
    :returns: the parameter, its value (``None`` where there is no ``=``), and the rest of the line
    """
    quoted = args.startswith(b'"')
    if quoted:
        args = args[1:]
    in_quote, equals, end = quoted, 0, len(args)
    for i, char in enumerate(args):
        if char in SPACE and not in_quote:
            end = i
            break
        if char == ord("=") and equals == 0:
            equals = i
        elif char == ord('"'):
            in_quote = not in_quote
    argument, rest = args[:end], args[end + 1 :]

    param, value = argument, None
    if equals:
        param, value = argument[:equals], argument[equals + 1 :]
        if value.startswith(b'"'):
            value = value[1:].removesuffix(b'"')
        elif quoted:
            value = value.removesuffix(b'"')
    elif quoted:
        param = param.removesuffix(b'"')
    return param, value, skip_spaces(rest)
