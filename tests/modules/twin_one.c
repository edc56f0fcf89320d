// SPDX-License-Identifier: GPL-2.0
/* Exports the same symbol as twin_two. */
#include <linux/init.h>
#include <linux/module.h>

int twin_value = 1;
EXPORT_SYMBOL(twin_value);

int twin_other = 1;
EXPORT_SYMBOL_GPL(twin_other);

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
