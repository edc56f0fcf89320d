// SPDX-License-Identifier: GPL-2.0
/* Network devices, registered under the lock and in batches, looked up, opened, changed; the parameter "act" does it. */
#define pr_fmt(fmt) fmt
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/platform_device.h>
#include <linux/rtnetlink.h>
#include <net/pkt_sched.h>

#define T(call) pr_info("%s: %d\n", #call, (int)(call))
#define V(call) do { pr_info("%s\n", #call); call; } while (0)

static struct net_device *one, *two;
static struct platform_device *parent;
static int answer;
module_param(answer, int, 0644);

static int event(struct notifier_block *nb, unsigned long action, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	pr_info("event %s %s\n", netdev_cmd_to_name(action), dev->name);
	return notifier_from_errno(action == answer ? -EPROTO : 0);
}

static struct notifier_block notifier = { .notifier_call = event };

static int asked_open(struct net_device *dev)
{
	pr_info("open %s\n", dev->name);
	netif_start_queue(dev);
	return 0;
}

static int asked_stop(struct net_device *dev)
{
	pr_info("stop %s\n", dev->name);
	netif_stop_queue(dev);
	return 0;
}

static netdev_tx_t asked_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static void asked_uninit(struct net_device *dev)
{
	pr_info("uninit %s\n", dev->name);
}

static netdev_features_t fix_features(struct net_device *dev, netdev_features_t features)
{
	pr_info("fix %s %#llx\n", dev->name, features);
	return features & ~NETIF_F_RXCSUM;
}

static int set_features(struct net_device *dev, netdev_features_t features)
{
	pr_info("set %s %#llx\n", dev->name, features);
	return features & NETIF_F_LOOPBACK ? -EIO : 0;
}

static void rx_mode(struct net_device *dev)
{
	struct netdev_hw_addr *ha;

	pr_info("rx mode %s, promiscuous %u, all %u, %d groups\n", dev->name, dev->promiscuity, dev->allmulti, netdev_mc_count(dev));
	netdev_for_each_mc_addr(ha, dev)
		pr_info("group %pM\n", ha->addr);
}

static void rx_flags(struct net_device *dev, int flags)
{
	pr_info("rx flags %s %#x\n", dev->name, flags);
}

static void stats64(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	stats->rx_packets = 11;
	stats->tx_bytes = 1ULL << 40;
}

static const struct net_device_ops ops = {
	.ndo_uninit = asked_uninit, .ndo_open = asked_open, .ndo_stop = asked_stop, .ndo_start_xmit = asked_xmit,
	.ndo_fix_features = fix_features, .ndo_set_features = set_features, .ndo_set_rx_mode = rx_mode,
	.ndo_change_rx_flags = rx_flags, .ndo_get_stats64 = stats64, .ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};
static const struct net_device_ops bare_ops = { .ndo_start_xmit = asked_xmit };

static void setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &ops;
}

static void setup_bare(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &bare_ops;
}

static void destroy(struct net_device *dev)
{
	pr_info("destroy %s, state %d\n", dev->name, dev->reg_state);
}

static struct net_device *make(const char *name, bool bare)
{
	struct net_device *dev = alloc_netdev_mqs(0, name, NET_NAME_USER, bare ? setup_bare : setup, 2, 3);
	u8 address[ETH_ALEN] = { 2, 0, 0, 0, 0, name[2] };

	dev->priv_destructor = destroy;
	dev->flags |= IFF_NOARP;
	dev->mtu = 1000; /* nothing for IPv6 */
	eth_hw_addr_set(dev, address);
	return dev;
}

static void register_test(void)
{
	struct net_device *dev;
	LIST_HEAD(list);

	one = make("na1", false);
	two = make("na2", true);
	V(unregister_netdevice_many(&list));
	rtnl_lock();
	T(register_netdevice(one));
	T(register_netdevice(two));
	dev = make("na2", false);
	T(register_netdevice(dev));
	strscpy(dev->name, "na3", IFNAMSIZ);
	T(register_netdevice(dev));
	V(unregister_netdevice(dev));
	pr_info("state %d\n", dev->reg_state);
	rtnl_unlock();
	pr_info("state %d\n", dev->reg_state);
	free_netdev(dev);
	dev = make("na3", false);
	dev->needs_free_netdev = true;
	T(register_netdev(dev));
	rtnl_lock();
	T(dev_open(dev, NULL));
	T(dev_open(one, NULL));
	V(unregister_netdevice_queue(dev, &list));
	V(unregister_netdevice_queue(dev, &list));
	dev = make("na4", true);
	dev->needs_free_netdev = true;
	T(register_netdevice(dev));
	V(unregister_netdevice_queue(dev, &list));
	pr_info("before\n");
	V(unregister_netdevice_many(&list));
	pr_info("after\n");
	V(dev_close(one));
	rtnl_unlock();
	pr_info("unlocked\n");
	answer = NETDEV_REGISTER;
	dev = make("na5", false);
	T(register_netdev(dev));
	pr_info("state %d\n", dev->reg_state);
	free_netdev(dev);
	answer = NETDEV_POST_INIT;
	dev = make("na5", false);
	T(register_netdev(dev));
	pr_info("state %d\n", dev->reg_state);
	free_netdev(dev);
	answer = 0;
	T(init_dummy_netdev((dev = kzalloc(sizeof(*dev), GFP_KERNEL))));
	pr_info("dummy: state %d %#lx, napi %d, refs %d\n", dev->reg_state, dev->state, list_empty(&dev->napi_list),
		dev->pcpu_refcnt != NULL);
	netdev_info(dev, "a dummy\n");
	kfree(dev);
}

static void lookup_test(void)
{
	struct net_device *found;

	rcu_read_lock();
	T(dev_get_by_name_rcu(&init_net, "na1") == one);
	T(dev_get_by_name_rcu(&init_net, "none") == NULL);
	T(dev_get_by_name_rcu(&init_net, "") == NULL);
	T(dev_get_by_index_rcu(&init_net, two->ifindex) == two);
	T(dev_get_by_index_rcu(&init_net, 9999) == NULL);
	T(dev_get_by_index_rcu(&init_net, -1) == NULL);
	rcu_read_unlock();
	found = dev_get_by_index(&init_net, one->ifindex);
	pr_info("found %d, refs %d\n", found == one, netdev_refcnt_read(one));
	dev_put(found);
	pr_info("refs %d\n", netdev_refcnt_read(one));
	T(dev_get_by_index(&init_net, 0) == NULL);
}

static void names_test(void)
{
	struct net_device *dev = make("na9", true);

	rtnl_lock();
	T(dev_alloc_name(dev, "na%d"));
	pr_info("name %s\n", dev->name);
	T(dev_alloc_name(dev, "fresh%d"));
	pr_info("name %s\n", dev->name);
	T(dev_alloc_name(dev, "na1"));
	pr_info("name %s\n", dev->name);
	T(dev_alloc_name(dev, "plain"));
	pr_info("name %s\n", dev->name);
	T(dev_alloc_name(dev, "a/b"));
	T(dev_alloc_name(dev, ""));
	T(dev_alloc_name(dev, "a%sb"));
	T(dev_alloc_name(dev, "a%d%d"));
	T(dev_alloc_name(dev, "a%"));
	T(dev_alloc_name(dev, "averylongname%d"));
	pr_info("name %s\n", dev->name);
	T(dev_alloc_name(dev, "averylongname%dx"));
	pr_info("name %s\n", dev->name);
	rtnl_unlock();
	free_netdev(dev);
}

static void flags_test(void)
{
	rtnl_lock();
	T(dev_get_flags(one));
	T(dev_change_flags(one, one->flags | IFF_UP, NULL));
	T(dev_get_flags(one));
	T(dev_open(one, NULL));
	T(dev_change_flags(one, one->flags | IFF_PROMISC | IFF_ALLMULTI, NULL));
	T(dev_get_flags(one));
	T(dev_set_promiscuity(one, 1));
	T(dev_set_promiscuity(one, -1));
	T(dev_get_flags(one));
	T(dev_change_flags(one, one->flags & ~IFF_PROMISC & ~IFF_ALLMULTI, NULL));
	T(dev_change_flags(one, one->flags | IFF_DEBUG, NULL));
	T(dev_set_promiscuity(one, 1));
	T(dev_get_flags(one));
	pr_info("flags %#x\n", one->flags);
	T(dev_set_promiscuity(one, -1));
	T(dev_change_flags(one, IFF_UP | IFF_LOOPBACK | 0x4000, NULL));
	T(dev_get_flags(one));
	V(netif_carrier_off(one));
	T(dev_get_flags(one));
	T(ethtool_op_get_link(one));
	V(netif_carrier_on(one));
	T(ethtool_op_get_link(one));
	V(netif_dormant_on(one));
	T(dev_get_flags(one));
	V(netif_dormant_off(one));
	V(linkwatch_fire_event(one));
	V(dev_close(one));
	V(dev_close(one));
	T(dev_set_promiscuity(two, -1));
	pr_info("promiscuous %u, flags %#x\n", two->promiscuity, two->flags);
	T(dev_set_promiscuity(two, 1));
	T(dev_set_allmulti(two, -1));
	T(dev_set_allmulti(two, 1));
	T(dev_get_flags(one));
	V(netif_device_detach(one));
	T(dev_open(one, NULL));
	V(netif_device_attach(one));
	answer = NETDEV_PRE_UP;
	T(dev_open(one, NULL));
	answer = 0;
	T(dev_set_allmulti(one, 1));
	T(dev_set_allmulti(one, -1));
	rtnl_unlock();
}

static void features_test(void)
{
	rtnl_lock();
	one->hw_features |= NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_TSO | NETIF_F_LOOPBACK;
	one->wanted_features |= NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_TSO;
	V(netdev_update_features(one));
	pr_info("features %#llx\n", one->features);
	V(netdev_update_features(one));
	V(netdev_change_features(one));
	one->wanted_features |= NETIF_F_LOOPBACK;
	V(netdev_update_features(one));
	pr_info("features %#llx\n", one->features);
	one->wanted_features &= ~(NETIF_F_LOOPBACK | NETIF_F_HW_CSUM);
	V(netdev_update_features(one));
	pr_info("features %#llx\n", one->features);
	V(netdev_features_change(one));
	V(netdev_state_change(one));
	T(dev_open(one, NULL));
	V(netdev_state_change(one));
	rtnl_unlock();
	V(netdev_notify_peers(one));
	rtnl_lock();
	V(__netdev_notify_peers(one));
	V(dev_close(one));
	rtnl_unlock();
}

static void queues_test(void)
{
	struct rtnl_link_stats64 stats;
	struct netdev_queue *queue = netdev_get_tx_queue(one, 0);
	struct sockaddr_storage storage = { .ss_family = ARPHRD_ETHER };
	struct sockaddr *sa = (struct sockaddr *)&storage;

	memcpy(sa->sa_data, "\2\0\0\0\0\77", ETH_ALEN);

	rtnl_lock();
	T(netif_set_real_num_tx_queues(one, 0));
	T(netif_set_real_num_tx_queues(one, 3));
	T(netif_set_real_num_tx_queues(one, 1));
	T(netif_set_real_num_rx_queues(one, 0));
	T(netif_set_real_num_rx_queues(one, 4));
	T(netif_set_real_num_rx_queues(one, 2));
	pr_info("real %u %u\n", one->real_num_tx_queues, one->real_num_rx_queues);
	rtnl_unlock();
	memset(&stats, 1, sizeof(stats));
	T(dev_get_stats(one, &stats) == &stats);
	pr_info("%llu %llu %llu %llu\n", stats.rx_packets, stats.tx_bytes, stats.rx_bytes, stats.rx_dropped);
	two->stats.rx_packets = 3;
	two->stats.collisions = 4;
	two->stats.tx_window_errors = 5;
	dev_core_stats_rx_dropped_inc(two);
	dev_core_stats_tx_dropped_inc(two);
	dev_core_stats_rx_nohandler_inc(two);
	dev_get_stats(two, &stats);
	pr_info("%llu %llu %llu %llu %llu %llu\n", stats.rx_packets, stats.collisions, stats.tx_window_errors, stats.rx_dropped,
		stats.tx_dropped, stats.rx_nohandler);
	rtnl_lock();
	T(dev_open(one, NULL));
	V(netif_tx_stop_all_queues(one));
	pr_info("states %lu %lu\n", queue->state, netdev_get_tx_queue(one, 1)->state);
	V(netif_tx_wake_all_queues(one));
	pr_info("states %lu %lu\n", queue->state, netdev_get_tx_queue(one, 1)->state);
	V(netif_schedule_queue(queue));
	local_bh_disable();
	V(__netif_schedule(rcu_dereference_bh(queue->qdisc)));
	local_bh_enable();
	T(eth_prepare_mac_addr_change(one, sa));
	T(eth_mac_addr(one, sa));
	V(dev_close(one));
	T(eth_prepare_mac_addr_change(one, sa));
	V(eth_commit_mac_addr_change(one, sa));
	pr_info("address %pM\n", one->dev_addr);
	sa->sa_data[0] = 1;
	T(eth_prepare_mac_addr_change(one, sa));
	T(eth_mac_addr(one, sa));
	memset(sa->sa_data, 0, ETH_ALEN);
	T(eth_prepare_mac_addr_change(one, sa));
	sa->sa_data[5] = 1;
	one->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	T(dev_open(one, NULL));
	T(eth_prepare_mac_addr_change(one, sa));
	V(dev_close(one));
	rtnl_unlock();
}

static void print_test(void)
{
	struct net_device *dev = make("na%d", true);

	netdev_emerg(one, "emerg %d\n", 1);
	netdev_alert(one, "alert %d\n", 2);
	netdev_crit(one, "crit %d\n", 3);
	netdev_err(one, "err %d\n", 4);
	netdev_warn(dev, "warn %d\n", 5);
	netdev_notice(dev, "notice\n");
	netdev_printk(KERN_INFO, NULL, "nobody\n");
	netdev_printk(KERN_DEBUG, one, "debug %s\n", "text");
	SET_NETDEV_DEV(dev, &parent->dev);
	netdev_err(dev, "below a device\n");
	netdev_printk(KERN_WARNING, dev, "below a device\n");
	free_netdev(dev);
}

static void devm_test(void)
{
	struct net_device *dev, *never;

	T(devm_register_netdev(&parent->dev, two));
	dev = devm_alloc_etherdev_mqs(&parent->dev, 8, 2, 1);
	dev->netdev_ops = &ops;
	eth_hw_addr_set(dev, one->dev_addr);
	dev->priv_destructor = destroy;
	strscpy(dev->name, "na1", IFNAMSIZ);
	T(devm_register_netdev(&parent->dev, dev));
	strscpy(dev->name, "nadev%d", IFNAMSIZ);
	SET_NETDEV_DEV(dev, &parent->dev);
	T(devm_register_netdev(&parent->dev, dev));
	pr_info("name %s\n", dev->name);
	never = devm_alloc_etherdev(&parent->dev, 0);
	pr_info("never %d\n", never != NULL);
}

static void leave_test(void)
{
	pr_info("unregister parent\n");
	platform_device_unregister(parent);
	parent = NULL;
	pr_info("unregistered parent\n");
	unregister_netdevice_notifier(&notifier);
	unregister_netdev(one);
	unregister_netdev(two);
	free_netdev(one);
	free_netdev(two);
	one = two = NULL;
}

static void locks_test(void)
{
	struct net_device *dev = make("na7", false);

	V(unregister_netdevice_queue(dev, NULL));
	T(register_netdevice(dev));
	T(netif_set_real_num_tx_queues(dev, 1));
	T(dev_set_promiscuity(dev, 1));
	T(dev_set_promiscuity(dev, -1));
	V(netdev_update_features(dev));
	V(__dev_get_by_name(&init_net, "na1"));
}

static void groups_test(void)
{
	struct net_device *dev = make("na8", false);

	dev->mtu = 1500;
	dev->needs_free_netdev = true;
	rtnl_lock();
	T(register_netdevice(dev));
	T(dev_open(dev, NULL));
	V(dev_close(dev));
	T(dev_open(dev, NULL));
	V(unregister_netdevice(dev));
	rtnl_unlock();
}

static int act(const char *val, const struct kernel_param *kp)
{
	static const struct {
		const char *name;
		void (*test)(void);
	} tests[] = {
		{ "register", register_test }, { "lookup", lookup_test }, { "names", names_test }, { "flags", flags_test },
		{ "features", features_test }, { "queues", queues_test }, { "print", print_test }, { "devm", devm_test },
		{ "leave", leave_test }, { "locks", locks_test }, { "groups", groups_test },
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

static int __init net_asked_init(void)
{
	parent = platform_device_register_simple("net_asked", -1, NULL, 0);
	return register_netdevice_notifier(&notifier);
}

static void __exit net_asked_exit(void)
{
}

module_init(net_asked_init);
module_exit(net_asked_exit);
MODULE_LICENSE("GPL");
