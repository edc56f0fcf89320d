"""Module files made to harm: each is refused like a bad file, or dies of its own code, and nothing else notices."""

from __future__ import annotations

import errno
import os
import random
import struct
import tracemalloc

import pytest

from sysfsd.image.image import KernelImage
from sysfsd.linux.arch.x86.traps import TaskKilled
from sysfsd.linux.kernel.params import show_param
from sysfsd.linux.system import Kernel
from tests.linux.ko import MODULES, SAMPLES, Ko, module_path
from tests.linux.state import bury, log, state

SHF_ALLOC = 2
SENSIBLE = {
    errno.ENOEXEC,
    errno.ENOENT,
    errno.EINVAL,
    errno.ENOMEM,
    errno.EBADMSG,
    errno.EEXIST,
    errno.EFAULT,
    errno.ERANGE,
    errno.ENOSPC,
}


def refused(kernel: Kernel, image: bytes, args: bytes = b"", may_crash: bool = False) -> int | None:
    """Offer an image; the errno, or None where it was taken and has been removed again.

    :param may_crash: its code may have been spoilt too; None also where it ran, but not to the end
    """
    before = state(kernel)
    if may_crash:
        kernel.sched.softlockup_thresh = 0.2
    try:
        kernel.init_module(image, args)
        newest = next(iter(kernel.modules)).name
        kernel.delete_module(newest, os.O_TRUNC)
    except OSError as error:
        assert state(kernel) == before
        return error.errno
    except TaskKilled:
        if not may_crash:
            raise
        now = state(kernel).modules
        assert all(row in now for row in before.modules)
        bury(kernel)
        assert works(kernel)
    assert state(kernel) == before
    return None


def works(kernel: Kernel) -> bool:
    """Whether modules can be loaded, run and be removed."""
    kernel.init_module(module_path("hello").read_bytes(), b"whom=everybody")
    kernel.delete_module("hello")
    return log(kernel)[-2:] == [
        "hello: (0) Hello, everybody",
        "hello: Goodbye, everybody, count is now 1",
    ]


REGIONS = ("header", "sections", ".symtab", ".strtab", ".rela__param", ".modinfo", "__versions", "__param", "rest")


def region(ko: Ko, name: str) -> range:
    if name == "header":
        return range(4, 64)
    if name == "sections":
        return range(ko.shoff, ko.shoff + 64 * ko.shnum)
    if name == "rest":
        return range(64, len(ko.data))
    start = ko.get(name, "offset")
    return range(start, start + ko.get(name, "size"))


def mutate(rng: random.Random, ko: Ko, places: range) -> None:
    """Change one to four numbers somewhere in *places* to something random or extreme."""
    for _ in range(rng.randint(1, 4)):
        width = rng.choice((1, 2, 4, 8))
        value = rng.choice((0, 1, (1 << 8 * width) - 1, 1 << 8 * width - 1, rng.getrandbits(8 * width)))
        at = min(rng.choice(places), len(ko.data) - width)
        ko.data[at : at + width] = value.to_bytes(width, "little")


@pytest.mark.parametrize("places", REGIONS)
@pytest.mark.parametrize("name", ["versions", "greeter", "kinds"])
def test_whatever_bytes_change_the_answer_is_an_errno_and_others_are_untouched(
    kernel: Kernel, name: str, places: str
) -> None:
    rng = random.Random(f"{name} {places}")
    kernel.init_module(module_path("param_arrays").read_bytes(), b"words=a,b bytes=7")
    bystander = kernel.modules.find("param_arrays")
    assert bystander is not None
    values = [show_param(kernel, kp) for kp in bystander.kp]
    for _ in range(80):
        ko = Ko(name)
        mutate(rng, ko, region(ko, places))
        code = refused(kernel, bytes(ko), may_crash=True)
        assert code is None or code in SENSIBLE
    assert [show_param(kernel, kp) for kp in bystander.kp] == values


def header_boundaries() -> list[int]:
    ko = Ko("versions")
    edges = {0, 1, 4, 16, 63, 64, ko.shoff, len(ko.data) - 1}
    edges |= {ko.shoff + 64 * i for i in range(ko.shnum)}
    edges |= {ko.get(name, "offset") for name in ko.index if name}
    return sorted(edges)


@pytest.mark.parametrize("length", header_boundaries())
def test_a_truncated_file_is_refused(kernel: Kernel, length: int) -> None:
    assert refused(kernel, bytes(Ko("versions"))[:length]) == errno.ENOEXEC


@pytest.mark.parametrize("name", sorted(path.stem for path in MODULES.glob("signed-*.ko")))
def test_a_broken_signature_leaves_nothing_behind(kernel: Kernel, name: str) -> None:
    assert refused(kernel, module_path(name).read_bytes()) in (None, errno.EBADMSG, errno.ENOEXEC)


# Sizes


@pytest.mark.parametrize("size", [1 << 30, 1 << 32, 1 << 40, (1 << 64) - 1])
def test_bss_larger_than_the_module_area_is_out_of_memory(kernel: Kernel, size: int) -> None:
    assert refused(kernel, bytes(Ko("versions").set(".bss", size=size))) == errno.ENOMEM


def test_bss_that_fits_the_module_area_costs_nothing_until_it_is_written(kernel: Kernel) -> None:
    assert refused(kernel, bytes(Ko("versions").set(".bss", size=900 << 20))) is None


@pytest.mark.parametrize("section", [".data", ".bss", ".symtab", ".strtab", ".init.data"])
@pytest.mark.parametrize("alignment", [1 << 40, 1 << 63])
def test_an_alignment_beyond_the_module_area_is_out_of_memory(kernel: Kernel, section: str, alignment: int) -> None:
    assert refused(kernel, bytes(Ko("versions").set(section, addralign=alignment))) == errno.ENOMEM


@pytest.mark.parametrize("section", [".data", ".symtab", ".strtab", ".init.data"])
@pytest.mark.parametrize("alignment", [3, 24, (1 << 64) - 1])
def test_an_alignment_that_is_no_power_of_two_is_refused(kernel: Kernel, section: str, alignment: int) -> None:
    assert refused(kernel, bytes(Ko("versions").set(section, addralign=alignment))) == errno.ENOEXEC


@pytest.mark.parametrize("alignment", [3, 24, 1 << 63, (1 << 64) - 1])
def test_an_odd_alignment_of_per_cpu_data_never_misplaces_it(kernel: Kernel, alignment: int) -> None:
    code = refused(kernel, bytes(Ko("per_cpu").set(".data..percpu", addralign=alignment)))
    assert code == (errno.ENOMEM if alignment == 24 else None)


@pytest.mark.parametrize("size", [1 << 20, 1 << 40, (1 << 64) - 1])
def test_huge_per_cpu_data_is_out_of_memory(kernel: Kernel, size: int) -> None:
    ko = Ko("per_cpu").set(".data..percpu", size=size, type=8)
    assert refused(kernel, bytes(ko)) == errno.ENOMEM


@pytest.mark.parametrize("field", ["offset", "size"])
@pytest.mark.parametrize("value", [1 << 20, 1 << 63, (1 << 64) - 1])
@pytest.mark.parametrize("section", [".text", ".data", ".modinfo", "__param", ".symtab", ".strtab", ".rela__param"])
def test_a_section_outside_of_the_file_is_refused(kernel: Kernel, section: str, field: str, value: int) -> None:
    if section == ".text" and field == "offset":
        value -= 1
    assert refused(kernel, bytes(Ko("versions").set(section, **{field: value}))) == errno.ENOEXEC


def test_offset_and_size_that_wrap_around_are_outside_of_the_file(kernel: Kernel) -> None:
    ko = Ko("versions").set(".data", offset=(1 << 64) - 8, size=16)
    assert refused(kernel, bytes(ko)) == errno.ENOEXEC


# Sections that lie on each other


@pytest.mark.parametrize("victim", [".data", ".modinfo", "__versions", "__param", ".strtab", ".symtab"])
def test_sections_may_overlap_in_the_file(kernel: Kernel, victim: str) -> None:
    ko = Ko("versions")
    ko.set(".exit.data", offset=ko.get(victim, "offset"))
    assert refused(kernel, bytes(ko)) in (None, errno.ENOEXEC)


@pytest.mark.parametrize("name", ["", ".text", ".symtab", ".modinfo", ".shstrtab", "__param", ".bss", ".init.data"])
def test_any_section_may_claim_to_hold_the_symbols_names(kernel: Kernel, name: str) -> None:
    ko = Ko("versions").set(".symtab", link=Ko("versions").index[name])
    assert refused(kernel, bytes(ko)) in (None, *SENSIBLE)


def test_the_whole_file_as_one_section(kernel: Kernel) -> None:
    ko = Ko("versions")
    for name in (".data", ".exit.data", ".rodata"):
        ko.set(name, offset=0, size=len(ko.data))
    assert refused(kernel, bytes(ko)) in (None, errno.ENOEXEC)


@pytest.mark.parametrize("flags", [0, 1, 2, 3, 4, 6, 7, (1 << 64) - 1])
def test_any_flags_on_every_section(kernel: Kernel, flags: int) -> None:
    ko = Ko("versions")
    for name in ko.index:
        ko.set(name, flags=flags)
    assert refused(kernel, bytes(ko), may_crash=True) in (None, *SENSIBLE)


@pytest.mark.parametrize("kind", range(20))
def test_any_type_on_every_section(kernel: Kernel, kind: int) -> None:
    ko = Ko("versions")
    for name in ko.index:
        if name:
            ko.set(name, type=kind)
    assert refused(kernel, bytes(ko)) in (None, *SENSIBLE)


@pytest.mark.parametrize("section", [".modinfo", ".gnu.linkonce.this_module", "__param", "__versions", ".symtab"])
def test_a_table_that_is_not_in_the_file(kernel: Kernel, section: str) -> None:
    assert refused(kernel, bytes(Ko("versions").set(section, type=8))) in (None, *SENSIBLE)


# Strings


@pytest.mark.parametrize("where", [0x18B, 1 << 20, (1 << 32) - 1])
def test_a_symbols_name_outside_of_its_table_is_refused(kernel: Kernel, where: int) -> None:
    ko = Ko("versions")
    assert refused(kernel, bytes(ko.put(ko.symbol("number"), "I", where))) == errno.ENOEXEC


def test_a_table_of_names_without_an_end_is_refused(kernel: Kernel) -> None:
    ko = Ko("versions")
    ko.give(".strtab", b"A" * ko.get(".strtab", "size"))
    assert refused(kernel, bytes(ko)) == errno.ENOEXEC


def test_names_that_share_one_long_string_do_not_multiply_in_memory(kernel: Kernel) -> None:
    ko = Ko("versions")
    names = b"\0" + b"A" * (128 << 10) + b"\0"
    local = struct.pack("<IBBHQQ", 1, 0, 0, 0xFFF1, 0, 0)
    ko.give(".strtab", names).give(".symtab", bytes(24) + local * 1000)
    image = bytes(ko)
    refused(kernel, bytes(Ko("versions")))
    tracemalloc.start()
    try:
        refused(kernel, image)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 << 20


def test_a_table_of_exports_that_is_not_in_the_file_does_not_fill_memory(kernel: Kernel) -> None:
    ko = Ko("neither").set("__ksymtab_gpl", type=8, size=12 * 30_000).set(".rela__ksymtab_gpl", type=1)
    refused(kernel, bytes(Ko("neither")))
    tracemalloc.start()
    try:
        refused(kernel, bytes(ko))
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


# Relocations


@pytest.mark.parametrize("offset", [33, 40, 1 << 20, 1 << 31, (1 << 63) - 1, 1 << 63, (1 << 64) - 4, (1 << 64) - 1])
@pytest.mark.parametrize("kind", [1, 2, 10, 11, 24])
def test_a_relocation_outside_of_its_section_is_refused(kernel: Kernel, offset: int, kind: int) -> None:
    ko = Ko("versions")
    if offset == 33 and kind in (2, 10, 11):
        offset = 37
    assert refused(kernel, bytes(ko.put(ko.rela("__param"), "QI", offset, kind))) == errno.ENOEXEC


@pytest.mark.parametrize("index", [1000, (1 << 31), (1 << 32) - 1])
def test_a_relocation_with_a_symbol_that_is_not_there_is_refused(kernel: Kernel, index: int) -> None:
    ko = Ko("versions")
    assert refused(kernel, bytes(ko.put(ko.rela("__param") + 12, "I", index))) == errno.ENOEXEC


@pytest.mark.parametrize("addend", [-(1 << 63), -1, (1 << 63) - 1])
def test_an_addend_wraps_around_as_in_c(kernel: Kernel, addend: int) -> None:
    ko = Ko("versions")
    assert refused(kernel, bytes(ko.put(ko.rela("__param", 3) + 16, "q", addend))) in (None, errno.ENOEXEC)


# Tables that lead out of memory


@pytest.mark.parametrize("number", range(3))
def test_a_parameter_whose_pointers_lead_nowhere_harms_nobody(kernel: Kernel, number: int) -> None:
    ko = Ko("versions")
    assert refused(kernel, bytes(ko.put(ko.rela("__param", number) + 8, "I", 0)), b"number=3") in (None, *SENSIBLE)


def string_parameter_at_zero(name: str) -> bytes:
    """A module with a parameter of type charp, or an array of such, that has no memory."""
    ko = Ko(name)
    for number in range(ko.get(".rela__param", "size") // 24):
        (offset,) = struct.unpack_from("<Q", ko.data, ko.rela("__param", number))
        if offset % 40 == 32:
            ko.put(ko.rela("__param", number) + 8, "I", 0)
    return bytes(ko)


@pytest.mark.parametrize("name", ["greeter", "param_arrays"])
def test_a_string_parameter_without_memory_can_be_unloaded(kernel: Kernel, name: str) -> None:
    assert refused(kernel, string_parameter_at_zero(name)) is None


@pytest.mark.parametrize("name", ["greeter", "param_arrays"])
def test_a_string_parameter_without_memory_can_fail_to_load(kernel: Kernel, name: str) -> None:
    code = refused(kernel, string_parameter_at_zero(name), b"count=x bytes=x words=a")
    assert code in (errno.EINVAL, errno.EFAULT)


def test_a_string_for_a_parameter_without_memory_is_not_kept(kernel: Kernel) -> None:
    assert refused(kernel, string_parameter_at_zero("greeter"), b"whom=x") == errno.EFAULT


def test_a_number_that_claims_to_need_no_value_is_no_crash(kernel: Kernel) -> None:
    ko = Ko("callbacks")
    start = ko.get(".rodata", "offset")
    for at in range(start, start + ko.get(".rodata", "size") - 31, 32):
        ko.put(at, "I", 1)
    assert refused(kernel, bytes(ko), b"no_get") in SENSIBLE


# Names


@pytest.mark.parametrize("name", ["..", ".", "\n", "\xff", "a b", "x" * 55, "x" * 56])
def test_any_name_can_be_loaded_and_removed(kernel: Kernel, name: str) -> None:
    before = state(kernel)
    kernel.init_module(bytes(Ko("versions").rename(name)))
    kernel.delete_module(name[:55])
    assert state(kernel) == before


# Argument lines


@pytest.mark.parametrize(
    "args",
    [
        b"=",
        b"==",
        b'"',
        b'""',
        b'"="',
        b"=number=1",
        b"\xa0\xa0number=1",
        b'number="1',
        b'"number=1"',
        b"number=" + b"9" * 5000,
        b"number=" + b"0" * 5000 + b"1",
        b"x" * 70_000,
        b'"' * 10_001,
        b"a=" * 10_000,
        b" " * 10_000,
        b"x\n" * 1000,
        b"--",
        b"-- --",
        bytes(range(1, 256)),
        b"\0number=1",
    ],
)
def test_any_argument_line_is_taken_or_refused(kernel: Kernel, args: bytes) -> None:
    code = refused(kernel, bytes(Ko("versions")), args)
    assert code in (None, errno.EINVAL, errno.ERANGE)


def test_random_argument_lines_are_taken_or_refused(kernel: Kernel) -> None:
    rng = random.Random(7)
    words = [b"count", b"whom", b"loud", b"=", b'"', b" ", b"1", b"-", b"--", b"\n", b".", b",", b"dyndbg", b"\0"]
    image = module_path("greeter").read_bytes()
    for _ in range(300):
        args = b"".join(rng.choices(words, k=rng.randint(0, 30)))
        assert refused(kernel, image, args) in (None, errno.EINVAL, errno.ERANGE)


def test_every_sample_survives_a_change_of_each_section_header_field(image: KernelImage) -> None:
    kernel = Kernel(image)
    for path in sorted(SAMPLES.glob("*.ko")):
        name = path.stem
        if name == "consumer":
            continue
        for section in Ko(name).index:
            for field, value in (("type", 0), ("link", 0xFFFFFFFF), ("info", 0xFFFFFFFF), ("size", 0), ("flags", 0)):
                code = refused(kernel, bytes(Ko(name).set(section, **{field: value})), may_crash=True)
                assert code is None or code in SENSIBLE
