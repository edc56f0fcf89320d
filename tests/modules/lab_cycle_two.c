// SPDX-License-Identifier: GPL-2.0
/* Needs lab_cycle_one, which needs this one. */
#include <linux/init.h>
#include <linux/module.h>

extern int lab_cycle_one_value(void);

int lab_cycle_two_value(void)
{
	return 2;
}
EXPORT_SYMBOL(lab_cycle_two_value);

static int __init lab_cycle_two_init(void)
{
	return lab_cycle_one_value() - 1;
}

static void __exit lab_cycle_two_exit(void)
{
}

module_init(lab_cycle_two_init);
module_exit(lab_cycle_two_exit);
MODULE_LICENSE("GPL");
