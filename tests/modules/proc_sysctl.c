// SPDX-License-Identifier: GPL-2.0
/* Tables of /proc/sys; the parameter "act" registers more. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/sysctl.h>

static int a_number = 5, numbers[3] = { 1, -2, 3 }, limited = 4, low = 2, high = 9, seconds = 500, ms = 25;
static unsigned int an_unsigned = 7;
static unsigned long a_long = 123456789012UL;
static u8 a_byte = 200;
static char text[16] = "text";
static struct ctl_table_header *header;

static int own(struct ctl_table *table, int write, void *buffer, size_t *lenp, loff_t *ppos)
{
	int ret = proc_dointvec(table, write, buffer, lenp, ppos);

	pr_info("proc_sysctl: %s %s: %d, %zu at %lld\n", table->procname, write ? "write" : "read", ret, *lenp, *ppos);
	return ret;
}

static struct ctl_table table[] = {
	{ .procname = "number", .data = &a_number, .maxlen = sizeof(int), .mode = 0644, .proc_handler = proc_dointvec },
	{ .procname = "numbers", .data = numbers, .maxlen = sizeof(numbers), .mode = 0644, .proc_handler = proc_dointvec },
	{ .procname = "limited", .data = &limited, .maxlen = sizeof(int), .mode = 0644,
	  .proc_handler = proc_dointvec_minmax, .extra1 = &low, .extra2 = &high },
	{ .procname = "seconds", .data = &seconds, .maxlen = sizeof(int), .mode = 0644, .proc_handler = proc_dointvec_jiffies },
	{ .procname = "ms", .data = &ms, .maxlen = sizeof(int), .mode = 0644, .proc_handler = proc_dointvec_ms_jiffies },
	{ .procname = "unsigned", .data = &an_unsigned, .maxlen = sizeof(int), .mode = 0644, .proc_handler = proc_douintvec },
	{ .procname = "long", .data = &a_long, .maxlen = sizeof(long), .mode = 0644, .proc_handler = proc_doulongvec_minmax },
	{ .procname = "byte", .data = &a_byte, .maxlen = sizeof(u8), .mode = 0644, .proc_handler = proc_dou8vec_minmax },
	{ .procname = "text", .data = text, .maxlen = sizeof(text), .mode = 0644, .proc_handler = proc_dostring },
	{ .procname = "own", .data = &a_number, .maxlen = sizeof(int), .mode = 0600, .proc_handler = own },
	{ .procname = "read_only", .data = &a_number, .maxlen = sizeof(int), .mode = 0444, .proc_handler = proc_dointvec },
	{}
};
static struct ctl_table wrong[] = {
	{ .procname = "no_data", .maxlen = 4, .mode = 0644, .proc_handler = proc_dointvec },
	{ .procname = "mode", .data = &a_number, .maxlen = 4, .mode = 0755, .proc_handler = proc_dointvec },
	{ .procname = "no_handler", .data = &a_number, .maxlen = 4, .mode = 0644 },
	{ .procname = "array", .data = numbers, .maxlen = 8, .mode = 0644, .proc_handler = proc_douintvec },
	{}
};
static struct ctl_table panics[] = {
	{ .procname = "panic", .data = &a_number, .maxlen = 4, .mode = 0644, .proc_handler = proc_dointvec }, {}
};

static int act_set(const char *val, const struct kernel_param *kp)
{
	struct ctl_table_header *made = NULL;

	if (val[0] == 'w')
		made = register_sysctl("sysfsd_test", wrong);
	else if (val[0] == 't')
		made = register_sysctl("sysfsd_test/deep", table);
	else if (val[0] == 'k')
		made = register_sysctl("kernel", panics);
	else if (val[0] == 'r') {
		unregister_sysctl_table(header);
		header = NULL;
		return 0;
	}
	pr_info("proc_sysctl: %d\n", made != NULL);
	return made ? 0 : -EINVAL;
}
static const struct kernel_param_ops act_ops = { .set = act_set };
module_param_cb(act, &act_ops, NULL, 0200);

static int __init start(void)
{
	header = register_sysctl("sysfsd_test/deep", table);
	return header ? 0 : -ENOMEM;
}

static void __exit stop(void)
{
	unregister_sysctl_table(header);
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
