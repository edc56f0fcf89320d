"""The kernel's types of module parameters, for modules that build their own on them."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.params import PARAM_FREERS, PARAM_GETTERS, PARAM_OPS, PARAM_SETTERS, kernel_param

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/params.c")

for _name in PARAM_OPS:
    export.data(f"const struct kernel_param_ops {_name}")


def _setter(name: str) -> None:
    @export(f"int {name}(const char *val, const struct kernel_param *kp)")
    def set_(kernel: Kernel, val: bytes | None, kp: StructView) -> int:
        PARAM_SETTERS[name](kernel, kernel_param(kernel, kp.address), val)
        return 0


def _getter(name: str) -> None:
    @export(f"int {name}(char *buffer, const struct kernel_param *kp)")
    def get(kernel: Kernel, buffer: int, kp: StructView) -> int:
        text = PARAM_GETTERS[name](kernel, kernel_param(kernel, kp.address))
        kernel.memory.write(buffer, text + b"\0")
        return len(text)


def _freer(name: str) -> None:
    @export(f"void {name}(void *arg)")
    def free(kernel: Kernel, arg: int) -> None:
        PARAM_FREERS[name](kernel, arg)


for _name in PARAM_SETTERS:
    _setter(_name)

for _name in PARAM_GETTERS:
    _getter(_name)

for _name in PARAM_FREERS:
    _freer(_name)


@export("int param_set_uint_minmax(const char *val, const struct kernel_param *kp, unsigned int min, unsigned int max)")
def param_set_uint_minmax(kernel: Kernel, val: bytes | None, kp: StructView, min: int, max: int) -> int:
    if val is None:
        raise err(errno.EINVAL)
    param = kernel_param(kernel, kp.address)
    old = kernel.memory.read_int(param.arg)
    PARAM_SETTERS["param_set_uint"](kernel, param, val)
    if not min <= kernel.memory.read_int(param.arg) <= max:
        kernel.memory.write_int(param.arg, old)
        raise err(errno.EINVAL)
    return 0


@export("void kernel_param_lock(struct module *mod)", "void kernel_param_unlock(struct module *mod)")
def kernel_param_lock(kernel: Kernel, mod: StructView) -> None:
    """The kernel lock is held already."""
