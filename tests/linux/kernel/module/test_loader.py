"""load_module(), step by step: kernel/module/main.c."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from itertools import pairwise

import pytest

from sysfsd.image.image import KernelImage
from sysfsd.linux.kernel.module.module import Module
from sysfsd.linux.kernel.panic import taint_letters
from sysfsd.linux.mm.memory import PAGE_SIZE
from sysfsd.linux.system import Kernel
from tests.linux.ko import Ko, module_path
from tests.linux.state import log, state

Load = Callable[..., None]

OOT = "{}: loading out-of-tree module taints kernel."
UNSIGNED = "{}: module verification failed: signature and/or required key missing - tainting kernel"
ONCE = "Disabling lock debugging due to kernel taint"


def loaded(kernel: Kernel, image: bytes | str, args: bytes = b"") -> Module:
    """Load a module; what has become of it."""
    kernel.init_module(module_path(image).read_bytes() if isinstance(image, str) else image, args)
    return next(iter(kernel.modules))


def refusal(kernel: Kernel, image: bytes | str, args: bytes = b"") -> int | None:
    """Offer a module that is refused; the errno. Nothing of it is left, and its name is free again."""
    before = state(kernel)
    with pytest.raises(OSError) as caught:
        kernel.init_module(module_path(image).read_bytes() if isinstance(image, str) else image, args)
    assert state(kernel) == before
    return caught.value.errno


# Layout


def offsets(mod: Module) -> dict[str, int]:
    return {section.name: section.address - mod.core_layout.base for section in mod.sections}


def test_sections_lie_where_the_kernel_puts_them(kernel: Kernel) -> None:
    mod = loaded(kernel, "many_sections")
    places = offsets(mod)
    assert {name: place for name, place in places.items() if 0 <= place < mod.core_layout.size} == {
        ".exit.data": 8224,
        ".exit.own": 8216,
        ".exit.text": 2,
        ".gnu.linkonce.this_module": 8256,
        ".note.Linux": 4212,
        ".note.gnu.build-id": 4176,
        ".orc_unwind": 4113,
        ".orc_unwind_ip": 4137,
        ".own.bss": 9216,
        ".own.data": 8192,
        ".own.note": 4156,
        ".own.rodata": 4096,
        ".own.text": 0,
        ".return_sites": 4105,
        "__mcount_loc": 4097,
    }
    start = places[".init.text"]
    assert {name: places[name] - start for name in (".init.data", ".init.own", ".initial", ".symtab", ".strtab")} == {
        ".init.data": 4104,
        ".init.own": 4096,
        ".initial": 4100,
        ".symtab": 8192,
        ".strtab": 8696,
    }
    assert (mod.core_layout.size, mod.init_layout.size) == (16384, 0)


@pytest.mark.parametrize("name", ["greeter", "kinds", "large_bss", "many_sections", "per_cpu", "static_key"])
def test_every_part_of_a_module_ends_on_a_page(kernel: Kernel, name: str) -> None:
    core = loaded(kernel, name).core_layout
    parts = [core.base, core.text_size, core.ro_size, core.ro_after_init_size, core.size]
    assert all(part % PAGE_SIZE == 0 for part in parts)
    assert parts[1:] == sorted(parts[1:])


def test_sections_of_one_part_never_overlap_and_are_aligned(kernel: Kernel) -> None:
    mod = loaded(kernel, "many_sections")
    alignments = {name: Ko("many_sections").get(name, "addralign") for name in offsets(mod)}
    pieces = sorted((s.address, s.address + s.size) for s in mod.sections)
    assert all(end <= start for (_, end), (start, _) in pairwise(pieces))
    assert all(section.address % alignments[section.name] == 0 for section in mod.sections)


def test_an_empty_part_takes_no_page(kernel: Kernel) -> None:
    mod = loaded(kernel, "neither")
    assert (mod.core_layout.text_size, mod.core_layout.size) == (0, 12288)


def test_what_is_read_only_after_init_has_pages_of_its_own(kernel: Kernel) -> None:
    mod = loaded(kernel, "ro_after_init")
    place = offsets(mod)[".data..ro_after_init"]
    assert mod.core_layout.ro_size <= place < mod.core_layout.ro_after_init_size


def test_only_loaded_sections_that_are_not_empty_are_kept(kernel: Kernel) -> None:
    names = set(offsets(loaded(kernel, "per_cpu")))
    assert not names & {".modinfo", "__versions", ".data..percpu", ".text", ".bss", ".comment", ".shstrtab"}
    assert {".symtab", ".strtab", ".data..percpu..read_mostly"} <= names


def test_without_unloading_exit_code_goes_with_init(image: KernelImage) -> None:
    kernel = Kernel(image, config={"CONFIG_MODULE_UNLOAD": None})
    mod = loaded(kernel, "many_sections")
    assert not 0 <= offsets(mod)[".exit.own"] < mod.core_layout.size


def test_the_init_part_is_given_back(kernel: Kernel) -> None:
    first = loaded(kernel, "greeter")
    second = loaded(kernel, "versions")
    end = first.core_layout.base + first.core_layout.size
    assert second.core_layout.base == end + PAGE_SIZE


def test_bss_is_zero_although_its_memory_was_used_before(kernel: Kernel) -> None:
    mod = loaded(kernel, "many_sections")
    bss = next(section for section in mod.sections if section.name == ".own.bss")
    kernel.memory.write(bss.address, b"x" * bss.size)
    kernel.delete_module("many_sections")
    again = loaded(kernel, "many_sections")
    assert again.core_layout.base == mod.core_layout.base
    assert kernel.memory.read(bss.address, bss.size) == bytes(bss.size)


def test_loading_and_unloading_again_and_again_leaks_nothing(kernel: Kernel) -> None:
    before = state(kernel)
    for _ in range(20):
        for name in ("provider", "consumer", "per_cpu", "param_arrays"):
            loaded(kernel, name, b"words=a,b" if name == "param_arrays" else b"")
        for name in ("per_cpu", "consumer", "provider", "param_arrays"):
            kernel.delete_module(name)
    assert state(kernel) == before


def test_out_of_memory_leaves_nothing_behind(kernel: Kernel) -> None:
    kernel.memory.modules.alloc(kernel.memory.modules.size - 8 * PAGE_SIZE)
    assert refusal(kernel, "greeter") == errno.ENOMEM


# What is checked first


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("no-symtab", ["versions: module has no symbols (stripped?)"]),
        ("strip-all", ["versions: module has no symbols (stripped?)"]),
        ("no-symtab-no-name", ["(missing .modinfo section or name field): module has no symbols (stripped?)"]),
        ("no-this-module", ["versions: No module found in object"]),
        ("versions-layout", ["versions: disagrees about version of symbol module_layout"]),
        ("versions-layout-unlisted", ["versions: no symbol version for module_layout"]),
        (
            "data-executable",
            [OOT.format("versions"), "versions: section .data (index 21) has invalid WRITE|EXEC flags"],
        ),
    ],
)
def test_a_bad_file_is_refused_with_the_kernels_words(kernel: Kernel, name: str, lines: list[str]) -> None:
    assert refusal(kernel, name) == errno.ENOEXEC
    assert log(kernel) == lines


def test_a_struct_module_of_another_size_is_refused(kernel: Kernel) -> None:
    assert refusal(kernel, bytes(Ko("versions").set(".gnu.linkonce.this_module", size=895))) == errno.ENOEXEC


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("no-symtab", errno.ENOEXEC),
        ("versions-layout", errno.ENOEXEC),
        ("magic-flags", errno.ENOEXEC),
        ("data-executable", errno.ENOEXEC),
        ("versions-printk", errno.EEXIST),
        ("symbol-index", errno.EEXIST),
        ("relocation-3", errno.EEXIST),
    ],
)
def test_a_name_that_is_taken_is_noticed_in_its_turn(kernel: Kernel, name: str, code: int) -> None:
    loaded(kernel, "versions")
    assert refusal(kernel, name) == code


# Version magic


def test_another_version_magic_is_refused(kernel: Kernel) -> None:
    assert refusal(kernel, "magic-flags") == errno.ENOEXEC
    assert log(kernel) == [
        f"versions: version magic '6.1.0-55-amd64 SMP mod_unload modversions ' should be '{kernel.image.vermagic}'"
    ]
    assert kernel.tainted == 0


def test_with_versions_of_symbols_the_release_does_not_matter(kernel: Kernel) -> None:
    loaded(kernel, "magic-release")
    assert log(kernel) == [OOT.format("versions"), UNSIGNED.format("versions"), "versions: loaded"]


def test_without_them_it_does(kernel: Kernel) -> None:
    assert refusal(kernel, "magic-release-no-versions") == errno.ENOEXEC
    assert log(kernel)[:2] == ["versions: module_layout: kernel tainted.", ONCE]


@pytest.mark.parametrize("name", ["magic-none", "modinfo-none"])
def test_without_a_version_magic_the_load_counts_as_forced(kernel: Kernel, name: str) -> None:
    assert "F" in taint_letters(loaded(kernel, name).taints)
    assert log(kernel)[:2] == ["versions: bad vermagic: kernel tainted.", ONCE]


# Taints


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("versions", "OE"),
        ("intree_marked", "E"),
        ("staging_marked", "COE"),
        ("livepatch_marked", "OEK"),
        ("test_marked", "OEN"),
        ("all_marked", "PCOEKN"),
        ("licence-proprietary", "POE"),
        ("modinfo-none", "PFOE"),
        ("versions-none", "FOE"),
        ("signed", ""),
    ],
)
def test_a_module_is_tainted_by_what_it_says(kernel: Kernel, name: str, letters: str) -> None:
    assert taint_letters(loaded(kernel, name).taints) == letters


@pytest.mark.parametrize(
    ("name", "free"),
    [
        ("licence", True),
        ("licence-v2", True),
        ("licence-bsd", True),
        ("licence-mit", True),
        ("licence-mpl", True),
        ("licence-more", False),
        ("licence-lower", False),
        ("licence-plus", False),
        ("licence-alone", False),
        ("licence-empty", False),
        ("licence-none", False),
    ],
)
def test_licences_that_are_compatible(kernel: Kernel, name: str, free: bool) -> None:
    assert ("P" not in taint_letters(loaded(kernel, name).taints)) is free


@pytest.mark.parametrize(
    ("name", "text"), [("licence-none", "unspecified"), ("licence-empty", ""), ("licence-alone", "MIT")]
)
def test_an_incompatible_licence_is_named(kernel: Kernel, name: str, text: str) -> None:
    loaded(kernel, name)
    assert log(kernel)[1:3] == [f"licence: module license '{text}' taints kernel.", ONCE]


def test_what_is_said_once_is_said_once(kernel: Kernel) -> None:
    for name in ("licence-alone", "proprietary"):
        loaded(kernel, name)
        kernel.delete_module(name.split("-")[0])
    lines = log(kernel)
    assert lines == [
        OOT.format("licence"),
        "licence: module license 'MIT' taints kernel.",
        ONCE,
        UNSIGNED.format("licence"),
    ]


def test_what_is_said_each_time_is_said_each_time(kernel: Kernel) -> None:
    for _ in range(2):
        loaded(kernel, "staging_marked")
        kernel.delete_module("staging_marked")
        loaded(kernel, "versions-no-retpoline")
        kernel.delete_module("versions")
    lines = log(kernel)
    assert sum("from the staging directory" in line for line in lines) == 2
    assert lines.count("Spectre V2 : System may be vulnerable to spectre v2") == 2
    assert lines.count("versions: loading module not compiled with retpoline compiler.") == 2


@pytest.mark.parametrize("name", ["driverloader", "lve"])
def test_modules_that_are_known_to_lie_about_their_licence(kernel: Kernel, name: str) -> None:
    assert "P" in taint_letters(loaded(kernel, bytes(Ko("versions").rename(name))).taints)
    assert f"{name}: module license taints kernel." in log(kernel)


def test_ndiswrapper_taints_the_kernel_and_not_itself(kernel: Kernel) -> None:
    mod = loaded(kernel, bytes(Ko("versions").rename("ndiswrapper")))
    assert "P" not in taint_letters(mod.taints)
    assert kernel.tainted & 1


# Names


@pytest.mark.parametrize(
    ("name", "shown"), [("name-info", "versions"), ("name-struct", "verbose"), ("name-info-none", "versions")]
)
def test_a_module_is_called_what_its_structure_says(kernel: Kernel, name: str, shown: str) -> None:
    assert loaded(kernel, name).name == shown


def test_messages_about_versions_use_the_other_name(kernel: Kernel) -> None:
    assert refusal(kernel, "name-info-printk") == errno.EINVAL
    assert log(kernel)[-2:] == [
        "verbose: disagrees about version of symbol _printk",
        "versions: Unknown symbol _printk (err -22)",
    ]


# Symbols


def test_every_symbol_that_is_not_there_is_named(kernel: Kernel) -> None:
    assert refusal(kernel, "unresolved") == errno.ENOENT
    assert sum("Unknown symbol" in line and "(err -2)" in line for line in log(kernel)) >= 1


def test_a_weak_symbol_that_is_not_there_is_zero(kernel: Kernel) -> None:
    loaded(kernel, "unresolved_weak")
    assert not any("Unknown symbol" in line for line in log(kernel))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("symbol-index", "versions: Symbol number has an invalid section index 4660 (max 33)"),
        ("symbol-common", "versions: please compile with -fno-common"),
    ],
)
def test_a_symbol_must_lie_somewhere(kernel: Kernel, name: str, line: str) -> None:
    assert refusal(kernel, name) == errno.ENOEXEC
    assert log(kernel)[-1] == line


@pytest.mark.parametrize("name", ["symbol-absolute", "symbol-livepatch"])
def test_symbols_that_lie_nowhere_on_purpose(kernel: Kernel, name: str) -> None:
    loaded(kernel, name)


def test_a_gpl_symbol_is_not_found_by_a_proprietary_module(kernel: Kernel) -> None:
    assert refusal(kernel, "proprietary_gplonly") == errno.ENOENT
    assert kernel.tainted & 1


def test_using_a_proprietary_modules_symbol_inherits_the_taint(kernel: Kernel) -> None:
    loaded(kernel, "proprietary")
    mod = loaded(kernel, "uses_proprietary")
    assert taint_letters(mod.taints) == "POE"
    assert log(kernel)[-1] == (
        "uses_proprietary: module uses symbols proprietary_value from proprietary module proprietary, inheriting taint."
    )


@pytest.mark.parametrize("name", ["gplonly_then_proprietary", "proprietary_then_gplonly"])
def test_gpl_and_proprietary_symbols_do_not_mix(kernel: Kernel, name: str) -> None:
    loaded(kernel, "proprietary")
    assert refusal(kernel, name) == errno.ENOENT


@pytest.mark.parametrize(
    ("name", "code", "lines"),
    [
        (
            "versions-printk",
            errno.EINVAL,
            ["versions: disagrees about version of symbol _printk", "versions: Unknown symbol _printk (err -22)"],
        ),
        (
            "versions-unlisted",
            errno.EINVAL,
            ["versions: no symbol version for _printk", "versions: Unknown symbol _printk (err -22)"],
        ),
    ],
)
def test_a_symbol_of_another_version_is_refused(kernel: Kernel, name: str, code: int, lines: list[str]) -> None:
    assert refusal(kernel, name) == code
    assert log(kernel)[-2:] == lines


def test_the_whole_word_of_a_version_counts(kernel: Kernel) -> None:
    ko = Ko("versions")
    assert refusal(kernel, bytes(ko.put(ko.version("_printk") + 4, "I", 1))) == errno.EINVAL


@pytest.mark.parametrize("name", ["ns_user-one", "ns_user-none"])
def test_a_namespace_must_be_imported(kernel: Kernel, name: str) -> None:
    loaded(kernel, "ns_exporter")
    assert refusal(kernel, name) == errno.EINVAL
    assert "ns_user: module uses symbol (ns_plain) from namespace ROOM_TWO, but does not import it." in log(kernel)


def test_namespaces_that_are_imported(kernel: Kernel) -> None:
    loaded(kernel, "ns_exporter")
    loaded(kernel, "ns_user")


@pytest.mark.parametrize(
    ("name", "first", "owner"), [("twin_two", "twin_one", "twin_one"), ("twin_kernel", None, "kernel")]
)
def test_a_symbol_is_exported_once(kernel: Kernel, name: str, first: str | None, owner: str) -> None:
    if first is not None:
        loaded(kernel, first)
    assert refusal(kernel, name) == errno.ENOEXEC
    assert log(kernel)[-1].startswith(f"{name}: exports duplicate symbol ")
    assert log(kernel)[-1].endswith(f" (owned by {owner})")


def test_exports_go_with_their_module(kernel: Kernel) -> None:
    loaded(kernel, "twin_one")
    kernel.delete_module("twin_one")
    loaded(kernel, "twin_two")


@pytest.mark.parametrize("name", ["neither-no-crc", "proprietary-no-crc"])
def test_exports_without_versions_count_as_forced(kernel: Kernel, name: str) -> None:
    mod = loaded(kernel, name)
    assert "F" in taint_letters(mod.taints)
    assert f"{mod.name}: no versions for exported symbols: kernel tainted." in log(kernel)


# Relocations


def test_a_relocated_place_holds_the_symbols_address(kernel: Kernel) -> None:
    mod = loaded(kernel, "versions")
    start = next(section.address for section in mod.sections if section.name == "__param")
    name, module, ops, _perm, _level, _flags, arg = struct.unpack("<QQQHbB4xQ", kernel.memory.read(start, 40))
    printed = kernel.image.find_export("param_ops_int")
    assert printed is not None and ops == printed.value
    assert kernel.memory.read_string(name) == b"number"
    assert module == mod.address
    assert arg == next(section.address for section in mod.sections if section.name == ".data")


@pytest.mark.parametrize(("name", "kind"), [("relocation_byte", 14), ("relocation-3", 3), ("relocation-42", 42)])
def test_an_unknown_relocation_is_refused(kernel: Kernel, name: str, kind: int) -> None:
    assert refusal(kernel, name) == errno.ENOEXEC
    module = name.split("-")[0] if "_" in name else "versions"
    assert log(kernel)[-1] == f"module: {module}: Unknown rela relocation: {kind}"


@pytest.mark.parametrize("name", ["absolute32", "relocation-10"])
def test_an_address_that_does_not_fit_is_refused(kernel: Kernel, name: str) -> None:
    assert refusal(kernel, name) == errno.ENOEXEC
    first, second = log(kernel)[-2:]
    assert first.startswith("module: overflow in relocation type 10 val ffffffff")
    assert second.endswith("' likely not compiled with -mcmodel=kernel")


@pytest.mark.parametrize(("name", "kind"), [("relocation-nonzero", 1), ("relocation_taken", 2)])
def test_a_place_that_is_not_empty_is_not_relocated(kernel: Kernel, name: str, kind: int) -> None:
    assert refusal(kernel, name) == errno.ENOEXEC
    expected = f"Skipping invalid relocation target, existing value is nonzero for type {kind}, loc "
    assert expected in log(kernel)[-1]


def test_the_value_that_found_no_place_is_that_of_the_symbol(kernel: Kernel) -> None:
    assert refusal(kernel, "relocation_taken") == errno.ENOEXEC
    assert log(kernel)[-1].rsplit(" ", 1)[1].startswith("ffffffffc0")


def test_pc_relative_relocations_wrap_around(kernel: Kernel) -> None:
    loaded(kernel, "relocation_kinds")


def test_a_rel_section_is_not_supported(kernel: Kernel) -> None:
    assert refusal(kernel, bytes(Ko("versions").set(".rela__param", type=9))) == errno.ENOEXEC
    assert log(kernel)[-1] == "module versions: REL relocation unsupported"


def test_relocations_of_sections_that_are_not_loaded_are_left_alone(kernel: Kernel) -> None:
    ko = Ko("versions")
    loaded(kernel, bytes(ko.set(".rela.exit.data", info=ko.index[".comment"])))


def test_relocations_for_livepatch_are_left_alone(kernel: Kernel) -> None:
    mod = loaded(kernel, bytes(Ko("versions").set(".rela.exit.data", flags=0x00100000)))
    place = next(section.address for section in mod.sections if section.name == ".exit.data")
    assert kernel.memory.read_pointer(place) == 0


# Refusals leave nothing


@pytest.mark.parametrize(
    "name",
    [
        "absolute32",
        "common_symbol",
        "data-executable",
        "magic-flags",
        "magic-flags-and-more",
        "name-info-data",
        "no-symtab",
        "per_cpu_reserve",
        "proprietary_gplonly",
        "relocation-200",
        "relocation-8",
        "relocation_byte",
        "relocation_taken",
        "symbol-common",
        "symbol-index",
        "twin_kernel",
        "unresolved",
        "versions-layout",
        "versions-printk",
        "versions-two",
        "writable_code",
    ],
)
def test_after_a_refusal_all_is_as_it_was(kernel: Kernel, name: str) -> None:
    loaded(kernel, "greeter")
    assert refusal(kernel, name) is not None


def test_a_refusal_gives_back_the_modules_it_needed(kernel: Kernel) -> None:
    loaded(kernel, "provider")
    ko = Ko("consumer")
    assert refusal(kernel, bytes(ko.put(ko.rela("__param") + 8, "I", 99))) == errno.ENOEXEC
    assert refusal(kernel, "consumer", b"result=x") == errno.EINVAL
    kernel.delete_module("provider")


def test_taints_of_the_steps_that_were_passed_remain(kernel: Kernel) -> None:
    assert refusal(kernel, "relocation-3") == errno.ENOEXEC
    assert kernel.tainted == 1 << 12 | 1 << 13


def test_a_name_that_something_built_in_has_is_refused(kernel: Kernel) -> None:
    assert refusal(kernel, bytes(Ko("versions").rename("printk"))) == errno.EINVAL
    assert log(kernel)[-1] == "printk: module is already loaded"


def test_a_module_without_a_name_is_refused(kernel: Kernel) -> None:
    assert refusal(kernel, bytes(Ko("versions").rename(""))) == errno.EINVAL


# Versions and what else a module tells


def test_version_and_srcversion_are_kept(kernel: Kernel) -> None:
    mod = loaded(kernel, "metadata")
    assert mod.version == "0.9-rc1"
    assert mod.srcversion is not None and len(mod.srcversion) == 23


def test_the_first_value_of_a_tag_counts(kernel: Kernel) -> None:
    ko = Ko("versions")
    ko.give(".modinfo", b"version=1\0version=2\0\0\0" + ko.contents(".modinfo"))
    assert loaded(kernel, bytes(ko)).version == "1"


def test_a_tag_is_matched_whole(kernel: Kernel) -> None:
    ko = Ko("versions")
    ko.give(".modinfo", b"myversion=1\0versions=2\0version\0" + ko.contents(".modinfo"))
    assert loaded(kernel, bytes(ko)).version is None


def test_modinfo_need_not_end_with_a_nul(kernel: Kernel) -> None:
    ko = Ko("versions")
    ko.give(".modinfo", ko.contents(".modinfo") + b"version=1")
    assert loaded(kernel, bytes(ko)).version == "1"
