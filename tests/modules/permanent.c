// SPDX-License-Identifier: GPL-2.0
/* Can be loaded and never removed: it has no exit function. */
#include <linux/init.h>
#include <linux/module.h>

static int __init start(void)
{
	return 0;
}
module_init(start);
MODULE_LICENSE("GPL");
