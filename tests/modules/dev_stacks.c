// SPDX-License-Identifier: GPL-2.0
/* A device and a misc device that show from where each operation is called. */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uio.h>

static noinline void show(const char *what)
{
	pr_info("%s: %s\n", KBUILD_MODNAME, what);
	dump_stack();
}

static int st_open(struct inode *inode, struct file *file)
{
	show("open");
	return 0;
}

static int st_release(struct inode *inode, struct file *file)
{
	show("release");
	return 0;
}

static int st_flush(struct file *file, fl_owner_t id)
{
	show("flush");
	return 0;
}

static int st_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	show("fsync");
	return 0;
}

static ssize_t st_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	show("read");
	return 0;
}

static ssize_t st_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	show("write");
	return count;
}

static ssize_t st_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	show("read_iter");
	return 0;
}

static ssize_t st_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	size_t count = iov_iter_count(from);

	show("write_iter");
	iov_iter_advance(from, count);
	return count;
}

static loff_t st_llseek(struct file *file, loff_t offset, int whence)
{
	show("llseek");
	return 0;
}

static long st_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	show("unlocked_ioctl");
	return 0;
}

static __poll_t st_poll(struct file *file, poll_table *wait)
{
	show("poll");
	return EPOLLIN;
}

static int st_mmap(struct file *file, struct vm_area_struct *vma)
{
	show("mmap");
	return -ENODEV;
}

static int st_fasync(int fd, struct file *file, int on)
{
	show("fasync");
	return 0;
}

static const struct file_operations st_fops = {
	.owner = THIS_MODULE,
	.open = st_open,
	.release = st_release,
	.flush = st_flush,
	.fsync = st_fsync,
	.read = st_read,
	.write = st_write,
	.llseek = st_llseek,
	.unlocked_ioctl = st_ioctl,
	.poll = st_poll,
	.mmap = st_mmap,
	.fasync = st_fasync,
};

static const struct file_operations st_iter_fops = {
	.owner = THIS_MODULE,
	.open = st_open,
	.read_iter = st_read_iter,
	.write_iter = st_write_iter,
};

static char *st_devnode(struct device *dev, umode_t *mode)
{
	show("devnode");
	return NULL;
}

static struct miscdevice st_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dev_stacks_misc",
	.fops = &st_iter_fops,
};

static struct class *st_class;
static int major;

static int __init st_init(void)
{
	major = register_chrdev(0, KBUILD_MODNAME, &st_fops);
	if (major < 0)
		return major;
	st_class = class_create(THIS_MODULE, KBUILD_MODNAME);
	st_class->devnode = st_devnode;
	device_create(st_class, NULL, MKDEV(major, 0), NULL, KBUILD_MODNAME);
	return misc_register(&st_misc);
}

static void __exit st_exit(void)
{
	misc_deregister(&st_misc);
	device_destroy(st_class, MKDEV(major, 0));
	class_destroy(st_class);
	unregister_chrdev(major, KBUILD_MODNAME);
}

module_init(st_init);
module_exit(st_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("From where operations of files are called");
