"""A module's file, read and checked (include/linux/elf.h; kernel/module/main.c, elf_validity_check()).

The image is hostile. What the kernel checks is checked here in its order and with its words; what it leaves unchecked
and would read or write out of bounds (a name, a symbol, a relocation's place) is an ENOEXEC here.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from elftools.elf.constants import SH_FLAGS, SHN_INDICES
from elftools.elf.enums import ENUM_E_MACHINE, ENUM_E_TYPE, ENUM_SH_TYPE_BASE, ENUM_ST_INFO_BIND, ENUM_ST_INFO_TYPE

from sysfsd.linux.err import err

__all__ = ["Elf", "Section", "Symbol"]

SHF_WRITE: Final[int] = SH_FLAGS.SHF_WRITE
SHF_ALLOC: Final[int] = SH_FLAGS.SHF_ALLOC
SHF_EXECINSTR: Final[int] = SH_FLAGS.SHF_EXECINSTR
SHT_NULL: Final[int] = ENUM_SH_TYPE_BASE["SHT_NULL"]
SHT_SYMTAB: Final[int] = ENUM_SH_TYPE_BASE["SHT_SYMTAB"]
SHT_RELA: Final[int] = ENUM_SH_TYPE_BASE["SHT_RELA"]
SHT_REL: Final[int] = ENUM_SH_TYPE_BASE["SHT_REL"]
SHT_NOBITS: Final[int] = ENUM_SH_TYPE_BASE["SHT_NOBITS"]
SHT_NOTE: Final[int] = ENUM_SH_TYPE_BASE["SHT_NOTE"]
SHN_UNDEF: Final[int] = SHN_INDICES.SHN_UNDEF
SHN_LORESERVE: Final[int] = SHN_INDICES.SHN_LORESERVE
SHN_ABS: Final = 0xFFF1
SHN_COMMON: Final = 0xFFF2
STB_WEAK: Final[int] = ENUM_ST_INFO_BIND["STB_WEAK"]
STT_OBJECT: Final[int] = ENUM_ST_INFO_TYPE["STT_OBJECT"]
ET_REL: Final[int] = ENUM_E_TYPE["ET_REL"]
EM_X86_64: Final[int] = ENUM_E_MACHINE["EM_X86_64"]

# The kernel looks at neither the class nor the byte order that the file claims to have.
#: e_type, e_machine, e_shoff, e_shentsize, e_shnum, e_shstrndx.
_EHDR: Final = struct.Struct("<16xHH20xQ10xHHH")
_SHDR: Final = struct.Struct("<IIQQQQIIQQ")
#: ``Elf64_Sym``, in the order of :class:`Symbol`.
SYM: Final = struct.Struct("<IBBHQQ")
_RELA: Final = struct.Struct("<QQq")


@dataclass(slots=True)
class Section:
    """A section header (``Elf64_Shdr``); the loader rewrites ``flags``, ``addr`` and ``entsize`` as it goes."""

    index: int
    name: str
    type: int
    flags: int
    addr: int
    offset: int
    size: int
    link: int
    info: int
    addralign: int
    entsize: int

    @property
    def alloc(self) -> bool:
        return bool(self.flags & SHF_ALLOC)

    @property
    def executable(self) -> bool:
        return bool(self.flags & SHF_EXECINSTR)

    @property
    def loaded(self) -> bool:
        """The opposite of ``sect_empty()``."""
        return self.alloc and self.size != 0


class Symbol(NamedTuple):
    """``Elf64_Sym``."""

    name: int
    info: int
    other: int
    shndx: int
    value: int
    size: int

    @property
    def bind(self) -> int:
        return self.info >> 4

    @property
    def type(self) -> int:
        return self.info & 0xF


class Elf:
    """The image of one module, checked.

    :param image: the bytes of the .ko, without an appended signature
    :param pr_err: where the kernel says what is wrong
    :raises OSError: ENOEXEC
    """

    def __init__(self, image: bytes, pr_err: Callable[[str], None]) -> None:
        self.image = image
        self._pr_err = pr_err
        self.shstrndx = 0
        self.sections: list[Section] = []
        self._check_header()
        self._check_sections()

    def _no_exec(self, message: str) -> OSError:
        self._pr_err(message)
        return err(errno.ENOEXEC)

    def _check_header(self) -> None:
        image = self.image
        if len(image) < _EHDR.size:
            raise self._no_exec(f"Invalid ELF header len {len(image)}")
        if image[:4] != b"\x7fELF":
            raise self._no_exec("Invalid ELF header magic: != \x7fELF")
        e_type, e_machine, shoff, shentsize, shnum, shstrndx = _EHDR.unpack_from(image)
        if e_type != ET_REL:
            raise self._no_exec(f"Invalid ELF header type: {e_type} != {ET_REL}")
        if e_machine != EM_X86_64:
            raise self._no_exec(f"Invalid architecture in ELF header: {e_machine}")
        if shentsize != _SHDR.size:
            raise self._no_exec("Invalid ELF section header size")
        if shoff >= len(image) or shnum * _SHDR.size > len(image) - shoff:
            raise self._no_exec("Invalid ELF section header overflow")
        if shstrndx == SHN_UNDEF or shstrndx >= shnum:
            raise self._no_exec(
                f"Invalid ELF section name index: {shstrndx} || e_shstrndx ({shstrndx}) >= e_shnum ({shnum})"
            )
        self.shstrndx = shstrndx
        table = image[shoff : shoff + shnum * _SHDR.size]
        self._names = [header[0] for header in _SHDR.iter_unpack(table)]
        self.sections = [Section(i, "", *header[1:]) for i, header in enumerate(_SHDR.iter_unpack(table))]

    def _within_image(self, section: Section) -> bool:
        """``validate_section_offset()``."""
        return section.offset + section.size <= len(self.image)

    def _check_sections(self) -> None:
        names = self.sections[self.shstrndx]
        if not self._within_image(names):
            raise self._no_exec(f"Invalid ELF section hdr(type {names.type})")
        if names.size == 0:
            raise self._no_exec("empty section name table")
        strings = self.image[names.offset : names.offset + names.size]
        if strings[-1]:
            raise self._no_exec("ELF Spec violation: section name table isn't null terminated")
        null = self.sections[0]
        if null.type != SHT_NULL or null.size != 0 or null.addr != 0:
            raise self._no_exec(f"ELF Spec violation: section 0 type({null.type})!=SH_NULL or non-zero len or addr")
        for section, name in zip(self.sections[1:], self._names[1:], strict=True):
            if name < len(strings):
                section.name = strings[name : strings.index(b"\0", name)].decode("latin-1")
            if section.type in (SHT_NULL, SHT_NOBITS):
                continue
            if section.type == SHT_SYMTAB and not SHN_UNDEF < section.link < len(self.sections):
                raise self._no_exec(
                    f"Invalid ELF sh_link!=SHN_UNDEF({section.link}) or "
                    f"(sh_link({section.link}) >= hdr->e_shnum({len(self.sections)})"
                )
            if not self._within_image(section):
                raise self._no_exec(f"Invalid ELF section in module (section {section.index} type {section.type})")
            if section.alloc and name >= len(strings):
                raise self._no_exec(f"Invalid ELF section name in module (section {section.index} type {section.type})")

    # What the loader reads

    def find_sec(self, name: str) -> Section:
        """The loadable section *name*; the empty section 0 where there is none."""
        for section in self.sections[1:]:
            if section.alloc and section.name == name:
                return section
        return self.sections[0]

    def data(self, section: Section) -> bytes:
        """The section's bytes in the file."""
        if section.type == SHT_NOBITS:
            return b""
        return self.image[section.offset : section.offset + section.size]

    def symbols(self, section: Section) -> list[Symbol]:
        """A symbol table, whole."""
        data = self.data(section)
        return [Symbol(*row) for row in SYM.iter_unpack(data[: len(data) - len(data) % SYM.size])]

    def relocations(self, section: Section) -> Iterator[tuple[int, int, int]]:
        """The entries of a SHT_RELA section: ``r_offset``, ``r_info``, ``r_addend``."""
        data = self.data(section)
        return _RELA.iter_unpack(data[: len(data) - len(data) % _RELA.size])

    def string_size(self, section: Section, offset: int) -> int:
        """The room that the string at *offset* of a string table takes, with its NUL.

        :raises OSError: ENOEXEC where it does not lie within the table
        """
        start = section.offset + offset
        if offset < section.size and section.type != SHT_NOBITS:
            end = self.image.find(b"\0", start, section.offset + section.size)
            if end >= 0:
                return end + 1 - start
        raise err(errno.ENOEXEC)

    def string(self, section: Section, offset: int) -> bytes:
        """The string at *offset* of a string table, without its NUL.

        :raises OSError: ENOEXEC where it does not lie within the table
        """
        start = section.offset + offset
        return self.image[start : start + self.string_size(section, offset) - 1]
