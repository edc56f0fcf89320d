"""File systems, character sets, binary formats, quota formats, types of keys."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.registrations import Registrations

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("filesystems", "fs/filesystems.c, fs/nls/nls_base.c, fs/exec.c, fs/quota/dquot.c, security/keys/key.c")

#: Those of the kernel proper (/proc/filesystems before any module is loaded).
BUILTIN_FILESYSTEMS = (
    "sysfs", "tmpfs", "bdev", "proc", "cgroup", "cgroup2", "cpuset", "devtmpfs", "debugfs", "tracefs", "securityfs",
    "sockfs", "bpf", "pipefs", "ramfs", "hugetlbfs", "devpts", "mqueue", "pstore",
)  # fmt: skip
#: Types of keys that the kernel proper has.
_KEY_TYPES = (
    "keyring",
    "user",
    "logon",
    "big_key",
    "trusted",
    "encrypted",
    "asymmetric",
    "blacklist",
    ".request_key_auth",
)


@export("int register_filesystem(struct file_system_type *fs)")
def register_filesystem(kernel: Kernel, fs: StructView) -> int:
    name = fs.string("name").decode("latin-1")
    if "." in name:
        kernel.traps.bug_here("fs/filesystems.c", 74)
    if fs["next"] or name in BUILTIN_FILESYSTEMS:
        raise err(errno.EBUSY)
    registered = kernel.state(Registrations)
    last = list(registered.items("filesystem").values())[-1:]
    registered.add("filesystem", name, fs.address, errno.EBUSY)
    for before in last:
        kernel.struct("file_system_type", before)["next"] = fs.address
    return 0


@export("int unregister_filesystem(struct file_system_type *fs)")
def unregister_filesystem(kernel: Kernel, fs: StructView) -> int:
    registered = kernel.state(Registrations)
    following = fs["next"]
    if not registered.remove("filesystem", fs.address):
        raise err(errno.EINVAL)
    for address in registered.items("filesystem").values():
        other = kernel.struct("file_system_type", address)
        if other["next"] == fs.address:
            other["next"] = following
    fs["next"] = 0
    return 0


# Character sets


@export("int __register_nls(struct nls_table *nls, struct module *owner)")
def __register_nls(kernel: Kernel, nls: StructView, owner: StructView) -> int:
    if nls["next"]:
        raise err(errno.EBUSY)
    registered = kernel.state(Registrations)
    last = list(registered.items("nls").values())[-1:]
    nls["owner"] = owner.address
    registered.add("nls", nls.address, nls.address, errno.EBUSY)
    for before in last:
        nls["next"] = before
    return 0


@export("int unregister_nls(struct nls_table *nls)")
def unregister_nls(kernel: Kernel, nls: StructView) -> int:
    registered = kernel.state(Registrations)
    if not registered.remove("nls", nls.address):
        raise err(errno.EINVAL)
    for address in registered.items("nls").values():
        other = kernel.struct("nls_table", address)
        if other["next"] == nls.address:
            other["next"] = nls["next"]
    return 0


def _find_nls(kernel: Kernel, charset: bytes) -> StructView | None:
    for address in reversed(kernel.state(Registrations).items("nls").values()):
        nls = kernel.struct("nls_table", address)
        if charset in (nls.string("charset"), nls.string("alias") if nls["alias"] else None):
            owner = kernel.modules.address(nls["owner"])
            return nls if owner is None or owner.try_module_get() else None
    return None


@export("struct nls_table *load_nls(const char *charset)")
def load_nls(kernel: Kernel, charset: bytes) -> StructView | None:
    found = _find_nls(kernel, charset)
    if found is None:
        kernel.request_module(f"nls_{charset.decode('latin-1')}", wait=True)
        found = _find_nls(kernel, charset)
    return found


@export("void unload_nls(struct nls_table *nls)")
def unload_nls(kernel: Kernel, nls: StructView) -> None:
    owner = kernel.modules.address(nls["owner"]) if nls.address else None
    if owner is not None:
        owner.module_put()


# Others


@export("void __register_binfmt(struct linux_binfmt *fmt, int insert)")
def __register_binfmt(kernel: Kernel, fmt: StructView, insert: int) -> None:
    if not fmt["load_binary"]:
        kernel.traps.warn_here("fs/exec.c", 91)
        return
    kernel.state(Registrations).add("binfmt", fmt.address, fmt.address)


@export("void unregister_binfmt(struct linux_binfmt *fmt)")
def unregister_binfmt(kernel: Kernel, fmt: StructView) -> None:
    kernel.state(Registrations).remove("binfmt", fmt.address)


@export("int register_quota_format(struct quota_format_type *fmt)")
def register_quota_format(kernel: Kernel, fmt: StructView) -> int:
    kernel.state(Registrations).add("quota_format", fmt.address, fmt.address)
    return 0


@export("void unregister_quota_format(struct quota_format_type *fmt)")
def unregister_quota_format(kernel: Kernel, fmt: StructView) -> None:
    kernel.state(Registrations).remove("quota_format", fmt.address)


@export("int register_key_type(struct key_type *ktype)")
def register_key_type(kernel: Kernel, ktype: StructView) -> int:
    name = ktype.string("name").decode("latin-1")
    if name in _KEY_TYPES:
        raise err(errno.EEXIST)
    kernel.state(Registrations).add("key_type", name, ktype.address)
    kernel.log.pr_notice(f"Key type {name} registered")
    return 0


@export("void unregister_key_type(struct key_type *ktype)")
def unregister_key_type(kernel: Kernel, ktype: StructView) -> None:
    if kernel.state(Registrations).remove("key_type", ktype.address):
        kernel.log.pr_notice(f"Key type {ktype.string('name').decode('latin-1')} unregistered")
