"""Transactions of SMBus, as adapters carry them out or in messages (drivers/i2c/i2c-core-smbus.c)."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from sysfsd.linux.drivers.i2c.i2c import (
    BLOCK_DATA,
    BLOCK_MAX,
    BYTE,
    BYTE_DATA,
    CLIENT_PEC,
    CLIENT_SCCB,
    M_DMA_SAFE,
    M_RD,
    M_RECV_LEN,
    M_TEN,
    PROC_CALL,
    QUICK,
    READ,
    WORD_DATA,
    WRITE,
)
from sysfsd.linux.err import err
from sysfsd.linux.kernel.printk.printk import Level

if TYPE_CHECKING:
    from sysfsd.linux.drivers.i2c.i2c_core_base import I2c
    from sysfsd.linux.struct_view import StructView

__all__ = ["Smbus"]

_BLOCK_PROC_CALL, _I2C_BLOCK_DATA = 7, 8
#: Where what is read lies, behind what is written (bytes).
_READ_AT: Final = 64


class Transaction(NamedTuple):
    """What has been asked for: the arguments of ``i2c_smbus_xfer()``."""

    adapter: StructView
    addr: int
    flags: int
    read_write: int
    command: int
    protocol: int
    data: int


@dataclass(frozen=True)
class Protocol:
    """A kind of transaction, as an adapter that knows only messages carries it out.

    :ivar data: how many bytes of the caller's data are looked at
    :ivar payload: what of them is written, behind the command
    :ivar wanted: how many bytes are wanted back
    :ivar counted: the data say so, also where nothing of them is written
    :ivar command: the command is written, too
    :ivar single: one message reads or writes it all
    :ivar call: it writes and reads, whichever was asked for
    :ivar checked: a byte of check sum may follow
    :ivar write_flags: of the message that writes data
    :ivar read_flags: of the message that reads them
    :ivar stored_at: where in the caller's data what is read goes
    """

    data: int = 0
    payload: Callable[[bytes], bytes] = lambda data: b""
    wanted: Callable[[bytes], int] = lambda data: 0
    counted: bool = False
    command: bool = True
    single: bool = False
    call: bool = False
    checked: bool = True
    write_flags: int = 0
    read_flags: int = 0
    stored_at: int = 0


_BLOCK: Final = Protocol(
    BLOCK_MAX + 1,
    lambda data: data[: data[0] + 1],
    lambda data: 1,
    write_flags=M_DMA_SAFE,
    read_flags=M_DMA_SAFE | M_RECV_LEN,
)
PROTOCOLS: Final = {
    QUICK: Protocol(command=False, single=True, checked=False),
    BYTE: Protocol(wanted=lambda data: 1, single=True),
    BYTE_DATA: Protocol(1, lambda data: data, lambda data: 1),
    WORD_DATA: Protocol(2, lambda data: data, lambda data: 2),
    PROC_CALL: Protocol(2, lambda data: data, lambda data: 2, call=True),
    BLOCK_DATA: _BLOCK,
    _BLOCK_PROC_CALL: replace(_BLOCK, call=True),
    _I2C_BLOCK_DATA: Protocol(
        BLOCK_MAX + 1,
        lambda data: data[1 : data[0] + 1],
        lambda data: data[0],
        counted=True,
        checked=False,
        write_flags=M_DMA_SAFE,
        read_flags=M_DMA_SAFE,
        stored_at=1,
    ),
}


def pec(crc: int, data: bytes) -> int:
    """``i2c_smbus_pec()``."""
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x07 if crc & 0x80 else 0)) & 0xFF
    return crc


class Smbus:
    """The SMBus transactions of one kernel."""

    def __init__(self, i2c: I2c) -> None:
        self.i2c = i2c
        self.kernel = i2c.kernel

    def smbus_xfer(
        self, adapter: StructView, addr: int, flags: int, read_write: int, command: int, protocol: int, data: int
    ) -> int:
        """``__i2c_smbus_xfer()``."""
        memory, algo = self.kernel.memory, adapter.to("algo")
        blocks = (_I2C_BLOCK_DATA, _BLOCK_PROC_CALL) if read_write == READ else (
            _I2C_BLOCK_DATA, _BLOCK_PROC_CALL, BLOCK_DATA)  # fmt: skip
        if data and protocol in blocks and not 0 < memory.read_int(data, 1) <= BLOCK_MAX:
            return -errno.EINVAL
        flags &= M_TEN | CLIENT_PEC | CLIENT_SCCB
        xfer = algo["smbus_xfer"]
        if xfer:
            args = (addr, flags, read_write, command, protocol, data)
            ret = self.i2c.retried(adapter, lambda: self.kernel.cpu.call(xfer, adapter.address, *args))
            if ret != -errno.EOPNOTSUPP or not algo["master_xfer"]:
                return ret
        with self.i2c.buffer(128) as buffers, self.i2c.buffer(2 * self.kernel.image.structs["i2c_msg"].size) as msgs:
            return self._emulated(Transaction(adapter, addr, flags, read_write, command, protocol, data), buffers, msgs)

    def _emulated(self, asked: Transaction, buffers: int, address: int) -> int:
        """``i2c_smbus_xfer_emulated()``: in messages.

        :param buffers: room for what is written and, 64 bytes behind, for what is read
        :param address: room for two messages
        """
        adapter, protocol = asked.adapter, PROTOCOLS.get(asked.protocol)
        if protocol is None:
            text = b"Unsupported transaction %d\n" % asked.protocol
            self.i2c.core.printk(Level.ERR, adapter.sub("dev"), text)
            return -errno.EOPNOTSUPP
        reads = protocol.call or asked.read_write == READ
        writes = protocol.call or not reads
        messages = 1 if protocol.single or not reads else 2
        looked_at = protocol.data if writes or protocol.counted else 0
        data = self.kernel.memory.read(asked.data, looked_at) if looked_at else b""
        out = bytes([asked.command]) if protocol.command else b""
        out += protocol.payload(data) if writes else b""
        wanted = protocol.wanted(data) if reads else 0
        checked = bool(asked.flags & CLIENT_PEC) and protocol.checked
        first_reads = protocol.single and reads
        crc = 0
        if checked and not first_reads:
            crc = pec(0, bytes([asked.addr << 1 & 0xFF]) + out)
            out += bytes([crc]) if messages == 1 else b""
        self.kernel.memory.write(buffers, out)
        size = self.kernel.image.structs["i2c_msg"].size
        first, second = (self.kernel.struct("i2c_msg", address + size * index) for index in (0, 1))
        self._fill(
            first,
            asked,
            (M_RD if first_reads else 0) | (protocol.write_flags if writes else 0),
            len(out) + (checked and first_reads),
            buffers,
        )
        self._fill(second, asked, M_RD | (protocol.read_flags if reads else 0), wanted + checked, buffers + _READ_AT)
        ret = self.i2c.transfer(adapter, address, messages)
        if ret != messages:
            return ret if ret < 0 else -errno.EIO
        last = second if messages == 2 else first
        if checked and last["flags"] & M_RD and not self._take_pec(asked, last, crc):
            return -errno.EBADMSG
        return self._store(asked, protocol, last, wanted) if reads else 0

    def _fill(self, msg: StructView, asked: Transaction, flags: int, length: int, buf: int) -> None:
        msg["addr"], msg["flags"], msg["len"], msg["buf"] = asked.addr, asked.flags | flags, length, buf

    def _take_pec(self, asked: Transaction, msg: StructView, crc: int) -> bool:
        """``i2c_smbus_check_pec()``: the last byte that was read says whether the others are right."""
        msg["len"] -= 1
        got = self.kernel.memory.read(msg["buf"], msg["len"] + 1)
        return pec(crc, bytes([asked.addr << 1 & 0xFF | 1]) + got[:-1]) == got[-1]

    def _store(self, asked: Transaction, protocol: Protocol, msg: StructView, wanted: int) -> int:
        """Give the caller what was read."""
        memory, buf = self.kernel.memory, msg["buf"]
        if protocol.read_flags & M_RECV_LEN:
            wanted = memory.read_int(buf, 1) + 1
            if wanted > BLOCK_MAX + 1:
                text = b"Invalid block size returned: %d\n" % (wanted - 1)
                self.i2c.core.printk(Level.ERR, asked.adapter.sub("dev"), text)
                return -errno.EPROTO
        if wanted:
            memory.write(asked.data + protocol.stored_at, memory.read(buf, wanted))
        return 0

    # What a client's driver asks for

    def ask(self, client: StructView, read_write: int, command: int, protocol: int, data: bytes = b"") -> bytes:
        """A transaction with a client.

        :param data: what to hand over
        :returns: what ``union i2c_smbus_data`` holds afterwards
        :raises OSError: what the adapter says
        """
        with self.i2c.buffer(BLOCK_MAX + 2) as address:
            self.kernel.memory.write(address, data)
            where = 0 if protocol == BYTE and read_write == WRITE else address
            args = client["addr"], client["flags"], read_write, command, protocol, where
            ret = self.smbus_xfer(client.to("adapter"), *args)
            if ret < 0:
                raise err(-ret)
            return self.kernel.memory.read(address, BLOCK_MAX + 2)
