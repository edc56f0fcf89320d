// SPDX-License-Identifier: GPL-2.0
/* The middle of a chain: lab_top needs lab_middle, which needs lab_base. */
#include <linux/init.h>
#include <linux/module.h>

extern int lab_base_value(void);

static int step = 10;
module_param(step, int, 0644);
MODULE_PARM_DESC(step, "how much to add");

int lab_middle_value(void)
{
	return lab_base_value() + step;
}
EXPORT_SYMBOL_GPL(lab_middle_value);

static int __init lab_middle_init(void)
{
	pr_info("lab_middle: value=%d\n", lab_middle_value());
	return step < 0 ? step : 0;
}

static void __exit lab_middle_exit(void)
{
	pr_info("lab_middle: exit\n");
}

module_init(lab_middle_init);
module_exit(lab_middle_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The middle of a chain");
MODULE_ALIAS("lab-between");
