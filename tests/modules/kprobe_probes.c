// SPDX-License-Identifier: GPL-2.0
/* Probes of functions of the kernel and of this module, and what is refused. */
#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/delay.h>
#include <linux/slab.h>

noinline int probes_sum(int a, long b, const char *c);
noinline int probes_sum(int a, long b, const char *c)
{
	pr_info("kprobe: sum of %d, %ld, %s\n", a, b, c);
	return a + b;
}
noinline int probes_product(int a, int b);
noinline int probes_product(int a, int b)
{
	asm volatile("" ::: "memory");
	return a * b;
}

static int pre(struct kprobe *p, struct pt_regs *regs)
{
	pr_info("kprobe: pre %s, ip %pS, +%lx, di %ld, si %ld, preempt_count %x, irqs %s\n", p->symbol_name, (void *)regs->ip,
		regs->ip - (unsigned long)p->addr, regs->di < 100 ? (long)regs->di : -1, regs->si < 100 ? (long)regs->si : -1, preempt_count(),
		irqs_disabled() ? "off" : "on");
	return 0;
}
static void post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	pr_info("kprobe: post %s, +%lx, flags %lx\n", p->symbol_name, regs->ip - (unsigned long)p->addr, flags);
}
static int pre_two(struct kprobe *p, struct pt_regs *regs)
{
	pr_info("kprobe: pre two\n");
	return 0;
}
static int pre_change(struct kprobe *p, struct pt_regs *regs)
{
	regs->di = 1000;
	return 0;
}
static noinline int stand_in(void)
{
	asm volatile("" ::: "memory");
	return 77;
}
static int pre_skip(struct kprobe *p, struct pt_regs *regs)
{
	regs->ip = (unsigned long)stand_in;
	return 1;
}
static struct kprobe sum = { .symbol_name = "probes_sum", .pre_handler = pre, .post_handler = post };
static struct kprobe sum_two = { .symbol_name = "probes_sum", .pre_handler = pre_two };
static struct kprobe product = { .symbol_name = "probes_product", .pre_handler = pre_change };
static struct kprobe skip = { .symbol_name = "probes_product", .pre_handler = pre_skip };
static struct kprobe parse = { .symbol_name = "kstrtoint", .pre_handler = pre, .post_handler = post };
static struct kprobe copy = { .symbol_name = "kstrtouint", .pre_handler = pre_skip };

static void refuse(const char *what, const char *symbol, void *addr, unsigned int offset)
{
	struct kprobe p = { .symbol_name = symbol, .addr = addr, .offset = offset, .pre_handler = pre };
	int ret = register_kprobe(&p);

	pr_info("kprobe: %s: %d, %pS, flags %x\n", what, ret, ret ? NULL : p.addr, p.flags);
	if (!ret)
		unregister_kprobe(&p);
}

static int __init start(void)
{
	struct kprobe *all[] = { &sum, &parse };
	int i, value = 0;
	static int data;

	refuse("neither", NULL, NULL, 0);
	refuse("both", "kfree", start, 0);
	refuse("unknown", "no_such_function", NULL, 0);
	refuse("empty", "", NULL, 0);
	refuse("module:symbol", "kprobe_probes:probes_sum", NULL, 0);
	refuse("long", "a_name_that_is_longer_than_any_function_of_this_kernel_has_ever_had_or_will_ever_have_in_its_life_of_many_years", NULL, 0);
	refuse("wrong module", "hello:probes_sum", NULL, 0);
	refuse("data", "jiffies", NULL, 0);
	refuse("own data", NULL, &data, 0);
	refuse("user", NULL, (void *)0x1000, 0);
	refuse("heap", NULL, all, 0);
	refuse("exported", "kfree", NULL, 0);
	refuse("not exported", "kernel_clone", NULL, 0);
	refuse("address", NULL, kfree, 0);
	refuse("own init", NULL, start, 0);
	refuse("own function", NULL, probes_sum, 0);
	refuse("own function, within the nop", NULL, probes_sum, 3);
	refuse("own function, next", NULL, probes_sum, 5);
	refuse("own function, next by symbol", "probes_sum", NULL, 5);
	refuse("kernel, within", "kfree", NULL, 1);
	refuse("kernel, far", "kfree", NULL, 0x100000);
	refuse("int3 handler", "exc_int3", NULL, 0);
	refuse("register_kprobe", "register_kprobe", NULL, 0);
	refuse("get_kprobe", "get_kprobe", NULL, 0);
	refuse("memcpy", "memcpy", NULL, 0);
	refuse("_printk", "_printk", NULL, 0);
	refuse("return thunk", "__x86_return_thunk", NULL, 0);
	refuse("indirect thunk", "__x86_indirect_thunk_rax", NULL, 0);
	refuse("fentry", "__fentry__", NULL, 0);
	refuse("do_sys_open", "do_sys_open", NULL, 0);
	refuse("do_sys_openat2", "do_sys_openat2", NULL, 0);
	refuse("system call", "__x64_sys_getpid", NULL, 0);
	refuse("init function", "start_kernel", NULL, 0);
	refuse("preempt_count_add", "preempt_count_add", NULL, 0);
	refuse("notrace", "__const_udelay", NULL, 0);

	pr_info("kprobe: register %d %d\n", register_kprobe(&sum), register_kprobe(&parse));
	pr_info("kprobe: addr %pS, %pS, flags %x %x\n", sum.addr, parse.addr, sum.flags, parse.flags);
	probes_sum(3, 4, "one");
	pr_info("kprobe: kstrtoint %d\n", kstrtoint("12", 10, &value));
	pr_info("kprobe: again %d\n", register_kprobe(&sum));
	sum.symbol_name = NULL;
	pr_info("kprobe: again by address %d\n", register_kprobe(&sum));
	sum.symbol_name = "probes_sum";
	pr_info("kprobe: two %d\n", register_kprobe(&sum_two));
	probes_sum(5, 6, "two");
	pr_info("kprobe: disable %d\n", disable_kprobe(&sum));
	pr_info("kprobe: flags %x\n", sum.flags);
	probes_sum(7, 8, "three");
	pr_info("kprobe: disable again %d\n", disable_kprobe(&sum));
	pr_info("kprobe: enable %d\n", enable_kprobe(&sum));
	pr_info("kprobe: enable again %d\n", enable_kprobe(&sum));
	pr_info("kprobe: flags %x\n", sum.flags);
	probes_sum(9, 10, "four");
	unregister_kprobe(&sum);
	pr_info("kprobe: unregistered, addr %pS, flags %x\n", sum.addr, sum.flags);
	probes_sum(11, 12, "five");
	pr_info("kprobe: enable %d, disable %d\n", enable_kprobe(&sum), disable_kprobe(&sum));
	unregister_kprobe(&sum);
	unregister_kprobe(&sum_two);
	unregister_kprobe(&parse);
	sum.addr = parse.addr = NULL;
	sum.flags = parse.flags = 0;
	pr_info("kprobe: several %d\n", register_kprobes(all, 2));
	probes_sum(13, 14, "six");
	unregister_kprobes(all, 2);
	pr_info("kprobe: none %d\n", register_kprobes(all, 0));
	product.flags = KPROBE_FLAG_DISABLED;
	pr_info("kprobe: product disabled %d, %d\n", register_kprobe(&product), probes_product(2, 3));
	enable_kprobe(&product);
	pr_info("kprobe: product enabled %d\n", probes_product(2, 3));
	unregister_kprobe(&product);
	pr_info("kprobe: skip %d\n", register_kprobe(&skip));
	pr_info("kprobe: product %d\n", probes_product(2, 3));
	unregister_kprobe(&skip);
	pr_info("kprobe: product %d\n", probes_product(2, 3));
	pr_info("kprobe: skip %d\n", register_kprobe(&copy));
	pr_info("kprobe: kstrtouint %d\n", kstrtouint("12", 10, &value));
	unregister_kprobe(&copy);
	/* every instruction */
	for (i = 5; i < 0x1b; i++) {
		struct kprobe p = { .addr = (void *)probes_sum + i, .pre_handler = pre_two, .post_handler = post, .symbol_name = NULL };
		int ret = register_kprobe(&p);

		pr_info("kprobe: +%x: %d, flags %x\n", i, ret, p.flags);
		if (!ret) {
			p.symbol_name = "within";
			pr_info("kprobe: %d\n", probes_sum(i, 1, "within"));
			p.symbol_name = NULL;
			unregister_kprobe(&p);
		}
	}
	sum.addr = NULL;
	pr_info("kprobe: last %d\n", register_kprobe(&sum));
	return 0;
}

static void __exit stop(void)
{
	probes_sum(20, 21, "exit");
	unregister_kprobe(&sum);
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
