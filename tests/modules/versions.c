// SPDX-License-Identifier: GPL-2.0
/* Prints one line; "derive" makes most of the broken images of it. */
#include <linux/init.h>
#include <linux/module.h>

static int number = 1;
module_param(number, int, 0644);

static int __init start(void)
{
	pr_info("versions: loaded\n");
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
