// SPDX-License-Identifier: GPL-2.0
/* Needs lab_cycle_two, which needs this one. */
#include <linux/init.h>
#include <linux/module.h>

extern int lab_cycle_two_value(void);

int lab_cycle_one_value(void)
{
	return 1;
}
EXPORT_SYMBOL(lab_cycle_one_value);

static int __init lab_cycle_one_init(void)
{
	return lab_cycle_two_value() - 2;
}

static void __exit lab_cycle_one_exit(void)
{
}

module_init(lab_cycle_one_init);
module_exit(lab_cycle_one_exit);
MODULE_LICENSE("GPL");
