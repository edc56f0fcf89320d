"""A module's file: elf_validity_check() of kernel/module/main.c, and what pyelftools sees in it."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from sysfsd.linux.kernel.module.elf import Elf
from tests.linux.ko import MODULES, SAMPLES, Ko

SOUND = sorted(SAMPLES.glob("*.ko")) + [path.with_suffix(".ko") for path in sorted(MODULES.glob("*.c"))]


def refusal(image: bytes) -> str:
    """What the kernel says of an image that it refuses."""
    said: list[str] = []
    with pytest.raises(OSError) as caught:
        Elf(image, said.append)
    assert caught.value.errno == errno.ENOEXEC
    (message,) = said
    return message


def sound(ko: Ko) -> Elf:
    said: list[str] = []
    elf = Elf(bytes(ko), said.append)
    assert said == []
    return elf


# Read as pyelftools does


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_sections_are_those_that_pyelftools_sees(path: Path) -> None:
    image = path.read_bytes()
    elf, other = Elf(image, print), ELFFile(io.BytesIO(image))
    assert len(elf.sections) == other.num_sections()
    for mine, theirs in zip(elf.sections, other.iter_sections(), strict=True):
        assert mine.name == theirs.name
        header = theirs.header
        assert (mine.flags, mine.addr, mine.offset, mine.size, mine.link, mine.info, mine.addralign, mine.entsize) == (
            header.sh_flags,
            header.sh_addr,
            header.sh_offset,
            header.sh_size,
            header.sh_link,
            header.sh_info,
            header.sh_addralign,
            header.sh_entsize,
        )
        if header.sh_type != "SHT_NOBITS":
            assert elf.data(mine) == theirs.data()


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_symbols_are_those_that_pyelftools_sees(path: Path) -> None:
    image = path.read_bytes()
    elf, other = Elf(image, print), ELFFile(io.BytesIO(image))
    table = next(section for section in elf.sections if section.type == 2)
    symtab = other.get_section(table.index)
    assert isinstance(symtab, SymbolTableSection)
    strings = elf.sections[table.link]
    mine = [(elf.string(strings, symbol.name), symbol.value, symbol.size) for symbol in elf.symbols(table)]
    theirs = [
        (symbol.name.encode() if symbol.entry.st_name else b"", symbol.entry.st_value, symbol.entry.st_size)
        for symbol in symtab.iter_symbols()
        if symbol.entry.st_info.type != "STT_SECTION"
    ]
    kinds = [symbol.type for symbol in elf.symbols(table)]
    assert [row for row, kind in zip(mine, kinds, strict=True) if kind != 3] == theirs


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_relocations_are_those_that_pyelftools_sees(path: Path) -> None:
    image = path.read_bytes()
    elf, other = Elf(image, print), ELFFile(io.BytesIO(image))
    for section in elf.sections:
        if section.type == 4:
            table = other.get_section(section.index)
            assert isinstance(table, RelocationSection)
            assert list(elf.relocations(section)) == [
                (r.entry.r_offset, r.entry.r_info, r.entry.r_addend) for r in table.iter_relocations()
            ]


# The header


@pytest.mark.parametrize("length", [0, 1, 28, 63])
def test_less_than_a_header_is_refused(length: int) -> None:
    assert refusal(bytes(Ko("versions"))[:length]) == f"Invalid ELF header len {length}"


def test_the_magic_is_checked() -> None:
    assert refusal(bytes(Ko("versions").put(0, "B", 0))).startswith("Invalid ELF header magic: != ")


@pytest.mark.parametrize("kind", [0, 2, 3, 4, 0xFFFF])
def test_only_relocatable_files_are_modules(kind: int) -> None:
    assert refusal(bytes(Ko("versions").put(16, "H", kind))) == f"Invalid ELF header type: {kind} != 1"


@pytest.mark.parametrize("machine", [0, 3, 183, 0xFFFF])
def test_only_x86_64_is_this_architecture(machine: int) -> None:
    assert refusal(bytes(Ko("versions").put(18, "H", machine))) == f"Invalid architecture in ELF header: {machine}"


@pytest.mark.parametrize("size", [0, 40, 63, 65, 0xFFFF])
def test_section_headers_have_one_size(size: int) -> None:
    assert refusal(bytes(Ko("versions").put(58, "H", size))) == "Invalid ELF section header size"


@pytest.mark.parametrize("place", [1 << 20, (1 << 63), (1 << 64) - 1])
def test_section_headers_lie_in_the_file(place: int) -> None:
    assert refusal(bytes(Ko("versions").put(40, "Q", place))) == "Invalid ELF section header overflow"


def test_all_section_headers_lie_in_the_file() -> None:
    assert refusal(bytes(Ko("versions").put(60, "H", 0xFFFF))) == "Invalid ELF section header overflow"


@pytest.mark.parametrize("index", [0, 34, 0xFFFF])
def test_the_index_of_the_section_names_is_checked(index: int) -> None:
    expected = f"Invalid ELF section name index: {index} || e_shstrndx ({index}) >= e_shnum (34)"
    assert refusal(bytes(Ko("versions").put(62, "H", index))) == expected


@pytest.mark.parametrize("at", [4, 5, 6, 7, 8, 15, 20, 24, 32, 48, 52, 54, 56])
@pytest.mark.parametrize("value", [0, 0x7F, 0xFF])
def test_what_the_kernel_does_not_look_at_does_not_matter(at: int, value: int) -> None:
    sound(Ko("versions").put(at, "B", value))


# The sections


def test_the_section_names_lie_in_the_file() -> None:
    assert refusal(bytes(Ko("versions").set(".shstrtab", offset=1 << 40))) == "Invalid ELF section hdr(type 3)"


def test_the_section_names_end_with_a_nul() -> None:
    expected = "ELF Spec violation: section name table isn't null terminated"
    assert refusal(bytes(Ko("section-names-end"))) == expected


def test_there_are_section_names() -> None:
    assert refusal((MODULES / "section-names-empty.ko").read_bytes()) == "empty section name table"


@pytest.mark.parametrize(("field", "value"), [("type", 1), ("size", 1), ("addr", 1)])
def test_section_0_is_empty(field: str, value: int) -> None:
    kind = value if field == "type" else 0
    expected = f"ELF Spec violation: section 0 type({kind})!=SH_NULL or non-zero len or addr"
    assert refusal(bytes(Ko("versions").set("", **{field: value}))) == expected


@pytest.mark.parametrize("field", ["flags", "offset", "link", "info", "addralign", "entsize"])
def test_what_else_section_0_says_does_not_matter(field: str) -> None:
    sound(Ko("versions").set("", **{field: 1}))


@pytest.mark.parametrize("link", [0, 34, 0xFFFFFFFF])
def test_a_symbol_table_has_names(link: int) -> None:
    expected = f"Invalid ELF sh_link!=SHN_UNDEF({link}) or (sh_link({link}) >= hdr->e_shnum(34)"
    assert refusal(bytes(Ko("versions").set(".symtab", link=link))) == expected


@pytest.mark.parametrize(
    ("offset", "size"), [(1 << 40, 0), (0, 1 << 40), ((1 << 64) - 1, 2), (1, (1 << 64) - 1), (6000, 1)]
)
def test_a_section_lies_in_the_file(offset: int, size: int) -> None:
    expected = "Invalid ELF section in module (section 3 type 1)"
    assert refusal(bytes(Ko("versions").set(".text", offset=offset, size=size))) == expected


def test_a_section_may_end_with_the_file() -> None:
    ko = Ko("versions")
    sound(ko.set(".text", offset=len(ko.data), size=0))
    sound(ko.set(".text", offset=len(ko.data) - 1, size=1))


@pytest.mark.parametrize("kind", [0, 8])
def test_a_section_without_contents_may_claim_to_lie_anywhere(kind: int) -> None:
    sound(Ko("versions").set(".text", type=kind, offset=1 << 40))


def test_a_loaded_section_has_a_name() -> None:
    expected = "Invalid ELF section name in module (section 3 type 1)"
    assert refusal(bytes(Ko("versions").set(".text", name=1 << 20))) == expected


def test_a_section_that_is_not_loaded_needs_no_name() -> None:
    sound(Ko("versions").set(".comment", name=1 << 20))


# Looking things up


def test_only_loadable_sections_are_found_by_name() -> None:
    assert sound(Ko("versions")).find_sec("__param").index == Ko("versions").index["__param"]
    assert sound(Ko("versions").set("__param", flags=0)).find_sec("__param").index == 0
    assert sound(Ko("versions")).find_sec("nothing").index == 0


def test_the_first_of_two_sections_of_one_name_is_found() -> None:
    ko = Ko("versions")
    ko.set(".rodata", name=ko.get("__param", "name"))
    assert sound(ko).find_sec("__param").index == ko.index["__param"]


@pytest.mark.parametrize("offset", [0x18B, 0x18C, 1 << 31])
def test_a_string_lies_in_its_table(offset: int) -> None:
    elf = sound(Ko("versions"))
    with pytest.raises(OSError) as caught:
        elf.string(elf.sections[Ko("versions").index[".strtab"]], offset)
    assert caught.value.errno == errno.ENOEXEC


def test_a_string_ends_in_its_table() -> None:
    ko = Ko("versions")
    ko.set(".strtab", size=ko.get(".strtab", "size") - 1)
    elf = sound(ko)
    with pytest.raises(OSError):
        elf.string(elf.sections[ko.index[".strtab"]], ko.get(".strtab", "size") - 1)


def test_half_an_entry_at_the_end_of_a_table_is_left_out() -> None:
    ko = Ko("versions")
    whole = ko.get(".symtab", "size")
    elf = sound(ko.set(".symtab", size=whole - 1))
    assert len(elf.symbols(elf.sections[ko.index[".symtab"]])) == whole // 24 - 1
