// SPDX-License-Identifier: GPL-2.0
/* A device whose every write() is an experiment with its own buffer, told of in the log. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define DEV_COPIES_BYTES 64

/* Where nothing is mapped, below and above what belongs to users. */
static char __user *const nowhere = (char __user *)16;

static void say(const char *what, long value)
{
	pr_info("%s: %s %ld\n", KBUILD_MODNAME, what, value);
}

static void copies(char *kernel, const char __user *user, size_t count)
{
	say("all", copy_from_user(kernel, user, count));
	say("no address", copy_from_user(kernel, nowhere, 8));
	say("a kernel address", copy_from_user(kernel, (char __user *)kernel, 8));
	say("to no address", copy_to_user(nowhere, kernel, 8));
	say("to a kernel address", copy_to_user((char __user *)kernel, kernel, 8));
	memset(kernel, 'x', 8);
	say("zeroed after a fault", copy_from_user(kernel, nowhere, 4) + kernel[3] + kernel[4]);
	say("nothing", copy_from_user(kernel, nowhere, 0));
}

static void page_end(char *kernel, const char __user *user, size_t count)
{
	/* The caller's buffer ends where its memory does. */
	const char __user *end = user + count;

	say("across the end", copy_from_user(kernel, end - 10, 24));
	say("at the end", copy_from_user(kernel, end, 8));
	say("clear", clear_user((char __user *)end - 3, 8));
	say("cleared", copy_from_user(kernel, end - 4, 4) + kernel[0] * 1000 + kernel[1]);
	say("strnlen", strnlen_user(end - 4, 100));
	say("strncpy", strncpy_from_user(kernel, end - 8, 100));
}

static void strings(char *kernel, const char __user *user, size_t count)
{
	char *copy;

	say("strnlen", strnlen_user(user, 100));
	say("strnlen of too few", strnlen_user(user, 3));
	say("strnlen of nothing", strnlen_user(user, 0));
	say("strnlen nowhere", strnlen_user(nowhere, 10));
	say("strncpy", strncpy_from_user(kernel, user, DEV_COPIES_BYTES));
	say("strncpy of too few", strncpy_from_user(kernel, user, 3));
	say("strncpy nowhere", strncpy_from_user(kernel, nowhere, 3));
	copy = strndup_user(user, 100);
	say("strndup", IS_ERR(copy) ? PTR_ERR(copy) : strlen(copy));
	if (!IS_ERR(copy))
		kfree(copy);
	copy = strndup_user(user, 4);
	say("strndup of too few", PTR_ERR_OR_ZERO(copy));
	copy = memdup_user_nul(user, 4);
	say("memdup_nul", IS_ERR(copy) ? PTR_ERR(copy) : strlen(copy));
	if (!IS_ERR(copy))
		kfree(copy);
	copy = memdup_user(nowhere, 4);
	say("memdup nowhere", PTR_ERR_OR_ZERO(copy));
}

static void values(char *kernel, const char __user *user, size_t count)
{
	u8 byte = 1;
	u16 word = 1;
	u32 dword = 1;
	u64 qword = 1;
	s8 sign = 1;

	say("u8", get_user(byte, (u8 __user *)user) + byte);
	say("s8", get_user(sign, (s8 __user *)user) + sign);
	say("u16", get_user(word, (u16 __user *)user) + word);
	say("u32", get_user(dword, (u32 __user *)user) + dword);
	say("u64", get_user(qword, (u64 __user *)user) + qword);
	say("nowhere", get_user(dword, (u32 __user *)nowhere));
	say("which is", dword);
	say("unchecked", __get_user(dword, (u32 __user *)user) + dword);
	say("the kernel's", get_user(dword, (u32 __user *)kernel));
	kernel[0] = 42;
	say("the kernel's, unchecked", __get_user(byte, (u8 __user *)kernel) + byte);
	say("put", put_user(0x41424344, (u32 __user *)user));
	say("put nowhere", put_user(1, (u32 __user *)nowhere));
	say("put in the kernel", put_user(1, (u32 __user *)kernel));
	say("put is there", get_user(dword, (u32 __user *)user) + dword);
	say("put unchecked", __put_user(0x0a, (u8 __user *)user));
	say("put unchecked is there", get_user(byte, (u8 __user *)user) + byte);
}

static void numbers(char *kernel, const char __user *user, size_t count)
{
	int number = -1;
	unsigned long long large = 1;
	bool truth = false;

	say("int", kstrtoint_from_user(user, count, 0, &number));
	say("which is", number);
	say("ull", kstrtoull_from_user(user, count, 16, &large));
	say("which is", large);
	say("bool", kstrtobool_from_user(user, count, &truth));
	say("which is", truth);
	say("nowhere", kstrtoint_from_user(nowhere, count, 0, &number));
}

static void direct(char *kernel, const char __user *user, size_t count)
{
	say("direct", *(const char __force *)user);
}

static void overrun(char *kernel, const char __user *user, size_t count)
{
	size_t more = count + DEV_COPIES_BYTES * 2;

	/* Hide the size of the buffer. */
	OPTIMIZER_HIDE_VAR(more);
	say("overrun", copy_from_user(kernel, user, more));
}

static const struct experiment {
	const char *name;
	void (*run)(char *kernel, const char __user *user, size_t count);
} experiments[] = {
	{ "copies", copies },	{ "page-end", page_end }, { "strings", strings }, { "values", values },
	{ "numbers", numbers }, { "direct", direct },	  { "overrun", overrun },
};

static char chosen[16];
module_param_string(experiment, chosen, sizeof(chosen), 0644);

static ssize_t dev_copies_write(struct file *file, const char __user *user, size_t count, loff_t *pos)
{
	char *kernel = kmalloc(DEV_COPIES_BYTES, GFP_KERNEL);
	ssize_t ret = -EINVAL;
	int i;

	for (i = 0; i < ARRAY_SIZE(experiments); i++)
		if (sysfs_streq(experiments[i].name, chosen)) {
			experiments[i].run(kernel, user, count);
			ret = count;
		}
	kfree(kernel);
	return ret;
}

/* Fills what it is given, and returns more than that where it is less than two bytes. */
static ssize_t dev_copies_read(struct file *file, char __user *user, size_t count, loff_t *pos)
{
	static const char text[] = "0123456789abcdef";

	if (*pos)
		return 0;
	*pos = 5;
	return copy_to_user(user, text, min(count, sizeof(text))) ? -EFAULT : min(count, sizeof(text));
}

static const struct file_operations dev_copies_fops = {
	.owner = THIS_MODULE,
	.read = dev_copies_read,
	.write = dev_copies_write,
};

static struct miscdevice dev_copies = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &dev_copies_fops,
};

module_misc_device(dev_copies);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Copies from and to users");
