// SPDX-License-Identifier: GPL-2.0
/* A common symbol, what compiling without -fno-common gives. */
#include <linux/init.h>
#include <linux/module.h>

asm(".comm common_block, 16, 8");

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
