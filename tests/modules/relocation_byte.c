// SPDX-License-Identifier: GPL-2.0
/* A one-byte relocation, which the loader does not know. */
#include <linux/init.h>
#include <linux/module.h>

asm(".section .own, \"aw\"\nown_start: .byte own_start\n.previous");

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
