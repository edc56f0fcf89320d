"""Symbols as /proc/kallsyms shows them: kernel/kallsyms.c, kernel/module/kallsyms.c."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sysfsd.linux.system import Kernel
from tests.linux.fake import FakeCpu
from tests.linux.ko import Ko

Load = Callable[..., None]


def lines(kernel: Kernel, show_value: bool = True) -> list[tuple[int, str, str]]:
    """Address, type and name of the newest module's symbols."""
    mod = next(iter(kernel.modules))
    rows = [line.split() for line in kernel.kallsyms.module_lines(mod, show_value).decode("latin-1").splitlines()]
    assert all(row[3] == f"[{mod.name}]" for row in rows)
    return [(int(row[0], 16), row[1], row[2]) for row in rows]


def types(kernel: Kernel) -> dict[str, str]:
    return {name: kind for _value, kind, name in lines(kernel)}


def test_a_line_has_sixteen_digits_a_letter_and_two_names(kernel: Kernel, load: Load) -> None:
    load("neither")
    mod = next(iter(kernel.modules))
    for line in kernel.kallsyms.module_lines(mod, True).splitlines():
        assert len(line.split(b" ")[0]) == 16
        assert line.endswith(b"\t[neither]")


def test_symbols_stand_in_the_order_of_their_table(kernel: Kernel, load: Load) -> None:
    load("many_sections")
    names = [name for _value, _kind, name in lines(kernel)]
    assert [name for name in names if not name.startswith("__UNIQUE")] == [
        "stop",
        "_note_10",
        "_note_9",
        "__this_module",
        "cleanup_module",
        "own_code",
    ]


def test_only_symbols_of_the_core_remain_after_init(kernel: Kernel, load: Load) -> None:
    seen: list[set[str]] = []

    def init(_function: int) -> int:
        seen.append(set(types(kernel)))
        return 0

    kernel.cpu = FakeCpu(init)
    load("versions")
    assert {"init_module", "_printk", "number", "stop"} <= seen[0]
    remaining = set(types(kernel))
    assert {"number", "stop", "__this_module"} <= remaining
    assert not remaining & {"init_module", "start", "_printk", "param_ops_int"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("stop", "t"), ("number", "d"), ("__this_module", "d"), ("__param_number", "r"), ("_note_9", "r")],
)
def test_the_section_decides_the_letter(kernel: Kernel, load: Load, name: str, kind: str) -> None:
    load("versions")
    assert types(kernel)[name] == kind


def test_a_symbol_exported_to_all_has_a_capital_letter(kernel: Kernel, load: Load) -> None:
    load("provider")
    found = types(kernel)
    assert (found["provider_value"], found["provider_counter"], found["provider_lease"]) == ("T", "B", "t")


def test_per_cpu_symbols_are_offsets(kernel: Kernel, load: Load) -> None:
    load("per_cpu")
    rows = {name: (value, kind) for value, kind, name in lines(kernel)}
    assert rows["per_cpu_exported"][1] == "A"
    assert rows["small"][1] == "a"
    assert 0 < rows["small"][0] < 1 << 20
    assert rows["aligned"][0] % 64 == 0


def test_absolute_symbols_are_gone_after_init(kernel: Kernel, load: Load) -> None:
    load("symbol-absolute")
    assert "number" not in types(kernel)


def test_a_livepatch_module_keeps_all_named_symbols(kernel: Kernel, load: Load) -> None:
    load("livepatch_marked")
    assert "init_module" in types(kernel)
    assert all(name for _value, _kind, name in lines(kernel))


def test_addresses_can_be_hidden(kernel: Kernel, load: Load) -> None:
    load("versions")
    assert {value for value, _kind, _name in lines(kernel, show_value=False)} == {0}


def test_addresses_are_those_of_the_module(kernel: Kernel, load: Load) -> None:
    load("versions")
    mod = next(iter(kernel.modules))
    assert all(value in mod.core_layout for value, _kind, _name in lines(kernel))


def test_a_long_name_is_cut(kernel: Kernel) -> None:
    ko = Ko("versions")
    strings = ko.contents(".strtab")
    ko.put(ko.symbol("number"), "I", len(strings))
    ko.give(".strtab", strings + b"n" * 600 + b"\0")
    kernel.init_module(bytes(ko))
    assert "n" * 511 in types(kernel)


def test_the_kernels_own_symbols(kernel: Kernel) -> None:
    shown, hidden = kernel.kallsyms.kernel_lines(True), kernel.kallsyms.kernel_lines(False)
    assert b"ffffffff81000000 T _text\n" in shown
    assert b"0000000000000000 T _text\n" in hidden
    assert len(shown) == len(hidden)
    assert {line[:16] for line in hidden.splitlines()} == {b"0" * 16}
