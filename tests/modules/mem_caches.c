// SPDX-License-Identifier: GPL-2.0
/* Caches of objects: made, misused, destroyed. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/slab.h>

#define TELL(what) pr_info("mem_caches: %s = %ld\n", #what, (long)(what))

static int part;
module_param(part, int, 0444);

static struct kmem_cache *first, *second;
static int constructed;
static void *kept;

static void construct(void *object)
{
	constructed++;
	memset(object, 0x5a, 40);
}

static void plain(void)
{
	char *p[40];
	int i;

	first = kmem_cache_create("mem_caches_first", 40, 0, 0, construct);
	pr_info("mem_caches: created %d, constructed none %d\n", !!first, constructed == 0);
	TELL(kmem_cache_size(first));
	p[0] = kmem_cache_alloc(first, GFP_KERNEL);
	pr_info("mem_caches: after the first object: constructed a page's %d (%d)\n", constructed >= 64, constructed);
	pr_info("mem_caches: contents %8ph\n", p[0]);
	p[0][0] = 1;
	kmem_cache_free(first, p[0]);
	p[1] = kmem_cache_alloc(first, GFP_KERNEL);
	pr_info("mem_caches: again: same object %d, constructed again %d, contents %8ph\n", p[0] == p[1], constructed > 128, p[1]);
	kmem_cache_free(first, p[1]);
	TELL(kmem_cache_shrink(first));
	kmem_cache_destroy(first);
	pr_info("mem_caches: destroyed\n");
	first = kmem_cache_create("mem_caches_plain", 40, 0, SLAB_HWCACHE_ALIGN, NULL);
	TELL(kmem_cache_size(first));
	for (i = 0; i < 40; i++)
		p[i] = kmem_cache_alloc(first, GFP_KERNEL);
	TELL((unsigned long)p[0] % 64);
	TELL(ksize(p[0]));
	for (i = 0; i < 40; i++)
		kmem_cache_free(first, p[i]);
	TELL(kmem_cache_alloc_bulk(first, GFP_KERNEL, 10, (void **)p));
	kmem_cache_free_bulk(first, 10, (void **)p);
	kmem_cache_destroy(first);
	kmem_cache_destroy(NULL);
	first = KMEM_CACHE(list_head, SLAB_POISON);
	TELL(kmem_cache_size(first));
	p[0] = kmem_cache_zalloc(first, GFP_KERNEL);
	kfree(p[0]);
	kmem_cache_destroy(first);
}

static void odd(void)
{
	first = kmem_cache_create("mem_caches_large", KMALLOC_MAX_SIZE + 1, 0, 0, NULL);
	pr_info("mem_caches: too large: %d\n", !!first);
	kmem_cache_destroy(first);
	first = kmem_cache_create("mem_caches_4M", 4 << 20, 0, 0, NULL);
	pr_info("mem_caches: 4M: %d\n", !!first);
	kmem_cache_destroy(first);
	first = kmem_cache_create("mem caches with blanks/and slash", 10, 0, 0, construct);
	pr_info("mem_caches: odd name: %d\n", !!first);
	kmem_cache_destroy(first);
	first = kmem_cache_create("mem_caches_flags", 10, 0, 1U << 30, construct);
	pr_info("mem_caches: odd flags: %d\n", !!first);
	kmem_cache_destroy(first);
	first = kmem_cache_create("mem_caches_align", 10, 24, 0, construct);
	pr_info("mem_caches: align 24: %d size %u\n", !!first, first ? kmem_cache_size(first) : 0);
	kmem_cache_destroy(first);
}

static void twice(void)
{
	first = kmem_cache_create("mem_caches_same", 40, 0, 0, construct);
	second = kmem_cache_create("mem_caches_same", 40, 0, 0, construct);
	pr_info("mem_caches: the same name twice: %d %d, same %d\n", !!first, !!second, first == second);
	kmem_cache_destroy(second);
	kmem_cache_destroy(first);
	first = kmem_cache_create("mem_caches_merged", 64, 0, 0, NULL);
	second = kmem_cache_create("mem_caches_merged", 64, 0, 0, NULL);
	pr_info("mem_caches: the same name twice, no constructor: %d %d, same %d\n", !!first, !!second, first == second);
	kmem_cache_destroy(second);
	kmem_cache_destroy(first);
}

static void live(void)
{
	first = kmem_cache_create("mem_caches_live", 40, 0, 0, construct);
	kept = kmem_cache_alloc(first, GFP_KERNEL);
	kmem_cache_alloc(first, GFP_KERNEL);
	kmem_cache_destroy(first);
	pr_info("mem_caches: destroyed with live objects\n");
	kmem_cache_free(first, kept);
	pr_info("mem_caches: freed into it\n");
}

static void wrong(void)
{
	first = kmem_cache_create("mem_caches_one", 40, 0, 0, construct);
	second = kmem_cache_create("mem_caches_two", 80, 0, 0, construct);
	kept = kmem_cache_alloc(first, GFP_KERNEL);
	kmem_cache_free(second, kept);
	pr_info("mem_caches: freed into the wrong cache\n");
	kept = kmalloc(100, GFP_KERNEL);
	kmem_cache_free(second, kept);
	pr_info("mem_caches: kmalloc memory freed into a cache\n");
	kmem_cache_destroy(second);
	kmem_cache_destroy(first);
}

static void leave(void)
{
	first = kmem_cache_create("mem_caches_left", 40, 0, 0, construct);
	kept = kmem_cache_alloc(first, GFP_KERNEL);
	pr_info("mem_caches: left behind\n");
}

static void null(void)
{
	first = kmem_cache_create("mem_caches_null", 40, 0, 0, construct);
	kmem_cache_free(first, NULL);
	pr_info("mem_caches: NULL freed\n");
}

static void null_cache(void)
{
	kmem_cache_alloc(second, GFP_KERNEL);
}

static void nameless(void)
{
	first = kmem_cache_create(NULL, 40, 0, 0, NULL);
	pr_info("mem_caches: without name: %d\n", !!first);
	kmem_cache_destroy(first);
}

static void used_after(void)
{
	first = kmem_cache_create("mem_caches_gone", 40, 0, 0, construct);
	kmem_cache_destroy(first);
	kmem_cache_destroy(first);
	pr_info("mem_caches: destroyed twice\n");
}

static void size_zero(void)
{
	first = kmem_cache_create("mem_caches_zero", 0, 0, 0, NULL);
	pr_info("mem_caches: size 0: %d\n", !!first);
}

static int __init start(void)
{
	void (*parts[])(void) = { plain, odd, twice, live, wrong, leave, null, null_cache, nameless, used_after, size_zero };

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
