// SPDX-License-Identifier: GPL-2.0
/* Uses symbols nobody exports. */
#include <linux/init.h>
#include <linux/module.h>

extern int nobody_has_this, nobody_has_that;
static void *const uses[] __used = { &nobody_has_this, &nobody_has_that };

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
