// SPDX-License-Identifier: GPL-2.0
/* Bitmaps, lists, sorting, trees, queues. */
#include <linux/bitmap.h>
#include <linux/bsearch.h>
#include <linux/kernel.h>
#include <linux/kfifo.h>
#include <linux/list.h>
#include <linux/list_sort.h>
#include <linux/llist.h>
#include <linux/module.h>
#include <linux/rbtree.h>
#include <linux/rbtree_augmented.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#define BITS 200

static unsigned long a[4], b[4], c[4];
static volatile unsigned int bits = BITS;

static void show(const char *what, unsigned long *map)
{
	pr_info("%s %*pbl\n", what, BITS, map);
}

static void find(void)
{
	bitmap_zero(a, BITS);
	bitmap_set(a, 3, 4);
	bitmap_set(a, 62, 5);
	__bitmap_set(a, 130, 60);
	bitmap_zero(b, BITS);
	__bitmap_set(b, 5, 60);
	__bitmap_set(b, 150, 50);
	show("a", a);
	show("b", b);
	pr_info("first %lu %lu %lu %lu\n", find_first_bit(a, bits), find_first_zero_bit(a, bits),
		find_first_and_bit(a, b, bits), find_last_bit(a, bits));
	pr_info("next %lu %lu %lu %lu %lu\n", find_next_bit(a, bits, 7), find_next_bit(a, bits, 190),
		find_next_bit(a, bits, 300), find_next_zero_bit(a, bits, 62), find_next_zero_bit(b, bits, 150));
	pr_info("next two %lu %lu\n", find_next_and_bit(a, b, bits, 7), find_next_andnot_bit(a, b, bits, 5));
	pr_info("nth %lu %lu %lu\n", find_nth_bit(a, bits, 0), find_nth_bit(a, bits, 6), find_nth_bit(a, bits, 99));
	pr_info("weight %u %u %u\n", bitmap_weight(a, bits), (u32)bitmap_weight_and(a, b, bits),
		(u32)hweight64(a[0] | bits));
}

static void combine(void)
{
	pr_info("and %d\n", bitmap_and(c, a, b, bits));
	show("and", c);
	pr_info("andnot %d\n", bitmap_andnot(c, a, b, bits));
	show("andnot", c);
	bitmap_or(c, a, b, bits);
	show("or", c);
	bitmap_xor(c, a, b, bits);
	show("xor", c);
	bitmap_complement(c, a, bits);
	show("complement", c);
	pr_info("compare %d %d %d %d\n", bitmap_equal(a, a, bits), bitmap_equal(a, b, bits),
		bitmap_intersects(a, b, bits), bitmap_subset(a, b, bits));
	bitmap_replace(c, a, b, b, bits);
	show("replace", c);
	bitmap_shift_left(c, a, 70, bits);
	show("left", c);
	bitmap_shift_right(c, a, 70, bits);
	show("right", c);
	bitmap_cut(c, a, 4, 60, bits);
	show("cut", c);
	bitmap_copy(c, a, bits);
	__bitmap_clear(c, 64, 100);
	show("clear", c);
}

static void areas(void)
{
	u32 words[7];
	char *page = (char *)__get_free_page(GFP_KERNEL);
	unsigned long *map = bitmap_zalloc(100, GFP_KERNEL);
	int n;

	pr_info("area %lu %lu %lu\n", bitmap_find_next_zero_area(a, bits, 0, 10, 0),
		bitmap_find_next_zero_area(a, bits, 0, 10, 15), bitmap_find_next_zero_area(a, bits, 0, 90, 0));
	pr_info("region %d %d %d", bitmap_find_free_region(map, 100, 3), bitmap_find_free_region(map, 100, 5),
		bitmap_find_free_region(map, 100, 6));
	pr_cont(" %d %d", bitmap_allocate_region(map, 64, 2), bitmap_allocate_region(map, 64, 3));
	bitmap_release_region(map, 0, 3);
	pr_cont(" %*pbl\n", 100, map);
	bitmap_to_arr32(words, a, bits);
	pr_info("arr32 %08x %08x %08x %08x\n", words[0], words[1], words[2], words[6]);
	bitmap_from_arr32(c, words, 96);
	pr_info("from_arr32 %*pbl\n", 96, c);
	n = bitmap_print_to_pagebuf(true, page, a, BITS);
	pr_info("print %d %s", n, page);
	n = bitmap_print_to_pagebuf(false, page, a, BITS);
	pr_info("print %d %s", n, page);
	n = bitmap_parselist("0-3,8, 100-131:2/8,N", c, BITS);
	pr_info("parselist %d %*pbl\n", n, BITS, c);
	pr_info("parselist %d %d %d %d %d\n", bitmap_parselist("", c, 64), bitmap_parselist("3-1", c, 64),
		bitmap_parselist("64", c, 64), bitmap_parselist("x", c, 64), bitmap_parselist("all", c, 64));
	n = bitmap_parse("ff,0000f000\n", 12, c, 64);
	pr_info("parse %d %*pb\n", n, 64, c);
	pr_info("parse %d %d %d %d\n", bitmap_parse("g", 1, c, 64), bitmap_parse("1,0,0", 5, c, 64),
		bitmap_parse("123456789", 9, c, 64), bitmap_parse("1f", 2, c, 4));
	bitmap_free(map);
	free_page((unsigned long)page);
}

struct item {
	int key, order;
	struct list_head list;
	struct llist_node llist;
	struct rb_node rb;
	int highest;
};

static int calls;

static int by_key(void *priv, const struct list_head *x, const struct list_head *y)
{
	return list_entry(x, struct item, list)->key > list_entry(y, struct item, list)->key;
}

static int compare(const void *x, const void *y)
{
	calls++;
	return (*(const int *)x >> 8) - (*(const int *)y >> 8);
}

static void swap_ints(void *x, void *y, int size)
{
	swap(*(int *)x, *(int *)y);
}

static int compare_r(const void *x, const void *y, const void *priv)
{
	return compare(x, y) * *(const int *)priv;
}

static void lists(void)
{
	static struct item items[12];
	static LIST_HEAD(head);
	static LLIST_HEAD(stack);
	struct item *item;
	struct llist_node *node;
	char text[100] = "";
	int i;

	for (i = 0; i < 12; i++) {
		items[i].key = i * 7 % 5;
		items[i].order = i;
		list_add_tail(&items[i].list, &head);
	}
	list_sort(NULL, &head, by_key);
	list_for_each_entry(item, &head, list)
		sprintf(text + strlen(text), " %d.%d", item->key, item->order);
	pr_info("list_sort%s\n", text);
	text[0] = 0;
	list_for_each_entry_reverse(item, &head, list)
		sprintf(text + strlen(text), " %d", item->order);
	pr_info("backwards%s\n", text);
	list_del(&items[3].list);
	list_move(&items[5].list, &head);
	pr_info("list first %d empty %d\n", list_first_entry(&head, struct item, list)->order, list_empty(&head));
	for (i = 0; i < 5; i++)
		pr_info("llist_add %d\n", llist_add(&items[i].llist, &stack));
	node = llist_del_first(&stack);
	pr_info("llist_del_first %d\n", llist_entry(node, struct item, llist)->order);
	text[0] = 0;
	llist_for_each_entry(item, llist_reverse_order(llist_del_all(&stack)), llist)
		sprintf(text + strlen(text), " %d", item->order);
	pr_info("llist%s empty %d\n", text, llist_empty(&stack));
}

static void sorting(void)
{
	static int values[17], sizes[] = { 1, 2, 5, 8, 17 };
	int i, j, key, sign = -1, *found;
	char text[200];

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < 17; j++)
			values[j] = (j * 11 % 6) << 8 | j;
		calls = 0;
		sort(values, sizes[i], sizeof(int), compare, i & 1 ? swap_ints : NULL);
		text[0] = 0;
		for (j = 0; j < sizes[i]; j++)
			sprintf(text + strlen(text), " %x", values[j]);
		pr_info("sort %d calls%s\n", calls, text);
	}
	sort_r(values, 17, sizeof(int), compare_r, NULL, &sign);
	text[0] = 0;
	for (j = 0; j < 17; j++)
		sprintf(text + strlen(text), " %x", values[j]);
	pr_info("sort_r%s\n", text);
	for (j = 0; j < 17; j++)
		values[j] = j << 9;
	key = 8 << 9;
	found = bsearch(&key, values, 17, sizeof(int), compare);
	pr_info("bsearch %d", found ? (int)(found - values) : -1);
	key = 7 << 8;
	pr_cont(" %d\n", bsearch(&key, values, 17, sizeof(int), compare) ? 1 : 0);
}

static struct rb_root root = RB_ROOT;
static struct item nodes[64];

static void insert(struct item *item)
{
	struct rb_node **link = &root.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = item->key < rb_entry(parent, struct item, rb)->key ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&item->rb, parent, link);
	rb_insert_color(&item->rb, &root);
}

static void walk(const char *what)
{
	struct rb_node *node;
	char text[400] = "";

	for (node = rb_first(&root); node; node = rb_next(node))
		sprintf(text + strlen(text), " %d", rb_entry(node, struct item, rb)->key);
	pr_info("%s%s\n", what, text);
	text[0] = 0;
	for (node = rb_first_postorder(&root); node; node = rb_next_postorder(node))
		sprintf(text + strlen(text), " %d%s", rb_entry(node, struct item, rb)->key, rb_is_red(node) ? "r" : "");
	pr_info("%s postorder%s\n", what, text);
	text[0] = 0;
	for (node = rb_last(&root); node; node = rb_prev(node))
		sprintf(text + strlen(text), " %d", rb_entry(node, struct item, rb)->key);
	pr_info("%s backwards%s\n", what, text);
}

static inline int highest_of(struct item *item)
{
	return item->key;
}

RB_DECLARE_CALLBACKS_MAX(static, callbacks, struct item, rb, int, highest, highest_of)

static void trees(void)
{
	static struct item other = { .key = 1000 };
	int i;

	for (i = 0; i < 24; i++) {
		nodes[i].key = i * 13 % 24;
		insert(&nodes[i]);
	}
	walk("inserted");
	for (i = 0; i < 24; i += 3)
		rb_erase(&nodes[i].rb, &root);
	walk("erased");
	rb_replace_node(&nodes[1].rb, &other.rb, &root);
	walk("replaced");
	for (i = 2; i < 24; i++)
		if (i % 3)
			rb_erase(&nodes[i].rb, &root);
	walk("few");
	root = RB_ROOT;
	for (i = 0; i < 40; i++) {
		struct rb_node **link = &root.rb_node, *parent = NULL;
		struct item *item = &nodes[i];

		item->key = item->highest = i * 29 % 41;
		while (*link) {
			struct item *above = rb_entry(*link, struct item, rb);

			parent = *link;
			above->highest = max(above->highest, item->key);
			link = item->key < above->key ? &parent->rb_left : &parent->rb_right;
		}
		rb_link_node(&item->rb, parent, link);
		rb_insert_augmented(&item->rb, &root, &callbacks);
	}
	for (i = 0; i < 40; i += 2)
		rb_erase_augmented(&nodes[i].rb, &root, &callbacks);
	walk("augmented");
	pr_info("highest %d of root %d\n", rb_entry(root.rb_node, struct item, rb)->highest,
		rb_entry(root.rb_node, struct item, rb)->key);
}

static void fifos(void)
{
	static DEFINE_KFIFO(numbers, int, 8);
	struct kfifo bytes;
	struct kfifo_rec_ptr_1 records;
	char text[32] = "";
	int i, value, room[4];

	for (i = 0; kfifo_put(&numbers, i * i); i++)
		;
	pr_info("kfifo put %d len %d full %d\n", i, kfifo_len(&numbers), kfifo_is_full(&numbers));
	i = kfifo_get(&numbers, &value);
	pr_info("kfifo get %d %d", i, value);
	i = kfifo_out(&numbers, room, 4);
	pr_cont(" out %d %d %d in %d", i, room[0], room[3], kfifo_in(&numbers, room, 4));
	i = kfifo_peek(&numbers, &value);
	pr_cont(" peek %d %d\n", i, value);
	pr_info("kfifo_alloc %d", kfifo_alloc(&bytes, 1, GFP_KERNEL));
	pr_cont(" %d size %d\n", kfifo_alloc(&bytes, 20, GFP_KERNEL), kfifo_size(&bytes));
	pr_info("kfifo_in %d", kfifo_in(&bytes, "twenty-two characters!", 22));
	pr_cont(" %d avail %d", kfifo_in(&bytes, "and fifteen more", 16), kfifo_avail(&bytes));
	i = kfifo_out_peek(&bytes, text, 6);
	pr_cont(" peek %d %.6s", i, text);
	i = kfifo_out(&bytes, text, 31);
	pr_cont(" out %d %.31s len %d\n", i, text, kfifo_len(&bytes));
	kfifo_in(&bytes, "wrapped around", 14);
	i = kfifo_out(&bytes, text, 15);
	pr_info("kfifo wrapped %d %.15s\n", i, text);
	kfifo_free(&bytes);
	pr_info("records %d", kfifo_alloc(&records, 16, GFP_KERNEL));
	pr_cont(" %d %d %d", kfifo_in(&records, "first", 5), kfifo_in(&records, "second", 6), kfifo_in(&records, "third", 5));
	pr_cont(" next %d len %d\n", kfifo_peek_len(&records), kfifo_len(&records));
	i = kfifo_out(&records, text, 3);
	pr_info("record %d %.3s", i, text);
	i = kfifo_out(&records, text, 31);
	pr_cont(" %d %.6s empty %d\n", i, text, kfifo_is_empty(&records));
	kfifo_free(&records);
}

static int __init lib_sets_init(void)
{
	find();
	combine();
	areas();
	lists();
	sorting();
	trees();
	fifos();
	return 0;
}

static void __exit lib_sets_exit(void)
{
}

module_init(lib_sets_init);
module_exit(lib_sets_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Bitmaps, lists, trees, queues");
