// SPDX-License-Identifier: GPL-2.0
/* Has neither an init nor an exit function. */
#include <linux/init.h>
#include <linux/module.h>

int neither_value = 4;
EXPORT_SYMBOL_GPL(neither_value);
MODULE_LICENSE("GPL");
