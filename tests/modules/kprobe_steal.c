// SPDX-License-Identifier: GPL-2.0
/* A system call that is replaced in the table, which nothing but kallsyms_lookup_name() finds, which only a probe finds. */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/syscalls.h>
#include <asm/special_insns.h>
static unsigned long **table;
static asmlinkage long (*original)(const struct pt_regs *);
static asmlinkage long mine(const struct pt_regs *regs)
{
	return original(regs);
}
static inline void set_cr0(unsigned long cr0)
{
	asm volatile("mov %0,%%cr0" : "+r"(cr0) : : "memory");
}
static int __init start(void)
{
	unsigned long (*lookup)(const char *name);
	struct kprobe kp = { .symbol_name = "kallsyms_lookup_name" };
	unsigned long cr0;

	pr_info("steal: %d\n", register_kprobe(&kp));
	lookup = (unsigned long (*)(const char *name))kp.addr;
	unregister_kprobe(&kp);
	pr_info("steal: %pS\n", lookup);
	table = (unsigned long **)lookup("sys_call_table");
	pr_info("steal: %ps, none %lx, own %d\n", table, lookup("no_such_symbol"), lookup("kprobe_steal:start") == (unsigned long)start);
	pr_info("steal: close %ps, openat %ps, read %ps, kill %ps, last %ps\n", table[__NR_close], table[__NR_openat], table[__NR_read], table[__NR_kill], table[450]);
	original = (void *)table[__NR_openat];
	cr0 = read_cr0();
	pr_info("steal: wp %lu\n", cr0 >> 16 & 1);
	set_cr0(cr0 & ~0x10000);
	table[__NR_openat] = (unsigned long *)mine;
	set_cr0(cr0);
	pr_info("steal: openat %ps, wp %lu\n", table[__NR_openat], read_cr0() >> 16 & 1);
	return 0;
}
static void __exit stop(void)
{
	unsigned long cr0 = read_cr0();

	set_cr0(cr0 & ~0x10000);
	table[__NR_openat] = (unsigned long *)original;
	set_cr0(cr0);
	pr_info("steal: openat %ps\n", table[__NR_openat]);
}
module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
