"""Queueing disciplines, classifiers, actions."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.net.core.dev_exports import net_devices
from sysfsd.linux.net.core.net_namespace_exports import Net
from sysfsd.linux.registrations import BUILTIN, declare_table, needs, registered, text_key

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area(
    "net/sched/cls_api.c",
    "net/sched/ematch.c",
    "net/sched/sch_api.c",
    "net/sched/act_api.c",
    "net/sched/sch_generic.c",
)

declare_table(
    export,
    "int register_tcf_proto_ops(struct tcf_proto_ops *ops)",
    "void unregister_tcf_proto_ops(struct tcf_proto_ops *ops)",
    text_key("kind"),
    "tcf_proto",
)

declare_table(
    export,
    "int tcf_em_register(struct tcf_ematch_ops *ops)",
    "void tcf_em_unregister(struct tcf_ematch_ops *ops)",
    lambda ops: ops["kind"],
    "tcf_ematch",
    check=needs("match"),
)


@export("int register_qdisc(struct Qdisc_ops *qops)")
def register_qdisc(kernel: Kernel, qops: StructView) -> int:
    name = qops.string("id").decode("latin-1")
    if name in BUILTIN["qdisc"]:
        raise err(errno.EEXIST)
    if qops["cl_ops"]:
        cl = qops.to("cl_ops")
        if not (cl["find"] and cl["walk"] and cl["leaf"]) or (
            cl["tcf_block"] and not (cl["bind_tcf"] and cl["unbind_tcf"])
        ):
            raise err(errno.EINVAL)
    registered(kernel).add("qdisc", name, qops.address)
    return 0


@export("void unregister_qdisc(struct Qdisc_ops *qops)")
def unregister_qdisc(kernel: Kernel, qops: StructView) -> None:
    if not registered(kernel).remove("qdisc", qops.address):
        name = qops.string("id").decode("latin-1")
        kernel.traps.warn_message(f"unregister qdisc({name}) failed", "net/sched/sch_api.c", 208)


@export("int tcf_register_action(struct tc_action_ops *act, struct pernet_operations *ops)")
def tcf_register_action(kernel: Kernel, act: StructView, ops: StructView) -> int:
    if not act["act"] or not act["dump"] or not act["init"]:
        raise err(errno.EINVAL)
    kernel.state(Net).register(ops)
    act["net_id"] = kernel.memory.read_int(ops["id"])
    registrations = registered(kernel)
    try:
        registrations.add("tc_action_id", act["id"], act.address)
        registrations.add("tc_action", act.string("kind"), act.address)
    except OSError:
        registrations.remove("tc_action_id", act.address)
        kernel.state(Net).unregister(ops)
        raise
    return 0


@export("int tcf_unregister_action(struct tc_action_ops *act, struct pernet_operations *ops)")
def tcf_unregister_action(kernel: Kernel, act: StructView, ops: StructView) -> int:
    registrations = registered(kernel)
    registrations.remove("tc_action_id", act.address)
    if not registrations.remove("tc_action", act.address):
        raise err(errno.ENOENT)
    kernel.state(Net).unregister(ops)
    return 0


export.data("struct Qdisc noop_qdisc")


# The link and the queues


@export("void netif_carrier_on(struct net_device *dev)")
def netif_carrier_on(kernel: Kernel, dev: StructView) -> None:
    net_devices(kernel).link.carrier(dev, True)


@export("void netif_carrier_off(struct net_device *dev)")
def netif_carrier_off(kernel: Kernel, dev: StructView) -> None:
    net_devices(kernel).link.carrier(dev, False)
