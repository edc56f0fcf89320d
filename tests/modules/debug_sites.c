// SPDX-License-Identifier: GPL-2.0-or-later
/* Debug messages of all kinds, for users to turn on and off. */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>

static struct device *device;

static noinline void first(int n)
{
	pr_debug("first: %d\n", n);
	pr_debug("tab\tand \"quotes\" and \\ of %s\n", __func__);
}

static noinline void second(int n)
{
	pr_debug("second: %d\n", n);
	if (n > 1)
		pr_debug_once("once\n");
	pr_debug_ratelimited("limited %d\n", n);
	print_hex_dump_debug("bytes: ", DUMP_PREFIX_OFFSET, 16, 1, "0123456789", 10, true);
	dev_dbg(device, "of a device\n");
	pr_devel("never\n");
}

static int run(const char *value, const struct kernel_param *kp)
{
	static int n;

	first(++n);
	second(n);
	return 0;
}

static const struct kernel_param_ops run_ops = { .set = run };
module_param_cb(run, &run_ops, NULL, 0200);

static int __init debug_sites_init(void)
{
	device = root_device_register("debug_sites");
	if (IS_ERR(device))
		return PTR_ERR(device);
	pr_debug("init\n");
	return 0;
}

static void __exit debug_sites_exit(void)
{
	pr_debug("exit\n");
	root_device_unregister(device);
}

module_init(debug_sites_init);
module_exit(debug_sites_exit);
MODULE_LICENSE("GPL");
