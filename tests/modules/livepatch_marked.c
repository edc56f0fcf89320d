// SPDX-License-Identifier: GPL-2.0
/* Carries livepatch=Y in its information section. */
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

MODULE_INFO(livepatch, "Y");
MODULE_LICENSE("GPL");
