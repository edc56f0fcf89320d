"""How the functions and variables that modules import are declared.

What ``net/core/dev.c`` exports is in ``net/core/dev_exports.py``. Such a file declares what it models with the C
declaration::

    export = Area("lib/kstrtox.c")

    @export("int kstrtoint(const char *s, unsigned int base, int *res)")
    def kstrtoint(kernel: Kernel, s: bytes, base: int, res: int) -> int: ...

The declaration says what arrives in Python: an integer of its width and sign, ``bool``, the string (bytes, None for
NULL) of a ``const char *``, a :class:`StructView` for a pointer to a structure, a list of arguments for ``...`` and
``va_list``; any other pointer is an address. Where a string is annotated ``bytes``, NULL is a fault of the caller. An
``OSError`` that it raises is returned as ``-errno``, be it as an integer or as a pointer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from sysfsd.linux.arch.x86.traps import Unmodelled
from sysfsd.linux.lib.vsprintf import MemoryVaList
from sysfsd.linux.mm.memory import PAGE_SIZE, PageFault, Prot
from sysfsd.linux.struct_view import StructView

if TYPE_CHECKING:
    from sysfsd.image.image import ExportedSymbol
    from sysfsd.linux.system import Kernel

__all__ = ["Area", "CallVaList", "Declaration", "Export", "Exports", "modelled", "parse"]

F = TypeVar("F", bound=Callable[..., Any])

_U64: Final = (1 << 64) - 1
_INT_MAX: Final = (1 << 31) - 1

#: Integer types: bytes, and whether signed.
_INTEGERS: Final = {
    "char": (1, True), "signed char": (1, True), "unsigned char": (1, False), "u8": (1, False), "s8": (1, True),
    "__u8": (1, False), "u_int8_t": (1, False), "blk_status_t": (1, False),
    "short": (2, True), "unsigned short": (2, False), "u16": (2, False), "s16": (2, True), "umode_t": (2, False),
    "__be16": (2, False), "__u16": (2, False), "__le16": (2, False),
    "int": (4, True), "unsigned int": (4, False), "unsigned": (4, False), "u32": (4, False), "s32": (4, True),
    "gfp_t": (4, False), "dev_t": (4, False), "pid_t": (4, True), "uid_t": (4, False), "gid_t": (4, False),
    "slab_flags_t": (4, False), "fmode_t": (4, False), "__be32": (4, False), "__u32": (4, False),
    "__poll_t": (4, False), "irqreturn_t": (4, False), "blk_opf_t": (4, False), "clockid_t": (4, True),
    "gro_result_t": (4, False), "kuid_t": (4, False), "kgid_t": (4, False), "__le32": (4, False),
    "__wsum": (4, False), "__sum16": (2, False), "async_cookie_t": (8, False),
    "acpi_status": (4, False),
    "long": (8, True), "signed long": (8, True), "unsigned long": (8, False),
    "long long": (8, True), "unsigned long long": (8, False),
    "u64": (8, False), "s64": (8, True), "__u64": (8, False), "__s64": (8, True), "size_t": (8, False),
    "ssize_t": (8, True), "loff_t": (8, True), "ktime_t": (8, True), "time64_t": (8, True), "phys_addr_t": (8, False),
    "dma_addr_t": (8, False), "resource_size_t": (8, False), "sector_t": (8, False), "cycles_t": (8, False),
    "pgoff_t": (8, False), "uintptr_t": (8, False), "__be64": (8, False), "netdev_features_t": (8, False),
}  # fmt: skip
#: Typedefs of pointers, mostly to functions.
_POINTERS: Final = {
    "rcu_callback_t", "smp_call_func_t", "smp_cond_func_t", "__sighandler_t", "work_func_t", "irq_handler_t",
    "notifier_fn_t", "filldir_t", "cmp_func_t", "swap_func_t", "cmp_r_func_t", "swap_r_func_t", "list_cmp_func_t",
    "rtnl_doit_func", "rtnl_dumpit_func", "lookup_by_table_id_t", "mempool_alloc_t", "mempool_free_t",
    "filler_t", "poll_queue_proc", "kthread_work_func_t", "dr_match_t", "dr_release_t", "async_func_t",
    "acpi_walk_callback", "acpi_handle", "acpi_string",
}  # fmt: skip


class CType(NamedTuple):
    """A type in a declaration: its class, and the bytes and sign of an integer or the name of a structure."""

    kind: str
    size: int = 8
    signed: bool = False
    struct: str = ""


def parse_type(text: str) -> CType:
    """A C type without a name.

    :raises ValueError: for one that is not known
    """
    text = re.sub(r"\b(volatile|__user|__iomem|__rcu|__percpu|restrict|struct module_attribute)\b", "", text)
    if text.strip() in _POINTERS or "(*" in text or text.count("*") > 1 or "[" in text:
        return CType("pointer")
    words = " ".join(text.replace("*", " * ").split())
    if words.endswith("*"):
        target = words[:-1].strip()
        if target == "const char":
            return CType("string")
        name = re.fullmatch(r"(?:const )?(?:(?:struct|union) )?(\w+)(?: const)?", target)
        if name and name[1] not in _INTEGERS and name[1] not in ("void", "bool"):
            return CType("struct", struct=name[1])
        return CType("pointer")
    words = words.replace("const ", "").strip()
    if words == "void":
        return CType("void", 0)
    if words == "bool":
        return CType("bool", 1)
    if words in ("...", "va_list"):
        return CType(words)
    if words.startswith("enum "):
        return CType("int", 4, False)
    if words not in _INTEGERS:
        raise ValueError(f"unknown type: {text}")
    return CType("int", *_INTEGERS[words])


class Declaration(NamedTuple):
    """A C function's name and types."""

    text: str
    name: str
    returns: CType
    params: tuple[CType, ...]


def _split(params: str) -> list[str]:
    """Parameters between commas that are in no parentheses."""
    parts, depth, current = [], 0, ""
    for char in params:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append(current)
            current = ""
        else:
            current += char
    return [part.strip() for part in [*parts, current] if part.strip()]


def _unnamed(param: str) -> str:
    """A parameter's type: the declaration without the name."""
    if param == "..." or "(*" in param:
        return param
    array = param.rstrip().endswith("]")
    param = re.sub(r"\[[^]]*\]$", "", param.rstrip())
    found = re.fullmatch(r"(.*[\s*])(\w+)", param)
    type_ = param
    if found and found[1].strip() and found[1].strip() not in ("struct", "enum", "union", "const"):
        type_ = found[1]
    return type_ + (" *" if array else "")


def parse(text: str) -> Declaration:
    """A function's declaration: ``int kstrtoint(const char *s, unsigned int base, int *res)``.

    :raises ValueError: where it is none
    """
    found = re.fullmatch(r"(.*?[\s*])(\w+)\((.*)\)", " ".join(text.split()))
    if found is None:
        raise ValueError(f"no declaration: {text}")
    params = [] if found[3].strip() == "void" else _split(found[3])
    return Declaration(text, found[2], parse_type(found[1]), tuple(parse_type(_unnamed(param)) for param in params))


@cache
def parse_variable(text: str) -> tuple[int, CType]:
    """A variable's declaration: how many there are, and the type of one; of a structure its name and no size."""
    count = re.search(r"\[(\w+)\]", text)
    number = int(count[1], 0) if count else 1
    try:
        return number, parse_type(_unnamed(re.sub(r"\[.*", "", text)))
    except ValueError:
        found = re.match(r"(?:const )?(?:(?:struct|union) )?(\w+) [^*]", text)
        if found is None:
            raise
        return number, CType("variable", 0, struct=found[1])


def parameter_annotations(function: Callable[..., Any]) -> list[str]:
    """How the parameters of a function are annotated, as they stand in its source, but for the first (the kernel) and
    those that take the rest.
    """
    code = function.__code__
    return [function.__annotations__.get(name, "") for name in code.co_varnames[1 : code.co_argcount]]


class CallVaList:
    """The arguments behind the named ones of a call that is being made: registers, then the stack."""

    def __init__(self, kernel: Kernel, args: list[int], named: int, sp: int) -> None:
        self._kernel = kernel
        self._args = args
        self._next = named
        self._sp = sp

    def arg(self) -> int:
        """The next one: an 8-byte slot, unsigned."""
        index = self._next
        self._next += 1
        if index < 6:
            return self._args[index]
        return self._kernel.memory.read_pointer(self._sp + 8 + 8 * (index - 6))


class Export(NamedTuple):
    """Something that modules can import and that is modelled.

    Of a function *function* carries it out; of a variable it puts its first value at an address; *code* is a function's
    own machine code, where it needs no Python.
    """

    name: str
    area: Area
    declaration: str
    function: Callable[..., Any] | None = None
    code: bytes = b""
    variable: bool = False


_MODELLED: Final[dict[str, Export]] = {}


@cache
def modelled() -> dict[str, Export]:
    """What is modelled, by name.

    The files that declare it are imported when it is first asked for: that takes longer than all the rest, and not
    every kernel runs module code.
    """
    package = import_module("sysfsd.linux")
    for module in walk_packages(package.__path__, "sysfsd.linux."):
        if module.name.endswith("_exports"):
            import_module(module.name)
    return _MODELLED


class Area:
    """What one file exports.

    :param sources: the files of the Linux tree that it follows
    """

    def __init__(self, *sources: str) -> None:
        self.sources = sources

    def __call__(self, *declarations: str) -> Callable[[F], F]:
        """Declare functions that the decorated one carries out."""

        def register(function: F) -> F:
            for text in declarations:
                name = text[: text.index("(")].replace("*", " ").split()[-1]
                _MODELLED[name] = Export(name, self, text, function)
            return function

        return register

    def native(self, declaration: str, code: str) -> None:
        """Declare a function by its machine code, in hex."""
        name = declaration[: declaration.index("(")].replace("*", " ").split()[-1]
        _MODELLED[name] = Export(name, self, declaration, code=bytes.fromhex(code))

    def data(self, declaration: str, value: Callable[[Kernel, int], None] | int | None = None) -> None:
        """Declare a variable.

        :param value: its first value, or what puts it at an address; None: zeros
        """
        name = re.sub(r"\[.*", "", declaration).replace("*", " ").split()[-1]
        function = value if callable(value) else None if value is None else _integer(name, value)
        _MODELLED[name] = Export(name, self, declaration, function, variable=True)


def _integer(name: str, value: int) -> Callable[[Kernel, int], None]:
    def put(kernel: Kernel, address: int) -> None:
        kernel.memory.write_int(address, value, kernel.exports.size_of(name))

    return put


class Exports:
    """What the kernel proper gives to the modules of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._image = kernel.image
        self._native: dict[int, list[tuple[int, bytes]]] = {}
        self._native_ends: dict[int, int] = {}
        #: Functions that Python carries out, and variables, by address.
        self._functions: dict[int, Export] = {}
        self._variables: dict[str, int] = {}
        for export in modelled().values():
            address = kernel.image.address(export.name)
            if address is None:
                continue
            if export.variable:
                self._variables[export.name] = address
            elif export.code:
                self._place(address, export.code)
            else:
                self._functions[address] = export
        percpu = kernel.image.percpu_end
        for name, address in self._variables.items():
            if address >= percpu:
                size = self._size(modelled()[name])
                kernel.memory.kernel_image.set_prot(address, size, Prot.RW)

    def boot(self) -> None:
        """Give the variables their first values."""
        for name, address in self._variables.items():
            function = modelled()[name].function
            if function is not None:
                function(self._kernel, address)

    def _place(self, address: int, code: bytes) -> None:
        for page in {address & -PAGE_SIZE, (address + len(code) - 1) & -PAGE_SIZE}:
            self._native.setdefault(page, []).append((address, code))
        self._native_ends[address] = address + len(code)

    def _size(self, export: Export) -> int:
        """The bytes of a variable."""
        number, type_ = parse_variable(export.declaration)
        size = self._image.structs[type_.struct].size if type_.kind == "variable" else type_.size
        return size * number

    # Looking things up

    def data_address(self, name: str) -> int:
        """Where the variable *name* lies.

        :raises KeyError: if it is not modelled
        """
        return self._variables[name]

    def size_of(self, name: str) -> int:
        """The bytes of a variable."""
        return self._size(modelled()[name])

    def function_at(self, address: int) -> Export | None:
        """The function that Python carries out when the processor gets to *address*."""
        return self._functions.get(address)

    def address_of(self, name: str) -> int:
        """The address of an exported function, modelled or not.

        :raises KeyError: if there is none of that name
        """
        symbol = self._image.find_export(name)
        if symbol is None:
            raise KeyError(name)
        return symbol.value

    def internal(self, declaration: str, function: Callable[..., Any]) -> int:
        """Have *function* carry out a function of the kernel proper that modules get to by its address only.

        :returns: its address
        """
        name = parse(declaration).name
        address = self._kernel.kallsyms.address_of(name)
        assert address is not None
        self._functions.setdefault(address, Export(name, Area(), declaration, function))
        return address

    def native_code(self, page: int) -> Iterator[tuple[int, bytes]]:
        """The machine code that a page of kernel text holds: addresses and bytes, cut to the page."""
        for address, code in self._native.get(page, ()):
            start = max(address, page)
            yield start, code[start - address : page + PAGE_SIZE - address]

    def is_native(self, address: int) -> bool:
        """Whether machine code of ours lies at *address*."""
        page = address & -PAGE_SIZE
        return any(start <= address < start + len(code) for start, code in self._native.get(page, ()))

    def native_functions(self) -> Iterator[tuple[int, str]]:
        """The functions that are machine code of ours: addresses and names."""
        for export in modelled().values():
            if export.code and (address := self._image.address(export.name)) is not None:
                yield address, export.name

    def untraced(self, address: int) -> bool:
        """Whether the function at *address* does not begin with a call of the function tracer: lib/, assembler."""
        export = self._functions.get(address)
        if export is None:
            return self.is_native(address)
        return any(source.startswith("lib/") for source in export.area.sources)

    def result_size(self, address: int) -> int:
        """The bytes of the register that a function's result takes, as compiled code leaves it."""
        export = self._functions.get(address)
        return max(parse(export.declaration).returns.size, 4) if export is not None else 8

    def unmodelled_data(self, address: int) -> str | None:
        """The exported variable that *address* lies in, where there is one that is not modelled."""
        _, text_end = self._image.text
        if not text_end <= address < self._image.symbols["_end"]:
            return None
        place = self._kernel.kallsyms.lookup(address)
        known = place is not None and place.name not in self._variables
        return place.name if place is not None and known and self._image.find_export(place.name) is not None else None

    def complain(self, ip: int, name: str) -> None:
        """Say what is missing, and who wanted it."""
        kernel = self._kernel
        kernel.log.pr_warn(f"sysfsd: {name} is not modelled: {kernel.kallsyms.sprint_symbol(ip)} ends here")
        kernel.unmodelled[name] = kernel.unmodelled.get(name, 0) + 1

    # Calls

    def bind(self, address: int) -> Callable[[list[int]], int]:
        """What carries out a call of the function at *address*, given its first six arguments."""
        export = self._functions.get(address)
        if export is None:
            symbol = self._image.export_at(address)
            return self._unmodelled(symbol, address)
        if self._kernel.first_called is not None:
            self._kernel.first_called(export.name)
        return self._bind(export, parse(export.declaration))

    def _unmodelled(self, symbol: ExportedSymbol | None, address: int) -> Callable[[list[int]], int]:
        kernel = self._kernel

        def call(_args: list[int]) -> int:
            name = symbol.name if symbol is not None else kernel.kallsyms.sprint_symbol(address)
            self.complain(kernel.memory.read_pointer(kernel.current.sp), f"{name}()")
            raise Unmodelled(name)

        return call

    def _bind(self, export: Export, declaration: Declaration) -> Callable[[list[int]], int]:
        kernel, function = self._kernel, export.function
        assert function is not None
        wanted = [*parameter_annotations(function), *[""] * len(declaration.params)]
        converters = [self._converter(param, i, wanted[i]) for i, param in enumerate(declaration.params)]
        encode = _ENCODERS[declaration.returns.kind]
        in_registers = len(converters) <= 6

        def call(args: list[int]) -> int:
            try:
                if in_registers:
                    result = function(kernel, *[convert(args) for convert in converters])
                else:
                    sp, pointer = kernel.current.sp, kernel.memory.read_pointer
                    more = args + [pointer(sp + 8 + 8 * i) for i in range(len(converters) - 6)]
                    result = function(kernel, *[convert(more) for convert in converters])
            except PageFault:
                raise
            except OSError as error:
                return -(error.errno or 0) & _U64
            except Exception as error:
                kernel.report_failure(f"{export.name}()", error)
                raise Unmodelled(export.name) from error
            return encode(result)

        return call

    def _converter(self, type_: CType, index: int, wanted: str) -> Callable[[list[int]], Any]:
        """What makes the Python value of an argument.

        :param wanted: how the Python function has annotated it
        """
        kernel = self._kernel
        memory = kernel.memory
        match type_.kind:
            case "int" if type_.signed:
                bits = 8 * type_.size
                mask, sign = (1 << bits) - 1, 1 << (bits - 1)
                return lambda args: ((args[index] & mask) ^ sign) - sign
            case "int" if type_.size == 8:
                return lambda args: args[index]
            case "int":
                mask = (1 << 8 * type_.size) - 1
                return lambda args: args[index] & mask
            case "bool":
                return lambda args: bool(args[index] & 0xFF)
            case "string" if wanted == "bytes":
                return lambda args: memory.read_string(args[index], _INT_MAX)
            case "string":
                return lambda args: memory.read_string(args[index], _INT_MAX) if args[index] else None
            case "struct" if type_.struct in self._image.structs:
                struct = self._image.structs[type_.struct]
                return lambda args: StructView(memory, struct, args[index])
            case "...":
                return lambda args: CallVaList(kernel, args, index, kernel.current.sp)
            case "va_list":
                return lambda args: MemoryVaList(memory, args[index])
        return lambda args: args[index]


_ENCODERS: Final[dict[str, Callable[[Any], int]]] = {
    "void": lambda result: 0,
    "bool": lambda result: int(bool(result)),
    "int": lambda result: int(result) & _U64,
    "pointer": lambda result: (result or 0) & _U64,
    "struct": lambda result: (result.address if isinstance(result, StructView) else result or 0) & _U64,
    "string": lambda result: (result or 0) & _U64,
}
