"""Events of kernel objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.lib.kobject import Kobjects, Sysfs
from sysfsd.linux.lib.vsprintf import vsnprintf

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/kobject_uevent.c")


# Events


@export("int kobject_uevent(struct kobject *kobj, enum kobject_action action)")
def kobject_uevent(kernel: Kernel, kobj: StructView, action: int) -> int:
    kernel.state(Kobjects).uevent(kobj, action)
    return 0


@export("int kobject_uevent_env(struct kobject *kobj, enum kobject_action action, char **envp_ext)")
def kobject_uevent_env(kernel: Kernel, kobj: StructView, action: int, envp_ext: int) -> int:
    more = tuple(kernel.memory.read_string(text) for text in kernel.state(Sysfs).pointers(envp_ext))
    kernel.state(Kobjects).uevent(kobj, action, more)
    return 0


@export("int add_uevent_var(struct kobj_uevent_env *env, const char *format, ...)")
def add_uevent_var(kernel: Kernel, env: StructView, format: bytes, args: CallVaList) -> int:
    kernel.state(Kobjects).add_var(env, vsnprintf(kernel, format, args))
    return 0
