// SPDX-License-Identifier: GPL-2.0
/* Asks for symbols by name while it is initialised. */
#include <linux/init.h>
#include <linux/module.h>

static int __init start(void)
{
	void *gpl = __symbol_get("neither_value"), *plain = __symbol_get("twin_value");

	pr_info("symbol_getter: GPL-only %s, plain %s\n", gpl ? "found" : "missing", plain ? "found" : "missing");
	if (gpl)
		__symbol_put("neither_value");
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
