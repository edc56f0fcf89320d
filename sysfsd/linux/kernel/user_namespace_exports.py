"""User and group ids between namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/user_namespace.c", "kernel/user.c")


@export(
    "uid_t from_kuid(struct user_namespace *targ, kuid_t kuid)",
    "uid_t from_kuid_munged(struct user_namespace *targ, kuid_t kuid)",
    "gid_t from_kgid(struct user_namespace *targ, kgid_t kgid)",
    "gid_t from_kgid_munged(struct user_namespace *targ, kgid_t kgid)",
    "kuid_t make_kuid(struct user_namespace *ns, uid_t uid)",
    "kgid_t make_kgid(struct user_namespace *ns, gid_t gid)",
)
def from_kuid(kernel: Kernel, ns: StructView, number: int) -> int:
    return number


export.data("struct user_namespace init_user_ns")
