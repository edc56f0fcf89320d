"""Strings: words, white space, arrays of strings."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.cmdline import SPACE
from sysfsd.linux.lib.string_exports import one_char, put_string, span_length, string_at, strscpy_words
from sysfsd.linux.lib.string_helpers import (
    Escape,
    StringUnits,
    Unescape,
    string_escape_mem,
    string_get_size,
    string_unescape,
)
from sysfsd.linux.mm.slab_exports import kmalloc_or_null
from sysfsd.linux.mm.util_exports import kmemdup_bytes

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/string_helpers.c", "lib/argv_split.c")


@export("void fortify_panic(const char *name)")
def fortify_panic(kernel: Kernel, name: bytes) -> None:
    kernel.log.pr_emerg(f"detected buffer overflow in {name.decode('latin-1')}")
    kernel.traps.bug_at("lib/string_helpers.c", 1027, "fortify_panic+0xf")


@export("ssize_t strscpy_pad(char *dest, char const *src, size_t count)")
def strscpy_pad(kernel: Kernel, dest: int, src: int, count: int) -> int:
    written = strscpy_words(kernel, dest, src, count)
    kernel.memory.write(dest + written, bytes(count - written))
    return written


@export("void memcpy_and_pad(void *dest, size_t dest_len, const void *src, size_t count, int pad)")
def memcpy_and_pad(kernel: Kernel, dest: int, dest_len: int, src: int, count: int, pad: int) -> None:
    size = min(dest_len, count)
    data = kernel.memory.read(src, size) if size else b""
    kernel.memory.write(dest, data.ljust(dest_len, bytes([pad & 0xFF])))


# White space, lines, words


@export("char *skip_spaces(char const *str)")
def skip_spaces(kernel: Kernel, str: int) -> int:
    return str + span_length(string_at(kernel, str), SPACE, True)


@export("char *strim(char *s)")
def strim(kernel: Kernel, s: int) -> int:
    text = string_at(kernel, s)
    stripped = text.rstrip(SPACE)
    if text:
        kernel.memory.write_int(s + len(stripped), 0, 1)
    return s + span_length(stripped, SPACE, True)


@export("char *strreplace(char *s, char old, char new)")
def strreplace(kernel: Kernel, s: int, old: int, new: int) -> int:
    """:returns: the end of the string"""
    text = string_at(kernel, s)
    if text:
        kernel.memory.write(s, text.replace(one_char(old), one_char(new)))
    return s + len(text)


def _streq(a: bytes, b: bytes) -> bool:
    """``sysfs_streq()``: equal but for a newline at the end of one of them."""
    return a == b or a == b + b"\n" or b == a + b"\n"


@export("bool sysfs_streq(const char *s1, const char *s2)")
def sysfs_streq(kernel: Kernel, s1: bytes, s2: bytes) -> bool:
    return _streq(s1, s2)


def _strings(kernel: Kernel, array: int, n: int) -> list[bytes]:
    """An array of strings, up to *n* or a NULL."""
    strings: list[bytes] = []
    while len(strings) < n and (item := kernel.memory.read_pointer(array + 8 * len(strings))):
        strings.append(string_at(kernel, item))
    return strings


@export("int match_string(const char *const *array, size_t n, char const *string)")
def match_string(kernel: Kernel, array: int, n: int, string: int) -> int:
    strings = _strings(kernel, array, n)
    wanted = string_at(kernel, string) if strings else b""
    if wanted in strings:
        return strings.index(wanted)
    raise err(errno.EINVAL)


@export("int __sysfs_match_string(const char *const *array, size_t n, char const *str)")
def __sysfs_match_string(kernel: Kernel, array: int, n: int, str: int) -> int:
    strings = _strings(kernel, array, n)
    wanted = string_at(kernel, str) if strings else b""
    for index, item in enumerate(strings):
        if _streq(item, wanted):
            return index
    raise err(errno.EINVAL)


@export("char **argv_split(gfp_t gfp, const char *str, int *argcp)")
def argv_split(kernel: Kernel, gfp: int, text: bytes, argcp: int) -> int:
    """The words and the array lie as the kernel lays them: a pointer to the copy of the string, then the words."""
    try:
        copy = kernel.slab.kmalloc(len(text) + 1)
    except OSError:
        return 0
    starts = [match.span() for match in re.finditer(b"[^" + SPACE + b"]+", text)]
    data = bytearray(text + b"\0")
    for _start, end in starts:
        data[end] = 0
    kernel.memory.write(copy, data)
    argv = kernel.slab.kmalloc(8 * (len(starts) + 2))
    for i, value in enumerate([copy, *(copy + start for start, _end in starts), 0]):
        kernel.memory.write_pointer(argv + 8 * i, value)
    if argcp:
        kernel.memory.write_int(argcp, len(starts))
    return argv + 8


@export("void argv_free(char **argv)")
def argv_free(kernel: Kernel, argv: int) -> None:
    kernel.slab.kfree(kernel.memory.read_pointer(argv - 8))
    kernel.slab.kfree(argv - 8)


@export("char **kasprintf_strarray(gfp_t gfp, const char *prefix, size_t n)")
def kasprintf_strarray(kernel: Kernel, gfp: int, prefix: bytes | None, n: int) -> int:
    array = kmalloc_or_null(kernel, 8 * (n + 1), gfp)
    if not array:
        return 0
    kernel.memory.write(array, bytes(8 * (n + 1)))
    for index in range(n):
        text = b"%s-%d\0" % (prefix if prefix is not None else b"(null)", index)
        name = kmemdup_bytes(kernel, text)
        if not name:
            kfree_strarray(kernel, array, index)
            return 0
        kernel.memory.write_pointer(array + 8 * index, name)
    return array


@export("void kfree_strarray(char **array, size_t n)")
def kfree_strarray(kernel: Kernel, array: int, n: int) -> None:
    if array:
        for i in range(n):
            kernel.slab.kfree(kernel.memory.read_pointer(array + 8 * i))
        kernel.slab.kfree(array)


# Sizes and escapes


@export("void string_get_size(u64 size, u64 blk_size, const enum string_size_units units, char *buf, int len)")
def string_get_size_(kernel: Kernel, size: int, blk_size: int, units: int, buf: int, len: int) -> None:
    if len > 0:
        put_string(kernel, buf, string_get_size(size, blk_size, StringUnits(units)).encode()[: len - 1])


@export(
    "int string_escape_mem(char const *src, size_t isz, char *dst, size_t osz, unsigned int flags, const char *only)"
)
def string_escape_mem_(kernel: Kernel, src: int, isz: int, dst: int, osz: int, flags: int, only: bytes | None) -> int:
    text = string_escape_mem(kernel.memory.read(src, isz) if isz else b"", Escape(flags), only or b"")
    if osz and text:
        kernel.memory.write(dst, text[:osz])
    return len(text)


@export("int string_unescape(char *src, char *dst, size_t size, unsigned int flags)")
def string_unescape_(kernel: Kernel, src: int, dst: int, size: int, flags: int) -> int:
    out = string_unescape(string_at(kernel, src), size, Unescape(flags))
    put_string(kernel, dst, out)
    return len(out)
