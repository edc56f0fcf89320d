// SPDX-License-Identifier: GPL-2.0
/* Says who runs it, and in what context: init, exit, parameter functions, thread, work, timer, tasklet, callbacks. */
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>

static DECLARE_COMPLETION(done);
static DEFINE_SPINLOCK(lock);

static void say(const char *where)
{
	pr_info("context: %s: comm=%s pid=%d tgid=%d parent=%s uid=%u euid=%u mm=%d kthread=%d\n", where, current->comm,
		current->pid, current->tgid, current->real_parent->comm, from_kuid(&init_user_ns, current_uid()),
		from_kuid(&init_user_ns, current_euid()), !!current->mm, !!(current->flags & PF_KTHREAD));
	pr_info("context: %s: task=%d hardirq=%d softirq=%d serving=%d interrupt=%d nmi=%d atomic=%d count=%x irqs_off=%d\n", where,
		!!in_task(), !!in_hardirq(), !!in_softirq(), !!in_serving_softirq(), !!in_interrupt(), !!in_nmi(),
		!!in_atomic(), preempt_count(), !!irqs_disabled());
}

static int in_thread(void *unused)
{
	say("thread");
	complete(&done);
	return 0;
}

static void in_work(struct work_struct *unused)
{
	say("work");
	complete(&done);
}

static void in_timer(struct timer_list *unused)
{
	say("timer");
	complete(&done);
}

static enum hrtimer_restart in_hrtimer(struct hrtimer *unused)
{
	say("hrtimer");
	complete(&done);
	return HRTIMER_NORESTART;
}

static void in_tasklet(struct tasklet_struct *unused)
{
	say("tasklet");
	complete(&done);
}

static void in_rcu(struct rcu_head *unused)
{
	say("rcu");
	complete(&done);
}

static void in_irq_work(struct irq_work *unused)
{
	say("irq_work");
	complete(&done);
}

static void in_ipi(void *unused)
{
	say("smp_call_function_single");
}

static DECLARE_WORK(work, in_work);
static DECLARE_WORK(work_high, in_work);
static DECLARE_WORK(work_unbound, in_work);
static DECLARE_WORK(work_own, in_work);
static DEFINE_TIMER(timer, in_timer);
static DECLARE_TASKLET(tasklet, in_tasklet);
static struct hrtimer hrtimer;
static struct rcu_head head;
static struct irq_work irq_work = IRQ_WORK_INIT(in_irq_work);

static int set(const char *value, const struct kernel_param *kp)
{
	say("set");
	return param_set_int(value, kp);
}

static int get(char *buffer, const struct kernel_param *kp)
{
	say("get");
	return param_get_int(buffer, kp);
}

static const struct kernel_param_ops ops = { .set = set, .get = get };
static int value;
module_param_cb(value, &ops, &value, 0644);

static int __init start(void)
{
	struct workqueue_struct *own, *ordered;

	say("init");
	pr_info("context: cpus online=%u possible=%u present=%u nr_cpu_ids=%u HZ=%d\n", num_online_cpus(), num_possible_cpus(),
		num_present_cpus(), nr_cpu_ids, HZ);
	pr_info("context: state=%u system_state=%d\n", READ_ONCE(current->__state), system_state);
	preempt_disable();
	say("preempt_disable");
	preempt_enable();
	spin_lock(&lock);
	say("spin_lock");
	spin_unlock(&lock);
	spin_lock_bh(&lock);
	say("spin_lock_bh");
	spin_unlock_bh(&lock);
	spin_lock_irq(&lock);
	say("spin_lock_irq");
	spin_unlock_irq(&lock);
	local_bh_disable();
	say("local_bh_disable");
	local_bh_enable();
	rcu_read_lock();
	say("rcu_read_lock");
	rcu_read_unlock();
	local_irq_disable();
	say("local_irq_disable");
	local_irq_enable();

	kthread_run(in_thread, NULL, "context/%s", "thread");
	wait_for_completion(&done);
	schedule_work_on(0, &work);
	wait_for_completion(&done);
	queue_work_on(0, system_highpri_wq, &work_high);
	wait_for_completion(&done);
	queue_work(system_unbound_wq, &work_unbound);
	wait_for_completion(&done);
	own = alloc_workqueue("context_own", WQ_UNBOUND | WQ_MEM_RECLAIM, 1);
	queue_work(own, &work_own);
	wait_for_completion(&done);
	destroy_workqueue(own);
	ordered = create_singlethread_workqueue("context_single");
	queue_work(ordered, &work_own);
	wait_for_completion(&done);
	destroy_workqueue(ordered);
	mod_timer(&timer, jiffies + 2);
	wait_for_completion(&done);
	hrtimer_init(&hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hrtimer.function = in_hrtimer;
	hrtimer_start(&hrtimer, ms_to_ktime(3), HRTIMER_MODE_REL);
	wait_for_completion(&done);
	tasklet_schedule(&tasklet);
	wait_for_completion(&done);
	call_rcu(&head, in_rcu);
	wait_for_completion(&done);
	irq_work_queue(&irq_work);
	wait_for_completion(&done);
	smp_call_function_single(smp_processor_id(), in_ipi, NULL, 1);
	return 0;
}

static void __exit stop(void)
{
	say("exit");
	rcu_barrier();
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
