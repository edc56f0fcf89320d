// SPDX-License-Identifier: GPL-2.0
/* Has an exit function only. */
#include <linux/init.h>
#include <linux/module.h>

static void __exit stop(void)
{
}
module_exit(stop);
MODULE_LICENSE("GPL");
