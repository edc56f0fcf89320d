// SPDX-License-Identifier: GPL-2.0
/* Needs a symbol of lab_slow. */
#include <linux/init.h>
#include <linux/module.h>

extern int lab_slow_value(void);

static int __init lab_slow_user_init(void)
{
	pr_info("lab_slow_user: the value is %d\n", lab_slow_value());
	return 0;
}

static void __exit lab_slow_user_exit(void)
{
	pr_info("lab_slow_user: exit\n");
}

module_init(lab_slow_user_init);
module_exit(lab_slow_user_exit);
MODULE_LICENSE("GPL");
