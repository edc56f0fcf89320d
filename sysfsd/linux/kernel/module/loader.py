"""Loading a module: check, lay out, resolve, relocate, parse arguments, start (kernel/module/main.c).

The methods of :class:`Loader` have the names of the kernel's functions and are called in the kernel's order, so that
what is refused first, and what has been logged by then, is the same.
"""

from __future__ import annotations

import errno
import struct
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from elftools.elf.enums import ENUM_RELOC_TYPE_x64 as R_X86_64

from sysfsd.image.image import ExportedSymbol
from sysfsd.linux.arch.x86.alternative import jump_label_add_module, module_finalize
from sysfsd.linux.err import err
from sysfsd.linux.kernel.fork import WALKERS
from sysfsd.linux.kernel.kprobes import Kprobes
from sysfsd.linux.kernel.module import elf as E
from sysfsd.linux.kernel.module.elf import Elf, Section, Symbol
from sysfsd.linux.kernel.module.module import (
    MODULE_NAME_LEN,
    MODULE_REF_BASE,
    Module,
    ModuleKallsyms,
    ModuleLayout,
    ModuleSection,
    ModuleState,
)
from sysfsd.linux.kernel.module.signing import module_sig_check
from sysfsd.linux.kernel.module.version import parse_versions, same_magic
from sysfsd.linux.kernel.panic import Taint
from sysfsd.linux.kernel.params import destroy_params, parse_args, read_params
from sysfsd.linux.lib.dynamic_debug import DynamicDebug
from sysfsd.linux.lib.kstrtox import kstrtobool
from sysfsd.linux.lib.vsprintf import ptr_to_hashval
from sysfsd.linux.mm.memory import MODULES_LEN, PAGE_SIZE, Prot, align
from sysfsd.linux.mm.slab import KMALLOC_MAX_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = [
    "MODULE_INIT_COMPRESSED_FILE",
    "MODULE_INIT_IGNORE_MODVERSIONS",
    "MODULE_INIT_IGNORE_VERMAGIC",
    "Loader",
    "UserBytes",
    "free_module",
]

#: Bytes, or what reads them from the caller's memory once it is their turn, and raises EFAULT where it cannot.
UserBytes = bytes | Callable[[], bytes]

# Flags of finit_module(2).
MODULE_INIT_IGNORE_MODVERSIONS: Final = 1
MODULE_INIT_IGNORE_VERMAGIC: Final = 2
MODULE_INIT_COMPRESSED_FILE: Final = 4

SHF_RO_AFTER_INIT: Final = 0x00200000
SHF_RELA_LIVEPATCH: Final = 0x00100000
SHN_LIVEPATCH: Final = 0xFF20

_U64: Final = (1 << 64) - 1
#: The most that the symbols kept of a module may take (bytes): many names can share one long string in the file.
CORE_KALLSYMS_MAX: Final = 64 << 20

#: The order in which sections are laid out: flags that a section must have, and flags that it must not have.
_LAYOUT_MASKS: Final = (
    (E.SHF_EXECINSTR | E.SHF_ALLOC, 0),
    (E.SHF_ALLOC, E.SHF_WRITE),
    (SHF_RO_AFTER_INIT | E.SHF_ALLOC, 0),
    (E.SHF_WRITE | E.SHF_ALLOC, 0),
    (E.SHF_ALLOC, 0),
)

#: Licences that the kernel takes for compatible with its own (include/linux/license.h).
_GPL_COMPATIBLE: Final = {
    "GPL",
    "GPL v2",
    "GPL and additional rights",
    "Dual BSD/GPL",
    "Dual MIT/GPL",
    "Dual MPL/GPL",
}

#: How long a module waits for another one, whose symbols it needs, to finish its init (seconds).
_INIT_WAIT: Final = 30

_LE32: Final = struct.Struct("<I")
_LE64: Final = struct.Struct("<Q")


class _Howto(NamedTuple):
    """How a relocation is applied: the width of its place in bytes, and how its value is reckoned."""

    size: int
    pc_relative: bool = False
    #: The values that its place can hold without loss; None where the kernel does not check.
    fits: Callable[[int], bool] | None = None


#: The relocations that x86-64 modules may have (arch/x86/kernel/module.c, __apply_relocate_add()).
_HOWTO: Final = {
    R_X86_64["R_X86_64_NONE"]: _Howto(0),
    R_X86_64["R_X86_64_64"]: _Howto(8),
    R_X86_64["R_X86_64_32"]: _Howto(4, fits=lambda value: value < 1 << 32),
    R_X86_64["R_X86_64_32S"]: _Howto(4, fits=lambda value: value < 1 << 31 or value >= (1 << 64) - (1 << 31)),
    R_X86_64["R_X86_64_PC32"]: _Howto(4, pc_relative=True),
    R_X86_64["R_X86_64_PLT32"]: _Howto(4, pc_relative=True),
    R_X86_64["R_X86_64_PC64"]: _Howto(8, pc_relative=True),
}


class Loader:
    """One call of ``load_module()``.

    :param image: the bytes handed to init_module(2)
    :param flags: those of finit_module(2)
    """

    def __init__(self, kernel: Kernel, image: bytes, flags: int = 0) -> None:
        self.kernel = kernel
        self.log = kernel.log
        self.flags = flags
        mangled = bool(flags & (MODULE_INIT_IGNORE_MODVERSIONS | MODULE_INIT_IGNORE_VERMAGIC))
        image, self.sig_ok = module_sig_check(kernel, image, mangled)
        self.elf = Elf(image, self.log.pr_err)
        self.setup_load_info()

    # What is in the file

    def setup_load_info(self) -> None:
        """Find the sections that matter, and the module's name.

        :raises OSError: ENOEXEC
        """
        elf = self.elf
        self.modinfo = self._read_modinfo(elf.find_sec(".modinfo"))
        name = self.get_modinfo("name")
        self.symsec = next((s for s in elf.sections[1:] if s.type == E.SHT_SYMTAB), elf.sections[0])
        if not self.symsec.index:
            self.log.pr_warn(f"{name or '(missing .modinfo section or name field)'}: module has no symbols (stripped?)")
            raise err(errno.ENOEXEC)
        self.strsec = elf.sections[self.symsec.link]
        self.modsec = elf.find_sec(".gnu.linkonce.this_module")
        if not self.modsec.index:
            self.log.pr_warn(f"{name or '(missing .modinfo section or name field)'}: No module found in object")
            raise err(errno.ENOEXEC)
        structure = elf.data(self.modsec)
        if len(structure) < self.kernel.image.structs["module"].size:
            # A newer kernel's check, in its words: this one would read on behind the section.
            self.log.pr_err(
                f"{name or ''}: .gnu.linkonce.this_module section size must match the kernel's built struct module"
                " size at run time"
            )
            raise err(errno.ENOEXEC)
        start = self.kernel.image.offset("module", "name")
        raw = structure[start : start + MODULE_NAME_LEN - 1].split(b"\0", 1)[0]
        self.mod = Module(raw.decode("latin-1"), address=0, sig_ok=self.sig_ok)
        self.name = self.mod.name if name is None else name
        ignore_versions = self.flags & MODULE_INIT_IGNORE_MODVERSIONS
        self.verssec = elf.sections[0] if ignore_versions else elf.find_sec("__versions")
        self.versions = parse_versions(elf.data(self.verssec))
        self.pcpusec = elf.find_sec(".data..percpu")
        self.livepatch = self.get_modinfo("livepatch") is not None

    def _read_modinfo(self, section: Section) -> list[tuple[str, str]]:
        strings = self.elf.data(section).split(b"\0")
        return [(tag, value) for s in strings for tag, eq, value in [s.decode("latin-1").partition("=")] if eq]

    def get_modinfo(self, tag: str) -> str | None:
        """The first value of *tag* in .modinfo."""
        return next((value for t, value in self.modinfo if t == tag), None)

    # load_module(), step by step

    def load(self, uargs: UserBytes) -> None:
        """Load the module and start it.

        :param uargs: the argument line
        :raises OSError: as init_module(2)
        """
        kernel, mod = self.kernel, self.mod
        if self.name in kernel.module_blacklist:
            self.log.pr_err(f"Module {self.name} is blacklisted")
            raise err(errno.EPERM)
        self.verssec.flags &= ~E.SHF_ALLOC
        self.elf.find_sec(".modinfo").flags &= ~E.SHF_ALLOC
        if not self.check_modstruct_version():
            raise err(errno.ENOEXEC)
        self.layout_and_allocate()
        try:
            kernel.modules.add_unformed(mod, kernel.sched.signal_pending)
        except Exception:
            module_deallocate(self.kernel, self.mod)
            raise
        try:
            self.form(uargs)
        except Exception:
            kernel.modules.unlink(mod)
            module_deallocate(self.kernel, self.mod)
            raise
        self.do_init_module()

    def form(self, uargs: UserBytes) -> None:
        """From a name that is taken to a module ready to start; takes back what it did where it fails."""
        kernel, mod = self.kernel, self.mod
        if not self.sig_ok and "CONFIG_MODULE_SIG" in kernel.config:
            self.log.pr_notice_once(
                "module verification failed",
                f"{mod.name}: module verification failed: signature and/or required key missing - tainting kernel",
            )
            kernel.add_taint_module(mod, Taint.UNSIGNED_MODULE)
        self.percpu_modalloc()
        mod.refcnt = MODULE_REF_BASE + 1
        self.check_module_license_and_versions()
        mod.version = self.get_modinfo("version")
        mod.srcversion = self.get_modinfo("srcversion")
        try:
            self.simplify_symbols()
            self.apply_relocations()
            self.find_module_objects()
            self.add_kallsyms()
            self.post_relocation()
            mod.args = self.strndup_user(uargs)
            kernel.state(DynamicDebug).add_module(mod)
            self.complete_formation()
            if refused := kernel.modules.notify(mod.address, ModuleState.COMING.value):
                raise err(-refused)
        except Exception:
            kernel.state(DynamicDebug).remove_module(mod)
            kernel.modules.unload_free(mod)
            raise
        try:
            after_dashes = parse_args(kernel, mod.name, mod.args, mod.kp, self.unknown_module_param)
            if after_dashes is not None:
                text = after_dashes.decode("latin-1")
                self.log.pr_warn(f"{mod.name}: parameters '{text}' after `--' ignored")
            kernel.mod_sysfs_setup(mod)
        except Exception:
            kernel.modules.set_state(mod, ModuleState.GOING)
            destroy_params(kernel, mod.kp)
            kernel.modules.notify(mod.address, ModuleState.GOING.value)
            kernel.state(DynamicDebug).remove_module(mod)
            kernel.modules.unload_free(mod)
            raise

    def strndup_user(self, uargs: UserBytes) -> bytes:
        """``strndup_user()``: the argument line up to its NUL. Others may go on while the caller's memory is read.

        :raises OSError: EFAULT, ENOMEM for more than kmalloc() has
        """
        if not isinstance(uargs, bytes):
            with self.kernel.lock.released():
                uargs = uargs()
        args = uargs.split(b"\0", 1)[0]
        if len(args) + 1 > KMALLOC_MAX_SIZE:
            raise err(errno.ENOMEM)
        return args

    # Versions, licence, signature

    def try_to_force_load(self, reason: str) -> None:
        """Go on without what would show that the module fits.

        :raises OSError: ENOEXEC without CONFIG_MODULE_FORCE_LOAD
        """
        if "CONFIG_MODULE_FORCE_LOAD" not in self.kernel.config:
            raise err(errno.ENOEXEC)
        if not self.kernel.test_taint(Taint.FORCED_MODULE):
            self.log.pr_warn(f"{self.mod.name}: {reason}: kernel tainted.")
        self.kernel.add_taint_module(self.mod, Taint.FORCED_MODULE, lockdep_ok=False)

    def check_version(self, symbol: str, crc: int | None) -> bool:
        """Whether the module was built against this version of *symbol*."""
        if crc is None:
            return True
        if not self.verssec.index:
            try:
                self.try_to_force_load(symbol)
            except OSError:
                return False
            return True
        if symbol not in self.versions:
            self.log.pr_warn(f"{self.name}: no symbol version for {symbol}")
            return False
        if self.versions[symbol] != crc:
            self.log.pr_warn(f"{self.name}: disagrees about version of symbol {symbol}")
            return False
        return True

    def check_modstruct_version(self) -> bool:
        """Whether ``struct module`` itself is the same to the module as to the kernel."""
        layout = self.kernel.modules.find_symbol("module_layout", gplok=True)
        return layout is None or self.check_version("module_layout", layout[0].crc)

    def check_modinfo(self) -> None:
        """Version magic, and what the module says about itself.

        :raises OSError: ENOEXEC
        """
        kernel, mod = self.kernel, self.mod
        modmagic = None if self.flags & MODULE_INIT_IGNORE_VERMAGIC else self.get_modinfo("vermagic")
        if modmagic is None:
            self.try_to_force_load("bad vermagic")
        elif not same_magic(modmagic, kernel.image.vermagic, bool(self.verssec.index)):
            self.log.pr_err(f"{self.name}: version magic '{modmagic}' should be '{kernel.image.vermagic}'")
            raise err(errno.ENOEXEC)
        if self.get_modinfo("intree") is None:
            if not kernel.test_taint(Taint.OOT_MODULE):
                self.log.pr_warn(f"{mod.name}: loading out-of-tree module taints kernel.")
            kernel.add_taint_module(mod, Taint.OOT_MODULE)
        if self.get_modinfo("retpoline") is None:
            self.log.pr_err("Spectre V2 : System may be vulnerable to spectre v2")
            self.log.pr_warn(f"{mod.name}: loading module not compiled with retpoline compiler.")
        if self.get_modinfo("staging") is not None:
            kernel.add_taint_module(mod, Taint.CRAP)
            self.log.pr_warn(
                f"{mod.name}: module is from the staging directory, the quality is unknown, you have been warned."
            )
        if self.livepatch:
            kernel.add_taint_module(mod, Taint.LIVEPATCH)
            self.log.pr_notice_once("livepatch", f"{mod.name}: tainting kernel with TAINT_LIVEPATCH")
        license_ = self.get_modinfo("license")
        license_ = "unspecified" if license_ is None else license_
        if license_ not in _GPL_COMPATIBLE:
            if not kernel.test_taint(Taint.PROPRIETARY_MODULE):
                self.log.pr_warn(f"{mod.name}: module license '{license_}' taints kernel.")
            kernel.add_taint_module(mod, Taint.PROPRIETARY_MODULE, lockdep_ok=False)
        if self.get_modinfo("test") is not None:
            if not kernel.test_taint(Taint.TEST):
                self.log.pr_warn(f"{mod.name}: loading test module taints kernel.")
            kernel.add_taint_module(mod, Taint.TEST)

    def check_module_license_and_versions(self) -> None:
        """Modules known to lie about their licence, and exports that have no versions.

        :raises OSError: ENOEXEC
        """
        kernel, name = self.kernel, self.mod.name
        was_tainted = kernel.test_taint(Taint.PROPRIETARY_MODULE)
        if name == "ndiswrapper":  # itself free, but it loads what is not
            kernel.add_taint(Taint.PROPRIETARY_MODULE, lockdep_ok=False)
        elif name in ("driverloader", "lve"):
            kernel.add_taint_module(self.mod, Taint.PROPRIETARY_MODULE, lockdep_ok=False)
        if not was_tainted and kernel.test_taint(Taint.PROPRIETARY_MODULE):
            self.log.pr_warn(f"{name}: module license taints kernel.")
        if "CONFIG_MODVERSIONS" not in self.kernel.config:
            return
        for syms, crcs in (("__ksymtab", "__kcrctab"), ("__ksymtab_gpl", "__kcrctab_gpl")):
            if self.elf.find_sec(syms).size and not self.elf.find_sec(crcs).index:
                self.try_to_force_load("no versions for exported symbols")
                return

    # Memory

    def layout_and_allocate(self) -> None:
        """Check what the module says about itself, and give each section its place.

        :raises OSError: ENOEXEC, ENOMEM
        """
        self.check_modinfo()
        if "CONFIG_STRICT_MODULE_RWX" in self.kernel.config:
            self.module_enforce_rwx_sections()
        self.pcpusec.flags &= ~E.SHF_ALLOC
        for name in (".data..ro_after_init", "__jump_table"):
            self.elf.find_sec(name).flags |= SHF_RO_AFTER_INIT
        self.layout_sections()
        self.layout_symtab()
        self.move_module()

    def module_enforce_rwx_sections(self) -> None:
        """:raises OSError: ENOEXEC for a section that is both writable and executable"""
        for s in self.elf.sections:
            if s.flags & E.SHF_WRITE and s.executable:
                self.log.pr_err(f"{self.mod.name}: section {s.name} (index {s.index}) has invalid WRITE|EXEC flags")
                raise err(errno.ENOEXEC)

    def _place(self, layout: ModuleLayout, section: Section) -> None:
        """``module_get_offset()``: put *section* at the end of a region."""
        alignment = section.addralign or 1
        if alignment & (alignment - 1):
            raise err(errno.ENOEXEC)
        offset = align(layout.size, alignment)
        layout.size = offset + section.size
        if layout.size > MODULES_LEN:
            raise err(errno.ENOMEM)
        self.offsets[section.index] = (layout, offset)

    def layout_sections(self) -> None:
        """Code, read-only data, data that is read-only after init, data: each part ends on a page."""
        #: Each placed section's region and its offset there.
        self.offsets: dict[int, tuple[ModuleLayout, int]] = {}
        mod = self.mod
        init_prefixes = (".init",) if "CONFIG_MODULE_UNLOAD" in self.kernel.config else (".init", ".exit")
        regions = ((mod.core_layout, False), (mod.init_layout, True))
        for layout, is_init in regions:
            for mask, (wanted, unwanted) in enumerate(_LAYOUT_MASKS):
                for s in self.elf.sections:
                    if (
                        s.flags & wanted == wanted
                        and not s.flags & unwanted
                        and s.index not in self.offsets
                        and s.name.startswith(init_prefixes) is is_init
                    ):
                        self._place(layout, s)
                if mask in (0, 1, 4) or (mask == 2 and not is_init):
                    layout.size = align(layout.size, PAGE_SIZE)
                if mask == 0:
                    layout.text_size = layout.size
                elif mask == 1:
                    layout.ro_size = layout.size
                elif mask == 2:
                    layout.ro_after_init_size = layout.ro_size if is_init else layout.size

    def layout_symtab(self) -> None:
        """Room for the whole symbol table in the init region, and for the symbols worth keeping in the core."""
        elf, mod = self.elf, self.mod
        self.symbols = elf.symbols(self.symsec)
        self.symsec.flags |= E.SHF_ALLOC
        self._place(mod.init_layout, self.symsec)
        core_sections = {
            s.index
            for s in elf.sections[1:]
            if s.index == self.pcpusec.index or (s.alloc and self.offsets[s.index][0] is mod.core_layout)
        }
        self.core_symbols = [
            i
            for i, symbol in enumerate(self.symbols)
            if i == 0 or self.livepatch or (symbol.name and symbol.shndx in core_sections)
        ]
        core = mod.core_layout
        symoffs = align(core.size, self.symsec.addralign or 1)
        stroffs = symoffs + len(self.core_symbols) * E.SYM.size
        typeoffs = stroffs + sum(elf.string_size(self.strsec, self.symbols[i].name) for i in self.core_symbols)
        core.size = align(typeoffs + len(self.core_symbols), PAGE_SIZE)
        if typeoffs - symoffs > CORE_KALLSYMS_MAX:
            raise err(errno.ENOMEM)
        self.core_kallsyms_offsets = (symoffs, stroffs, typeoffs)

        self.strsec.flags |= E.SHF_ALLOC
        self._place(mod.init_layout, self.strsec)
        init = mod.init_layout
        self.init_typeoffs = align(init.size, 8) + self.kernel.image.structs["mod_kallsyms"].size
        init.size = align(self.init_typeoffs + len(self.symbols), PAGE_SIZE)

    def move_module(self) -> None:
        """Allocate the regions and copy the sections there.

        :raises OSError: ENOMEM
        """
        memory, mod = self.kernel.memory, self.mod
        try:
            for layout in (mod.core_layout, mod.init_layout):
                layout.base = memory.modules.alloc(layout.size)
        except OSError:
            module_deallocate(self.kernel, self.mod)
            raise
        for s in self.elf.sections:
            if s.alloc:
                layout, offset = self.offsets[s.index]
                s.addr = layout.base + offset
                if s.type != E.SHT_NOBITS:
                    memory.write(s.addr, self.elf.data(s))
        mod.address = self.modsec.addr

    def percpu_modalloc(self) -> None:
        """:raises OSError: ENOMEM where the kernel's reserve for modules is used up"""
        section, mod = self.pcpusec, self.mod
        if not section.size:
            return
        alignment = section.addralign or 1
        if alignment > PAGE_SIZE:
            self.log.pr_warn(f"{mod.name}: per-cpu alignment {alignment} > {PAGE_SIZE}")
            alignment = PAGE_SIZE
        try:
            mod.percpu = self.kernel.percpu.alloc(section.size, alignment)
        except OSError:
            self.log.pr_warn(f"{mod.name}: Could not allocate {section.size} bytes percpu data")
            raise

    # Symbols and relocations

    def symbol_name(self, index: int) -> bytes:
        return self.elf.string(self.strsec, self.symbols[index].name)

    def simplify_symbols(self) -> None:
        """Give each symbol its address; every one that cannot be resolved is logged.

        :raises OSError: the last error of a symbol
        """
        mod, log = self.mod, self.log
        bases = [s.addr for s in self.elf.sections]
        if self.pcpusec.index:
            bases[self.pcpusec.index] = mod.percpu or 0
        self.values = [symbol.value for symbol in self.symbols]
        failure: OSError | None = None
        for i in range(1, len(self.symbols)):
            shndx = self.symbols[i].shndx
            if E.SHN_UNDEF < shndx < len(bases):
                self.values[i] = (self.values[i] + bases[shndx]) & _U64
            elif shndx == E.SHN_UNDEF:
                try:
                    self.values[i] = self._resolve(i)
                except OSError as error:
                    failure = error
            elif shndx == E.SHN_COMMON:
                if not self.symbol_name(i).startswith(b"__gnu_lto"):
                    log.pr_warn(f"{mod.name}: please compile with -fno-common")
                    failure = err(errno.ENOEXEC)
            elif shndx not in (E.SHN_ABS, SHN_LIVEPATCH):
                log.pr_err(
                    f"{mod.name}: Symbol {self.symbol_name(i).decode('latin-1')} has an invalid section index {shndx}"
                    f" (max {len(bases) - 1})"
                )
                failure = err(errno.ENOEXEC)
        if failure is not None:
            raise failure

    def _resolve(self, index: int) -> int:
        name = self.symbol_name(index).decode("latin-1")
        try:
            symbol = self.resolve_symbol_wait(name)
            if symbol is not None:
                if name in WALKERS:
                    self.kernel.sched.walked = True
                return symbol.value
            if self.symbols[index].bind == E.STB_WEAK or name == "_GLOBAL_OFFSET_TABLE_":
                return self.values[index]
            raise err(errno.ENOENT)
        except OSError as error:
            self.log.pr_warn(f"{self.mod.name}: Unknown symbol {name} (err -{error.errno})")
            raise

    def resolve_symbol_wait(self, name: str) -> ExportedSymbol | None:
        """Like :meth:`resolve_symbol`, but wait for an owner that is still starting."""
        deadline = time.monotonic() + _INIT_WAIT
        while True:
            try:
                return self.resolve_symbol(name)
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                left = deadline - time.monotonic()
                try:
                    if left > 0:
                        self.kernel.modules.wait(self.kernel.sched.signal_pending, left)
                        continue
                except OSError:
                    pass  # a signal
                found = self.kernel.modules.find_symbol(name)
                owner = found[1].name if found is not None and found[1] is not None else "kernel"
                self.log.pr_warn(f"{self.mod.name}: gave up waiting for init of module {owner}.")
                raise

    def resolve_symbol(self, name: str) -> ExportedSymbol | None:
        """The exported symbol *name*, and a reference to the module it is in.

        :raises OSError: EINVAL for a version or namespace that does not fit, EBUSY for an owner that is starting
        """
        mod = self.mod
        found = self.kernel.modules.find_symbol(name, gplok=not mod.tainted(Taint.PROPRIETARY_MODULE))
        if found is None:
            return None
        symbol, owner = found
        if symbol.gpl_only:
            mod.using_gplonly_symbols = True
        if owner is not None and not self.inherit_taint(owner, name):
            return None
        if not self.check_version(name, symbol.crc):
            raise err(errno.EINVAL)
        if symbol.namespace and ("import_ns", symbol.namespace) not in self.modinfo:
            self.log.pr_err(
                f"{mod.name}: module uses symbol ({name}) from namespace {symbol.namespace}, but does not import it."
            )
            raise err(errno.EINVAL)
        if owner is not None:
            self.kernel.modules.ref_module(mod, owner)
        return symbol

    def inherit_taint(self, owner: Module, name: str) -> bool:
        """Whether the module may use a symbol of *owner*; one of a proprietary module makes it proprietary."""
        mod = self.mod
        if not owner.tainted(Taint.PROPRIETARY_MODULE):
            return True
        if mod.using_gplonly_symbols:
            self.log.pr_err(
                f"{mod.name}: module using GPL-only symbols uses symbols {name} from proprietary module {owner.name}."
            )
            return False
        if not mod.tainted(Taint.PROPRIETARY_MODULE):
            self.log.pr_warn(
                f"{mod.name}: module uses symbols {name} from proprietary module {owner.name}, inheriting taint."
            )
            mod.taints |= 1 << Taint.PROPRIETARY_MODULE
        return True

    def apply_relocations(self) -> None:
        """:raises OSError: ENOEXEC"""
        sections = self.elf.sections
        for s in sections[1:]:
            if s.info >= len(sections) or not sections[s.info].alloc or s.flags & SHF_RELA_LIVEPATCH:
                continue
            if s.type == E.SHT_RELA:
                self.apply_relocate_add(s, sections[s.info])
            elif s.type == E.SHT_REL:
                self.log.pr_err(f"module {self.mod.name}: REL relocation unsupported")
                raise err(errno.ENOEXEC)

    def apply_relocate_add(self, section: Section, target: Section) -> None:
        """Apply the entries of one SHT_RELA section to the section that they are for.

        :raises OSError: ENOEXEC for an unknown type, a place or a symbol that is not there, a place that is not zero
            and a value that does not fit
        """
        memory = self.kernel.memory.view(target.addr, target.size)
        values = self.values
        unpack, pack = _LE32.unpack_from, _LE32.pack_into
        unpack8, pack8 = _LE64.unpack_from, _LE64.pack_into
        addr = target.addr
        try:
            for offset, info, addend in self.elf.relocations(section):
                howto = _HOWTO[info & 0xFFFFFFFF]
                value = (values[info >> 32] + addend) & _U64
                if howto.size == 4:
                    if unpack(memory, offset)[0]:
                        raise self._invalid_relocation(info, addr + offset, value)
                    pack(memory, offset, (value - addr - offset if howto.pc_relative else value) & 0xFFFFFFFF)
                    if howto.fits is not None and not howto.fits(value):
                        raise self._overflow(info, value)
                elif howto.size == 8:
                    if unpack8(memory, offset)[0]:
                        raise self._invalid_relocation(info, addr + offset, value)
                    pack8(memory, offset, (value - addr - offset if howto.pc_relative else value) & _U64)
        except KeyError as unknown:
            self.log.pr_err(f"module: {self.mod.name}: Unknown rela relocation: {unknown.args[0]}")
            raise err(errno.ENOEXEC) from None
        except (IndexError, OverflowError, struct.error):
            self.log.pr_err(f"{self.mod.name}: relocation outside of section {target.name} or its symbols")
            raise err(errno.ENOEXEC) from None

    def _invalid_relocation(self, info: int, location: int, value: int) -> OSError:
        self.log.pr_err(
            "module: x86/modules: Skipping invalid relocation target, existing value is nonzero for type "
            f"{info & 0xFFFFFFFF}, loc {ptr_to_hashval(location)}, val {value:x}"
        )
        return err(errno.ENOEXEC)

    def _overflow(self, info: int, value: int) -> OSError:
        self.log.pr_err(f"module: overflow in relocation type {info & 0xFFFFFFFF} val {value:x}")
        self.log.pr_err(f"module: `{self.mod.name}' likely not compiled with -mcmodel=kernel")
        return err(errno.ENOEXEC)

    def find_module_objects(self) -> None:
        """``find_module_sections()``, now that their contents are relocated: parameters, exports, functions, sections.

        :raises OSError: ENOEXEC where they lead out of memory
        """
        kernel, mod = self.kernel, self.mod
        param = self.elf.find_sec("__param")
        if param.type == E.SHT_NOBITS:
            raise err(errno.ENOEXEC)
        try:
            mod.kp = read_params(kernel, mod, param.addr, param.size)
            mod.syms = [
                *self._exports("__ksymtab", "__kcrctab", gpl_only=False),
                *self._exports("__ksymtab_gpl", "__kcrctab_gpl", gpl_only=True),
            ]
        except OSError:
            raise err(errno.ENOEXEC) from None
        mod.init = kernel.memory.read_pointer(mod.address + kernel.image.offset("module", "init"))
        mod.exit = kernel.memory.read_pointer(mod.address + kernel.image.offset("module", "exit"))
        mod.sections = [
            ModuleSection(s.name, s.addr, s.size, s.type == E.SHT_NOTE) for s in self.elf.sections if s.loaded
        ]

    def _exports(self, syms: str, crcs: str, gpl_only: bool) -> Iterator[ExportedSymbol]:
        memory = self.kernel.memory
        table, versions = self.elf.find_sec(syms), self.elf.find_sec(crcs)
        if table.type == E.SHT_NOBITS:  # a table of any length in a file of a few bytes
            raise err(errno.ENOEXEC)
        for i in range(table.size // 12):
            at = table.addr + 12 * i
            value, name, namespace = struct.unpack("<iii", memory.read(at, 12))
            crc = memory.read_int(versions.addr + 4 * i) if 4 * i + 4 <= versions.size else None
            yield ExportedSymbol(
                memory.read_string(at + 4 + name).decode("latin-1"),
                (at + value) & _U64,
                crc,
                gpl_only,
                memory.read_string(at + 8 + namespace).decode("latin-1") if namespace else "",
            )

    # kallsyms

    def _symbol_type(self, symbol: Symbol) -> int:
        """``elf_type()`` for a symbol whose section does not decide: as nm(1) would show it."""
        if symbol.bind == E.STB_WEAK:
            return ord("v") if symbol.type == E.STT_OBJECT else ord("w")
        if symbol.shndx == E.SHN_UNDEF:
            return ord("U")
        if symbol.shndx in (E.SHN_ABS, self.pcpusec.index):
            return ord("a")
        return ord("?") if symbol.shndx >= len(self.elf.sections) else self._section_type(symbol.shndx)

    def _section_type(self, index: int) -> int:
        s = self.elf.sections[index]
        if s.executable:
            return ord("t")
        if s.alloc and s.type != E.SHT_NOBITS:
            return ord("d") if s.flags & E.SHF_WRITE else ord("r")
        if s.type == E.SHT_NOBITS:
            return ord("b")
        return ord("n") if s.name.startswith(".debug") else ord("?")

    def add_kallsyms(self) -> None:
        """Write the symbol tables where :meth:`layout_symtab` made room for them."""
        memory, mod = self.kernel.memory, self.mod
        types = bytes(map(self._symbol_type, self.symbols))
        rows = list(zip(self.symbols, self.values, strict=True))
        memory.write(
            self.symsec.addr,
            b"".join(E.SYM.pack(s.name, s.info, s.other, s.shndx, value, s.size) for s, value in rows),
        )
        typetab = mod.init_layout.base + self.init_typeoffs
        memory.write(typetab, types)
        mod.kallsyms = ModuleKallsyms(self.symsec.addr, len(rows), self.strsec.addr, typetab)

        symtab, strtab = bytearray(), bytearray()
        for i in self.core_symbols:
            s, value = rows[i]
            symtab += E.SYM.pack(len(strtab), s.info, s.other, s.shndx, value, s.size)
            strtab += self.symbol_name(i) + b"\0"
        symoffs, stroffs, typeoffs = (mod.core_layout.base + offset for offset in self.core_kallsyms_offsets)
        memory.write(symoffs, symtab)
        memory.write(stroffs, strtab)
        memory.write(typeoffs, bytes(types[i] for i in self.core_symbols))
        mod.core_kallsyms = ModuleKallsyms(symoffs, len(self.core_symbols), stroffs, typeoffs)

    # The last steps

    def complete_formation(self) -> None:
        """Make the module's symbols visible to others.

        :raises OSError: ENOEXEC where another already exports one of that name
        """
        kernel, mod = self.kernel, self.mod
        for symbol in mod.syms:
            found = kernel.modules.find_symbol(symbol.name, gplok=True)
            if found is not None:
                owner = "kernel" if found[1] is None else found[1].name
                self.log.pr_err(f"{mod.name}: exports duplicate symbol {symbol.name} (owned by {owner})")
                raise err(errno.ENOEXEC)
        self.module_enable_ro()
        kernel.modules.link(mod)
        kernel.modules.set_state(mod, ModuleState.COMING)
        kernel.modules.add_exports(mod)

    def post_relocation(self) -> None:
        """Per-CPU data to its places, and code to what this processor runs.

        :raises OSError: ENOEXEC where a table of the module leads out of it
        """
        kernel, mod = self.kernel, self.mod
        if mod.percpu is not None and self.pcpusec.size:
            data = self.elf.data(self.pcpusec) if self.pcpusec.type != E.SHT_NOBITS else b""
            kernel.percpu.initialise(mod.percpu, data.ljust(self.pcpusec.size, b"\0"))
        try:
            module_finalize(kernel, mod)
            jump_label_add_module(kernel, mod)
        except OSError:
            raise err(errno.ENOEXEC) from None

    def module_enable_ro(self, after_init: bool = False) -> None:
        """``module_enable_ro()`` and its likes: only code can be run, what is constant cannot be written."""
        modules = self.kernel.memory.modules
        for layout in (self.mod.core_layout, self.mod.init_layout):
            if layout.size:
                end = layout.ro_after_init_size if after_init else layout.ro_size
                modules.set_prot(layout.base, layout.text_size, Prot.RX)
                if end > layout.text_size:
                    modules.set_prot(layout.base + layout.text_size, end - layout.text_size, Prot.READ)

    def unknown_module_param(self, param: str, val: bytes | None) -> None:
        """Parameters that every module has, and a word about the others."""
        if param == "async_probe":
            try:
                self.mod.async_probe_requested = kstrtobool(val or b"")
            except OSError:
                self.mod.async_probe_requested = True
            return
        # Who looks for MODULE.dyndbg cuts the name at its dot.
        if not self.kernel.state(DynamicDebug).module_param(param, val, self.mod):
            self.log.pr_warn(f"{self.mod.name}: unknown parameter '{param.partition('.')[0]}' ignored")

    def do_init_module(self) -> None:
        """Start the module, then free what only its start needed.

        :raises OSError: what the module's init says
        """
        with self.kernel.state(Kprobes).called("do_init_module", self.mod.address) as result:
            result[0] = self._do_init_module()
        if result[0]:
            raise err(-result[0])

    def _do_init_module(self) -> int:
        kernel, mod = self.kernel, self.mod
        self.do_mod_ctors()
        ret = self.do_one_initcall() if mod.init else 0
        if ret < 0:
            kernel.modules.set_state(mod, ModuleState.GOING)
            mod.module_put()
            kernel.modules.notify(mod.address, ModuleState.GOING.value)
            free_module(kernel, mod)
            return ret
        if ret > 0:
            self.log.pr_warn(
                f"do_init_module: '{mod.name}'->init suspiciously returned {ret}, it should follow 0/-E convention\n"
                "do_init_module: loading module anyway..."
            )
            kernel.traps.dump_stack("init_positive")
        kernel.modules.set_state(mod, ModuleState.LIVE)
        kernel.modules.notify(mod.address, ModuleState.LIVE.value)
        mod.module_put()
        self.module_enable_ro(after_init=True)
        mod.kallsyms = mod.core_kallsyms
        kernel.memory.modules.free(mod.init_layout.base)
        mod.init_layout = ModuleLayout()
        kernel.modules_changed()
        kernel.modules.wake_up()
        return 0

    def do_one_initcall(self) -> int:
        """Call init, which has to leave preemption and interrupts as they were.

        :returns: what it returns
        """
        kernel, mod = self.kernel, self.mod
        ret = kernel.cpu.call(mod.init, site="init")
        left = kernel.sched.restore_context()
        if left:
            init = kernel.kallsyms.sprint_symbol(mod.init)
            regs = kernel.cpu.regs()
            message = f"initcall {init} returned with {left}"
            kernel.traps.warn_at("init/main.c", 1284, message, "do_one_initcall+0x1d7", regs=regs)
        return ret

    def do_mod_ctors(self) -> None:
        """``do_mod_ctors()``: the functions in .ctors or .init_array run before init."""
        kernel, mod = self.kernel, self.mod
        section = mod.section(".ctors") or mod.section(".init_array")
        if section is not None and "CONFIG_CONSTRUCTORS" in kernel.config:
            for at in range(section.address, section.address + section.size - 7, 8):
                kernel.cpu.call(kernel.memory.read_pointer(at), site="ctor")


def free_module(kernel: Kernel, mod: Module) -> None:
    """Take a module that has stopped, or failed to start, apart."""
    with kernel.state(Kprobes).called("free_module", mod.address):
        _free_module(kernel, mod)


def _free_module(kernel: Kernel, mod: Module) -> None:
    kernel.mod_sysfs_teardown(mod)
    kernel.state(DynamicDebug).remove_module(mod)
    kernel.modules.set_state(mod, ModuleState.UNFORMED)
    kernel.modules.remove_exports(mod)
    kernel.modules.unload_free(mod)
    destroy_params(kernel, mod.kp)
    kernel.modules.unlink(mod)
    module_deallocate(kernel, mod)


def module_deallocate(kernel: Kernel, mod: Module) -> None:
    """Give back the memory of a module that is no more, or will not be."""
    if mod.percpu is not None:
        kernel.percpu.free(mod.percpu)
        mod.percpu = None
    for layout in (mod.core_layout, mod.init_layout):
        if layout.base:
            kernel.memory.modules.free(layout.base)
    kernel.modules_changed()
