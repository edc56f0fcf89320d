// SPDX-License-Identifier: GPL-2.0
/* Carries every mark that taints. */
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

MODULE_INFO(staging, "Y");
MODULE_INFO(test, "Y");
MODULE_INFO(livepatch, "Y");
MODULE_LICENSE("Strange");
