"""What tests/modules/pieces.c tries, in a kernel of its own: algorithms, timers, softirqs, pages, tasks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from sysfsd.linux.system import Kernel
from tests.linux.state import log

Load = Callable[..., None]


def said(kernel: Kernel) -> list[str]:
    """What the module has printed."""
    return [
        line.removeprefix("pieces: ") for line in log(kernel) if line.startswith("pieces: ") and "taint" not in line
    ]


def test_hashes_are_the_kernels_own(kernel: Kernel, load: Load) -> None:
    load("pieces", "piece=crypto")
    lines = said(kernel)
    for name in ("md5", "sha1", "sha224", "sha256"):
        digest = hashlib.new(name, b"some text").hexdigest()
        assert any(line.startswith(f"{name} {name}-generic ") and line.endswith(f": 0 {digest}") for line in lines)
    mac = hmac.new(b"secret", b"some text", "sha256").hexdigest()
    assert any(line.startswith("hmac(sha256) hmac(sha256-generic) ") and line.endswith(mac) for line in lines)
    assert "nothing: -2" in lines


def test_a_cipher_wants_a_key_of_the_right_size(kernel: Kernel, load: Load) -> None:
    load("pieces", "piece=crypto")
    lines = said(kernel)
    assert lines[lines.index("without a key -126") + 1 :][:3] == ["key of 15 -22", "key of 20 -22", "key of 32 0"]
    assert "decrypted 0 thirty-two bytes of what is said" in lines
    assert lines[-1] == "odd -22"


def test_high_resolution_timers_ask_their_clock(kernel: Kernel, load: Load) -> None:
    load("pieces", "piece=timers")
    beats = [f"beat {i} late or in time" for i in (1, 2, 3)]
    assert said(kernel) == [*(line for _ in range(3) for line in [*beats, "cancelled 0"]), "nap 0", "no nap 0"]


def test_who_keeps_the_processor_busy_is_interrupted(kernel: Kernel, load: Load) -> None:
    load("pieces", "piece=busy")
    lines = [line.split(" of ")[0] for line in said(kernel)]
    assert lines == [
        "tasklet",
        "after the tasklet",
        "after the timer",  # which is left to ksoftirqd
        "not while softirqs are disabled",
        "timer in softirq 1",
        "tasklet",
        "but then",
    ]


def test_what_is_completed_for_all_stays_so(kernel: Kernel, load: Load) -> None:
    load("pieces", "piece=completions")
    assert said(kernel) == ["complete 1"]


def test_pages_of_a_block_that_is_split_are_freed_one_by_one(kernel: Kernel, load: Load) -> None:
    load("pieces", "piece=pages")
    assert said(kernel) == [f"page {i} has 1" for i in (3, 2, 1, 0)]


def test_a_task_has_what_its_process_has(kernel: Kernel, load: Load) -> None:
    fields = dict.fromkeys(("start_code", "start_data", "arg_start", "start_stack"), 1)
    fields |= dict.fromkeys(("end_code", "end_data", "arg_end"), 2) | {"map_count": 9}
    kernel.sched.address_space = lambda pid: fields
    load("pieces", "piece=tasks")
    lines = said(kernel)
    assert lines[0] == "1 threads, 1, leader 1, terminal 0"
    assert lines[1] == "the same 1, code 1, data 1, stack 1, arguments 1, areas 1"
    assert lines[3:] == ["5 kfree", "tasks+0x"]
