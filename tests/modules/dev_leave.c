// SPDX-License-Identifier: GPL-2.0
/* A device that takes its time to be closed. */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

static unsigned int leave_ms = 50;
module_param(leave_ms, uint, 0644);

static int dev_leave_open(struct inode *inode, struct file *file)
{
	return 0;
}

static int dev_leave_release(struct inode *inode, struct file *file)
{
	msleep(leave_ms);
	pr_info("dev_leave: closed\n");
	return 0;
}

static const struct file_operations dev_leave_fops = {
	.owner = THIS_MODULE,
	.open = dev_leave_open,
	.release = dev_leave_release,
};

static struct miscdevice dev_leave_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dev_leave",
	.fops = &dev_leave_fops,
};

module_misc_device(dev_leave_device);
MODULE_DESCRIPTION("A device that takes its time to be closed");
MODULE_LICENSE("GPL");
