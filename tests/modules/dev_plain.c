// SPDX-License-Identifier: GPL-2.0-or-later
/* A device that does nothing but copy, to measure what that costs. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

static char buffer[1 << 17];

static ssize_t dev_plain_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	count = min(count, sizeof(buffer));
	return copy_to_user(to, buffer, count) ? -EFAULT : count;
}

static ssize_t dev_plain_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	count = min(count, sizeof(buffer));
	return copy_from_user(buffer, from, count) ? -EFAULT : count;
}

static const struct file_operations dev_plain_fops = {
	.owner = THIS_MODULE,
	.read = dev_plain_read,
	.write = dev_plain_write,
	.llseek = no_llseek,
};

static struct miscdevice dev_plain = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dev_plain",
	.fops = &dev_plain_fops,
};

module_misc_device(dev_plain);
MODULE_LICENSE("GPL");
