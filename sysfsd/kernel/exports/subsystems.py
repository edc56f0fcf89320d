"""Small registries of the kernel proper: chains that are told of rare events, LED triggers, line disciplines, ..."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.kernel.driver_core import DriverCore
from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area, CallVaList
from sysfsd.kernel.list import INIT_LIST_HEAD
from sysfsd.kernel.registrations import Registrations

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area(
    "subsystems",
    "kernel/reboot.c, kernel/power/main.c, mm/memory_hotplug.c, mm/vmscan.c, security/lsm_notifier.c,"
    " drivers/tty/vt/keyboard.c,"
    " drivers/leds/led-triggers.c, drivers/tty/tty_ldisc.c, kernel/cpu.c, drivers/acpi/glue.c, drivers/acpi/acpica/,"
    " crypto/asymmetric_keys/asymmetric_type.c, mm/zpool.c, drivers/connector/connector.c, drivers/dma/dmaengine.c",
)

#: ``AE_NOT_FOUND``.
_AE_NOT_FOUND = 0x5
_NR_LDISCS = 30


def _registered(kernel: Kernel) -> Registrations:
    return kernel.state(Registrations)


# Chains


def _chain(name: str, returns: str = "int") -> None:
    @export(f"int register_{name}(struct notifier_block *nb)")
    def add(kernel: Kernel, nb: StructView) -> int:
        _registered(kernel).chain_register(name, nb.address)
        return 0

    @export(f"{returns} unregister_{name}(struct notifier_block *nb)")
    def remove(kernel: Kernel, nb: StructView) -> int:
        _registered(kernel).chain_unregister(name, nb.address)
        return 0


_chain("reboot_notifier")
_chain("pm_notifier")
_chain("memory_notifier", "void")
_chain("blocking_lsm_notifier")
_chain("restart_handler")
_chain("oom_notifier")
_chain("acpi_notifier")
_chain("keyboard_notifier")

export.data("struct atomic_notifier_head panic_notifier_list")
export.data("int acpi_disabled")
export.data("struct timezone sys_tz")
export.data("int edac_op_state", -1)
export.data("enum xen_domain_type xen_domain_type")


@export("int register_shrinker(struct shrinker *shrinker, const char *fmt, ...)")
def register_shrinker(kernel: Kernel, shrinker: StructView, fmt: bytes, args: CallVaList) -> int:
    """Memory never runs short."""
    shrinker["nr_deferred"] = kernel.slab.kmalloc(8)
    _registered(kernel).add("shrinker", shrinker.address, shrinker.address)
    return 0


@export("void unregister_shrinker(struct shrinker *shrinker)")
def unregister_shrinker(kernel: Kernel, shrinker: StructView) -> None:
    if _registered(kernel).remove("shrinker", shrinker.address):
        kernel.slab.kfree(shrinker["nr_deferred"])
        shrinker["nr_deferred"] = 0


# ACPI and DMI: there are no tables


@export("int register_acpi_bus_type(struct acpi_bus_type *type)")
def register_acpi_bus_type(kernel: Kernel, type: StructView) -> int:
    if not type.address or not type["match"] or not type["find_companion"]:
        raise err(errno.ENODEV)
    _registered(kernel).add("acpi_bus_type", type.address, type.address)
    kernel.log.pr_info(f"ACPI: bus type {type.string('name').decode('latin-1')} registered")
    return 0


@export("int unregister_acpi_bus_type(struct acpi_bus_type *type)")
def unregister_acpi_bus_type(kernel: Kernel, type: StructView) -> int:
    if not type.address or not _registered(kernel).remove("acpi_bus_type", type.address):
        raise err(errno.ENODEV)
    kernel.log.pr_info(f"ACPI: bus type {type.string('name').decode('latin-1')} unregistered")
    return 0


# The firmware describes no devices, and has no tables.


@export(
    "acpi_status acpi_get_devices(const char *HID, acpi_walk_callback user_function, void *context,"
    " void **return_value)"
)
def acpi_get_devices(kernel: Kernel, hid: bytes | None, user_function: int, context: int, return_value: int) -> int:
    return 0


@export("acpi_status acpi_get_table(char *signature, u32 instance, struct acpi_table_header **out_table)")
def acpi_get_table(kernel: Kernel, signature: int, instance: int, out_table: int) -> int:
    return _AE_NOT_FOUND


@export("acpi_status acpi_get_handle(acpi_handle parent, acpi_string pathname, acpi_handle *ret_handle)")
def acpi_get_handle(kernel: Kernel, parent: int, pathname: int, ret_handle: int) -> int:
    return _AE_NOT_FOUND


@export("bool acpi_osi_is_win8(void)")
def acpi_osi_is_win8(kernel: Kernel) -> bool:
    """No table has asked what the system is."""
    return False


@export("int dmi_check_system(const struct dmi_system_id *list)")
def dmi_check_system(kernel: Kernel, list: StructView) -> int:
    return 0


@export("const struct dmi_system_id *dmi_first_match(const struct dmi_system_id *list)")
def dmi_first_match(kernel: Kernel, list: StructView) -> int:
    return 0


@export("const char *dmi_get_system_info(int field)")
def dmi_get_system_info(kernel: Kernel, field: int) -> int:
    return 0


@export("int dmi_name_in_vendors(const char *str)")
def dmi_name_in_vendors(kernel: Kernel, str: bytes) -> int:
    return 0


@export("bool dmi_match(enum dmi_field f, const char *str)")
def dmi_match(kernel: Kernel, f: int, str: bytes | None) -> bool:
    return str is None


@export("const struct x86_cpu_id *x86_match_cpu(const struct x86_cpu_id *match)")
def x86_match_cpu(kernel: Kernel, match: StructView) -> int:
    cpu = kernel.struct("cpuinfo_x86", kernel.exports.data_address("boot_cpu_data"))
    while any(match[member] for member in ("vendor", "family", "model", "steppings", "feature")):
        feature = match["feature"]
        word = kernel.memory.read_int(cpu.at("x86_capability") + 4 * (feature // 32)) if feature else 0
        if (
            match["vendor"] in (0xFFFF, cpu["x86_vendor"])
            and match["family"] in (0, cpu["x86"])
            and match["model"] in (0, cpu["x86_model"])
            and (not match["steppings"] or match["steppings"] >> cpu["x86_stepping"] & 1)
            and (not feature or word >> feature % 32 & 1)
        ):
            return match.address
        match = kernel.struct("x86_cpu_id", match.address + match.struct.size)
    return 0


@export("bool drm_firmware_drivers_only(void)")
def drm_firmware_drivers_only(kernel: Kernel) -> bool:
    return "nomodeset" in kernel.cmdline.split()


@export("int attribute_container_register(struct attribute_container *cont)")
def attribute_container_register(kernel: Kernel, cont: StructView) -> int:
    INIT_LIST_HEAD(kernel.memory, cont.at("node"))
    INIT_LIST_HEAD(kernel.memory, cont.at("containers.k_list"))
    _registered(kernel).add("attribute_container", cont.address, cont.address)
    return 0


@export("int attribute_container_unregister(struct attribute_container *cont)")
def attribute_container_unregister(kernel: Kernel, cont: StructView) -> int:
    _registered(kernel).remove("attribute_container", cont.address)
    return 0


@export("int transport_class_register(struct transport_class *tclass)")
def transport_class_register(kernel: Kernel, tclass: StructView) -> int:
    kernel.state(DriverCore).class_register(tclass.sub("class"))
    return 0


@export("void transport_class_unregister(struct transport_class *tclass)")
def transport_class_unregister(kernel: Kernel, tclass: StructView) -> None:
    kernel.state(DriverCore).class_unregister(tclass.sub("class"))


# Processors that come and go: they do not


class CpuHotplug:
    """``cpuhp_hp_states[]``: what is to be done on each processor, by state."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.states: dict[int, tuple[int, int]] = {}
        self.online = (0, 1)

    def setup(self, state: int, startup: int, teardown: int, invoke: bool, multi: bool) -> int:
        """:raises OSError: ENOSPC, EBUSY, or what *startup* says"""
        constant = self._kernel.image.constant
        dynamic = 0
        for first in ("CPUHP_AP_ONLINE_DYN", "CPUHP_BP_PREPARE_DYN"):
            last = f"{first}_END"
            if state == constant(first):
                free = [n for n in range(constant(first), constant(last)) if n not in self.states]
                if not free:
                    raise err(errno.ENOSPC)
                state = dynamic = free[0]
        if not dynamic and state in self.states:
            raise err(errno.EBUSY)
        self.states[state] = (startup, teardown)
        if invoke and startup and not multi:
            for cpu in self.online:
                ret = self._kernel.cpu.call(startup, cpu)
                if ret:
                    for before in range(cpu - 1, -1, -1):
                        if teardown:
                            self._kernel.cpu.call(teardown, before)
                    del self.states[state]
                    raise err(-ret)
        return dynamic

    def remove(self, state: int, invoke: bool) -> None:
        _startup, teardown = self.states.pop(state, (0, 0))
        if invoke and teardown:
            for cpu in self.online:
                self._kernel.cpu.call(teardown, cpu)


_SETUP = "(enum cpuhp_state state, const char *name, bool invoke, int (*startup)(unsigned int), int (*teardown)(unsigned int), bool multi_instance)"  # noqa: E501


@export(f"int __cpuhp_setup_state{_SETUP}", f"int __cpuhp_setup_state_cpuslocked{_SETUP}")
def __cpuhp_setup_state(
    kernel: Kernel, state: int, name: bytes, invoke: bool, startup: int, teardown: int, multi_instance: bool
) -> int:
    return kernel.state(CpuHotplug).setup(state, startup, teardown, invoke, multi_instance)


@export("void __cpuhp_remove_state(enum cpuhp_state state, bool invoke)")
def __cpuhp_remove_state(kernel: Kernel, state: int, invoke: bool) -> None:
    kernel.state(CpuHotplug).remove(state, invoke)


@export("int __cpuhp_state_add_instance(enum cpuhp_state state, struct hlist_node *node, bool invoke)")
def __cpuhp_state_add_instance(kernel: Kernel, state: int, node: StructView, invoke: bool) -> int:
    hotplug = kernel.state(CpuHotplug)
    startup, _teardown = hotplug.states.get(state, (0, 0))
    if invoke and startup:
        for cpu in hotplug.online:
            ret = kernel.cpu.call(startup, cpu, node.address)
            if ret:
                raise err(-ret)
    return 0


@export("int __cpuhp_state_remove_instance(enum cpuhp_state state, struct hlist_node *node, bool invoke)")
def __cpuhp_state_remove_instance(kernel: Kernel, state: int, node: StructView, invoke: bool) -> int:
    hotplug = kernel.state(CpuHotplug)
    _startup, teardown = hotplug.states.get(state, (0, 0))
    if invoke and teardown:
        for cpu in hotplug.online:
            kernel.cpu.call(teardown, cpu, node.address)
    return 0


# LED triggers


@export("int led_trigger_register(struct led_trigger *trig)")
def led_trigger_register(kernel: Kernel, trig: StructView) -> int:
    INIT_LIST_HEAD(kernel.memory, trig.at("led_cdevs"))
    INIT_LIST_HEAD(kernel.memory, trig.at("next_trig"))
    _registered(kernel).add("led_trigger", trig.string("name"), trig.address)
    return 0


@export("void led_trigger_unregister(struct led_trigger *trig)")
def led_trigger_unregister(kernel: Kernel, trig: StructView) -> None:
    _registered(kernel).remove("led_trigger", trig.address)


@export("void led_trigger_register_simple(const char *name, struct led_trigger **tp)")
def led_trigger_register_simple(kernel: Kernel, name: bytes, tp: int) -> None:
    address = kernel.slab.kmalloc(kernel.image.structs["led_trigger"].size)
    trig = kernel.struct("led_trigger", address)
    trig["name"] = kernel.slab.string(name)
    try:
        led_trigger_register(kernel, trig)
    except FileExistsError:
        kernel.slab.kfree(address)
        text = name.decode("latin-1")
        kernel.log.pr_warn(f"LED trigger {text} failed to register (-{errno.EEXIST})")
        address = 0
    kernel.memory.write_pointer(tp, address)


@export("void led_trigger_unregister_simple(struct led_trigger *trig)")
def led_trigger_unregister_simple(kernel: Kernel, trig: StructView) -> None:
    if trig.address:
        led_trigger_unregister(kernel, trig)
        kernel.slab.kfree(trig["name"])
        kernel.slab.kfree(trig.address)


@export("void led_trigger_event(struct led_trigger *trigger, enum led_brightness event)")
def led_trigger_event(kernel: Kernel, trigger: StructView, event: int) -> None:
    if trigger.address:
        trigger["brightness"] = event


# Line disciplines


@export("int tty_register_ldisc(struct tty_ldisc_ops *new_ldisc)")
def tty_register_ldisc(kernel: Kernel, new_ldisc: StructView) -> int:
    number = new_ldisc["num"]
    if not 0 <= number < _NR_LDISCS:
        raise err(errno.EINVAL)
    _registered(kernel).remove_key("ldisc", number)
    _registered(kernel).add("ldisc", number, new_ldisc.address)
    return 0


@export("void tty_unregister_ldisc(struct tty_ldisc_ops *ldisc)")
def tty_unregister_ldisc(kernel: Kernel, ldisc: StructView) -> None:
    _registered(kernel).remove_key("ldisc", ldisc["num"])


# Others


@export("int register_asymmetric_key_parser(struct asymmetric_key_parser *parser)")
def register_asymmetric_key_parser(kernel: Kernel, parser: StructView) -> int:
    name = parser.string("name").decode("latin-1")
    try:
        _registered(kernel).add("asymmetric_key_parser", name, parser.address)
    except FileExistsError:
        kernel.log.pr_err(f"Asymmetric key parser '{name}' already registered")
        raise
    kernel.log.pr_notice(f"Asymmetric key parser '{name}' registered")
    return 0


@export("void unregister_asymmetric_key_parser(struct asymmetric_key_parser *parser)")
def unregister_asymmetric_key_parser(kernel: Kernel, parser: StructView) -> None:
    _registered(kernel).remove("asymmetric_key_parser", parser.address)
    kernel.log.pr_notice(f"Asymmetric key parser '{parser.string('name').decode('latin-1')}' unregistered")


@export("void zpool_register_driver(struct zpool_driver *driver)")
def zpool_register_driver(kernel: Kernel, driver: StructView) -> None:
    _registered(kernel).add("zpool", driver.address, driver.address)


@export("int zpool_unregister_driver(struct zpool_driver *driver)")
def zpool_unregister_driver(kernel: Kernel, driver: StructView) -> int:
    _registered(kernel).remove("zpool", driver.address)
    return 0


@export(
    "int cn_add_callback(const struct cb_id *id, const char *name,"
    " void (*callback)(struct cn_msg *, struct netlink_skb_parms *))"
)
def cn_add_callback(kernel: Kernel, id: StructView, name: bytes, callback: int) -> int:
    _registered(kernel).add("connector", (id["idx"], id["val"]), callback, errno.EINVAL)
    return 0


@export("void cn_del_callback(const struct cb_id *id)")
def cn_del_callback(kernel: Kernel, id: StructView) -> None:
    _registered(kernel).remove_key("connector", (id["idx"], id["val"]))


@export("void dmaengine_get(void)", "void dmaengine_put(void)")
def dmaengine_get(kernel: Kernel) -> None:
    """There is no channel that somebody could hold."""


@export("void crypto_init_queue(struct crypto_queue *queue, unsigned int max_qlen)")
def crypto_init_queue(kernel: Kernel, queue: StructView, max_qlen: int) -> None:
    INIT_LIST_HEAD(kernel.memory, queue.at("list"))
    queue["backlog"], queue["qlen"], queue["max_qlen"] = queue.at("list"), 0, max_qlen
