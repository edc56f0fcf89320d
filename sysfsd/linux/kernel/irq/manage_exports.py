"""Interrupts: asked for, turned off and on, looked for."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.irq.manage import NR_IRQS, Irqs

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area(
    "kernel/irq/irqdesc.c",
    "kernel/irq/manage.c",
    "kernel/irq/resend.c",
    "kernel/irq/autoprobe.c",
    "kernel/irq/chip.c",
    "kernel/irq/devres.c",
)

#: How long it is before an interrupt that was looked for counts as not having come (seconds).
_PROBE_TIME: Final = 0.12

#: ``struct irq_devres``.
_IRQ_DEVRES: Final = 16

_IRQC_IS_HARDIRQ: Final = 0

export.data("int nr_irqs", NR_IRQS)


def _irqs(kernel: Kernel) -> Irqs:
    return kernel.state(Irqs)


@export(
    "int request_threaded_irq(unsigned int irq, irq_handler_t handler, irq_handler_t thread_fn, unsigned long irqflags,"
    " void *devname, void *dev_id)"
)
def request_threaded_irq(
    kernel: Kernel, irq: int, handler: int, thread_fn: int, irqflags: int, devname: int, dev_id: int
) -> int:
    return _irqs(kernel).request(irq, handler, thread_fn, irqflags, devname, dev_id)


@export(
    "int request_any_context_irq(unsigned int irq, irq_handler_t handler, unsigned long flags, void *name,"
    " void *dev_id)"
)
def request_any_context_irq(kernel: Kernel, irq: int, handler: int, flags: int, name: int, dev_id: int) -> int:
    _irqs(kernel).existing(irq)
    _irqs(kernel).request(irq, handler, 0, flags, name, dev_id)
    return _IRQC_IS_HARDIRQ


@export(
    "int __request_percpu_irq(unsigned int irq, irq_handler_t handler, unsigned long flags, const char *devname,"
    " void *dev_id)"
)
def __request_percpu_irq(kernel: Kernel, irq: int, handler: int, flags: int, devname: bytes | None, dev_id: int) -> int:
    raise err(errno.EINVAL)  # no processor has any of its own that a module could have


@export("const void *free_irq(unsigned int irq, void *dev_id)")
def free_irq(kernel: Kernel, irq: int, dev_id: int) -> int:
    return _irqs(kernel).free(irq, dev_id)


@export("void disable_irq(unsigned int irq)", "void disable_irq_nosync(unsigned int irq)")
def disable_irq(kernel: Kernel, irq: int) -> None:
    _irqs(kernel).disable(irq)


@export("bool disable_hardirq(unsigned int irq)")
def disable_hardirq(kernel: Kernel, irq: int) -> bool:
    return _irqs(kernel).disable(irq)


@export("void enable_irq(unsigned int irq)")
def enable_irq(kernel: Kernel, irq: int) -> None:
    _irqs(kernel).enable(irq)


@export("void synchronize_irq(unsigned int irq)")
def synchronize_irq(kernel: Kernel, irq: int) -> None:
    """What handles one holds the kernel lock."""


@export("bool synchronize_hardirq(unsigned int irq)")
def synchronize_hardirq(kernel: Kernel, irq: int) -> bool:
    return True


@export("void irq_wake_thread(unsigned int irq, void *dev_id)")
def irq_wake_thread(kernel: Kernel, irq: int, dev_id: int) -> None:
    _irqs(kernel).wake_thread(irq, dev_id)


@export("int generic_handle_irq(unsigned int irq)", "int generic_handle_irq_safe(unsigned int irq)")
def generic_handle_irq(kernel: Kernel, irq: int) -> int:
    return _irqs(kernel).handle(irq, "handle_irq_desc+0x25")


@export("int irq_inject_interrupt(unsigned int irq)")
def irq_inject_interrupt(kernel: Kernel, irq: int) -> int:
    return _irqs(kernel).inject(irq)


@export("unsigned long probe_irq_on(void)")
def probe_irq_on(kernel: Kernel) -> int:
    kernel.sched.sleep(_PROBE_TIME)
    return _irqs(kernel).probe()


@export("int probe_irq_off(unsigned long val)", "unsigned int probe_irq_mask(unsigned long val)")
def probe_irq_off(kernel: Kernel, val: int) -> int:
    return 0


@export("struct irq_data *irq_get_irq_data(unsigned int irq)")
def irq_get_irq_data(kernel: Kernel, irq: int) -> int:
    desc = _irqs(kernel).desc(irq)
    return desc.at("irq_data") if desc is not None else 0


@export("bool irq_has_action(unsigned int irq)")
def irq_has_action(kernel: Kernel, irq: int) -> bool:
    desc = _irqs(kernel).desc(irq)
    return desc is not None and bool(desc["action"])


@export("bool irq_check_status_bit(unsigned int irq, unsigned int bitmask)")
def irq_check_status_bit(kernel: Kernel, irq: int, bitmask: int) -> bool:
    desc = _irqs(kernel).desc(irq)
    return desc is not None and bool(desc["status_use_accessors"] & bitmask)


@export("int irq_set_irq_type(unsigned int irq, unsigned int type)")
def irq_set_irq_type(kernel: Kernel, irq: int, type: int) -> int:
    _irqs(kernel).existing(irq)  # whose chip does not let itself be told
    return 0


@export("int irq_set_irq_wake(unsigned int irq, unsigned int on)")
def irq_set_irq_wake(kernel: Kernel, irq: int, on: int) -> int:
    return _irqs(kernel).set_wake(irq, bool(on))


@export(
    "int irq_set_affinity(unsigned int irq, const struct cpumask *cpumask)",
    "int irq_force_affinity(unsigned int irq, const struct cpumask *cpumask)",
)
def irq_set_affinity(kernel: Kernel, irq: int, cpumask: StructView) -> int:
    _irqs(kernel).existing(irq)
    return 0


@export("int __irq_apply_affinity_hint(unsigned int irq, const struct cpumask *m, bool setaffinity)")
def __irq_apply_affinity_hint(kernel: Kernel, irq: int, m: StructView, setaffinity: bool) -> int:
    _irqs(kernel).existing(irq)["affinity_hint"] = m.address
    return 0


# Of devices


@export(
    "int devm_request_threaded_irq(struct device *dev, unsigned int irq, irq_handler_t handler,"
    " irq_handler_t thread_fn, unsigned long irqflags, void *devname, void *dev_id)"
)
def devm_request_threaded_irq(
    kernel: Kernel, dev: StructView, irq: int, handler: int, thread_fn: int, irqflags: int, devname: int, dev_id: int
) -> int:
    name = devname or dev["init_name"] or dev["kobj.name"]
    _irqs(kernel).request(irq, handler, thread_fn, irqflags, name, dev_id)
    core, irqs = kernel.state(DriverCore), _irqs(kernel)

    def release(data: int) -> None:
        del irqs.managed[data]
        irqs.free(irq, dev_id)

    data = core.devres.alloc(release, _IRQ_DEVRES)
    irqs.managed[data] = (irq, dev_id)
    core.devres.add(dev, data)
    return 0


@export(
    "int devm_request_any_context_irq(struct device *dev, unsigned int irq, irq_handler_t handler,"
    " unsigned long irqflags, void *devname, void *dev_id)"
)
def devm_request_any_context_irq(
    kernel: Kernel, dev: StructView, irq: int, handler: int, irqflags: int, devname: int, dev_id: int
) -> int:
    devm_request_threaded_irq(kernel, dev, irq, handler, 0, irqflags, devname, dev_id)
    return _IRQC_IS_HARDIRQ


@export("void devm_free_irq(struct device *dev, unsigned int irq, void *dev_id)")
def devm_free_irq(kernel: Kernel, dev: StructView, irq: int, dev_id: int) -> None:
    core, irqs = kernel.state(DriverCore), _irqs(kernel)
    found = core.devres.find(dev, None, lambda data: irqs.managed.get(data) == (irq, dev_id))
    if found is None:
        kernel.traps.warn_at("kernel/irq/devres.c", 144)
    else:
        del irqs.managed[found.data]
        core.devres.remove(dev, found)
        core.devres.free(found.data)
    irqs.free(irq, dev_id)
