// SPDX-License-Identifier: GPL-2.0
/* Notifier chains, rate limits, single calls, debugging messages. */
#include <linux/kernel.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/once.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/refcount.h>
#include <linux/seq_buf.h>
#include <linux/device.h>

static int answer = NOTIFY_OK;

static int first(struct notifier_block *nb, unsigned long val, void *v)
{
	pr_info("first %lu %s\n", val, (char *)v);
	return NOTIFY_OK;
}

static int second(struct notifier_block *nb, unsigned long val, void *v)
{
	pr_info("second %lu %s\n", val, (char *)v);
	return answer;
}

static int third(struct notifier_block *nb, unsigned long val, void *v)
{
	pr_info("third %lu %s\n", val, (char *)v);
	return NOTIFY_DONE;
}

static struct notifier_block blocks[] = {
	{ .notifier_call = third, .priority = -1 },
	{ .notifier_call = first, .priority = 10 },
	{ .notifier_call = second, .priority = 0 },
	{ .notifier_call = third, .priority = 0 },
};

static BLOCKING_NOTIFIER_HEAD(blocking);
static ATOMIC_NOTIFIER_HEAD(atomic);
static RAW_NOTIFIER_HEAD(raw);

static void chains(void)
{
	int i;

	pr_info("empty %x\n", blocking_notifier_call_chain(&blocking, 0, "nobody"));
	for (i = 0; i < 4; i++)
		pr_info("register %d\n", blocking_notifier_chain_register(&blocking, &blocks[i]));
	pr_info("call %x\n", blocking_notifier_call_chain(&blocking, 1, "all"));
	answer = NOTIFY_BAD;
	pr_info("call %x\n", blocking_notifier_call_chain(&blocking, 2, "bad"));
	pr_info("robust %x\n", blocking_notifier_call_chain_robust(&blocking, 3, 4, "up or down"));
	answer = notifier_from_errno(-EBUSY);
	i = blocking_notifier_call_chain(&blocking, 5, "error");
	pr_info("call %x %d\n", i, notifier_to_errno(i));
	pr_info("unregister %d %d\n", blocking_notifier_chain_unregister(&blocking, &blocks[2]),
		blocking_notifier_chain_unregister(&blocking, &blocks[2]));
	pr_info("unique %d %d\n", blocking_notifier_chain_register_unique_prio(&blocking, &blocks[2]),
		blocking_notifier_chain_unregister(&blocking, &blocks[2]));
	for (i = 0; i < 4; i++)
		if (i != 2)
			blocking_notifier_chain_unregister(&blocking, &blocks[i]);
	pr_info("atomic %d %x %d\n", atomic_notifier_chain_register(&atomic, &blocks[1]),
		atomic_notifier_call_chain(&atomic, 6, "atomic"), atomic_notifier_chain_unregister(&atomic, &blocks[1]));
	pr_info("raw %d", raw_notifier_chain_register(&raw, &blocks[0]));
	pr_cont(" %d\n", raw_notifier_chain_unregister(&raw, &blocks[0]));
}

static void limits(void)
{
	static DEFINE_RATELIMIT_STATE(state, HZ / 4, 3);
	static unsigned long last;
	int i, refused = 0;

	for (i = 0; i < 6; i++)
		pr_info("ratelimit %d\n", __ratelimit(&state));
	msleep(600);
	pr_info("ratelimit %d missed %d\n", __ratelimit(&state), state.missed);
	for (i = 0; i < 12; i++)
		pr_info_ratelimited("limited %d\n", i);
	i = printk_timed_ratelimit(&last, 1000);
	pr_info("timed %d", i);
	pr_cont(" %d\n", printk_timed_ratelimit(&last, 1000));
	for (i = 0; i < 30; i++)
		refused += !printk_ratelimit();
	pr_info("printk_ratelimit %d\n", refused >= 20 && refused < 30);
}

static void once(void)
{
	static u32 numbers[2];
	int i;

	for (i = 0; i < 2; i++) {
		get_random_once(&numbers[i], sizeof(u32));
		pr_info_once("once %d\n", i);
	}
	pr_info("once %d %d\n", numbers[0] == 0, numbers[1] == 0);
	pr_debug("debug %d\n", 1);
	dev_dbg(NULL, "device debug %d\n", 2);
	dev_info(NULL, "no device\n");
}

static void counts(void)
{
	refcount_t r = REFCOUNT_INIT(2);

	pr_info("refcount %d", refcount_dec_and_test(&r));
	pr_cont(" %d", refcount_dec_not_one(&r));
	pr_cont(" %d %d", refcount_dec_if_one(&r), refcount_dec_if_one(&r));
	pr_cont(" %u\n", refcount_read(&r));
}

static int __init lib_misc_init(void)
{
	chains();
	limits();
	once();
	counts();
	return 0;
}

static void __exit lib_misc_exit(void)
{
}

module_init(lib_misc_init);
module_exit(lib_misc_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Notifiers, rate limits and more");
