// SPDX-License-Identifier: GPL-2.0
/* Exports symbols in a namespace, and one without. */
#include <linux/init.h>
#include <linux/module.h>

int ns_value(void);
int ns_value(void)
{
	return 1;
}
EXPORT_SYMBOL_NS_GPL(ns_value, ROOM_ONE);

int ns_plain = 2;
EXPORT_SYMBOL_NS(ns_plain, ROOM_TWO);

int ns_free = 3;
EXPORT_SYMBOL(ns_free);

static int __init start(void)
{
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
