"""What the firmware says of the system: here nothing, there are no DMI tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/firmware/dmi_scan.c")


@export("int dmi_check_system(const struct dmi_system_id *list)")
def dmi_check_system(kernel: Kernel, list: StructView) -> int:
    return 0


@export("const struct dmi_system_id *dmi_first_match(const struct dmi_system_id *list)")
def dmi_first_match(kernel: Kernel, list: StructView) -> int:
    return 0


@export("const char *dmi_get_system_info(int field)")
def dmi_get_system_info(kernel: Kernel, field: int) -> int:
    return 0


@export("int dmi_name_in_vendors(const char *str)")
def dmi_name_in_vendors(kernel: Kernel, str: bytes | None) -> int:
    return 0


@export("bool dmi_match(enum dmi_field f, const char *str)")
def dmi_match(kernel: Kernel, f: int, str: bytes | None) -> bool:
    return str is None
