// SPDX-License-Identifier: GPL-2.0
/* Sleeping, waiting, threads, work items, timers and tasklets: what the calls return, and in which order things happen. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/semaphore.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#define TELL(what) pr_info("sleepers: %s = %ld\n", #what, (long)(what))
#define SPAN(what, low, high) do { \
	ktime_t from = ktime_get(); \
	long took; \
	what; \
	took = ktime_us_delta(ktime_get(), from); \
	pr_info("sleepers: %s takes %s\n", #what, took < (low) ? "less" : took > (high) ? "more" : "as expected"); \
	if (exact) pr_info("sleepers: %s took %ld us\n", #what, took); \
} while (0)

static bool exact;
module_param(exact, bool, 0444);
static int part;
module_param(part, int, 0444);

static DECLARE_WAIT_QUEUE_HEAD(queue);
static DECLARE_COMPLETION(done);
static DEFINE_MUTEX(mutex);
static DEFINE_SPINLOCK(lock);
static DEFINE_SEMAPHORE(semaphore);
static DECLARE_RWSEM(rwsem);
static int flag;

static void woken(struct timer_list *unused)
{
	flag = 1;
	wake_up(&queue);
}

static DEFINE_TIMER(waker, woken);

static void completed(struct timer_list *unused)
{
	complete(&done);
}

static DEFINE_TIMER(completer, completed);

static void times(void)
{
	unsigned long before;
	ktime_t from;

	TELL(HZ);
	TELL((int)INITIAL_JIFFIES);
	TELL(time_after(jiffies, INITIAL_JIFFIES));
	TELL((long)(jiffies - INITIAL_JIFFIES) < 100 * HZ);
	TELL(jiffies == (unsigned long)get_jiffies_64());
	TELL(msecs_to_jiffies(1));
	TELL(msecs_to_jiffies(4));
	TELL(msecs_to_jiffies(5));
	TELL(msecs_to_jiffies(1000));
	TELL(usecs_to_jiffies(1));
	TELL(jiffies_to_msecs(1));
	TELL(jiffies_to_usecs(3));
	TELL((int)nsecs_to_jiffies(10000000));
	TELL(round_jiffies_relative(HZ) > 0);
	SPAN(msleep(1), 4000, 30000);
	SPAN(msleep(20), 20000, 60000);
	SPAN(msleep(100), 100000, 160000);
	SPAN(msleep(0), 0, 12000);
	SPAN(usleep_range(500, 1000), 500, 12000);
	SPAN(udelay(100), 100, 4000);
	SPAN(mdelay(10), 10000, 30000);
	SPAN(fsleep(50), 50, 12000);
	SPAN(ssleep(1), 1000000, 1060000);
	before = jiffies;
	msleep(100);
	pr_info("sleepers: msleep(100) in jiffies: %s\n", jiffies - before >= 25 && jiffies - before <= 30 ? "25 to 30" : "other");
	if (exact)
		pr_info("sleepers: %ld jiffies\n", jiffies - before);
	TELL(msleep_interruptible(10));
	__set_current_state(TASK_INTERRUPTIBLE);
	TELL(schedule_timeout(5));
	TELL(current->__state);
	__set_current_state(TASK_RUNNING);
	before = schedule_timeout(1000);
	pr_info("sleepers: schedule_timeout(1000) while running: %s\n", before > 900 && before <= 1000 ? "900 to 1000 left" : "other");
	if (exact)
		pr_info("sleepers: %ld\n", before);
	TELL(schedule_timeout(0));
	TELL(schedule_timeout_interruptible(3));
	TELL(schedule_timeout_uninterruptible(3));
	TELL(schedule_timeout(-5));
	TELL(current->__state);
	from = ktime_get();
	TELL(ktime_get() >= from);
	TELL(ktime_get_real_seconds() > 1000000000);
	TELL(ktime_get_boottime() >= from);
	cond_resched();
	yield();
}

static void waits(void)
{
	long left;

	flag = 0;
	TELL(wait_event_timeout(queue, flag, 5));
	flag = 1;
	TELL(wait_event_timeout(queue, flag, 5));
	TELL(wait_event_timeout(queue, flag, 0));
	flag = 0;
	TELL(wait_event_timeout(queue, flag, 0));
	mod_timer(&waker, jiffies + 5);
	left = wait_event_timeout(queue, flag, 1000);
	pr_info("sleepers: woken after 5 of 1000: %s\n", left > 980 && left < 1000 ? "980 to 999 left" : "other");
	if (exact)
		pr_info("sleepers: %ld left\n", left);
	flag = 0;
	TELL(wait_event_interruptible_timeout(queue, flag, 5));
	mod_timer(&waker, jiffies + 5);
	TELL(wait_event_interruptible(queue, flag));
	TELL(waitqueue_active(&queue));
	TELL(wait_for_completion_timeout(&done, 5));
	TELL(try_wait_for_completion(&done));
	TELL(completion_done(&done));
	complete(&done);
	complete(&done);
	TELL(completion_done(&done));
	TELL(done.done);
	TELL(try_wait_for_completion(&done));
	TELL(wait_for_completion_timeout(&done, 5));
	TELL(wait_for_completion_interruptible_timeout(&done, 5));
	TELL(completion_done(&done));
	mod_timer(&completer, jiffies + 5);
	left = wait_for_completion_timeout(&done, 1000);
	pr_info("sleepers: completed after 5 of 1000: %s\n", left > 980 && left < 1000 ? "980 to 999 left" : "other");
	complete_all(&done);
	TELL(done.done);
	TELL(wait_for_completion_timeout(&done, 5));
	TELL(wait_for_completion_timeout(&done, 1));
	TELL(wait_for_completion_interruptible(&done));
	TELL(done.done);
	reinit_completion(&done);
	TELL(done.done);
}

static void locks(void)
{
	TELL(mutex_trylock(&mutex));
	TELL(mutex_trylock(&mutex));
	TELL(mutex_is_locked(&mutex));
	mutex_unlock(&mutex);
	TELL(mutex_is_locked(&mutex));
	TELL(mutex_lock_interruptible(&mutex));
	mutex_unlock(&mutex);
	TELL(mutex_lock_killable(&mutex));
	mutex_unlock(&mutex);
	mutex_unlock(&mutex);
	TELL(mutex_trylock(&mutex));
	mutex_unlock(&mutex);
	TELL(spin_trylock(&lock));
	TELL(spin_trylock(&lock));
	TELL(spin_is_locked(&lock));
	spin_unlock(&lock);
	TELL(spin_is_locked(&lock));
	TELL(down_trylock(&semaphore));
	TELL(down_trylock(&semaphore));
	TELL(down_timeout(&semaphore, 5));
	up(&semaphore);
	up(&semaphore);
	TELL(down_interruptible(&semaphore));
	TELL(down_killable(&semaphore));
	TELL(down_trylock(&semaphore));
	TELL(down_read_trylock(&rwsem));
	TELL(down_read_trylock(&rwsem));
	TELL(down_write_trylock(&rwsem));
	up_read(&rwsem);
	up_read(&rwsem);
	TELL(down_write_trylock(&rwsem));
	TELL(down_read_trylock(&rwsem));
	downgrade_write(&rwsem);
	TELL(down_read_trylock(&rwsem));
	up_read(&rwsem);
	up_read(&rwsem);
}

static int loops(void *unused)
{
	pr_info("sleepers: thread %s starts\n", current->comm);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(2);
	pr_info("sleepers: thread %s is asked to stop\n", current->comm);
	return 42;
}

static int returns(void *value)
{
	pr_info("sleepers: thread %s returns %ld, should stop %d, park %d\n", current->comm, (long)value, kthread_should_stop(), kthread_should_park());
	return (long)value;
}

static int parks(void *unused)
{
	while (!kthread_should_stop()) {
		if (kthread_should_park()) {
			pr_info("sleepers: parking\n");
			kthread_parkme();
			pr_info("sleepers: unparked\n");
		}
		schedule_timeout_interruptible(2);
	}
	return 0;
}

static void threads(void)
{
	struct task_struct *task;
	int woken;

	task = kthread_run(loops, NULL, "sleeper/%d", 1);
	msleep(50);
	TELL(IS_ERR(task));
	TELL(kthread_stop(task));
	task = kthread_create(loops, NULL, "sleeper_with_a_long_name/%d", 2);
	pr_info("sleepers: created, comm is %s\n", task->comm);
	TELL(kthread_stop(task));
	task = kthread_create(returns, (void *)7L, "sleeper/3");
	get_task_struct(task);
	woken = wake_up_process(task);
	msleep(50);
	TELL(woken);
	TELL(wake_up_process(task));
	TELL(kthread_stop(task));
	put_task_struct(task);
	task = kthread_create(returns, (void *)-5L, "sleeper/4");
	get_task_struct(task);
	wake_up_process(task);
	msleep(50);
	TELL(kthread_stop(task));
	put_task_struct(task);
	task = kthread_run(parks, NULL, "sleeper/6");
	msleep(20);
	TELL(kthread_park(task));
	TELL(kthread_park(task));
	kthread_unpark(task);
	msleep(50);
	TELL(kthread_stop(task));
	task = kthread_create_on_cpu(loops, NULL, 1, "sleeper/%u");
	pr_info("sleepers: on a cpu, comm is %s\n", task->comm);
	kthread_unpark(task);
	wake_up_process(task);
	msleep(50);
	TELL(kthread_stop(task));
}

static int number[4] = { 1, 2, 3, 4 };

struct item {
	struct work_struct work;
	struct delayed_work later;
	int number;
	int wait;
};

static struct item items[4];

static void work_one(struct work_struct *work)
{
	struct item *item = container_of(work, struct item, work);

	pr_info("sleepers: work %d begins\n", item->number);
	if (item->wait)
		msleep(item->wait);
	pr_info("sleepers: work %d ends\n", item->number);
}

static void work_later(struct work_struct *work)
{
	struct item *item = container_of(to_delayed_work(work), struct item, later);

	pr_info("sleepers: delayed work %d\n", item->number);
}

static void works(void)
{
	struct workqueue_struct *own;
	int i;

	for (i = 0; i < 4; i++) {
		INIT_WORK(&items[i].work, work_one);
		INIT_DELAYED_WORK(&items[i].later, work_later);
		items[i].number = number[i];
	}
	/* Work of this CPU waits until this task sleeps. */
	set_cpus_allowed_ptr(current, cpumask_of(0));
	for (i = 0; i < 4; i++)
		TELL(schedule_work_on(0, &items[i].work));
	flush_scheduled_work();
	TELL(flush_work(&items[0].work));
	own = alloc_workqueue("sleepers_%s", 0, 1, "own");
	items[0].wait = 50;
	preempt_disable();
	TELL(queue_work(own, &items[0].work));
	TELL(queue_work(own, &items[0].work));
	TELL(work_pending(&items[0].work));
	preempt_enable();
	msleep(20);
	TELL(work_pending(&items[0].work));
	TELL(!!work_busy(&items[0].work));
	TELL(queue_work(own, &items[0].work));
	TELL(queue_work(own, &items[1].work));
	TELL(cancel_work_sync(&items[1].work));
	TELL(cancel_work_sync(&items[1].work));
	TELL(flush_work(&items[0].work));
	TELL(flush_work(&items[0].work));
	TELL(queue_work(own, &items[0].work));
	msleep(20);
	TELL(cancel_work_sync(&items[0].work));
	TELL(schedule_delayed_work(&items[2].later, 10));
	TELL(schedule_delayed_work(&items[2].later, 10));
	TELL(delayed_work_pending(&items[2].later));
	TELL(cancel_delayed_work(&items[2].later));
	TELL(cancel_delayed_work(&items[2].later));
	TELL(cancel_delayed_work_sync(&items[2].later));
	TELL(mod_delayed_work(own, &items[2].later, 10));
	TELL(mod_delayed_work(own, &items[2].later, 20));
	TELL(flush_delayed_work(&items[2].later));
	TELL(flush_delayed_work(&items[2].later));
	TELL(queue_delayed_work(own, &items[3].later, 10));
	TELL(queue_delayed_work(own, &items[2].later, 5));
	msleep(100);
	TELL(queue_delayed_work(own, &items[3].later, 0));
	flush_workqueue(own);
	items[0].wait = 30;
	TELL(queue_work(own, &items[0].work));
	TELL(queue_work(own, &items[1].work));
	TELL(queue_work(own, &items[2].work));
	drain_workqueue(own);
	TELL(queue_work(own, &items[3].work));
	destroy_workqueue(own);
}

static void ticked(struct timer_list *timer);
static DEFINE_TIMER(first, ticked);
static DEFINE_TIMER(second, ticked);
static DEFINE_TIMER(third, ticked);

static void ticked(struct timer_list *timer)
{
	pr_info("sleepers: timer %d, pending %d\n", timer == &first ? 1 : timer == &second ? 2 : 3, timer_pending(timer));
}

static void timers(void)
{
	int i;

	TELL(timer_pending(&first));
	TELL(mod_timer(&first, jiffies + 10));
	TELL(timer_pending(&first));
	TELL(mod_timer(&first, jiffies + 12));
	TELL(mod_timer_pending(&second, jiffies + 3));
	TELL(timer_reduce(&first, jiffies + 50));
	TELL(del_timer(&first));
	TELL(del_timer(&first));
	TELL(del_timer_sync(&first));
	TELL(mod_timer(&first, jiffies + 10));
	TELL(mod_timer(&second, jiffies + 5));
	TELL(mod_timer(&third, jiffies + 15));
	msleep(150);
	TELL(timer_pending(&first));
	i = mod_timer(&first, jiffies - 100);
	msleep(30);
	TELL(i);
	second.expires = jiffies + 3;
	add_timer(&second);
	TELL(del_timer_sync(&second));
	TELL(try_to_del_timer_sync(&second));
	TELL(del_timer_sync(&second));
}

static void tasklet_one(struct tasklet_struct *tasklet);
static DECLARE_TASKLET(tasklet1, tasklet_one);
static DECLARE_TASKLET(tasklet2, tasklet_one);
static DECLARE_TASKLET(tasklet3, tasklet_one);
static DECLARE_TASKLET_DISABLED(tasklet4, tasklet_one);

static void tasklet_one(struct tasklet_struct *tasklet)
{
	pr_info("sleepers: tasklet %d\n", tasklet == &tasklet1 ? 1 : tasklet == &tasklet2 ? 2 : tasklet == &tasklet3 ? 3 : 4);
}

static void tasklets(void)
{
	local_bh_disable();
	tasklet_schedule(&tasklet1);
	tasklet_schedule(&tasklet2);
	tasklet_schedule(&tasklet1);
	tasklet_hi_schedule(&tasklet3);
	tasklet_schedule(&tasklet4);
	pr_info("sleepers: scheduled\n");
	local_bh_enable();
	pr_info("sleepers: enabled\n");
	tasklet_enable(&tasklet4);
	msleep(20);
	tasklet_disable(&tasklet1);
	tasklet_schedule(&tasklet1);
	msleep(20);
	pr_info("sleepers: enable 1\n");
	tasklet_enable(&tasklet1);
	tasklet_kill(&tasklet1);
	tasklet_kill(&tasklet4);
}

static int __init start(void)
{
	void (*parts[])(void) = { times, waits, locks, threads, works, timers, tasklets };

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
