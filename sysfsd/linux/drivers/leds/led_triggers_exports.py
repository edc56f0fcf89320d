"""LED triggers."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.lib.list import INIT_LIST_HEAD
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/leds/led-triggers.c")


# LED triggers


@export("int led_trigger_register(struct led_trigger *trig)")
def led_trigger_register(kernel: Kernel, trig: StructView) -> int:
    INIT_LIST_HEAD(kernel.memory, trig.at("led_cdevs"))
    INIT_LIST_HEAD(kernel.memory, trig.at("next_trig"))
    registered(kernel).add("led_trigger", trig.string("name"), trig.address)
    return 0


@export("void led_trigger_unregister(struct led_trigger *trig)")
def led_trigger_unregister(kernel: Kernel, trig: StructView) -> None:
    registered(kernel).remove("led_trigger", trig.address)


@export("void led_trigger_register_simple(const char *name, struct led_trigger **tp)")
def led_trigger_register_simple(kernel: Kernel, name: bytes, tp: int) -> None:
    address = kernel.slab.kmalloc(kernel.image.structs["led_trigger"].size)
    trig = kernel.struct("led_trigger", address)
    trig["name"] = kernel.slab.string(name)
    try:
        led_trigger_register(kernel, trig)
    except FileExistsError:
        kernel.slab.kfree(address)
        text = name.decode("latin-1")
        kernel.log.pr_warn(f"LED trigger {text} failed to register (-{errno.EEXIST})")
        address = 0
    kernel.memory.write_pointer(tp, address)


@export("void led_trigger_unregister_simple(struct led_trigger *trig)")
def led_trigger_unregister_simple(kernel: Kernel, trig: StructView) -> None:
    if trig.address:
        led_trigger_unregister(kernel, trig)
        kernel.slab.kfree(trig["name"])
        kernel.slab.kfree(trig.address)


@export("void led_trigger_event(struct led_trigger *trigger, enum led_brightness event)")
def led_trigger_event(kernel: Kernel, trigger: StructView, event: int) -> None:
    if trigger.address:
        trigger["brightness"] = event
