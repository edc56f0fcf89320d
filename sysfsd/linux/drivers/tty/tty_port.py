"""The hardware side of a terminal (drivers/tty/tty_port.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.kernel.sched.core import HZ
from sysfsd.linux.lib.list import INIT_LIST_HEAD

if TYPE_CHECKING:
    from sysfsd.linux.drivers.tty.tty_io import Ttys
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["Ports"]

_MEM_LIMIT: Final = 640 * 1024


class Ports:
    """The ports of the terminals of one kernel."""

    def __init__(self, ttys: Ttys) -> None:
        self.ttys = ttys
        self.kernel = ttys.kernel

    # What drivers receive

    def init_port(self, port: StructView) -> None:
        """``tty_port_init()``."""
        kernel = self.kernel
        kernel.memory.write(port.address, bytes(port.struct.size))
        sentinel = port.at("buf.sentinel")
        port["buf.head"] = port["buf.tail"] = sentinel
        port["buf.mem_limit"] = _MEM_LIMIT
        kernel.struct("tty_buffer", sentinel)["flags"] = 1
        INIT_LIST_HEAD(kernel.memory, port.at("buf.work.entry"))
        flush = kernel.exports.internal("void flush_to_ldisc(struct work_struct *work)", self._flush_work)
        port["buf.work.func"] = flush
        for head in ("open_wait", "delta_msr_wait"):
            INIT_LIST_HEAD(kernel.memory, port.at(f"{head}.head"))
        for lock in ("mutex", "buf_mutex", "buf.lock"):
            INIT_LIST_HEAD(kernel.memory, port.at(f"{lock}.wait_list"))
        port["close_delay"], port["closing_wait"] = 50 * HZ // 100, 3000 * HZ // 100
        port["client_ops"] = self.client_ops()
        port["kref.refcount.refs.counter"] = 1

    def client_ops(self) -> int:
        """``tty_port_default_client_ops``."""
        kernel = self.kernel
        ops = kernel.struct("tty_port_client_operations", kernel.exports.data_address("tty_port_default_client_ops"))
        if not ops["receive_buf"]:
            ops["receive_buf"] = kernel.exports.internal(
                "int tty_port_default_receive_buf(struct tty_port *port, const unsigned char *p,"
                " const unsigned char *f, size_t count)",
                self._default_receive_buf,
            )
            ops["write_wakeup"] = kernel.exports.internal(
                "void tty_port_default_wakeup(struct tty_port *port)", self._default_wakeup
            )
        return ops.address

    def forget_port(self, port: int) -> None:
        """``tty_port_destroy()``."""
        self.ttys.buffers.inserted.pop(port, None)
        self.ttys.buffers.received.pop(port, None)
        for _start, address, _size in self.ttys.buffers.rooms.pop(port, ()):
            self.kernel.slab.kfree(address)

    def _default_receive_buf(self, kernel: Kernel, port: StructView, p: int, f: int, count: int) -> int:
        """``tty_port_default_receive_buf()``."""
        tty = self.ttys.tty(port["itty"])
        if tty is None or tty.discipline is None:
            return 0
        read = kernel.memory.read
        return tty.discipline.receive(read(p, count) if count else b"", read(f, count) if f and count else None)

    def _default_wakeup(self, kernel: Kernel, port: StructView) -> None:
        """``tty_port_default_wakeup()``."""
        tty = self.ttys.tty(port["tty"])
        if tty is not None:
            tty.wakeup()

    def _flush_work(self, kernel: Kernel, work: StructView) -> None:
        """``flush_to_ldisc()``, as work."""
        self.ttys.buffers.flush_to_ldisc(work.address - kernel.image.offset("tty_port", "buf.work"))
