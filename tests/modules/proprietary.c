// SPDX-License-Identifier: GPL-2.0
/* Not free, and exports a function others use. */
#include <linux/init.h>
#include <linux/module.h>

int proprietary_value(void);
int proprietary_value(void)
{
	return 3;
}
EXPORT_SYMBOL(proprietary_value);

static int __init start(void)
{
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("Proprietary");
