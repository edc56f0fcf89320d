// SPDX-License-Identifier: GPL-2.0
/* Lists with owners, queues in rings, trees that readers walk, counters of several processors. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kfifo.h>
#include <linux/klist.h>
#include <linux/kthread.h>
#include <linux/lockref.h>
#include <linux/module.h>
#include <linux/percpu_counter.h>
#include <linux/rbtree.h>
#include <linux/slab.h>

#define TELL(what) pr_info("%s = %lld\n", #what, (long long)(what))

struct item {
	int number;
	struct klist_node node;
};

static struct item items[8];
static struct klist list, bare;
static char order[200];

static int number(struct klist_node *n)
{
	return n ? container_of(n, struct item, node)->number : -1;
}

static void get(struct klist_node *n)
{
	pr_info("get %d attached %d\n", number(n), klist_node_attached(n));
}

static void put(struct klist_node *n)
{
	pr_info("put %d attached %d\n", number(n), klist_node_attached(n));
}

static const char *all(struct klist *k)
{
	struct klist_iter iter;
	struct klist_node *n;

	order[0] = 0;
	klist_iter_init(k, &iter);
	while ((n = klist_next(&iter)))
		sprintf(order + strlen(order), " %d", number(n));
	pr_info("at the end, next %d\n", number(klist_next(&iter)));
	klist_iter_exit(&iter);
	return order;
}

static const char *backwards(struct klist *k, struct klist_node *from)
{
	struct klist_iter iter;
	struct klist_node *n;

	order[0] = 0;
	klist_iter_init_node(k, &iter, from);
	while ((n = klist_prev(&iter)))
		sprintf(order + strlen(order), " %d", number(n));
	klist_iter_exit(&iter);
	return order;
}

static void lists(void)
{
	struct klist_iter iter;
	int i;

	for (i = 0; i < 8; i++)
		items[i].number = i;
	klist_init(&list, get, put);
	klist_init(&bare, NULL, NULL);
	TELL(klist_node_attached(&items[0].node));
	pr_info("empty%s backwards%s\n", all(&list), backwards(&list, NULL));
	klist_add_tail(&items[0].node, &list);
	klist_add_head(&items[1].node, &list);
	klist_add_tail(&items[2].node, &list);
	klist_add_behind(&items[3].node, &items[0].node);
	klist_add_before(&items[4].node, &items[0].node);
	klist_add_before(&items[5].node, &items[1].node);
	klist_add_behind(&items[6].node, &items[2].node);
	TELL(klist_node_attached(&items[0].node));
	pr_info("all%s\n", all(&list));
	pr_info("backwards%s\n", backwards(&list, NULL));
	pr_info("before 0%s\n", backwards(&list, &items[0].node));
	klist_iter_init_node(&list, &iter, &items[0].node);
	pr_info("count %d next %d count %d\n", kref_read(&items[0].node.n_ref), number(klist_next(&iter)),
		kref_read(&items[0].node.n_ref));
	/* The one where somebody stands goes when he moves on. */
	klist_del(&items[3].node);
	pr_info("deleted below an iterator: attached %d count %d\n", klist_node_attached(&items[3].node),
		kref_read(&items[3].node.n_ref));
	klist_del(&items[2].node);
	pr_info("next %d attached %d\n", number(klist_next(&iter)), klist_node_attached(&items[3].node));
	pr_info("previous %d\n", number(klist_prev(&iter)));
	pr_info("previous %d\n", number(klist_prev(&iter)));
	klist_del(&items[4].node);
	pr_info("deleted: attached %d\n", klist_node_attached(&items[4].node));
	klist_iter_exit(&iter);
	pr_info("after the iterator: attached %d\n", klist_node_attached(&items[4].node));
	klist_iter_exit(&iter);
	pr_info("all%s\n", all(&list));
	klist_iter_init_node(&list, &iter, &items[4].node); /* it is gone */
	pr_info("next %d\n", number(klist_next(&iter)));
	klist_iter_exit(&iter);
	klist_remove(&items[0].node);
	pr_info("removed: attached %d\n", klist_node_attached(&items[0].node));
	klist_add_tail(&items[7].node, &bare);
	klist_del(&items[7].node);
	TELL(klist_node_attached(&items[7].node));
	klist_add_tail(&items[7].node, &bare);
	pr_info("bare%s\n", all(&bare));
	klist_remove(&items[7].node);
	TELL(list_empty(&bare.k_list));
}

/* Removing waits until nobody stands there. */
static DECLARE_COMPLETION(standing);
static bool moved;

static int walker(void *unused)
{
	struct klist_iter iter;

	klist_iter_init(&list, &iter);
	klist_next(&iter);
	complete(&standing);
	msleep(500);
	moved = true;
	klist_iter_exit(&iter);
	return 0;
}

static void wait(void)
{
	klist_del(&items[6].node);
	klist_del(&items[1].node);
	pr_info("left%s\n", all(&list));
	kthread_run(walker, NULL, "walker");
	wait_for_completion(&standing);
	klist_remove(&items[5].node);
	pr_info("removed after the walker has moved on %d: attached %d\n", moved, klist_node_attached(&items[5].node));
	msleep(300);
}

static void rings(void)
{
	static int room[8];
	static char text[32];
	static unsigned char small[300];
	struct kfifo_rec_ptr_1 records;
	struct kfifo_rec_ptr_2 wide;
	DECLARE_KFIFO_PTR(ring, int);
	int value, i;

	TELL(kfifo_init(&ring, room, sizeof(room)));
	TELL(kfifo_size(&ring));
	for (i = 0; i < 10; i++)
		if (!kfifo_put(&ring, i))
			break;
	TELL(i);
	TELL(kfifo_get(&ring, &value));
	TELL(value);
	TELL(kfifo_avail(&ring));
	kfifo_skip(&ring);
	TELL(kfifo_peek(&ring, &value));
	TELL(value);
	TELL(kfifo_init(&ring, room, 7 * sizeof(int)));
	TELL(kfifo_size(&ring));
	TELL(kfifo_init(&ring, room, sizeof(int)));
	TELL(kfifo_size(&ring));
	TELL(kfifo_init(&ring, room, 0));
	TELL(kfifo_put(&ring, 1));
	TELL(kfifo_init(&records, text, 32));
	TELL(kfifo_peek_len(&records));
	TELL(kfifo_out(&records, text, 4));
	TELL(kfifo_in(&records, "first", 5));
	TELL(kfifo_in(&records, "", 0));
	TELL(kfifo_in(&records, "the third record", 16));
	TELL(kfifo_in(&records, "no room", 8));
	TELL(kfifo_avail(&records));
	TELL(kfifo_len(&records));
	{
		static char out[32];

		i = kfifo_out_peek(&records, out, 31);
		pr_info("peek %d %s\n", i, out);
		i = kfifo_out_peek(&records, out, 2);
		pr_info("peek %d %.2s\n", i, out);
		TELL(kfifo_out_peek(&records, out, 0));
		kfifo_skip(&records);
		TELL(kfifo_peek_len(&records));
		TELL(kfifo_out_peek(&records, out, 31));
		kfifo_skip(&records);
		TELL(kfifo_peek_len(&records));
		TELL(kfifo_in(&records, "wraps around", 12));
		memset(out, 0, sizeof(out));
		i = kfifo_out(&records, out, 31);
		pr_info("out %d %s\n", i, out);
		memset(out, 0, sizeof(out));
		i = kfifo_out_peek(&records, out, 31);
		pr_info("peek %d %s\n", i, out);
		kfifo_skip(&records);
		TELL(kfifo_is_empty(&records));
		kfifo_skip(&records); /* of an empty one */
		TELL(kfifo_len(&records));
	}
	TELL(kfifo_alloc(&records, 512, GFP_KERNEL));
	TELL(kfifo_in(&records, small, 255));
	TELL(kfifo_in(&records, small, 300)); /* more than a length of one byte tells */
	TELL(kfifo_avail(&records));
	kfifo_reset(&records);
	TELL(kfifo_avail(&records));
	kfifo_free(&records);
	TELL(kfifo_alloc(&wide, 1024, GFP_KERNEL));
	TELL(kfifo_in(&wide, small, 300));
	TELL(kfifo_peek_len(&wide));
	TELL(kfifo_avail(&wide));
	kfifo_skip(&wide);
	TELL(kfifo_is_empty(&wide));
	kfifo_free(&wide);
	TELL(__kfifo_max_r(0, 1));
	TELL(__kfifo_max_r(255, 1));
	TELL(__kfifo_max_r(300, 1));
	TELL(__kfifo_max_r(UINT_MAX, 2));
}

struct place {
	struct rb_node rb;
	int key;
};

static void trees(void)
{
	static struct place places[7], other = { .key = 30 };
	struct rb_root root = RB_ROOT;
	struct rb_node *node;
	int i;

	for (i = 0; i < 7; i++) {
		struct rb_node **link = &root.rb_node, *parent = NULL;

		places[i].key = i * 10;
		while (*link) {
			parent = *link;
			link = places[i].key < rb_entry(parent, struct place, rb)->key ? &parent->rb_left : &parent->rb_right;
		}
		rb_link_node_rcu(&places[i].rb, parent, link);
		rb_insert_color(&places[i].rb, &root);
	}
	rb_replace_node_rcu(&places[3].rb, &other.rb, &root);
	pr_info("root %d\n", rb_entry(root.rb_node, struct place, rb)->key);
	other.key = 31;
	order[0] = 0;
	for (node = rb_first(&root); node; node = rb_next(node))
		sprintf(order + strlen(order), " %d", rb_entry(node, struct place, rb)->key);
	pr_info("replaced%s\n", order);
	other.key = 30;
	rb_replace_node_rcu(root.rb_node, &places[3].rb, &root);
	rb_replace_node_rcu(&places[0].rb, &other.rb, &root);
	other.key = -5;
	order[0] = 0;
	for (node = rb_last(&root); node; node = rb_prev(node))
		sprintf(order + strlen(order), " %d", rb_entry(node, struct place, rb)->key);
	pr_info("backwards%s\n", order);
}

static void counters(void)
{
	struct percpu_counter counter;
	struct lockref ref = { .count = 2 };

	TELL(percpu_counter_init(&counter, -5, GFP_KERNEL));
	percpu_counter_add(&counter, 3);
	TELL(percpu_counter_read(&counter));
	TELL(percpu_counter_read_positive(&counter));
	TELL(percpu_counter_sum(&counter));
	percpu_counter_sync(&counter);
	TELL(percpu_counter_read(&counter));
	percpu_counter_add_batch(&counter, 100, 1000);
	TELL(percpu_counter_read(&counter));
	percpu_counter_add_batch(&counter, -1200, 1000);
	TELL(percpu_counter_read(&counter));
	percpu_counter_add_batch(&counter, 1LL << 40, 10);
	TELL(percpu_counter_sum(&counter));
	percpu_counter_sync(&counter);
	TELL(percpu_counter_read(&counter));
	TELL(percpu_counter_compare(&counter, 1LL << 40));
	TELL(percpu_counter_compare(&counter, -2000));
	percpu_counter_set(&counter, 10);
	TELL(percpu_counter_compare(&counter, 10));
	percpu_counter_dec(&counter);
	TELL(percpu_counter_compare(&counter, 10));
	TELL(percpu_counter_initialized(&counter));
	percpu_counter_destroy(&counter);
	TELL(percpu_counter_initialized(&counter));
	percpu_counter_destroy(&counter);

	spin_lock_init(&ref.lock);
	TELL(lockref_put_not_zero(&ref));
	TELL(lockref_put_not_zero(&ref));
	TELL(ref.count);
	TELL(lockref_put_return(&ref));
	TELL(lockref_put_return(&ref));
	TELL(lockref_put_not_zero(&ref));
	TELL(lockref_get_not_zero(&ref));
	TELL(lockref_get_not_dead(&ref));
	TELL(ref.count);
	TELL(lockref_put_or_lock(&ref));
	TELL(spin_is_locked(&ref.lock));
	spin_unlock(&ref.lock);
	lockref_get(&ref);
	TELL(ref.count);
	spin_lock(&ref.lock);
	TELL(lockref_put_return(&ref));
	spin_unlock(&ref.lock);
	spin_lock(&ref.lock);
	lockref_mark_dead(&ref);
	spin_unlock(&ref.lock);
	TELL(ref.count);
	TELL(__lockref_is_dead(&ref));
	TELL(lockref_get_not_dead(&ref));
	TELL(lockref_get_not_zero(&ref));
	TELL(lockref_put_not_zero(&ref));
	TELL(ref.count);
}

static int __init lib_queues_init(void)
{
	lists();
	wait();
	rings();
	trees();
	counters();
	return 0;
}

static void __exit lib_queues_exit(void)
{
}

module_init(lib_queues_init);
module_exit(lib_queues_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Lists, rings, trees, counters");
