"""Packets (net/core/skbuff.c), and how those that drivers receive get to who wants them (net/core/dev.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.kernel.sched.core import SOFTIRQ_OFFSET
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add_tail, list_del_init, list_empty, list_entries
from sysfsd.linux.mm.memory import PAGE_SIZE
from sysfsd.linux.mm.slab import kmalloc_size
from sysfsd.linux.net.core.dev import NetDevices
from sysfsd.linux.net.core.netdevice import IFF, LinkState
from sysfsd.linux.registrations import Registrations

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["NET_RX_DROP", "Napi", "NapiState", "SkBuffs"]

NET_SKB_PAD: Final = 64
_CACHE_LINE: Final = 64
#: Data of up to so many bytes, and of more than a page, is not cut from a page.
_SMALL: Final = 1024
_NOT_SET: Final = 0xFFFF
NET_RX_DROP: Final = 1
_NET_XMIT_CN, _NETDEV_TX_BUSY = 2, 0x10
#: Who takes what the kernel proper has handlers for: here nobody, as no device has an address.
_BUILTIN_PROTOCOLS: Final = (0x0800, 0x0806, 0x86DD)
_ETH_P_802_3, _ETH_P_ALL, _ETH_P_802_2 = 1, 3, 4


def _aligned(size: int) -> int:
    """``SKB_DATA_ALIGN()``."""
    return (size + _CACHE_LINE - 1) & -_CACHE_LINE


class SkBuffs:
    """The packets of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        structs = kernel.image.structs
        self._size = structs["sk_buff"].size
        self._shared = structs["skb_shared_info"].size
        #: Bytes that each packet costs besides its data.
        self._overhead = _aligned(self._size) + _aligned(self._shared)
        #: Where the data of packets lies.
        self._heads: set[int] = set()

    def view(self, address: int) -> StructView:
        return self._kernel.struct("sk_buff", address)

    def shared(self, skb: StructView) -> StructView:
        """``skb_shinfo()``."""
        return self._kernel.struct("skb_shared_info", skb["head"] + skb["end"])

    def _head(self, room: int) -> int:
        head = self._kernel.slab.kmalloc(room)
        self._heads.add(head)
        return head

    def with_overhead(self, size: int) -> int:
        """``SKB_WITH_OVERHEAD()``: what is left of *size* bytes."""
        return size - _aligned(self._shared)

    def alloc(self, size: int) -> StructView:
        """``__alloc_skb()``.

        :raises OSError: ENOMEM
        """
        room = kmalloc_size(_aligned(size) + _aligned(self._shared))
        return self._build(room)

    def _build(self, room: int) -> StructView:
        """``__build_skb_around()``: a packet whose head and what belongs to it take *room* bytes."""
        kernel = self._kernel
        skb = self.view(kernel.slab.kmalloc(self._size))
        self._around(skb, self._head(room), room)
        return skb

    def _around(self, skb: StructView, head: int, room: int) -> None:
        size = room - _aligned(self._shared)
        skb["truesize"] = size + self._overhead
        skb["users.refs.counter"] = 1
        skb["head"] = skb["data"] = head
        skb["tail"], skb["end"] = 0, size
        skb["mac_header"] = skb["transport_header"] = _NOT_SET
        self.shared(skb)["dataref.counter"] = 1

    def build(self, data: int, frag_size: int) -> StructView:
        """``build_skb()`` around memory of a driver."""
        kernel = self._kernel
        skb = self.view(kernel.slab.kmalloc(self._size))
        size = frag_size or kernel.slab.ksize(data)
        self._heads.add(data)
        self._around(skb, data, size)
        if frag_size:
            skb["head_frag"] = 1
        return skb

    def netdev_alloc(self, dev: int, length: int) -> StructView:
        """``__netdev_alloc_skb()``."""
        length += NET_SKB_PAD
        if not self.with_overhead(_SMALL) < length <= self.with_overhead(PAGE_SIZE):
            skb = self.alloc(length)
        else:
            skb = self._build(_aligned(length) + _aligned(self._shared))
            skb["head_frag"] = 1
        self.reserve(skb, NET_SKB_PAD)
        skb["dev"] = dev
        return skb

    def reserve(self, skb: StructView, length: int) -> None:
        """``skb_reserve()``."""
        skb["data"] += length
        skb["tail"] += length

    # Freeing

    def free(self, skb: StructView) -> None:
        """``kfree_skb()``: the last who has it frees it."""
        if not skb.address:
            return
        users = skb["users.refs.counter"] - 1
        skb["users.refs.counter"] = users
        if users == 0:
            if skb["destructor"]:
                self._kernel.cpu.call(skb["destructor"], skb.address)
            self._release_data(skb)
            self._kernel.slab.kfree(skb.address)

    def _release_data(self, skb: StructView) -> None:
        """``skb_release_data()``."""
        shared = self.shared(skb)
        left = shared["dataref.counter"] - (0x10001 if skb["nohdr"] else 1)
        shared["dataref.counter"] = left
        if skb["cloned"] and left & 0xFFFF:
            return
        head = skb["head"]
        if head in self._heads:
            self._heads.discard(head)
            self._kernel.slab.kfree(head)

    # Changing

    def _panic(self, skb: StructView, size: int, which: str, caller: int) -> None:
        """``skb_panic()``."""
        dev = skb.to("dev").string("name").decode("latin-1") if skb["dev"] else "<NULL>"
        self._kernel.log.pr_emerg(
            f"skbuff: skb_{which}_panic: text:{caller:016x} len:{skb['len']} put:{size} head:{skb['head']:016x}"
            f" data:{skb['data']:016x} tail:{skb['tail']:#x} end:{skb['end']:#x} dev:{dev}"
        )
        self._kernel.traps.bug_at("net/core/skbuff.c", 120, "skb_panic+0x48")

    def put(self, skb: StructView, length: int, caller: int) -> int:
        """``skb_put()``.

        :returns: where the new bytes are
        """
        at = skb["head"] + skb["tail"]
        skb["tail"] += length
        skb["len"] += length
        if skb["tail"] > skb["end"]:
            self._panic(skb, length, "over", caller)
        return at

    def push(self, skb: StructView, length: int, caller: int) -> int:
        """``skb_push()``."""
        skb["data"] -= length
        skb["len"] += length
        if skb["data"] < skb["head"]:
            self._panic(skb, length, "under", caller)
        return skb["data"]

    def pull(self, skb: StructView, length: int) -> int:
        """``skb_pull()``: 0 where there is not that much."""
        if length > skb["len"]:
            return 0
        skb["len"] -= length
        skb["data"] += length
        return skb["data"]

    def trim(self, skb: StructView, length: int) -> None:
        """``skb_trim()``."""
        if skb["len"] > length:
            skb["len"] = length
            skb["tail"] = skb["data"] - skb["head"] + length

    def headroom(self, skb: StructView) -> int:
        return skb["data"] - skb["head"]

    def data(self, skb: StructView) -> bytes:
        return self._kernel.memory.read(skb["data"], skb["len"])

    def clone(self, skb: StructView) -> StructView:
        """``skb_clone()``: the same data once more.

        :raises OSError: ENOMEM
        """
        kernel = self._kernel
        other = self.view(kernel.slab.kmalloc(self._size))
        kernel.memory.write(other.address, kernel.memory.read(skb.address, self._size))
        for member in ("next", "prev", "sk", "destructor"):
            other[member] = 0
        skb["cloned"] = other["cloned"] = 1
        other["nohdr"], other["peeked"] = 0, 0
        other["users.refs.counter"] = 1
        self.shared(skb)["dataref.counter"] += 1
        return other

    def copy(self, skb: StructView, headroom: int | None = None, tailroom: int | None = None) -> StructView:
        """``skb_copy()``, ``skb_copy_expand()``: with data of its own.

        :raises OSError: ENOMEM
        """
        memory = self._kernel.memory
        before = self.headroom(skb)
        if headroom is None or tailroom is None:
            new = self.alloc(skb["end"] + skb["data_len"])
            headroom = before
            memory.write(new["head"], memory.read(skb["head"], before))
        else:
            new = self.alloc(headroom + skb["len"] + tailroom)
        self.reserve(new, headroom)
        data = self.data(skb)
        memory.write(self.put(new, len(data), 0), data)
        self._copy_header(skb, new, headroom - before)
        return new

    def _copy_header(self, old: StructView, new: StructView, moved: int) -> None:
        """``skb_copy_header()``."""
        memory = self._kernel.memory
        for member in ("dev", "tstamp", "ip_summed", "csum", "pkt_type", "mark", "queue_mapping", "skb_iif"):
            new[member] = old[member]
        memory.write(new.at("cb"), memory.read(old.at("cb"), 48))
        for member in ("priority", "hash", "vlan_present", "vlan_proto", "vlan_tci", "protocol", "mac_len"):
            new[member] = old[member]
        for member in ("mac_header", "network_header", "transport_header"):
            value = old[member]
            new[member] = value if value == _NOT_SET and member != "network_header" else value + moved
        shared, source = self.shared(new), self.shared(old)
        for member in ("gso_size", "gso_segs", "gso_type"):
            shared[member] = source[member]

    def expand_head(self, skb: StructView, nhead: int, ntail: int) -> None:
        """``pskb_expand_head()``.

        :raises OSError: ENOMEM
        """
        kernel, memory = self._kernel, self._kernel.memory
        old, end = skb["head"], skb["end"]
        room = kmalloc_size(_aligned(end + nhead + ntail) + _aligned(self._shared))
        size = room - _aligned(self._shared)
        data = self._head(room)
        memory.write(data + nhead, memory.read(old, skb["tail"]))
        memory.write(data + size, memory.read(old + end, self._shared))
        offset = skb["data"] - old
        self._release_data(skb)
        skb["head"], skb["head_frag"], skb["data"] = data, 0, data + nhead + offset
        skb["end"] = size
        skb["tail"] += nhead
        for member in ("mac_header", "network_header", "transport_header"):
            if skb[member] != _NOT_SET:
                skb[member] += nhead
        skb["cloned"] = skb["nohdr"] = 0
        kernel.struct("skb_shared_info", data + size)["dataref.counter"] = 1
        if not skb["sk"]:
            skb["truesize"] += size - end

    # Ethernet

    def eth_type_trans(self, skb: StructView, dev: StructView) -> int:
        """``eth_type_trans()``: take the header off.

        :returns: the protocol, in network byte order
        """
        memory = self._kernel.memory
        skb["dev"] = dev.address
        skb["mac_header"] = skb["data"] - skb["head"]
        header = memory.read(skb["data"], 14)
        self.pull(skb, 14)
        address = memory.read(dev["dev_addr"], 6)
        if header[:6] != address:
            broadcast = memory.read(dev.at("broadcast"), 6)
            if header[0] & 1:
                skb["pkt_type"] = 1 if header[:6] == broadcast else 2
            else:
                skb["pkt_type"] = 3
        protocol = int.from_bytes(header[12:14], "big")
        if protocol < 0x600:
            start = memory.read(skb["data"], 2) if skb["len"] >= 2 else b""
            protocol = _ETH_P_802_3 if start == b"\xff\xff" else _ETH_P_802_2
        return int.from_bytes(protocol.to_bytes(2, "big"), "little")

    # Sending

    def transmit(self, skb: StructView) -> int:
        """``__dev_queue_xmit()``: there is no queue, only the driver; a device that is down takes nothing."""
        kernel = self._kernel
        dev = skb.to("dev")
        skb["mac_header"] = skb["data"] - skb["head"]
        start_xmit = dev.to("netdev_ops")["ndo_start_xmit"]
        if not dev["flags"] & IFF.UP or not start_xmit or kernel.struct("netdev_queue", dev["_tx"])["state"] & 3:
            self.free(skb)
            return _NET_XMIT_CN
        kernel.sched.preempt_count += 2 * SOFTIRQ_OFFSET
        try:
            if kernel.cpu.call(start_xmit, skb.address, dev.address) == _NETDEV_TX_BUSY:
                self.free(skb)
        finally:
            kernel.sched.preempt_count -= 2 * SOFTIRQ_OFFSET
        return 0

    # Receiving

    def receive(self, skb: StructView) -> int:
        """``__netif_receive_skb()``: give a packet to who has asked for such.

        :returns: what the last of them says, or NET_RX_DROP
        """
        kernel = self._kernel
        dev = skb.to("dev")
        skb["skb_iif"] = dev["ifindex"]
        skb["network_header"] = skb["data"] - skb["head"]
        skb["mac_len"] = skb["network_header"] - skb["mac_header"] & 0xFFFF
        protocol = int.from_bytes(skb["protocol"].to_bytes(2, "little"), "big")
        takers = [
            pt
            for address in kernel.state(Registrations).items("packet_type").values()
            if self._takes(pt := kernel.struct("packet_type", address), protocol, dev)
        ]
        devices = kernel.state(NetDevices)
        if not takers:
            known = protocol in _BUILTIN_PROTOCOLS
            if not known:
                devices.count(dev, "rx_dropped")
            self.free(skb)
            return NET_RX_DROP
        for pt in takers[:-1]:
            skb["users.refs.counter"] += 1
            self._deliver(skb, pt, dev)
        if protocol in _BUILTIN_PROTOCOLS:
            skb["users.refs.counter"] += 1
            self._deliver(skb, takers[-1], dev)
            self.free(skb)
            return NET_RX_DROP
        return self._deliver(skb, takers[-1], dev)

    def _takes(self, pt: StructView, protocol: int, dev: StructView) -> bool:
        wanted = int.from_bytes(pt["type"].to_bytes(2, "little"), "big")
        return wanted in (_ETH_P_ALL, protocol) and pt["dev"] in (0, dev.address)

    def _deliver(self, skb: StructView, pt: StructView, dev: StructView) -> int:
        """``deliver_skb()``."""
        return self._kernel.cpu.call(pt["func"], skb.address, dev.address, pt.address, dev.address)


class NapiState:
    """Bits of ``napi->state``."""

    SCHED: Final = 1 << 0
    MISSED: Final = 1 << 1
    DISABLE: Final = 1 << 2
    NPSVC: Final = 1 << 3
    LISTED: Final = 1 << 4


_NAPI_WEIGHT: Final = 64
_BUDGET: Final = 300


class Napi:
    """What polls devices in soft interrupts (``net_rx_action()``)."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._head = kernel.slab.kmalloc(16)
        INIT_LIST_HEAD(kernel.memory, self._head)
        self._backlog: list[StructView] = []
        self._backlog_key = kernel.slab.kmalloc(8)
        self._once: set[str] = set()

    def _napi(self, entry: int) -> StructView:
        return self._kernel.struct("napi_struct", entry - self._kernel.image.offset("napi_struct", "poll_list"))

    def add(self, dev: StructView, napi: StructView, poll: int, weight: int) -> None:
        """``netif_napi_add_weight()``."""
        kernel, memory = self._kernel, self._kernel.memory
        if napi["state"] & NapiState.LISTED:
            kernel.traps.warn_here("net/core/dev.c", 6379)
            return
        napi["state"] |= NapiState.LISTED
        INIT_LIST_HEAD(memory, napi.at("poll_list"))
        INIT_LIST_HEAD(memory, napi.at("rx_list"))
        napi["gro_bitmask"] = napi["rx_count"] = napi["skb"] = 0
        for index in range(8):
            INIT_LIST_HEAD(memory, napi.at(f"gro_hash[{index}].list"))
            napi[f"gro_hash[{index}].count"] = 0
        napi["poll"], napi["weight"], napi["dev"] = poll, weight, dev.address
        if weight > _NAPI_WEIGHT and "weight" not in self._once:
            self._once.add("weight")
            text = b"netif_napi_add_weight() called with weight %d\n" % weight
            kernel.state(NetDevices).printk(Level.ERR, dev, text)
        napi["poll_owner"] = -1
        napi["state"] |= NapiState.SCHED | NapiState.NPSVC
        list_add_tail(memory, napi.at("dev_list"), dev.at("napi_list"))

    def schedule_prep(self, napi: StructView) -> bool:
        """``napi_schedule_prep()``."""
        state = napi["state"]
        if state & NapiState.DISABLE:
            return False
        napi["state"] = state | NapiState.SCHED | (NapiState.MISSED if state & NapiState.SCHED else 0)
        return not state & NapiState.SCHED

    def schedule(self, napi: StructView) -> None:
        """``__napi_schedule()``."""
        list_add_tail(self._kernel.memory, napi.at("poll_list"), self._head)
        self._raise()

    def _raise(self) -> None:
        self._kernel.softirq.soon(self._head, self._net_rx_action)

    def _net_rx_action(self) -> None:
        """``net_rx_action()``."""
        kernel, budget = self._kernel, _BUDGET
        for entry in list(list_entries(kernel.memory, self._head)):
            napi = self._napi(entry)
            list_del_init(kernel.memory, entry)
            budget -= self._poll(napi)
            if budget <= 0:
                break
        if not list_empty(kernel.memory, self._head):
            self._raise()

    def _poll(self, napi: StructView) -> int:
        """``napi_poll()``.

        :returns: how much was done
        """
        kernel, weight = self._kernel, napi["weight"]
        work = kernel.cpu.call(napi["poll"], napi.address, weight) if napi["state"] & NapiState.SCHED else 0
        if work > weight and "budget" not in self._once:
            self._once.add("budget")
            name = kernel.kallsyms.sprint_symbol(napi["poll"])
            text = f"NAPI poll function {name} returned {work}, exceeding its budget of {weight}.\n"
            kernel.state(NetDevices).printk(Level.ERR, napi.to("dev"), text.encode("latin-1"))
        if work >= weight:
            if napi["state"] & NapiState.DISABLE:
                self.complete_done(napi)
            elif list_empty(kernel.memory, napi.at("poll_list")):
                list_add_tail(kernel.memory, napi.at("poll_list"), self._head)
        return work

    def complete_done(self, napi: StructView) -> bool:
        """``napi_complete_done()``."""
        state = napi["state"]
        if state & NapiState.NPSVC:
            return False
        if not list_empty(self._kernel.memory, napi.at("poll_list")):
            list_del_init(self._kernel.memory, napi.at("poll_list"))
        if not state & NapiState.SCHED:
            self._kernel.traps.warn_here("net/core/dev.c", 6118)
        missed = state & NapiState.MISSED
        napi["state"] = state & ~(NapiState.MISSED | (0 if missed else NapiState.SCHED))
        if missed:
            self.schedule(napi)
        return not missed

    def enable(self, napi: StructView) -> None:
        """``napi_enable()``."""
        if not napi["state"] & NapiState.SCHED:
            self._kernel.traps.bug_here("net/core/dev.c", 6466)
        napi["state"] &= ~(NapiState.SCHED | NapiState.NPSVC)

    def disable(self, napi: StructView) -> None:
        """``napi_disable()``: wait until nobody polls."""
        kernel = self._kernel
        napi["state"] |= NapiState.DISABLE
        while napi["state"] & (NapiState.SCHED | NapiState.NPSVC):
            kernel.sched.sleep(0.0002)
            if kernel.sched.ended():
                return
        napi["state"] = (napi["state"] | NapiState.SCHED | NapiState.NPSVC) & ~NapiState.DISABLE

    def delete(self, napi: StructView) -> None:
        """``__netif_napi_del()``."""
        if napi["state"] & NapiState.LISTED:
            napi["state"] &= ~NapiState.LISTED
            list_del_init(self._kernel.memory, napi.at("dev_list"))

    def netif_rx(self, skb: StructView) -> int:
        """``enqueue_to_backlog()``."""
        if not skb.to("dev")["state"] & LinkState.START:
            self._kernel.state(NetDevices).count(skb.to("dev"), "rx_dropped")
            self._kernel.state(SkBuffs).free(skb)
            return NET_RX_DROP
        self._backlog.append(skb)
        self._kernel.softirq.soon(self._backlog_key, self._process_backlog)
        return 0

    def _process_backlog(self) -> None:
        """``process_backlog()``."""
        waiting, self._backlog = self._backlog, []
        buffers = self._kernel.state(SkBuffs)
        for skb in waiting:
            buffers.receive(skb)
