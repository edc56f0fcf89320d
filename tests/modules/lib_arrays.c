// SPDX-License-Identifier: GPL-2.0
/* Arrays by number: all that struct xarray can be asked, struct xa_state, radix trees, numbers as long as a pointer. */
#include <linux/idr.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/radix-tree.h>
#include <linux/xarray.h>

#define TELL(what) pr_info("%s = %lld\n", #what, (long long)(what))
#define SHOW(what) pr_info("%s is %s\n", #what, name(what))

/* What an entry is, for printing. */
static const char *name(void *entry)
{
	static char texts[4][32];
	static int next;
	char *text = texts[next++ % 4];

	if (!entry)
		return "NULL";
	if (xa_is_value(entry))
		sprintf(text, "%lu", xa_to_value(entry));
	else if (xa_is_err(entry))
		sprintf(text, "error %d", xa_err(entry));
	else if (xa_is_zero(entry))
		return "zero";
	else if (xa_is_retry(entry))
		return "retry";
	else if (xa_is_sibling(entry))
		sprintf(text, "sibling %lu", xa_to_sibling(entry));
	else if (xa_is_node(entry))
		return "node";
	else if (xa_is_internal(entry))
		sprintf(text, "internal %lu", xa_to_internal(entry));
	else
		return "pointer";
	return text;
}

static void where(const char *what, struct xa_state *xas)
{
	struct xa_node *node = xas->xa_node;

	if (xas_error(xas))
		pr_info("%s: index %lu error %d\n", what, xas->xa_index, xas_error(xas));
	else if (node == XAS_BOUNDS || node == XAS_RESTART || !node)
		pr_info("%s: index %lu %s\n", what, xas->xa_index,
			node == XAS_BOUNDS ? "bounds" : node ? "restart" : "at the head");
	else
		pr_info("%s: index %lu shift %u offset %u: node shift %u offset %u count %u values %u\n", what, xas->xa_index,
			xas->xa_shift, xas->xa_offset, node->shift, node->offset, node->count, node->nr_values);
}

static DEFINE_XARRAY(array);
static int some;

static void locked(void)
{
	void *found[8];
	unsigned long index;
	unsigned int i, n;

	xa_lock(&array);
	SHOW(__xa_store(&array, 5, xa_mk_value(50), GFP_ATOMIC));
	SHOW(__xa_store(&array, 5, xa_mk_value(51), GFP_ATOMIC));
	SHOW(__xa_store(&array, 70, &some, GFP_ATOMIC));
	SHOW(__xa_store(&array, 5000, xa_mk_value(LONG_MAX), GFP_ATOMIC));
	SHOW(__xa_store(&array, ULONG_MAX, xa_mk_value(0), GFP_ATOMIC));
	SHOW(__xa_store(&array, 6, NULL, GFP_ATOMIC));
	SHOW(__xa_cmpxchg(&array, 5, xa_mk_value(50), xa_mk_value(1), GFP_ATOMIC));
	SHOW(__xa_cmpxchg(&array, 5, xa_mk_value(51), xa_mk_value(1), GFP_ATOMIC));
	SHOW(__xa_cmpxchg(&array, 8, NULL, xa_mk_value(8), GFP_ATOMIC));
	SHOW(__xa_cmpxchg(&array, 8, xa_mk_value(8), NULL, GFP_ATOMIC));
	TELL(__xa_insert(&array, 8, NULL, GFP_ATOMIC));
	TELL(__xa_insert(&array, 8, xa_mk_value(9), GFP_ATOMIC));
	SHOW(__xa_erase(&array, 8));
	SHOW(__xa_erase(&array, 8));
	__xa_set_mark(&array, 5, XA_MARK_0);
	__xa_set_mark(&array, 5, XA_MARK_2);
	__xa_set_mark(&array, 70, XA_MARK_2);
	__xa_set_mark(&array, 71, XA_MARK_1); /* nothing is there */
	__xa_set_mark(&array, ULONG_MAX, XA_MARK_2);
	__xa_clear_mark(&array, 5, XA_MARK_0);
	__xa_clear_mark(&array, 5000, XA_MARK_0);
	xa_unlock(&array);
	TELL(xa_marked(&array, XA_MARK_0));
	TELL(xa_marked(&array, XA_MARK_1));
	TELL(xa_marked(&array, XA_MARK_2));
	TELL(xa_get_mark(&array, 70, XA_MARK_2));
	TELL(xa_get_mark(&array, 71, XA_MARK_1));
	TELL(xa_get_mark(&array, 5, XA_MARK_0));
	n = xa_extract(&array, found, 0, ULONG_MAX, 8, XA_PRESENT);
	for (i = 0; i < n; i++)
		pr_info("extract %u %s\n", i, name(found[i]));
	n = xa_extract(&array, found, 6, ULONG_MAX, 8, XA_MARK_2);
	pr_info("extract marked %u %s %s\n", n, name(found[0]), name(found[1]));
	TELL(xa_extract(&array, found, 6, 69, 8, XA_PRESENT));
	TELL(xa_extract(&array, found, 0, ULONG_MAX, 2, XA_PRESENT));
	TELL(xa_extract(&array, found, 0, ULONG_MAX, 0, XA_PRESENT));
	TELL(xa_extract(&array, found, 0, ULONG_MAX, 8, XA_MARK_1));
	index = 5;
	SHOW(xa_find_after(&array, &index, 70, XA_PRESENT));
	SHOW(xa_find_after(&array, &index, 100, XA_PRESENT));
	pr_info("stays at %lu\n", index);
	index = ULONG_MAX;
	SHOW(xa_find(&array, &index, ULONG_MAX, XA_PRESENT));
	SHOW(xa_find_after(&array, &index, ULONG_MAX, XA_PRESENT));
	SHOW(xa_erase(&array, ULONG_MAX));
	TELL(xa_marked(&array, XA_MARK_2));
	SHOW(xa_store(&array, 3, (void *)2UL, GFP_KERNEL)); /* an internal entry */
	TELL(xa_reserve(&array, 4, GFP_KERNEL));
	TELL(xa_reserve(&array, 5, GFP_KERNEL));
	SHOW(xa_load(&array, 4));
	TELL(xa_insert(&array, 4, xa_mk_value(44), GFP_KERNEL));
	xa_release(&array, 4);
	TELL(xa_insert(&array, 4, xa_mk_value(44), GFP_KERNEL));
	xa_release(&array, 4);
	SHOW(xa_load(&array, 4));
}

static void states(void)
{
	XA_STATE(xas, &array, 5);
	void *entry;
	int i;

	xas_lock(&xas);
	where("new", &xas);
	SHOW(xas_load(&xas));
	where("loaded", &xas);
	SHOW(xas_store(&xas, xa_mk_value(55)));
	xas_set_mark(&xas, XA_MARK_1);
	TELL(xas_get_mark(&xas, XA_MARK_1));
	TELL(xas_get_mark(&xas, XA_MARK_0));
	xas_clear_mark(&xas, XA_MARK_1);
	TELL(xas_get_mark(&xas, XA_MARK_1));
	TELL(xa_marked(&array, XA_MARK_1));
	SHOW(xas_next(&xas));
	where("next", &xas);
	SHOW(xas_prev(&xas));
	SHOW(xas_prev(&xas));
	SHOW(xas_prev(&xas));
	where("previous", &xas);
	xas_set(&xas, 0);
	SHOW(xas_prev(&xas));
	SHOW(xas_prev(&xas));
	where("below 0", &xas);
	SHOW(xas_next(&xas));
	where("above it", &xas);
	xas_set(&xas, 0);
	for (i = 0; (entry = xas_find(&xas, ULONG_MAX)) && i < 10; i++) {
		pr_info("find %s\n", name(entry));
		where("found", &xas);
		if (i == 1) {
			xas_pause(&xas);
			where("paused", &xas);
		}
	}
	where("found all", &xas);
	SHOW(xas_find(&xas, ULONG_MAX));
	xas_set(&xas, 6);
	SHOW(xas_find(&xas, 69));
	where("none up to 69", &xas);
	SHOW(xas_find(&xas, 70));
	where("but at 70", &xas);
	xas_set(&xas, 0);
	for (i = 0; (entry = xas_find_marked(&xas, ULONG_MAX, XA_MARK_2)) && i < 10; i++) {
		pr_info("find marked %s\n", name(entry));
		where("found", &xas);
	}
	where("no more", &xas);
	xas_set(&xas, 0);
	SHOW(xas_find_marked(&xas, 4, XA_MARK_2));
	where("none up to 4", &xas);
	SHOW(xas_find_marked(&xas, 5, XA_MARK_2));
	where("but at 5", &xas);
	xas_init_marks(&xas);
	TELL(xas_get_mark(&xas, XA_MARK_2));
	TELL(xas_nomem(&xas, GFP_NOWAIT));
	xas_set_err(&xas, -EIO);
	SHOW(xas_load(&xas));
	SHOW(xas_store(&xas, xa_mk_value(1)));
	SHOW(xas_find(&xas, ULONG_MAX));
	SHOW(xas_find_marked(&xas, ULONG_MAX, XA_MARK_2));
	SHOW(xas_next(&xas));
	SHOW(xas_prev(&xas));
	TELL(xas_get_mark(&xas, XA_MARK_2));
	xas_pause(&xas);
	where("failed", &xas);
	TELL(xas_nomem(&xas, GFP_NOWAIT));
	xas_set(&xas, 1UL << 40);
	SHOW(xas_store(&xas, xa_mk_value(40)));
	where("far", &xas);
	xas_pause(&xas);
	where("paused", &xas);
	SHOW(xas_load(&xas));
	xas_set(&xas, 1UL << 40);
	SHOW(xas_store(&xas, NULL));
	where("gone", &xas);
	xas_set(&xas, ULONG_MAX);
	SHOW(xas_store(&xas, xa_mk_value(9)));
	xas_pause(&xas);
	where("paused at the end", &xas);
	SHOW(xas_find(&xas, ULONG_MAX));
	xas_set(&xas, ULONG_MAX);
	xas_store(&xas, NULL);
	xas_unlock(&xas);
	xas_set_err(&xas, -ENOMEM);
	pr_info("memory %d", xas_nomem(&xas, GFP_KERNEL));
	where("", &xas);
	xa_destroy(&array);
	TELL(xa_empty(&array));
}

/* Entries that stand for several indices. */
static void orders(void)
{
	XA_STATE_ORDER(xas, &array, 9, 2);
	unsigned long index;
	void *entry;

	where("order 2", &xas);
	xas_lock(&xas);
	SHOW(xas_store(&xas, xa_mk_value(8)));
	where("stored", &xas);
	xas_set_mark(&xas, XA_MARK_0);
	xas_unlock(&xas);
	SHOW(xa_load(&array, 7));
	SHOW(xa_load(&array, 8));
	SHOW(xa_load(&array, 11));
	SHOW(xa_load(&array, 12));
	TELL(xa_get_mark(&array, 10, XA_MARK_0));
	TELL(xa_get_order(&array, 10));
	TELL(xa_get_order(&array, 12));
	SHOW(xa_store_range(&array, 64, 127, xa_mk_value(64), GFP_KERNEL));
	SHOW(xa_store_range(&array, 130, 133, xa_mk_value(130), GFP_KERNEL));
	SHOW(xa_store_range(&array, 5, 4, xa_mk_value(1), GFP_KERNEL));
	TELL(xa_get_order(&array, 100));
	TELL(xa_get_order(&array, 130));
	xa_for_each(&array, index, entry)
		pr_info("each %lu %s order %d\n", index, name(entry), xa_get_order(&array, index));
	index = 9;
	SHOW(xa_find(&array, &index, ULONG_MAX, XA_PRESENT));
	pr_info("index %lu\n", index);
	SHOW(xa_find_after(&array, &index, ULONG_MAX, XA_PRESENT));
	pr_info("index %lu\n", index);
	SHOW(xa_store(&array, 9, xa_mk_value(99), GFP_KERNEL));
	SHOW(xa_load(&array, 11));
	SHOW(xa_erase(&array, 11));
	SHOW(xa_load(&array, 8));
	SHOW(xa_erase(&array, 70));
	SHOW(xa_load(&array, 100));
	xa_destroy(&array);
	TELL(xa_empty(&array));
}

static int updates;

static void update(struct xa_node *node)
{
	updates++;
}

/* One entry in the place of several, several in the place of one. */
static void ranges(void)
{
	XA_STATE(xas, &array, 0);
	unsigned long index;
	unsigned int last;
	void *entry;

	xas_set_update(&xas, update);
	xas_lock(&xas);
	xas_set_order(&xas, 1000, 9);
	SHOW(xas_find_conflict(&xas));
	SHOW(xas_store(&xas, xa_mk_value(512)));
	where("order 9", &xas);
	xas_set_mark(&xas, XA_MARK_1);
	TELL(updates);
	xas_set_order(&xas, 600, 3);
	SHOW(xas_find_conflict(&xas));
	where("conflict", &xas);
	xas_set(&xas, 600);
	SHOW(xas_load(&xas));
	TELL(xas_get_order(&xas));
	xas_unlock(&xas);

	xas_set_order(&xas, 512, 2);
	xas_split_alloc(&xas, xa_mk_value(512), 9, GFP_KERNEL);
	pr_info("allocated %d error %d\n", xas.xa_alloc != NULL, xas_error(&xas));
	xas_lock(&xas);
	xas_split(&xas, xa_mk_value(4), 9);
	where("split", &xas);
	xas_unlock(&xas);
	TELL(xas.xa_alloc == NULL);
	SHOW(xa_load(&array, 1023));
	TELL(xa_get_order(&array, 1023));
	TELL(xa_get_mark(&array, 1023, XA_MARK_1));
	TELL(xa_get_mark(&array, 700, XA_MARK_1));
	TELL(xa_get_mark(&array, 700, XA_MARK_0));
	index = 0;
	last = 0;
	xa_for_each(&array, index, entry)
		last++;
	TELL(last);
	xas_set_order(&xas, 512, 0);
	xas_split_alloc(&xas, xa_mk_value(4), 12, GFP_KERNEL);
	where("too large", &xas);
	xas_set_order(&xas, 1020, 1);
	xas_split_alloc(&xas, xa_mk_value(4), 2, GFP_KERNEL);
	xas_lock(&xas);
	xas_split(&xas, &some, 2);
	where("split", &xas);
	xas_unlock(&xas);
	SHOW(xa_load(&array, 1023));
	TELL(xa_get_order(&array, 1023));
	TELL(updates);

	xas_set_order(&xas, 4096, 7);
	xas_lock(&xas);
	xas_create_range(&xas);
	where("created", &xas);
	xas_unlock(&xas);
	SHOW(xa_load(&array, 4100));
	SHOW(xa_store(&array, 4100, xa_mk_value(1), GFP_KERNEL));
	xas_set_order(&xas, 4096, 7);
	xas_lock(&xas);
	SHOW(xas_find_conflict(&xas));
	where("conflict", &xas);
	SHOW(xas_find_conflict(&xas));
	where("no more", &xas);
	xas_set_order(&xas, 4096, 7);
	SHOW(xas_store(&xas, xa_mk_value(7)));
	where("over it", &xas);
	xas_unlock(&xas);
	SHOW(xa_load(&array, 4100));
	SHOW(xa_load(&array, 4223));
	SHOW(xa_store_range(&array, 0, 5000, xa_mk_value(5000), GFP_KERNEL));
	xa_for_each(&array, index, entry)
		pr_info("each %lu %s order %d\n", index, name(entry), xa_get_order(&array, index));
	SHOW(xa_store_range(&array, 3000, 1UL << 30, NULL, GFP_KERNEL));
	xa_for_each(&array, index, entry)
		pr_info("each %lu %s order %d\n", index, name(entry), xa_get_order(&array, index));
	TELL(updates);
	xa_destroy(&array);
	TELL(xa_empty(&array));
}

/* Ids of an array of its own; where NULL is stored. */
static void ids(void)
{
	static DEFINE_XARRAY_ALLOC1(given);
	static DEFINE_XARRAY_ALLOC(from_zero);
	u32 id = 77, next = 0;

	TELL(xa_alloc(&given, &id, NULL, xa_limit_32b, GFP_KERNEL));
	pr_info("id %u\n", id);
	SHOW(xa_load(&given, id));
	TELL(xa_alloc(&given, &id, xa_mk_value(3), XA_LIMIT(1, 1), GFP_KERNEL));
	TELL(xa_alloc(&given, &id, (void *)6, xa_limit_32b, GFP_KERNEL));
	SHOW(xa_store(&given, 1, NULL, GFP_KERNEL));
	TELL(xa_empty(&given));
	SHOW(xa_erase(&given, 1));
	TELL(xa_empty(&given));
	SHOW(xa_store(&given, 0, xa_mk_value(9), GFP_KERNEL));
	TELL(xa_alloc(&given, &id, xa_mk_value(3), XA_LIMIT(0, 1), GFP_KERNEL));
	pr_info("id %u\n", id);
	TELL(xa_alloc(&from_zero, &id, xa_mk_value(3), XA_LIMIT(0, 0), GFP_KERNEL));
	pr_info("id %u\n", id);
	TELL(xa_alloc(&from_zero, &id, xa_mk_value(4), XA_LIMIT(0, 0), GFP_KERNEL));
	next = UINT_MAX;
	TELL(xa_alloc_cyclic(&from_zero, &id, xa_mk_value(5), xa_limit_32b, &next, GFP_KERNEL));
	pr_info("id %u next %u\n", id, next);
	TELL(xa_alloc_cyclic(&from_zero, &id, xa_mk_value(6), xa_limit_32b, &next, GFP_KERNEL));
	pr_info("id %u next %u\n", id, next);
	TELL(xa_alloc_cyclic(&from_zero, &id, xa_mk_value(6), XA_LIMIT(0, 2), &next, GFP_KERNEL));
	TELL(xa_alloc_cyclic(&from_zero, &id, xa_mk_value(6), XA_LIMIT(0, 2), &next, GFP_KERNEL));
	xa_erase(&from_zero, 0);
	TELL(xa_alloc_cyclic(&from_zero, &id, xa_mk_value(6), XA_LIMIT(0, 2), &next, GFP_KERNEL));
	pr_info("id %u next %u\n", id, next);
	TELL(xa_alloc(&array, &id, xa_mk_value(1), xa_limit_32b, GFP_KERNEL)); /* that gives none */
	xa_destroy(&given);
	xa_destroy(&from_zero);
	TELL(xa_alloc(&given, &id, xa_mk_value(1), xa_limit_32b, GFP_KERNEL));
	pr_info("id %u\n", id);
	TELL(xa_alloc(&from_zero, &id, xa_mk_value(1), xa_limit_32b, GFP_KERNEL));
	pr_info("id %u\n", id);
	xa_destroy(&given);
	xa_destroy(&from_zero);
}

static void radix(void)
{
	static RADIX_TREE(tree, GFP_KERNEL);
	static int items[6], other;
	static const unsigned long places[] = { 1, 2, 63, 64, 4096, ULONG_MAX };
	struct radix_tree_iter iter;
	void __rcu **slot, **slots[4];
	void *found[4];
	int i, n;

	TELL(radix_tree_maybe_preload(GFP_KERNEL));
	radix_tree_preload_end();
	TELL(radix_tree_maybe_preload(GFP_NOWAIT));
	radix_tree_preload_end();
	TELL(radix_tree_empty(&tree));
	for (i = 0; i < 6; i++)
		pr_info("insert %d\n", radix_tree_insert(&tree, places[i], &items[i]));
	TELL(radix_tree_insert(&tree, 64, &other));
	slot = radix_tree_lookup_slot(&tree, 63);
	radix_tree_replace_slot(&tree, slot, &other);
	TELL(radix_tree_lookup(&tree, 63) == &other);
	TELL(radix_tree_lookup_slot(&tree, 65) == NULL);
	for (i = 0; i < 6; i += 2)
		radix_tree_tag_set(&tree, places[i], 1);
	TELL(radix_tree_tagged(&tree, 1));
	TELL(radix_tree_tagged(&tree, 0));
	n = radix_tree_gang_lookup_tag_slot(&tree, slots, 0, 4, 1);
	for (i = 0; i < n; i++)
		pr_info("slot %d holds item %d\n", i, *slots[i] == &other ? 99 : (int)((int *)*slots[i] - items));
	n = radix_tree_gang_lookup_tag_slot(&tree, slots, 2, 1, 1);
	pr_info("from 2: %d\n", n);
	TELL(radix_tree_gang_lookup_tag_slot(&tree, slots, 0, 0, 1));
	TELL(radix_tree_tag_clear(&tree, 1, 1) == &items[0]);
	TELL(radix_tree_tag_clear(&tree, 3, 1) == NULL);
	TELL(radix_tree_tag_get(&tree, 1, 1));
	TELL(radix_tree_gang_lookup_tag(&tree, found, 0, 4, 1));
	TELL(radix_tree_tag_clear(&tree, 63, 1) == &other);
	TELL(radix_tree_tag_clear(&tree, 4096, 1) == &items[4]);
	TELL(radix_tree_tagged(&tree, 1));
	radix_tree_for_each_slot(slot, &tree, &iter, 0) {
		pr_info("each %lu next %lu tags %lx\n", iter.index, iter.next_index, iter.tags);
		if (iter.index == 2) {
			slot = radix_tree_iter_resume(slot, &iter);
			pr_info("resumed %d next %lu\n", slot != NULL, iter.next_index);
		}
		if (iter.index == 64)
			radix_tree_iter_delete(&tree, &iter, slot);
	}
	TELL(radix_tree_lookup(&tree, 64) == NULL);
	radix_tree_for_each_tagged(slot, &tree, &iter, 0, 1)
		pr_info("tagged %lu\n", iter.index);
	TELL(radix_tree_delete_item(&tree, 2, &other) == NULL);
	TELL(radix_tree_delete_item(&tree, 2, &items[1]) == &items[1]);
	TELL(radix_tree_delete(&tree, 2) == NULL);
	TELL(radix_tree_delete(&tree, ULONG_MAX) == &items[5]);
	radix_tree_for_each_slot(slot, &tree, &iter, 0)
		radix_tree_iter_delete(&tree, &iter, slot);
	TELL(radix_tree_empty(&tree));
}

static int each(int id, void *p, void *data)
{
	pr_info("each id %d value %d\n", id, *(int *)p);
	return id == *(int *)data ? -7 : 0;
}

static int each_odd(int id, void *p, void *data)
{
	pr_info("each id %d small %ld\n", id, (unsigned long)p < 100 ? (long)p : -1);
	return 0;
}

static void numbers(void)
{
	static int values[4] = { 10, 11, 12, 13 };
	DEFINE_IDR(idr);
	u32 id = 5;
	unsigned long next;
	int small, stop = 6;

	TELL(idr_alloc_u32(&idr, &values[0], &id, 5, GFP_KERNEL));
	pr_info("id %u\n", id);
	id = UINT_MAX;
	TELL(idr_alloc_u32(&idr, &values[1], &id, UINT_MAX, GFP_KERNEL));
	pr_info("id %u\n", id);
	id = UINT_MAX;
	TELL(idr_alloc_u32(&idr, &values[1], &id, UINT_MAX, GFP_KERNEL));
	TELL(idr_alloc(&idr, NULL, 6, 0, GFP_KERNEL));
	TELL(idr_alloc(&idr, &values[2], 5, 7, GFP_KERNEL));
	TELL(idr_alloc(&idr, &values[2], 5, 6, GFP_KERNEL));
	TELL(idr_alloc_cyclic(&idr, &values[3], 5, 8, GFP_KERNEL));
	TELL(idr_alloc_cyclic(&idr, &values[3], 5, 8, GFP_KERNEL));
	TELL(idr_get_cursor(&idr));
	next = 0;
	TELL(*(int *)idr_get_next_ul(&idr, &next));
	pr_info("next %lu\n", next);
	next = 8;
	TELL(*(int *)idr_get_next_ul(&idr, &next));
	pr_info("next %lu\n", next);
	next = 1UL << 32;
	TELL(idr_get_next_ul(&idr, &next) == NULL);
	small = 6;
	TELL(idr_get_next(&idr, &small) == NULL);
	pr_info("next %d\n", small);
	small = 8;
	TELL(idr_get_next(&idr, &small) == NULL);
	stop = 7;
	idr_remove(&idr, UINT_MAX);
	TELL(idr_for_each(&idr, each, &stop));
	TELL(PTR_ERR(idr_replace(&idr, &values[0], 9)));
	TELL(idr_replace(&idr, &values[0], 5) == &values[0]);
	TELL(idr_replace(&idr, (void *)2, 5) == &values[0]);
	TELL(idr_remove(&idr, 1000) == NULL);
	TELL(idr_is_empty(&idr));
	idr_destroy(&idr);
	TELL(idr_is_empty(&idr));

	/* What looks like part of the tree, but is none. */
	TELL(idr_alloc(&idr, (void *)2, 0, 0, GFP_KERNEL));
	TELL(idr_alloc(&idr, (void *)6, 0, 0, GFP_KERNEL));
	TELL(idr_alloc(&idr, (char *)values + 2, 0, 0, GFP_KERNEL));
	TELL(idr_alloc(&idr, NULL, 0, 0, GFP_KERNEL));
	TELL(idr_alloc(&idr, (void *)7, 0, 0, GFP_KERNEL));
	TELL((long)idr_find(&idr, 0));
	TELL((long)idr_find(&idr, 1));
	TELL((char *)idr_find(&idr, 2) - (char *)values);
	TELL(idr_find(&idr, 3) == NULL);
	TELL(idr_for_each(&idr, each_odd, NULL));
	small = 1;
	TELL((long)idr_get_next(&idr, &small));
	small = 3;
	TELL((long)idr_get_next(&idr, &small));
	pr_info("next %d\n", small);
	small = 5;
	TELL((long)idr_get_next(&idr, &small));
	pr_info("next %d\n", small);
	TELL((long)idr_remove(&idr, 1));
	TELL(idr_alloc_cyclic(&idr, (void *)10, 0, 0, GFP_KERNEL));
	TELL(idr_alloc(&idr, (void *)14, 0, 0, GFP_KERNEL));
	TELL(idr_alloc(&idr, (void *)18, 0, 0, GFP_KERNEL));
	for (small = 1; small < 10; small++)
		idr_remove(&idr, small);
	TELL((long)idr_replace(&idr, (char *)values + 2, 0));
	TELL((char *)idr_find(&idr, 0) - (char *)values);
	TELL(idr_alloc(&idr, values, 0, 0, GFP_KERNEL));
	idr_destroy(&idr);
	idr_init_base(&idr, 3);
	TELL(idr_alloc(&idr, values, 0, 0, GFP_KERNEL));
	TELL(idr_alloc(&idr, values, 1, 3, GFP_KERNEL));
	TELL(idr_alloc(&idr, values, 100, 0, GFP_KERNEL));
	TELL(idr_find(&idr, 100) == values);
	TELL(idr_find(&idr, 0) == NULL);
	TELL(idr_alloc(&idr, values, -1, 0, GFP_KERNEL));
	idr_destroy(&idr);
}

static int __init lib_arrays_init(void)
{
	locked();
	states();
	orders();
	ranges();
	ids();
	radix();
	numbers();
	return 0;
}

static void __exit lib_arrays_exit(void)
{
}

module_init(lib_arrays_init);
module_exit(lib_arrays_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Arrays, radix trees, numbers");
