// SPDX-License-Identifier: GPL-2.0
/* Functions to be called one by one, from several tasks at once: waiting, locks, threads, work, timers and tasklets. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/semaphore.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#define CALLED __used noinline

static DECLARE_WAIT_QUEUE_HEAD(queue);
static DECLARE_COMPLETION(done);
static DECLARE_COMPLETION(gate);
static DEFINE_MUTEX(mutex);
static DEFINE_SEMAPHORE(semaphore);
static DECLARE_RWSEM(rwsem);
static DEFINE_SPINLOCK(lock);
static int flag, closed, ran, order, orders[8];

/* Sleeping and waiting. */
static CALLED void sleep_for(unsigned int ms) { msleep(ms); }
static CALLED unsigned long sleep_interruptibly(unsigned int ms) { return msleep_interruptible(ms); }
static CALLED long wait_flag(long timeout) { return wait_event_timeout(queue, flag, timeout); }
static CALLED void wait_flag_forever(void) { wait_event(queue, flag); }
static CALLED int wait_flag_interruptibly(void) { return wait_event_interruptible(queue, flag); }
static CALLED void set_flag(int value) { flag = value; wake_up(&queue); }
static CALLED bool anybody_waits(void) { return waitqueue_active(&queue); }
static CALLED unsigned long wait_done(unsigned long timeout) { return wait_for_completion_timeout(&done, timeout); }
static CALLED void wait_done_forever(void) { wait_for_completion(&done); }
static CALLED int wait_done_interruptibly(void) { return wait_for_completion_interruptible(&done); }
static CALLED void complete_one(void) { complete(&done); }
static CALLED void complete_everybody(void) { complete_all(&done); }
static CALLED void begin_again(void) { reinit_completion(&done); }
static CALLED unsigned int times_done(void) { return done.done; }
static CALLED long timeout_while_running(long timeout) { return schedule_timeout(timeout); }
static CALLED long timeout_asleep(long timeout) { return schedule_timeout_uninterruptible(timeout); }

/* Locks. */
static CALLED void take_mutex(void) { mutex_lock(&mutex); }
static CALLED int try_mutex(void) { return mutex_trylock(&mutex); }
static CALLED int take_mutex_interruptibly(void) { return mutex_lock_interruptible(&mutex); }
static CALLED void give_mutex(void) { mutex_unlock(&mutex); }
static CALLED void take_semaphore(void) { down(&semaphore); }
static CALLED int try_semaphore(void) { return down_trylock(&semaphore); }
static CALLED void give_semaphore(void) { up(&semaphore); }
static CALLED void begin_reading(void) { down_read(&rwsem); }
static CALLED void end_reading(void) { up_read(&rwsem); }
static CALLED void begin_writing(void) { down_write(&rwsem); }
static CALLED void end_writing(void) { up_write(&rwsem); }
static CALLED int try_writing(void) { return down_write_trylock(&rwsem); }

static CALLED int count_in_spinlock(void)
{
	int count;

	spin_lock_bh(&lock);
	count = preempt_count();
	spin_unlock_bh(&lock);
	return count;
}

static CALLED int count_now(void) { return preempt_count(); }

/* A thread that sleeps until it is to stop or park. */
static struct task_struct *thread;

static int threaded(void *result)
{
	ran++;
	while (!kthread_should_stop()) {
		if (kthread_should_park()) {
			kthread_parkme();
			continue;
		}
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop() && !kthread_should_park())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return (long)result;
}

static int ends_at_once(void *result)
{
	ran++;
	complete(&done);
	return (long)result;
}

static CALLED void make_thread(long result)
{
	thread = kthread_create(threaded, (void *)result, "turns/%s", "a_rather_long_name");
}

static CALLED void make_short_thread(long result)
{
	thread = kthread_create(ends_at_once, (void *)result, "turns/short");
	get_task_struct(thread);
}

static CALLED int wake_thread(void) { return wake_up_process(thread); }
static CALLED int stop_thread(void) { return kthread_stop(thread); }
static CALLED int park_thread(void) { return kthread_park(thread); }
static CALLED void unpark_thread(void) { kthread_unpark(thread); }

/* A work item, and one that comes later; while the gate is closed the first does not end. */
static struct workqueue_struct *wq;

static void worked(struct work_struct *unused)
{
	ran++;
	complete(&done);
	if (closed)
		wait_for_completion(&gate);
}

static DECLARE_WORK(work, worked);
static DECLARE_WORK(other_work, worked);
static DECLARE_DELAYED_WORK(later, worked);

static CALLED void make_queue(void) { wq = alloc_workqueue("turns", 0, 1); }
static CALLED bool queue_it(void) { return queue_work(wq, &work); }
static CALLED bool queue_other(void) { return queue_work(wq, &other_work); }
static CALLED bool pending(void) { return work_pending(&work); }
static CALLED unsigned int busy(void) { return work_busy(&work); }
static CALLED bool flush_it(void) { return flush_work(&work); }
static CALLED bool cancel_it(void) { return cancel_work_sync(&work); }
static CALLED bool cancel_other(void) { return cancel_work_sync(&other_work); }
static CALLED void end_queue(void) { destroy_workqueue(wq); }
static CALLED void close_gate(void) { closed = 1; }
static CALLED void open_gate(void) { closed = 0; complete(&gate); }
static CALLED bool queue_later(unsigned long delay) { return queue_delayed_work(wq, &later, delay); }
static CALLED bool modify_later(unsigned long delay) { return mod_delayed_work(wq, &later, delay); }
static CALLED bool cancel_later(void) { return cancel_delayed_work_sync(&later); }
static CALLED bool flush_later(void) { return flush_delayed_work(&later); }

/* A timer. */
static void ticked(struct timer_list *unused)
{
	ran++;
	complete(&done);
}

static DEFINE_TIMER(timer, ticked);

static CALLED int arm(unsigned long delay) { return mod_timer(&timer, jiffies + delay); }
static CALLED int arm_pending(unsigned long delay) { return mod_timer_pending(&timer, jiffies + delay); }
static CALLED int armed(void) { return timer_pending(&timer); }
static CALLED int disarm(void) { return del_timer_sync(&timer); }

/* Tasklets. */
static void first(struct tasklet_struct *unused) { orders[order++] = 1; }
static void second(struct tasklet_struct *unused) { orders[order++] = 2; }
static void urgent(struct tasklet_struct *unused) { orders[order++] = 3; }
static DECLARE_TASKLET(tasklet1, first);
static DECLARE_TASKLET(tasklet2, second);
static DECLARE_TASKLET(tasklet3, urgent);

/* The order as decimal digits; 0 for a line drawn when they had all been scheduled. */
static CALLED int tasklets(void)
{
	int i, digits = 0;

	order = 0;
	local_bh_disable();
	tasklet_schedule(&tasklet1);
	tasklet_schedule(&tasklet2);
	tasklet_schedule(&tasklet1);
	tasklet_hi_schedule(&tasklet3);
	orders[order++] = 9;
	local_bh_enable();
	tasklet_kill(&tasklet1);
	tasklet_kill(&tasklet2);
	tasklet_kill(&tasklet3);
	for (i = 0; i < order; i++)
		digits = digits * 10 + orders[i];
	return digits;
}

static CALLED int times_run(void) { return ran; }

static CALLED void spin(void)
{
	for (;;)
		cpu_relax();
}

static int __init start(void)
{
	return 0;
}

static void __exit stop(void)
{
	del_timer_sync(&timer);
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
