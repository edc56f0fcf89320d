// SPDX-License-Identifier: GPL-2.0
/* The longest free licence string; "derive" writes shorter ones over it. */
#include <linux/init.h>
#include <linux/module.h>

static int __init start(void)
{
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL and additional rights");
