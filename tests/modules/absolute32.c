// SPDX-License-Identifier: GPL-2.0
/* A 32-bit absolute reference: the address of a module never fits. */
#include <linux/init.h>
#include <linux/module.h>

asm(".section .own, \"aw\"\n.globl absolute32_place\nabsolute32_place: .long absolute32_place\n.previous");

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
