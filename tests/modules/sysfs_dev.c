// SPDX-License-Identifier: GPL-2.0
/* A class, a bus, their devices and drivers, platform devices, a root device, a misc device; "act" changes them. */
#include <linux/device.h>
#include <linux/init.h>
#include <linux/kdev_t.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#define NUMBER MKDEV(240, 5)

static int level = 3;

/* A class */

static ssize_t version_show(struct class *class, struct class_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s of %s\n", attr->attr.name, class->name);
}

static ssize_t version_store(struct class *class, struct class_attribute *attr, const char *buf, size_t count)
{
	pr_info("sysfs_dev: version %.*s\n", (int)count - 1, buf);
	return count;
}
static CLASS_ATTR_RW(version);
static struct class_attribute class_silent = __ATTR(silent, 0644, NULL, NULL);

static ssize_t level_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s %d\n", dev_name(dev), level);
}

static ssize_t level_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	int ret = kstrtoint(buf, 10, &level);

	dev_info(dev, "level %d\n", level);
	return ret ? ret : count;
}
static DEVICE_ATTR_RW(level);
static DEVICE_ATTR(extra, 0444, level_show, NULL);
static DEVICE_INT_ATTR(an_int, 0644, level);
static ssize_t too_long_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return 5000;
}
static DEVICE_ATTR_RO(too_long);

static struct attribute *dev_attrs[] = { &dev_attr_level.attr, &dev_attr_an_int.attr.attr, &dev_attr_too_long.attr, NULL };
ATTRIBUTE_GROUPS(dev);

static int class_uevent(struct device *dev, struct kobj_uevent_env *env)
{
	return add_uevent_var(env, "LEVEL=%d", level);
}

static char *class_devnode(struct device *dev, umode_t *mode)
{
	if (mode)
		*mode = 0640;
	return kasprintf(GFP_KERNEL, "sysfs_dev/%s", dev_name(dev));
}

static struct class *class;
static struct device *first, *second, *child, *root;

/* A bus */

static int bus_match(struct device *dev, struct device_driver *drv)
{
	return !strncmp(dev_name(dev), drv->name, strlen(drv->name));
}

static ssize_t count_show(struct bus_type *bus, char *buf)
{
	return sysfs_emit(buf, "%s\n", bus->name);
}
static BUS_ATTR_RO(count);
static struct attribute *bus_attrs[] = { &bus_attr_count.attr, NULL };
ATTRIBUTE_GROUPS(bus);
static struct bus_type bus = { .name = "sysfs_bus", .match = bus_match, .bus_groups = bus_groups };

static int probe(struct device *dev)
{
	dev_info(dev, "probe\n");
	return level == 9 ? -EINVAL : 0;
}

static int remove(struct device *dev)
{
	dev_info(dev, "remove\n");
	return 0;
}

static ssize_t note_show(struct device_driver *drv, char *buf)
{
	return sysfs_emit(buf, "%s\n", drv->name);
}

static ssize_t note_store(struct device_driver *drv, const char *buf, size_t count)
{
	pr_info("sysfs_dev: note %zu\n", count);
	return count;
}
static DRIVER_ATTR_RW(note);
static struct attribute *drv_attrs[] = { &driver_attr_note.attr, NULL };
ATTRIBUTE_GROUPS(drv);
static struct attribute *bound_attrs[] = { &dev_attr_extra.attr, NULL };
ATTRIBUTE_GROUPS(bound);
static struct device_driver driver = {
	.name = "thing", .bus = &bus, .owner = THIS_MODULE, .probe = probe, .remove = remove,
	.groups = drv_groups, .dev_groups = bound_groups,
};

static void released(struct device *dev)
{
	pr_info("sysfs_dev: released %s\n", dev_name(dev));
}

static struct device on_bus[2] = {
	{ .init_name = "thing0", .bus = &bus, .release = released },
	{ .init_name = "other0", .bus = &bus, .release = released },
};

/* On the platform */

static int pprobe(struct platform_device *pdev)
{
	dev_info(&pdev->dev, "probe\n");
	return 0;
}

static int premove(struct platform_device *pdev)
{
	dev_info(&pdev->dev, "remove\n");
	return 0;
}
static struct platform_driver pdriver = { .probe = pprobe, .remove = premove, .driver.name = "sysfs_plat" };
static struct platform_device *pdevs[2];
static struct miscdevice misc = { .minor = 77, .name = "sysfs_misc", .groups = dev_groups, .mode = 0620 };

static int act_set(const char *val, const struct kernel_param *kp)
{
	int ret = 0;
	char word[16];

	strscpy(word, val, sizeof(word));
	strim(word);
	if (!strcmp(word, "extra"))
		ret = device_create_file(second, &dev_attr_extra);
	else if (!strcmp(word, "unextra"))
		device_remove_file(second, &dev_attr_extra);
	else if (!strcmp(word, "rename"))
		ret = device_rename(second, "deuxieme");
	else if (!strcmp(word, "destroy"))
		device_destroy(class, NUMBER + 1);
	else if (!strcmp(word, "twice"))
		ret = PTR_ERR_OR_ZERO(device_create(class, NULL, NUMBER + 7, NULL, "first"));
	else if (!strcmp(word, "class"))
		ret = PTR_ERR_OR_ZERO(class_create(THIS_MODULE, "sysfs_class"));
	else if (!strcmp(word, "misc_class"))
		ret = PTR_ERR_OR_ZERO(class_create(THIS_MODULE, "misc"));
	else
		ret = -EINVAL;
	pr_info("sysfs_dev: %s: %d\n", word, ret);
	return ret;
}
static const struct kernel_param_ops act_ops = { .set = act_set };
module_param_cb(act, &act_ops, NULL, 0200);

static int __init start(void)
{
	class = class_create(THIS_MODULE, "sysfs_class");
	class->dev_uevent = class_uevent;
	class->devnode = class_devnode;
	if (class_create_file(class, &class_attr_version) || class_create_file(class, &class_silent))
		return -ENOMEM;
	first = device_create_with_groups(class, NULL, NUMBER, NULL, dev_groups, "first");
	second = device_create(class, NULL, NUMBER + 1, NULL, "se/cond%d", 2);
	child = device_create(class, first, 0, NULL, "child");
	root = root_device_register("sysfs_root");
	if (IS_ERR(child) || device_create_file(root, &dev_attr_extra))
		return -ENOMEM;
	if (!device_create(class, root, NUMBER + 3, NULL, "on_root"))
		return -ENOMEM;
	if (bus_register(&bus) || device_register(&on_bus[0]) || driver_register(&driver) || device_register(&on_bus[1]))
		return -ENOMEM;
	pdevs[0] = platform_device_register_simple("sysfs_plat", -1, NULL, 0);
	pdevs[1] = platform_device_register_simple("sysfs_plat", 4, NULL, 0);
	if (platform_driver_register(&pdriver))
		return -ENOMEM;
	return misc_register(&misc);
}

static void __exit stop(void)
{
	misc_deregister(&misc);
	platform_driver_unregister(&pdriver);
	platform_device_unregister(pdevs[1]);
	platform_device_unregister(pdevs[0]);
	device_unregister(&on_bus[1]);
	driver_unregister(&driver);
	device_unregister(&on_bus[0]);
	bus_unregister(&bus);
	device_destroy(class, NUMBER + 3);
	root_device_unregister(root);
	device_unregister(child);
	device_destroy(class, NUMBER + 1);
	device_destroy(class, NUMBER);
	class_remove_file(class, &class_silent);
	class_remove_file(class, &class_attr_version);
	class_destroy(class);
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
