// SPDX-License-Identifier: GPL-2.0
/* Ids, arrays, radix trees. */
#include <linux/idr.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/radix-tree.h>
#include <linux/slab.h>
#include <linux/xarray.h>

static int things[400];

static int each(int id, void *entry, void *data)
{
	*(int *)data += id;
	return id == 5000 ? 7 : 0;
}

static int number(void *entry)
{
	return entry ? (int)((int *)entry - things) : -1;
}

static void idrs(void)
{
	DEFINE_IDR(idr);
	int i, id, sum = 0, n = 0;
	void *entry;
	u32 u = 3;

	pr_info("idr empty %d\n", idr_is_empty(&idr));
	for (i = 0; i < 5; i++)
		pr_info("idr_alloc %d\n", idr_alloc(&idr, &things[i], 0, 0, GFP_KERNEL));
	pr_info("idr_alloc %d %d %d %d\n", idr_alloc(&idr, &things[5], 100, 101, GFP_KERNEL),
		idr_alloc(&idr, &things[5], 100, 101, GFP_KERNEL), idr_alloc(&idr, &things[6], 3, 200, GFP_KERNEL),
		idr_alloc(&idr, &things[7], 5000, 0, GFP_KERNEL));
	pr_info("idr_find %d %d %d %d\n", number(idr_find(&idr, 2)), number(idr_find(&idr, 100)),
		number(idr_find(&idr, 99)), number(idr_find(&idr, 1 << 20)));
	pr_info("idr_remove %d %d %d\n", number(idr_remove(&idr, 2)), number(idr_remove(&idr, 2)),
		number(idr_remove(&idr, 70000)));
	pr_info("idr_alloc %d\n", idr_alloc(&idr, NULL, 0, 0, GFP_KERNEL));
	pr_info("idr_find %d idr_replace", number(idr_find(&idr, 2)));
	pr_cont(" %d", number(idr_replace(&idr, &things[8], 2)));
	pr_cont(" %d %ld\n", number(idr_replace(&idr, &things[9], 2)), PTR_ERR(idr_replace(&idr, &things[9], 50)));
	pr_info("idr_alloc_u32 %d", idr_alloc_u32(&idr, &things[10], &u, 10, GFP_KERNEL));
	pr_cont(" %u\n", u);
	idr_for_each_entry(&idr, entry, id)
		pr_info("idr entry %d %d\n", id, number(entry));
	i = idr_for_each(&idr, each, &sum);
	pr_info("idr_for_each %d %d\n", i, sum);
	id = 101;
	entry = idr_get_next(&idr, &id);
	pr_info("idr_get_next %d %d", id, number(entry));
	id = 5001;
	entry = idr_get_next(&idr, &id);
	pr_cont(" %d %d\n", id, number(entry));
	for (i = 0; i < 4; i++)
		pr_info("cyclic %d\n", idr_alloc_cyclic(&idr, &things[i], 5000, 5003, GFP_KERNEL));
	idr_remove(&idr, 5001);
	pr_info("cyclic %d next %u\n", idr_alloc_cyclic(&idr, &things[1], 5000, 5003, GFP_KERNEL), idr_get_cursor(&idr));
	for (i = 0; i < 300; i++)
		n += idr_alloc(&idr, &things[i], 0, 0, GFP_KERNEL);
	pr_info("many %d\n", n);
	for (i = 0; i < 6000; i++)
		idr_remove(&idr, i);
	pr_info("idr empty %d %d\n", idr_is_empty(&idr), idr_alloc(&idr, &things[1], 0, 0, GFP_KERNEL));
	idr_preload(GFP_KERNEL);
	pr_info("preloaded %d\n", idr_alloc(&idr, &things[2], 1, 0, GFP_NOWAIT));
	idr_preload_end();
	idr_destroy(&idr);
	pr_info("idr empty %d\n", idr_is_empty(&idr));
	idr_init_base(&idr, 10);
	pr_info("base %d %d", idr_alloc(&idr, &things[1], 0, 0, GFP_KERNEL), idr_alloc(&idr, &things[2], 20, 0, GFP_KERNEL));
	pr_cont(" %d %d", number(idr_find(&idr, 10)), number(idr_remove(&idr, 20)));
	pr_cont(" %d\n", idr_alloc(&idr, &things[2], 0, 9, GFP_KERNEL));
	idr_destroy(&idr);
	idr_init(&idr);
	pr_info("NULL first %d", idr_alloc(&idr, NULL, 0, 0, GFP_KERNEL));
	pr_cont(" %d %d", idr_alloc(&idr, NULL, 0, 0, GFP_KERNEL), idr_alloc(&idr, &things[3], 0, 0, GFP_KERNEL));
	pr_cont(" %d", number(idr_remove(&idr, 0)));
	pr_cont(" %d %d\n", idr_alloc(&idr, NULL, 0, 0, GFP_KERNEL), idr_alloc(&idr, NULL, 0, 0, GFP_KERNEL));
	idr_destroy(&idr);
}

static void idas(void)
{
	DEFINE_IDA(ida);
	int i, id = 0;

	pr_info("ida empty %d %d %d", ida_is_empty(&ida), ida_alloc(&ida, GFP_KERNEL), ida_alloc(&ida, GFP_KERNEL));
	pr_cont(" %d %d\n", ida_alloc_min(&ida, 70, GFP_KERNEL), ida_is_empty(&ida));
	pr_info("ida %d %d %d\n", ida_alloc_range(&ida, 0, 1, GFP_KERNEL), ida_alloc_max(&ida, 2, GFP_KERNEL),
		ida_alloc_range(&ida, 5000, 5001, GFP_KERNEL));
	ida_free(&ida, 1);
	pr_info("ida %d %d %d\n", ida_alloc(&ida, GFP_KERNEL), ida_alloc_range(&ida, -1, 5, GFP_KERNEL),
		ida_simple_get(&ida, 3, 4, GFP_KERNEL));
	for (i = 0; i < 1100; i++)
		id = ida_alloc(&ida, GFP_KERNEL);
	pr_info("ida %d\n", id);
	ida_free(&ida, 1024);
	ida_free(&ida, 17);
	pr_info("ida %d", ida_alloc_min(&ida, 18, GFP_KERNEL));
	pr_cont(" %d\n", ida_alloc(&ida, GFP_KERNEL));
	for (i = 0; i < 1110; i++)
		if (i < 1105)
			ida_free(&ida, i);
	ida_free(&ida, 5000);
	pr_info("ida empty %d\n", ida_is_empty(&ida));
	ida_destroy(&ida);
	pr_info("ida empty %d\n", ida_is_empty(&ida));
}

static void arrays(void)
{
	DEFINE_XARRAY(xa);
	DEFINE_XARRAY_ALLOC(ids);
	XA_STATE(xas, &xa, 0);
	unsigned long index;
	void *entry;
	u32 id, next = 0;
	int i;

	pr_info("xa empty %d\n", xa_empty(&xa));
	pr_info("xa_store %d", number(xa_store(&xa, 0, &things[0], GFP_KERNEL)));
	pr_cont(" %d", number(xa_store(&xa, 0, &things[1], GFP_KERNEL)));
	pr_cont(" %d", number(xa_store(&xa, 70, &things[2], GFP_KERNEL)));
	pr_cont(" %d", number(xa_store(&xa, 100000, &things[3], GFP_KERNEL)));
	pr_cont(" %d", number(xa_store(&xa, ULONG_MAX, &things[4], GFP_KERNEL)));
	xa_store(&xa, 71, xa_mk_value(12345), GFP_KERNEL);
	pr_cont("\n");
	pr_info("xa_load %d %d %d %d %lu %d\n", number(xa_load(&xa, 0)), number(xa_load(&xa, 70)),
		number(xa_load(&xa, 100000)), number(xa_load(&xa, ULONG_MAX)), xa_to_value(xa_load(&xa, 71)),
		number(xa_load(&xa, 69)));
	xa_for_each(&xa, index, entry)
		pr_info("xa entry %lu %s\n", index, xa_is_value(entry) ? "value" : "pointer");
	pr_info("xa_insert %d %d\n", xa_insert(&xa, 70, &things[9], GFP_KERNEL), xa_insert(&xa, 72, &things[9], GFP_KERNEL));
	pr_info("xa_cmpxchg %d", number(xa_cmpxchg(&xa, 72, &things[8], &things[7], GFP_KERNEL)));
	pr_cont(" %d", number(xa_cmpxchg(&xa, 72, &things[9], &things[7], GFP_KERNEL)));
	pr_cont(" %d\n", number(xa_load(&xa, 72)));
	xa_set_mark(&xa, 70, XA_MARK_1);
	xa_set_mark(&xa, 100000, XA_MARK_1);
	xa_set_mark(&xa, 69, XA_MARK_1);
	pr_info("marks %d %d %d %d\n", xa_get_mark(&xa, 70, XA_MARK_1), xa_get_mark(&xa, 71, XA_MARK_1),
		xa_get_mark(&xa, 69, XA_MARK_1), xa_marked(&xa, XA_MARK_1));
	xa_for_each_marked(&xa, index, entry, XA_MARK_1)
		pr_info("xa marked %lu\n", index);
	xa_clear_mark(&xa, 70, XA_MARK_1);
	index = 0;
	pr_info("xa_find %d", number(xa_find(&xa, &index, ULONG_MAX, XA_MARK_1)));
	pr_cont(" %lu", index);
	pr_cont(" %d %lu\n", number(xa_find_after(&xa, &index, ULONG_MAX, XA_MARK_1)), index);
	xa_for_each_range(&xa, index, entry, 71, 100000)
		pr_info("xa range %lu\n", index);
	pr_info("xa_erase %d %d", number(xa_erase(&xa, 100000)), number(xa_erase(&xa, 100000)));
	pr_cont(" %d\n", xa_marked(&xa, XA_MARK_1));
	rcu_read_lock();
	xas_for_each(&xas, entry, 1000)
		pr_info("xas %lu\n", xas.xa_index);
	xas_set(&xas, 69);
	for (i = 0; i < 5; i++) {
		entry = xas_next(&xas);
		pr_info("xas_next %lu %d\n", xas.xa_index, !!entry);
	}
	xas_set(&xas, 72);
	for (i = 0; i < 4; i++) {
		entry = xas_prev(&xas);
		pr_info("xas_prev %lu %d\n", xas.xa_index, !!entry);
	}
	rcu_read_unlock();
	pr_info("xa_reserve %d", xa_reserve(&xa, 200, GFP_KERNEL));
	pr_cont(" %d %d\n", number(xa_load(&xa, 200)), xa_insert(&xa, 200, &things[1], GFP_KERNEL));
	xa_release(&xa, 200);
	xa_destroy(&xa);
	pr_info("xa empty %d\n", xa_empty(&xa));
	for (i = 0; i < 3; i++) {
		int ret = xa_alloc(&ids, &id, &things[i], xa_limit_32b, GFP_KERNEL);

		pr_info("xa_alloc %d %u\n", ret, id);
	}
	i = xa_alloc(&ids, &id, &things[5], XA_LIMIT(1, 2), GFP_KERNEL);
	pr_info("xa_alloc %d %u\n", i, id);
	i = xa_alloc(&ids, &id, NULL, XA_LIMIT(100, 200), GFP_KERNEL);
	pr_info("xa_alloc %d %u %d\n", i, id, number(xa_load(&ids, 100)));
	xa_erase(&ids, 1);
	i = xa_alloc(&ids, &id, &things[5], xa_limit_31b, GFP_KERNEL);
	pr_info("xa_alloc %d %u\n", i, id);
	for (i = 0; i < 5; i++) {
		int ret = xa_alloc_cyclic(&ids, &id, &things[i], XA_LIMIT(0, 6), &next, GFP_KERNEL);

		pr_info("cyclic %d %u %u\n", ret, id, next);
	}
	xa_destroy(&ids);
	xa_init_flags(&ids, XA_FLAGS_ALLOC1);
	i = xa_alloc(&ids, &id, &things[1], xa_limit_16b, GFP_KERNEL);
	pr_info("alloc1 %d %u\n", i, id);
	xa_destroy(&ids);
}

static void radix(void)
{
	RADIX_TREE(tree, GFP_KERNEL);
	struct radix_tree_iter iter;
	void __rcu **slot;
	void *found[4];
	int i, n;

	for (i = 0; i < 6; i++)
		pr_info("radix_tree_insert %d\n", radix_tree_insert(&tree, i * i * 30, &things[i]));
	pr_info("radix_tree_insert %d\n", radix_tree_insert(&tree, 30, &things[9]));
	pr_info("lookup %d %d %d\n", number(radix_tree_lookup(&tree, 120)), number(radix_tree_lookup(&tree, 121)),
		radix_tree_lookup_slot(&tree, 750) != NULL);
	radix_tree_tag_set(&tree, 120, 1);
	radix_tree_tag_set(&tree, 480, 1);
	pr_info("tags %d %d %d\n", radix_tree_tagged(&tree, 1), radix_tree_tagged(&tree, 0), radix_tree_tag_get(&tree, 480, 1));
	radix_tree_for_each_slot(slot, &tree, &iter, 0)
		pr_info("slot %lu %d\n", iter.index, number(*slot));
	radix_tree_for_each_tagged(slot, &tree, &iter, 0, 1)
		pr_info("tagged %lu %d\n", iter.index, number(*slot));
	n = radix_tree_gang_lookup(&tree, found, 100, 4);
	pr_info("gang %d %d %d\n", n, number(found[0]), number(found[n - 1]));
	n = radix_tree_gang_lookup_tag(&tree, found, 0, 4, 1);
	pr_info("gang tag %d %d\n", n, number(found[n - 1]));
	pr_info("delete %d %d\n", number(radix_tree_delete(&tree, 120)), number(radix_tree_delete(&tree, 120)));
	pr_info("delete item %d %d\n", number(radix_tree_delete_item(&tree, 480, &things[1])),
		number(radix_tree_delete_item(&tree, 480, &things[4])));
	pr_info("tagged %d\n", radix_tree_tagged(&tree, 1));
	for (i = 0; i < 6; i++)
		radix_tree_delete(&tree, i * i * 30);
	pr_info("empty %d preload %d\n", radix_tree_empty(&tree), radix_tree_preload(GFP_KERNEL));
	radix_tree_preload_end();
}

static int __init lib_ids_init(void)
{
	idrs();
	idas();
	arrays();
	radix();
	return 0;
}

static void __exit lib_ids_exit(void)
{
}

module_init(lib_ids_init);
module_exit(lib_ids_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Ids");
