// SPDX-License-Identifier: GPL-2.0
/* A section that is both writable and executable. */
#include <linux/init.h>
#include <linux/module.h>

asm(".section .wild, \"awx\", @progbits\n.byte 0xcc\n.previous");

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
