"""How memory controllers report errors."""

from __future__ import annotations

from sysfsd.linux.exports import Area

export = Area("drivers/edac/edac_mc.c")

export.data("int edac_op_state", -1)
