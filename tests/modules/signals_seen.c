// SPDX-License-Identifier: GPL-2.0-or-later
/* What signals look like to code that waits in different ways, and to code that looks for them itself. */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

static DECLARE_WAIT_QUEUE_HEAD(queue);
static DEFINE_MUTEX(mutex);
static struct task_struct *threads[2];

static void tell(const char *how, long ret)
{
	struct task_struct *me = current;

	pr_info("%s: %.*s: %ld, %d %d %d, pending %lx, shared %lx, blocked %lx\n", KBUILD_MODNAME, (int)strcspn(how, "\n"), how, ret,
		!!signal_pending(me), !!fatal_signal_pending(me), test_thread_flag(TIF_SIGPENDING), me->pending.signal.sig[0],
		me->signal->shared_pending.signal.sig[0], me->blocked.sig[0]);
}

/* Until somebody sends a signal, or 4 seconds have passed. */
static int wait(const char *how, const struct kernel_param *kp)
{
	unsigned long end = jiffies + 4 * HZ;
	long ret = 0;

	if (sysfs_streq(how, "event"))
		ret = wait_event_interruptible(queue, time_after(jiffies, end));
	else if (sysfs_streq(how, "timeout"))
		ret = !!wait_event_interruptible_timeout(queue, 0, 4 * HZ);
	else if (sysfs_streq(how, "killable"))
		ret = wait_event_killable_timeout(queue, 0, HZ);
	else if (sysfs_streq(how, "msleep"))
		ret = !!msleep_interruptible(4000);
	else if (sysfs_streq(how, "sleeps"))
		while (!signal_pending(current) && time_before(jiffies, end))
			msleep(50);
	else if (sysfs_streq(how, "spins"))
		while (!signal_pending(current) && time_before(jiffies, end))
			cpu_relax();
	else if (sysfs_streq(how, "sets"))
		for (;;) {
			int found = current->pending.signal.sig[0] & ~current->blocked.sig[0];

			if (found || time_after(jiffies, end))
				break;
			wait_event_interruptible_timeout(queue, 0, HZ / 2);
		}
	else if (sysfs_streq(how, "mutex")) {
		mutex_lock(&mutex);
		ret = mutex_lock_interruptible(&mutex);
		mutex_unlock(&mutex);
	}
	tell(how, ret);
	return 0;
}

static int talk(void *data)
{
	kernel_siginfo_t info;
	enum pid_type type;
	int sig;
	long ret;

	if (data)
		allow_signal(SIGTERM);
	while (!kthread_should_stop()) {
		ret = wait_event_interruptible(queue, kthread_should_stop());
		tell(data ? "listens" : "deaf", ret);
		if (!signal_pending(current))
			continue;
		sig = kernel_dequeue_signal();
		tell("dequeued", sig);
		flush_signals(current);
		tell("flushed", dequeue_signal(current, &current->blocked, &info, &type));
	}
	return 0;
}

static int send(const char *value, const struct kernel_param *kp)
{
	unsigned int which, sig;

	if (sscanf(value, "%u %u", &which, &sig) != 2 || which > 1)
		return -EINVAL;
	return send_sig(sig, threads[which], 1);
}

static const struct kernel_param_ops wait_ops = { .set = wait }, send_ops = { .set = send };
module_param_cb(wait, &wait_ops, NULL, 0200);
module_param_cb(send, &send_ops, NULL, 0200);

static int __init signals_seen_init(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		threads[i] = kthread_run(talk, (void *)(long)i, "talk%d", i);
		if (IS_ERR(threads[i]))
			return PTR_ERR(threads[i]);
	}
	return 0;
}

static void __exit signals_seen_exit(void)
{
	kthread_stop(threads[0]);
	kthread_stop(threads[1]);
}

module_init(signals_seen_init);
module_exit(signals_seen_exit);
MODULE_LICENSE("GPL");
