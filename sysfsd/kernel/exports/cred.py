"""Who asks: credentials, capabilities, namespaces of users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.kernel.exports.registry import Area

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("cred", "kernel/cred.c, kernel/capability.c, kernel/user_namespace.c")


@export("bool capable(int cap)")
def capable(kernel: Kernel, cap: int) -> bool:
    return kernel.current_cred().capable(cap)


@export("bool ns_capable(struct user_namespace *ns, int cap)")
def ns_capable(kernel: Kernel, ns: StructView, cap: int) -> bool:
    return kernel.current_cred().capable(cap)


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


@export("void __put_cred(struct cred *cred)")
def __put_cred(kernel: Kernel, cred: StructView) -> None:
    """The model frees credentials with their task."""
