"""What messages, transactions and clients are (include/linux/i2c.h, include/uapi/linux/i2c.h)."""

from __future__ import annotations

from typing import Final

__all__ = [
    "BLOCK_DATA",
    "BLOCK_MAX",
    "BYTE",
    "BYTE_DATA",
    "CLIENT_PEC",
    "CLIENT_SCCB",
    "CLIENT_SLAVE",
    "CLIENT_TEN",
    "M_DMA_SAFE",
    "M_RD",
    "M_RECV_LEN",
    "M_TEN",
    "PROC_CALL",
    "QUICK",
    "READ",
    "WORD_DATA",
    "WRITE",
]

BLOCK_MAX: Final = 32
# Flags of clients and messages (include/linux/i2c.h).
CLIENT_PEC, CLIENT_TEN, CLIENT_SLAVE, CLIENT_SCCB = 0x04, 0x10, 0x20, 0x9000
M_RD, M_TEN, M_DMA_SAFE, M_RECV_LEN = 0x0001, 0x0010, 0x0200, 0x0400
READ, WRITE = 1, 0
QUICK, BYTE, BYTE_DATA, WORD_DATA, PROC_CALL, BLOCK_DATA = range(6)
