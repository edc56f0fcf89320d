// SPDX-License-Identifier: GPL-2.0
/* More per-CPU data than the part set aside for modules has. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/percpu.h>

static DEFINE_PER_CPU(char[40000], large) __used;

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
