// SPDX-License-Identifier: GPL-2.0
/* Where the kernel calls functions of files of /proc, debugfs and sysfs from: each prints its own backtrace. */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

static noinline void here(const char *what)
{
	pr_info("stacks: %s\n", what);
	dump_stack();
}

static int open(struct inode *inode, struct file *file)
{
	here("open");
	return 0;
}
static ssize_t read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	here("read");
	return 0;
}
static ssize_t write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	here("write");
	return count;
}
static loff_t llseek(struct file *file, loff_t offset, int whence)
{
	here("llseek");
	return 5;
}
static int release(struct inode *inode, struct file *file)
{
	here("release");
	return 0;
}
static long ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	here("ioctl");
	return 0;
}
static __poll_t poll(struct file *file, struct poll_table_struct *wait)
{
	here("poll");
	return EPOLLIN;
}
static int show(struct seq_file *m, void *v)
{
	here("show");
	seq_puts(m, "x\n");
	return 0;
}
static int single(struct inode *inode, struct file *file)
{
	return single_open(file, show, NULL);
}
static void *start_it(struct seq_file *m, loff_t *pos)
{
	here("start");
	return *pos ? NULL : pos;
}
static void *next_it(struct seq_file *m, void *v, loff_t *pos)
{
	here("next");
	++*pos;
	return NULL;
}
static void stop_it(struct seq_file *m, void *v)
{
	here("stop");
}
static const struct seq_operations it = { .start = start_it, .next = next_it, .stop = stop_it, .show = show };
static int it_open(struct inode *inode, struct file *file)
{
	return seq_open(file, &it);
}

static const struct proc_ops proc_plain = {
	.proc_open = open, .proc_read = read, .proc_write = write, .proc_lseek = llseek, .proc_release = release,
	.proc_ioctl = ioctl, .proc_poll = poll,
};
static const struct proc_ops proc_single = {
	.proc_open = single, .proc_read = seq_read, .proc_lseek = seq_lseek, .proc_release = single_release,
};
static const struct proc_ops proc_it = {
	.proc_open = it_open, .proc_read = seq_read, .proc_lseek = seq_lseek, .proc_release = seq_release,
};
static const struct file_operations debug_plain = {
	.owner = THIS_MODULE, .open = open, .read = read, .write = write, .llseek = llseek, .release = release,
	.unlocked_ioctl = ioctl, .poll = poll,
};
static const struct file_operations debug_single = {
	.owner = THIS_MODULE, .open = single, .read = seq_read, .llseek = seq_lseek, .release = single_release,
};

static int get(void *data, u64 *val)
{
	here("get");
	return 0;
}
static int set(void *data, u64 val)
{
	here("set");
	return 0;
}
DEFINE_SIMPLE_ATTRIBUTE(number_fops, get, set, "%llu\n");
DEFINE_DEBUGFS_ATTRIBUTE(attribute_fops, get, set, "%llu\n");

/* sysfs */
static ssize_t kobj_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	here("show");
	return 0;
}
static ssize_t kobj_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf, size_t count)
{
	here("store");
	return count;
}
static ssize_t own_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	here("show");
	return 0;
}
static ssize_t own_store(struct kobject *kobj, struct attribute *attr, const char *buf, size_t count)
{
	here("store");
	return count;
}
static ssize_t dev_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	here("show");
	return 0;
}
static ssize_t dev_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	here("store");
	return count;
}
static ssize_t class_show(struct class *class, struct class_attribute *attr, char *buf)
{
	here("show");
	return 0;
}
static ssize_t class_store(struct class *class, struct class_attribute *attr, const char *buf, size_t count)
{
	here("store");
	return count;
}
static ssize_t bus_show(struct bus_type *bus, char *buf)
{
	here("show");
	return 0;
}
static ssize_t bus_store(struct bus_type *bus, const char *buf, size_t count)
{
	here("store");
	return count;
}
static ssize_t drv_show(struct device_driver *drv, char *buf)
{
	here("show");
	return 0;
}
static ssize_t drv_store(struct device_driver *drv, const char *buf, size_t count)
{
	here("store");
	return count;
}
static ssize_t bin_read(struct file *f, struct kobject *kobj, struct bin_attribute *attr, char *buf, loff_t at, size_t count)
{
	here("read");
	return 0;
}
static ssize_t bin_write(struct file *f, struct kobject *kobj, struct bin_attribute *attr, char *buf, loff_t at, size_t count)
{
	here("write");
	return count;
}
static struct kobj_attribute kobj_attr = __ATTR(kobj, 0644, kobj_show, kobj_store);
static struct device_attribute dev_attr = __ATTR(dev_attr, 0644, dev_show, dev_store);
static struct class_attribute class_attr = __ATTR(class_attr, 0644, class_show, class_store);
static struct bus_attribute bus_attr = __ATTR(bus_attr, 0644, bus_show, bus_store);
static struct driver_attribute drv_attr = __ATTR(drv_attr, 0644, drv_show, drv_store);
static struct attribute own_attr = { .name = "own_attr", .mode = 0644 };
static struct bin_attribute bin_attr = __BIN_ATTR(bin, 0644, bin_read, bin_write, 0);
static const struct sysfs_ops own_ops = { .show = own_show, .store = own_store };

static void own_release(struct kobject *kobj)
{
	here("release");
}
static struct kobj_type own_type = { .sysfs_ops = &own_ops, .release = own_release };
static struct kobject own, *made;
static struct class *class;
static struct device *dev;

static int probe(struct device *dev)
{
	here("probe");
	return 0;
}
static int remove(struct device *dev)
{
	here("remove");
	return 0;
}
static int match(struct device *dev, struct device_driver *drv)
{
	here("match");
	return 1;
}
static struct bus_type bus = { .name = "stacks_bus", .match = match };
static struct device_driver driver = { .name = "stacks", .bus = &bus, .probe = probe, .remove = remove };
static void dev_release(struct device *dev)
{
	here("dev_release");
}
static struct device on_bus = { .init_name = "stacks0", .bus = &bus, .release = dev_release };
static struct dentry *debug;
static struct proc_dir_entry *dir;

static int __init start(void)
{
	dir = proc_mkdir("stacks", NULL);
	proc_create("plain", 0666, dir, &proc_plain);
	proc_create("single", 0, dir, &proc_single);
	proc_create("it", 0, dir, &proc_it);
	proc_create_single("own_single", 0, dir, show);
	proc_create_seq("own_it", 0, dir, &it);
	debug = debugfs_create_dir("stacks", NULL);
	debugfs_create_file("plain", 0666, debug, NULL, &debug_plain);
	debugfs_create_file_unsafe("unsafe", 0666, debug, NULL, &debug_plain);
	debugfs_create_file("single", 0444, debug, NULL, &debug_single);
	debugfs_create_file("simple", 0644, debug, NULL, &number_fops);
	debugfs_create_file_unsafe("attribute", 0644, debug, NULL, &attribute_fops);
	made = kobject_create_and_add("stacks", kernel_kobj);
	class = class_create(THIS_MODULE, "stacks");
	dev = device_create(class, NULL, 0, NULL, "stacks");
	if (sysfs_create_file(made, &kobj_attr.attr) || sysfs_create_bin_file(made, &bin_attr) ||
	    kobject_init_and_add(&own, &own_type, made, "own") || sysfs_create_file(&own, &own_attr) ||
	    class_create_file(class, &class_attr) || device_create_file(dev, &dev_attr) || bus_register(&bus) ||
	    bus_create_file(&bus, &bus_attr) || driver_register(&driver) || driver_create_file(&driver, &drv_attr) ||
	    device_register(&on_bus))
		return -ENOMEM;
	return 0;
}

static void __exit stop(void)
{
	device_unregister(&on_bus);
	driver_unregister(&driver);
	bus_unregister(&bus);
	device_unregister(dev);
	class_destroy(class);
	kobject_put(&own);
	kobject_put(made);
	debugfs_remove_recursive(debug);
	proc_remove(dir);
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
