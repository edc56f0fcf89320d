"""The system calls: init_module(2), finit_module(2), delete_module(2)."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from sysfsd.host.kernel_read_file import kernel_read_file
from sysfsd.image.image import KernelImage
from sysfsd.linux.err import err
from sysfsd.linux.kernel.cred import INIT_CRED, Capability, Cred
from sysfsd.linux.kernel.module.module import ModuleState
from sysfsd.linux.kernel.panic import Taint
from sysfsd.linux.system import Kernel
from tests.conftest import HANG, refusal
from tests.linux.fake import FakeCpu
from tests.linux.ko import Ko, module_path
from tests.linux.state import log, state

Load = Callable[..., None]

NOBODY = Cred(1000, 1000, 0)
ALL_BUT_SYS_MODULE = Cred(0, 0, INIT_CRED.capabilities & ~(1 << Capability.SYS_MODULE))
ONLY_SYS_MODULE = Cred(1000, 1000, 1 << Capability.SYS_MODULE)
IGNORE_MODVERSIONS, IGNORE_VERMAGIC, COMPRESSED = 1, 2, 4


def efault() -> NoReturn:
    """Memory of the caller that is not there."""
    raise err(errno.EFAULT)


@contextmanager
def opened(path: str | Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        os.close(fd)


# Who may


@pytest.mark.parametrize("cred", [NOBODY, ALL_BUT_SYS_MODULE])
def test_without_the_capability_nothing_is_looked_at(kernel: Kernel, cred: Cred) -> None:
    with refusal(errno.EPERM):
        kernel.init_module(b"", cred=cred)
    with refusal(errno.EPERM):
        kernel.finit_module(file(-1), flags=64, cred=cred)
    with refusal(errno.EPERM):
        kernel.delete_module("", cred=cred)


def test_the_capability_alone_is_enough(kernel: Kernel) -> None:
    kernel.init_module(module_path("greeter").read_bytes(), cred=ONLY_SYS_MODULE)
    kernel.delete_module("greeter", cred=ONLY_SYS_MODULE)


def test_once_modules_are_disabled_nobody_may_anything(kernel: Kernel, load: Load) -> None:
    load("greeter")
    kernel.tunables.modules_disabled = 1
    with refusal(errno.EPERM):
        kernel.init_module(module_path("provider").read_bytes())
    with refusal(errno.EPERM):
        kernel.finit_module(file(-1))
    with refusal(errno.EPERM):
        kernel.delete_module("greeter")
    with refusal(errno.EPERM):
        kernel.delete_module("nothing")


# init_module


@pytest.mark.parametrize("length", [0, 1, 63])
def test_less_than_a_header_is_refused_without_a_word(kernel: Kernel, length: int) -> None:
    with refusal(errno.ENOEXEC):
        kernel.init_module(module_path("versions").read_bytes()[:length])
    assert log(kernel) == []


def test_less_than_a_header_is_refused_whatever_signature_it_bears(kernel: Kernel) -> None:
    with refusal(errno.ENOEXEC):
        kernel.init_module(module_path("mark-short").read_bytes())


def test_arguments_end_with_their_nul(kernel: Kernel) -> None:
    kernel.init_module(module_path("greeter").read_bytes(), b"count=2\0count=x")
    (mod,) = kernel.modules
    assert mod.args == b"count=2"


@pytest.mark.parametrize(("size", "code"), [(0, errno.ENOEXEC), (63, errno.ENOEXEC), (64, errno.EFAULT)])
def test_a_file_shorter_than_a_header_is_not_read(kernel: Kernel, size: int, code: int) -> None:
    with refusal(code):
        kernel.init_module(efault, size=size)


@pytest.mark.parametrize("size", [1 << 31, 1 << 36, 1 << 40, 1 << 63, (1 << 64) - 1])
def test_a_file_for_which_there_is_no_memory_is_not_read(kernel: Kernel, size: int) -> None:
    with refusal(errno.ENOMEM):
        kernel.init_module(efault, size=size)


def test_file_and_arguments_are_read_from_the_callers_memory(kernel: Kernel) -> None:
    image = module_path("greeter").read_bytes()
    kernel.init_module(lambda: image, lambda: b"count=2", size=len(image))
    (mod,) = kernel.modules
    assert mod.args == b"count=2"


def test_nothing_is_read_for_who_may_not(kernel: Kernel) -> None:
    with refusal(errno.EPERM):
        kernel.init_module(efault, efault, NOBODY, size=64)
    with refusal(errno.EPERM):
        kernel.finit_module(efault, efault, cred=NOBODY)
    with refusal(errno.EPERM):
        kernel.delete_module(efault, cred=NOBODY)


def test_a_file_that_is_no_module_needs_no_arguments(kernel: Kernel) -> None:
    with refusal(errno.ENOEXEC):
        kernel.init_module(b"x" * 64, efault)


def test_a_module_that_is_loaded_needs_no_arguments(kernel: Kernel, load: Load) -> None:
    load("greeter")
    with refusal(errno.EEXIST):
        kernel.init_module(module_path("greeter").read_bytes(), efault)


def test_symbols_are_looked_for_before_arguments_are_read(kernel: Kernel) -> None:
    with refusal(errno.ENOENT):
        kernel.init_module(module_path("consumer").read_bytes(), efault)


def test_arguments_that_cannot_be_read_undo_the_loading_but_not_its_taints(kernel: Kernel, load: Load) -> None:
    load("provider")
    before = state(kernel)
    for _ in range(2):
        with refusal(errno.EFAULT):
            kernel.init_module(module_path("consumer").read_bytes(), efault)
        assert state(kernel) == before
    assert log(kernel)[:2] == [
        "provider: loading out-of-tree module taints kernel.",
        "provider: module verification failed: signature and/or required key missing - tainting kernel",
    ]
    assert kernel.test_taint(Taint.OOT_MODULE)
    load("consumer")


def test_the_kernel_goes_on_while_arguments_are_read(kernel: Kernel, load: Load) -> None:
    """The caller's memory may be one of the kernel's own files."""

    def read() -> bytes:
        other = threading.Thread(target=load, args=("provider",))
        other.start()
        other.join(HANG)
        assert not other.is_alive()
        return b""

    kernel.init_module(module_path("greeter").read_bytes(), read)
    assert {mod.name for mod in kernel.modules} == {"greeter", "provider"}


def test_arguments_may_be_as_long_as_kmalloc_has_memory(kernel: Kernel) -> None:
    image = module_path("greeter").read_bytes()
    kernel.init_module(image, b" " * ((4 << 20) - 1))
    kernel.delete_module("greeter")
    before = state(kernel)
    with refusal(errno.ENOMEM):
        kernel.init_module(image, b" " * (4 << 20))
    assert state(kernel) == before


def test_an_init_function_that_fails_answers_its_error(kernel: Kernel, load: Load) -> None:
    kernel.cpu = FakeCpu(lambda _function: -errno.ENODEV)
    before = state(kernel)
    with refusal(errno.ENODEV):
        load("provider")
    assert state(kernel) == before


def test_an_init_function_that_returns_a_positive_number_is_frowned_upon(kernel: Kernel, load: Load) -> None:
    load("refcounts", "result=7")
    lines = log(kernel)
    at = lines.index(
        "do_init_module: 'refcounts'->init suspiciously returned 7, it should follow 0/-E convention\n"
        "do_init_module: loading module anyway..."
    )
    assert lines[at + 1].startswith("CPU: 0 PID: ")
    assert "Call Trace:" in lines[at + 1 :]
    (mod,) = kernel.modules
    assert mod.state is ModuleState.LIVE


def test_init_and_exit_are_called_with_their_addresses(kernel: Kernel, load: Load) -> None:
    called: list[int] = []

    def call(function: int) -> int:
        called.append(function)
        return 0

    kernel.cpu = FakeCpu(call)
    load("greeter")
    (mod,) = kernel.modules
    kernel.delete_module("greeter")
    assert called == [mod.init, mod.exit]
    assert mod.exit in mod.core_layout


# finit_module


def file(fd: int) -> Callable[[], bytes]:
    """What reads an open file of this process, as the kernel does."""
    return lambda: kernel_read_file(fd)


def test_a_module_is_loaded_from_a_descriptor(kernel: Kernel) -> None:
    with opened(module_path("greeter")) as fd:
        os.lseek(fd, 100, os.SEEK_SET)
        kernel.finit_module(file(fd), b"count=3")
        assert os.lseek(fd, 0, os.SEEK_CUR) == 100
    assert [mod.name for mod in kernel.modules] == ["greeter"]


@pytest.mark.parametrize("flags", [8, 16, 1 << 30, 9])
def test_unknown_flags_are_invalid_before_the_descriptor_is_looked_at(kernel: Kernel, flags: int) -> None:
    with refusal(errno.EINVAL):
        kernel.finit_module(file(-1), flags=flags)


def test_a_descriptor_that_is_not_open(kernel: Kernel) -> None:
    with refusal(errno.EBADF):
        kernel.finit_module(file(-1))


@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_PATH])
@pytest.mark.parametrize("path", ["file", "empty", "/dev/null"])
def test_a_descriptor_that_is_not_open_for_reading(kernel: Kernel, tmp_path: Path, path: str, flags: int) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "empty").touch()
    with opened(tmp_path / path, flags) as fd, refusal(errno.EBADF):
        kernel.finit_module(file(fd))


def test_a_directory_is_no_file(kernel: Kernel, tmp_path: Path) -> None:
    with opened(tmp_path) as fd, refusal(errno.EINVAL):
        kernel.finit_module(file(fd))


def test_a_pipe_is_no_file(kernel: Kernel) -> None:
    reading, writing = os.pipe()
    with refusal(errno.EINVAL):
        kernel.finit_module(file(reading))
    os.close(reading)
    os.close(writing)


def test_an_empty_file_is_invalid(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "empty.ko").touch()
    with opened(tmp_path / "empty.ko") as fd, refusal(errno.EINVAL):
        kernel.finit_module(file(fd))


def test_a_short_file_is_no_module(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "short.ko").write_bytes(b"x")
    with opened(tmp_path / "short.ko") as fd, refusal(errno.ENOEXEC):
        kernel.finit_module(file(fd))
    assert log(kernel) == ["Invalid ELF header len 1"]


@pytest.mark.parametrize(
    ("size", "code"), [(1 << 40, errno.EFBIG), (1 << 31, errno.EFBIG), ((1 << 31) - 1, errno.ENOMEM)]
)
def test_a_file_too_large_is_not_read(kernel: Kernel, tmp_path: Path, size: int, code: int) -> None:
    with opened(tmp_path / "huge.ko", os.O_RDONLY | os.O_CREAT) as fd:
        os.truncate(tmp_path / "huge.ko", size)
        with refusal(code):
            kernel.finit_module(file(fd))


@pytest.mark.parametrize("size", [0, 1, 1 << 40])
def test_a_descriptor_that_can_be_written_too(kernel: Kernel, tmp_path: Path, size: int) -> None:
    with opened(tmp_path / "busy.ko", os.O_RDWR | os.O_CREAT) as fd:
        os.truncate(fd, size)
        with refusal(errno.ETXTBSY):
            kernel.finit_module(file(fd))


def test_a_file_shorter_than_it_says(kernel: Kernel) -> None:
    with opened("/sys/devices/system/cpu/online") as fd, refusal(errno.EIO):
        kernel.finit_module(file(fd))


def test_flags_are_looked_at_before_the_callers_descriptor_is(kernel: Kernel) -> None:
    with refusal(errno.EINVAL):
        kernel.finit_module(efault, flags=8)
    with opened(module_path("greeter")) as fd:
        kernel.finit_module(file(fd), lambda: b"count=3")
    (mod,) = kernel.modules
    assert mod.args == b"count=3"


def test_this_kernel_unpacks_nothing(kernel: Kernel) -> None:
    with opened(module_path("greeter")) as fd, refusal(errno.EOPNOTSUPP):
        kernel.finit_module(file(fd), flags=COMPRESSED)


# Forcing


@pytest.mark.parametrize(
    ("name", "flags", "code"),
    [
        ("versions-printk", 0, errno.EINVAL),
        ("versions-printk", IGNORE_MODVERSIONS, None),
        ("versions-printk", IGNORE_VERMAGIC, errno.EINVAL),
        ("versions-layout", 0, errno.ENOEXEC),
        ("versions-layout", IGNORE_MODVERSIONS, None),
        ("magic-flags", 0, errno.ENOEXEC),
        ("magic-flags", IGNORE_MODVERSIONS, errno.ENOEXEC),
        ("magic-flags", IGNORE_VERMAGIC, None),
        ("magic-release", 0, None),
        ("magic-release", IGNORE_MODVERSIONS, errno.ENOEXEC),
        ("magic-release", IGNORE_MODVERSIONS | IGNORE_VERMAGIC, None),
    ],
)
def test_versions_can_be_ignored(kernel: Kernel, name: str, flags: int, code: int | None) -> None:
    with opened(module_path(name)) as fd:
        if code is None:
            kernel.finit_module(file(fd), flags=flags)
        else:
            with refusal(code):
                kernel.finit_module(file(fd), flags=flags)


@pytest.mark.parametrize(("flags", "reason"), [(1, "module_layout"), (2, "bad vermagic"), (3, "module_layout")])
def test_forcing_taints_even_where_it_was_not_needed(kernel: Kernel, flags: int, reason: str) -> None:
    with opened(module_path("versions")) as fd:
        kernel.finit_module(file(fd), flags=flags)
    (mod,) = kernel.modules
    assert mod.tainted(Taint.FORCED_MODULE)
    assert log(kernel)[:2] == [f"versions: {reason}: kernel tainted.", "Disabling lock debugging due to kernel taint"]


def test_a_kernel_that_lets_nothing_be_forced(image: KernelImage) -> None:
    kernel = Kernel(image, config={"CONFIG_MODULE_FORCE_LOAD": None})
    with opened(module_path("versions")) as fd:
        for flags in (1, 2, 3):
            with refusal(errno.ENOEXEC):
                kernel.finit_module(file(fd), flags=flags)
    assert kernel.tainted == 0


# delete_module


@pytest.mark.parametrize("name", ["nothing", "", "x" * 56, "x" * 5000, "/", "greeter "])
def test_a_module_that_is_not_there(kernel: Kernel, load: Load, name: str) -> None:
    load("greeter")
    with refusal(errno.ENOENT):
        kernel.delete_module(name)


def test_a_name_that_cannot_be_read(kernel: Kernel) -> None:
    with refusal(errno.EFAULT):
        kernel.delete_module(efault)


def test_a_name_is_read_from_the_callers_memory(kernel: Kernel, load: Load) -> None:
    load("greeter")
    kernel.delete_module(lambda: "greeter")
    assert not list(kernel.modules)


@pytest.mark.parametrize("flags", [0, os.O_NONBLOCK, 1, -1])
def test_a_module_that_nobody_uses_goes_whatever_the_flags(kernel: Kernel, load: Load, flags: int) -> None:
    load("greeter")
    kernel.delete_module("greeter", flags)
    assert not kernel.test_taint(Taint.FORCED_RMMOD)


def test_a_module_with_the_longest_name(kernel: Kernel) -> None:
    kernel.init_module(bytes(Ko("versions").rename("x" * 55)))
    kernel.delete_module("x" * 55)


@pytest.mark.parametrize("state_", [ModuleState.COMING, ModuleState.GOING])
def test_a_module_that_is_starting_or_stopping_is_busy(kernel: Kernel, load: Load, state_: ModuleState) -> None:
    load("greeter")
    (mod,) = kernel.modules
    mod.state = state_
    with refusal(errno.EBUSY):
        kernel.delete_module("greeter", os.O_TRUNC)


def test_a_permanent_module_stays(kernel: Kernel, load: Load) -> None:
    load("permanent")
    with refusal(errno.EBUSY):
        kernel.delete_module("permanent")
    assert not kernel.test_taint(Taint.FORCED_RMMOD)


def test_a_permanent_module_goes_by_force(kernel: Kernel, load: Load) -> None:
    load("permanent")
    kernel.delete_module("permanent", os.O_TRUNC)
    assert kernel.test_taint(Taint.FORCED_RMMOD)
    assert log(kernel)[-1] == "Disabling lock debugging due to kernel taint"


def test_a_module_in_use_goes_by_force(kernel: Kernel, load: Load) -> None:
    before = state(kernel)
    load("greeter")
    (mod,) = kernel.modules
    mod.try_module_get()
    kernel.delete_module("greeter", os.O_TRUNC)
    assert kernel.test_taint(Taint.FORCED_RMMOD)
    assert state(kernel) == before


def test_force_that_is_not_needed_taints_nothing(kernel: Kernel, load: Load) -> None:
    load("greeter")
    kernel.delete_module("greeter", os.O_TRUNC)
    assert not kernel.test_taint(Taint.FORCED_RMMOD)


def test_a_kernel_without_force(image: KernelImage) -> None:
    kernel = Kernel(image, config={"CONFIG_MODULE_FORCE_UNLOAD": None})
    kernel.init_module(module_path("permanent").read_bytes())
    with refusal(errno.EBUSY):
        kernel.delete_module("permanent", os.O_TRUNC)


def test_taints_of_the_kernel_outlive_the_module(kernel: Kernel, load: Load) -> None:
    load("proprietary")
    tainted = kernel.tainted
    kernel.delete_module("proprietary")
    assert kernel.tainted == tainted


def test_a_kernel_that_cannot_unload(image: KernelImage) -> None:
    kernel = Kernel(image, config={"CONFIG_MODULE_UNLOAD": None})
    for cred in (INIT_CRED, NOBODY):
        with refusal(errno.ENOSYS):
            kernel.delete_module("greeter", cred=cred)


# The command line


def booted(image: KernelImage, cmdline: str) -> Kernel:
    return Kernel(image, cmdline=cmdline)


@pytest.mark.parametrize(
    "cmdline", ["module_blacklist=versions", "module-blacklist=a,versions,b", "module_blacklist=,versions"]
)
def test_a_blacklisted_module_is_not_permitted(image: KernelImage, cmdline: str) -> None:
    kernel = booted(image, cmdline)
    with refusal(errno.EPERM):
        kernel.init_module(module_path("versions").read_bytes())
    assert log(kernel) == ["Module versions is blacklisted"]
    kernel.init_module(module_path("greeter").read_bytes())


def test_the_name_that_is_blacklisted_is_the_one_in_modinfo(image: KernelImage) -> None:
    kernel = booted(image, "module_blacklist=verbose")
    with refusal(errno.EPERM):
        kernel.init_module(module_path("name-info").read_bytes())


def test_of_two_blacklists_the_last_one_counts(image: KernelImage) -> None:
    kernel = booted(image, "module_blacklist=versions module_blacklist=greeter")
    kernel.init_module(module_path("versions").read_bytes())
    with refusal(errno.EPERM):
        kernel.init_module(module_path("greeter").read_bytes())


def test_nomodule_disables_modules(image: KernelImage) -> None:
    with refusal(errno.EPERM):
        booted(image, "nomodule").init_module(module_path("versions").read_bytes())


@pytest.mark.parametrize(
    ("cmdline", "level"),
    [
        ("", 7),
        ("quiet", 4),
        ("loglevel=3", 3),
        ("quiet loglevel=8", 8),
        ("loglevel=8 quiet", 4),
        ("loglevel=x", 7),
        ("-- quiet", 7),
    ],
)
def test_the_console_level_is_what_the_command_line_says(image: KernelImage, cmdline: str, level: int) -> None:
    assert booted(image, cmdline).log.console_loglevel == level


@pytest.mark.parametrize(
    ("cmdline", "enforced"),
    [
        ("", False),
        ("module.sig_enforce", True),
        ("module.sig_enforce=1", True),
        ("module.sig-enforce=y", True),
        ("module.sig_enforce=0", False),
        ("module.sig_enforce=off", False),
        ("module.sig_enforce=nonsense", False),
    ],
)
def test_signatures_are_enforced_where_the_command_line_says_so(
    image: KernelImage, cmdline: str, enforced: bool
) -> None:
    assert booted(image, cmdline).sig_enforce is enforced


@pytest.mark.parametrize("cmdline", ["quiet a='", 'quiet a="b', "quiet \\", "quiet '"])
def test_any_command_line_boots(image: KernelImage, cmdline: str) -> None:
    assert booted(image, cmdline).log.console_loglevel == 4


# Addresses


@pytest.mark.parametrize(
    ("kptr_restrict", "paranoid", "capable", "shown"),
    [
        (0, 3, False, False),
        (0, 2, False, False),
        (0, 1, False, True),
        (0, -1, False, True),
        (0, 3, True, True),
        (1, 1, False, False),
        (1, 1, True, True),
        (2, -1, True, False),
    ],
)
def test_who_may_see_addresses(kernel: Kernel, kptr_restrict: int, paranoid: int, capable: bool, shown: bool) -> None:
    kernel.tunables.kptr_restrict = kptr_restrict
    kernel.tunables.perf_event_paranoid = paranoid
    cred = Cred(1000, 1000, 1 << Capability.SYSLOG if capable else 0)
    assert kernel.kallsyms_show_value(cred) is shown


# uname


def test_the_name_of_the_kernel(kernel: Kernel) -> None:
    kernel.tunables.hostname = "host"
    kernel.tunables.domainname = "x" * 64
    utsname = kernel.newuname()
    fields = [utsname[at : at + 65].rstrip(b"\0").decode() for at in range(0, 390, 65)]
    assert len(utsname) == 390
    assert fields == [
        "Linux",
        "host",
        "6.1.0-56-amd64",
        "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)",
        "x86_64",
        "x" * 64,
    ]
