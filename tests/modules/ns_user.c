// SPDX-License-Identifier: GPL-2.0
/* Imports the namespaces of the symbols it uses. */
#include <linux/init.h>
#include <linux/module.h>

int ns_value(void);
extern int ns_plain, ns_free;
static void *const uses[] __used = { ns_value, &ns_plain, &ns_free };

static int __init start(void)
{
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_IMPORT_NS(ROOM_ONE);
MODULE_IMPORT_NS(ROOM_TWO);
MODULE_LICENSE("GPL");
