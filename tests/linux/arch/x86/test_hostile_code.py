"""Whatever a module's code is, the kernel goes on, and so does the code of others."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Final

import pytest

from sysfsd.linux.arch.x86.traps import TaskKilled
from sysfsd.linux.system import Kernel
from tests.conftest import MODULES

#: Beginnings of instructions that only a kernel may use: lgdt, mov cr, wrmsr, sysret, int, out, hlt, iret, popf, ...
PRIVILEGED: Final = (
    *(b"\x0f\x00", b"\x0f\x01", b"\x0f\x05", b"\x0f\x07", b"\x0f\x20", b"\x0f\x22", b"\x0f\x30", b"\x0f\x32"),
    *(b"\x0f\x34", b"\x0f\xae", b"\x0f\xc7", b"\xcd\x80", b"\xe6\x80", b"\xec", b"\xf4", b"\xcf", b"\xcb", b"\xfa"),
    *(b"\x8e\xd0", b"\x9d", b"\x0f\x01\xf8"),
)
#: mov $7,%eax; ret
SEVEN: Final = b"\xb8\x07\x00\x00\x00\xc3"


def program(rng: random.Random) -> bytes:
    code = bytearray(rng.randbytes(64))
    for at in range(0, 60, 7):
        if rng.random() < 0.3:
            instruction = rng.choice(PRIVILEGED)
            code[at : at + len(instruction)] = instruction
    return bytes(code)


@pytest.mark.parametrize("seed", range(4))
def test_random_code_spoils_nothing_for_others(seed: int) -> None:
    rng = random.Random(seed)
    kernel = Kernel()
    kernel.sched.softlockup_thresh = 0.05
    kernel.init_module((MODULES / "naps.ko").read_bytes())
    mod = kernel.modules.find("naps")
    assert mod is not None
    text, data = mod.core_layout.base, mod.core_layout.base + mod.core_layout.ro_after_init_size
    for _ in range(50):
        kernel.memory.poke(text, program(rng))
        kernel.cpu.code_changed()
        with kernel.lock, suppress(TaskKilled):
            kernel.cpu.call(text, rng.getrandbits(64), data, 0, rng.getrandbits(32))
    kernel.memory.poke(text, SEVEN)
    kernel.cpu.code_changed()
    with kernel.lock:
        assert kernel.cpu.call(text) == 7
    kernel.init_module((MODULES / "hello.ko").read_bytes())
    kernel.delete_module("hello")
    texts = [record.text for record in kernel.log.records()]
    assert texts[-2:] == [b"hello: (0) Hello, world", b"hello: Goodbye, world, count is now 1"]
