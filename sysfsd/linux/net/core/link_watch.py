"""Links: who hears that one has come or gone, and what it means for a device (net/core/link_watch.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.lib.list import INIT_LIST_HEAD
from sysfsd.linux.net.core.netdevice import IFF, OPER_DORMANT, OPER_DOWN, OPER_TESTING, OPER_UP, LinkState, RegState

if TYPE_CHECKING:
    from sysfsd.linux.net.core.dev import NetDevices
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["LinkWatch"]


class LinkWatch:
    """The links of the network devices of one kernel."""

    def __init__(self, devices: NetDevices) -> None:
        self.devices = devices
        self.kernel = devices.kernel
        self._unlisted_work = 0
        self._changed_links: dict[int, None] = {}

    # The link

    def carrier(self, dev: StructView, on: bool) -> None:
        """``netif_carrier_on()``, ``netif_carrier_off()``."""
        if bool(dev["state"] & LinkState.NOCARRIER) != on:
            return
        dev["state"] ^= LinkState.NOCARRIER
        if dev["reg_state"] == RegState.UNINITIALIZED:
            return
        dev["carrier_up_count.counter" if on else "carrier_down_count.counter"] += 1
        self.link_event(dev)

    def link_event(self, dev: StructView) -> None:
        """``linkwatch_fire_event()``."""
        kernel = self.kernel
        self._changed_links[dev.address] = None
        if not self._unlisted_work:
            work = kernel.struct("work_struct", kernel.slab.kmalloc(kernel.image.structs["work_struct"].size))
            INIT_LIST_HEAD(kernel.memory, work.at("entry"))
            work["func"] = kernel.exports.internal("void linkwatch_event(void *dummy)", self._linkwatch_event)
            self._unlisted_work = work.address
        queue = kernel.memory.read_pointer(kernel.exports.data_address("system_unbound_wq"))
        wq = kernel.workqueues.find(queue)
        if wq is not None:
            kernel.workqueues.queue(wq, self._unlisted_work)

    def linkwatch(self) -> None:
        """``__linkwatch_run_queue()``."""
        changed, self._changed_links = self._changed_links, {}
        for address in changed:
            known = self.devices.known.get(address)
            if known is not None and known.dev["reg_state"] == RegState.REGISTERED:
                self.rfc2863_policy(known.dev)
                if known.dev["flags"] & IFF.UP:
                    self.devices.notify("CHANGE", known.dev)

    def rfc2863_policy(self, dev: StructView) -> None:
        """``rfc2863_policy()``: how things stand, from what is known of the link."""
        state = dev["state"]
        if state & LinkState.NOCARRIER:
            oper = OPER_DOWN
        elif state & LinkState.TESTING:
            oper = OPER_TESTING
        else:
            oper = OPER_DORMANT if state & LinkState.DORMANT else OPER_UP
        dev["operstate"] = oper

    def _linkwatch_event(self, kernel: Kernel, dummy: int) -> None:
        """``linkwatch_event()``."""
        self.linkwatch()
