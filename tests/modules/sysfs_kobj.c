// SPDX-License-Identifier: GPL-2.0
/* Kernel objects of its own, with all kinds of attributes; the parameter "act" changes them. */
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

static struct kobject *made, *top, *below, *below_module;
static int number = 7;
static char text[32] = "text";

static ssize_t number_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", number);
}

static ssize_t number_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf, size_t count)
{
	int ret = kstrtoint(buf, 0, &number);

	return ret ? ret : count;
}

static ssize_t text_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sprintf(buf, "%s of %s\n", attr->attr.name, kobject_name(kobj));
}

static ssize_t text_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf, size_t count)
{
	pr_info("sysfs_kobj: %s: %zu bytes, strlen %zu\n", attr->attr.name, count, strlen(buf));
	strscpy(text, buf, sizeof(text));
	return count;
}

static ssize_t huge_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	memset(buf, 'x', PAGE_SIZE);
	return number;
}

static ssize_t ret_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf, size_t count)
{
	int ret = 0;

	if (kstrtoint(buf, 0, &ret))
		return -EINVAL;
	return ret;
}

static ssize_t empty_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return 0;
}

static ssize_t fails_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return -ENODATA;
}

static struct kobj_attribute number_attr = __ATTR_RW(number);
static struct kobj_attribute text_attr = __ATTR(text, 0664, text_show, text_store);
static struct kobj_attribute huge_attr = __ATTR_RO(huge);
static struct kobj_attribute ret_attr = __ATTR(ret, 0200, NULL, ret_store);
static struct kobj_attribute empty_attr = __ATTR_RO(empty);
static struct kobj_attribute fails_attr = __ATTR_RO(fails);
static struct kobj_attribute no_show_attr = __ATTR(no_show, 0644, NULL, text_store);
static struct kobj_attribute no_store_attr = __ATTR(no_store, 0644, text_show, NULL);
static struct kobj_attribute nothing_attr = __ATTR(nothing, 0000, text_show, text_store);
static struct kobj_attribute sometimes_attr = __ATTR(sometimes, 0644, text_show, text_store);
static struct kobj_attribute other_attr = __ATTR(other, 0600, text_show, text_store);

static char bytes[16] = "0123456789abcde";

static ssize_t bytes_read(struct file *f, struct kobject *kobj, struct bin_attribute *attr, char *buf, loff_t at,
			  size_t count)
{
	pr_info("sysfs_kobj: read %zu at %lld\n", count, at);
	memcpy(buf, bytes + at, count);
	return count;
}

static ssize_t bytes_write(struct file *f, struct kobject *kobj, struct bin_attribute *attr, char *buf, loff_t at,
			   size_t count)
{
	pr_info("sysfs_kobj: write %zu at %lld\n", count, at);
	memcpy(bytes + at, buf, count);
	return count;
}

static ssize_t endless_read(struct file *f, struct kobject *kobj, struct bin_attribute *attr, char *buf, loff_t at,
			    size_t count)
{
	pr_info("sysfs_kobj: endless %zu at %lld\n", count, at);
	if (at >= 10000)
		return 0;
	if (count > 10000 - at)
		count = 10000 - at;
	memset(buf, 'a' + at / 4096, count);
	return count;
}

static ssize_t endless_write(struct file *f, struct kobject *kobj, struct bin_attribute *attr, char *buf, loff_t at,
			     size_t count)
{
	pr_info("sysfs_kobj: endless write %zu at %lld\n", count, at);
	return at ? -ENOSPC : count;
}

static struct bin_attribute bytes_attr = __BIN_ATTR(bytes, 0644, bytes_read, bytes_write, 16);
static struct bin_attribute endless_attr = __BIN_ATTR(endless, 0600, endless_read, endless_write, 0);
static struct bin_attribute neither_attr = __BIN_ATTR(neither, 0644, NULL, NULL, 8);
static struct bin_attribute bytes_ro_attr = __BIN_ATTR(bytes_ro, 0644, bytes_read, NULL, 8);

static umode_t visible(struct kobject *kobj, struct attribute *attr, int n)
{
	pr_info("sysfs_kobj: visible %s %d\n", attr->name, n);
	if (attr == &sometimes_attr.attr)
		return number == 8 ? 0444 : 0;
	return attr->mode;
}

static struct attribute *attrs[] = {
	&number_attr.attr, &text_attr.attr, &huge_attr.attr, &ret_attr.attr, &empty_attr.attr,
	&fails_attr.attr, &no_show_attr.attr, &no_store_attr.attr, &nothing_attr.attr, NULL
};
static struct bin_attribute *bin_attrs[] = { &bytes_attr, &endless_attr, &neither_attr, &bytes_ro_attr, NULL };
static const struct attribute_group plain = { .attrs = attrs, .bin_attrs = bin_attrs };
static struct attribute *named_attrs[] = { &other_attr.attr, &sometimes_attr.attr, NULL };
static const struct attribute_group named = { .name = "named", .attrs = named_attrs, .is_visible = visible };

/* A type of its own: show, but no store. */
struct counter {
	struct kobject kobj;
	int count;
};

static ssize_t counter_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	struct counter *counter = container_of(kobj, struct counter, kobj);

	return sprintf(buf, "%s %d\n", attr->name, counter->count++);
}

static void counter_release(struct kobject *kobj)
{
	pr_info("sysfs_kobj: release %s\n", kobject_name(kobj));
	kfree(container_of(kobj, struct counter, kobj));
}

static struct attribute count_attr = { .name = "count", .mode = 0644 };
static struct attribute *counter_attrs[] = { &count_attr, NULL };
ATTRIBUTE_GROUPS(counter);
static const struct sysfs_ops counter_ops = { .show = counter_show };
static struct kobj_type counter_type = {
	.sysfs_ops = &counter_ops, .release = counter_release, .default_groups = counter_groups
};
static struct kobj_type opless_type = { .release = counter_release };
static struct kset *set;
static struct counter *counters[2];

static int act_set(const char *val, const struct kernel_param *kp)
{
	int ret = 0;
	char word[16];

	strscpy(word, val, sizeof(word));
	strim(word);
	if (!strcmp(word, "remove"))
		sysfs_remove_file(made, &number_attr.attr);
	else if (!strcmp(word, "create"))
		ret = sysfs_create_file(made, &number_attr.attr);
	else if (!strcmp(word, "chmod"))
		ret = sysfs_chmod_file(made, &number_attr.attr, 0400);
	else if (!strcmp(word, "update"))
		ret = sysfs_update_group(made, &named);
	else if (!strcmp(word, "ungroup"))
		sysfs_remove_group(made, &named);
	else if (!strcmp(word, "group"))
		ret = sysfs_create_group(made, &named);
	else if (!strcmp(word, "rename"))
		ret = kobject_rename(below, "renamed");
	else if (!strcmp(word, "move"))
		ret = kobject_move(below, top);
	else if (!strcmp(word, "link"))
		ret = sysfs_create_link(top, below, "to_below");
	else if (!strcmp(word, "unlink"))
		sysfs_remove_link(top, "to_below");
	else if (!strcmp(word, "twice"))
		ret = kobject_create_and_add("sysfs_kobj", kernel_kobj) ? 0 : -ENOMEM;
	else if (!strcmp(word, "merge"))
		ret = sysfs_add_file_to_group(made, &text_attr.attr, "named");
	else if (!strcmp(word, "module"))
		ret = sysfs_create_file(&THIS_MODULE->mkobj.kobj, &number_attr.attr);
	else if (!strcmp(word, "unmodule"))
		sysfs_remove_file(&THIS_MODULE->mkobj.kobj, &number_attr.attr);
	else if (!strcmp(word, "refcnt")) {
		static struct kobj_attribute refcnt_attr = __ATTR(refcnt, 0444, text_show, NULL);

		ret = sysfs_create_file(&THIS_MODULE->mkobj.kobj, &refcnt_attr.attr);
	} else if (!strcmp(word, "notify"))
		sysfs_notify(made, NULL, "number");
	else if (!strcmp(word, "opless")) {
		struct counter *c = kzalloc(sizeof(*c), GFP_KERNEL);

		ret = kobject_init_and_add(&c->kobj, &opless_type, top, "opless");
		if (!ret)
			ret = sysfs_create_file(&c->kobj, &count_attr);
		kobject_put(&c->kobj);
	} else
		ret = -EINVAL;
	pr_info("sysfs_kobj: %s: %d\n", word, ret);
	return ret;
}

static const struct kernel_param_ops act_ops = { .set = act_set };
module_param_cb(act, &act_ops, NULL, 0200);

static int __init start(void)
{
	int i;

	made = kobject_create_and_add("sysfs_kobj", kernel_kobj);
	if (!made || sysfs_create_group(made, &plain) || sysfs_create_group(made, &named))
		return -ENOMEM;
	top = kobject_create_and_add("sysfs_top", NULL);
	below = kobject_create_and_add("below", made);
	if (sysfs_create_link(top, made, "to_made") || sysfs_create_link(made, &THIS_MODULE->mkobj.kobj, "module") ||
	    sysfs_create_link(below, made, "up") || sysfs_create_file(below, &text_attr.attr))
		return -ENOMEM;
	set = kset_create_and_add("a_set", NULL, made);
	for (i = 0; i < 2; i++) {
		counters[i] = kzalloc(sizeof(*counters[i]), GFP_KERNEL);
		counters[i]->kobj.kset = set;
		if (kobject_init_and_add(&counters[i]->kobj, &counter_type, NULL, "counter/%d", i))
			return -ENOMEM;
	}
	below_module = kobject_create_and_add("below_module", &THIS_MODULE->mkobj.kobj);
	return below_module ? 0 : -ENOMEM;
}

static void __exit stop(void)
{
	kobject_put(below_module);
	kobject_put(&counters[1]->kobj);
	kobject_put(&counters[0]->kobj);
	kset_unregister(set);
	kobject_put(below);
	kobject_put(top);
	kobject_put(made);
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
