// SPDX-License-Identifier: GPL-2.0
/* Probes of what the kernel does when modules come and go. */
#include <linux/init.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static int init_pre(struct kprobe *p, struct pt_regs *regs)
{
	pr_info("kprobe: %s comes, %s\n", ((struct module *)regs->di)->name, current->comm);
	return 0;
}
static int free_pre(struct kprobe *p, struct pt_regs *regs)
{
	struct module *mod = (struct module *)regs->di;

	pr_info("kprobe: %s goes, state %d\n", mod->name, mod->state);
	return 0;
}
static int init_ret(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	pr_info("kprobe: do_init_module returned %ld\n", regs_return_value(regs));
	return 0;
}
static struct kprobe init = { .symbol_name = "do_init_module", .pre_handler = init_pre };
static struct kprobe gone = { .symbol_name = "free_module", .pre_handler = free_pre };
static struct kretprobe done = { .kp.symbol_name = "do_init_module", .handler = init_ret };

static int __init start(void)
{
	pr_info("kprobe: %d\n", register_kprobe(&init));
	pr_info("kprobe: %d\n", register_kprobe(&gone));
	pr_info("kprobe: %d\n", register_kretprobe(&done));
	return 0;
}

static void __exit stop(void)
{
	unregister_kretprobe(&done);
	unregister_kprobe(&gone);
	unregister_kprobe(&init);
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
