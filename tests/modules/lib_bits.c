// SPDX-License-Identifier: GPL-2.0
/* Bits: found, read out of text, in memory of their own; divisions by counting, checksums, what is random. */
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/uuid.h>
#include <net/checksum.h>

#define TELL(what) pr_info("%s = %lld\n", #what, (long long)(what))

static unsigned long hidden(unsigned long n)
{
	OPTIMIZER_HIDE_VAR(n);
	return n;
}

static void find(void)
{
	static unsigned long a[3] = { 0xf0f0000000000000, 0x1, 0x8000000000000001 };
	static unsigned long b[3] = { 0x00f0000000000001, 0x3, 0x7fffffffffffffff };
	unsigned long clump = 77, at;
	unsigned int size = hidden(190), big = hidden(192);
	int i;

	for (i = 0; i < 8; i++)
		pr_info("nth %d: and %lu andnot %lu, of all %lu %lu\n", i, find_nth_and_bit(a, b, size, i),
			find_nth_andnot_bit(a, b, size, i), find_nth_and_bit(a, b, big, i), find_nth_andnot_bit(a, b, big, i));
	TELL(find_nth_and_bit(a, b, size, 190));
	TELL(find_nth_and_bit(a, b, size, 1000));
	TELL(find_nth_and_bit(a, b, hidden(0), hidden(0)));
	for (at = 0; (at = find_next_clump8(&clump, a, size, at)) < size; at += 8)
		pr_info("clump at %lu: %lx\n", at, clump);
	clump = 77;
	TELL(find_next_clump8(&clump, a, size, 190));
	TELL(find_next_clump8(&clump, a, size, 189));
	TELL(clump);
	TELL(find_next_clump8(&clump, a, big, 189));
	TELL(clump);
	TELL(find_next_clump8(&clump, a, hidden(60), 53));
	TELL(clump);
	TELL(find_next_clump8(&clump, a, hidden(61), 61));
	TELL(find_first_clump8(&clump, a, hidden(0)));
}

static void lists(void)
{
	static const struct {
		const char *text;
		int bits;
	} given[] = {
		{ "0", 8 }, { "7", 8 }, { "8", 8 }, { "0-15", 32 }, { "0-31:1/2", 32 }, { "1-31:1/4", 32 }, { "0-31:4/4", 32 },
		{ "  ,,  0-7:3/4  ,, 8-15:4/4  ,,  ", 32 }, { "", 8 }, { "\n", 8 }, { ",, , ,", 8 }, { " , \n", 8 },
		{ "0-0:0/1", 32 }, { "0-0:1/31", 32 }, { "0-15:16/31", 32 }, { "15-15:31/31", 32 }, { "N-N", 32 },
		{ "N", 32 }, { "0-0:1/N", 32 }, { "0-0:N/N", 32 }, { "15-N:1/N", 32 }, { "0-N:1/3,1-N:1/3", 32 },
		{ "1-10:8/12,8-31:24/29,0-31:0/3", 32 }, { "all", 32 }, { "ALL:1/2", 32 }, { "0, 1, all,  ", 32 }, { "al", 8 },
		{ "alll", 8 }, { "all-3", 8 }, { "-1", 8 }, { "-0", 8 }, { "10-1", 8 }, { "8-8", 8 }, { "0-31", 8 },
		{ "0-31:", 32 }, { "0-31:0", 32 }, { "0-31:0/", 32 }, { "0-31:0/0", 32 }, { "0-31:1/0", 32 },
		{ "0-31:10/1", 32 }, { "0-98765432123456789:10/1", 8 }, { "4294967296", 8 }, { "0-31:1/2:", 32 }, { "1-", 8 },
		{ "1-x", 8 }, { "x", 8 }, { "1x", 8 }, { "1 2", 8 }, { "1\n2", 8 }, { "1-3-5", 8 }, { "5:1/2", 8 }, { "n", 8 },
		{ "0x3", 8 }, { "N-3", 8 }, { "3-N", 3 }, { "0-7:2/4,", 8 }, { "\t3", 8 }, { "0-3\t5", 8 }, { "0", 0 },
	};
	static const struct {
		const char *text;
		int length, bits;
	} masks[] = {
		{ "", 0, 32 }, { " ", 1, 32 }, { "0\n", 2, 32 }, { "deadbeef", 8, 32 }, { "1,0", 3, 33 },
		{ "deadbeef,\n,0,1", 14, 96 }, { "badf00d,deadbeef,1,0", 20, 124 }, { " , badf00d, ,, ,,deadbeef,1,0 , ", 32, 124 },
		{ "badf00d,deadbeef,1,0", 1000, 124 }, { "goodfood,deadbeef,1,0", 21, 128 }, { "3,0", 3, 33 },
		{ "123badf00d,deadbeef,1,0", 23, 128 }, { "badf00d,deadbeef,1,0", 20, 90 }, { "fbadf00d,deadbeef,1,0", 21, 95 },
		{ "badf00d,deadbeef,1,0", 20, 100 }, { "0x5", 3, 32 }, { "5 3", 3, 64 }, { "00000000001", 11, 32 },
		{ "000000001", 9, 64 }, { "-1", 2, 32 }, { "ff,ff", 3, 64 }, { "0,0,0", 5, 32 }, { "10", 2, 4 }, { "f", 1, 4 },
	};
	unsigned long map[4];
	int i, error;

	for (i = 0; i < ARRAY_SIZE(given); i++) {
		memset(map, 0, sizeof(map));
		error = bitmap_parselist(given[i].text, map, given[i].bits);
		pr_info("list '%*pE' of %d: %d %lx\n", (int)strlen(given[i].text), given[i].text, given[i].bits, error,
			error ? 0 : map[0]);
	}
	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		memset(map, 0, sizeof(map));
		error = bitmap_parse(masks[i].text, masks[i].length, map, masks[i].bits);
		pr_info("mask '%*pE' of %d: %d %lx %lx\n", (int)strlen(masks[i].text), masks[i].text, masks[i].bits, error,
			error ? 0 : map[0], error || masks[i].bits <= 64 ? 0 : map[1]);
	}
}

static void rearrange(void)
{
	static unsigned long old[2] = { 0xf0, 0x1 }, new[2] = { 0x3, 0x7000 }, none[2], from[2] = { 0x1f1, 0x3 }, to[2];
	unsigned int bits = hidden(80);
	char text[32];
	int n, at;

	bitmap_remap(to, from, old, new, bits);
	pr_info("remap %*pbl: %lx %lx\n", bits, from, to[0], to[1]);
	bitmap_remap(to, from, old, none, bits);
	pr_info("to none: %lx %lx\n", to[0], to[1]);
	bitmap_remap(to, to, old, new, bits);
	pr_info("in place: %lx %lx\n", to[0], to[1]);
	pr_info("bitremap %d %d %d %d %d\n", bitmap_bitremap(4, old, new, bits), bitmap_bitremap(64, old, new, bits),
		bitmap_bitremap(5, old, none, bits), bitmap_bitremap(0, old, new, bits), bitmap_bitremap(-1, old, new, bits));
	for (at = 0; (n = bitmap_print_list_to_buf(text, from, bits, at, 5)) > 0; at += n)
		pr_info("list at %d: %d %*pE\n", at, n, n, text);
	pr_info("list ends %d\n", n);
	for (at = 0; (n = bitmap_print_bitmask_to_buf(text, from, bits, at, 16)) > 0; at += n)
		pr_info("mask at %d: %d %*pE\n", at, n, n, text);
	pr_info("mask ends %d negative %d nothing %d\n", n, bitmap_print_bitmask_to_buf(text, from, bits, -1, 16),
		bitmap_print_list_to_buf(text, from, bits, 0, 0));
}

static void memory(void)
{
	unsigned long *map;
	cpumask_t *mask;

	map = bitmap_alloc(1, GFP_KERNEL);
	TELL(ksize(map));
	bitmap_free(map);
	map = bitmap_alloc(hidden(0), GFP_KERNEL);
	TELL((long)map);
	bitmap_free(map);
	map = bitmap_alloc_node(65, GFP_KERNEL, NUMA_NO_NODE);
	TELL(ksize(map));
	bitmap_free(map);
	map = bitmap_alloc_node(1000, GFP_KERNEL, 0);
	TELL(ksize(map));
	bitmap_free(map);
	map = bitmap_zalloc_node(600, GFP_KERNEL, NUMA_NO_NODE);
	TELL(ksize(map));
	TELL(bitmap_empty(map, 600));
	bitmap_free(map);
	bitmap_free(NULL);
	TELL(bitmap_alloc(hidden(UINT_MAX), GFP_KERNEL | __GFP_NOWARN) == NULL);
	TELL(alloc_cpumask_var_node(&mask, GFP_KERNEL, NUMA_NO_NODE));
	cpumask_clear(mask);
	cpumask_set_cpu(0, mask);
	TELL(cpumask_weight(mask));
	pr_info("cpus %*pbl\n", cpumask_pr_args(mask));
	free_cpumask_var(mask);
	TELL(zalloc_cpumask_var(&mask, GFP_KERNEL));
	TELL(cpumask_empty(mask));
	TELL(cpumask_first(mask) >= nr_cpu_ids);
	free_cpumask_var(mask);
	free_cpumask_var(NULL);
}

/* As the kernel calls it where the processor cannot count: nothing but %eax changes. */
static unsigned int weigh(unsigned int word)
{
	unsigned long weight = 0xdead;

	asm volatile("call __sw_hweight32" : "=a" (weight) : "D" ((unsigned long)word), "a" (weight) : "cc");
	return weight;
}

static void arithmetic(void)
{
	u64 rest = 77;

	TELL(weigh(0));
	TELL(weigh(0xffffffff));
	TELL(weigh(0x80000001));
	TELL(hweight32(hidden(0xf0f0)));
	TELL(hweight16(hidden(0xffff)));
	TELL(hweight8(hidden(0xff)));
	TELL(iter_div_u64_rem(hidden(100), 30, &rest));
	TELL(rest);
	TELL(iter_div_u64_rem(hidden(29), 30, &rest));
	TELL(rest);
	TELL(iter_div_u64_rem(hidden(30), 30, &rest));
	TELL(rest);
	TELL(iter_div_u64_rem(hidden(-1UL), 0xffffffff, &rest) == 1);
	TELL(iter_div_u64_rem(hidden(5000000000), 1000000000, &rest));
	TELL(rest);
}

static void sums(void)
{
	static u8 from[128], to[128];
	int lengths[] = { 0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 100, 128 };
	int i;

	for (i = 0; i < 128; i++)
		from[i] = i * 37 + 5;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		__wsum sum;

		memset(to, 0, sizeof(to));
		sum = csum_partial_copy_nocheck(from, to, lengths[i]);
		pr_info("sum of %d: %04x copied %d rest %d as well as %04x\n", lengths[i], (u16)~csum_fold(sum), memcmp(from, to, lengths[i]),
			memchr_inv(to + lengths[i], 0, 128 - lengths[i]) != NULL, (u16)~csum_fold(csum_partial(from, lengths[i], 0)));
	}
}

static void random(void)
{
	u8 uuid[16];
	guid_t g, h;
	uuid_t u;
	u32 any = 0, all = -1;
	int i;

	TELL(rng_is_initialized());
	TELL(wait_for_random_bytes());
	for (i = 0; i < 64; i++) {
		u32 n = get_random_u32();

		any |= n;
		all &= n;
	}
	pr_info("all bits come %d and go %d\n", any == U32_MAX, all == 0);
	add_device_randomness("device", 6);
	add_device_randomness("", 0);
	generate_random_uuid(uuid);
	pr_info("uuid version %x variant %x\n", uuid[6] >> 4, uuid[8] >> 6);
	generate_random_guid(uuid);
	pr_info("guid version %x variant %x\n", uuid[7] >> 4, uuid[8] >> 6);
	guid_gen(&g);
	guid_gen(&h);
	pr_info("guid version %x variant %x differ %d\n", g.b[7] >> 4, g.b[8] >> 6, !guid_equal(&g, &h));
	uuid_gen(&u);
	pr_info("uuid version %x variant %x null %d\n", u.b[6] >> 4, u.b[8] >> 6, uuid_is_null(&u));
}

static int __init lib_bits_init(void)
{
	find();
	lists();
	rearrange();
	memory();
	arithmetic();
	sums();
	random();
	return 0;
}

static void __exit lib_bits_exit(void)
{
}

module_init(lib_bits_init);
module_exit(lib_bits_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Bits, sums, random numbers");
