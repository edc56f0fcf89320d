// SPDX-License-Identifier: GPL-2.0
/* Every kind of relocation the loader knows, and parameters to read what it made of them. */
#include <linux/init.h>
#include <linux/module.h>

asm(".section .own, \"aw\"\n"
    ".balign 8\n.globl full, far, near, plt, signed32, none, absolute\n"
    "target: .quad 0x1122334455667788\n"
    "full: .quad target + 8\n"
    "far: .quad 0\n.reloc far, R_X86_64_PC64, target + 100\n"
    "absolute: .quad 0\n.reloc absolute, R_X86_64_64, fixed_number\n"
    "near: .long 0\n.reloc near, R_X86_64_PC32, target + 100\n"
    "plt: .long 0\n.reloc plt, R_X86_64_PLT32, target - 4\n"
    "signed32: .long 0\n.reloc signed32, R_X86_64_32S, target\n"
    "none: .long 77\n.reloc none, R_X86_64_NONE, target\n"
    ".globl fixed_number\nfixed_number = 0x1234\n"
    ".previous");

extern unsigned long full;
extern long far, absolute;
extern int near, plt, signed32, none;
module_param(full, ulong, 0400);
module_param(far, long, 0444);
module_param(absolute, long, 0444);
module_param(near, int, 0444);
module_param(plt, int, 0444);
module_param(signed32, int, 0400);
module_param(none, int, 0444);

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
