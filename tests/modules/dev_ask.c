// SPDX-License-Identifier: GPL-2.0
/* A device whose ioctls say one thing and mean another, and that tells of what is written by SIGIO. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>

#define ASK_SET _IOW('q', 1, int)	/* the argument is the number itself */
#define ASK_INDEX _IOWR('q', 2, char *)	/* the argument is an index, the answer a character */
#define ASK_GET _IOR('q', 3, int)
#define ASK_SHORT _IOR('q', 4, char)	/* writes an int all the same */
#define ASK_REGULAR 1			/* a regular file's FIBMAP */
#define ASK_COUNT 0x541b		/* a regular file's FIONREAD */

static const char text[] = "characters";
static long number;
static struct fasync_struct *listeners;

static int dev_ask_fasync(int fd, struct file *file, int on)
{
	int changed = fasync_helper(fd, file, on, &listeners);

	pr_info("dev_ask: fasync %s: %d\n", on ? "on" : "off", changed);
	return changed;
}

static ssize_t dev_ask_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	kill_fasync(&listeners, SIGIO, POLL_IN);
	return len;
}

static long dev_ask_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int value = number;

	pr_info("dev_ask: ioctl %x, nonblocking %d\n", cmd, !!(file->f_flags & O_NONBLOCK));
	switch (cmd) {
	case ASK_SET:
		number = arg;
		return 0;
	case ASK_INDEX:
		return arg < sizeof(text) ? text[arg] : -EINVAL;
	case ASK_GET:
	case ASK_SHORT:
		return put_user(value, (int __user *)arg);
	case ASK_REGULAR:
		return 11;
	case ASK_COUNT:
		return put_user(77, (int __user *)arg);
	}
	return -ENOTTY;
}

static int dev_ask_release(struct inode *inode, struct file *file)
{
	return 0;
}

static const struct file_operations dev_ask_fops = {
	.owner = THIS_MODULE,
	.write = dev_ask_write,
	.unlocked_ioctl = dev_ask_ioctl,
	.fasync = dev_ask_fasync,
	.release = dev_ask_release,
	.llseek = noop_llseek,
};

static struct miscdevice dev_ask_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dev_ask",
	.fops = &dev_ask_fops,
};

module_misc_device(dev_ask_device);
MODULE_DESCRIPTION("A device whose ioctls say one thing and mean another");
MODULE_LICENSE("GPL");
