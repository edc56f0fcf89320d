// SPDX-License-Identifier: GPL-2.0
/* Network devices that come and go, and say what is asked of them. */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>

struct counts {
	int opened;
	int sent;
	struct napi_struct napi;
	struct net_device *dev;
};

static struct net_device *first, *second, *plain;

static int event(struct notifier_block *nb, unsigned long action, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	pr_info("event %s %s\n", netdev_cmd_to_name(action), dev->name);
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = event };

static int devs_init(struct net_device *dev)
{
	netdev_info(dev, "init: %s, state %d, index %d\n", dev->name, dev->reg_state, dev->ifindex);
	return 0;
}

static void devs_uninit(struct net_device *dev)
{
	netdev_info(dev, "uninit: state %d\n", dev->reg_state);
}

static int devs_open(struct net_device *dev)
{
	struct counts *counts = netdev_priv(dev);

	counts->opened++;
	netdev_info(dev, "open %d\n", counts->opened);
	netif_start_queue(dev);
	return 0;
}

static int devs_stop(struct net_device *dev)
{
	netdev_info(dev, "stop\n");
	netif_stop_queue(dev);
	return 0;
}

static netdev_tx_t devs_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct counts *counts = netdev_priv(dev);

	counts->sent++;
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->len;
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops ops = {
	.ndo_init = devs_init,
	.ndo_uninit = devs_uninit,
	.ndo_open = devs_open,
	.ndo_stop = devs_stop,
	.ndo_start_xmit = devs_xmit,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static const struct net_device_ops plain_ops = {
	.ndo_start_xmit = devs_xmit,
};

static int poll(struct napi_struct *napi, int budget)
{
	pr_info("poll %d\n", budget);
	napi_complete_done(napi, 0);
	return 0;
}

static void setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &ops;
	dev->flags |= IFF_NOARP;
	dev->features |= NETIF_F_HW_CSUM;
}

static void setup_plain(struct net_device *dev)
{
	pr_info("setup plain: [%s] %u %u\n", dev->name, dev->num_tx_queues, dev->num_rx_queues);
	dev->netdev_ops = &plain_ops;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->mtu = 1400;
}

static void show(const struct net_device *dev)
{
	pr_info("%s: priv %ld, mtu %u %u %u, type %u, header %u %u, address %u, queue %u, flags %#x %#llx\n", dev->name,
		(long)((char *)netdev_priv(dev) - (char *)dev), dev->mtu, dev->min_mtu, dev->max_mtu, dev->type,
		dev->hard_header_len, dev->min_header_len, dev->addr_len, dev->tx_queue_len, dev->flags, dev->priv_flags);
	pr_info("%s: features %#llx %#llx %#llx, state %#lx, index %d %d, operstate %u %u, queues %u %u %u %u\n",
		dev->name, dev->features, dev->hw_features, dev->wanted_features, dev->state, dev->ifindex,
		dev_get_iflink(dev), dev->operstate, dev->link_mode, dev->num_tx_queues, dev->real_num_tx_queues,
		dev->num_rx_queues, dev->real_num_rx_queues);
	pr_info("%s: group %d, name %d, reg %d, rtnl %d, %pM %pM, assigned %d, refs %d, promiscuous %u, watchdog %d\n",
		dev->name, dev->group, dev->name_assign_type, dev->reg_state, dev->rtnl_link_state, dev->dev_addr,
		dev->broadcast, dev->addr_assign_type, netdev_refcnt_read(dev), dev->promiscuity, dev->watchdog_timeo);
	pr_info("%s: gso %u %u, tso %u %u, weight %u, stopped %d, carrier %d, running %d, dormant %d, present %d, up %d\n",
		dev->name, dev->gso_max_size, dev->gso_max_segs, dev->tso_max_size, dev->tso_max_segs,
		dev->gro_max_size, netif_queue_stopped(dev), netif_carrier_ok(dev), netif_running(dev),
		netif_dormant(dev), netif_device_present(dev), netif_oper_up(dev));
}

static int act(const char *val, const struct kernel_param *kp)
{
	struct counts *counts = netdev_priv(first);

	if (sysfs_streq(val, "show")) {
		show(first);
		show(second);
		show(plain);
	} else if (sysfs_streq(val, "carrier_off")) {
		netif_carrier_off(first);
	} else if (sysfs_streq(val, "carrier_on")) {
		netif_carrier_on(first);
	} else if (sysfs_streq(val, "stop")) {
		netif_stop_queue(first);
	} else if (sysfs_streq(val, "wake")) {
		netif_wake_queue(first);
	} else if (sysfs_streq(val, "detach")) {
		netif_device_detach(first);
	} else if (sysfs_streq(val, "attach")) {
		netif_device_attach(first);
	} else if (sysfs_streq(val, "napi")) {
		counts->dev = first;
		netif_napi_add(first, &counts->napi, poll);
		pr_info("napi state %#lx, weight %d\n", counts->napi.state, counts->napi.weight);
		napi_enable(&counts->napi);
		pr_info("napi state %#lx\n", counts->napi.state);
		pr_info("schedule %d\n", napi_schedule_prep(&counts->napi));
		pr_info("napi state %#lx\n", counts->napi.state);
		local_bh_disable();
		__napi_schedule(&counts->napi);
		pr_info("scheduled\n");
		local_bh_enable();
		pr_info("napi state %#lx\n", counts->napi.state);
		napi_disable(&counts->napi);
		pr_info("napi state %#lx\n", counts->napi.state);
		netif_napi_del(&counts->napi);
		pr_info("napi state %#lx\n", counts->napi.state);
	} else if (sysfs_streq(val, "twice")) {
		struct net_device *again = alloc_netdev(0, "nt0", NET_NAME_USER, setup);

		pr_info("again %d\n", register_netdev(again));
		free_netdev(again);
	} else if (sysfs_streq(val, "bad")) {
		struct net_device *bad = alloc_netdev(0, "nt/x", NET_NAME_USER, setup);

		pr_info("bad %d\n", register_netdev(bad));
		free_netdev(bad);
		bad = alloc_netdev(0, "n%dt%d", NET_NAME_USER, setup);
		pr_info("bad %d\n", register_netdev(bad));
		free_netdev(bad);
		bad = alloc_netdev(0, "n%st", NET_NAME_USER, setup);
		pr_info("bad %d\n", register_netdev(bad));
		free_netdev(bad);
		bad = alloc_netdev_mqs(0, "none", NET_NAME_USER, setup, 0, 1);
		pr_info("none %px\n", bad);
		bad = alloc_netdev_mqs(0, "none", NET_NAME_USER, setup, 1, 0);
		pr_info("none %px\n", bad);
	} else if (sysfs_streq(val, "address")) {
		u8 address[ETH_ALEN] = { 2, 0, 0, 0, 0, 9 };
		struct sockaddr_storage storage = { .ss_family = ARPHRD_ETHER };
		struct sockaddr *sa = (struct sockaddr *)&storage;
		int ret;

		memcpy(sa->sa_data, address, ETH_ALEN);
		sa->sa_data[5] = 10;

		eth_hw_addr_set(second, address);
		rtnl_lock();
		ret = dev_set_mac_address(first, sa, NULL);
		rtnl_unlock();
		pr_info("address %d %pM\n", ret, first->dev_addr);
	} else if (sysfs_streq(val, "mtu")) {
		rtnl_lock();
		pr_info("mtu %d\n", dev_set_mtu(first, 1300));
		pr_info("mtu %d\n", dev_set_mtu(first, 10));
		pr_info("mtu %d\n", dev_set_mtu(first, 9000));
		rtnl_unlock();
	} else if (sysfs_streq(val, "get")) {
		struct net_device *found = dev_get_by_name(&init_net, "nt1");

		pr_info("found %d\n", found == second);
		if (found)
			dev_put(found);
		pr_info("none %d\n", dev_get_by_name(&init_net, "nt9") == NULL);
		rtnl_lock();
		pr_info("found %d\n", __dev_get_by_index(&init_net, first->ifindex) == first);
		pr_info("found %d\n", __dev_get_by_name(&init_net, "lo") == init_net.loopback_dev);
		rtnl_unlock();
	}
	return 0;
}

static const struct kernel_param_ops act_ops = { .set = act };
module_param_cb(act, &act_ops, NULL, 0200);

static int __init net_devs_init(void)
{
	int ret;
	u8 address[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };

	ret = register_netdevice_notifier(&notifier);
	pr_info("notifier %d\n", ret);
	first = alloc_netdev(sizeof(struct counts), "nt%d", NET_NAME_ENUM, setup);
	second = alloc_etherdev(sizeof(struct counts));
	plain = alloc_netdev(8, "plain", NET_NAME_USER, setup_plain);
	if (!first || !second || !plain)
		return -ENOMEM;
	show(first);
	show(second);
	show(plain);
	eth_hw_addr_set(first, address);
	second->netdev_ops = &ops;
	strscpy(second->name, "nt%d", IFNAMSIZ);
	ret = register_netdev(first);
	pr_info("first %d %s\n", ret, first->name);
	ret = register_netdev(second);
	pr_info("second %d %s\n", ret, second->name);
	ret = register_netdev(plain);
	pr_info("plain %d %s\n", ret, plain->name);
	show(first);
	show(second);
	show(plain);
	return 0;
}

static void __exit net_devs_exit(void)
{
	unregister_netdev(plain);
	pr_info("plain gone: %d\n", plain->reg_state);
	unregister_netdev(first);
	pr_info("first gone: %d\n", first->reg_state);
	unregister_netdevice_notifier(&notifier);
	unregister_netdev(second);
	free_netdev(first);
	free_netdev(second);
	free_netdev(plain);
}

module_init(net_devs_init);
module_exit(net_devs_exit);
MODULE_LICENSE("GPL");
