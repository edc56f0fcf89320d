// SPDX-License-Identifier: GPL-2.0
/*
 * Offers functions and a variable to other modules; see consumer.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

static int base = 100;
module_param(base, int, 0644);
MODULE_PARM_DESC(base, "the number provider_value() adds to");

/* How many times somebody asked. A variable can be exported like a function. */
int provider_counter;
EXPORT_SYMBOL(provider_counter);

/* Any module may call this one. */
int provider_value(int add)
{
	provider_counter++;
	return base + add;
}
EXPORT_SYMBOL(provider_value);

/* This one only a module whose MODULE_LICENSE is compatible with the GPL. */
int provider_lease(void)
{
	provider_counter++;
	return 7;
}
EXPORT_SYMBOL_GPL(provider_lease);

static int __init provider_init(void)
{
	pr_info("open\n");
	return 0;
}

/*
 * The kernel does not get here while a module that uses our symbols is
 * loaded: rmmod then answers "Module provider is in use by: consumer".
 */
static void __exit provider_exit(void)
{
	pr_info("closed after %d requests\n", provider_counter);
}

module_init(provider_init);
module_exit(provider_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The sysfsd authors");
MODULE_DESCRIPTION("Exports symbols for other modules");
MODULE_VERSION("1.0");
