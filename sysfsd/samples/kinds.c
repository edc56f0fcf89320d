// SPDX-License-Identifier: GPL-2.0
/*
 * One parameter of every kind the kernel knows, to see what each of them
 * accepts and how it reads back.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

/* Numbers: decimal, 0x hexadecimal or 0 octal, refused when out of range. */
static unsigned char a_byte = 200;
module_param(a_byte, byte, 0644);
MODULE_PARM_DESC(a_byte, "0 to 255");

static short a_short = -300;
module_param(a_short, short, 0644);

static unsigned short a_ushort = 60000;
module_param(a_ushort, ushort, 0644);

static int an_int = -70000;
module_param(an_int, int, 0644);

static unsigned int a_uint = 70000;
module_param(a_uint, uint, 0644);

static long a_long = -5000000000L;
module_param(a_long, long, 0644);

static unsigned long a_ulong = 5000000000UL;
module_param(a_ulong, ulong, 0644);

static unsigned long long a_ullong = ~0ULL;
module_param(a_ullong, ullong, 0644);
MODULE_PARM_DESC(a_ullong, "starts at the largest number there is");

/* The same as uint, but it reads back in hexadecimal. */
static unsigned int a_hexint = 0xcafe;
module_param(a_hexint, hexint, 0644);

/* Truth values: y, n, 1, 0, on, off; they read back as Y or N. */
static bool a_bool = true;
module_param(a_bool, bool, 0644);

/* Stores the opposite of what is written. */
static bool an_invbool;
module_param(an_invbool, invbool, 0644);

/* Takes what a bool takes, and keeps it in an int. */
static int a_bint = 1;
module_param(a_bint, bint, 0644);

/* Can be switched on, and never off again. */
static bool a_latch;
module_param(a_latch, bool_enable_only, 0644);
MODULE_PARM_DESC(a_latch, "can only be switched on");

/* A charp points to a copy the kernel allocates; a string has its own, fixed room. */
static char *a_charp = "as long as you like";
module_param(a_charp, charp, 0644);

static char a_string[16] = "at most fifteen";
module_param_string(a_string, a_string, sizeof(a_string), 0644);

/* Arrays: values between commas. With a counter, it says how many were given ... */
static int ints[4] = { 10, 20, 30 };
static int nr_ints = 3;
module_param_array(ints, int, &nr_ints, 0644);
MODULE_PARM_DESC(ints, "up to four numbers");

/* ... without one, all the elements are shown, given or not. */
static int pair[2] = { 1, 2 };
module_param_array(pair, int, NULL, 0644);

static char *words[3] = { "one", "two" };
static int nr_words = 2;
module_param_array(words, charp, &nr_words, 0444);

static bool flags[3] = { true, false, true };
static int nr_flags = 3;
module_param_array(flags, bool, &nr_flags, 0644);

/* The last number is the mode of the file; 0 means: no file at all. */
static int hidden = 1;
module_param(hidden, int, 0);
MODULE_PARM_DESC(hidden, "can be given to insmod, has no file");

static int root_reads = 2;
module_param(root_reads, int, 0400);

static int root_writes = 3;
module_param(root_writes, int, 0200);

/* The variable's name in the code, and another one for the users. */
static int a_name_only_we_use = 4;
module_param_named(level, a_name_only_we_use, int, 0644);

/* Setting this one taints the kernel: a bug report then tells that it was set. */
static int danger;
module_param_unsafe(danger, int, 0644);

/* Functions of our own, to refuse what makes no sense or to act on a change. */
static int even = 2;

static int even_set(const char *val, const struct kernel_param *kp)
{
	int n, err;

	err = kstrtoint(val, 0, &n);
	if (err)
		return err;
	if (n % 2)
		return -EINVAL;

	*(int *)kp->arg = n;
	return 0;
}

static const struct kernel_param_ops even_ops = {
	.set = even_set,
	.get = param_get_int,
};
module_param_cb(even, &even_ops, &even, 0644);
MODULE_PARM_DESC(even, "a number that cannot be odd");

static int __init kinds_init(void)
{
	pr_info("ready, hidden is %d\n", hidden);
	return 0;
}

static void __exit kinds_exit(void)
{
	pr_info("root_writes was %d\n", root_writes);
}

module_init(kinds_init);
module_exit(kinds_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The sysfsd authors");
MODULE_DESCRIPTION("One parameter of every kind");
MODULE_VERSION("1.0");
