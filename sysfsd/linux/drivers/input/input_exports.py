"""Input devices, their handlers and what they say to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.class_exports import builtin_class
from sysfsd.linux.drivers.input.input import Input
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/input/input.c")

builtin_class(export, "input_class", "input")


def _input(kernel: Kernel) -> Input:
    return kernel.state(Input)


@export("struct input_dev *input_allocate_device(void)")
def input_allocate_device(kernel: Kernel) -> StructView | None:
    try:
        return _input(kernel).allocate()
    except OSError:
        return None


@export("struct input_dev *devm_input_allocate_device(struct device *dev)")
def devm_input_allocate_device(kernel: Kernel, dev: StructView) -> StructView | None:
    try:
        return _input(kernel).devm_allocate(dev)
    except OSError:
        return None


@export("void input_free_device(struct input_dev *dev)")
def input_free_device(kernel: Kernel, dev: StructView) -> None:
    _input(kernel).free(dev)


@export("int input_register_device(struct input_dev *dev)")
def input_register_device(kernel: Kernel, dev: StructView) -> int:
    _input(kernel).register(dev)
    return 0


@export("void input_unregister_device(struct input_dev *dev)")
def input_unregister_device(kernel: Kernel, dev: StructView) -> None:
    _input(kernel).unregister(dev)


# What a device can do


@export("void input_set_capability(struct input_dev *dev, unsigned int type, unsigned int code)")
def input_set_capability(kernel: Kernel, dev: StructView, type: int, code: int) -> None:
    _input(kernel).set_capability(dev, type, code)


@export("void input_alloc_absinfo(struct input_dev *dev)")
def input_alloc_absinfo(kernel: Kernel, dev: StructView) -> None:
    _input(kernel).alloc_absinfo(dev)


@export(
    "void input_set_abs_params(struct input_dev *dev, unsigned int axis, int min, int max, int fuzz, int flat)",
)
def input_set_abs_params(kernel: Kernel, dev: StructView, axis: int, min: int, max: int, fuzz: int, flat: int) -> None:
    _input(kernel).set_abs_params(dev, axis, (min, max, fuzz, flat))


@export("void input_enable_softrepeat(struct input_dev *dev, int delay, int period)")
def input_enable_softrepeat(kernel: Kernel, dev: StructView, delay: int, period: int) -> None:
    kernel.memory.write_int(dev.at("rep"), delay)
    kernel.memory.write_int(dev.at("rep") + 4, period)


@export("bool input_match_device_id(const struct input_dev *dev, const struct input_device_id *id)")
def input_match_device_id(kernel: Kernel, dev: StructView, id: StructView) -> bool:
    return _input(kernel).matches(dev, id)


# Events


@export("void input_event(struct input_dev *dev, unsigned int type, unsigned int code, int value)")
def input_event(kernel: Kernel, dev: StructView, type: int, code: int, value: int) -> None:
    _input(kernel).events.event(dev, type, code, value)


@export("void input_inject_event(struct input_handle *handle, unsigned int type, unsigned int code, int value)")
def input_inject_event(kernel: Kernel, handle: StructView, type: int, code: int, value: int) -> None:
    _input(kernel).events.inject(handle, type, code, value)


# Handlers


@export("int input_register_handler(struct input_handler *handler)")
def input_register_handler(kernel: Kernel, handler: StructView) -> int:
    _input(kernel).register_handler(handler)
    return 0


@export("void input_unregister_handler(struct input_handler *handler)")
def input_unregister_handler(kernel: Kernel, handler: StructView) -> None:
    _input(kernel).unregister_handler(handler)


@export("int input_register_handle(struct input_handle *handle)")
def input_register_handle(kernel: Kernel, handle: StructView) -> int:
    _input(kernel).register_handle(handle)
    return 0


@export("void input_unregister_handle(struct input_handle *handle)")
def input_unregister_handle(kernel: Kernel, handle: StructView) -> None:
    _input(kernel).unregister_handle(handle)


@export("int input_open_device(struct input_handle *handle)")
def input_open_device(kernel: Kernel, handle: StructView) -> int:
    _input(kernel).open(handle)
    return 0


@export("void input_close_device(struct input_handle *handle)")
def input_close_device(kernel: Kernel, handle: StructView) -> None:
    _input(kernel).close(handle)
