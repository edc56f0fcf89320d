// SPDX-License-Identifier: GPL-2.0
/* Variables in every kind of data section there is. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/cache.h>

static int fixed_after_init __ro_after_init __used = 1;
static const int constant __used = 2;
static int mostly_read __read_mostly __used = 3;
static int plain __used = 4;
static int zero __used;
static int at_init __initdata __used = 5;
static const int const_at_init __initconst __used = 6;
static int at_exit __exitdata __used = 7;
static int aligned __used __aligned(256) = 8;

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
