// SPDX-License-Identifier: GPL-2.0
/* "derive" makes kstrtoinX kstrtoint, which the kernel exports. */
#include <linux/init.h>
#include <linux/module.h>

int kstrtoinX = 2;
EXPORT_SYMBOL(kstrtoinX);

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
