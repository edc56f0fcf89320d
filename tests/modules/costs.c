// SPDX-License-Identifier: GPL-2.0
/* What calls between a module and the kernel cost: loops over exported functions, and a parameter with its own operations. */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#define COST(name, n, what) do { \
	ktime_t from = ktime_get(); \
	int i; \
	for (i = 0; i < (n); i++) { \
		what; \
	} \
	pr_info("costs: %s: %lld ns\n", name, ktime_to_ns(ktime_sub(ktime_get(), from)) / max(1, n)); \
} while (0)

static int n;
module_param(n, int, 0444);
static int plain = 5;
module_param(plain, int, 0644);

static int get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%d\n", *(int *)kp->arg);
}

static int set(const char *value, const struct kernel_param *kp)
{
	return kstrtoint(value, 0, kp->arg);
}

static const struct kernel_param_ops own_ops = { .set = set, .get = get };
static int own = 5;
module_param_cb(own, &own_ops, &own, 0644);

static DEFINE_SPINLOCK(lock);
static volatile unsigned int sum;

static noinline unsigned int add(unsigned int i)
{
	return sum += i;
}

static int __init start(void)
{
	if (!n)
		return 0;
	COST("a function of the module's own", n * 100, add(i));
	COST("jiffies_to_msecs", n, sum += jiffies_to_msecs(i));
	COST("spin_lock and spin_unlock", n, spin_lock(&lock); spin_unlock(&lock));
	COST("kmalloc and kfree", n / 10, kfree(kmalloc(100, GFP_KERNEL)));
	COST("printk", n / 100, pr_info("costs: number %d of %s\n", i, "many"));
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
