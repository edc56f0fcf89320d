// SPDX-License-Identifier: GPL-2.0
/*
 * Uses what provider.c offers: insmod refuses it until provider is loaded
 * ("Unknown symbol in module"), modprobe would load both in order.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

/* Usually in a header the two modules share. */
extern int provider_counter;
int provider_value(int add);
int provider_lease(void);

static int result;
module_param(result, int, 0444);
MODULE_PARM_DESC(result, "what provider answered");

static int __init consumer_init(void)
{
	result = provider_value(11) + provider_lease();
	pr_info("result %d, request %d\n", result, provider_counter);
	return 0;
}

static void __exit consumer_exit(void)
{
	pr_info("done\n");
}

module_init(consumer_init);
module_exit(consumer_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The sysfsd authors");
MODULE_DESCRIPTION("Uses the symbols of provider");
MODULE_VERSION("1.0");
