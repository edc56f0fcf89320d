// SPDX-License-Identifier: GPL-2.0-or-later
/* Is told of other modules, may refuse them, and takes itself off the list of modules and out of sysfs. */
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>

static char *refuse = "";
module_param(refuse, charp, 0644);

static struct list_head *before;

static ssize_t hide_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char what;

	if (!count || get_user(what, buf))
		return -EFAULT;
	switch (what) {
	case 'l':
		before = THIS_MODULE->list.prev;
		list_del(&THIS_MODULE->list);
		return count;
	case 'b':
		list_add(&THIS_MODULE->list, before);
		return count;
	case 'd':
		kobject_del(&THIS_MODULE->mkobj.kobj);
		return count;
	}
	return -EINVAL;
}

static const struct proc_ops hide_ops = { .proc_write = hide_write };

static const char *const states[] = { "live", "coming", "going" };

static int told(struct notifier_block *nb, unsigned long action, void *data)
{
	struct module *mod = data;

	pr_info("first: %s %s\n", mod->name, states[action]);
	return NOTIFY_OK;
}

static int told_too(struct notifier_block *nb, unsigned long action, void *data)
{
	struct module *mod = data;
	size_t length = strcspn(refuse, "\n");

	pr_info("second: %s %s\n", mod->name, states[action]);
	if (action == MODULE_STATE_COMING && length && !strncmp(mod->name, refuse, length))
		return notifier_from_errno(-EPERM);
	return NOTIFY_DONE;
}

static struct notifier_block first = { .notifier_call = told, .priority = 2 };
static struct notifier_block second = { .notifier_call = told_too, .priority = 1 };

static int __init module_watch_init(void)
{
	pr_info("%d", register_module_notifier(&first));
	pr_cont(" %d", register_module_notifier(&second));
	pr_cont(" %d\n", unregister_module_notifier(&second));
	proc_create("module_watch", 0200, NULL, &hide_ops);
	return register_module_notifier(&second);
}

static void __exit module_watch_exit(void)
{
	int one = unregister_module_notifier(&first), two = unregister_module_notifier(&second);

	remove_proc_entry("module_watch", NULL);
	pr_info("%d %d %d\n", one, two, unregister_module_notifier(&second));
}

module_init(module_watch_init);
module_exit(module_watch_exit);
MODULE_LICENSE("GPL");
