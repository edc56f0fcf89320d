// SPDX-License-Identifier: GPL-2.0
/* Resolves a symbol of the module proprietary first, then a GPL-only one. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/kobject.h>

int proprietary_value(void);
static void *const uses[] __used = { proprietary_value, kobject_create_and_add };

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
