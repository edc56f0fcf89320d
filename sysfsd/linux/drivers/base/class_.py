"""Classes of devices (drivers/base/class.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.base import Subsystem
from sysfsd.linux.lib.kobject import AttributeOps
from sysfsd.linux.lib.list import INIT_LIST_HEAD

if TYPE_CHECKING:
    from sysfsd.linux.drivers.base.core import DriverCore
    from sysfsd.linux.struct_view import StructView

__all__ = ["Classes"]


class Classes:
    """The classes of one kernel."""

    def __init__(self, core: DriverCore) -> None:
        self.core = core
        self.kernel = core.kernel
        self.classes: dict[int, Subsystem] = {}
        self._created_classes: set[int] = set()
        self._class_ktype = self.core.kobjects.new_ktype(
            self._class_release, AttributeOps("class_attr", lambda kobj, attr: (self.core._owner(kobj, "class"), attr))
        )

    def find_class(self, address: int) -> Subsystem | None:
        """The class whose ``struct class`` is at *address*, if it is registered."""
        found = self.classes.get(address)
        if found is None and address in self.core.builtin:
            with self.core.sysfs.foreign(False):
                found = self.core.builtin[address]()
        return found

    # Classes

    def class_register(self, cls: StructView) -> Subsystem:
        """:raises OSError: EINVAL, EEXIST, ENOMEM"""
        private = self.core.private("subsys_private")
        subsys = Subsystem(cls.string("name").decode("latin-1"), cls.address, private, is_class=True)
        priv = self.kernel.struct("subsys_private", private)
        kset = priv.sub("subsys")
        kobj = kset.sub("kobj")
        INIT_LIST_HEAD(self.kernel.memory, priv.sub("glue_dirs").at("list"))
        self.core.kobjects.set_name(kobj, cls.string("name"))
        if not cls["dev_kobj"]:
            cls["dev_kobj"] = self.core.dev_char
        kobj["kset"], kobj["ktype"] = self.core.class_kset, self._class_ktype
        priv["class"], cls["p"] = cls.address, private
        try:
            self.core.kobjects.kset_register(kset)
        except OSError:
            self.kernel.slab.kfree(private)
            raise
        self.classes[cls.address] = subsys
        self.core.sysfs.create_groups(kobj, cls["class_groups"])
        return subsys

    def class_create(self, owner: int, name: bytes) -> StructView:
        """``class_create()``.

        :raises OSError: EINVAL, EEXIST, ENOMEM
        """
        slab = self.kernel.slab
        cls = self.kernel.struct("class", self.core.private("class"))
        cls["name"], cls["owner"] = slab.string(name), owner
        self._created_classes.add(cls.address)
        try:
            self.class_register(cls)
        except OSError:
            self._free_class(cls)
            raise
        return cls

    def _free_class(self, cls: StructView) -> None:
        self._created_classes.discard(cls.address)
        self.kernel.slab.kfree(cls["name"])
        self.kernel.slab.kfree(cls.address)

    def class_unregister(self, cls: StructView) -> None:
        subsys = self.find_class(cls.address)
        if subsys is not None:
            self.core.sysfs.remove_groups(self.core.subsys_kobj(subsys), cls["class_groups"])
            self.core.kobjects.kset_unregister(self.kernel.struct("subsys_private", subsys.private).sub("subsys"))

    def _class_release(self, kobj: StructView) -> None:
        private = self.kernel.image.structs.container_of(kobj.address, "subsys_private", "subsys.kobj")
        cls = self.kernel.struct("subsys_private", private).to("class")
        self.classes.pop(cls.address, None)
        if cls.address in self._created_classes:
            self._free_class(cls)
        elif cls["class_release"]:
            self.kernel.cpu.call(cls["class_release"], cls.address)
        self.kernel.slab.kfree(private)
