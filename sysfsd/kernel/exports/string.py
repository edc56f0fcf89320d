"""Strings and memory."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.cmdline import SPACE
from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.memory import PAGE_SIZE
from sysfsd.kernel.string_helpers import (
    Escape,
    StringUnits,
    Unescape,
    string_escape_mem,
    string_get_size,
    string_unescape,
)

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel

# A string is declared as ``const char *`` where only its characters matter, and as ``char const *`` where its address
# does or where it need not end with a NUL.
export = Area("string", "lib/string.c, lib/string_helpers.c, lib/argv_split.c, arch/x86/lib/mem*_64.S")

_INT_MAX: Final = (1 << 31) - 1
#: How much is read at a time of memory that nobody knows the end of (bytes).
_CHUNK: Final = 4096

# mov %rdi,%rax; mov %rdx,%rcx; shr $3,%rcx; and $7,%edx; rep movsq; mov %edx,%ecx; rep movsb; ret
export.native("void memcpy(void)", "4889f8 4889d1 48c1e903 83e207 f348a5 89d1 f3a4 c3")
export.native("void __memcpy(void)", "4889f8 4889d1 48c1e903 83e207 f348a5 89d1 f3a4 c3")
# mov %rdi,%r9; movzbl %sil,%esi; movabs $0x0101010101010101,%rax; imul %rsi,%rax; then as above with stosq and stosb,
# and mov %r9,%rax
_MEMSET: Final = "4989f9 400fb6f6 48b80101010101010101 480fafc6 4889d1 48c1e903 83e207 f348ab 89d1 f3aa 4c89c8 c3"
export.native("void memset(void)", _MEMSET)
export.native("void __memset(void)", _MEMSET)
# As memcpy(), unless %rdi-%rsi is below %rdx: then backwards, from lea -1(%rdi,%rdx),%rdi and the like, between std and
# cld.
_MEMMOVE: Final = (
    "4889f8 4889f9 4829f1 4839d1 7212 4889d1 48c1e903 83e207 f348a5 89d1 f3a4 c3"
    "488d7c17ff 488d7416ff 4889d1 fd f3a4 fc c3"
)
export.native("void memmove(void)", _MEMMOVE)
export.native("void __memmove(void)", _MEMMOVE)

# mov $512,%ecx; xor %eax,%eax; rep stosq; ret
for _name in ("clear_page_rep", "clear_page_orig", "clear_page_erms"):
    export.native(f"void {_name}(void)", "b900020000 31c0 f348ab c3")
# mov $512,%ecx; rep movsq; ret
export.native("void copy_page(void)", "b900020000 f348a5 c3")

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


@export("void fortify_panic(const char *name)")
def fortify_panic(kernel: Kernel, name: bytes) -> None:
    kernel.log.pr_emerg(f"detected buffer overflow in {name.decode('latin-1')}")
    kernel.traps.bug_at("lib/string_helpers.c", 1027, "fortify_panic+0xf")


def _string(kernel: Kernel, address: int, limit: int = _INT_MAX) -> bytes:
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
    return _case_difference(_string(kernel, s1), _string(kernel, s2))


@export("int strncasecmp(char const *s1, char const *s2, size_t len)")
def strncasecmp(kernel: Kernel, s1: int, s2: int, len: int) -> int:
    limit = min(len, _INT_MAX)
    a, b = _string(kernel, s1, limit), _string(kernel, s2, limit)
    return _case_difference((a + b"\0")[:limit], (b + b"\0")[:limit], ended=False)


@export("int bcmp(const void *a, const void *b, size_t len)")
def bcmp(kernel: Kernel, a: int, b: int, len: int) -> int:
    if not len:
        return 0
    ours, theirs = kernel.memory.read(a, len), kernel.memory.read(b, len)
    return 0 if ours == theirs else next(x - y for x, y in zip(ours, theirs, strict=True) if x != y)


@export("unsigned long __crypto_memneq(const void *a, const void *b, size_t size)")
def __crypto_memneq(kernel: Kernel, a: int, b: int, size: int) -> bool:
    return bool(size) and kernel.memory.read(a, size) != kernel.memory.read(b, size)


@export("void __crypto_xor(u8 *dst, const u8 *src1, const u8 *src2, unsigned int len)")
def __crypto_xor(kernel: Kernel, dst: int, src1: int, src2: int, len: int) -> None:
    a, b = (int.from_bytes(kernel.memory.read(source, len), "little") for source in (src1, src2))
    kernel.memory.write(dst, (a ^ b).to_bytes(len, "little"))


# Copying


def _put(kernel: Kernel, dest: int, text: bytes) -> None:
    """A string and its NUL."""
    kernel.memory.write(dest, text + b"\0")


@export("char *stpcpy(char *dest, char const *src)")
def stpcpy(kernel: Kernel, dest: int, src: int) -> int:
    text = _string(kernel, src)
    _put(kernel, dest, text)
    return dest + len(text)


@export("char *strncpy(char *p, char const *q, size_t size)")
def strncpy(kernel: Kernel, p: int, q: int, size: int) -> int:
    if size:
        kernel.memory.write(p, _string(kernel, q, size).ljust(size, b"\0"))
    return p


@export("size_t strlcpy(char *p, char const *q, size_t size)")
def strlcpy(kernel: Kernel, p: int, q: int, size: int) -> int:
    text = _string(kernel, q)
    if size:
        _put(kernel, p, text[: size - 1])
    return len(text)


def _strscpy(kernel: Kernel, dest: int, src: int, count: int) -> int:
    """``strscpy()``.

    As long as there is room for eight bytes it copies eight at a time, zeros behind the NUL.

    :raises OSError: E2BIG for a string that is cut
    """
    if count == 0 or count > _INT_MAX:
        if count:
            kernel.traps.warn_at("lib/string.c", 181, site="strscpy+0xd7", once=True)
        raise err(errno.E2BIG)
    text = _string(kernel, src, count)
    if len(text) == count:
        _put(kernel, dest, text[:-1])
        raise err(errno.E2BIG)
    by_words = min(count, PAGE_SIZE - src % PAGE_SIZE) if src % 8 else count
    filled = len(text) // 8 * 8 + 8
    size = filled if filled <= by_words else len(text) + 1
    kernel.memory.write(dest, text.ljust(size, b"\0"))
    return len(text)


@export("ssize_t strscpy(char *p, char const *q, size_t size)")
def strscpy(kernel: Kernel, p: int, q: int, size: int) -> int:
    return _strscpy(kernel, p, q, size)


@export("ssize_t strscpy_pad(char *dest, char const *src, size_t count)")
def strscpy_pad(kernel: Kernel, dest: int, src: int, count: int) -> int:
    written = _strscpy(kernel, dest, src, count)
    kernel.memory.write(dest + written, bytes(count - written))
    return written


@export("char *strcat(char *p, char const *q)")
def strcat(kernel: Kernel, p: int, q: int) -> int:
    _put(kernel, p + len(_string(kernel, p)), _string(kernel, q))
    return p


@export("char *strncat(char *p, char const *q, size_t count)")
def strncat(kernel: Kernel, p: int, q: int, count: int) -> int:
    if count:
        _put(kernel, p + len(_string(kernel, p)), _string(kernel, q, count))
    return p


@export("size_t strlcat(char *dest, char const *src, size_t count)")
def strlcat(kernel: Kernel, dest: int, src: int, count: int) -> int:
    there, text = len(_string(kernel, dest)), _string(kernel, src)
    if there >= count:
        kernel.traps.bug_at("lib/string.c", 337, "strlcat+0x73")
    _put(kernel, dest + there, text[: count - there - 1])
    return there + len(text)


@export("void memcpy_and_pad(void *dest, size_t dest_len, const void *src, size_t count, int pad)")
def memcpy_and_pad(kernel: Kernel, dest: int, dest_len: int, src: int, count: int, pad: int) -> None:
    size = min(dest_len, count)
    data = kernel.memory.read(src, size) if size else b""
    kernel.memory.write(dest, data.ljust(dest_len, bytes([pad & 0xFF])))


# Searching


def _char(c: int) -> bytes:
    return bytes((c & 0xFF,))


def _found(start: int, index: int) -> int:
    """An address in a string, NULL where nothing was found."""
    return start + index if index >= 0 else 0


@export("char *strrchr(char const *s, int c)")
def strrchr(kernel: Kernel, s: int, c: int) -> int:
    return _found(s, (_string(kernel, s) + b"\0").rfind(_char(c)))


@export("char *strchrnul(char const *s, int c)")
def strchrnul(kernel: Kernel, s: int, c: int) -> int:
    text = _string(kernel, s)
    index = text.find(_char(c))
    return s + (index if index >= 0 else len(text))


@export("char *strnchr(char const *s, size_t count, int c)")
def strnchr(kernel: Kernel, s: int, count: int, c: int) -> int:
    text = _string(kernel, s, min(count, _INT_MAX))
    if len(text) < count:
        text += b"\0"
    return _found(s, text.find(_char(c)))


@export("char *strstr(char const *s1, const char *s2)")
def strstr(kernel: Kernel, s1: int, s2: bytes) -> int:
    return _found(s1, _string(kernel, s1).find(s2)) if s2 else s1


@export("char *strnstr(char const *s1, const char *s2, size_t len)")
def strnstr(kernel: Kernel, s1: int, s2: bytes, length: int) -> int:
    if not s2:
        return s1
    if length < len(s2):
        return 0
    return _found(s1, _string(kernel, s1, min(length, _INT_MAX)).find(s2))


def _span(text: bytes, chars: bytes, accept: bool) -> int:
    """How many characters at the beginning are among *chars*, or are not."""
    return next((i for i, c in enumerate(text) if (c in chars) is not accept), len(text))


@export("size_t strspn(const char *s, const char *accept)")
def strspn(kernel: Kernel, s: bytes, accept: bytes) -> int:
    return _span(s, accept, True)


@export("size_t strcspn(const char *s, const char *reject)")
def strcspn(kernel: Kernel, s: bytes, reject: bytes) -> int:
    return _span(s, reject, False)


@export("char *strpbrk(char const *cs, const char *ct)")
def strpbrk(kernel: Kernel, cs: int, ct: bytes) -> int:
    text = _string(kernel, cs)
    index = _span(text, ct, False)
    return cs + index if index < len(text) else 0


@export("char *strsep(char **s, const char *ct)")
def strsep(kernel: Kernel, s: int, ct: bytes) -> int:
    start = kernel.memory.read_pointer(s)
    if not start:
        return 0
    text = _string(kernel, start)
    index = _span(text, ct, False)
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
    return _found(p, _find_byte(kernel, p, size, re.escape(_char(c))))


@export("void *memchr_inv(const void *p, int c, size_t size)")
def memchr_inv(kernel: Kernel, p: int, c: int, size: int) -> int:
    return _found(p, _find_byte(kernel, p, size, b"[^\\x%02x]" % (c & 0xFF)))


@export("void *memscan(void *addr, int c, size_t size)")
def memscan(kernel: Kernel, addr: int, c: int, size: int) -> int:
    index = _find_byte(kernel, addr, size, re.escape(_char(c)))
    return addr + (index if index >= 0 else size)


@export("size_t memweight(const void *ptr, size_t bytes)")
def memweight(kernel: Kernel, ptr: int, bytes: int) -> int:
    return int.from_bytes(kernel.memory.read(ptr, bytes), "little").bit_count() if bytes else 0


@export("int check_signature(const volatile void *io_addr, const unsigned char *signature, int length)")
def check_signature(kernel: Kernel, io_addr: int, signature: int, length: int) -> bool:
    return length <= 0 or kernel.memory.read(io_addr, length) == kernel.memory.read(signature, length)


# White space, lines, words


@export("char *skip_spaces(char const *str)")
def skip_spaces(kernel: Kernel, str: int) -> int:
    return str + _span(_string(kernel, str), SPACE, True)


@export("char *strim(char *s)")
def strim(kernel: Kernel, s: int) -> int:
    text = _string(kernel, s)
    stripped = text.rstrip(SPACE)
    if text:
        kernel.memory.write_int(s + len(stripped), 0, 1)
    return s + _span(stripped, SPACE, True)


@export("char *strreplace(char *s, char old, char new)")
def strreplace(kernel: Kernel, s: int, old: int, new: int) -> int:
    """:returns: the end of the string"""
    text = _string(kernel, s)
    if text:
        kernel.memory.write(s, text.replace(_char(old), _char(new)))
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
        strings.append(_string(kernel, item))
    return strings


@export("int match_string(const char *const *array, size_t n, char const *string)")
def match_string(kernel: Kernel, array: int, n: int, string: int) -> int:
    strings = _strings(kernel, array, n)
    wanted = _string(kernel, string) if strings else b""
    if wanted in strings:
        return strings.index(wanted)
    raise err(errno.EINVAL)


@export("int __sysfs_match_string(const char *const *array, size_t n, char const *str)")
def __sysfs_match_string(kernel: Kernel, array: int, n: int, str: int) -> int:
    strings = _strings(kernel, array, n)
    wanted = _string(kernel, str) if strings else b""
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


@export("void kfree_strarray(char **array, size_t n)")
def kfree_strarray(kernel: Kernel, array: int, n: int) -> None:
    if array:
        for i in range(n):
            kernel.slab.kfree(kernel.memory.read_pointer(array + 8 * i))
        kernel.slab.kfree(array)


@export("bool mac_pton(const char *s, u8 *mac)")
def mac_pton(kernel: Kernel, s: bytes, mac: int) -> bool:
    match = re.match(b":".join([b"([0-9a-fA-F]{2})"] * 6), s)
    if match is None:
        return False
    kernel.memory.write(mac, bytes(int(digits, 16) for digits in match.groups()))
    return True


# Sizes and escapes


@export("void string_get_size(u64 size, u64 blk_size, const enum string_size_units units, char *buf, int len)")
def string_get_size_(kernel: Kernel, size: int, blk_size: int, units: int, buf: int, len: int) -> None:
    if len > 0:
        _put(kernel, buf, string_get_size(size, blk_size, StringUnits(units)).encode()[: len - 1])


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
    out = string_unescape(_string(kernel, src), size, Unescape(flags))
    _put(kernel, dst, out)
    return len(out)
