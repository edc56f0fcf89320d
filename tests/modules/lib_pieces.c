// SPDX-License-Identifier: GPL-2.0
/* Lists of pieces of memory, counters, reference counts. */
#include <linux/kernel.h>
#include <linux/lockref.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu_counter.h>
#include <linux/scatterlist.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static void pieces(void)
{
	struct scatterlist list[3], one, *sg;
	struct sg_table table;
	struct sg_mapping_iter miter;
	struct sg_page_iter pages;
	char *page = (char *)__get_free_pages(GFP_KERNEL, 1), *text = kmalloc(32, GFP_KERNEL), back[40] = "";
	size_t n;
	int i;

	memset(page, '.', 2 * PAGE_SIZE);
	sg_init_table(list, 3);
	sg_set_buf(&list[0], page + 10, 5);
	sg_set_buf(&list[1], text, 8);
	sg_set_buf(&list[2], page + PAGE_SIZE - 4, 20);
	for_each_sg(list, sg, 3, i)
		pr_info("sg %d %u %u last %d\n", i, sg == list + 2 ? sg->offset : 0, sg->length, sg_is_last(sg));
	pr_info("nents %d %d %d %d\n", sg_nents(list), sg_nents_for_len(list, 13), sg_nents_for_len(list, 14),
		sg_nents_for_len(list, 34));
	pr_info("last %d next of it %d\n", (int)(sg_last(list, 3) - list), sg_next(&list[2]) != NULL);
	n = sg_copy_from_buffer(list, 3, "The quick brown fox jumps over it", 33);
	pr_info("copied %zu %.5s|%.8s|%.20s\n", n, page + 10, text, page + PAGE_SIZE - 4);
	n = sg_copy_to_buffer(list, 3, back, 12);
	pr_info("back %zu %.12s\n", n, back);
	n = sg_pcopy_to_buffer(list, 3, back, 40, 7);
	pr_info("back %zu %.26s\n", n, back);
	n = sg_pcopy_from_buffer(list, 2, "xyz", 3, 11);
	pr_info("copied %zu %.8s\n", n, text);
	n = sg_zero_buffer(list, 3, 2, 1);
	pr_info("zeroed %zu %*ph\n", n, 5, page + 10);
	sg_init_one(&one, page + 100, 9000);
	for_each_sg_page(&one, &pages, 1, 0)
		pr_info("page %u\n", pages.sg_pgoffset);
	sg_miter_start(&miter, list, 3, SG_MITER_ATOMIC | SG_MITER_FROM_SG);
	while (sg_miter_next(&miter))
		pr_info("miter %zu %c\n", miter.length, ((char *)miter.addr)[miter.length - 1]);
	sg_miter_stop(&miter);
	sg_miter_start(&miter, list, 3, SG_MITER_TO_SG);
	pr_info("skip %d", sg_miter_skip(&miter, 6));
	pr_cont(" next %d", sg_miter_next(&miter));
	pr_cont(" %zu\n", miter.length);
	miter.consumed = 2;
	pr_info("next %d", sg_miter_next(&miter));
	pr_cont(" %zu\n", miter.length);
	sg_miter_stop(&miter);
	pr_info("table %d", sg_alloc_table(&table, 200, GFP_KERNEL));
	pr_cont(" %u %u %d\n", table.nents, table.orig_nents, sg_nents(table.sgl));
	for_each_sgtable_sg(&table, sg, i)
		sg_set_buf(sg, page + i, 1);
	pr_info("copied %zu\n", sg_copy_from_buffer(table.sgl, table.nents, page + PAGE_SIZE, 150));
	sg_free_table(&table);
	pr_info("table %d %u %d\n", table.sgl != NULL, table.orig_nents, sg_alloc_table(&table, 0, GFP_KERNEL));
	clear_page(page);
	copy_page(page + PAGE_SIZE, page);
	pr_info("clear %d %d\n", memchr_inv(page, 0, PAGE_SIZE) != NULL, memchr_inv(page + PAGE_SIZE, 0, PAGE_SIZE) != NULL);
	kfree(text);
	free_pages((unsigned long)page, 1);
}

static void counters(void)
{
	struct percpu_counter counter;
	struct lockref ref = { .count = 1 };

	pr_info("counter %d", percpu_counter_init(&counter, 5, GFP_KERNEL));
	percpu_counter_inc(&counter);
	percpu_counter_add_batch(&counter, 20, 32);
	pr_cont(" %lld %lld", percpu_counter_read(&counter), percpu_counter_sum(&counter));
	percpu_counter_add_batch(&counter, 20, 32);
	pr_cont(" %lld %lld", percpu_counter_read(&counter), percpu_counter_sum(&counter));
	percpu_counter_sub(&counter, 50);
	pr_cont(" %lld", percpu_counter_sum_positive(&counter));
	pr_cont(" %d", percpu_counter_compare(&counter, -5));
	percpu_counter_set(&counter, 7);
	pr_cont(" %lld\n", percpu_counter_sum(&counter));
	percpu_counter_destroy(&counter);
	spin_lock_init(&ref.lock);
	lockref_get(&ref);
	pr_info("lockref %d %d", ref.count, lockref_get_not_zero(&ref));
	pr_cont(" %d", lockref_put_return(&ref));
	pr_cont(" %d", lockref_put_return(&ref));
	pr_cont(" %d", lockref_put_return(&ref));
	pr_cont(" %d %d", lockref_put_return(&ref), lockref_get_not_zero(&ref));
	spin_lock(&ref.lock);
	lockref_mark_dead(&ref);
	spin_unlock(&ref.lock);
	pr_cont(" %d %d\n", ref.count, lockref_get_not_dead(&ref));
}

static void last_references(void)
{
	refcount_t r = REFCOUNT_INIT(2);
	atomic_t a = ATOMIC_INIT(2);
	static DEFINE_SPINLOCK(lock);
	static DEFINE_MUTEX(mutex);
	unsigned long flags;

	pr_info("refcount_dec_and_lock %d", refcount_dec_and_lock(&r, &lock));
	pr_cont(" %d", refcount_dec_and_lock(&r, &lock));
	pr_cont(" %d %u\n", spin_is_locked(&lock), refcount_read(&r));
	spin_unlock(&lock);
	refcount_set(&r, 1);
	pr_info("irqsave %d", refcount_dec_and_lock_irqsave(&r, &lock, &flags));
	pr_cont(" %d", irqs_disabled());
	spin_unlock_irqrestore(&lock, flags);
	pr_cont(" %d\n", irqs_disabled());
	refcount_set(&r, 2);
	pr_info("mutex %d", refcount_dec_and_mutex_lock(&r, &mutex));
	pr_cont(" %d", refcount_dec_and_mutex_lock(&r, &mutex));
	pr_cont(" %d\n", mutex_is_locked(&mutex));
	mutex_unlock(&mutex);
	pr_info("atomic_dec_and_lock %d", atomic_dec_and_lock(&a, &lock));
	pr_cont(" %d", atomic_dec_and_lock_irqsave(&a, &lock, flags));
	pr_cont(" %d %d\n", atomic_read(&a), spin_is_locked(&lock));
	spin_unlock_irqrestore(&lock, flags);
}

static int __init lib_pieces_init(void)
{
	pieces();
	counters();
	last_references();
	return 0;
}

static void __exit lib_pieces_exit(void)
{
}

module_init(lib_pieces_init);
module_exit(lib_pieces_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Pieces of memory, counters");
