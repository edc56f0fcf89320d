// SPDX-License-Identifier: GPL-2.0
/* The top of a chain: lab_top needs lab_middle, which needs lab_base. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

extern int lab_base_value(void);
extern int lab_middle_value(void);

static char *title = "none";
module_param(title, charp, 0444);
MODULE_PARM_DESC(title, "what to call the sum");

static int __init lab_top_init(void)
{
	pr_info("lab_top: %s=%d\n", title, lab_middle_value() + lab_base_value());
	return 0;
}

static void __exit lab_top_exit(void)
{
	pr_info("lab_top: exit\n");
}

module_init(lab_top_init);
module_exit(lab_top_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The top of a chain");
MODULE_ALIAS("lab-highest");
MODULE_ALIAS("labbus:v00001234d*sv*");
