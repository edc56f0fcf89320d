// SPDX-License-Identifier: GPL-2.0
/* Misbehaves in the way asked for: at load, on a write to a parameter, in a thread, a work item, a timer or at unload. */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <asm/msr.h>

#define WILD 0xffffffff12345678UL
#define ODD 0xdead000000000100UL

static int how;
module_param(how, int, 0444);
static int leave;
module_param(leave, int, 0644);
static int seconds = 5;
module_param(seconds, int, 0644);

static int in_data[8] = { 1, 2, 3 };
static const int in_rodata[8] = { 4, 5, 6 };
static int settled __ro_after_init = 7;
static int (*kept)(void);
static DEFINE_MUTEX(mutex);
static DEFINE_SPINLOCK(lock);
static LIST_HEAD(heads);
static char eight[8];
static unsigned long place;

static int __init early(void)
{
	return 3;
}

static noinline int victim(int a)
{
	return a + 1;
}

static noinline int divide(int a, int b)
{
	return a / b;
}

static noinline int deeper(int n)
{
	volatile char pad[200];

	pad[n % 200] = n;
	if (n < 0)
		return 0;
	return deeper(n + 1) + pad[n % 200];
}

static noinline void smash(int n)
{
	char local[16];
	volatile char *at = local;
	int i;

	for (i = 0; i < n; i++)
		at[i] = 'x';
}

static noinline int call(unsigned long to)
{
	return ((int (*)(void))to)();
}

static noinline void write_at(unsigned long where)
{
	*(volatile int *)where = 1;
}

static noinline int read_at(unsigned long where)
{
	return *(volatile int *)where;
}

static noinline void warn_once_each(void)
{
	WARN_ON_ONCE(how >= 0);
}

static noinline void warn_text_once(int n)
{
	WARN_ONCE(1, "faults: only once, %d\n", n);
}

static noinline int fault(int n)
{
	struct list_head one, two;
	refcount_t count;
	void *p, *q;
	volatile int zero = 0, minus = -1;
	unsigned long end;
	u64 got = 0;
	int i;

	switch (n) {
	case 1: write_at(0); break;
	case 2: return read_at(0);
	case 3: write_at(0x88); break;
	case 4: return read_at(0x10);
	case 5: return read_at((unsigned long)ERR_PTR(-ENOENT));
	case 6: return read_at(ODD);
	case 7: write_at(ODD); break;
	case 8: return read_at(WILD);
	case 9: write_at(WILD); break;
	case 10: return read_at(0x12345678);
	case 11: return call(0);
	case 12: return call(WILD);
	case 13: return call(ODD);
	case 14: return call((unsigned long)in_data);
	case 15: return call((unsigned long)in_rodata);
	case 16: write_at((unsigned long)in_rodata); break;
	case 17: write_at((unsigned long)victim); break;
	case 18: write_at((unsigned long)&settled); pr_info("faults: settled=%d\n", settled); break;
	case 19: return divide(10, zero);
	case 20: return divide(INT_MIN, minus);
	case 21: asm volatile("int3"); break;
	case 22: BUG(); break;
	case 23: BUG_ON(n == 23); break;
	case 24: WARN(1, "faults: warned, %d\n", n); break;
	case 25: pr_info("faults: WARN_ON gives %d\n", (int)WARN_ON(n == 25)); break;
	case 26: for (i = 0; i < 3; i++) warn_once_each(); break;
	case 27: for (i = 0; i < 3; i++) warn_text_once(i); break;
	case 28: WARN_TAINT(1, TAINT_FIRMWARE_WORKAROUND, "faults: a firmware's fault\n"); break;
	case 29: return deeper(0);
	case 30: smash(64); break;
	case 31: panic("faults: asked to panic, %d", n); break;
	case 32: dump_stack(); break;
	case 33: return kept();
	case 34:
		pr_info("faults: 0x10: '%s'\n", (char *)0x10);
		pr_info("faults: NULL: '%s'\n", (char *)NULL);
		pr_info("faults: ERR_PTR(-2): '%s'\n", (char *)ERR_PTR(-2));
		pr_info("faults: page before ERR_PTR: '%s'\n", (char *)-5000L);
		pr_info("faults: %%pe '%pe' '%pe' '%pe'\n", ERR_PTR(-2), ERR_PTR(-4000), NULL);
		pr_info("faults: %%p of NULL, error, 0x10: '%p' '%p'\n", NULL, ERR_PTR(-2));
		break;
	case 35: p = NULL; OPTIMIZER_HIDE_VAR(p); return strlen(p);
	case 36: p = (void *)WILD; OPTIMIZER_HIDE_VAR(p); memcpy(p, in_data, sizeof(in_data)); break;
	case 37: p = (void *)0x1234; OPTIMIZER_HIDE_VAR(p); kfree(p); break;
	case 38: p = in_data; OPTIMIZER_HIDE_VAR(p); kfree(p); break;
	case 39: p = kmalloc(100, GFP_KERNEL); q = p; OPTIMIZER_HIDE_VAR(q); kfree(p); kfree(q); break;
	case 40: p = kmalloc(100, GFP_KERNEL); q = p + 16; OPTIMIZER_HIDE_VAR(q); kfree(q); break;
	case 41: spin_lock(&lock); msleep(20); spin_unlock(&lock); break;
	case 42: preempt_disable(); break;
	case 43: end = jiffies + seconds * HZ; while (time_before(jiffies, end)) cpu_relax(); break;
	case 44: mutex_lock(&mutex); mutex_lock(&mutex); break;
	case 45: spin_lock(&lock); spin_lock(&lock); break;
	case 46: mutex_unlock(&mutex); break;
	case 47: asm volatile("ud2"); break;
	case 48: wrmsrl(0x12345678, 1); rdmsrl(0x12345678, got); pr_info("faults: read %llx\n", got); break;
	case 49: local_irq_disable(); break;
	case 50: list_add(&one, &heads); list_del(&one); list_del(&one); break;
	case 51:
		refcount_set(&count, 0); refcount_inc(&count); pr_info("faults: count=%x\n", refcount_read(&count));
		break;
	case 52: refcount_set(&count, 1); pr_info("faults: %d\n", refcount_dec_and_test(&count));
		refcount_dec(&count); pr_info("faults: count=%x\n", refcount_read(&count)); break;
	case 53: zero = 12; strscpy(eight, "0123456789abcdef", zero); pr_info("faults: eight=%.8s\n", eight); break;
	case 54: zero = 12; memcpy(eight, "0123456789abcdef", zero); break;
	case 55: p = kmalloc(64, GFP_KERNEL); zero = 128; i = copy_to_user((void __user *)current->mm->arg_start, p, zero);
		pr_info("faults: copied, %d left\n", i); break;
	case 56: p = vmalloc(100); q = p; OPTIMIZER_HIDE_VAR(q); vfree(p); return read_at((unsigned long)q);
	case 57: vfree((void *)((unsigned long)in_data | 1)); break;
	case 58: p = kmalloc(8192, GFP_KERNEL); vfree(p); break;
	case 59: spin_unlock(&lock); break;
	case 60: spin_lock(&lock); BUG(); break;
	case 61: local_irq_disable(); write_at(0); break;
	case 62: return read_at(current->mm->arg_start);
	case 63: return call(current->mm->arg_start);
	case 64: asm volatile("movaps (%0), %%xmm0" :: "r" ((unsigned long)in_data | 4)); break;
	case 65: list_add(&one, &heads); heads.next = &two; list_add(&two, &heads); break;
	case 66: p = ERR_PTR(-ENOMEM); OPTIMIZER_HIDE_VAR(p); kfree(p); break;
	case 67: kfree(NULL); vfree(NULL); pr_info("faults: NULL freed\n"); break;
	case 68: asm volatile("hlt"); pr_info("faults: halted and went on\n"); break;
	case 69: asm volatile("cli; sti; pushf; popf"); pr_info("faults: flags played with\n"); break;
	case 70: asm volatile("int $0x2d"); break;
	case 71: asm volatile("int $0x03"); break;
	case 72: write_at(place); break;
	case 73: return read_at(place);
	case 74: return call(place);
	case 75: return n / (int)(place);
	case 76: mutex_lock(&mutex); pr_info("faults: mutex is kept\n"); break;
	case 77: spin_lock(&lock); pr_info("faults: lock is kept\n"); break;
	case 78: return call((unsigned long)victim + 1);
	case 80: asm volatile("outb %%al, $0x80; in $0x71, %%al" ::: "rax"); pr_info("faults: ports done\n"); break;
	default: return -EINVAL;
	}
	return 0;
}

module_param(place, ulong, 0644);

static int threaded(void *n)
{
	int r = fault((long)n);

	pr_info("faults: the thread ends with %d\n", r);
	return r;
}

static int what;

static void worked(struct work_struct *work)
{
	int r = fault(what);

	pr_info("faults: the work ends with %d\n", r);
}

static DECLARE_WORK(work, worked);

static void ticked(struct timer_list *unused)
{
	int r = fault(what);

	pr_info("faults: the timer ends with %d\n", r);
}

static DEFINE_TIMER(timer, ticked);

static int set(const char *value, const struct kernel_param *kp)
{
	struct task_struct *task;
	int n, r = kstrtoint(value, 0, &n);

	if (r)
		return r;
	what = n;
	*(int *)kp->arg = n;
	switch (kp->name[3]) {
	case 't':
		task = kthread_run(threaded, (void *)(long)n, "faults/%d", n);
		return PTR_ERR_OR_ZERO(task);
	case 'w':
		schedule_work(&work);
		return 0;
	case 'c':
		mod_timer(&timer, jiffies + 1);
		return 0;
	default:
		r = fault(n);
		pr_info("faults: the setter ends with %d\n", r);
		return r < 0 ? r : 0;
	}
}

static const struct kernel_param_ops ops = { .set = set, .get = param_get_int };
static int trigger, in_thread, in_work, in_clock;

module_param_cb(trigger, &ops, &trigger, 0644);
module_param_cb(in_thread, &ops, &in_thread, 0644);
module_param_cb(in_work, &ops, &in_work, 0644);
module_param_cb(in_clock, &ops, &in_clock, 0644);

static int __init start(void)
{
	int r = 0;

	kept = early;
	if (how == -1)
		write_at(0);
	if (how == -2)
		*(volatile int *)0x1234 = 3;
	if (how)
		r = fault(how);
	pr_info("faults: loaded, %d\n", r);
	return r;
}

static void __exit stop(void)
{
	if (leave)
		fault(leave);
	del_timer_sync(&timer);
	pr_info("faults: gone\n");
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
