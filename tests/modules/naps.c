// SPDX-License-Identifier: GPL-2.0
/* Parameters whose writes take their time: asleep, interruptibly or not, or awake. */
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/wait.h>

static DECLARE_WAIT_QUEUE_HEAD(queue);
static int left;
module_param(left, int, 0444);
static int flag;

static int nap(const char *value, const struct kernel_param *kp)
{
	unsigned int ms;
	int ret = kstrtouint(value, 0, &ms);

	if (ret)
		return ret;
	pr_info("naps: asleep\n");
	msleep(ms);
	pr_info("naps: awake\n");
	return 0;
}

static int doze(const char *value, const struct kernel_param *kp)
{
	unsigned int ms;
	int ret = kstrtouint(value, 0, &ms);

	if (ret)
		return ret;
	pr_info("naps: dozing\n");
	left = msleep_interruptible(ms);
	pr_info("naps: %s\n", left ? "woken early" : "dozed to the end");
	return left ? -EINTR : 0;
}

static int await(const char *value, const struct kernel_param *kp)
{
	int ret;

	pr_info("naps: waiting\n");
	ret = wait_event_interruptible(queue, flag);
	pr_info("naps: waited, %d\n", ret);
	return ret;
}

static int spin(const char *value, const struct kernel_param *kp)
{
	unsigned int ms;
	unsigned long end;
	int ret = kstrtouint(value, 0, &ms);

	if (ret)
		return ret;
	pr_info("naps: spinning\n");
	end = jiffies + msecs_to_jiffies(ms);
	while (time_before(jiffies, end))
		cpu_relax();
	pr_info("naps: spun\n");
	return 0;
}

static int wake(const char *value, const struct kernel_param *kp)
{
	flag = 1;
	wake_up(&queue);
	return 0;
}

#define PARAM(name) \
	static const struct kernel_param_ops name##_ops = { .set = name }; \
	module_param_cb(name, &name##_ops, NULL, 0200)
PARAM(nap);
PARAM(doze);
PARAM(await);
PARAM(spin);
PARAM(wake);

static int __init start(void)
{
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
