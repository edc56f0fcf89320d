// SPDX-License-Identifier: GPL-2.0
/* Calls a function of another module, directly and through a pointer; the other module is calls. */
#include <linux/init.h>
#include <linux/module.h>

int calls_double(int n);

static int (*volatile through)(int n) = calls_double;

static __used noinline int quadruple(int n)
{
	return through(calls_double(n));
}

static int __init start(void)
{
	pr_info("calls_user: %d\n", quadruple(21));
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
