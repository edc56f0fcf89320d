"""The rate limit of messages about the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.lib.ratelimit_exports import OwnRatelimits, ratelimit

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("net/core/utils.c")


@export("int net_ratelimit(void)")
def net_ratelimit(kernel: Kernel) -> bool:
    return ratelimit(kernel, kernel.state(OwnRatelimits).net, b"net_ratelimit")
