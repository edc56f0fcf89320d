// SPDX-License-Identifier: GPL-2.0
/* What the library says to those who misuse it; the parameter says how. */
#include <linux/types.h>
#include <linux/errseq.h>
#include <linux/idr.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/xarray.h>

static int how;
module_param(how, int, 0444);

static LIST_HEAD(head);
static struct list_head *entry, *other;
static DEFINE_IDA(ida);
static DEFINE_IDR(idr);
static DEFINE_XARRAY(xa);
static errseq_t seq;
static RAW_NOTIFIER_HEAD(raw);

static int nothing(struct notifier_block *nb, unsigned long val, void *v)
{
	return NOTIFY_DONE;
}

static struct notifier_block block = { .notifier_call = nothing };

static void misuse(void)
{
	refcount_t r = REFCOUNT_INIT(0);
	volatile size_t size = 8;
	char text[8], *page;

	switch (how) {
	case 1:
		refcount_inc(&r);
		break;
	case 2:
		pr_info("dec_and_test %d\n", refcount_dec_and_test(&r));
		break;
	case 3:
		refcount_set(&r, 1);
		refcount_dec(&r);
		break;
	case 4:
		refcount_set(&r, INT_MAX);
		refcount_inc(&r);
		break;
	case 5:
		refcount_set(&r, INT_MAX);
		pr_info("inc_not_zero %d\n", refcount_inc_not_zero(&r));
		break;
	case 6:
		pr_info("dec_not_one %d\n", refcount_dec_not_one(&r));
		break;
	case 10:
		ida_free(&ida, 7);
		break;
	case 11:
		pr_info("idr_alloc %d\n", idr_alloc(&idr, entry, -1, 0, GFP_KERNEL));
		break;
	case 12:
		pr_info("xa_store %d\n", xa_err(xa_store(&xa, 5, (void *)6UL, GFP_KERNEL)));
		break;
	case 13:
		pr_info("errseq %u\n", errseq_set(&seq, 5));
		break;
	case 14:
		raw_notifier_chain_register(&raw, &block);
		pr_info("register %d\n", raw_notifier_chain_register(&raw, &block));
		break;
	case 15:
		page = (char *)__get_free_page(GFP_KERNEL);
		pr_info("sysfs_emit %d %s", sysfs_emit(page, "%d\n", 42), page);
		pr_info("sysfs_emit_at %d %s", sysfs_emit_at(page, 2, "%s\n", "more"), page);
		pr_info("sysfs_emit_at %d\n", sysfs_emit_at(page, 5000, "%s\n", "too far"));
		free_page((unsigned long)page);
		break;
	case 16:
		page = (char *)__get_free_page(GFP_KERNEL);
		pr_info("sysfs_emit %d\n", sysfs_emit(page + 1, "%d\n", 42));
		free_page((unsigned long)page);
		break;
	case 20:
		list_add(entry, &head);
		list_add(entry, &head);
		break;
	case 21:
		list_add(entry, &head);
		list_del(entry);
		list_del(entry);
		break;
	case 22:
		memset(entry, 0, sizeof(*entry));
		list_del(entry);
		break;
	case 23:
		list_add(entry, &head);
		head.next = &head;
		list_del(entry);
		break;
	case 24:
		list_add(entry, &head);
		head.prev = &head;
		list_add_tail(other, &head);
		break;
	case 25:
		list_add(entry, &head);
		head.prev = &head;
		list_del(entry);
		break;
	case 26:
		head.next = NULL;
		list_add(entry, &head);
		break;
	case 27:
		list_add(entry, &head);
		entry->prev = LIST_POISON2;
		list_del(entry);
		break;
	case 30:
		size = 9;
		memset(text, 0, size);
		pr_info("%s\n", text);
		break;
	case 31:
		strscpy(text, "strlcat", 8);
		page = kstrdup("longer", GFP_KERNEL);
		strlcat(page, text, size - 4);
		break;
	}
}

static int __init lib_misuse_init(void)
{
	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	other = kzalloc(sizeof(*entry), GFP_KERNEL);
	misuse();
	pr_info("went on\n");
	return 0;
}

static void __exit lib_misuse_exit(void)
{
	kfree(entry);
	kfree(other);
}

module_init(lib_misuse_init);
module_exit(lib_misuse_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Misuse of the library");
