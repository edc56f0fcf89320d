// SPDX-License-Identifier: GPL-2.0
/* Protocols, links, disciplines and others that the network's tables hold: registered, registered again, taken out. */
#define pr_fmt(fmt) fmt
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/if_bridge.h>
#include <linux/if_vlan.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/textsearch.h>
#include <net/act_api.h>
#include <net/genetlink.h>
#include <net/inet_frag.h>
#include <net/ip.h>
#include <net/l3mdev.h>
#include <net/lwtunnel.h>
#include <net/netfilter/nf_log.h>
#include <net/netfilter/nf_queue.h>
#include <net/pkt_cls.h>
#include <net/protocol.h>
#include <net/rtnetlink.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/xfrm.h>

/* Each call with its answer; what returns nothing with its name alone. */
#define T(call) pr_info("%s: %d\n", #call, (int)(call))
#define V(call) do { pr_info("%s\n", #call); call; } while (0)

static int nothing(void)
{
	return 0;
}

/* Links */

static void link_setup(struct net_device *dev)
{
	ether_setup(dev);
}

static void link_gone(struct net_device *dev, struct list_head *head)
{
	pr_info("dellink %s, empty %d\n", dev->name, list_empty(head));
	unregister_netdevice_queue(dev, head);
}

static netdev_tx_t xmit(struct sk_buff *skb, struct net_device *dev)
{
	kfree_skb(skb);
	return NETDEV_TX_OK;
}

static void uninit(struct net_device *dev)
{
	pr_info("uninit %s\n", dev->name);
}

static const struct net_device_ops dev_ops = { .ndo_start_xmit = xmit, .ndo_uninit = uninit };
static struct rtnl_link_ops links = { .kind = "nettab", .setup = link_setup };
static struct rtnl_link_ops links_again = { .kind = "nettab", .setup = link_setup };
static struct rtnl_link_ops links_own = { .kind = "nettab_own", .setup = link_setup, .dellink = link_gone };
static struct rtnl_link_ops links_bare = { .kind = "nettab_bare" };
static struct rtnl_link_ops links_large = { .kind = "nettab_large", .maxtype = 200 };
static struct rtnl_af_ops af = { .family = 44 };

static struct net_device *linked(struct rtnl_link_ops *ops, const char *name)
{
	struct net_device *dev = alloc_netdev(0, name, NET_NAME_ENUM, link_setup);

	dev->netdev_ops = &dev_ops;
	dev->rtnl_link_ops = ops;
	dev->needs_free_netdev = true;
	T(register_netdev(dev));
	return dev;
}

static void links_test(void)
{
	T(rtnl_link_register(&links));
	pr_info("dellink %ps\n", links.dellink);
	T(rtnl_link_register(&links));
	T(rtnl_link_register(&links_again));
	pr_info("dellink %ps\n", links_again.dellink);
	T(rtnl_link_register(&links_bare));
	pr_info("dellink %d\n", links_bare.dellink != NULL);
	V(rtnl_link_unregister(&links_bare));
	T(rtnl_link_register(&links_large));
	rtnl_lock();
	T(rtnl_is_locked());
	T(rtnl_trylock());
	T(__rtnl_link_register(&links_own));
	T(__rtnl_link_register(&links_own));
	rtnl_unlock();
	T(rtnl_trylock());
	rtnl_unlock();
	T(rtnl_is_locked());
	T(rtnl_lock_killable());
	T(rtnl_is_locked());
	rtnl_unlock();
	linked(&links, "ntl%d");
	linked(&links, "ntl%d");
	linked(&links_own, "nto%d");
	linked(&links_own, "nto%d");
	V(rtnl_link_unregister(&links));
	down_write(&pernet_ops_rwsem);
	rtnl_lock();
	V(__rtnl_link_unregister(&links_own));
	pr_info("still locked\n");
	rtnl_unlock();
	up_write(&pernet_ops_rwsem);
	T(rtnl_link_register(&links_again));
	V(rtnl_link_unregister(&links_again));
	V(rtnl_af_register(&af));
	V(rtnl_af_unregister(&af));
}

/* Messages of rtnetlink */

static void messages_test(void)
{
	rtnl_doit_func doit = (void *)nothing;
	rtnl_dumpit_func dumpit = (void *)nothing;

	T(rtnl_unregister(PF_PHONET, RTM_NEWADDR));
	T(rtnl_register_module(THIS_MODULE, PF_PHONET, RTM_NEWADDR, doit, NULL, 0));
	T(rtnl_register_module(THIS_MODULE, PF_PHONET, RTM_GETADDR, NULL, dumpit, 0));
	T(rtnl_register_module(THIS_MODULE, PF_PHONET, RTM_GETADDR, NULL, dumpit, 0));
	T(rtnl_register_module(THIS_MODULE, PF_PHONET, RTM_GETADDR, NULL, (void *)dumpit + 1, 0));
	T(rtnl_unregister(PF_PHONET, RTM_NEWADDR));
	T(rtnl_unregister(PF_PHONET, RTM_NEWADDR));
	T(rtnl_unregister(PF_PHONET, RTM_NEWROUTE));
	V(rtnl_unregister_all(PF_PHONET));
	V(rtnl_unregister_all(PF_PHONET));
	T(rtnl_unregister(PF_PHONET, RTM_GETADDR));
}

/* Traffic control */

static struct tcf_proto_ops classifier = { .kind = "nettab" }, classifier_again = { .kind = "nettab" };
static struct tcf_ematch_ops ematch = { .kind = 77, .match = (void *)nothing }, ematch_again = { .kind = 77, .match = (void *)nothing };
static struct tcf_ematch_ops ematch_none = { .kind = 78 };
static struct Qdisc_class_ops no_class;
static struct Qdisc_class_ops half_class = {
	.find = (void *)nothing, .walk = (void *)nothing, .leaf = (void *)nothing, .tcf_block = (void *)nothing,
};
static struct Qdisc_class_ops class = { .find = (void *)nothing, .walk = (void *)nothing, .leaf = (void *)nothing };
static struct Qdisc_ops qdisc = { .id = "nettab" }, qdisc_again = { .id = "nettab" }, qdisc_fifo = { .id = "pfifo" };
static struct Qdisc_ops qdisc_noop = { .id = "noop" };
static struct Qdisc_ops qdisc_no_peek = { .id = "nettab1", .dequeue = (void *)nothing };
static struct Qdisc_ops qdisc_class = { .id = "nettab2", .cl_ops = &no_class };
static unsigned int action_id;
static struct pernet_operations action_net = { .id = &action_id, .size = 8 };
static struct tc_action_ops action = {
	.kind = "nettab", .id = 200, .act = (void *)nothing, .dump = (void *)nothing, .init = (void *)nothing,
};
static struct tc_action_ops action_kind = {
	.kind = "nettab", .id = 201, .act = (void *)nothing, .dump = (void *)nothing, .init = (void *)nothing,
};
static struct tc_action_ops action_number = {
	.kind = "nettab1", .id = 200, .act = (void *)nothing, .dump = (void *)nothing, .init = (void *)nothing,
};
static struct tc_action_ops action_none = { .kind = "nettab2", .id = 202, .act = (void *)nothing };
static unsigned int other_id;
static struct pernet_operations other_net = { .id = &other_id, .size = 8 };

static void show_qdisc(const struct Qdisc_ops *ops)
{
	pr_info("%s: enqueue %d, peek %d, dequeue %d\n", ops->id, ops->enqueue != NULL, ops->peek != NULL, ops->dequeue != NULL);
}

static void traffic_test(void)
{
	T(register_tcf_proto_ops(&classifier));
	T(register_tcf_proto_ops(&classifier_again));
	V(unregister_tcf_proto_ops(&classifier_again));
	V(unregister_tcf_proto_ops(&classifier));
	V(unregister_tcf_proto_ops(&classifier));
	T(tcf_em_register(&ematch_none));
	T(tcf_em_register(&ematch));
	T(tcf_em_register(&ematch_again));
	V(tcf_em_unregister(&ematch));
	T(tcf_em_register(&ematch_again));
	V(tcf_em_unregister(&ematch_again));
	T(register_qdisc(&qdisc));
	show_qdisc(&qdisc);
	T(register_qdisc(&qdisc_again));
	show_qdisc(&qdisc_again);
	T(register_qdisc(&qdisc_fifo));
	T(register_qdisc(&qdisc_noop));
	T(register_qdisc(&qdisc_no_peek));
	show_qdisc(&qdisc_no_peek);
	T(register_qdisc(&qdisc_class));
	qdisc_class.cl_ops = &half_class;
	T(register_qdisc(&qdisc_class));
	qdisc_class.cl_ops = &class;
	T(register_qdisc(&qdisc_class));
	pr_info("next %d\n", qdisc.next == &qdisc_class);
	V(unregister_qdisc(&qdisc_again));
	V(unregister_qdisc(&qdisc));
	T(register_qdisc(&qdisc_again));
	V(unregister_qdisc(&qdisc_again));
	V(unregister_qdisc(&qdisc_class));
	T(tcf_register_action(&action_none, &action_net));
	T(tcf_register_action(&action, &action_net));
	pr_info("id %d, net_id %d\n", action_id > 0, action.net_id == action_id);
	T(tcf_register_action(&action_kind, &other_net));
	T(tcf_register_action(&action_number, &other_net));
	T(tcf_unregister_action(&action_number, &other_net));
	T(tcf_unregister_action(&action, &action_net));
	T(tcf_unregister_action(&action, &action_net));
}

/* TCP */

static struct tcp_congestion_ops congestion = {
	.name = "nettab", .ssthresh = (void *)nothing, .undo_cwnd = (void *)nothing, .cong_avoid = (void *)nothing,
};
static struct tcp_congestion_ops congestion_again = {
	.name = "nettab", .ssthresh = (void *)nothing, .undo_cwnd = (void *)nothing, .cong_control = (void *)nothing,
};
static struct tcp_congestion_ops congestion_reno = {
	.name = "reno", .ssthresh = (void *)nothing, .undo_cwnd = (void *)nothing, .cong_avoid = (void *)nothing,
};
static struct tcp_congestion_ops congestion_none = { .name = "nettab1", .ssthresh = (void *)nothing };
static struct tcp_ulp_ops ulp = { .name = "nettab" }, ulp_again = { .name = "nettab" }, ulp_mptcp = { .name = "mptcp" };

static void tcp_test(void)
{
	T(tcp_register_congestion_control(&congestion_none));
	T(tcp_register_congestion_control(&congestion));
	pr_info("key %#x\n", congestion.key);
	T(tcp_register_congestion_control(&congestion_again));
	T(tcp_register_congestion_control(&congestion_reno));
	V(tcp_unregister_congestion_control(&congestion));
	T(tcp_register_congestion_control(&congestion_again));
	V(tcp_unregister_congestion_control(&congestion_again));
	T(tcp_register_ulp(&ulp));
	T(tcp_register_ulp(&ulp_again));
	T(tcp_register_ulp(&ulp_mptcp));
	V(tcp_unregister_ulp(&ulp));
}

/* Sockets */

static struct sock_diag_handler diag = { .family = PF_PHONET }, diag_again = { .family = PF_PHONET };
static struct sock_diag_handler diag_many = { .family = NPROTO };
static struct sock_diag_inet_compat compat, compat_again;
static struct net_proto_family family = { .family = PF_PHONET }, family_again = { .family = PF_PHONET };
static struct net_proto_family family_inet = { .family = PF_INET }, family_many = { .family = NPROTO };
static struct request_sock_ops requests = { .obj_size = 300 };
static struct timewait_sock_ops waits = { .twsk_obj_size = 200 };
static atomic_long_t allocated;
static struct proto proto = { .name = "NETTAB", .owner = THIS_MODULE, .obj_size = 1000 };
static struct proto proto_slabs = {
	.name = "NETTAB-S", .owner = THIS_MODULE, .obj_size = 1000, .rsk_prot = &requests, .twsk_prot = &waits,
};
static struct proto proto_memory = { .name = "NETTAB-M", .memory_allocated = &allocated, .obj_size = 1000 };
static long limits[3];

static void sockets_test(void)
{
	T(sock_diag_register(&diag_many));
	T(sock_diag_register(&diag));
	T(sock_diag_register(&diag_again));
	V(sock_diag_unregister(&diag_many));
	V(sock_diag_unregister(&diag_again));
	T(sock_diag_register(&diag_again));
	V(sock_diag_unregister(&diag_again));
	V(sock_diag_register_inet_compat(&compat));
	V(sock_diag_unregister_inet_compat(&compat_again));
	V(sock_diag_register_inet_compat(&compat));
	V(sock_diag_unregister_inet_compat(&compat));
	T(sock_register(&family_many));
	T(sock_register(&family_inet));
	T(sock_register(&family));
	T(sock_register(&family_again));
	V(sock_unregister(PF_PHONET));
	V(sock_unregister(PF_PHONET));
	T(proto_register(&proto, 0));
	pr_info("slab %d\n", proto.slab != NULL);
	V(proto_unregister(&proto));
	T(proto_register(&proto_slabs, 1));
	pr_info("slab %d, %s %d, %s %d\n", kmem_cache_size(proto_slabs.slab), requests.slab_name,
		kmem_cache_size(requests.slab), waits.twsk_slab_name, kmem_cache_size(waits.twsk_slab));
	V(proto_unregister(&proto_slabs));
	pr_info("slab %d, %d %d, %d %d\n", proto_slabs.slab != NULL, requests.slab_name != NULL, requests.slab != NULL,
		waits.twsk_slab_name != NULL, waits.twsk_slab != NULL);
	T(proto_register(&proto_memory, 1));
	proto_memory.sysctl_mem = limits;
	T(proto_register(&proto_memory, 1));
}

/* Protocols above IP */

static struct net_protocol inet_protocol = { .handler = (void *)nothing }, inet_again = { .handler = (void *)nothing };
static struct inet6_protocol inet6_protocol = { .handler = (void *)nothing };
static struct net_offload offload, offload_again;
static struct proto_ops socket_ops;
static struct inet_protosw protosw = { .type = SOCK_RAW, .protocol = 253, .prot = &proto, .ops = &socket_ops };
static struct inet_protosw protosw_tcp = { .type = SOCK_STREAM, .protocol = IPPROTO_TCP, .prot = &proto, .ops = &socket_ops };
static struct inet_protosw protosw_type = { .type = 11, .protocol = 253, .prot = &proto, .ops = &socket_ops };
static struct inet_protosw protosw6 = { .type = SOCK_RAW, .protocol = 253, .prot = &proto, .ops = &socket_ops };

static void inet_test(void)
{
	T(inet_add_protocol(&inet_protocol, 253));
	T(inet_add_protocol(&inet_again, 253));
	T(inet_add_protocol(&inet_protocol, IPPROTO_TCP));
	T(inet_del_protocol(&inet_again, 253));
	T(inet_del_protocol(&inet_protocol, 253));
	T(inet_del_protocol(&inet_protocol, 253));
	T(inet6_add_protocol(&inet6_protocol, 253));
	T(inet6_add_protocol(&inet6_protocol, 253));
	T(inet6_add_protocol(&inet6_protocol, IPPROTO_UDP));
	T(inet6_del_protocol(&inet6_protocol, 252));
	T(inet6_del_protocol(&inet6_protocol, 253));
	T(inet_add_offload(&offload, 253));
	T(inet_add_offload(&offload_again, 253));
	T(inet_add_offload(&offload_again, IPPROTO_TCP));
	T(inet_add_offload(&offload_again, IPPROTO_UDP));
	T(inet_add_offload(&offload_again, IPPROTO_IPIP));
	T(inet_del_offload(&offload_again, 253));
	T(inet_del_offload(&offload, 253));
	T(inet6_add_offload(&offload, 253));
	T(inet6_add_offload(&offload, IPPROTO_TCP));
	T(inet6_add_offload(&offload, IPPROTO_ROUTING));
	T(inet6_del_offload(&offload_again, 253));
	T(inet6_del_offload(&offload, 253));
	V(inet_register_protosw(&protosw));
	V(inet_unregister_protosw(&protosw));
	V(inet_register_protosw(&protosw_tcp));
	V(inet_register_protosw(&protosw_type));
	protosw_tcp.flags = INET_PROTOSW_PERMANENT;
	V(inet_unregister_protosw(&protosw_tcp));
	T(inet6_register_protosw(&protosw6));
	V(inet6_unregister_protosw(&protosw6));
	T(inet6_register_protosw(&protosw_tcp));
	T(inet6_register_protosw(&protosw_type));
	V(inet6_unregister_protosw(&protosw_tcp));
	T(ipv6_mod_enabled());
}

/* IPsec */

static struct xfrm_type esp = { .proto = IPPROTO_ESP }, esp_again = { .proto = IPPROTO_ESP }, odd = { .proto = 200 };
static struct xfrm_type_offload esp_offload = { .proto = IPPROTO_ESP }, ah_offload = { .proto = IPPROTO_AH };
static struct xfrm_type_offload esp_offload_again = { .proto = IPPROTO_ESP };
static struct xfrm_input_afinfo afinfo = { .family = AF_INET, .is_ipip = true }, afinfo_again = { .family = AF_INET, .is_ipip = true };
static struct xfrm_input_afinfo afinfo_odd = { .family = 11 };
static struct xfrm_mgr manager;
static struct xfrm_if_cb interfaces;
static struct xfrm4_protocol low = { .priority = 1 }, high = { .priority = 5 }, middle = { .priority = 3 }, same = { .priority = 3 };
static struct xfrm6_protocol low6 = { .priority = 1 }, high6 = { .priority = 5 };

static void xfrm_test(void)
{
	T(xfrm_register_type(&esp, AF_PACKET));
	T(xfrm_register_type(&odd, AF_INET));
	T(xfrm_register_type(&esp, AF_INET));
	T(xfrm_register_type(&esp_again, AF_INET));
	V(xfrm_unregister_type(&esp, AF_INET));
	V(xfrm_unregister_type(&esp, AF_INET));
	V(xfrm_unregister_type(&odd, AF_INET));
	V(xfrm_unregister_type(&esp, AF_PACKET));
	T(xfrm_register_type_offload(&esp_offload, AF_PACKET));
	T(xfrm_register_type_offload(&ah_offload, AF_INET));
	T(xfrm_register_type_offload(&esp_offload, AF_INET));
	T(xfrm_register_type_offload(&esp_offload_again, AF_INET));
	V(xfrm_unregister_type_offload(&esp_offload, AF_INET));
	V(xfrm_unregister_type_offload(&ah_offload, AF_INET));
	T(xfrm_input_register_afinfo(&afinfo_odd));
	T(xfrm_input_register_afinfo(&afinfo));
	T(xfrm_input_register_afinfo(&afinfo_again));
	T(xfrm_input_unregister_afinfo(&afinfo_again));
	T(xfrm_input_unregister_afinfo(&afinfo));
	T(xfrm_input_unregister_afinfo(&afinfo));
	V(xfrm_register_km(&manager));
	V(xfrm_unregister_km(&manager));
	V(xfrm_if_register_cb(&interfaces));
	V(xfrm_if_unregister_cb());
	T(xfrm4_protocol_register(&low, IPPROTO_UDP));
	T(xfrm4_protocol_register(&low, IPPROTO_ESP));
	T(xfrm4_protocol_register(&high, IPPROTO_ESP));
	T(xfrm4_protocol_register(&middle, IPPROTO_ESP));
	T(xfrm4_protocol_register(&same, IPPROTO_ESP));
	pr_info("chain %d %d %d\n", high.next == &middle, middle.next == &low, low.next == NULL);
	T(inet_add_protocol(&inet_protocol, IPPROTO_ESP));
	T(xfrm4_protocol_deregister(&same, IPPROTO_ESP));
	T(xfrm4_protocol_deregister(&middle, IPPROTO_ESP));
	pr_info("chain %d %d\n", high.next == &low, low.next == NULL);
	T(xfrm4_protocol_deregister(&high, IPPROTO_ESP));
	T(xfrm4_protocol_deregister(&low, IPPROTO_ESP));
	T(xfrm4_protocol_deregister(&low, IPPROTO_ESP));
	T(xfrm4_protocol_deregister(&low, IPPROTO_UDP));
	T(inet_add_protocol(&inet_protocol, IPPROTO_AH));
	T(xfrm4_protocol_register(&low, IPPROTO_AH));
	T(xfrm4_protocol_deregister(&low, IPPROTO_AH));
	T(inet_del_protocol(&inet_protocol, IPPROTO_AH));
	T(xfrm6_protocol_register(&low6, IPPROTO_UDP));
	T(xfrm6_protocol_register(&low6, IPPROTO_COMP));
	T(xfrm6_protocol_register(&high6, IPPROTO_COMP));
	pr_info("chain %d %d\n", high6.next == &low6, low6.next == NULL);
	T(inet6_add_protocol(&inet6_protocol, IPPROTO_COMP));
	T(xfrm6_protocol_deregister(&low6, IPPROTO_COMP));
	T(xfrm6_protocol_deregister(&low6, IPPROTO_COMP));
	T(xfrm6_protocol_deregister(&high6, IPPROTO_COMP));
}

/* Netfilter */

static unsigned int hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}

static struct nf_hook_ops hooks[] = {
	{ .hook = hook, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_IN },
	{ .hook = hook, .pf = NFPROTO_INET, .hooknum = NF_INET_FORWARD, .priority = 5 },
	{ .hook = hook, .pf = NFPROTO_NETDEV, .hooknum = NF_NETDEV_INGRESS },
};
static struct nf_hook_ops hook_many = { .hook = hook, .pf = NFPROTO_IPV4, .hooknum = NF_INET_NUMHOOKS + 2 };
static struct nf_hook_ops hook_family = { .hook = hook, .pf = NFPROTO_NUMPROTO, .hooknum = 0 };
static struct nf_hook_ops hook_bridge = { .hook = hook, .pf = NFPROTO_BRIDGE, .hooknum = 0 };
static struct nf_hook_ops hook_arp = { .hook = hook, .pf = NFPROTO_ARP, .hooknum = 0 };
static struct nf_hook_ops hook_ingress = { .hook = hook, .pf = NFPROTO_NETDEV, .hooknum = NF_NETDEV_INGRESS };
static struct nf_hook_ops hook_inet_ingress = { .hook = hook, .pf = NFPROTO_INET, .hooknum = NF_INET_INGRESS };
static struct nf_sockopt_ops options = { .pf = PF_INET, .set_optmin = 7000, .set_optmax = 7010 };
static struct nf_sockopt_ops options_within = { .pf = PF_INET, .set_optmin = 7009, .set_optmax = 7020 };
static struct nf_sockopt_ops options_beside = { .pf = PF_INET, .set_optmin = 7010, .set_optmax = 7020, .get_optmin = 1, .get_optmax = 2 };
static struct nf_sockopt_ops options_family = { .pf = PF_INET6, .set_optmin = 7000, .set_optmax = 7010 };
static struct nf_logger logger = { .name = "nettab", .type = NF_LOG_TYPE_ULOG, .me = THIS_MODULE };
static struct nf_logger logger_again = { .name = "again", .type = NF_LOG_TYPE_ULOG, .me = THIS_MODULE };
static struct nf_logger logger_log = { .name = "log", .type = NF_LOG_TYPE_LOG, .me = THIS_MODULE };
static struct nf_queue_handler queue;

static void netfilter_test(void)
{
	T(nf_register_net_hook(&init_net, &hooks[0]));
	T(nf_register_net_hook(&init_net, &hooks[1]));
	V(nf_unregister_net_hook(&init_net, &hooks[1]));
	V(nf_unregister_net_hook(&init_net, &hooks[1]));
	T(nf_register_net_hook(&init_net, &hook_many));
	T(nf_register_net_hook(&init_net, &hook_family));
	T(nf_register_net_hook(&init_net, &hook_bridge));
	V(nf_unregister_net_hook(&init_net, &hook_bridge));
	T(nf_register_net_hook(&init_net, &hook_arp));
	V(nf_unregister_net_hook(&init_net, &hook_arp));
	T(nf_register_net_hook(&init_net, &hook_ingress));
	hook_ingress.dev = init_net.loopback_dev;
	T(nf_register_net_hook(&init_net, &hook_ingress));
	V(nf_unregister_net_hook(&init_net, &hook_ingress));
	hook_ingress.hooknum = 7;
	T(nf_register_net_hook(&init_net, &hook_ingress));
	T(nf_register_net_hook(&init_net, &hook_inet_ingress));
	V(nf_unregister_net_hook(&init_net, &hooks[0]));
	T(nf_register_net_hooks(&init_net, hooks, 3));
	T(nf_register_net_hooks(&init_net, hooks, 2));
	V(nf_unregister_net_hooks(&init_net, hooks, 2));
	T(nf_register_net_hooks(&init_net, hooks, 0));
	T(nf_register_sockopt(&options));
	T(nf_register_sockopt(&options_within));
	T(nf_register_sockopt(&options_beside));
	T(nf_register_sockopt(&options_family));
	V(nf_unregister_sockopt(&options));
	T(nf_register_sockopt(&options));
	V(nf_unregister_sockopt(&options));
	V(nf_unregister_sockopt(&options_beside));
	V(nf_unregister_sockopt(&options_family));
	T(nf_log_register(NFPROTO_NUMPROTO, &logger));
	T(nf_log_register(NFPROTO_BRIDGE, &logger));
	T(nf_log_register(NFPROTO_BRIDGE, &logger_again));
	T(nf_log_register(NFPROTO_UNSPEC, &logger_again));
	T(nf_log_register(NFPROTO_UNSPEC, &logger_log));
	T(nf_log_register(NFPROTO_ARP, &logger_log));
	V(nf_log_unregister(&logger));
	T(nf_log_register(NFPROTO_UNSPEC, &logger_again));
	V(nf_log_unregister(&logger_again));
	V(nf_log_unregister(&logger_log));
	T(nf_log_set(&init_net, NFPROTO_UNSPEC, &logger));
	T(nf_log_set(&init_net, NFPROTO_NUMPROTO, &logger));
	T(nf_log_set(&init_net, NFPROTO_BRIDGE, &logger));
	T(nf_log_set(&init_net, NFPROTO_BRIDGE, &logger_again));
	pr_info("logger %s\n", init_net.nf.nf_loggers[NFPROTO_BRIDGE]->name);
	V(nf_log_unset(&init_net, &logger_again));
	V(nf_log_unset(&init_net, &logger));
	pr_info("logger %d\n", init_net.nf.nf_loggers[NFPROTO_BRIDGE] != NULL);
	V(nf_register_queue_handler(&queue));
	V(nf_register_queue_handler(&queue));
	V(nf_unregister_queue_handler());
	V(nf_register_queue_handler(&queue));
	V(nf_unregister_queue_handler());
}

/* Netlink */

static struct genl_ops commands[] = {
	{ .cmd = 1, .doit = (void *)nothing }, { .cmd = 2, .dumpit = (void *)nothing },
};
static struct genl_ops commands_same[] = {
	{ .cmd = 1, .doit = (void *)nothing }, { .cmd = 1, .dumpit = (void *)nothing },
};
static struct genl_ops commands_none[] = { { .cmd = 1 } };
static const struct genl_multicast_group groups[] = { { .name = "one" }, { .name = "two" } };
static const struct genl_multicast_group groups_unnamed[] = { { .name = "" } };
static struct genl_family genl = {
	.name = "NETTAB", .version = 1, .module = THIS_MODULE, .ops = commands, .n_ops = 2, .mcgrps = groups, .n_mcgrps = 2,
	.resv_start_op = 3,
};
static struct genl_family genl_again = { .name = "NETTAB", .version = 1, .module = THIS_MODULE };
static struct genl_family genl_next = { .name = "NETTAB2", .version = 1, .module = THIS_MODULE, .mcgrps = groups, .n_mcgrps = 1 };
static struct genl_family genl_same = { .name = "NETTAB3", .ops = commands_same, .n_ops = 2 };
static struct genl_family genl_none = { .name = "NETTAB4", .ops = commands_none, .n_ops = 1 };
static struct genl_family genl_null = { .name = "NETTAB5", .n_ops = 1 };
static struct genl_family genl_unnamed = { .name = "NETTAB6", .mcgrps = groups_unnamed, .n_mcgrps = 1 };
static struct genl_family genl_ctrl_again = { .name = "nlctrl" };

static void got(struct sk_buff *skb)
{
	pr_info("got %u bytes\n", skb->len);
}

static void netlink_test(void)
{
	struct netlink_kernel_cfg cfg = { .input = got, .groups = 40 };
	struct sock *sk;

	T(genl_register_family(&genl));
	pr_info("id %#x, groups at %#x\n", genl.id, genl.mcgrp_offset);
	T(genl_register_family(&genl_again));
	T(genl_register_family(&genl_next));
	pr_info("id %d, groups %d\n", genl_next.id - genl.id, genl_next.mcgrp_offset - genl.mcgrp_offset);
	T(genl_register_family(&genl_same));
	T(genl_register_family(&genl_none));
	T(genl_register_family(&genl_null));
	T(genl_register_family(&genl_unnamed));
	T(genl_register_family(&genl_ctrl_again));
	T(genl_unregister_family(&genl));
	T(genl_unregister_family(&genl));
	T(genl_register_family(&genl_again));
	pr_info("id %d\n", genl_again.id - genl_next.id);
	T(genl_unregister_family(&genl_again));
	T(genl_unregister_family(&genl_next));
	T(genl_register_family(&genl));
	pr_info("id %d, groups %d\n", genl.id - genl_next.id, genl.mcgrp_offset - genl_next.mcgrp_offset);
	T(genl_unregister_family(&genl));
	V(genl_lock());
	V(genl_unlock());
	sk = netlink_kernel_create(&init_net, 25, &cfg);
	pr_info("made %d, %d %d %d\n", sk != NULL, sk->sk_family, sk->sk_protocol, sk->sk_type);
	T(netlink_kernel_create(&init_net, 25, &cfg) != NULL);
	T(netlink_kernel_create(&init_net, NETLINK_ROUTE, &cfg) != NULL);
	T(netlink_kernel_create(&init_net, 32, &cfg) != NULL);
	T(netlink_kernel_create(&init_net, -1, &cfg) != NULL);
	V(netlink_kernel_release(sk));
	V(netlink_kernel_release(NULL));
	sk = netlink_kernel_create(&init_net, 25, NULL);
	pr_info("made %d\n", sk != NULL);
	V(netlink_kernel_release(sk));
}

/* Others */

static struct ts_ops search = {
	.name = "nettab", .init = (void *)nothing, .find = (void *)nothing, .get_pattern = (void *)nothing,
	.get_pattern_len = (void *)nothing,
};
static struct ts_ops search_again = {
	.name = "nettab", .init = (void *)nothing, .find = (void *)nothing, .get_pattern = (void *)nothing,
	.get_pattern_len = (void *)nothing,
};
static struct ts_ops search_none = { .name = "nettab1", .init = (void *)nothing };
static struct lwtunnel_encap_ops encap, encap_again;
static struct packet_offload packets = { .type = htons(0x88b5) }, packets_later = { .type = htons(0x88b6), .priority = 5 };
static struct ethtool_phy_ops phy;
static struct inet_frags fragments = { .qsize = 200, .frags_cache_name = "nettab_frags" };
BTF_SET8_START(kernel_functions)
BTF_SET8_END(kernel_functions)
static const struct btf_kfunc_id_set functions = { .owner = THIS_MODULE, .set = &kernel_functions };

static ssize_t class_show(struct class *cls, struct class_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s of %s\n", attr->attr.name, cls->name);
}

static struct class_attribute class_file = __ATTR(nettab_file, 0444, class_show, NULL);

static void others_test(void)
{
	static const char *names[] = { "", ".", "..", "a", "a/b", "a:b", "a b", "abcdefghijklmno", "abcdefghijklmnop", "a\n", "%d", "\xa0" };
	int i;

	T(textsearch_register(&search_none));
	T(textsearch_register(&search));
	T(textsearch_register(&search_again));
	T(textsearch_unregister(&search_again));
	T(textsearch_unregister(&search));
	T(textsearch_unregister(&search));
	T(lwtunnel_encap_add_ops(&encap, 100));
	T(lwtunnel_encap_add_ops(&encap, LWTUNNEL_ENCAP_ILA));
	T(lwtunnel_encap_add_ops(&encap_again, LWTUNNEL_ENCAP_ILA));
	T(lwtunnel_encap_add_ops(&encap_again, LWTUNNEL_ENCAP_SEG6));
	T(lwtunnel_encap_del_ops(&encap, LWTUNNEL_ENCAP_NONE));
	T(lwtunnel_encap_del_ops(&encap, 100));
	T(lwtunnel_encap_del_ops(&encap_again, LWTUNNEL_ENCAP_ILA));
	T(lwtunnel_encap_del_ops(&encap, LWTUNNEL_ENCAP_MPLS));
	T(lwtunnel_encap_del_ops(&encap, LWTUNNEL_ENCAP_ILA));
	T(l3mdev_table_lookup_register(L3MDEV_TYPE_VRF, (void *)nothing));
	T(l3mdev_table_lookup_register(L3MDEV_TYPE_VRF, (void *)nothing));
	T(l3mdev_table_lookup_register(L3MDEV_TYPE_VRF, (void *)xmit));
	V(l3mdev_table_lookup_unregister(L3MDEV_TYPE_VRF, (void *)xmit));
	T(l3mdev_table_lookup_register(L3MDEV_TYPE_VRF, (void *)xmit));
	V(l3mdev_table_lookup_unregister(L3MDEV_TYPE_VRF, (void *)nothing));
	T(l3mdev_table_lookup_register(L3MDEV_TYPE_UNSPEC, (void *)nothing));
	T(l3mdev_table_lookup_register(7, (void *)nothing));
	V(l3mdev_table_lookup_unregister(7, (void *)nothing));
	V(dev_add_offload(&packets_later));
	V(dev_add_offload(&packets));
	pr_info("in order %d\n", packets.list.next == &packets_later.list);
	V(dev_remove_offload(&packets));
	V(dev_remove_offload(&packets_later));
	V(vlan_ioctl_set((void *)nothing));
	V(vlan_ioctl_set(NULL));
	V(brioctl_set((void *)nothing));
	V(brioctl_set(NULL));
	V(ethtool_set_ethtool_phy_ops(&phy));
	V(ethtool_set_ethtool_phy_ops(NULL));
	T(register_btf_kfunc_id_set(BPF_PROG_TYPE_SCHED_CLS, &functions));
	T(inet_frags_init(&fragments));
	pr_info("cache %d, refcnt %d, done %d\n", kmem_cache_size(fragments.frags_cachep), refcount_read(&fragments.refcnt),
		completion_done(&fragments.completion));
	V(inet_frags_fini(&fragments));
	pr_info("cache %d, refcnt %d\n", fragments.frags_cachep != NULL, refcount_read(&fragments.refcnt));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		pr_info("name [%*pE]: %d\n", (int)strlen(names[i]), names[i], dev_valid_name(names[i]));
	T(netdev_class_create_file_ns(&class_file, NULL));
	T(netdev_class_create_file_ns(&class_file, &init_net));
	T(netdev_class_create_file_ns(&class_file, &init_net));
}

static int act(const char *val, const struct kernel_param *kp)
{
	static const struct {
		const char *name;
		void (*test)(void);
	} tests[] = {
		{ "links", links_test }, { "messages", messages_test }, { "traffic", traffic_test }, { "tcp", tcp_test },
		{ "sockets", sockets_test }, { "inet", inet_test }, { "xfrm", xfrm_test }, { "netfilter", netfilter_test },
		{ "netlink", netlink_test }, { "others", others_test },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (sysfs_streq(val, tests[i].name)) {
			tests[i].test();
			return 0;
		}
	}
	return -EINVAL;
}

static const struct kernel_param_ops act_ops = { .set = act };
module_param_cb(act, &act_ops, NULL, 0200);

static int __init net_tables_init(void)
{
	return 0;
}

static void __exit net_tables_exit(void)
{
	V(netdev_class_remove_file_ns(&class_file, NULL));
	V(netdev_class_remove_file_ns(&class_file, &init_net));
	V(netdev_class_remove_file_ns(&class_file, &init_net));
}

module_init(net_tables_init);
module_exit(net_tables_exit);
MODULE_LICENSE("GPL");
