// SPDX-License-Identifier: GPL-2.0
// Registers things twice and says what it is told; what=N picks which.
#include <linux/cdev.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/proc_fs.h>

static bool twice;
module_param(twice, bool, 0444);

static int reg_match(struct device *dev, struct device_driver *drv)
{
	return 1;
}

static int reg_bus_probe(struct device *dev)
{
	pr_info("reg: bus probes %s\n", dev_name(dev));
	return 0;
}

static void reg_bus_remove(struct device *dev)
{
	pr_info("reg: bus removes %s\n", dev_name(dev));
}

static struct bus_type reg_bus = {
	.name = "regbus", .match = reg_match, .probe = reg_bus_probe, .remove = reg_bus_remove,
};

static struct device_driver reg_driver = { .name = "regdrv", .bus = &reg_bus, .owner = THIS_MODULE };
static struct device_driver reg_other = { .name = "regdrv", .bus = &reg_bus, .owner = THIS_MODULE };

static void reg_release(struct device *dev)
{
	pr_info("reg: %s released\n", dev_name(dev));
}

static struct device reg_device = { .init_name = "reg0", .bus = &reg_bus, .release = reg_release };

static int reg_probe(struct platform_device *pdev)
{
	pr_info("reg: platform probes %s %d\n", pdev->name, pdev->id);
	return pdev->id == 7 ? -EIO : 0;
}

static int reg_remove(struct platform_device *pdev)
{
	pr_info("reg: platform removes %d\n", pdev->id);
	return 0;
}

static struct platform_driver reg_platform = {
	.probe = reg_probe, .remove = reg_remove, .driver = { .name = "regplat" },
};

static const struct file_operations reg_fops = { .owner = THIS_MODULE };
static struct miscdevice reg_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = "regmisc", .nodename = "reg/misc", .mode = 0640, .fops = &reg_fops,
};
static const struct proc_ops reg_proc_ops;

static struct platform_device *devices[2];
static struct class *cls;
static struct proc_dir_entry *proc_dir;
static struct dentry *debug_dir;
static dev_t devt;

static int __init reg_init(void)
{
	struct device *dev;

	pr_info("reg: bus %d\n", bus_register(&reg_bus));
	pr_info("reg: device %d\n", device_register(&reg_device));
	pr_info("reg: driver %d\n", driver_register(&reg_driver));
	if (twice)
		pr_info("reg: driver again %d\n", driver_register(&reg_other));

	pr_info("reg: platform driver %d\n", platform_driver_register(&reg_platform));
	devices[0] = platform_device_register_simple("regplat", 3, NULL, 0);
	devices[1] = platform_device_register_simple("regplat", 7, NULL, 0);
	if (twice)
		pr_info("reg: device again %ld\n", PTR_ERR(platform_device_register_simple("regplat", 3, NULL, 0)));

	pr_info("reg: region %d\n", alloc_chrdev_region(&devt, 2, 3, "regchar"));
	pr_info("reg: %d:%d\n", MAJOR(devt), MINOR(devt));
	if (twice)
		pr_info("reg: region again %d\n", register_chrdev_region(devt, 1, "regchar"));
	cls = class_create(THIS_MODULE, "regclass");
	dev = device_create(cls, NULL, devt, NULL, "reg!%d", MINOR(devt));
	pr_info("reg: class device %s\n", dev_name(dev));
	if (twice)
		pr_info("reg: class again %ld\n", PTR_ERR(class_create(THIS_MODULE, "regclass")));

	pr_info("reg: misc %d\n", misc_register(&reg_misc));
	pr_info("reg: minor %d\n", reg_misc.minor);

	proc_dir = proc_mkdir("reg", NULL);
	pr_info("reg: proc %d\n", proc_create("reg/file", 0, NULL, &reg_proc_ops) != NULL);
	debug_dir = debugfs_create_dir("reg", NULL);
	if (twice) {
		pr_info("reg: proc again %d\n", proc_create("file", 0, proc_dir, &reg_proc_ops) != NULL);
		pr_info("reg: debugfs again %ld\n", PTR_ERR(debugfs_create_dir("reg", NULL)));
	}
	return 0;
}

static void __exit reg_exit(void)
{
	debugfs_remove(debug_dir);
	proc_remove(proc_dir);
	misc_deregister(&reg_misc);
	device_destroy(cls, devt);
	class_destroy(cls);
	unregister_chrdev_region(devt, 3);
	platform_device_unregister(devices[0]);
	platform_device_unregister(devices[1]);
	platform_driver_unregister(&reg_platform);
	driver_unregister(&reg_driver);
	device_unregister(&reg_device);
	bus_unregister(&reg_bus);
}

module_init(reg_init);
module_exit(reg_exit);
MODULE_LICENSE("GPL");
