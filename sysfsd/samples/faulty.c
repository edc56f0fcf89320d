// SPDX-License-Identifier: GPL-2.0
/*
 * A module that makes one mistake, to see what the kernel says about it:
 *
 *	insmod faulty.ko how=null
 *
 * how is one of: null, divide, bug, warn, recurse, overrun, use-after-free.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *how = "warn";
module_param(how, charp, 0444);
MODULE_PARM_DESC(how, "which mistake to make");

/* A stack in the kernel has 16 KiB. */
static noinline int recurse(int depth)
{
	volatile char room[256];

	room[0] = depth;
	return recurse(depth + 1) + room[0];
}

static int __init faulty_init(void)
{
	volatile int zero = 0;
	char *object;

	pr_info("making a mistake: %s\n", how);
	if (!strcmp(how, "null")) {
		*(volatile int *)NULL = 1;
	} else if (!strcmp(how, "divide")) {
		pr_info("%d\n", 100 / zero);
	} else if (!strcmp(how, "bug")) {
		BUG();
	} else if (!strcmp(how, "warn")) {
		WARN(1, "this should not have happened\n");
	} else if (!strcmp(how, "recurse")) {
		return recurse(0);
	} else if (!strcmp(how, "overrun") || !strcmp(how, "use-after-free")) {
		object = kmalloc(16, GFP_KERNEL);
		if (!object)
			return -ENOMEM;
		if (!strcmp(how, "use-after-free"))
			kfree(object);
		((volatile char *)object)[strcmp(how, "overrun") ? 0 : 16] = 1;
		if (!strcmp(how, "overrun"))
			kfree(object);
	} else {
		return -EINVAL;
	}
	return 0;
}

static void __exit faulty_exit(void)
{
}

module_init(faulty_init);
module_exit(faulty_exit);

MODULE_DESCRIPTION("Makes one mistake");
MODULE_LICENSE("GPL");
