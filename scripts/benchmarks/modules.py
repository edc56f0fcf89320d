"""Modules by the thousand: a built one under other names."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["HELLO", "MODULES", "ROOT", "make", "named"]

ROOT: Final = Path(__file__).resolve().parents[2]
MODULES: Final = ROOT / "tests/modules"
#: Exports nothing, so that it can be loaded under many names; has a parameter that can be written.
HELLO: Final = MODULES / "hello.ko"

#: Of section headers: name, offset and size.
_SECTION: Final = struct.Struct("<I20xQQ24x")
#: Where ``struct module`` has its name, and how much room for it.
_NAME: Final = (24, 56)


@cache
def _read(path: Path) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """A file, and where its sections are."""
    data = path.read_bytes()
    (start,) = struct.unpack_from("<Q", data, 40)
    count, names = struct.unpack_from("<HH", data, 60)
    headers = [_SECTION.unpack_from(data, start + 64 * i) for i in range(count)]
    strings = headers[names][1]

    def text(at: int) -> str:
        return data[strings + at : data.index(0, strings + at)].decode()

    return data, {text(name): (offset, size) for name, offset, size in headers}


def named(path: Path, name: str) -> bytes:
    """A module's file under another name, of the same length as its own."""
    data, sections = _read(path)
    at, room = _NAME
    place = sections[".gnu.linkonce.this_module"][0] + at
    offset, size = sections[".modinfo"]
    old = b"name=" + data[place : place + room].rstrip(b"\0") + b"\0"
    new = b"name=" + name.encode() + b"\0"
    assert len(old) == len(new)
    info = data[offset : offset + size].replace(old, new)
    data = data[:offset] + info + data[offset + size :]
    return data[:place] + name.encode().ljust(room, b"\0") + data[place + room :]


def make(directory: Path, count: int, letter: str = "h", path: Path = HELLO) -> list[Path]:
    """So many modules, named like "h0000", in a directory."""
    directory.mkdir(exist_ok=True)
    made = []
    for number in range(count):
        file = directory / f"{letter}{number:04}.ko"
        if not file.exists():
            file.write_bytes(named(path, file.stem))
        made.append(file)
    return made
