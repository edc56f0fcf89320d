"""GPIO lines, of a machine that has none."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.mm.memory import PageFault
from sysfsd.linux.registrations import Registrations

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area(
    "drivers/gpio/gpiolib.c",
    "drivers/gpio/gpiolib-legacy.c",
    "drivers/gpio/gpiolib-devres.c",
    "drivers/gpio/gpiolib-sysfs.c",
)

#: ``ARCH_NR_GPIOS``: numbers that lines could have.
_NR_GPIOS: Final = 1024

_MAX_ERRNO: Final = 4095

_EPROBE_DEFER: Final = 517

#: ``struct gpio``: number, flags and label of a line (bytes), and of its number.
_GPIO_SIZE, _NUMBER_SIZE = 24, 4


def _signed(gpio: int) -> int:
    return (gpio ^ 1 << 31) - (1 << 31)


# By number


@export("struct gpio_desc *gpio_to_desc(unsigned int gpio)")
def gpio_to_desc(kernel: Kernel, gpio: int) -> int:
    if not gpio < _NR_GPIOS:
        kernel.log.pr_warn(f"invalid GPIO {_signed(gpio)}")
    return 0


def _request(kernel: Kernel, gpio: int) -> int:
    """A line that could come later is waited for; of what could not nobody complains but the log.

    :raises OSError: EPROBE_DEFER
    """
    gpio_to_desc(kernel, gpio)
    if gpio < _NR_GPIOS:
        raise err(_EPROBE_DEFER)
    return 0


@export("int gpio_request(unsigned int gpio, const char *label)")
def gpio_request(kernel: Kernel, gpio: int, label: bytes | None) -> int:
    return _request(kernel, gpio)


@export("int gpio_request_one(unsigned int gpio, unsigned long flags, const char *label)")
def gpio_request_one(kernel: Kernel, gpio: int, flags: int, label: bytes | None) -> int:
    return _request(kernel, gpio)


@export("int devm_gpio_request(struct device *dev, unsigned int gpio, const char *label)")
def devm_gpio_request(kernel: Kernel, dev: StructView, gpio: int, label: bytes | None) -> int:
    return _request(kernel, gpio)


@export("int devm_gpio_request_one(struct device *dev, unsigned int gpio, unsigned long flags, const char *label)")
def devm_gpio_request_one(kernel: Kernel, dev: StructView, gpio: int, flags: int, label: bytes | None) -> int:
    return _request(kernel, gpio)


@export("void gpio_free(unsigned int gpio)")
def gpio_free(kernel: Kernel, gpio: int) -> None:
    gpio_to_desc(kernel, gpio)


def _number(kernel: Kernel, array: int, index: int) -> int:
    return kernel.memory.read_int(array + _GPIO_SIZE * index, _NUMBER_SIZE)


@export("int gpio_request_array(const struct gpio *array, size_t num)")
def gpio_request_array(kernel: Kernel, array: StructView, num: int) -> int:
    for i in range(num):
        try:
            _request(kernel, _number(kernel, array.address, i))
        except OSError:
            for before in reversed(range(i)):
                gpio_free(kernel, _number(kernel, array.address, before))
            raise
    return 0


@export("void gpio_free_array(const struct gpio *array, size_t num)")
def gpio_free_array(kernel: Kernel, array: StructView, num: int) -> None:
    for i in range(num):
        gpio_free(kernel, _number(kernel, array.address, i))


# By descriptor, which nobody has


def _usable(kernel: Kernel, desc: StructView, function: str) -> bool:
    """``validate_desc()``: False for NULL, of which nobody complains.

    :raises OSError: for an error instead of a descriptor, or what is none
    """
    if not desc.address:
        return False
    if desc.address >= (1 << 64) - _MAX_ERRNO:
        kernel.log.pr_warn(f"{function}: invalid GPIO (errorpointer)")
        raise err((1 << 64) - desc.address)
    if not desc["gdev"]:
        kernel.log.pr_warn(f"{function}: invalid GPIO (no device)")
        raise err(errno.EINVAL)
    return True


def _asks(name: str, params: str = "") -> None:
    """A function that returns 0 for NULL."""

    @export(f"int {name}(struct gpio_desc *desc{params})")
    def ask(kernel: Kernel, desc: StructView, *_args: int) -> int:
        _usable(kernel, desc, name)
        return 0


def _tells(name: str, params: str = "") -> None:
    """The same, of those that return nothing."""

    @export(f"void {name}(struct gpio_desc *desc{params})")
    def tell(kernel: Kernel, desc: StructView, *_args: int) -> None:
        try:
            _usable(kernel, desc, name)
        except PageFault:
            raise
        except OSError:
            return


for _name in (
    "gpiod_get_value", "gpiod_get_value_cansleep", "gpiod_get_raw_value", "gpiod_get_raw_value_cansleep",
    "gpiod_direction_input", "gpiod_cansleep", "gpiod_is_active_low",
):  # fmt: skip
    _asks(_name)

for _name in ("gpiod_direction_output", "gpiod_direction_output_raw"):
    _asks(_name, ", int value")

_asks("gpiod_set_debounce", ", unsigned int debounce")

_asks("gpiod_set_config", ", unsigned long config")

_asks("gpiod_set_transitory", ", bool transitory")

_asks("gpiod_set_consumer_name", ", const char *name")

for _name in ("gpiod_set_value", "gpiod_set_value_cansleep", "gpiod_set_raw_value", "gpiod_set_raw_value_cansleep"):
    _tells(_name, ", int value")

_tells("gpiod_toggle_active_low")


@export("int gpiod_to_irq(const struct gpio_desc *desc)")
def gpiod_to_irq(kernel: Kernel, desc: StructView) -> int:
    raise err(errno.EINVAL)


@export("int gpiod_get_direction(struct gpio_desc *desc)", "int desc_to_gpio(const struct gpio_desc *desc)")
def gpiod_get_direction(kernel: Kernel, desc: StructView) -> int:
    return desc["gdev"]  # which faults


@export("int gpiod_export(struct gpio_desc *desc, bool direction_may_change)")
def gpiod_export(kernel: Kernel, desc: StructView, direction_may_change: bool) -> int:
    raise err(errno.EINVAL)


@export("int gpiod_export_link(struct device *dev, const char *name, struct gpio_desc *desc)")
def gpiod_export_link(kernel: Kernel, dev: StructView, name: bytes | None, desc: StructView) -> int:
    kernel.log.pr_warn("gpiod_export_link: invalid GPIO")
    raise err(errno.EINVAL)


@export("void gpiod_unexport(struct gpio_desc *desc)")
def gpiod_unexport(kernel: Kernel, desc: StructView) -> None:
    kernel.log.pr_warn("gpiod_unexport: invalid GPIO")


# Of devices


@export(
    "struct gpio_desc *gpiod_get(struct device *dev, const char *con_id, enum gpiod_flags flags)",
    "struct gpio_desc *devm_gpiod_get(struct device *dev, const char *con_id, enum gpiod_flags flags)",
    "struct gpio_descs *gpiod_get_array(struct device *dev, const char *con_id, enum gpiod_flags flags)",
    "struct gpio_descs *devm_gpiod_get_array(struct device *dev, const char *con_id, enum gpiod_flags flags)",
)
def gpiod_get(kernel: Kernel, dev: StructView, con_id: bytes | None, flags: int) -> int:
    raise err(errno.ENOENT)


@export(
    "struct gpio_desc *gpiod_get_index(struct device *dev, const char *con_id, unsigned int idx,"
    " enum gpiod_flags flags)",
    "struct gpio_desc *devm_gpiod_get_index(struct device *dev, const char *con_id, unsigned int idx,"
    " enum gpiod_flags flags)",
)
def gpiod_get_index(kernel: Kernel, dev: StructView, con_id: bytes | None, idx: int, flags: int) -> int:
    raise err(errno.ENOENT)


@export(
    "struct gpio_desc *gpiod_get_optional(struct device *dev, const char *con_id, enum gpiod_flags flags)",
    "struct gpio_desc *devm_gpiod_get_optional(struct device *dev, const char *con_id, enum gpiod_flags flags)",
    "struct gpio_descs *gpiod_get_array_optional(struct device *dev, const char *con_id, enum gpiod_flags flags)",
    "struct gpio_descs *devm_gpiod_get_array_optional(struct device *dev, const char *con_id, enum gpiod_flags flags)",
)
def gpiod_get_optional(kernel: Kernel, dev: StructView, con_id: bytes | None, flags: int) -> int:
    return 0


@export(
    "struct gpio_desc *gpiod_get_index_optional(struct device *dev, const char *con_id, unsigned int index,"
    " enum gpiod_flags flags)",
    "struct gpio_desc *devm_gpiod_get_index_optional(struct device *dev, const char *con_id, unsigned int index,"
    " enum gpiod_flags flags)",
)
def gpiod_get_index_optional(kernel: Kernel, dev: StructView, con_id: bytes | None, index: int, flags: int) -> int:
    return 0


@export("int gpiod_count(struct device *dev, const char *con_id)")
def gpiod_count(kernel: Kernel, dev: StructView, con_id: bytes | None) -> int:
    raise err(errno.ENOENT)


@export("void gpiod_put(struct gpio_desc *desc)")
def gpiod_put(kernel: Kernel, desc: StructView) -> None:
    if desc.address:
        kernel.memory.read_pointer(desc.address)


@export("void gpiod_add_lookup_table(struct gpiod_lookup_table *table)")
def gpiod_add_lookup_table(kernel: Kernel, table: StructView) -> None:
    kernel.state(Registrations).add("gpiod_lookup_table", table.address, table.address)


@export("void gpiod_remove_lookup_table(struct gpiod_lookup_table *table)")
def gpiod_remove_lookup_table(kernel: Kernel, table: StructView) -> None:
    kernel.state(Registrations).remove_key("gpiod_lookup_table", table.address)
