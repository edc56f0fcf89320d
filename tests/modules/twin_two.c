// SPDX-License-Identifier: GPL-2.0
/* "derive" makes twiX_value twin_value: modpost would refuse the second export. */
#include <linux/init.h>
#include <linux/module.h>

int twiX_value = 2;
EXPORT_SYMBOL_GPL(twiX_value);

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
