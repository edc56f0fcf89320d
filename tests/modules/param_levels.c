// SPDX-License-Identifier: GPL-2.0
/* Parameters about hardware, and those with a level. */
#include <linux/init.h>
#include <linux/module.h>

static int irq = 5;
module_param_hw(irq, int, irq, 0644);
static int io[2] = { 0x2f8, 0x3f8 };
static int nr_io = 2;
module_param_hw_array(io, int, ioport, &nr_io, 0444);
static int late = 1;
late_param_cb(late, &param_ops_int, &late, 0644);
static int unsafe_cb = 1;
module_param_cb_unsafe(unsafe_cb, &param_ops_int, &unsafe_cb, 0644);
static char *unsafe_named = "x";
module_param_named_unsafe(other_name, unsafe_named, charp, 0644);

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
