// SPDX-License-Identifier: GPL-2.0-or-later
/* Dates, mutexes that inherit priorities, credentials, outputs that there are not. */
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pwm.h>
#include <linux/rtc.h>
#include <linux/rtmutex.h>

static DEFINE_RT_MUTEX(mutex);

static int taker(void *unused)
{
	pr_info("thread tries: %d\n", rt_mutex_trylock(&mutex));
	rt_mutex_lock(&mutex);
	pr_info("thread has it\n");
	rt_mutex_unlock(&mutex);
	return 0;
}

static void mutexes(void)
{
	rt_mutex_lock(&mutex);
	kthread_run(taker, NULL, "taker");
	msleep(200);
	pr_info("mine, locked %d\n", rt_mutex_base_is_locked(&mutex.rtmutex));
	rt_mutex_unlock(&mutex);
	msleep(200);
	pr_info("try %d", rt_mutex_trylock(&mutex));
	rt_mutex_unlock(&mutex);
	pr_cont(" interruptible %d", rt_mutex_lock_interruptible(&mutex));
	rt_mutex_unlock(&mutex);
	pr_cont(" locked %d\n", rt_mutex_base_is_locked(&mutex.rtmutex));
}

static void dates(void)
{
	static const time64_t times[] = { 0, 951782400, 951868799, 1078012800, 1700000000, 4107542399LL, -1, -86400 * 366LL, 1LL << 35 };
	struct rtc_time tm;
	int i;

	for (i = 0; i < ARRAY_SIZE(times); i++) {
		rtc_time64_to_tm(times[i], &tm);
		pr_info("%d-%d-%d %d:%d:%d wday %d yday %d valid %d back %lld\n", tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour,
			tm.tm_min, tm.tm_sec, tm.tm_wday, tm.tm_yday, rtc_valid_tm(&tm), rtc_tm_to_time64(&tm));
	}
	pr_info("February %d %d %d, day %d %d\n", rtc_month_days(1, 1900), rtc_month_days(1, 2000), rtc_month_days(1, 2023),
		rtc_year_days(1, 2, 2024), rtc_year_days(31, 11, 2023));
	tm.tm_mon = 12;
	pr_info("invalid %d\n", rtc_valid_tm(&tm));
}

static void credentials(void)
{
	struct cred *new = prepare_creds();
	const struct cred *old;

	new->fsuid = new->euid = KUIDT_INIT(1234);
	old = override_creds(new);
	pr_info("overridden: %u %u %u\n", __kuid_val(current_uid()), __kuid_val(current_euid()), __kuid_val(current_fsuid()));
	revert_creds(old);
	pr_info("reverted: %u %u\n", __kuid_val(current_uid()), __kuid_val(current_euid()));
	abort_creds(new);
	new = prepare_kernel_cred(NULL);
	pr_info("kernel's: %u %d\n", __kuid_val(new->uid), cap_raised(new->cap_effective, CAP_SYS_MODULE));
	put_cred(new);
}

static int __init lib_more_init(void)
{
	mutexes();
	dates();
	credentials();
	pr_info("pwm %ld %ld %ld\n", PTR_ERR(pwm_request(0, "a")), PTR_ERR(pwm_request(1024, "b")), PTR_ERR(pwm_request(-1, "c")));
	pr_info("high memory %d\n", (unsigned long)high_memory > PAGE_OFFSET);
	return 0;
}

static void __exit lib_more_exit(void)
{
}

module_init(lib_more_init);
module_exit(lib_more_exit);
MODULE_LICENSE("GPL");
