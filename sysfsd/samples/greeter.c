// SPDX-License-Identifier: GPL-2.0
/*
 * A first module: it greets when it is loaded, says goodbye when it is
 * removed, and shows four parameters under /sys/module/greeter/parameters.
 *
 *	insmod greeter.ko count=3 whom=class loud=1
 */

/* Every message of this file then begins with "greeter: ". */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

/* 0644: everybody may read it, root may change it while the module is loaded. */
static int count = 1;
module_param(count, int, 0644);
MODULE_PARM_DESC(count, "how many times to greet");

/* 0444: set when the module is loaded, and only readable from then on. */
static char *whom = "world";
module_param(whom, charp, 0444);
MODULE_PARM_DESC(whom, "whom to greet");

/* A bool takes y, n, 1, 0, on, off; without a value ("insmod greeter.ko loud") it is true. */
static bool loud;
module_param(loud, bool, 0644);
MODULE_PARM_DESC(loud, "end each greeting with an exclamation mark");

/* 0600: nobody but root may even read it. */
static int secret = 42;
module_param(secret, int, 0600);
MODULE_PARM_DESC(secret, "a number only root can see");

/* __init: the memory of this function is given back once it has returned. */
static int __init greeter_init(void)
{
	int i;

	for (i = 0; i < count; i++)
		pr_info("Hello, %s%s\n", whom, loud ? "!" : ".");

	/* 0: loaded; a negative errno: insmod fails with that error. */
	return 0;
}

/* __exit: left out when a driver is built into the kernel, where nothing can remove it. */
static void __exit greeter_exit(void)
{
	/* The values are those of now: whatever was written meanwhile counts. */
	pr_info("Goodbye, %s%s\n", whom, loud ? "!" : ".");
}

module_init(greeter_init);
module_exit(greeter_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The sysfsd authors");
MODULE_DESCRIPTION("Greets whom you like, as often as you like");
MODULE_VERSION("1.0");
