"""Is this module made for this kernel? (kernel/module/version.c)"""

from __future__ import annotations

import struct
from typing import Final

__all__ = ["parse_versions", "same_magic"]

#: ``struct modversion_info``: the CRC in a long, and the symbol's name.
_MODVERSION_INFO: Final = struct.Struct("<Q56s")


def parse_versions(section: bytes) -> dict[str, int]:
    """The contents of ``__versions``: the CRC that the module was built with, by symbol. The first entry counts."""
    whole = len(section) - len(section) % _MODVERSION_INFO.size
    versions: dict[str, int] = {}
    for crc, name in _MODVERSION_INFO.iter_unpack(section[:whole]):
        versions.setdefault(name.split(b"\0", 1)[0].decode("latin-1"), crc)
    return versions


def same_magic(amagic: str, bmagic: str, has_crcs: bool) -> bool:
    """Whether two version magics agree; where symbols have versions, the release before the first space may differ."""
    if has_crcs:
        amagic, bmagic = (magic[magic.find(" ") :] if " " in magic else "" for magic in (amagic, bmagic))
    return amagic == bmagic
