"""Who asks: the credentials that the kernel model checks (kernel/cred.c, kernel/capability.c)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

__all__ = ["INIT_CRED", "Capability", "Cred"]


class Capability(IntEnum):
    """The bits of include/uapi/linux/capability.h that module loading asks for."""

    DAC_OVERRIDE = 1
    NET_ADMIN = 12
    SYS_MODULE = 16
    SYS_ADMIN = 21
    MKNOD = 27
    SYSLOG = 34


@dataclass(frozen=True, slots=True)
class Cred:
    """A task's user, group and effective capabilities (bit mask), and the task itself."""

    uid: int
    gid: int
    capabilities: int
    pid: int = 0

    def effective(self) -> int:
        """The effective capabilities (bit mask)."""
        return self.capabilities

    def real_ids(self) -> tuple[int, int]:
        """The real user and group, where *uid* and *gid* are the effective ones."""
        return self.uid, self.gid

    def capable(self, capability: int) -> bool:
        return bool(self.effective() >> capability & 1)


#: The kernel's own.
INIT_CRED: Final = Cred(0, 0, (1 << 64) - 1)
