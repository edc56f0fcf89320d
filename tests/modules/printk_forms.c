// SPDX-License-Identifier: GPL-2.0
/* Ways of printing to the log. */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>

static int part;
module_param(part, int, 0444);

static void continued(void)
{
	printk(KERN_INFO "printk_forms: a");
	printk(KERN_CONT " b");
	pr_cont(" c\n");
	printk(KERN_INFO "printk_forms: no newline");
	printk(KERN_INFO "printk_forms: next");
	printk(KERN_CONT " and its continuation without newline");
	printk("printk_forms: no level\n");
	printk(KERN_CONT "printk_forms: continues a finished line\n");
	printk(KERN_WARNING "printk_forms: warning");
	printk(KERN_CONT KERN_ERR " continued with a level\n");
	printk(KERN_WARNING "printk_forms: warning");
	printk(" no level, not continued\n");
	printk(KERN_DEFAULT "printk_forms: default\n");
	printk("");
	printk(KERN_INFO "");
	printk("\n");
	printk(KERN_INFO "\n");
	printk(KERN_INFO "printk_forms: two\nlines\n");
	printk(KERN_INFO "printk_forms: two newlines\n\n");
	printk(KERN_INFO "printk_forms: three\n" KERN_ERR "lines\n" KERN_DEBUG "of levels\n");
	printk(KERN_INFO "printk_forms: level inside " KERN_ERR "a line\n");
	printk(KERN_INFO KERN_ERR "printk_forms: two levels\n");
	printk("\0019printk_forms: level 9\n");
	printk("\001xprintk_forms: level x\n");
	printk("\001");
	printk(KERN_EMERG "printk_forms: emerg\n");
	printk(KERN_ALERT "printk_forms: alert\n");
	printk(KERN_CRIT "printk_forms: crit\n");
	printk(KERN_ERR "printk_forms: err\n");
	printk(KERN_WARNING "printk_forms: warning\n");
	printk(KERN_NOTICE "printk_forms: notice\n");
	printk(KERN_INFO "printk_forms: info\n");
	printk(KERN_DEBUG "printk_forms: debug\n");
	printk("%sprintk_forms: level from an argument\n", KERN_ERR);
	printk(KERN_INFO "printk_forms: tab\tcarriage\rbell\abackslash\\ quote\" escape\033[1m high\xe4\xff utf\xc3\xa9 del\x7f\n");
	pr_info("printk_forms: returns %d\n", _printk(KERN_INFO "printk_forms: 12345\n"));
	pr_info("printk_forms: returns %d\n", _printk("12345"));
	pr_info("printk_forms: returns %d\n", _printk(KERN_CONT "12345\n"));
	pr_info("printk_forms: returns %d\n", _printk("%s", ""));
	printk(KERN_INFO "printk_forms: last line, unfinished");
}

static void long_lines(void)
{
	static const int sizes[] = { 900, 991, 1000, 1023, 1024, 1025, 1200, 2000, 2047, 3000 };
	char *text = kmalloc(4096, GFP_KERNEL);
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(text, 'a' + i, sizes[i]);
		sprintf(text + sizes[i], "END");
		pr_info("%s\n", text);
		pr_info("printk_forms: returns %d\n", _printk(KERN_INFO "%s\n", text));
	}
	for (i = 0; i < 40; i++)
		printk(i ? KERN_CONT "%030d," : KERN_INFO "%030d,", i);
	printk(KERN_CONT "\n");
	memset(text, 'z', 500);
	text[500] = 0;
	pr_info("%s\n%s\n%s\n", text, text, text);
	kfree(text);
}

static void limited(void)
{
	int i, yes = 0;

	for (i = 0; i < 3; i++)
		pr_info_once("printk_forms: once %d\n", i);
	for (i = 0; i < 15; i++)
		pr_info_ratelimited("printk_forms: ratelimited %d\n", i);
	for (i = 0; i < 15; i++)
		yes += printk_ratelimit();
	pr_info("printk_forms: printk_ratelimit said yes %d times\n", yes);
	for (i = 0; i < 15; i++)
		net_info_ratelimited("printk_forms: net %d\n", i);
}

static void limited_again(void)
{
	static DEFINE_RATELIMIT_STATE(state, HZ, 2);
	int i, j;

	for (j = 0; j < 3; j++) {
		for (i = 0; i < 5; i++)
			if (__ratelimit(&state))
				pr_info("printk_forms: own limit, round %d, %d\n", j, i);
		for (i = 0; i < 5; i++)
			pr_warn_ratelimited("printk_forms: one place, round %d, %d\n", j, i);
		msleep(1200);
	}
	ratelimit_set_flags(&state, RATELIMIT_MSG_ON_RELEASE);
	for (i = 0; i < 5; i++)
		if (__ratelimit(&state))
			pr_info("printk_forms: quiet limit %d\n", i);
	ratelimit_state_exit(&state);
	for (j = 0; j < 2; j++) {
		for (i = 0; i < 13; i++)
			printk_ratelimited(KERN_INFO "printk_forms: at 5 s, round %d, %d\n", j, i);
		msleep(5100);
	}
	printk_ratelimited(KERN_INFO "printk_forms: another place\n");
}

static void dumps(void)
{
	char bytes[40];
	int i;

	for (i = 0; i < 40; i++)
		bytes[i] = i * 5;
	print_hex_dump(KERN_INFO, "printk_forms: none ", DUMP_PREFIX_NONE, 16, 1, bytes, 40, true);
	print_hex_dump(KERN_INFO, "printk_forms: offset ", DUMP_PREFIX_OFFSET, 16, 2, bytes, 40, true);
	print_hex_dump(KERN_INFO, "printk_forms: ", DUMP_PREFIX_OFFSET, 32, 4, bytes, 40, false);
	print_hex_dump(KERN_INFO, "printk_forms: ", DUMP_PREFIX_OFFSET, 16, 8, bytes, 40, true);
	print_hex_dump(KERN_INFO, "printk_forms: odd ", DUMP_PREFIX_OFFSET, 5, 3, bytes, 7, true);
	print_hex_dump_bytes("printk_forms: bytes ", DUMP_PREFIX_OFFSET, bytes, 20);
	pr_info("printk_forms: %*ph\n", 8, bytes);
	pr_info("printk_forms: %*phC %*phD %*phN\n", 4, bytes, 4, bytes, 4, bytes);
	pr_info("printk_forms: %pM %pI4 %pUb %*pE %*pbl\n", bytes, bytes, bytes, 6, "a\nb\001c", 16, bytes + 1);
	pr_info("printk_forms: %d%% %5d|%-5d|%05d|%x|%#x|%#o|%c|%.3s|%10s|%-10s|%lld|%zu|%hhd|%hd\n", 1, 2, 3, 4, 255, 255, 8, 'c', "abcdef", "right", "left",
		-1LL, sizeof(int), (char)-1, (short)-2);
	dev_info(NULL, "printk_forms: of no device\n");
	dev_err(NULL, "printk_forms: of no device\n");
	pr_debug("printk_forms: debug\n");
	pr_devel("printk_forms: devel\n");
	no_printk("printk_forms: no\n");
	pr_info("printk_forms: console_loglevel=%d default=%d minimum=%d\n", console_loglevel, default_message_loglevel, minimum_console_loglevel);
	pr_info("printk_forms: %pS %ps\n", dumps, dumps);
}

static int __init start(void)
{
	void (*parts[])(void) = { continued, long_lines, limited, limited_again, dumps };

	if (part < 1 || part > ARRAY_SIZE(parts))
		return -EINVAL;
	parts[part - 1]();
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
