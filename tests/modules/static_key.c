// SPDX-License-Identifier: GPL-2.0
/* Static keys: places in the code the kernel patches. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/jump_label.h>

static DEFINE_STATIC_KEY_FALSE(off_key);
static DEFINE_STATIC_KEY_TRUE(on_key);

int static_key_value(int n);
int static_key_value(int n)
{
	if (static_branch_unlikely(&off_key))
		n += 1;
	if (static_branch_likely(&on_key))
		n += 2;
	return n;
}

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
