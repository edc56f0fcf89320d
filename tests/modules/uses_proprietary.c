// SPDX-License-Identifier: GPL-2.0
/* Free, uses a symbol of the module proprietary: inherits its taint. */
#include <linux/init.h>
#include <linux/module.h>

int proprietary_value(void);
static void *const uses __used = proprietary_value;

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
