// SPDX-License-Identifier: GPL-2.0
/* Takes its time to start and to end; may fail to start. */
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/module.h>

static int delay = 1000;
module_param(delay, int, 0644);
MODULE_PARM_DESC(delay, "milliseconds that init takes");
static int leave;
module_param(leave, int, 0644);
MODULE_PARM_DESC(leave, "milliseconds that exit takes");
static int rc;
module_param(rc, int, 0444);
MODULE_PARM_DESC(rc, "what init returns");

int lab_slow_value(void)
{
	return 40;
}
EXPORT_SYMBOL(lab_slow_value);

static int __init lab_slow_init(void)
{
	pr_info("lab_slow: init begins\n");
	msleep(delay);
	pr_info("lab_slow: init returns %d\n", rc);
	return rc;
}

static void __exit lab_slow_exit(void)
{
	pr_info("lab_slow: exit begins\n");
	msleep(leave);
	pr_info("lab_slow: exit ends\n");
}

module_init(lab_slow_init);
module_exit(lab_slow_exit);
MODULE_LICENSE("GPL");
