"""Interrupts, ports, memory of devices, GPIO lines: what there is of them without any device."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable

import pytest

from sysfsd.linux.arch.x86.insn import insn_length
from sysfsd.linux.arch.x86.ports import Ports
from sysfsd.linux.kernel.irq.manage import IRQF_SHARED, Irqs
from sysfsd.linux.kernel.kprobes import Kprobes
from sysfsd.linux.kernel.resource import Resources, is_ram
from sysfsd.linux.system import Kernel

Load = Callable[..., None]
HANDLER = 0xFFFFFFFFC0000000


def log(kernel: Kernel) -> list[str]:
    return [record.text.decode("latin-1") for record in kernel.log.records()]


@pytest.fixture
def irqs(kernel: Kernel) -> Irqs:
    assert kernel.cpu
    return kernel.state(Irqs)


def request(kernel: Kernel, irqs: Irqs, irq: int, name: bytes, flags: int = 0, dev_id: int = 1) -> int:
    return irqs.request(irq, HANDLER, 0, flags, kernel.slab.string(name), dev_id)


class TestInterrupts:
    def test_one_that_is_not_shared_is_had_once(self, kernel: Kernel, irqs: Irqs) -> None:
        request(kernel, irqs, 5, b"first")
        with pytest.raises(OSError, match=r"busy") as raised:
            request(kernel, irqs, 5, b"second", IRQF_SHARED, 2)
        assert raised.value.errno == errno.EBUSY
        assert log(kernel)[-1] == "genirq: Flags mismatch irq 5. 00000080 (second) vs. 00000000 (first)"
        assert kernel.memory.read_string(irqs.free(5, 1)) == b"first"
        request(kernel, irqs, 5, b"second", IRQF_SHARED, 2)

    @pytest.mark.parametrize("irq", [-1, 16, 100, 1 << 30])
    def test_there_are_sixteen(self, kernel: Kernel, irqs: Irqs, irq: int) -> None:
        assert irqs.desc(irq) is None
        with pytest.raises(OSError, match="Invalid"):
            request(kernel, irqs, irq, b"name")

    def test_those_that_nobody_has_can_be_looked_for(self, kernel: Kernel, irqs: Irqs) -> None:
        assert irqs.probe() == 0xECE4
        request(kernel, irqs, 7, b"name")
        irqs.disable(5)
        irqs.enable(5)
        assert irqs.probe() == 0xECE4 & ~(1 << 7)

    def test_turning_off_nests(self, kernel: Kernel, irqs: Irqs) -> None:
        request(kernel, irqs, 5, b"name")
        desc = irqs.existing(5)
        assert [irqs.disable(5), desc["depth"], irqs.disable(5), desc["depth"]] == [True, 1, True, 2]
        irqs.enable(5)
        irqs.enable(5)
        assert desc["depth"] == 0


class TestResources:
    def test_what_lies_where(self, kernel: Kernel) -> None:
        resources = kernel.state(Resources)
        ports = resources.listing("ioport_resource", True).decode().splitlines()
        assert ports[:2] == ["0000-0cf7 : PCI Bus 0000:00", "  0000-001f : dma1"]
        assert "    0604-0605 : ACPI PM1a_CNT_BLK" in ports
        hidden = resources.listing("iomem_resource", False).decode().splitlines()
        assert hidden[1] == "00000000-00000000 : System RAM"

    def test_a_region_is_had_once(self, kernel: Kernel) -> None:
        resources = kernel.state(Resources)
        assert kernel.cpu
        root = resources.view(kernel.exports.data_address("ioport_resource"))
        before, name = resources.listing("ioport_resource", True), kernel.slab.string(b"mine")
        found = resources.request_region(root, 0x5000, 8, name, 0)
        assert resources.view(found).to("parent").string("name") == b"PCI Bus 0000:00"
        assert resources.request_region(root, 0x5004, 8, name, 0) == 0
        assert resources.request_region(root, 0x60, 1, name, 0) == 0
        assert b"  5000-5007 : mine\n" in resources.listing("ioport_resource", True)
        resources.release_region(root, 0x5000, 8)
        assert resources.listing("ioport_resource", True) == before
        resources.release_region(root, 0x5000, 8)
        text = "resource: Trying to free nonexistent resource <0x0000000000005000-0x0000000000005007>"
        assert log(kernel)[-1] == text

    def test_a_part_of_a_page_is_no_memory(self) -> None:
        assert is_ram(0x1000000, 0x1000FFF)
        assert not is_ram(0x3F200010, 0x3F2000C3)
        assert not is_ram(0xD0000000, 0xD0000FFF)


class TestPorts:
    def test_where_there_is_nothing_all_bits_are_set(self, kernel: Kernel) -> None:
        ports = kernel.state(Ports)
        assert [ports.read(0x5000, size) for size in (1, 2, 4)] == [0xFF, 0xFFFF, 0xFFFFFFFF]

    def test_the_parallel_port_keeps_what_it_is_given(self, kernel: Kernel) -> None:
        ports = kernel.state(Ports)
        ports.write(0x378, 1, 0x5A)
        assert ports.read(0x378, 1) == 0x5A

    def test_a_reset_of_the_parallel_port_takes_back_its_timeout(self, kernel: Kernel) -> None:
        ports = kernel.state(Ports)
        assert ports.read(0x379, 1) == 0xD9
        ports.write(0x37A, 1, 0x10)
        assert (ports.read(0x379, 1), ports.read(0x37A, 1)) == (0xD8, 0xD0)

    def test_the_clock_tells_the_time(self, kernel: Kernel) -> None:
        ports = kernel.state(Ports)
        ports.write(0x70, 1, 0x09)
        assert f"{ports.read(0x71, 1):02x}" == time.strftime("%y", time.gmtime())


@pytest.mark.parametrize(
    ("code", "length"),
    [
        ("90", 1), ("55", 1), ("c3", 1), ("0f1f440000", 5), ("e800000000", 5), ("0f8400000000", 6), ("eb00", 2),
        ("4883ec08", 4), ("4881ec00010000", 7), ("48b80000000000000000", 10), ("66b80000", 4), ("f6c001", 3),
        ("f7c001000000", 6), ("48f7d8", 3), ("488b0500000000", 7), ("488b04c500000000", 8), ("65488b042528000000", 9),
        ("f3a4", 2), ("0fb6c0", 3), ("660f3a0fc108", 6), ("c5f877", 3), ("0f0b", 2), ("c8000000", 4),
    ],
)  # fmt: skip
def test_how_long_an_instruction_is(code: str, length: int) -> None:
    assert insn_length(bytes.fromhex(code) + bytes(15)) == length


def test_gpio_lines_may_still_come(kernel: Kernel, load: Load) -> None:
    load("gpio_none")
    said = log(kernel)
    assert "gpio: 4: valid 1, request -517" in said
    assert "invalid GPIO 1024" in said


def test_a_probe_ends_with_the_module_that_it_is_in(kernel: Kernel, load: Load) -> None:
    load("kprobe_probes")
    assert (
        kernel.state(Kprobes).listing(False)
        == b"0000000000000000  k  probes_sum+0x0  kprobe_probes [DISABLED][FTRACE]\n"
    )
    kernel.delete_module("kprobe_probes")
    assert kernel.state(Kprobes).listing(True) == b""
    assert "kprobe: sum of 20, 21, exit" in log(kernel)


def test_a_table_that_is_protected_can_be_written_all_the_same(kernel: Kernel, load: Load) -> None:
    load("kprobe_steal")
    kernel.delete_module("kprobe_steal")
    assert [line for line in log(kernel) if "openat" in line] == [
        "steal: close __x64_sys_close, openat __x64_sys_openat, read __x64_sys_read, kill __x64_sys_kill, last"
        " __x64_sys_set_mempolicy_home_node",
        "steal: openat mine [kprobe_steal], wp 1",
        "steal: openat __x64_sys_openat",
    ]
