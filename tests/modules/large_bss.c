// SPDX-License-Identifier: GPL-2.0
/* A hundred kilobytes of zeros, and none in the file. */
#include <linux/init.h>
#include <linux/module.h>

static char zeros[100 * 1024] __used;

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
