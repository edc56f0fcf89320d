// SPDX-License-Identifier: GPL-2.0
/* Probes of the returns of functions. */
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/slab.h>

noinline int returns_sum(int a, int b);
noinline int returns_sum(int a, int b)
{
	pr_info("kprobe: sum of %d and %d\n", a, b);
	return a + b;
}
noinline int returns_factorial(int n);
static int (*volatile again)(int n) = returns_factorial;
noinline int returns_factorial(int n)
{
	if (n < 2)
		return 1;
	return n * again(n - 1);
}

struct mine {
	int first, second;
};

static int entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct mine *mine = (struct mine *)ri->data;

	mine->first = get_kretprobe(ri)->kp.symbol_name[0] == 'k' ? 0 : regs->di;
	mine->second = ri == NULL ? 0 : (get_kretprobe(ri)->kp.symbol_name[8] == 'f' ? 0 : regs->si);
	pr_info("kprobe: entry %d, %d, ip +%lx, %s, returns to %pS\n", mine->first, mine->second,
		regs->ip - (unsigned long)get_kretprobe(ri)->kp.addr, current->comm, (void *)get_kretprobe_retaddr(ri));
	return mine->first == 99;
}
static int back(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct mine *mine = (struct mine *)ri->data;

	pr_info("kprobe: %s returned %ld of %d, %d; to %pS, ip %pS\n", get_kretprobe(ri)->kp.symbol_name,
		(long)regs_return_value(regs), mine->first, mine->second, (void *)get_kretprobe_retaddr(ri),
		(void *)regs->ip);
	return 0;
}
static int change(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	regs->ax = 4321;
	return 0;
}
static int trace(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	dump_stack();
	return 0;
}

static struct kretprobe sum = {
	.kp.symbol_name = "returns_sum", .handler = back, .entry_handler = entry, .data_size = sizeof(struct mine), .maxactive = 4,
};
static struct kretprobe factorial = {
	.kp.symbol_name = "returns_factorial", .handler = back, .entry_handler = entry, .data_size = sizeof(struct mine), .maxactive = 2,
};
static struct kretprobe parse = {
	.kp.symbol_name = "kstrtoint", .handler = back, .entry_handler = entry, .data_size = sizeof(struct mine),
};
static struct kretprobe changed = { .kp.symbol_name = "kstrtouint", .handler = change };
static struct kretprobe traced = { .kp.symbol_name = "returns_sum", .handler = trace };
static struct kretprobe plain = { .kp.symbol_name = "returns_sum", .handler = change };

static void refuse(const char *what, const char *symbol, void *addr, unsigned int offset, size_t size)
{
	struct kretprobe rp = { .kp.symbol_name = symbol, .kp.addr = addr, .kp.offset = offset, .handler = back, .data_size = size };
	int ret = register_kretprobe(&rp);

	pr_info("kprobe: %s: %d, maxactive %d\n", what, ret, rp.maxactive);
	if (!ret)
		unregister_kretprobe(&rp);
}

static int __init start(void)
{
	struct kretprobe *all[] = { &plain };
	int value = 0;

	refuse("neither", NULL, NULL, 0, 0);
	refuse("both", "kfree", start, 0, 0);
	refuse("unknown", "no_such_function", NULL, 0, 0);
	refuse("within", "kfree", NULL, 5, 0);
	refuse("large", "kfree", NULL, 0, 4097);
	refuse("as large as may be", "kfree", NULL, 0, 4096);
	refuse("address", NULL, kfree, 0, 0);
	refuse("own", NULL, returns_sum, 0, 0);
	refuse("own, within", NULL, returns_sum, 5, 0);
	refuse("schedule", "schedule", NULL, 0, 0);
	refuse("__switch_to", "__switch_to", NULL, 0, 0);
	refuse("kernel_clone", "kernel_clone", NULL, 0, 0);

	pr_info("kprobe: register %d, addr %pS, flags %x\n", register_kretprobe(&sum), sum.kp.addr, sum.kp.flags);
	pr_info("kprobe: sum %d\n", returns_sum(3, 4));
	pr_info("kprobe: sum %d\n", returns_sum(99, 4));
	pr_info("kprobe: again %d\n", register_kretprobe(&sum));
	pr_info("kprobe: factorial %d\n", register_kretprobe(&factorial));
	pr_info("kprobe: factorial %d\n", returns_factorial(5));
	pr_info("kprobe: missed %d, %d\n", factorial.nmissed, sum.nmissed);
	pr_info("kprobe: parse %d\n", register_kretprobe(&parse));
	pr_info("kprobe: kstrtoint %d\n", kstrtoint("x", 10, &value));
	pr_info("kprobe: change %d\n", register_kretprobe(&changed));
	pr_info("kprobe: kstrtouint %d\n", kstrtouint("12", 10, &value));
	pr_info("kprobe: disable %d\n", disable_kretprobe(&sum));
	pr_info("kprobe: sum %d\n", returns_sum(5, 6));
	pr_info("kprobe: enable %d\n", enable_kretprobe(&sum));
	pr_info("kprobe: sum %d\n", returns_sum(7, 8));
	unregister_kretprobe(&sum);
	unregister_kretprobe(&changed);
	unregister_kretprobe(&parse);
	unregister_kretprobe(&factorial);
	pr_info("kprobe: sum %d\n", returns_sum(9, 10));
	pr_info("kprobe: kstrtouint %d\n", kstrtouint("12", 10, &value));
	pr_info("kprobe: several %d\n", register_kretprobes(all, 1));
	pr_info("kprobe: sum %d\n", returns_sum(11, 12));
	unregister_kretprobes(all, 1);
	pr_info("kprobe: none %d\n", register_kretprobes(all, 0));
	pr_info("kprobe: trace %d\n", register_kretprobe(&traced));
	pr_info("kprobe: sum %d\n", returns_sum(13, 14));
	unregister_kretprobe(&traced);
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
