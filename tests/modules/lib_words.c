// SPDX-License-Identifier: GPL-2.0
/* Text taken apart: options, parameters' own functions, numbers, formats read. */
#include <linux/ctype.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/parser.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/string_helpers.h>
#include <crypto/algapi.h>

#define TELL(what) pr_info("%s = %lld\n", #what, (long long)(what))

static const char *const given[] = { "0", "1", "-1", "+7", "127", "128", "255", "256", "-128", "-129", "32767", "32768",
	"65535", "65536", "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615",
	"18446744073709551616", "0x1f", "0X1F", "017", "08", "0b1", "", " 1", "1 ", "1\n", "1\n\n", "-", "+", "0x", "--1",
	"y", "N", "on", "off", "of", "o", "Yes", "2", "12abc" };

static union {
	bool b;
	u8 byte;
	s16 s;
	u16 us;
	int i;
	u32 u;
	long l;
	u64 ull;
	char *p;
	char room[16];
} value;

static char *page;

static void integers(void)
{
	static const struct {
		const char *name;
		int (*set)(const char *val, const struct kernel_param *kp);
		int (*get)(char *buffer, const struct kernel_param *kp);
	} types[] = {
		{ "byte", param_set_byte, param_get_byte },
		{ "short", param_set_short, param_get_short },
		{ "ushort", param_set_ushort, param_get_ushort },
		{ "int", param_set_int, param_get_int },
		{ "uint", param_set_uint, param_get_uint },
		{ "long", param_set_long, param_get_long },
		{ "ulong", param_set_ulong, param_get_ulong },
		{ "ullong", param_set_ullong, param_get_ullong },
		{ "hexint", param_set_hexint, param_get_hexint },
		{ "bool", param_set_bool, param_get_bool },
		{ "invbool", param_set_invbool, param_get_invbool },
		{ "bint", param_set_bint, param_get_int },
	};
	struct kernel_param kp = { .name = "own", .mod = THIS_MODULE, .arg = &value };
	int i, j, error, length;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		int at = 0, refused = 0, last = 0;

		memset(page, 0, PAGE_SIZE);
		for (j = 0; j < ARRAY_SIZE(given); j++) {
			memset(&value, 0x55, sizeof(value));
			error = types[i].set(given[j], &kp);
			if (error) {
				/* Which are refused shows in those that are not. */
				refused++;
				last = last * 3 + error;
				if (value.ull != 0x5555555555555555)
					pr_info("%s %d changes\n", types[i].name, j);
				continue;
			}
			length = types[i].get(page + 2048, &kp);
			if (length != strlen(page + 2048) || page[2047 + length] != '\n')
				pr_info("%s %d is odd\n", types[i].name, j);
			page[2047 + length] = 0;
			at += sprintf(page + at, " %d:%s", j, page + 2048);
		}
		pr_info("%s%s refused %d %d\n", types[i].name, page, refused, last);
	}
}

static void others(void)
{
	struct kparam_string string = { .maxlen = sizeof(value.room), .string = value.room };
	struct kernel_param kp = { .name = "own", .mod = THIS_MODULE, .arg = &value }, kps = { .name = "text", .str = &string };
	char *copy;

	TELL(param_set_bool(NULL, &kp));
	TELL(value.b);
	TELL(param_set_bool_enable_only("n", &kp));
	TELL(param_set_bool_enable_only("x", &kp));
	TELL(param_set_bool_enable_only("y", &kp));
	value.b = false;
	TELL(param_set_bool_enable_only("n", &kp));
	TELL(param_set_bool_enable_only(NULL, &kp));
	TELL(value.b);
	TELL(param_set_invbool(NULL, &kp));
	TELL(value.b);
	value.i = -1;
	TELL(param_set_bint(NULL, &kp));
	TELL(value.i);
	TELL(param_set_copystring("fifteen letters", &kps));
	TELL(param_set_copystring("more than fits in it", &kps));
	TELL(param_set_copystring("sixteen letters.", &kps));
	TELL(param_get_string(page, &kps));
	pr_info("%s", page);
	string.maxlen = 0;
	TELL(param_set_copystring("", &kps));
	value.p = NULL;
	TELL(param_get_charp(page, &kp));
	pr_info("%s", page);
	TELL(param_set_charp("first", &kp));
	copy = value.p;
	TELL(param_set_charp("second", &kp));
	TELL(param_get_charp(page, &kp));
	pr_info("%s", page);
	param_free_charp(&value);
	value.p = "none of theirs";
	param_free_charp(&value);
	TELL(param_set_charp("", &kp));
	param_free_charp(&value);
	memset(page, 'l', 1025);
	page[1025] = 0;
	value.p = NULL;
	TELL(param_set_charp(page, &kp));
	TELL(value.p == NULL);
	page[1024] = 0;
	TELL(param_set_charp(page, &kp));
	TELL(strlen(value.p));
	param_free_charp(&value);
	value.u = 5;
	TELL(param_set_uint_minmax(NULL, &kp, 1, 10));
	TELL(param_set_uint_minmax("0", &kp, 1, 10));
	TELL(param_set_uint_minmax("11", &kp, 1, 10));
	TELL(param_set_uint_minmax("-1", &kp, 1, 10));
	TELL(param_set_uint_minmax("4294967296", &kp, 1, 10));
	TELL(value.u);
	TELL(param_set_uint_minmax("10", &kp, 1, 10));
	TELL(value.u);
	TELL(param_set_uint_minmax("5", &kp, 10, 1));
	kernel_param_lock(THIS_MODULE);
	kernel_param_unlock(THIS_MODULE);
	kernel_param_lock(NULL);
	kernel_param_unlock(NULL);
	TELL(THIS_MODULE->param_lock.owner.counter);
}

static void options(void)
{
	static char texts[][24] = { "42", "-1", "4294967295", "4294967296", "0x10", "010", "", "18446744073709551615",
		"18446744073709551616", "12ab", " 5", "99999999999999999999999" };
	static char lists[][16] = { "5", "5,6", "5-9", "-3,", "x", "-", "0x1f-", ",", "" };
	char text[40], *rest;
	substring_t s;
	int i, number;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		unsigned int u = 7;
		u64 v = 7;
		int d = 7, o = 7, x = 7, results[5];

		s.from = texts[i];
		s.to = texts[i] + strlen(texts[i]);
		results[0] = match_uint(&s, &u);
		results[1] = match_u64(&s, &v);
		results[2] = match_int(&s, &d);
		results[3] = match_octal(&s, &o);
		results[4] = match_hex(&s, &x);
		pr_info("'%s' uint %d %u u64 %d %llu int %d %d octal %d %d hex %d %d\n", texts[i], results[0], u, results[1], v,
			results[2], d, results[3], o, results[4], x);
	}
	s.from = "abcdefgh";
	s.to = s.from + 6;
	memset(text, '.', sizeof(text));
	TELL(match_strlcpy(text, &s, 4));
	pr_info("%s %c\n", text, text[4]);
	TELL(match_strlcpy(text, &s, 7));
	pr_info("%s %c\n", text, text[7]);
	TELL(match_strlcpy(text, &s, 0));
	TELL(match_strlcpy(text, &s, 40));
	s.to = s.from;
	TELL(match_strlcpy(text, &s, 40));
	rest = match_strdup(&s);
	pr_info("'%s'\n", rest);
	kfree(rest);
	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		int found[3];

		rest = lists[i];
		number = 77;
		found[0] = get_option(&rest, &number);
		found[1] = rest - lists[i];
		rest = lists[i];
		found[2] = get_option(&rest, NULL);
		pr_info("'%s' option %d %d at %d without %d at %ld\n", lists[i], found[0], number, found[1], found[2],
			(long)(rest - lists[i]));
	}
	rest = NULL;
	TELL(get_option(&rest, &number));
}

/* What formats read. */
static int scan(const char *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsscanf(text, format, args);
	va_end(args);
	return n;
}

static const char *printed(const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = kvasprintf_const(GFP_KERNEL, format, args);
	va_end(args);
	return text;
}

static char *printed_anew(const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	text = kvasprintf(GFP_KERNEL, format, args);
	va_end(args);
	return text;
}

static void formats(void)
{
	static const char constant[] = "a constant";
	struct seq_buf buffer;
	unsigned int u = 0;
	char word[16] = "", c = 0, more[3], room[16];
	const char *text;
	char *own;
	int a = 0, b = 0, n;
	long long ll = 0;
	u8 byte = 0;

	n = scan("12,-34:ffee word!", "%d,%d:%x %15s", &a, &b, &u, word);
	pr_info("scan %d: %d %d %x %s\n", n, a, b, u, word);
	n = scan("0x1f 017 99", "%i %i %lld", &a, &b, &ll);
	pr_info("scan %d: %d %d %lld\n", n, a, b, ll);
	n = scan("300xyz", "%hhu%c%2c", &byte, &c, more);
	pr_info("scan %d: %u %c %.2s\n", n, byte, c, more);
	n = scan("abc123", "%10[a-c]%n%1d%*1d%n", word, &a, &b, &u);
	pr_info("scan %d: %s %d %d %u\n", n, word, a, b, u);
	TELL(scan("", "%d", &a));
	TELL(scan("x", "%d", &a));
	TELL(scan("5", "%d %d", &a, &b));
	TELL(scan("-5", "%u", &u));
	pr_info("u %u\n", u);

	text = printed(constant);
	pr_info("%s same %d\n", text, text == constant);
	kfree_const(text);
	text = printed("%s", constant);
	pr_info("%s same %d\n", text, text == constant);
	kfree_const(text);
	sprintf(room, "on the stack");
	text = printed("%s", room);
	pr_info("%s same %d\n", text, text == room);
	kfree_const(text);
	text = printed("%s-%d", constant, 3);
	pr_info("%s same %d\n", text, text == constant);
	kfree_const(text);
	own = printed_anew("%05d|%-6s|%#x", -42, "ab", 255);
	pr_info("%s size %zu\n", own, ksize(own));
	kfree(own);

	seq_buf_init(&buffer, room, sizeof(room));
	TELL(seq_buf_printf(&buffer, "%d %s", 1234, "ten"));
	TELL(buffer.len);
	TELL(seq_buf_printf(&buffer, "%s", "too much for it"));
	TELL(buffer.len);
	TELL(seq_buf_has_overflowed(&buffer));
	TELL(seq_buf_printf(&buffer, "x"));
	pr_info("%.8s\n", room);
	seq_buf_clear(&buffer);
	TELL(seq_buf_printf(&buffer, "%s", "fifteen letters"));
	TELL(seq_buf_printf(&buffer, "%s", ""));
	TELL(seq_buf_printf(&buffer, "%s", "1"));
	TELL(buffer.len);
}

/* By their names: the compiler knows better ways. */
extern int bcmp(const void *a, const void *b, size_t n);
extern char *stpcpy(char *dest, const char *src);
static int (*volatile compare)(const void *a, const void *b, size_t n) = bcmp;
static char *(*volatile copy_to)(char *dest, const char *src) = stpcpy;

static void strings(void)
{
	static const u8 bytes[] = { 0xff, 0, 1, 0x80, 3, 7, 15, 31, 63, 127, 255, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128 };
	char room[32], **array;
	u8 out[22];
	unsigned long raw;
	int i;

	TELL(!!compare("abc", "abd", 3));
	TELL(!!compare("abc", "abd", 2));
	TELL(!!compare("abc", "xyz", 0));
	TELL(!!compare("\377", "\1", 1));
	pr_info("end at %ld %s\n", (long)(copy_to(room, "stpcpy") - room), room);
	pr_info("end at %ld '%s'\n", (long)(copy_to(room, "") - room), room);
	TELL(!!crypto_memneq("0123456789abcdefX", "0123456789abcdefY", 17));
	TELL(!!crypto_memneq("0123456789abcdefX", "0123456789abcdefY", 16));
	TELL(!!crypto_memneq("a", "b", 0));
	TELL(__crypto_memneq("\1\2\4", "\0\0\0", 3));
	TELL(__crypto_memneq("\1\2\4\200\1\2\4\200\1\2\4\200\1\2\4\200!", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0!", 17));
	__crypto_xor(out, bytes, bytes + 1, 21);
	pr_info("xor %*ph\n", 21, out);
	crypto_xor(out, bytes, 21);
	pr_info("xor %*ph\n", 21, out);
	crypto_xor_cpy(out, bytes + 1, bytes + 3, 7);
	pr_info("xor %*ph\n", 8, out);
	__crypto_xor(out, bytes, bytes, 0);
	for (i = 0; i < 22; i += 3)
		pr_info("memweight from %d: %zu %zu\n", i, memweight(bytes + i, 22 - i), memweight(bytes + i, i > 3 ? 3 : i));
	TELL(check_signature((void __iomem *)bytes, (const unsigned char *)"\377\0\1", 3));
	TELL(check_signature((void __iomem *)bytes, (const unsigned char *)"\377\0\2", 3));
	TELL(check_signature((void __iomem *)bytes, (const unsigned char *)"x", 0));
	array = kasprintf_strarray(GFP_KERNEL, "line", 3);
	pr_info("array %s %s %s\n", array[0], array[1], array[2]);
	kfree_strarray(array, 3);
	kfree_strarray(NULL, 3);
	array = kcalloc(2, sizeof(char *), GFP_KERNEL);
	kfree_strarray(array, 2);

	raw = 77;
	TELL(kstrtoul("0x7f", 0, &raw));
	TELL(raw);
	TELL(_kstrtoul("ff", 16, &raw));
	TELL(raw);
	TELL(_kstrtoul("18446744073709551616", 10, &raw));
	TELL(_kstrtoul("-1", 10, &raw));
	TELL(_kstrtoul("12\n", 10, &raw));
	TELL(_kstrtoul("9", 8, &raw));
	TELL(raw);
	TELL(_kstrtol("-ff", 16, (long *)&raw));
	TELL(raw);
	TELL(_kstrtol("9223372036854775808", 10, (long *)&raw));
	TELL(_kstrtol("-9223372036854775808", 10, (long *)&raw));
	TELL(raw);
	TELL(_kstrtol("", 0, (long *)&raw));
}

static int __init lib_words_init(void)
{
	page = (char *)__get_free_page(GFP_KERNEL);
	integers();
	others();
	options();
	formats();
	strings();
	free_page((unsigned long)page);
	return 0;
}

static void __exit lib_words_exit(void)
{
}

module_init(lib_words_init);
module_exit(lib_words_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Text taken apart");
