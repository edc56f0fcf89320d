// SPDX-License-Identifier: GPL-2.0
/* Numbers out of strings and into them; arithmetic, checksums, random numbers. */
#include <linux/bcd.h>
#include <linux/crc-ccitt.h>
#include <linux/crc32.h>
#include <linux/types.h>
#include <linux/errseq.h>
#include <linux/gcd.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/lcm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/reciprocal_div.h>
#include <linux/slab.h>
#include <net/checksum.h>
#include <net/ip6_checksum.h>

static const char * const texts[] = {
	"0", "42", "-7", "+8", "0x1f", "017", "08", "255", "256", "-128", "-129", "65535", "65536", "-32769",
	"2147483647", "2147483648", "-2147483648", "4294967295", "4294967296", "9223372036854775807",
	"9223372036854775808", "18446744073709551615", "18446744073709551616", "12\n", "12\n\n", "12 ", " 12", "",
	"\n", "-", "0x", "1e3", "ff", "y", "N", "on", "oFF", "o", "t", "1x",
};

static void strict(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *t = texts[i];
		unsigned long long ull = 111;
		long long ll = 111;
		unsigned int u = 111;
		int d = 111;
		u16 w = 111;
		s16 sw = 111;
		u8 b = 111;
		s8 sb = 111;
		bool yes = false;
		int r[9];

		r[0] = kstrtoull(t, 0, &ull);
		r[1] = kstrtoll(t, 10, &ll);
		r[2] = kstrtouint(t, 0, &u);
		r[3] = kstrtoint(t, 16, &d);
		r[4] = kstrtou16(t, 8, &w);
		r[5] = kstrtos16(t, 0, &sw);
		r[6] = kstrtou8(t, 10, &b);
		r[7] = kstrtos8(t, 2, &sb);
		r[8] = kstrtobool(t, &yes);
		pr_info("[%*pE] %d %llu %d %lld %d %u %d %d %d %u %d %d %d %u %d %d %d %d\n", (int)strlen(t), t, r[0], ull,
			r[1], ll, r[2], u, r[3], d, r[4], w, r[5], sw, r[6], b, r[7], sb, r[8], yes);
	}
	pr_info("kstrtobool NULL %d\n", kstrtobool(NULL, NULL));
}

static void loose(void)
{
	char *end;
	const char *t = "123abc";

	pr_info("simple_strtoul %lu", simple_strtoul(t, &end, 10));
	pr_cont(" [%s] %lx", end, simple_strtoul(t, &end, 16));
	pr_cont(" [%s] %lu\n", end, simple_strtoul("0777", NULL, 0));
	pr_info("simple_strtol %ld %ld %ld\n", simple_strtol("-5x", NULL, 0), simple_strtol("+5", NULL, 0),
		simple_strtol("-0x10", NULL, 0));
	pr_info("simple_strtoull %llu %llu\n", simple_strtoull("18446744073709551617", NULL, 10),
		simple_strtoull("", NULL, 0));
	pr_info("simple_strtoll %lld\n", simple_strtoll("-9223372036854775808", NULL, 0));
}

static void scan(void)
{
	int a = -1, b = -1, n;
	char word[16] = "none", c = '?';
	unsigned long l = 0;
	u8 byte = 0;

	n = sscanf("10 20 thirty", "%d %d %15s", &a, &b, word);
	pr_info("sscanf %d %d %d %s\n", n, a, b, word);
	n = sscanf("7:x", "%d:%c", &a, &c);
	pr_info("sscanf %d %d %c\n", n, a, c);
	n = sscanf("0xff 300", "%lx %hhu", &l, &byte);
	pr_info("sscanf %d %lx %u\n", n, l, byte);
	n = sscanf("abc", "%d", &a);
	pr_info("sscanf %d\n", n);
	n = sscanf("", "%d", &a);
	pr_info("sscanf %d\n", n);
	n = sscanf("key=value", "%7[^=]=%s", word, word + 8);
	pr_info("sscanf %d %s %s\n", n, word, word + 8);
	n = sscanf("1234", "%2d%n", &a, &b);
	pr_info("sscanf %d %d %d\n", n, a, b);
}

static int vprint(char *buf, size_t size, int how, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = how == 0 ? vsnprintf(buf, size, fmt, args) : how == 1 ? vscnprintf(buf, size, fmt, args)
							     : vsprintf(buf, fmt, args);
	va_end(args);
	return n;
}

static void print(void)
{
	char buf[32];
	char *text;
	int n;

	n = sprintf(buf, "%d-%s", 12, "twelve");
	pr_info("sprintf %d %s\n", n, buf);
	n = snprintf(buf, 6, "%d-%s", 12, "twelve");
	pr_info("snprintf %d %s\n", n, buf);
	n = scnprintf(buf, 6, "%d-%s", 12, "twelve");
	pr_info("scnprintf %d %s\n", n, buf);
	n = snprintf(NULL, 0, "%s", "measure");
	pr_info("snprintf NULL %d\n", n);
	n = scnprintf(buf, 0, "%s", "nothing");
	pr_info("scnprintf none %d %s\n", n, buf);
	pr_info("vsnprintf %d %s\n", vprint(buf, 4, 0, "%s%d", "ab", 34), buf);
	pr_info("vscnprintf %d %s\n", vprint(buf, 4, 1, "%s%d", "ab", 34), buf);
	pr_info("vsprintf %d %s\n", vprint(buf, 4, 2, "%d%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6, 7), buf);
	text = kasprintf(GFP_KERNEL, "%s/%d", "path", 3);
	pr_info("kasprintf %s\n", text);
	kfree(text);
}

static void arithmetic(void)
{
	static errseq_t seq;
	errseq_t since;
	struct reciprocal_value r = reciprocal_value(7);
	volatile unsigned int v = 0x42;

	pr_info("gcd %lu %lu lcm %lu %lu %lu\n", gcd(48, 180), gcd(0, 5), lcm(4, 6), lcm(0, 5), lcm_not_zero(0, 5));
	pr_info("int_sqrt %lu %lu %lu int_pow %llu\n", int_sqrt(0), int_sqrt(99), int_sqrt(~0UL), int_pow(3, 20));
	pr_info("reciprocal %u %u %u: %u\n", r.m, r.sh1, r.sh2, reciprocal_divide(1000, r));
	pr_info("bcd %u %x\n", bcd2bin(v), bin2bcd(v));
	since = errseq_sample(&seq);
	pr_info("errseq %u %d", since, errseq_check(&seq, since));
	errseq_set(&seq, -EIO);
	pr_cont(" %d %d", errseq_check(&seq, since), errseq_check_and_advance(&seq, &since));
	pr_cont(" %d", errseq_check_and_advance(&seq, &since));
	errseq_set(&seq, -EIO);
	pr_cont(" %d %x\n", errseq_check(&seq, since), seq);
}

static void sums(void)
{
	static const u8 data[] = "The quick brown fox jumps over the lazy dog";
	struct in6_addr a = { .s6_addr = { 0xfe, 0x80, [15] = 1 } }, b = { .s6_addr = { 0xff, 2, [15] = 2 } };
	size_t n = sizeof(data) - 1;

	pr_info("crc32 %08x %08x %08x\n", crc32_le(~0, data, n), crc32_be(~0, data, n), __crc32c_le(~0, data, n));
	pr_info("crc32 shift %08x %08x\n", crc32_le_shift(0x12345678, 100), __crc32c_le_shift(0x12345678, 12345));
	pr_info("crc_ccitt %04x %04x %04x %04x\n", crc_ccitt(0xffff, data, n), crc_ccitt_false(0xffff, data, n),
		crc_ccitt_byte(0x1234, 0x56), crc_ccitt_false_byte(0x1234, 0x56));
	pr_info("csum %08x %08x %08x %04x\n", (u32)csum_partial(data, n, 0), (u32)csum_partial(data + 1, n - 1, 0),
		(u32)csum_partial(data, 7, (__force __wsum)0xfffffff0), (u16)ip_compute_csum(data, n));
	pr_info("csum_ipv6 %04x\n", (u16)csum_ipv6_magic(&a, &b, 1234, 17, (__force __wsum)0x1234));
}

static void randoms(void)
{
	struct rnd_state state;
	u8 bytes[10];
	u64 any = 0;
	int i, bad = 0;

	prandom_seed_state(&state, 20210101);
	pr_info("prandom %08x", prandom_u32_state(&state));
	pr_cont(" %08x", prandom_u32_state(&state));
	prandom_bytes_state(&state, bytes, 10);
	pr_cont(" %*ph\n", 10, bytes);
	for (i = 0; i < 64; i++) {
		any |= get_random_u64();
		bad += get_random_u32_below(10 + i) >= 10 + i;
	}
	get_random_bytes(bytes, 10);
	pr_info("random %llx %d %d\n", any, bad, get_random_u8() <= 0xff && get_random_u16() <= 0xffff);
}

static int __init lib_numbers_init(void)
{
	strict();
	loose();
	scan();
	print();
	arithmetic();
	sums();
	randoms();
	return 0;
}

static void __exit lib_numbers_exit(void)
{
}

module_init(lib_numbers_init);
module_exit(lib_numbers_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Numbers");
