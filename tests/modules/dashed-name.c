// SPDX-License-Identifier: GPL-2.0
/* The file has a dash in its name, the module an underscore. */
#include <linux/init.h>
#include <linux/module.h>

static int level = 1;
module_param(level, int, 0644);

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
