// SPDX-License-Identifier: GPL-2.0
/* A good half of the 8192 bytes the kernel sets aside for the per-CPU data of modules. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/percpu.h>

static DEFINE_PER_CPU(char[5000], half) __used;

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
