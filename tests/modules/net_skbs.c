// SPDX-License-Identifier: GPL-2.0
/* Packets: made, changed, passed on. */
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

static struct net_device *dev;
static char prefix[] = "skb";

static int got(struct sk_buff *skb, struct net_device *in, struct packet_type *pt, struct net_device *orig)
{
	pr_info("got: protocol %#x, type %u, length %u, %*phN, on %s\n", ntohs(skb->protocol), skb->pkt_type, skb->len,
		min_t(int, skb->len, 8), skb->data, in->name);
	kfree_skb(skb);
	return 0;
}

static struct packet_type taken = { .type = htons(0x88b5), .func = got };

static void show(const char *what, const struct sk_buff *skb)
{
	pr_info("%s: len %u, data_len %u, headroom %u, tailroom %d, truesize %u, mac %d, users %d, cloned %d\n", what,
		skb->len, skb->data_len, skb_headroom(skb), skb_tailroom(skb), skb->truesize,
		skb_mac_header_was_set(skb), refcount_read(&skb->users), skb_cloned(skb));
}

static netdev_tx_t xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops ops = { .ndo_start_xmit = xmit };

static void setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &ops;
}

static struct sk_buff *frame(u16 protocol, u8 last)
{
	struct sk_buff *skb = netdev_alloc_skb(dev, 64);
	u8 *data = skb_put(skb, 34);
	int i;

	for (i = 0; i < 34; i++)
		data[i] = i;
	memcpy(data, dev->dev_addr, ETH_ALEN);
	data[5] = last;
	data[12] = protocol >> 8;
	data[13] = protocol & 0xff;
	return skb;
}

static int act(const char *val, const struct kernel_param *kp)
{
	if (sysfs_streq(val, "over")) {
		struct sk_buff *skb = alloc_skb(16, GFP_KERNEL);

		skb_put(skb, 400);
	} else if (sysfs_streq(val, "under")) {
		struct sk_buff *skb = alloc_skb(16, GFP_KERNEL);

		skb_push(skb, 1);
	}
	return 0;
}

static const struct kernel_param_ops act_ops = { .set = act };
module_param_cb(act, &act_ops, NULL, 0200);

static int __init net_skbs_init(void)
{
	static const unsigned int sizes[] = { 0, 1, 64, 200, 500, 1500, 4000, 10000 };
	struct sk_buff *skb, *other;
	u8 address[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };
	u8 *data;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		skb = alloc_skb(sizes[i], GFP_KERNEL);
		show("alloc", skb);
		kfree_skb(skb);
	}
	dev = alloc_netdev(0, "sk%d", NET_NAME_ENUM, setup);
	eth_hw_addr_set(dev, address);
	pr_info("register %d\n", register_netdev(dev));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		skb = netdev_alloc_skb(dev, sizes[i]);
		show("netdev", skb);
		dev_kfree_skb(skb);
		skb = netdev_alloc_skb_ip_align(dev, sizes[i]);
		show("aligned", skb);
		dev_kfree_skb(skb);
	}
	skb = dev_alloc_skb(100);
	data = skb_put(skb, 20);
	memcpy(data, "abcdefghijklmnopqrst", 20);
	show("put", skb);
	pr_info("push %ld\n", (long)((u8 *)skb_push(skb, 4) - data));
	memcpy(skb->data, "0123", 4);
	show("push", skb);
	pr_info("pull %ld\n", (long)((u8 *)skb_pull(skb, 2) - data));
	pr_info("too far %d\n", skb_pull(skb, 200) == NULL);
	skb_trim(skb, 10);
	show("trim", skb);
	other = skb_clone(skb, GFP_KERNEL);
	show("original", skb);
	show("clone", other);
	pr_info("shared data %d %.*s\n", other->data == skb->data, other->len, other->data);
	kfree_skb(other);
	show("original", skb);
	other = skb_copy(skb, GFP_KERNEL);
	show("copy", other);
	pr_info("own data %d %.*s\n", other->data != skb->data, other->len, other->data);
	kfree_skb(other);
	other = skb_copy_expand(skb, 100, 100, GFP_KERNEL);
	show("expand", other);
	consume_skb(other);
	pr_info("head %d\n", pskb_expand_head(skb, 64, 0, GFP_KERNEL));
	show("head", skb);
	skb_get(skb);
	show("get", skb);
	kfree_skb(skb);
	show("kfree", skb);
	kfree_skb(skb);

	skb = frame(0x0800, 1);
	skb->protocol = eth_type_trans(skb, dev);
	pr_info("trans %#x, type %u, len %u, dev %s\n", ntohs(skb->protocol), skb->pkt_type, skb->len, skb->dev->name);
	kfree_skb(skb);
	skb = frame(0x0600, 2);
	skb->protocol = eth_type_trans(skb, dev);
	pr_info("trans %#x, type %u, len %u\n", ntohs(skb->protocol), skb->pkt_type, skb->len);
	kfree_skb(skb);
	skb = frame(0x0020, 1);
	memset(skb->data, 0xff, ETH_ALEN);
	skb->protocol = eth_type_trans(skb, dev);
	pr_info("trans %#x, type %u, len %u\n", ntohs(skb->protocol), skb->pkt_type, skb->len);
	kfree_skb(skb);
	skb = frame(0x0020, 1);
	skb->data[0] = 1;
	skb->data[14] = skb->data[15] = 0xff;
	skb->protocol = eth_type_trans(skb, dev);
	pr_info("trans %#x, type %u, len %u\n", ntohs(skb->protocol), skb->pkt_type, skb->len);
	kfree_skb(skb);

	dev_add_pack(&taken);
	skb = frame(0x88b5, 1);
	skb->protocol = eth_type_trans(skb, dev);
	local_bh_disable();
	pr_info("rx %d\n", netif_rx(skb));
	pr_info("before\n");
	local_bh_enable();
	pr_info("after\n");
	skb = frame(0x88b5, 7);
	skb->protocol = eth_type_trans(skb, dev);
	local_bh_disable();
	pr_info("receive %d\n", netif_receive_skb(skb));
	local_bh_enable();
	skb = frame(0x1234, 7);
	skb->protocol = eth_type_trans(skb, dev);
	local_bh_disable();
	pr_info("receive %d\n", netif_receive_skb(skb));
	local_bh_enable();
	return 0;
}

static void __exit net_skbs_exit(void)
{
	dev_remove_pack(&taken);
	unregister_netdev(dev);
	free_netdev(dev);
	pr_info("%s: bye\n", prefix);
}

module_init(net_skbs_init);
module_exit(net_skbs_exit);
MODULE_LICENSE("GPL");
