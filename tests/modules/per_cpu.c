// SPDX-License-Identifier: GPL-2.0
/* Per-CPU variables of several sizes and alignments, one of them exported. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/percpu.h>

static DEFINE_PER_CPU(char, small) __used = 1;
static DEFINE_PER_CPU(long, plain) __used = 2;
static DEFINE_PER_CPU_ALIGNED(long, aligned) __used;
static DEFINE_PER_CPU_SHARED_ALIGNED(int, shared_aligned) __used;
static DEFINE_PER_CPU_READ_MOSTLY(int, mostly_read) __used = 3;
DEFINE_PER_CPU(int, per_cpu_exported);
EXPORT_PER_CPU_SYMBOL(per_cpu_exported);

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
