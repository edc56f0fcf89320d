// SPDX-License-Identifier: GPL-2.0
/* A relocation at a place that does not hold zero. */
#include <linux/init.h>
#include <linux/module.h>

asm(".section .own, \"aw\"\ntaken: .long 5\n.reloc taken, R_X86_64_PC32, taken + 8\n.previous");

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
