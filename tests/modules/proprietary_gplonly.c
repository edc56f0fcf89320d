// SPDX-License-Identifier: GPL-2.0
/* Uses a GPL-only symbol; "derive" makes the licence Proprietary, which modpost would refuse. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/kobject.h>

static void *const uses __used = kobject_create_and_add;

static int __init start(void)
{
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("Dual BSD/GPL");
