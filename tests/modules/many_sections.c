// SPDX-License-Identifier: GPL-2.0
/* Sections of its own: several alignments, flags and types. */
#include <linux/init.h>
#include <linux/module.h>

asm(".section .own.data, \"aw\"\n.balign 32\n.quad 1, 2, 3\n"
    ".section .own.rodata, \"a\"\n.balign 64\n.byte 1\n"
    ".section .own.text, \"ax\"\n.balign 16\n.globl own_code\nown_code: int3; int3\n"
    ".section .own.bss, \"aw\", @nobits\n.balign 128\n.skip 300\n"
    ".section .own.note, \"a\", @note\n.balign 4\n.long 4, 4, 1\n.asciz \"Own\"\n.long 7\n"
    ".section .comment.own, \"\"\n.byte 1, 2, 3\n"
    ".section .own.empty, \"a\"\n"
    ".section .init.own, \"aw\"\n.balign 64\n.long 9\n"
    ".section .initial, \"aw\"\n.long 10\n"
    ".section .exit.own, \"aw\"\n.long 11\n"
    ".previous");

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
