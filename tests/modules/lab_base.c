// SPDX-License-Identifier: GPL-2.0
/* The lowest of a chain: lab_top needs lab_middle, which needs lab_base. */
#include <linux/init.h>
#include <linux/module.h>

static int start = 1;
module_param(start, int, 0644);
MODULE_PARM_DESC(start, "what the others add to");

int lab_base_value(void)
{
	return start;
}
EXPORT_SYMBOL(lab_base_value);

static int __init lab_base_init(void)
{
	pr_info("lab_base: start=%d\n", start);
	return 0;
}

static void __exit lab_base_exit(void)
{
	pr_info("lab_base: exit\n");
}

module_init(lab_base_init);
module_exit(lab_base_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The lowest of a chain");
MODULE_ALIAS("lab-lowest");
