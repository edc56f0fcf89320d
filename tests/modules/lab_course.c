// SPDX-License-Identifier: GPL-2.0
/* What a course on modules shows: levels of printk, parameters and arrays of them, and the reference count. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/stat.h>

static int number = 42;
module_param(number, int, S_IRUGO | S_IWUSR);
MODULE_PARM_DESC(number, "A number");
static char *word = "nothing";
module_param(word, charp, S_IRUGO);
MODULE_PARM_DESC(word, "A word");
static int list[4] = { 1, 2 };
static int length = 2;
module_param_array(list, int, &length, S_IRUSR | S_IWUSR);
MODULE_PARM_DESC(list, "Up to four numbers");
static short secret = 7;
module_param(secret, short, 0);
MODULE_PARM_DESC(secret, "Not in sysfs");
static bool lock;

static int lock_set(const char *value, const struct kernel_param *param)
{
	bool before = lock;
	int error = param_set_bool(value, param);

	if (error || lock == before)
		return error;
	if (lock && !try_module_get(THIS_MODULE)) {
		lock = false;
		return -EBUSY;
	}
	if (!lock)
		module_put(THIS_MODULE);
	pr_notice("lab_course: %s, count %d\n", lock ? "locked" : "unlocked", module_refcount(THIS_MODULE));
	return 0;
}

static const struct kernel_param_ops lock_ops = {
	.set = lock_set,
	.get = param_get_bool,
};
module_param_cb(lock, &lock_ops, &lock, S_IRUGO | S_IWUSR);
MODULE_PARM_DESC(lock, "Hold a reference");

static int __init my_module_init(void)
{
	int i;

	printk(KERN_EMERG "lab_course: emerg\n");
	printk(KERN_ALERT "lab_course: alert\n");
	printk(KERN_CRIT "lab_course: crit\n");
	printk(KERN_ERR "lab_course: err\n");
	printk(KERN_WARNING "lab_course: warning\n");
	printk(KERN_NOTICE "lab_course: notice\n");
	printk(KERN_INFO "lab_course: info\n");
	printk(KERN_DEBUG "lab_course: debug\n");
	printk("lab_course: default\n");
	pr_info("lab_course: number=%d word=%s secret=%d\n", number, word, secret);
	for (i = 0; i < length; i++)
		pr_info("lab_course: list[%d]=%d\n", i, list[i]);
	return 0;
}

static void __exit my_module_cleanup(void)
{
	pr_info("lab_course: number=%d list[0]=%d of %d\n", number, list[0], length);
}

module_init(my_module_init);
module_exit(my_module_cleanup);
MODULE_LICENSE("GPL");
MODULE_AUTHOR("Author <me@example.com>");
MODULE_DESCRIPTION("My Fancy Module");
