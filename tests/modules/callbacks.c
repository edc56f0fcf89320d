// SPDX-License-Identifier: GPL-2.0
/* Parameters with half of the functions. */
#include <linux/init.h>
#include <linux/module.h>

static int value = 5;
static bool flag;

static const struct kernel_param_ops only_get = { .get = param_get_int };
static const struct kernel_param_ops only_set = { .set = param_set_int };
static const struct kernel_param_ops flag_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = param_set_bool,
	.get = param_get_bool,
};

module_param_cb(no_set, &only_get, &value, 0644);
module_param_cb(no_get, &only_set, &value, 0644);
module_param_cb(no_get_0200, &only_set, &value, 0200);
module_param_cb(no_set_0444, &only_get, &value, 0444);
module_param_cb(flag, &flag_ops, &flag, 0644);

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
