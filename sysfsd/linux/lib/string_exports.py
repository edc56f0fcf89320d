"""Strings and memory."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/string.c", "lib/memweight.c", "lib/check_signature.c", "lib/net_utils.c")

_INT_MAX: Final = (1 << 31) - 1

#: How much is read at a time of memory that nobody knows the end of (bytes).
_CHUNK: Final = 4096

# Those that are called most need no Python either, a byte at a time. What reads memory first stands where it does in
# the kernel, so that a bad pointer is reported at the same place.
# cmpb $0,(%rdi); je 2f; mov %rdi,%rax; 1: inc %rax; cmpb $0,(%rax); jne 1b; sub %rdi,%rax; ret;
# 2: xor %eax,%eax; ret
export.native("size_t strlen(const char *s)", "803f00 7410 4889f8 90 48ffc0 803800 75f8 4829f8 c3 31c0 c3")

# lea (%rdi,%rsi),%rdx; mov %rdi,%rax; 1: cmp %rdx,%rax; je 2f; cmpb $0,(%rax); je 2f; inc %rax; jmp 1b;
# 2: sub %rdi,%rax; ret
export.native(
    "size_t strnlen(const char *p, size_t maxlen)",
    "488d1437 4889f8 0f1f440000 0f1f440000 4839d0 740b 90 803800 7405 48ffc0 ebf0 4829f8 c3",
)

# xor %eax,%eax; 1: movzbl (%rdi,%rax),%edx; cmp (%rsi,%rax),%dl; jne 2f; inc %rax; test %dl,%dl; jne 1b;
# xor %eax,%eax; ret; 2: sbb %eax,%eax; or $1,%eax; ret
export.native(
    "int strcmp(const char *cs, const char *ct)",
    "31c0 0f1f440000 0f1f440000 0fb61407 3a1406 750a 48ffc0 84d2 75f0 31c0 c3 19c0 83c801 c3",
)

# The same with %cl for %dl, but first: 1: cmp %rdx,%rax; je to where it is 0
export.native(
    "int strncmp(const char *cs, const char *ct, size_t count)",
    "31c0 0f1f440000 0f1f440000 0f1f440000 4839d0 7410 0fb60c07 3a0c06 750a 48ffc0 84c9 75eb 31c0 c3 19c0 83c801 c3",
)

# xor %ecx,%ecx; 1: cmp %rdx,%rcx; je 3f; movzbl (%rdi,%rcx),%eax; movzbl (%rsi,%rcx),%r8d; sub %r8d,%eax; jne 2f;
# inc %rcx; jmp 1b; 3: xor %eax,%eax; 2: ret
export.native(
    "int memcmp(const void *p, const void *q, size_t size)",
    "31c9 4839d1 7413 0fb6040f 440fb6040e 4429c0 7507 48ffc1 ebe8 31c0 c3",
)

# 1: mov (%rdi),%al; cmp %sil,%al; je 2f; inc %rdi; test %al,%al; jne 1b; xor %eax,%eax; ret; 2: mov %rdi,%rax; ret
export.native("char *strchr(const char *s, int c)", "8a07 4038f0 740a 48ffc7 84c0 75f2 31c0 c3 4889f8 c3")

# xor %ecx,%ecx; 1: mov (%rsi,%rcx),%al; mov %al,(%rdi,%rcx); inc %rcx; test %al,%al; jne 1b; mov %rdi,%rax; ret
export.native("char *strcpy(char *p, const char *q)", "31c9 8a040e 88040f 48ffc1 84c0 75f3 4889f8 c3")


def string_at(kernel: Kernel, address: int, limit: int = _INT_MAX) -> bytes:
    """The string at *address*, or the first *limit* bytes of it; NULL faults as anything that is not there does."""
    return kernel.memory.read_string(address, limit) if limit else b""


# Comparing


#: tolower() of the kernel's Latin-1 (bytes.lower() knows only ASCII).
_LOWER: Final = bytes(c + 32 if 0x41 <= c <= 0x5A or (0xC0 <= c <= 0xDE and c != 0xD7) else c for c in range(256))


def _case_difference(a: bytes, b: bytes, ended: bool = True) -> int:
    """Of the first characters that differ.

    :param ended: whether a NUL follows both
    """
    end = b"\0" if ended else b""
    for x, y in zip((a + end).translate(_LOWER), (b + end).translate(_LOWER), strict=False):
        if x != y:
            return x - y
    return 0


@export("int strcasecmp(char const *s1, char const *s2)")
def strcasecmp(kernel: Kernel, s1: int, s2: int) -> int:
    return _case_difference(string_at(kernel, s1), string_at(kernel, s2))


@export("int strncasecmp(char const *s1, char const *s2, size_t len)")
def strncasecmp(kernel: Kernel, s1: int, s2: int, len: int) -> int:
    limit = min(len, _INT_MAX)
    a, b = string_at(kernel, s1, limit), string_at(kernel, s2, limit)
    return _case_difference((a + b"\0")[:limit], (b + b"\0")[:limit], ended=False)


@export("int bcmp(const void *a, const void *b, size_t len)")
def bcmp(kernel: Kernel, a: int, b: int, len: int) -> int:
    if not len:
        return 0
    ours, theirs = kernel.memory.read(a, len), kernel.memory.read(b, len)
    return 0 if ours == theirs else next(x - y for x, y in zip(ours, theirs, strict=True) if x != y)


# Copying


def put_string(kernel: Kernel, dest: int, text: bytes) -> None:
    """A string and its NUL."""
    kernel.memory.write(dest, text + b"\0")


@export("char *stpcpy(char *dest, char const *src)")
def stpcpy(kernel: Kernel, dest: int, src: int) -> int:
    text = string_at(kernel, src)
    put_string(kernel, dest, text)
    return dest + len(text)


@export("char *strncpy(char *p, char const *q, size_t size)")
def strncpy(kernel: Kernel, p: int, q: int, size: int) -> int:
    if size:
        kernel.memory.write(p, string_at(kernel, q, size).ljust(size, b"\0"))
    return p


@export("size_t strlcpy(char *p, char const *q, size_t size)")
def strlcpy(kernel: Kernel, p: int, q: int, size: int) -> int:
    text = string_at(kernel, q)
    if size:
        put_string(kernel, p, text[: size - 1])
    return len(text)


def strscpy_words(kernel: Kernel, dest: int, src: int, count: int) -> int:
    """``strscpy()``.

    As long as there is room for eight bytes it copies eight at a time, zeros behind the NUL.

    :raises OSError: E2BIG for a string that is cut
    """
    if count == 0 or count > _INT_MAX:
        if count:
            kernel.traps.warn_at("lib/string.c", 181, site="strscpy+0xd7", once=True)
        raise err(errno.E2BIG)
    text = string_at(kernel, src, count)
    if len(text) == count:
        put_string(kernel, dest, text[:-1])
        raise err(errno.E2BIG)
    by_words = min(count, PAGE_SIZE - src % PAGE_SIZE) if src % 8 else count
    filled = len(text) // 8 * 8 + 8
    size = filled if filled <= by_words else len(text) + 1
    kernel.memory.write(dest, text.ljust(size, b"\0"))
    return len(text)


@export("ssize_t strscpy(char *p, char const *q, size_t size)")
def strscpy(kernel: Kernel, p: int, q: int, size: int) -> int:
    return strscpy_words(kernel, p, q, size)


@export("char *strcat(char *p, char const *q)")
def strcat(kernel: Kernel, p: int, q: int) -> int:
    put_string(kernel, p + len(string_at(kernel, p)), string_at(kernel, q))
    return p


@export("char *strncat(char *p, char const *q, size_t count)")
def strncat(kernel: Kernel, p: int, q: int, count: int) -> int:
    if count:
        put_string(kernel, p + len(string_at(kernel, p)), string_at(kernel, q, count))
    return p


@export("size_t strlcat(char *dest, char const *src, size_t count)")
def strlcat(kernel: Kernel, dest: int, src: int, count: int) -> int:
    there, text = len(string_at(kernel, dest)), string_at(kernel, src)
    if there >= count:
        kernel.traps.bug_at("lib/string.c", 337, "strlcat+0x73")
    put_string(kernel, dest + there, text[: count - there - 1])
    return there + len(text)


# Searching


def one_char(c: int) -> bytes:
    return bytes((c & 0xFF,))


def _found(start: int, index: int) -> int:
    """An address in a string, NULL where nothing was found."""
    return start + index if index >= 0 else 0


@export("char *strrchr(char const *s, int c)")
def strrchr(kernel: Kernel, s: int, c: int) -> int:
    return _found(s, (string_at(kernel, s) + b"\0").rfind(one_char(c)))


@export("char *strchrnul(char const *s, int c)")
def strchrnul(kernel: Kernel, s: int, c: int) -> int:
    text = string_at(kernel, s)
    index = text.find(one_char(c))
    return s + (index if index >= 0 else len(text))


@export("char *strnchr(char const *s, size_t count, int c)")
def strnchr(kernel: Kernel, s: int, count: int, c: int) -> int:
    text = string_at(kernel, s, min(count, _INT_MAX))
    if len(text) < count:
        text += b"\0"
    return _found(s, text.find(one_char(c)))


@export("char *strstr(char const *s1, const char *s2)")
def strstr(kernel: Kernel, s1: int, s2: bytes) -> int:
    return _found(s1, string_at(kernel, s1).find(s2)) if s2 else s1


@export("char *strnstr(char const *s1, const char *s2, size_t len)")
def strnstr(kernel: Kernel, s1: int, s2: bytes, length: int) -> int:
    if not s2:
        return s1
    if length < len(s2):
        return 0
    return _found(s1, string_at(kernel, s1, min(length, _INT_MAX)).find(s2))


def span_length(text: bytes, chars: bytes, accept: bool) -> int:
    """How many characters at the beginning are among *chars*, or are not."""
    return next((i for i, c in enumerate(text) if (c in chars) is not accept), len(text))


@export("size_t strspn(const char *s, const char *accept)")
def strspn(kernel: Kernel, s: bytes, accept: bytes) -> int:
    return span_length(s, accept, True)


@export("size_t strcspn(const char *s, const char *reject)")
def strcspn(kernel: Kernel, s: bytes, reject: bytes) -> int:
    return span_length(s, reject, False)


@export("char *strpbrk(char const *cs, const char *ct)")
def strpbrk(kernel: Kernel, cs: int, ct: bytes) -> int:
    text = string_at(kernel, cs)
    index = span_length(text, ct, False)
    return cs + index if index < len(text) else 0


@export("char *strsep(char **s, const char *ct)")
def strsep(kernel: Kernel, s: int, ct: bytes) -> int:
    start = kernel.memory.read_pointer(s)
    if not start:
        return 0
    text = string_at(kernel, start)
    index = span_length(text, ct, False)
    if index < len(text):
        kernel.memory.write_int(start + index, 0, 1)
        kernel.memory.write_pointer(s, start + index + 1)
    else:
        kernel.memory.write_pointer(s, 0)
    return start


def _find_byte(kernel: Kernel, address: int, size: int, wanted: bytes) -> int:
    """Where one of some bytes is in memory, which need not all be there behind it.

    :param wanted: what to look for, as a regular expression
    :returns: -1 if it is not found
    """
    pattern = re.compile(wanted, re.DOTALL)
    at = 0
    while at < size:
        length = min(size - at, _CHUNK - (address + at) % _CHUNK)
        match = pattern.search(kernel.memory.read(address + at, length))
        if match is not None:
            return at + match.start()
        at += length
    return -1


@export("void *memchr(const void *p, int c, size_t size)")
def memchr(kernel: Kernel, p: int, c: int, size: int) -> int:
    return _found(p, _find_byte(kernel, p, size, re.escape(one_char(c))))


@export("void *memchr_inv(const void *p, int c, size_t size)")
def memchr_inv(kernel: Kernel, p: int, c: int, size: int) -> int:
    return _found(p, _find_byte(kernel, p, size, b"[^\\x%02x]" % (c & 0xFF)))


@export("void *memscan(void *addr, int c, size_t size)")
def memscan(kernel: Kernel, addr: int, c: int, size: int) -> int:
    index = _find_byte(kernel, addr, size, re.escape(one_char(c)))
    return addr + (index if index >= 0 else size)


@export("size_t memweight(const void *ptr, size_t bytes)")
def memweight(kernel: Kernel, ptr: int, bytes: int) -> int:
    return int.from_bytes(kernel.memory.read(ptr, bytes), "little").bit_count() if bytes else 0


@export("int check_signature(const volatile void *io_addr, const unsigned char *signature, int length)")
def check_signature(kernel: Kernel, io_addr: int, signature: int, length: int) -> bool:
    return length <= 0 or kernel.memory.read(io_addr, length) == kernel.memory.read(signature, length)


@export("bool mac_pton(const char *s, u8 *mac)")
def mac_pton(kernel: Kernel, s: bytes, mac: int) -> bool:
    match = re.match(b":".join([b"([0-9a-fA-F]{2})"] * 6), s)
    if match is None:
        return False
    kernel.memory.write(mac, bytes(int(digits, 16) for digits in match.groups()))
    return True
