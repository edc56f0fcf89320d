// SPDX-License-Identifier: GPL-2.0
/* Misuses memory from kmalloc (or of a cache of its own), for the allocator's own checks to find. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

static int how;
module_param(how, int, 0444);
static ulong size = 50;
module_param(size, ulong, 0444);
static bool own;
module_param(own, bool, 0444);
static int offset = 16;
module_param(offset, int, 0444);

static struct kmem_cache *cache;

static noinline void *take(void)
{
	char *p = own ? kmem_cache_alloc(cache, GFP_KERNEL) : kmalloc(size, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static noinline void give(void *p)
{
	if (own)
		kmem_cache_free(cache, p);
	else
		kfree(p);
}

static noinline void put_at(char *p, long where)
{
	((volatile char *)p)[where] = 0x41;
}

static noinline int get_at(char *p, long where)
{
	return ((volatile char *)p)[where] & 0xff;
}

static int __init start(void)
{
	char *p, *q;
	int i;

	if (own)
		cache = kmem_cache_create("mem_misuse", size, 0, 0, NULL);
	p = take();
	switch (how) {
	case 1: put_at(p, size); give(p); break;
	case 2: put_at(p, -1); give(p); break;
	case 3: give(p); put_at(p, offset); for (i = 0; i < 100; i++) take(); break;
	case 4: give(p); pr_info("mem_misuse: read %02x\n", get_at(p, offset)); break;
	case 5: give(p); give(p); break;
	case 6: give(p + offset); break;
	case 7: pr_info("mem_misuse: fresh %02x, past the end %02x\n", get_at(p, 0), get_at(p, size)); give(p); break;
	case 8: q = take(); give(p); give(q); give(p); break;
	case 9: give(p); put_at(p, size + 2); take(); break;
	case 10: pr_info("mem_misuse: left\n"); break;
	case 11: memset(p, 0x42, size + 40); give(p); break;
	default: return -EINVAL;
	}
	pr_info("mem_misuse: survived\n");
	if (own)
		kmem_cache_destroy(cache);
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
