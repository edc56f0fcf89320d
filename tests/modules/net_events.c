// SPDX-License-Identifier: GPL-2.0
/* Who is told of what happens in the network, and what begins and ends with its namespaces. */
#define pr_fmt(fmt) fmt
#include <linux/etherdevice.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/addrconf.h>
#include <net/net_namespace.h>
#include <net/netevent.h>
#include <net/netns/generic.h>
#include <net/nexthop.h>
#include <net/switchdev.h>

#define T(call) pr_info("%s: %d\n", #call, (int)(call))
#define V(call) do { pr_info("%s\n", #call); call; } while (0)

static int silent(struct notifier_block *nb, unsigned long action, void *ptr)
{
	return NOTIFY_DONE;
}

static int answer;

static int told(struct notifier_block *nb, unsigned long action, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	pr_info("priority %d: %s %s\n", nb->priority, netdev_cmd_to_name(action), dev->name);
	return nb->priority == answer ? NOTIFY_STOP : NOTIFY_DONE;
}

static int refuses(struct notifier_block *nb, unsigned long action, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	pr_info("refuses: %s %s\n", netdev_cmd_to_name(action), dev->name);
	return notifier_from_errno(action == NETDEV_REGISTER && dev != init_net.loopback_dev ? -EPERM : 0);
}

/* Chains of which nobody says anything here. */
#define CHAIN(register, unregister) do { \
	static struct notifier_block first = { .notifier_call = silent }, second = { .notifier_call = silent, .priority = 5 }; \
	T(register(&first)); \
	T(register(&second)); \
	pr_info("followed %d\n", second.next != NULL); \
	T(register(&second)); \
	T(unregister(&second)); \
	T(unregister(&second)); \
	T(unregister(&first)); \
} while (0)

static void chains_test(void)
{
	CHAIN(register_inetaddr_notifier, unregister_inetaddr_notifier);
	CHAIN(register_inet6addr_notifier, unregister_inet6addr_notifier);
	CHAIN(register_inetaddr_validator_notifier, unregister_inetaddr_validator_notifier);
	CHAIN(register_inet6addr_validator_notifier, unregister_inet6addr_validator_notifier);
	CHAIN(register_netevent_notifier, unregister_netevent_notifier);
	CHAIN(register_switchdev_notifier, unregister_switchdev_notifier);
	CHAIN(register_switchdev_blocking_notifier, unregister_switchdev_blocking_notifier);
	CHAIN(netlink_register_notifier, netlink_unregister_notifier);
}

static struct notifier_block hops = { .notifier_call = silent };

static void hops_test(void)
{
	T(register_nexthop_notifier(&init_net, &hops, NULL));
	T(unregister_nexthop_notifier(&init_net, &hops));
	T(unregister_nexthop_notifier(&init_net, &hops));
}

/* Devices */

static netdev_tx_t xmit(struct sk_buff *skb, struct net_device *dev)
{
	kfree_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops ops = { .ndo_start_xmit = xmit };

static void setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &ops;
	dev->flags |= IFF_NOARP;
	dev->mtu = 1000;
	dev->needs_free_netdev = true;
}

static struct notifier_block low = { .notifier_call = told, .priority = 1 }, high = { .notifier_call = told, .priority = 9 };
static struct notifier_block same = { .notifier_call = told, .priority = 1 }, own = { .notifier_call = told, .priority = 2 };
static struct notifier_block against = { .notifier_call = refuses };

static void devices_test(void)
{
	struct net_device *dev;
	u8 address[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };

	dev = alloc_netdev(0, "ne0", NET_NAME_USER, setup);
	eth_hw_addr_set(dev, address);
	T(register_netdev(dev));
	rtnl_lock();
	T(dev_open(dev, NULL));
	rtnl_unlock();
	T(register_netdevice_notifier(&low));
	T(register_netdevice_notifier(&high));
	T(register_netdevice_notifier(&same));
	pr_info("in order %d %d\n", high.next == &low || low.next == &same, same.next != &low);
	T(register_netdevice_notifier_net(&init_net, &own));
	T(register_netdevice_notifier_net(&init_net, &own));
	T(register_netdevice_notifier(&low));
	T(register_netdevice_notifier(&against));
	T(register_netdevice_notifier_net(&init_net, &against));
	rtnl_lock();
	pr_info("change\n");
	netdev_state_change(dev);
	answer = 9;
	pr_info("stopped at %d\n", answer);
	netdev_state_change(dev);
	answer = 2;
	pr_info("stopped at %d\n", answer);
	netdev_state_change(dev);
	answer = 0;
	rtnl_unlock();
	T(unregister_netdevice_notifier_net(&init_net, &own));
	T(unregister_netdevice_notifier_net(&init_net, &own));
	T(unregister_netdevice_notifier(&high));
	T(unregister_netdevice_notifier(&same));
	T(unregister_netdevice_notifier(&low));
	T(unregister_netdevice_notifier(&low));
	unregister_netdev(dev);
}

/* Namespaces */

static unsigned int first_id, second_id, third_id;
struct own_data {
	int number;
};

static int net_init(struct net *net)
{
	struct own_data *data = net_generic(net, first_id);

	pr_info("init: %d, number %d\n", net == &init_net, data->number);
	data->number = 7;
	return 0;
}

static void net_pre_exit(struct net *net)
{
	pr_info("pre exit\n");
}

static void net_exit(struct net *net)
{
	struct own_data *data = net_generic(net, first_id);

	pr_info("exit: number %d\n", data->number);
}

static void net_exit_batch(struct list_head *list)
{
	struct net *net;

	list_for_each_entry(net, list, exit_list)
		pr_info("exit batch: %d\n", net == &init_net);
}

static int fails(struct net *net)
{
	pr_info("fails\n");
	return -ENOSPC;
}

static int device_init(struct net *net)
{
	pr_info("device init\n");
	return 0;
}

static void device_exit(struct net *net)
{
	pr_info("device exit\n");
}

static struct pernet_operations subsys = {
	.init = net_init, .pre_exit = net_pre_exit, .exit = net_exit, .exit_batch = net_exit_batch, .id = &first_id,
	.size = sizeof(struct own_data),
};
static struct pernet_operations failing = { .init = fails, .exit = net_exit, .id = &second_id, .size = 16 };
static struct pernet_operations device = { .init = device_init, .exit = device_exit };
static struct pernet_operations number = { .id = &third_id, .size = 16 };
static struct pernet_operations nothing;

static void spaces_test(void)
{
	T(register_pernet_subsys(&subsys));
	pr_info("data %d\n", ((struct own_data *)net_generic(&init_net, first_id))->number);
	T(register_pernet_subsys(&failing));
	T(register_pernet_device(&device));
	T(register_pernet_device(&number));
	pr_info("numbers %d, data %d\n", third_id - first_id, net_generic(&init_net, third_id) != NULL);
	T(register_pernet_subsys(&nothing));
	V(unregister_pernet_subsys(&subsys));
	V(unregister_pernet_device(&number));
	pr_info("data %d\n", net_generic(&init_net, third_id) != NULL);
	V(unregister_pernet_device(&device));
	V(unregister_pernet_subsys(&nothing));
	T(register_pernet_device(&number));
	pr_info("number %d\n", third_id - first_id);
	V(unregister_pernet_device(&number));
}

static int act(const char *val, const struct kernel_param *kp)
{
	static const struct {
		const char *name;
		void (*test)(void);
	} tests[] = {
		{ "chains", chains_test }, { "hops", hops_test }, { "devices", devices_test }, { "spaces", spaces_test },
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

static int __init net_events_init(void)
{
	return 0;
}

static void __exit net_events_exit(void)
{
}

module_init(net_events_init);
module_exit(net_events_exit);
MODULE_LICENSE("GPL");
