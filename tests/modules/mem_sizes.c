// SPDX-License-Identifier: GPL-2.0
/* What the allocators return: sizes, alignment, contents, failures. */
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#define TELL(what) pr_info("mem_sizes: %s = %ld\n", #what, (long)(what))

static int part;
module_param(part, int, 0444);
static ulong size;
module_param(size, ulong, 0444);

static int zeroed(const void *p, size_t n)
{
	return !memchr_inv(p, 0, n);
}

static size_t hidden(size_t n)
{
	OPTIMIZER_HIDE_VAR(n);
	return n;
}

static void sizes(void)
{
	static const unsigned int asked[] = { 0, 1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 95, 96, 97, 127, 128, 129, 191,
		192, 193, 200, 255, 256, 257, 384, 511, 512, 513, 768, 1000, 1023, 1024, 1025, 1500, 2047, 2048, 2049, 3000, 4095, 4096, 4097,
		6000, 8191, 8192, 8193, 12000, 12288, 12289, 16384, 16385, 20000, 32768, 40000, 65536, 65537, 100000, 131072, 200000, 262144,
		300000, 524288, 1000000, 1048576, 2000000, 2097152, 4000000, 4194304 };
	int i, j;

	for (i = 0; i < ARRAY_SIZE(asked); i++) {
		unsigned long bits = 0, at;
		void *p[8];
		size_t n = asked[i];

		for (j = 0; j < 8; j++) {
			p[j] = kmalloc(n, GFP_KERNEL);
			bits |= (unsigned long)p[j];
		}
		at = bits & -bits;
		pr_info("mem_sizes: kmalloc(%zu): ksize %zu roundup %zu aligned %s zeroed %d\n", n, p[0] ? ksize(p[0]) : 0, kmalloc_size_roundup(n),
			!p[0] ? "none" : n == 0 ? "zero" : at >= n ? "as size or more" : at >= 4096 ? "page" : at >= 64 ? "64" : at >= 32 ? "32" : at >= 16 ? "16" : at >= 8 ? "8" : "less",
			p[0] && n ? zeroed(p[0], n) : -1);
		for (j = 0; j < 8; j++)
			kfree(p[j]);
	}
	TELL(kmalloc(hidden(0), GFP_KERNEL));
	TELL(kzalloc(hidden(0), GFP_KERNEL));
	TELL(kmalloc_array(0, 8, GFP_KERNEL));
	TELL(kcalloc(8, 0, GFP_KERNEL));
	TELL(ksize(ZERO_SIZE_PTR));
	TELL(ksize(NULL));
	TELL(KMALLOC_MAX_SIZE);
	TELL(KMALLOC_MAX_CACHE_SIZE);
	TELL(KMALLOC_MIN_SIZE);
	TELL(ARCH_KMALLOC_MINALIGN);
	TELL(PAGE_SIZE);
}

static void failures(void)
{
	TELL(kmalloc(hidden(KMALLOC_MAX_SIZE + 1), GFP_KERNEL | __GFP_NOWARN));
	TELL(kmalloc(hidden(-1UL), GFP_KERNEL | __GFP_NOWARN));
	TELL(kcalloc(hidden(1UL << 33), 1UL << 33, GFP_KERNEL));
	TELL(kmalloc_array(hidden(1UL << 62), 8, GFP_KERNEL));
	TELL(krealloc_array(NULL, hidden(1UL << 62), 8, GFP_KERNEL));
	TELL(kvmalloc_array(hidden(1UL << 62), 8, GFP_KERNEL));
	TELL(array_size(hidden(1UL << 62), 8) == SIZE_MAX);
	TELL(vmalloc(hidden(1UL << 46)));
	TELL(__vmalloc(hidden(1UL << 40), GFP_KERNEL | __GFP_NOWARN));
	TELL(kvmalloc(hidden(1UL << 32), GFP_KERNEL | __GFP_NOWARN));
}

static void huge(void)
{
	pr_info("mem_sizes: kmalloc gives %d\n", !!kmalloc(hidden(size), GFP_KERNEL));
}

static void huge_quiet(void)
{
	pr_info("mem_sizes: kmalloc, no warning, gives %d\n", !!kmalloc(hidden(size), GFP_KERNEL | __GFP_NOWARN));
}

static void huge_pages(void)
{
	pr_info("mem_sizes: alloc_pages gives %d\n", !!__get_free_pages(GFP_KERNEL, size));
}

static void huge_vmalloc(void)
{
	pr_info("mem_sizes: vmalloc gives %d\n", !!vmalloc(hidden(size)));
}

static void huge_kvmalloc(void)
{
	pr_info("mem_sizes: kvmalloc gives %d\n", !!kvmalloc(hidden(size), GFP_KERNEL));
}

static void eat(void)
{
	unsigned long pages = 0, page;

	while ((page = __get_free_pages(GFP_NOWAIT, 10)))
		pages++;
	pr_info("mem_sizes: no more after many: %d\n", pages > 100);
}

static void regrow(void)
{
	char *p, *q;

	p = kmalloc(10, GFP_KERNEL);
	strcpy(p, "abcdefghi");
	TELL(ksize(p));
	q = krealloc(p, hidden(16), GFP_KERNEL);
	pr_info("mem_sizes: to 16: same %d text %s\n", p == q, q);
	p = q;
	q = krealloc(p, hidden(17), GFP_KERNEL);
	pr_info("mem_sizes: to 17: same %d text %s ksize %zu\n", p == q, q, ksize(q));
	p = q;
	q = krealloc(p, hidden(5000), GFP_KERNEL | __GFP_ZERO);
	pr_info("mem_sizes: to 5000: same %d text %s ksize %zu rest zero %d\n", p == q, q, ksize(q), zeroed(q + 17, 4983));
	p = q;
	q = krealloc(p, hidden(100), GFP_KERNEL);
	pr_info("mem_sizes: to 100: same %d text %s ksize %zu\n", p == q, q, ksize(q));
	p = krealloc(q, hidden(0), GFP_KERNEL);
	pr_info("mem_sizes: to 0: %lx\n", (long)p);
	p = krealloc(p, hidden(30), GFP_KERNEL);
	pr_info("mem_sizes: from 0 to 30: ksize %zu\n", ksize(p));
	q = krealloc(p, hidden(-1UL), GFP_KERNEL | __GFP_NOWARN);
	pr_info("mem_sizes: too large: %lx\n", (long)q);
	kfree(p);
	p = krealloc(NULL, hidden(30), GFP_KERNEL);
	pr_info("mem_sizes: from NULL to 30: ksize %zu\n", ksize(p));
	kfree(p);
	p = krealloc(NULL, hidden(0), GFP_KERNEL);
	pr_info("mem_sizes: from NULL to 0: %lx\n", (long)p);
	p = kvmalloc(10000, GFP_KERNEL);
	strcpy(p, "kept");
	q = kvrealloc(p, 10000, 30000, GFP_KERNEL);
	pr_info("mem_sizes: kvrealloc: text %s vmalloc %d\n", q, is_vmalloc_addr(q));
	kvfree(q);
}

static void texts(void)
{
	char *p;

	p = kstrdup("twelve chars", GFP_KERNEL);
	pr_info("mem_sizes: kstrdup %s %zu\n", p, ksize(p));
	kfree(p);
	pr_info("mem_sizes: kstrdup(NULL) %lx\n", (long)kstrdup(NULL, GFP_KERNEL));
	p = kstrndup("twelve chars", 6, GFP_KERNEL);
	pr_info("mem_sizes: kstrndup '%s' %zu\n", p, ksize(p));
	kfree(p);
	p = kstrndup("abc", 60, GFP_KERNEL);
	pr_info("mem_sizes: kstrndup '%s' %zu\n", p, ksize(p));
	kfree(p);
	p = (char *)kstrdup_const("literal", GFP_KERNEL);
	pr_info("mem_sizes: kstrdup_const '%s'\n", p);
	kfree_const(p);
	p = kmemdup("ab\0cd", 6, GFP_KERNEL);
	pr_info("mem_sizes: kmemdup %6ph %zu\n", p, ksize(p));
	kfree(p);
	p = kmemdup_nul("abcdef", 3, GFP_KERNEL);
	pr_info("mem_sizes: kmemdup_nul '%s'\n", p);
	kfree(p);
	p = kasprintf(GFP_KERNEL, "%d-%s-%#x", 5, "text", 255);
	pr_info("mem_sizes: kasprintf '%s' %zu\n", p, ksize(p));
	kfree(p);
	p = kasprintf(GFP_KERNEL, "%s", "");
	pr_info("mem_sizes: kasprintf of nothing '%s' %zu\n", p, ksize(p));
	kfree(p);
}

static void pages(void)
{
	static const unsigned long asked[] = { 1, 100, 4096, 4097, 65536, 1000000, 3000000 };
	unsigned long page;
	void *p;
	int i;

	for (i = 0; i < ARRAY_SIZE(asked); i++) {
		p = vmalloc(asked[i]);
		pr_info("mem_sizes: vmalloc(%lu): page aligned %d is_vmalloc_addr %d zeroed %d\n", asked[i], PAGE_ALIGNED(p), is_vmalloc_addr(p), zeroed(p, asked[i]));
		vfree(p);
		p = vzalloc(asked[i]);
		pr_info("mem_sizes: vzalloc(%lu): page aligned %d zeroed %d\n", asked[i], PAGE_ALIGNED(p), zeroed(p, asked[i]));
		vfree(p);
		p = kvmalloc(asked[i], GFP_KERNEL);
		pr_info("mem_sizes: kvmalloc(%lu): vmalloc %d\n", asked[i], is_vmalloc_addr(p));
		kvfree(p);
	}
	p = kvzalloc(hidden(5000000), GFP_KERNEL);
	pr_info("mem_sizes: kvzalloc(5000000): vmalloc %d\n", is_vmalloc_addr(p));
	kvfree(p);
	for (i = 0; i <= 10; i += 5) {
		page = __get_free_pages(GFP_KERNEL, i);
		pr_info("mem_sizes: order %d: got %d aligned to its size %d zeroed %d\n", i, !!page, !(page & ((PAGE_SIZE << i) - 1)),
			page ? zeroed((void *)page, PAGE_SIZE << i) : -1);
		free_pages(page, i);
	}
	page = get_zeroed_page(GFP_KERNEL);
	pr_info("mem_sizes: get_zeroed_page: zeroed %d\n", zeroed((void *)page, PAGE_SIZE));
	free_page(page);
	free_page(0);
	p = alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL);
	pr_info("mem_sizes: alloc_pages_exact: %d\n", !!p);
	free_pages_exact(p, 3 * PAGE_SIZE);
	pr_info("mem_sizes: virt_addr_valid %d\n", virt_addr_valid(&part));
	p = kmalloc(10, GFP_KERNEL);
	TELL(virt_addr_valid(p));
	TELL(is_vmalloc_addr(p));
	TELL(is_vmalloc_addr(&part));
	TELL(object_is_on_stack(&page));
	TELL(page_address(virt_to_page(p)) == (void *)((unsigned long)p & PAGE_MASK));
	kfree(p);
}

static void vmalloc_zero(void)
{
	TELL(vmalloc(hidden(0)));
	TELL(vzalloc(hidden(0)));
}

static void reuse(void)
{
	char *p, *q;
	int i, zero = 1;

	p = kmalloc(100, GFP_KERNEL);
	memset(p, 0x5a, 100);
	kfree(p);
	for (i = 0; i < 300; i++) {
		q = kmalloc(100, GFP_KERNEL);
		zero &= zeroed(q, 100);
		if (i == 0)
			pr_info("mem_sizes: the same object comes back: %d\n", p == q);
		kfree(q);
	}
	pr_info("mem_sizes: kmalloc memory was always zero: %d\n", zero);
}

static int __init start(void)
{
	void (*parts[])(void) = { sizes, failures, huge, huge_quiet, huge_pages, huge_vmalloc, huge_kvmalloc, regrow, texts, pages, vmalloc_zero, reuse, eat };

	if (part < 1 || part > ARRAY_SIZE(parts))
		return -EINVAL;
	parts[part - 1]();
	return part == 13 ? -ENOMEM : 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
