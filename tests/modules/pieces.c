// SPDX-License-Identifier: GPL-2.0
/* Pieces of the kernel that are used together seldom: each is tried once, by the name in "piece". */
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/kallsyms.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

static char *piece = "";
module_param(piece, charp, 0);

static void hash(const char *name, const char *key)
{
	struct crypto_shash *tfm = crypto_alloc_shash(name, 0, 0);
	u8 digest[32];
	int ret;

	if (IS_ERR(tfm)) {
		pr_info("pieces: %s: %ld\n", name, PTR_ERR(tfm));
		return;
	}
	if (key)
		pr_info("pieces: key %d\n", crypto_shash_setkey(tfm, key, strlen(key)));
	{
		SHASH_DESC_ON_STACK(desc, tfm);

		desc->tfm = tfm;
		ret = crypto_shash_init(desc) ?: crypto_shash_update(desc, "some ", 5) ?: crypto_shash_update(desc, "text", 4) ?:
		      crypto_shash_final(desc, digest);
		pr_info("pieces: %s %s %u %u: %d %*phN\n", name, crypto_tfm_alg_driver_name(crypto_shash_tfm(tfm)), crypto_shash_descsize(tfm),
			crypto_shash_blocksize(tfm), ret, ret ? 0 : crypto_shash_digestsize(tfm), digest);
		ret = crypto_shash_digest(desc, "some text", 9, digest);
		pr_info("pieces: at once: %d %*phN\n", ret, ret ? 0 : 8, digest);
	}
	crypto_free_shash(tfm);
}

static void cipher(void)
{
	struct crypto_skcipher *tfm = crypto_alloc_skcipher("cbc(aes)", 0, 0);
	struct skcipher_request *req;
	struct scatterlist sg[2];
	u8 *data = kmalloc(64, GFP_KERNEL), iv[16] = "0123456789abcde", key[32] = "a key of thirty-two bytes in all";
	int ret;

	if (IS_ERR(tfm) || !data) {
		pr_info("pieces: no cipher\n");
		return;
	}
	req = skcipher_request_alloc(tfm, GFP_KERNEL);
	strcpy(data, "thirty-two bytes of what is said");
	sg_init_table(sg, 2);
	sg_set_buf(&sg[0], data, 20);
	sg_set_buf(&sg[1], data + 20, 12);
	skcipher_request_set_callback(req, 0, NULL, NULL);
	skcipher_request_set_crypt(req, sg, sg, 32, iv);
	pr_info("pieces: ivsize %u blocksize %u\n", crypto_skcipher_ivsize(tfm), crypto_skcipher_blocksize(tfm));
	pr_info("pieces: without a key %d\n", crypto_skcipher_encrypt(req));
	pr_info("pieces: key of 15 %d\n", crypto_skcipher_setkey(tfm, key, 15));
	pr_info("pieces: key of 20 %d\n", crypto_skcipher_setkey(tfm, key, 20));
	pr_info("pieces: key of 32 %d\n", crypto_skcipher_setkey(tfm, key, 32));
	ret = crypto_skcipher_encrypt(req);
	pr_info("pieces: encrypted %d %32phN, next %16phN\n", ret, data, iv);
	memcpy(iv, "0123456789abcde", 16);
	ret = crypto_skcipher_decrypt(req);
	pr_info("pieces: decrypted %d %.32s\n", ret, data);
	skcipher_request_set_crypt(req, sg, sg, 30, iv);
	pr_info("pieces: odd %d\n", crypto_skcipher_encrypt(req));
	skcipher_request_free(req);
	crypto_free_skcipher(tfm);
	kfree(data);
}

static int beats;
static DECLARE_COMPLETION(beaten);

static enum hrtimer_restart beat(struct hrtimer *timer)
{
	u64 passed = hrtimer_forward_now(timer, ms_to_ktime(20));

	pr_info("pieces: beat %d %s\n", ++beats, passed ? "late or in time" : "early");
	if (beats < 3)
		return HRTIMER_RESTART;
	complete(&beaten);
	return HRTIMER_NORESTART;
}

static void timers(void)
{
	static struct hrtimer timer;
	static const int clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME };
	ktime_t nap = ms_to_ktime(30);
	int i;

	for (i = 0; i < 3; i++) {
		beats = 0;
		reinit_completion(&beaten);
		hrtimer_init(&timer, clocks[i], HRTIMER_MODE_REL);
		timer.function = beat;
		hrtimer_start(&timer, ms_to_ktime(20), HRTIMER_MODE_REL);
		wait_for_completion(&beaten);
		pr_info("pieces: cancelled %d\n", hrtimer_cancel(&timer));
	}
	set_current_state(TASK_UNINTERRUPTIBLE);
	pr_info("pieces: nap %d\n", schedule_hrtimeout(&nap, HRTIMER_MODE_REL));
	nap = 0;
	set_current_state(TASK_UNINTERRUPTIBLE);
	pr_info("pieces: no nap %d\n", schedule_hrtimeout(&nap, HRTIMER_MODE_REL));
}

static void busy_tasklet(struct tasklet_struct *unused)
{
	pr_info("pieces: tasklet of %s\n", current->comm);
}

static void busy_timer(struct timer_list *unused)
{
	pr_info("pieces: timer in softirq %d\n", !!in_serving_softirq());
}

static DECLARE_TASKLET(busy_task, busy_tasklet);
static DEFINE_TIMER(busy_time, busy_timer);

static void busy(void)
{
	tasklet_schedule(&busy_task);
	mdelay(100);
	pr_info("pieces: after the tasklet\n");
	mod_timer(&busy_time, jiffies + HZ / 20);
	mdelay(200);
	pr_info("pieces: after the timer\n");
	local_bh_disable();
	tasklet_schedule(&busy_task);
	mdelay(100);
	pr_info("pieces: not while softirqs are disabled\n");
	local_bh_enable();
	pr_info("pieces: but then\n");
	tasklet_kill(&busy_task);
}

static DECLARE_COMPLETION(all);

static int leave(void *unused)
{
	complete_all(&all);
	kthread_complete_and_exit(&all, 0);
}

static void completions(void)
{
	kthread_run(leave, NULL, "leaver");
	wait_for_completion(&all);
	msleep(100);
	wait_for_completion(&all);
	pr_info("pieces: complete %d\n", completion_done(&all));
}

static void pages(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	int i;

	split_page(page, 2);
	for (i = 3; i >= 0; i--) {
		pr_info("pieces: page %d has %d\n", i, page_count(page + i));
		__free_page(page + i);
	}
}

static void tasks(void)
{
	struct mm_struct *mm = get_task_mm(current);
	struct task_struct *thread;
	char name[KSYM_SYMBOL_LEN];
	int threads = 0;

	for_each_thread(current, thread)
		threads++;
	pr_info("pieces: %d threads, %d, leader %d, terminal %d\n", threads, get_nr_threads(current), thread_group_leader(current),
		!!current->signal->tty);
	pr_info("pieces: the same %d, code %d, data %d, stack %d, arguments %d, areas %d\n", mm == current->mm, mm->start_code < mm->end_code,
		mm->start_data < mm->end_data, mm->start_stack < TASK_SIZE, mm->arg_start < mm->arg_end, mm->map_count > 4);
	mmput(mm);
	pr_info("pieces: parent %s, mm %d\n", current->real_parent->comm, !!current->real_parent->mm);
	pr_info("pieces: %d ", sprint_symbol_no_offset(name, (unsigned long)kfree));
	pr_cont("%s\n", name);
	sprint_symbol(name, (unsigned long)tasks + 4);
	pr_info("pieces: %.8s\n", name);
}

static int __init pieces_init(void)
{
	if (!strcmp(piece, "crypto")) {
		hash("md5", NULL);
		hash("sha1", NULL);
		hash("sha224", NULL);
		hash("sha256", NULL);
		hash("sha256-generic", NULL);
		hash("hmac(sha256)", NULL);
		hash("hmac(sha256)", "secret");
		hash("nothing", NULL);
		cipher();
	} else if (!strcmp(piece, "timers")) {
		timers();
	} else if (!strcmp(piece, "busy")) {
		busy();
	} else if (!strcmp(piece, "completions")) {
		completions();
	} else if (!strcmp(piece, "pages")) {
		pages();
	} else if (!strcmp(piece, "tasks")) {
		tasks();
	}
	return 0;
}

static void __exit pieces_exit(void)
{
	del_timer_sync(&busy_time);
}

module_init(pieces_init);
module_exit(pieces_exit);
MODULE_DESCRIPTION("Pieces of the kernel that are seldom used together");
MODULE_LICENSE("GPL");
