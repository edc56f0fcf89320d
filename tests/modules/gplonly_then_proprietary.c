// SPDX-License-Identifier: GPL-2.0
/* Resolves a GPL-only symbol first, then one of the module proprietary. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/kobject.h>

int proprietary_value(void);
static void *const uses[] __used = { kobject_get_path, proprietary_value };

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
