// SPDX-License-Identifier: GPL-2.0
/*
 * Things that happen by themselves: a timer that ticks, and hands the work to a thread of the kernel.
 *
 *	insmod ticker.ko period=500
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

static unsigned int period = 1000;
module_param(period, uint, 0644);
MODULE_PARM_DESC(period, "milliseconds from one tick to the next");

static unsigned int ticks;
module_param(ticks, uint, 0444);
MODULE_PARM_DESC(ticks, "ticks so far");

/* Runs in a thread of the kernel, where sleeping is allowed. */
static void ticker_work(struct work_struct *work)
{
	pr_info("tick %u, in %s\n", ticks, current->comm);
}

static DECLARE_WORK(work, ticker_work);

/* Runs in interrupt context, where it is not. */
static void ticker_tick(struct timer_list *timer)
{
	ticks++;
	schedule_work(&work);
	mod_timer(timer, jiffies + msecs_to_jiffies(period));
}

static DEFINE_TIMER(timer, ticker_tick);

static int __init ticker_init(void)
{
	mod_timer(&timer, jiffies + msecs_to_jiffies(period));
	return 0;
}

static void __exit ticker_exit(void)
{
	del_timer_sync(&timer);
	cancel_work_sync(&work);
	pr_info("stopped after %u ticks\n", ticks);
}

module_init(ticker_init);
module_exit(ticker_exit);

MODULE_DESCRIPTION("Ticks");
MODULE_LICENSE("GPL");
