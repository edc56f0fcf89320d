"""Debug messages that users turn on and off, one by one (lib/dynamic_debug.c).

Each place that has such a message is a ``struct _ddebug`` of its module. Those of the kernel proper are not here.
"""

from __future__ import annotations

import ctypes
import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from sysfsd.linux.arch.x86.alternative import jump_label_update
from sysfsd.linux.err import err
from sysfsd.linux.lib.kstrtox import INT_TYPES, kstrto
from sysfsd.linux.lib.parser import match_wildcard
from sysfsd.linux.lib.string_helpers import Escape, Unescape, string_escape_mem, string_unescape

if TYPE_CHECKING:
    from sysfsd.linux.kernel.module.module import Module
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["DynamicDebug"]

_PRINT: Final = 1
#: ``opt_array``: the flags, and how users write them.
_FLAGS: Final = {b"p": _PRINT, b"m": 2, b"f": 4, b"l": 8, b"t": 16, b"_": 0}
#: ``_DPRINTK_CLASS_DFLT``: of a message that is in no class.
_CLASS_DFLT: Final = 63
_MAXWORDS: Final = 9
_COMMAND_MAX: Final = 4095
_UINT_MAX: Final = (1 << 32) - 1
#: ``isspace()``.
_SPACES: Final = b" \t\n\v\f\r\xa0"


class _Table(NamedTuple):
    """``struct ddebug_table``: the messages of a module, and its classes of them: names by number."""

    mod: Module
    sites: list[StructView]
    classes: list[dict[bytes, int]]


class _Query:
    """``struct ddebug_query``: which messages are meant; None: any."""

    def __init__(self) -> None:
        self.filename: bytes | None = None
        self.module: bytes | None = None
        self.function: bytes | None = None
        self.format: bytes | None = None
        self.class_string: bytes | None = None
        self.first_lineno = self.last_lineno = 0

    def matches(self, site: StructView) -> bool:
        """Whether a message of the right module and class is meant."""
        filename, line = site.string("filename"), site["lineno"]
        if self.filename is not None and not (
            match_wildcard(self.filename, filename) or match_wildcard(self.filename, filename.rpartition(b"/")[2])
        ):
            return False
        if self.function is not None and not match_wildcard(self.function, site.string("function")):
            return False
        if self.format is not None:
            text = site.string("format")
            if not (text.startswith(self.format[1:]) if self.format.startswith(b"^") else self.format in text):
                return False
        return line >= self.first_lineno and (not self.last_lineno or line <= self.last_lineno)


class DynamicDebug:
    """All messages of one kernel's modules."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._tables: list[_Table] = []

    # Modules

    def add_module(self, mod: Module) -> None:
        """``ddebug_add_module()``."""
        sites = self._section(mod, "__dyndbg", "_ddebug")
        if not sites:
            return
        classes: list[dict[bytes, int]] = []
        for view in self._section(mod, "__dyndbg_classes", "ddebug_class_map"):
            if view.string("mod_name") == mod.name.encode("latin-1"):
                names = view["class_names"]
                strings = (self._kernel.memory.read_pointer(names + 8 * i) for i in range(min(view["length"], 64)))
                classes.append({self._kernel.memory.read_string(s): view["base"] + i for i, s in enumerate(strings)})
        self._tables.append(_Table(mod, sites, classes[::-1]))
        if self.verbose >= 1:
            self._info(f"{len(sites):3d} debug prints in module {mod.name}")

    def _section(self, mod: Module, name: str, struct: str) -> list[StructView]:
        section = mod.section(name)
        if section is None:
            return []
        size = self._kernel.image.structs[struct].size
        return [
            self._kernel.struct(struct, section.address + offset)
            for offset in range(0, section.size - section.size % size, size)
        ]

    def remove_module(self, mod: Module) -> None:
        """``ddebug_remove_module()``."""
        self._tables = [table for table in self._tables if table.mod is not mod]

    def module_param(self, param: str, val: bytes | None, mod: Module) -> bool:
        """``ddebug_dyndbg_module_param_cb()``: a parameter that its module does not know.

        :returns: whether it was for us; what is wrong with it does not keep the module from being loaded
        """
        name, dot, rest = param.partition(".")
        if (rest if dot else name) != "dyndbg":
            return False
        with suppress(OSError):
            self.exec_queries(b"+p" if val is None else val, (name if dot else mod.name).encode("latin-1"))
        return True

    # The control file

    def control(self) -> bytes:
        """``ddebug_proc_show()`` of all messages."""
        lines = [b"# filename:lineno [module]function flags format\n"]
        for table in self._tables:
            for site in reversed(table.sites):
                flags = _describe_flags(site["flags"])
                text = string_escape_mem(site.string("format"), Escape.SPACE, b'\t\r\n"')
                where = b"%s:%d [%s]%s" % (
                    site.string("filename"),
                    site["lineno"],
                    table.mod.name.encode("latin-1"),
                    site.string("function"),
                )
                lines.append(b'%s =%s "%s"%s\n' % (where, flags, text, _class_of(table, site["class_id"])))
        return b"".join(lines)

    def write(self, data: bytes) -> int:
        """``ddebug_proc_write()``.

        :raises OSError: E2BIG, EINVAL
        """
        if len(data) > _COMMAND_MAX:
            self._kernel.log.pr_warn(f"dyndbg: expected <{_COMMAND_MAX + 1} bytes into control")
            raise err(errno.E2BIG)
        if data:
            if self.verbose >= 2:
                self._info(f"read {len(data)} bytes from userspace")
            self.exec_queries(data.split(b"\0", 1)[0], None)
        return len(data)

    # Queries

    @property
    def verbose(self) -> int:
        """The parameter ``dynamic_debug.verbose``: how much is said about it all."""
        return int(self._kernel.image.builtin_modules["dynamic_debug"].parameters["verbose"].value)

    def _info(self, text: str) -> None:
        self._kernel.log.pr_info(f"dyndbg: {text}")

    def _detail(self, text: str) -> None:
        if self.verbose >= 3:
            self._info(text)

    def _wrong(self, text: str) -> OSError:
        self._kernel.log.pr_err(f"dyndbg: {text}")
        return err(errno.EINVAL)

    def exec_queries(self, queries: bytes, modname: bytes | None) -> int:
        """``ddebug_exec_queries()``: each of several, whatever becomes of those before it.

        :param modname: whose messages are meant where that is not said
        :returns: how many messages were meant
        :raises OSError: EINVAL if one could not be understood
        """
        found = count = failed = 0
        for part in re.split(b"[;\n]", queries):
            query = part.lstrip(_SPACES)
            if not query or query.startswith(b"#"):
                continue
            if self.verbose >= 1:
                self._info(f'query {count}: "{query.decode("latin-1")}" mod:{(modname or b"*").decode("latin-1")}')
            try:
                found += self._exec_query(query, modname)
            except OSError:
                failed += 1
            count += 1
        if count and self.verbose >= 2:
            self._info(f"processed {count} queries, with {found} matches, {failed} errs")
        if failed:
            raise err(errno.EINVAL)
        return found

    def _exec_query(self, text: bytes, modname: bytes | None) -> int:
        """``ddebug_exec_query()``: pairs of a keyword and its value, then what to do with the flags."""
        with self._step("tokenize failed"):
            words = self._tokenize(text)
        with self._step("flags parse failed"):
            flags, mask = self._parse_flags(words[-1])
        with self._step("query parse failed"):
            query = self._parse_query(words[:-1], modname)
        self._say_query("parsed", query)
        found = self._change(query, flags, mask)
        self._say_query("applied" if found else "no-match", query)
        return found

    @contextmanager
    def _step(self, failed: str) -> Iterator[None]:
        try:
            yield
        except OSError:
            raise self._wrong(failed) from None

    def _say_query(self, what: str, query: _Query) -> None:
        """``vpr_info_dq()``."""
        if self.verbose < 3:
            return
        shown = {
            "func": query.function,
            "file": query.filename,
            "module": query.module,
            "format": query.format.rstrip(b"\n") if query.format else None,
        }
        text = " ".join(f'{name}="{(value or b"").decode("latin-1")}"' for name, value in shown.items())
        class_string = "(null)" if query.class_string is None else query.class_string.decode("latin-1")
        self._info(f"{what}: {text} lineno={query.first_lineno}-{query.last_lineno} class={class_string}")

    def _tokenize(self, text: bytes) -> list[bytes]:
        """``ddebug_tokenize()``: words, of which those in quotes may have spaces in them."""
        words: list[bytes] = []
        while (text := text.lstrip(_SPACES)) and not text.startswith(b"#"):
            quote = text[:1]
            if quote in (b'"', b"'"):
                word, closing, rest = text[1:].partition(quote)
                if not closing:
                    raise self._wrong(f"unclosed quote: {word.decode('latin-1')}")
            else:
                word, rest = re.match(rb"([^ \t\n\v\f\r\xa0]*).?(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
            if len(words) == _MAXWORDS:
                raise self._wrong(f"too many words, legal max <={_MAXWORDS}")
            words.append(word)
            text = rest
        if self.verbose >= 3:
            self._info("split into words:" + "".join(f' "{word.decode("latin-1")}"' for word in words))
        return words

    def _parse_flags(self, word: bytes) -> tuple[int, int]:
        """``ddebug_parse_flags()``.

        :returns: the flags to set, and a mask of those that stay
        """
        operation, letters = word[:1], word[1:]
        if operation not in (b"+", b"-", b"="):
            shown = operation.decode("latin-1") or "\0"
            raise self._wrong(f"bad flag-op {shown}, at start of {word.decode('latin-1')}")
        self._detail(f"op='{operation.decode()}'")
        flags = 0
        for letter in (letters[i : i + 1] for i in range(len(letters))):
            if letter not in _FLAGS:
                raise self._wrong(f"unknown flag '{letter.decode('latin-1')}'")
            flags |= _FLAGS[letter]
        self._detail(f"flags=0x{flags:x}")
        flags, mask = {b"=": (flags, 0), b"+": (flags, _UINT_MAX), b"-": (0, _UINT_MAX & ~flags)}[operation]
        self._detail(f"*flagsp=0x{flags:x} *maskp=0x{mask:x}")
        return flags, mask

    def _parse_query(self, words: list[bytes], modname: bytes | None) -> _Query:
        """``ddebug_parse_query()``."""
        if len(words) % 2:
            raise self._wrong("expecting pairs of match-spec <value>")
        query = _Query()
        for keyword, value in zip(words[::2], words[1::2], strict=True):
            match keyword:
                case b"func":
                    self._set(query, "function", value, "func")
                case b"file":
                    name, colon, tail = value.partition(b":")
                    self._set(query, "filename", name, "file")
                    if colon and re.match(rb"[A-Za-z\xaa\xb5\xba\xc0-\xd6\xd8-\xf6\xf8-\xff*?]", tail):
                        self._set(query, "function", tail, "func")
                    elif colon:
                        self._parse_linerange(query, tail)
                case b"module":
                    self._set(query, "module", value, "module")
                case b"format":
                    flags = Unescape.SPACE | Unescape.OCTAL | Unescape.SPECIAL
                    self._set(query, "format", string_unescape(value, len(value) + 1, flags), "format")
                case b"line":
                    self._parse_linerange(query, value)
                case b"class":
                    self._set(query, "class_string", value, "class")
                case _:
                    raise self._wrong(f'unknown keyword "{keyword.decode("latin-1")}"')
        if query.module is None:
            query.module = modname
        return query

    def _set(self, query: _Query, field: str, value: bytes, name: str) -> None:
        """``check_set()``."""
        before: bytes | None = getattr(query, field)
        if before is not None:
            raise self._wrong(
                f"match-spec:{name} val:{before.decode('latin-1')} overridden by {value.decode('latin-1')}"
            )
        setattr(query, field, value)

    def _parse_linerange(self, query: _Query, text: bytes) -> None:
        """``parse_linerange()``: ``10``, ``10-``, ``-20`` or ``10-20``."""
        if query.first_lineno or query.last_lineno:
            raise self._wrong("match-spec: line used 2x")
        first, dash, last = text.partition(b"-")
        query.first_lineno = query.last_lineno = self._lineno(first)
        if dash:
            query.last_lineno = self._lineno(last) or _UINT_MAX
            if query.last_lineno < query.first_lineno:
                raise self._wrong(f"last-line:{query.last_lineno} < 1st-line:{query.first_lineno}")
        self._detail(f"parsed line {query.first_lineno}-{ctypes.c_int32(query.last_lineno).value}")

    def _lineno(self, text: bytes) -> int:
        try:
            return kstrto(INT_TYPES["uint"], text, 10) if text else 0
        except OSError:
            raise self._wrong(f"bad line-number: {text.decode('latin-1')}") from None

    def _meant(self, query: _Query) -> Iterator[tuple[_Table, StructView]]:
        for table in self._tables:
            if query.module is not None and not match_wildcard(query.module, table.mod.name.encode("latin-1")):
                continue
            class_id: int | None = _CLASS_DFLT
            if query.class_string is not None:
                class_id = next(
                    (names[query.class_string] for names in table.classes if query.class_string in names), None
                )
            for site in table.sites:
                if site["class_id"] == class_id and query.matches(site):
                    yield table, site

    def _change(self, query: _Query, flags: int, mask: int) -> int:
        """``ddebug_change()``.

        :returns: how many messages were meant
        """
        found = 0
        for table, site in self._meant(query):
            found += 1
            before = site["flags"]
            after = before & mask | flags
            if after == before:
                continue
            if (before ^ after) & _PRINT:
                enabled = bool(after & _PRINT)
                site["key.dd_key_true.key.enabled.counter"] = int(enabled)
                jump_label_update(self._kernel, site.at("key"), enabled)
            if self.verbose >= 4:
                where = f"{site.string('filename').decode('latin-1')}:{site['lineno']} [{table.mod.name}]"
                change = b"%s => %s" % (_describe_flags(before), _describe_flags(after))
                self._info(f"changed {where}{site.string('function').decode('latin-1')} {change.decode()}")
            site["flags"] = after
        if not found and self.verbose:
            self._info("no matches for query")
        return found


def _describe_flags(flags: int) -> bytes:
    """``ddebug_describe_flags()``."""
    return b"".join(letter for letter, flag in _FLAGS.items() if flags & flag) or b"_"


def _class_of(table: _Table, class_id: int) -> bytes:
    """What a line of the control file says about a message's class."""
    if class_id == _CLASS_DFLT:
        return b""
    for names in table.classes:
        for name, number in names.items():
            if number == class_id:
                return b" class:" + name
    return b" class unknown, _id:%d" % class_id
