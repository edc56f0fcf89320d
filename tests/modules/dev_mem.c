// SPDX-License-Identifier: GPL-2.0
/* Two character devices over a page of memory, one of which only one may have open at a time. */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define DEV_MEM_CLEAR _IO('m', 1)
#define DEV_MEM_SIZE _IOR('m', 2, int)
#define DEV_MEM_FILL _IOW('m', 3, char)
#define DEV_MEM_SWAP _IOWR('m', 4, long)
#define DEV_MEM_ADD _IO('m', 5)
#define DEV_MEM_REVERSE _IO('m', 6)
#define DEV_MEM_NEXT _IOR('m', 7, int *)
#define DEV_MEM_COUNT 2
#define DEV_MEM_BYTES 256

struct dev_mem {
	struct cdev cdev;
	struct mutex lock;
	int opened;
	char data[DEV_MEM_BYTES];
};

static struct dev_mem devices[DEV_MEM_COUNT];
static struct class *dev_mem_class;
static dev_t first;

static int dev_mem_open(struct inode *inode, struct file *file)
{
	struct dev_mem *dev = container_of(inode->i_cdev, struct dev_mem, cdev);

	if (iminor(inode) == 1 && dev->opened)
		return -EBUSY;
	dev->opened++;
	file->private_data = dev;
	pr_info("%s: open %pD %d:%d flags %o mode %x pos %lld by %s\n", KBUILD_MODNAME, file, imajor(inode), iminor(inode),
		file->f_flags, file->f_mode & 3, file->f_pos, current->comm);
	return 0;
}

static int dev_mem_release(struct inode *inode, struct file *file)
{
	struct dev_mem *dev = file->private_data;

	dev->opened--;
	pr_info("%s: release %pD\n", KBUILD_MODNAME, file);
	return 0;
}

static int dev_mem_flush(struct file *file, fl_owner_t id)
{
	pr_info("%s: flush %pD\n", KBUILD_MODNAME, file);
	return 0;
}

static int dev_mem_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	pr_info("%s: fsync %lld..%lld%s\n", KBUILD_MODNAME, start, end, datasync ? " of the data" : "");
	return datasync ? -EIO : 0;
}

static ssize_t dev_mem_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct dev_mem *dev = file->private_data;
	ssize_t ret;

	if (mutex_lock_interruptible(&dev->lock))
		return -ERESTARTSYS;
	ret = simple_read_from_buffer(buf, count, pos, dev->data, DEV_MEM_BYTES);
	mutex_unlock(&dev->lock);
	return ret;
}

static ssize_t dev_mem_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	struct dev_mem *dev = file->private_data;
	ssize_t ret;

	if (*pos >= DEV_MEM_BYTES)
		return -ENOSPC;
	if (mutex_lock_interruptible(&dev->lock))
		return -ERESTARTSYS;
	ret = simple_write_to_buffer(dev->data, DEV_MEM_BYTES, pos, buf, count);
	mutex_unlock(&dev->lock);
	return ret;
}

static loff_t dev_mem_llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence, DEV_MEM_BYTES);
}

static long dev_mem_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct dev_mem *dev = file->private_data;
	char byte, text[16];
	long number;
	int next, i;

	switch (cmd) {
	case DEV_MEM_CLEAR:
		memset(dev->data, 0, DEV_MEM_BYTES);
		return 0;
	case DEV_MEM_SIZE:
		return put_user(DEV_MEM_BYTES, (int __user *)arg);
	case DEV_MEM_FILL:
		if (get_user(byte, (char __user *)arg))
			return -EFAULT;
		memset(dev->data, byte, DEV_MEM_BYTES);
		return 0;
	case DEV_MEM_SWAP:
		if (copy_from_user(&number, (void __user *)arg, sizeof(number)))
			return -EFAULT;
		number = ~number;
		if (copy_to_user((void __user *)arg, &number, sizeof(number)))
			return -EFAULT;
		return 7;
	case DEV_MEM_ADD:
		return arg + 1;
	case DEV_MEM_REVERSE: /* a string that nobody knows the size of */
		number = strncpy_from_user(text, (char __user *)arg, sizeof(text));
		for (i = 0; i < number / 2; i++)
			swap(text[i], text[number - 1 - i]);
		if (number > 0 && copy_to_user((char __user *)arg, text, number))
			return -EFAULT;
		return number;
	case DEV_MEM_NEXT: /* the wrong way, and the wrong size, as is easily written */
		if (get_user(next, (int __user *)arg) || put_user(next + 1, (int __user *)arg))
			return -EFAULT;
		return next;
	}
	return -ENOTTY;
}

static const struct file_operations dev_mem_fops = {
	.owner = THIS_MODULE,
	.open = dev_mem_open,
	.release = dev_mem_release,
	.flush = dev_mem_flush,
	.fsync = dev_mem_fsync,
	.read = dev_mem_read,
	.write = dev_mem_write,
	.llseek = dev_mem_llseek,
	.unlocked_ioctl = dev_mem_ioctl,
};

static char *dev_mem_devnode(struct device *dev, umode_t *mode)
{
	if (mode)
		*mode = MINOR(dev->devt) ? 0640 : 0666;
	return MINOR(dev->devt) ? kstrdup("dev_mem_dir/alone", GFP_KERNEL) : NULL;
}

static int __init dev_mem_init(void)
{
	int i, ret = alloc_chrdev_region(&first, 0, DEV_MEM_COUNT, KBUILD_MODNAME);

	if (ret)
		return ret;
	dev_mem_class = class_create(THIS_MODULE, KBUILD_MODNAME);
	if (IS_ERR(dev_mem_class)) {
		unregister_chrdev_region(first, DEV_MEM_COUNT);
		return PTR_ERR(dev_mem_class);
	}
	dev_mem_class->devnode = dev_mem_devnode;
	for (i = 0; i < DEV_MEM_COUNT; i++) {
		mutex_init(&devices[i].lock);
		cdev_init(&devices[i].cdev, &dev_mem_fops);
		devices[i].cdev.owner = THIS_MODULE;
		ret = cdev_add(&devices[i].cdev, first + i, 1);
		if (!ret)
			device_create(dev_mem_class, NULL, first + i, NULL, i ? "dev_mem%d" : "dev_mem", i);
	}
	return 0;
}

static void __exit dev_mem_exit(void)
{
	int i;

	for (i = 0; i < DEV_MEM_COUNT; i++) {
		device_destroy(dev_mem_class, first + i);
		cdev_del(&devices[i].cdev);
	}
	class_destroy(dev_mem_class);
	unregister_chrdev_region(first, DEV_MEM_COUNT);
}

module_init(dev_mem_init);
module_exit(dev_mem_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Memory as devices");
