// SPDX-License-Identifier: GPL-2.0
/* Uses, weakly, a symbol nobody exports. */
#include <linux/init.h>
#include <linux/module.h>

extern int nobody_has_this __weak;
static void *const uses __used = &nobody_has_this;

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
