"""Universally unique identifiers."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/uuid.c")

export.data("const u8 uuid_null[16]")

export.data("const u8 guid_null[16]")

#: What is looked at; anything may follow.
_UUID: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def _mixed(data: bytes) -> bytes:
    """A uuid as a guid, and back: the first three numbers in the machine's order."""
    return data[3::-1] + data[5:3:-1] + data[7:5:-1] + data[8:]


@export("bool uuid_is_valid(const char *uuid)")
def uuid_is_valid(kernel: Kernel, uuid: bytes) -> bool:
    return _UUID.match(uuid) is not None


def _parse(uuid: bytes) -> bytes:
    """:raises OSError: EINVAL"""
    match = _UUID.match(uuid)
    if match is None:
        raise err(errno.EINVAL)
    return bytes.fromhex(match[0].replace(b"-", b"").decode())


@export("int uuid_parse(const char *uuid, uuid_t *u)")
def uuid_parse(kernel: Kernel, uuid: bytes, u: StructView) -> int:
    kernel.memory.write(u.address, _parse(uuid))
    return 0


@export("int guid_parse(const char *uuid, guid_t *u)")
def guid_parse(kernel: Kernel, uuid: bytes, u: StructView) -> int:
    kernel.memory.write(u.address, _mixed(_parse(uuid)))
    return 0


def _random(kernel: Kernel) -> bytes:
    """A random uuid (version 4)."""
    data = bytearray(kernel.random_bytes(16))
    data[6] = data[6] & 0x0F | 0x40
    data[8] = data[8] & 0x3F | 0x80
    return bytes(data)


@export("void generate_random_uuid(unsigned char *uuid)")
def generate_random_uuid(kernel: Kernel, uuid: int) -> None:
    kernel.memory.write(uuid, _random(kernel))


@export("void generate_random_guid(unsigned char *guid)")
def generate_random_guid(kernel: Kernel, guid: int) -> None:
    kernel.memory.write(guid, _mixed(_random(kernel)))


@export("void uuid_gen(uuid_t *bu)")
def uuid_gen(kernel: Kernel, bu: StructView) -> None:
    kernel.memory.write(bu.address, _random(kernel))


@export("void guid_gen(guid_t *lu)")
def guid_gen(kernel: Kernel, lu: StructView) -> None:
    kernel.memory.write(lu.address, _mixed(_random(kernel)))
