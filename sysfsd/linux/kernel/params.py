"""Module parameters: parsing arguments, and the types that a parameter can have (kernel/params.c).

A parameter's value lives in the module's memory and nowhere else: a ``get`` formats it from there, a ``set`` parses
into it.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from sysfsd.linux.err import err
from sysfsd.linux.kernel.panic import Taint
from sysfsd.linux.lib.cmdline import next_arg, skip_spaces
from sysfsd.linux.lib.kstrtox import INT_TYPES, IntType, kstrto, kstrtobool
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.image.image import KernelImage
    from sysfsd.linux.kernel.module.module import Module
    from sysfsd.linux.system import Kernel

__all__ = [
    "KernelParam",
    "KernelParamOps",
    "dash2underscore",
    "destroy_params",
    "kernel_param",
    "param_symbols",
    "parse_args",
    "read_params",
    "show_param",
    "store_param",
]

KERNEL_PARAM_FL_UNSAFE: Final = 1 << 0
KERNEL_PARAM_OPS_FL_NOARG: Final = 1 << 0

#: The longest charp (bytes, without its NUL).
CHARP_MAX: Final = 1024

Setter = Callable[["Kernel", "KernelParam", bytes | None], None]
Getter = Callable[["Kernel", "KernelParam"], bytes]
Freer = Callable[["Kernel", int], None]


class KernelParamOps(NamedTuple):
    """``struct kernel_param_ops``: what a type of parameter can do; None where a module gives no function."""

    flags: int
    set: Setter | None
    get: Getter | None
    free: Freer | None = None


@dataclass(frozen=True, slots=True)
class KernelParam:
    """``struct kernel_param``; *address* is its own, *arg* that of the value or of what describes it."""

    address: int
    name: str
    ops: KernelParamOps
    perm: int
    level: int
    flags: int
    arg: int
    mod: Module | None


def _given(val: bytes | None) -> bytes:
    """The value for a setter that cannot do without.

    :raises OSError: EFAULT: a module may claim that its parameter needs none
    """
    if val is None:
        raise err(errno.EFAULT)
    return val


# The standard types


def _standard(kind: IntType, show: Callable[[int], str]) -> tuple[Setter, Getter]:
    """``STANDARD_PARAM_DEF()``."""

    def set_(kernel: Kernel, kp: KernelParam, val: bytes | None) -> None:
        kernel.memory.write_int(kp.arg, kstrto(kind, _given(val)), kind.size)

    def get(kernel: Kernel, kp: KernelParam) -> bytes:
        return f"{show(kernel.memory.read_int(kp.arg, kind.size, kind.signed))}\n".encode()

    return set_, get


def _emit(text: bytes) -> bytes:
    """``scnprintf(buffer, PAGE_SIZE, "%s\\n", ...)``."""
    return (text + b"\n")[: PAGE_SIZE - 1]


def param_set_charp(kernel: Kernel, kp: KernelParam, val: bytes | None) -> None:
    val = _given(val)
    if len(val) > CHARP_MAX:
        kernel.log.pr_err(f"{kp.name}: string parameter too long")
        raise err(errno.ENOSPC)
    kernel.memory.view(kp.arg, 8)  # fails before there is anything to take back
    copy = kernel.slab.kmalloc(len(val) + 1)
    kernel.memory.write(copy, val + b"\0")
    kernel.kmalloced_params.add(copy)
    param_free_charp(kernel, kp.arg)
    kernel.memory.write_pointer(kp.arg, copy)


def param_get_charp(kernel: Kernel, kp: KernelParam) -> bytes:
    pointer = kernel.memory.read_pointer(kp.arg)
    return _emit(kernel.memory.read_string(pointer) if pointer else b"(null)")


def param_free_charp(kernel: Kernel, arg: int) -> None:
    """Free the string that the pointer at *arg* leads to, if param_set_charp() made it."""
    pointer = kernel.memory.read_pointer(arg)
    if pointer in kernel.kmalloced_params:
        kernel.kmalloced_params.remove(pointer)
        kernel.slab.kfree(pointer)


def _bool_value(val: bytes | None) -> bool:
    """Without a value, a boolean means "yes"."""
    return True if val is None else kstrtobool(val)


def param_set_bool(kernel: Kernel, kp: KernelParam, val: bytes | None) -> None:
    kernel.memory.write_int(kp.arg, _bool_value(val), 1)


def param_get_bool(kernel: Kernel, kp: KernelParam) -> bytes:
    return b"Y\n" if kernel.memory.read_int(kp.arg, 1) else b"N\n"


def param_set_bool_enable_only(kernel: Kernel, kp: KernelParam, val: bytes | None) -> None:
    new = _bool_value(val)
    if not new and kernel.memory.read_int(kp.arg, 1):
        raise err(errno.EROFS)
    if new:
        param_set_bool(kernel, kp, val)


def param_set_invbool(kernel: Kernel, kp: KernelParam, val: bytes | None) -> None:
    kernel.memory.write_int(kp.arg, not _bool_value(val), 1)


def param_get_invbool(kernel: Kernel, kp: KernelParam) -> bytes:
    return b"N\n" if kernel.memory.read_int(kp.arg, 1) else b"Y\n"


def param_set_bint(kernel: Kernel, kp: KernelParam, val: bytes | None) -> None:
    kernel.memory.write_int(kp.arg, _bool_value(val), 4)


class _KparamString(NamedTuple):
    """``struct kparam_string``."""

    maxlen: int
    string: int

    @classmethod
    def read(cls, kernel: Kernel, address: int) -> _KparamString:
        return cls(*struct.unpack("<I4xQ", kernel.memory.read(address, 16)))


def param_set_copystring(kernel: Kernel, kp: KernelParam, val: bytes | None) -> None:
    val = _given(val)
    kps = _KparamString.read(kernel, kp.arg)
    if len(val) >= kps.maxlen:
        kernel.log.pr_err(f"{kp.name}: string doesn't fit in {(kps.maxlen - 1) & 0xFFFFFFFF} chars.")
        raise err(errno.ENOSPC)
    kernel.memory.write(kps.string, val + b"\0")


def param_get_string(kernel: Kernel, kp: KernelParam) -> bytes:
    return _emit(kernel.memory.read_string(_KparamString.read(kernel, kp.arg).string))


class _KparamArray(NamedTuple):
    """``struct kparam_array``."""

    max: int
    elemsize: int
    num: int
    ops: int
    elem: int

    @classmethod
    def read(cls, kernel: Kernel, address: int) -> _KparamArray:
        return cls(*struct.unpack("<IIQQQ", kernel.memory.read(address, 32)))

    def count(self, kernel: Kernel) -> int:
        """Elements in use; never more than would fill a page of output many times over."""
        return min(kernel.memory.read_int(self.num) if self.num else self.max, PAGE_SIZE)


def param_array_set(kernel: Kernel, kp: KernelParam, val: bytes | None) -> None:
    """A comma-separated list; ``num`` counts what has been set, also where a later element is refused."""
    val = _given(val)
    arr = _KparamArray.read(kernel, kp.arg)
    ops = param_ops(kernel, arr.ops)

    def set_num(num: int) -> None:
        if arr.num:
            kernel.memory.write_int(arr.num, num)

    set_num(0)
    for num, element in enumerate(val.split(b",")):
        if num == arr.max:
            kernel.log.pr_err(f"{kp.name}: can only take {arr.max} arguments")
            raise err(errno.EINVAL)
        if ops.set is None:
            raise err(errno.EFAULT)
        ops.set(kernel, replace(kp, ops=ops, arg=arr.elem + num * arr.elemsize), element)
        set_num(num + 1)


def param_array_get(kernel: Kernel, kp: KernelParam) -> bytes:
    """The elements' own texts, the newline between two of them turned into a comma."""
    arr = _KparamArray.read(kernel, kp.arg)
    ops = param_ops(kernel, arr.ops)
    if ops.get is None:
        raise err(errno.EFAULT)
    text = bytearray()
    for i in range(arr.count(kernel)):
        if text:
            text[-1:] = b","
        text += ops.get(kernel, replace(kp, ops=ops, arg=arr.elem + i * arr.elemsize))
        if len(text) >= PAGE_SIZE:
            break
    return bytes(text)


def param_array_free(kernel: Kernel, arg: int) -> None:
    arr = _KparamArray.read(kernel, arg)
    free = param_ops(kernel, arr.ops).free
    if free is not None:
        for i in range(arr.count(kernel)):
            free(kernel, arr.elem + i * arr.elemsize)


_INTEGERS: Final[dict[str, tuple[str, Callable[[int], str]]]] = {
    "byte": ("u8", str),
    "short": ("s16", str),
    "ushort": ("u16", str),
    "int": ("int", str),
    "uint": ("uint", str),
    "long": ("l", str),
    "ulong": ("ul", str),
    "ullong": ("ull", str),
    "hexint": ("uint", "{:#08x}".format),
}

#: The kernel's exported setters and getters, which a module's own operations may name as well.
PARAM_SETTERS: Final[dict[str, Setter]] = {
    "param_set_charp": param_set_charp,
    "param_set_bool": param_set_bool,
    "param_set_bool_enable_only": param_set_bool_enable_only,
    "param_set_invbool": param_set_invbool,
    "param_set_bint": param_set_bint,
    "param_set_copystring": param_set_copystring,
}
PARAM_GETTERS: Final[dict[str, Getter]] = {
    "param_get_charp": param_get_charp,
    "param_get_bool": param_get_bool,
    "param_get_invbool": param_get_invbool,
    "param_get_string": param_get_string,
}
for _name, (_kind, _show) in _INTEGERS.items():
    PARAM_SETTERS[f"param_set_{_name}"], PARAM_GETTERS[f"param_get_{_name}"] = _standard(INT_TYPES[_kind], _show)
PARAM_FREERS: Final[dict[str, Freer]] = {"param_free_charp": param_free_charp}

_NOARG: Final = KERNEL_PARAM_OPS_FL_NOARG

#: The kernel's ``param_ops_*``: the objects that a module's parameters point to.
PARAM_OPS: Final[dict[str, KernelParamOps]] = {
    **{
        f"param_ops_{name}": KernelParamOps(0, PARAM_SETTERS[f"param_set_{name}"], PARAM_GETTERS[f"param_get_{name}"])
        for name in _INTEGERS
    },
    "param_ops_charp": KernelParamOps(0, param_set_charp, param_get_charp, param_free_charp),
    "param_ops_bool": KernelParamOps(_NOARG, param_set_bool, param_get_bool),
    "param_ops_bool_enable_only": KernelParamOps(_NOARG, param_set_bool_enable_only, param_get_bool),
    "param_ops_invbool": KernelParamOps(0, param_set_invbool, param_get_invbool),
    "param_ops_bint": KernelParamOps(_NOARG, param_set_bint, PARAM_GETTERS["param_get_int"]),
    "param_ops_string": KernelParamOps(0, param_set_copystring, param_get_string),
    "param_array_ops": KernelParamOps(0, param_array_set, param_array_get, param_array_free),
}
#: Those that call nothing that a module brings.
SIMPLE_PARAM_OPS: Final = frozenset(ops for name, ops in PARAM_OPS.items() if name != "param_array_ops")


# Reading them out of a module


def param_symbols(image: KernelImage) -> dict[int, str]:
    """The names of the kernel's objects and functions above, by their addresses in a kernel."""
    names = (*PARAM_OPS, *PARAM_SETTERS, *PARAM_GETTERS, *PARAM_FREERS)
    return {symbol.value: name for name in names if (symbol := image.find_export(name)) is not None}


def param_ops(kernel: Kernel, address: int) -> KernelParamOps:
    """The operations at *address*: the kernel's own, or a ``struct kernel_param_ops`` in a module; none at NULL."""
    if not address:
        return KernelParamOps(0, None, None, None)
    names = kernel.param_symbols
    known = PARAM_OPS.get(names.get(address, ""))
    if known is not None:
        return known
    flags, set_, get, free = struct.unpack("<I4xQQQ", kernel.memory.read(address, 32))
    return KernelParamOps(
        flags,
        (PARAM_SETTERS.get(names.get(set_, "")) or _module_setter(set_)) if set_ else None,
        (PARAM_GETTERS.get(names.get(get, "")) or _module_getter(get)) if get else None,
        (PARAM_FREERS.get(names.get(free, "")) or _module_freer(free)) if free else None,
    )


def _module_setter(function: int) -> Setter:
    """A setter that is the module's own code: ``int set(const char *val, const struct kernel_param *kp)``."""

    def set_(kernel: Kernel, kp: KernelParam, val: bytes | None) -> None:
        string = 0
        if val is not None:
            string = kernel.slab.kmalloc(len(val) + 1)
            kernel.memory.write(string, val + b"\0")
        try:
            result = kernel.cpu.call(function, string, kp.address, site="param_set")
        finally:
            kernel.slab.kfree(string)
        if result:
            raise err(abs(result))

    return set_


def _module_getter(function: int) -> Getter:
    """A getter that is the module's own code: ``int get(char *buffer, const struct kernel_param *kp)``."""

    def get(kernel: Kernel, kp: KernelParam) -> bytes:
        buffer = kernel.slab.kmalloc(PAGE_SIZE)
        try:
            length = kernel.cpu.call(function, buffer, kp.address, site="param_get")
            if length < 0:
                raise err(-length)
            return kernel.memory.read(buffer, min(length, PAGE_SIZE))
        finally:
            kernel.slab.kfree(buffer)

    return get


def _module_freer(function: int) -> Freer:
    def free(kernel: Kernel, arg: int) -> None:
        kernel.cpu.call(function, arg)

    return free


_KERNEL_PARAM: Final = struct.Struct("<QQQHbB4xQ")


def kernel_param(kernel: Kernel, address: int) -> KernelParam:
    """The ``struct kernel_param`` at *address*, which a module may have made itself, without a name.

    :raises OSError: EFAULT
    """
    name, _mod, ops, perm, level, flags, arg = _KERNEL_PARAM.unpack(kernel.memory.read(address, _KERNEL_PARAM.size))
    text = kernel.memory.read_string(name).decode("latin-1") if name else ""
    return KernelParam(address, text, param_ops(kernel, ops), perm, level, flags, arg, None)


def read_params(kernel: Kernel, mod: Module, address: int, size: int) -> list[KernelParam]:
    """The entries of a relocated ``__param`` section of *size* bytes.

    :raises OSError: EFAULT where one leads to memory that is not there
    """
    return [
        KernelParam(
            entry,
            kernel.memory.read_string(name).decode("latin-1"),
            param_ops(kernel, ops),
            perm,
            level,
            flags,
            arg,
            mod,
        )
        for entry in range(address, address + size - size % _KERNEL_PARAM.size, _KERNEL_PARAM.size)
        for name, _mod, ops, perm, level, flags, arg in [
            _KERNEL_PARAM.unpack(kernel.memory.read(entry, _KERNEL_PARAM.size))
        ]
    ]


def dash2underscore(name: str) -> str:
    """What two names of one parameter have in common: to them a dash is as good as an underscore."""
    return name.replace("-", "_")


def _param_check_unsafe(kernel: Kernel, kp: KernelParam) -> None:
    if kp.flags & KERNEL_PARAM_FL_UNSAFE:
        kernel.log.pr_notice(f"Setting dangerous option {kp.name} - tainting kernel")
        kernel.add_taint(Taint.USER)


def _set_one(kernel: Kernel, kp: KernelParam, val: bytes | None) -> None:
    if val is None and not kp.ops.flags & KERNEL_PARAM_OPS_FL_NOARG:
        raise err(errno.EINVAL)
    _param_check_unsafe(kernel, kp)
    if kp.ops.set is None:
        raise err(errno.EFAULT)
    kp.ops.set(kernel, kp, val)


def parse_args(
    kernel: Kernel,
    doing: str,
    args: bytes,
    params: list[KernelParam],
    unknown: Callable[[str, bytes | None], None],
) -> bytes | None:
    """Set parameters from ``a=1 b="two words" c``; each error is logged, and the others are still set.

    :param doing: the module's name, for the log
    :param unknown: called for a parameter that is none of *params*
    :returns: what follows an argument ``--``, or None
    :raises OSError: the last error of a parameter
    """
    failure: OSError | None = None
    by_name = {dash2underscore(kp.name): kp for kp in reversed(params)}
    args = skip_spaces(args)
    at = 0
    while at < len(args):
        name, val, at = next_arg(args, at)
        param = name.decode("latin-1")
        if val is None and param == "--":
            if failure is not None:
                raise failure
            return args[at:]
        kp = by_name.get(dash2underscore(param))
        if kp is None:
            unknown(param, val)
            continue
        try:
            _set_one(kernel, kp, val)
        except OSError as error:
            failure = error
            text = "" if val is None else val.decode("latin-1")
            if kp.ops.set is param_array_set:  # which in C ends the string at each comma that it has got to
                text = text.split(",", 1)[0]
            match error.errno:
                case errno.ENOENT:
                    kernel.log.pr_err(f"{doing}: Unknown parameter `{param}'")
                case errno.ENOSPC:
                    kernel.log.pr_err(f"{doing}: `{text}' too large for parameter `{param}'")
                case _:
                    kernel.log.pr_err(f"{doing}: `{text}' invalid for parameter `{param}'")
    if failure is not None:
        raise failure
    return None


def show_param(kernel: Kernel, kp: KernelParam) -> bytes:
    """``param_attr_show()``.

    :raises OSError: EPERM for a parameter without a getter
    """
    if kp.ops.get is None:
        raise err(errno.EPERM)
    return kp.ops.get(kernel, kp)


def store_param(kernel: Kernel, kp: KernelParam, data: bytes) -> None:
    """``param_attr_store()``: *data* is what was written; as in C, it ends at its first NUL.

    :raises OSError: EPERM for a parameter without a setter, or what the setter says
    """
    if kp.ops.set is None:
        raise err(errno.EPERM)
    _param_check_unsafe(kernel, kp)
    kp.ops.set(kernel, kp, data.split(b"\0", 1)[0])


def destroy_params(kernel: Kernel, params: list[KernelParam]) -> None:
    """``module_destroy_params()``: free what setting them has allocated."""
    for kp in params:
        if kp.ops.free is not None:
            with suppress(OSError):  # a parameter may say that it lies where there is no memory
                kp.ops.free(kernel, kp.arg)
