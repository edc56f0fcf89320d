"""Module parameters: kernel/params.c."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from sysfsd.linux.kernel.panic import Taint
from sysfsd.linux.kernel.params import KernelParam, dash2underscore, show_param, store_param
from sysfsd.linux.system import Kernel
from tests.linux.state import log, state

Load = Callable[..., None]

#: The last line of the module ``kinds``, by its init function.
READY = "kinds: ready, hidden is 1"


def param(kernel: Kernel, name: str) -> KernelParam:
    return next(kp for mod in kernel.modules for kp in mod.kp if kp.name == name)


def show(kernel: Kernel, name: str) -> bytes:
    return show_param(kernel, param(kernel, name))


def store(kernel: Kernel, name: str, data: bytes) -> int | None:
    """Write to a parameter; the errno, or None where it was taken."""
    try:
        store_param(kernel, param(kernel, name), data)
    except OSError as error:
        return error.errno
    return None


# What the types show and take


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a_byte", b"200\n"),
        ("a_short", b"-300\n"),
        ("a_ushort", b"60000\n"),
        ("an_int", b"-70000\n"),
        ("a_uint", b"70000\n"),
        ("a_long", b"-5000000000\n"),
        ("a_ulong", b"5000000000\n"),
        ("a_ullong", b"18446744073709551615\n"),
        ("a_hexint", b"0x00cafe\n"),
        ("a_bool", b"Y\n"),
        ("an_invbool", b"Y\n"),
        ("a_bint", b"1\n"),
        ("a_latch", b"N\n"),
        ("a_charp", b"as long as you like\n"),
        ("a_string", b"at most fifteen\n"),
        ("ints", b"10,20,30\n"),
        ("pair", b"1,2\n"),
        ("words", b"one,two\n"),
        ("flags", b"Y,N,Y\n"),
        ("level", b"4\n"),
    ],
)
def test_a_parameter_shows_what_its_module_was_built_with(kernel: Kernel, load: Load, name: str, text: bytes) -> None:
    load("kinds")
    assert show(kernel, name) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("a_byte", b"0x10\n", b"16\n"),
        ("a_byte", b"010", b"8\n"),
        ("a_short", b"-1", b"-1\n"),
        ("an_int", b"-0x10", b"-16\n"),
        ("a_hexint", b"0", b"0x000000\n"),
        ("a_hexint", b"0x123456789", None),
        ("a_bool", b"off", b"N\n"),
        ("an_invbool", b"y", b"Y\n"),
        ("an_invbool", b"n", b"N\n"),
        ("a_bint", b"n", b"0\n"),
        ("a_bint", b"5", None),
        ("a_charp", b"a b\n", b"a b\n\n"),
        ("a_charp", b"", b"\n"),
        ("a_string", b"fifteen letters", b"fifteen letters\n"),
        ("a_string", b"sixteen letters!", None),
        ("a_string", b"cut\0here", b"cut\n"),
        ("ints", b"1", b"1\n"),
        ("ints", b"1,2,3,4", b"1,2,3,4\n"),
        ("pair", b"7", b"7,2\n"),
        ("flags", b"n", b"N\n"),
        ("an_int", b"5\0x", b"5\n"),
        ("a_byte", b"256", None),
        ("a_byte", b"-1", None),
        ("an_int", b" 1", None),
        ("an_int", b"", None),
        ("pair", b"1,2,3", None),
        ("pair", b",", None),
    ],
)
def test_a_write_is_taken_or_refused(kernel: Kernel, load: Load, name: str, value: bytes, text: bytes | None) -> None:
    load("kinds")
    code = store(kernel, name, value)
    if text is None:
        assert code is not None
    else:
        assert code is None
        assert show(kernel, name) == text


@pytest.mark.parametrize("kind", ["a_byte", "a_short", "an_int", "a_long", "a_bool", "a_string", "a_bint"])
def test_a_refused_value_changes_nothing(kernel: Kernel, load: Load, kind: str) -> None:
    load("kinds")
    before = show(kernel, kind)
    assert store(kernel, kind, b"certainly not that value, it is too long") is not None
    assert show(kernel, kind) == before


def test_a_latch_can_be_switched_on_but_not_off(kernel: Kernel, load: Load) -> None:
    load("kinds")
    assert store(kernel, "a_latch", b"n") is None
    assert store(kernel, "a_latch", b"y") is None
    assert store(kernel, "a_latch", b"y") is None
    assert store(kernel, "a_latch", b"n") == errno.EROFS
    assert store(kernel, "a_latch", b"x") == errno.EINVAL
    assert show(kernel, "a_latch") == b"Y\n"


def test_any_byte_but_zero_in_memory_is_yes(kernel: Kernel, load: Load) -> None:
    load("kinds")
    kernel.memory.write_int(param(kernel, "a_bool").arg, 2, 1)
    assert show(kernel, "a_bool") == b"Y\n"


def test_a_null_string_shows_as_null(kernel: Kernel, load: Load) -> None:
    load("param_arrays")
    assert show(kernel, "words") == b"one,(null),three\n"


# Strings


@pytest.mark.parametrize(("length", "code"), [(1024, None), (1025, errno.ENOSPC)])
def test_a_string_of_up_to_1024_bytes_is_kept(kernel: Kernel, load: Load, length: int, code: int | None) -> None:
    load("kinds")
    assert store(kernel, "a_charp", b"x" * length) == code
    assert (log(kernel)[-1] == "a_charp: string parameter too long") is (code is not None)


def test_the_old_string_is_freed(kernel: Kernel, load: Load) -> None:
    load("kinds")
    for number in range(10):
        assert store(kernel, "a_charp", b"%d" % number) is None
    assert len(kernel.kmalloced_params) == 1


def test_strings_go_with_their_module(kernel: Kernel, load: Load) -> None:
    load("param_arrays", "words=a,b,c")
    assert len(kernel.kmalloced_params) == 3
    kernel.delete_module("param_arrays")
    assert kernel.kmalloced_params == set()


def test_strings_of_a_refused_load_are_freed(kernel: Kernel, load: Load) -> None:
    before = state(kernel)
    with pytest.raises(OSError):
        load("param_arrays", "words=a,b,c bytes=x")
    assert state(kernel) == before


def test_a_string_with_room_for_its_nul_alone_takes_only_nothing(kernel: Kernel, load: Load) -> None:
    load("param_arrays")
    assert store(kernel, "tiny", b"") is None
    assert store(kernel, "tiny", b"a") == errno.ENOSPC
    assert log(kernel)[-1] == "tiny: string doesn't fit in 0 chars."


# Arrays


@pytest.mark.parametrize(
    ("name", "value", "code", "text"),
    [
        ("bytes", b"1,2,3", None, b"1,2,3\n"),
        ("bytes", b"255,256,1", errno.ERANGE, b"255,2,3\n"),
        ("bytes", b"1,2,3,4", errno.EINVAL, b"1,2,3\n"),
        ("bytes", b"4", None, b"4,2,3\n"),
        ("shorts", b"1,-32769", errno.ERANGE, b"1\n"),
        ("longs", b"-1", errno.EINVAL, b""),
        ("longs", b"1,2,3", errno.EINVAL, b"1,2\n"),
        ("bools", b"y,x", errno.EINVAL, b"Y\n"),
        ("words", b",x", None, b",x,three\n"),
        ("words", b"a,,c", None, b"a,,c\n"),
        ("hex", b"0xff,0x100", None, b"0x0000ff,0x000100\n"),
        ("inverted", b"y,n", None, b"Y,N\n"),
    ],
)
def test_an_array_keeps_the_elements_before_a_bad_one(
    kernel: Kernel, load: Load, name: str, value: bytes, code: int | None, text: bytes
) -> None:
    load("param_arrays")
    assert store(kernel, name, value) == code
    assert show(kernel, name) == text


# Functions that are not there


@pytest.mark.parametrize(("name", "code"), [("no_set", errno.EPERM), ("no_set_0444", errno.EPERM), ("no_get", None)])
def test_without_a_setter_nothing_is_set(kernel: Kernel, load: Load, name: str, code: int | None) -> None:
    load("callbacks")
    assert store(kernel, name, b"6") == code


def test_without_a_getter_nothing_is_shown(kernel: Kernel, load: Load) -> None:
    load("callbacks")
    with pytest.raises(OSError) as caught:
        show(kernel, "no_get")
    assert caught.value.errno == errno.EPERM


# Argument lines


@pytest.mark.parametrize(
    ("args", "name", "text"),
    [
        ("an_int=5", "an_int", b"5\n"),
        ("an-int=5", "an_int", b"5\n"),
        ("an_int=5 an_int=6", "an_int", b"6\n"),
        ('a_charp="two words"', "a_charp", b"two words\n"),
        ('"a_charp=two words"', "a_charp", b"two words\n"),
        ("a_charp=", "a_charp", b"\n"),
        ("a_bool=n a_bool", "a_bool", b"Y\n"),
        ("a_bint=0 a_bint", "a_bint", b"1\n"),
        ("a_latch", "a_latch", b"Y\n"),
        ("ints=1,2", "ints", b"1,2\n"),
        ("  an_int=5  ", "an_int", b"5\n"),
        ("an_int=5 -- an_int=6", "an_int", b"5\n"),
    ],
)
def test_arguments_set_parameters(kernel: Kernel, load: Load, args: str, name: str, text: bytes) -> None:
    load("kinds", args)
    assert show(kernel, name) == text


@pytest.mark.parametrize("name", ["an_int", "a_charp", "ints", "a_string", "an_invbool", "flags"])
def test_only_some_booleans_need_no_value(kernel: Kernel, load: Load, name: str) -> None:
    with pytest.raises(OSError) as caught:
        load("kinds", name)
    assert caught.value.errno == errno.EINVAL
    assert log(kernel)[-1] == f"kinds: `' invalid for parameter `{name}'"


@pytest.mark.parametrize(
    ("args", "code", "lines"),
    [
        ("bytes=256", errno.ERANGE, ["`256' invalid for parameter `bytes'"]),
        ("bytes=1,2,3,4", errno.EINVAL, ["bytes: can only take 3 arguments", "`1' invalid for parameter `bytes'"]),
        ("bytes=", errno.EINVAL, ["`' invalid for parameter `bytes'"]),
        ("bools=y,,n", errno.EINVAL, ["`y' invalid for parameter `bools'"]),
        ("shorts=1,x", errno.EINVAL, ["`1' invalid for parameter `shorts'"]),
        ("tiny=ab", errno.ENOSPC, ["tiny: string doesn't fit in 0 chars.", "`ab' too large for parameter `tiny'"]),
    ],
)
def test_a_bad_argument_is_logged_as_the_parser_left_it(
    kernel: Kernel, load: Load, args: str, code: int, lines: list[str]
) -> None:
    with pytest.raises(OSError) as caught:
        load("param_arrays", args)
    assert caught.value.errno == code
    assert [line.removeprefix("param_arrays: ") for line in log(kernel)[2:]] == lines


def test_every_bad_argument_is_logged_and_the_last_one_decides(kernel: Kernel, load: Load) -> None:
    with pytest.raises(OSError) as caught:
        load("kinds", "an_int=x a_byte=256 a_short=1")
    assert caught.value.errno == errno.ERANGE
    assert [line for line in log(kernel) if "invalid for" in line] == [
        "kinds: `x' invalid for parameter `an_int'",
        "kinds: `256' invalid for parameter `a_byte'",
    ]


def test_an_unknown_parameter_is_ignored_with_a_word(kernel: Kernel, load: Load) -> None:
    load("kinds", "nothing=5 such.thing=6")
    assert log(kernel)[-3:] == [
        "kinds: unknown parameter 'nothing' ignored",
        "kinds: unknown parameter 'such' ignored",
        READY,
    ]


@pytest.mark.parametrize("args", ["async_probe", "async_probe=1", "async_probe=nonsense", "dyndbg", "kinds.dyndbg=+p"])
def test_parameters_of_every_module_are_known(kernel: Kernel, load: Load, args: str) -> None:
    load("kinds", args)
    assert not any("unknown parameter" in line for line in log(kernel))


@pytest.mark.parametrize(
    ("args", "requested"), [("async_probe", True), ("async_probe=0", False), ("async_probe=x", True)]
)
def test_asynchronous_probing_is_a_boolean_in_doubt_true(
    kernel: Kernel, load: Load, args: str, requested: bool
) -> None:
    load("kinds", args)
    (mod,) = kernel.modules
    assert mod.async_probe_requested is requested


@pytest.mark.parametrize(("args", "rest"), [("-- a b", "a b"), ("--", ""), ("an_int=1 -- an_int=x", "an_int=x")])
def test_what_follows_two_dashes_is_ignored_with_a_word(kernel: Kernel, load: Load, args: str, rest: str) -> None:
    load("kinds", args)
    assert log(kernel)[-2:] == [f"kinds: parameters '{rest}' after `--' ignored", READY]


def test_an_error_before_two_dashes_counts(kernel: Kernel, load: Load) -> None:
    with pytest.raises(OSError):
        load("kinds", "an_int=x -- an_int=1")


def test_two_dashes_with_a_value_are_an_unknown_parameter(kernel: Kernel, load: Load) -> None:
    load("kinds", "--=1")
    assert log(kernel)[-2:] == ["kinds: unknown parameter '--' ignored", READY]


# Unsafe parameters


def test_setting_an_unsafe_parameter_taints_the_kernel_and_not_the_module(kernel: Kernel, load: Load) -> None:
    load("kinds", "danger=1")
    assert "Setting dangerous option danger - tainting kernel" in log(kernel)
    assert kernel.test_taint(Taint.USER)
    (mod,) = kernel.modules
    assert not mod.tainted(Taint.USER)


def test_writing_an_unsafe_parameter_taints_even_where_it_is_refused(kernel: Kernel, load: Load) -> None:
    load("kinds")
    assert not kernel.test_taint(Taint.USER)
    assert store(kernel, "danger", b"x") == errno.EINVAL
    assert kernel.test_taint(Taint.USER)


# Names and modes


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [("a_b", "a-b", True), ("a-b", "a_b", True), ("a", "ab", False), ("a", "A", False), ("", "", True)],
)
def test_a_dash_is_as_good_as_an_underscore(a: str, b: str, same: bool) -> None:
    assert (dash2underscore(a) == dash2underscore(b)) is same


def test_a_parameter_has_its_mode(kernel: Kernel, load: Load) -> None:
    load("kinds")
    modes = {name: param(kernel, name).perm for name in ("an_int", "words", "hidden", "root_reads", "root_writes")}
    assert modes == {"an_int": 0o644, "words": 0o444, "hidden": 0, "root_reads": 0o400, "root_writes": 0o200}


def test_levels_of_parameters(kernel: Kernel, load: Load) -> None:
    load("param_levels")
    assert (param(kernel, "irq").level, param(kernel, "late").level) == (-1, 7)
