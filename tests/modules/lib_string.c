// SPDX-License-Identifier: GPL-2.0
/* What the functions of lib/string.c and string_helpers.c answer. */
#include <linux/ctype.h>
#include <linux/etherdevice.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/string_helpers.h>
#include <linux/parser.h>
#include <linux/glob.h>
#include <linux/uuid.h>

static char *room;
static char *copies[512];
static unsigned int used;

/* Out of the compiler's sight, so that functions are called. */
static noinline char *s(const char *text)
{
	size_t size = 0;
	char *copy;

	while (text[size])
		size++;
	copy = kmalloc(size + 1, GFP_KERNEL);
	memcpy(copy, text, size + 1);
	if (used < ARRAY_SIZE(copies))
		copies[used++] = copy;
	return copy;
}

static noinline char *fresh(void)
{
	memset(room, '#', 64);
	room[63] = 0;
	return room;
}

static int at(const char *base, const char *found)
{
	return found ? found - base : -1;
}

static void lengths(void)
{
	char *a = s("hello"), *e = s("");

	pr_info("strlen %zu %zu\n", strlen(a), strlen(e));
	pr_info("strnlen %zu %zu %zu\n", strnlen(a, 3), strnlen(a, 9), strnlen(a, 0));
}

static void compare(void)
{
	pr_info("strcmp %d %d %d %d\n", strcmp(s("a"), s("b")), strcmp(s("b"), s("a")), strcmp(s("x"), s("x")),
		strcmp(s("\xff"), s("a")));
	pr_info("strncmp %d %d %d %d\n", strncmp(s("abc"), s("abd"), 2), strncmp(s("abc"), s("abd"), 3),
		strncmp(s("abc"), s("ab"), 3), strncmp(s("x"), s("y"), 0));
	pr_info("strcasecmp %d %d %d\n", strcasecmp(s("HeLLo"), s("hEllO")), strcasecmp(s("a"), s("C")),
		strcasecmp(s("abc"), s("AB")));
	pr_info("strncasecmp %d %d %d\n", strncasecmp(s("HEy"), s("heX"), 2), strncasecmp(s("HEy"), s("heX"), 3),
		strncasecmp(s("a"), s("b"), 0));
	pr_info("memcmp %d %d %d %d\n", memcmp(s("abcdefghi"), s("abcdefghi"), 9), memcmp(s("abc"), s("abf"), 3),
		memcmp(s("12345678z"), s("12345678a"), 9), memcmp(s("a"), s("b"), 0));
}

static void copy(void)
{
	char *r;
	ssize_t n;

	r = fresh();
	pr_info("strcpy %d %s\n", (int)(strcpy(r, s("copied")) - r), r);
	r = fresh();
	strncpy(r, s("ab"), 5);
	pr_info("strncpy %*ph\n", 7, r);
	r = fresh();
	strncpy(r, s("abcdef"), 3);
	pr_info("strncpy cut %*ph\n", 5, r);
	r = fresh();
	n = strlcpy(r, s("abcdef"), 4);
	pr_info("strlcpy %zd %s\n", n, r);
	r = fresh();
	n = strscpy(r, s("abcdef"), 4);
	pr_info("strscpy cut %zd %*ph\n", n, 6, r);
	r = fresh();
	n = strscpy(r, s("abc"), 32);
	pr_info("strscpy %zd %*ph\n", n, 12, r);
	r = fresh();
	n = strscpy(r, s("abcdefghij"), 13);
	pr_info("strscpy words %zd %*ph\n", n, 18, r);
	r = fresh();
	n = strscpy(r, s("abcdefgh"), 9);
	pr_info("strscpy eight %zd %*ph\n", n, 12, r);
	n = strscpy(r, s("x"), 0);
	pr_info("strscpy none %zd\n", n);
	r = fresh();
	n = strscpy_pad(r, s("abc"), 11);
	pr_info("strscpy_pad %zd %*ph\n", n, 13, r);
	r = fresh();
	strcpy(r, s("one"));
	strcat(r, s(" two"));
	pr_info("strcat %s\n", r);
	strncat(r, s(" three"), 3);
	pr_info("strncat %s\n", r);
	pr_info("strlcat %zu %s\n", strlcat(r, s(" four five"), 16), r);
	r = fresh();
	memcpy_and_pad(r, 6, s("abc"), 3, '.');
	pr_info("memcpy_and_pad %*ph\n", 8, r);
	r = fresh();
	memcpy(r, s("0123456789abcdefghijklmnopqrstuvwxyz"), 37);
	memmove(r + 3, r, 20);
	pr_info("memmove up %s\n", r);
	memmove(r, r + 5, 20);
	pr_info("memmove down %s\n", r);
	memset(r + 2, 'x', 11);
	pr_info("memset %s\n", r);
}

static void search(void)
{
	char *a = s("hello, world"), *r, *word;

	pr_info("strchr %d %d %d\n", at(a, strchr(a, 'o')), at(a, strchr(a, 'z')), at(a, strchr(a, 0)));
	pr_info("strrchr %d %d\n", at(a, strrchr(a, 'o')), at(a, strrchr(a, 'z')));
	pr_info("strchrnul %d %d\n", at(a, strchrnul(a, 'w')), at(a, strchrnul(a, 'z')));
	pr_info("strnchr %d %d %d\n", at(a, strnchr(a, 4, 'o')), at(a, strnchr(a, 5, 'o')), at(a, strnchr(a, 99, 0)));
	pr_info("strstr %d %d %d\n", at(a, strstr(a, s("wor"))), at(a, strstr(a, s("wow"))), at(a, strstr(a, s(""))));
	pr_info("strnstr %d %d %d\n", at(a, strnstr(a, s("world"), 11)), at(a, strnstr(a, s("world"), 12)),
		at(a, strnstr(a, s(""), 0)));
	pr_info("strspn %zu %zu\n", strspn(a, s("leh")), strspn(a, s("x")));
	pr_info("strcspn %zu %zu\n", strcspn(a, s(" ,")), strcspn(a, s("x")));
	pr_info("strpbrk %d %d\n", at(a, strpbrk(a, s("dw"))), at(a, strpbrk(a, s("xyz"))));
	pr_info("memchr %d %d\n", at(a, memchr(a, 'l', 12)), at(a, memchr(a, 'd', 3)));
	pr_info("memscan %d %d\n", at(a, memscan(a, 'w', 12)), at(a, memscan(a, 'z', 12)));
	r = fresh();
	pr_info("memchr_inv %d", at(r, memchr_inv(r, '#', 63)));
	r[40] = 1;
	pr_cont(" %d %d\n", at(r, memchr_inv(r, '#', 63)), at(r, memchr_inv(r, '#', 40)));
	r = s(",one,, two");
	while ((word = strsep(&r, ", ")))
		pr_info("strsep [%s]\n", word);
}

static void space(void)
{
	char *a = s(" \t both \n");
	static const char * const names[] = { "none", "some", "all", NULL, "behind" };

	pr_info("skip_spaces [%s] [%s]\n", skip_spaces(s("  x ")), skip_spaces(s("")));
	pr_info("strim [%s] [%s] [%s]\n", strim(a), strim(s("   ")), strim(s("")));
	a = s("a-b-c");
	pr_info("strreplace %d %s\n", at(a, strreplace(a, '-', '/')), a);
	pr_info("sysfs_streq %d %d %d %d %d\n", sysfs_streq(s("on\n"), s("on")), sysfs_streq(s("on"), s("on\n")),
		sysfs_streq(s("on\n"), s("on\n")), sysfs_streq(s("on\n\n"), s("on")), sysfs_streq(s("o"), s("on")));
	pr_info("match_string %d %d %d %d\n", match_string(names, 5, s("all")), match_string(names, 2, s("all")),
		match_string(names, -1, s("none")), match_string(names, 5, s("behind")));
	pr_info("sysfs_match_string %d %d\n", __sysfs_match_string(names, 5, s("some\n")),
		__sysfs_match_string(names, 5, s("some ")));
}

static void words(void)
{
	int argc, i;
	char **argv = argv_split(GFP_KERNEL, s("  three  words\there "), &argc);

	for (i = 0; i <= argc; i++)
		pr_info("argv %d/%d %s\n", i, argc, argv[i] ? argv[i] : "end");
	argv_free(argv);
}

static void escapes(void)
{
	char *r = fresh();
	int n;

	n = string_escape_mem("a\n\"\x01\xff\\", 6, r, 40, ESCAPE_ANY, NULL);
	pr_info("string_escape_mem %d %.*s\n", n, n, r);
	n = string_escape_mem("a\n\"\x01\xff\\", 6, r, 4, ESCAPE_HEX | ESCAPE_NP, NULL);
	pr_info("string_escape_mem %d %.4s\n", n, r);
	n = string_unescape(s("a\\n\\x41\\101\\q\\\\b\\e"), r, 40, UNESCAPE_ANY);
	pr_info("string_unescape %d %*ph\n", n, n + 1, r);
	n = string_unescape(s("a\\nb\\x4g\\477"), r, 5, UNESCAPE_ANY);
	pr_info("string_unescape %d %*ph\n", n, n + 1, r);
	string_get_size(8192, 512, STRING_UNITS_2, r, 10);
	pr_info("string_get_size %s\n", r);
	string_get_size(1500000, 1000, STRING_UNITS_10, r, 5);
	pr_info("string_get_size %s\n", r);
}

static void hex(void)
{
	u8 bytes[8];
	char *r = fresh();
	int i, n = 0;

	for (i = 0; i < 256; i++)
		n += hex_to_bin(i);
	pr_info("hex_to_bin %d %d %d %d\n", n, hex_to_bin('f'), hex_to_bin('A'), hex_to_bin('g'));
	memset(bytes, 0xee, 8);
	n = hex2bin(bytes, s("0aFf10zz"), 4);
	pr_info("hex2bin %d %*ph\n", n, 8, bytes);
	pr_info("hex2bin %d %*ph\n", hex2bin(bytes, s("01020304"), 4), 4, bytes);
	*bin2hex(r, bytes, 4) = 0;
	pr_info("bin2hex %s\n", r);
	n = hex_dump_to_buffer("sixteen bytes...", 16, 16, 4, r, 63, true);
	pr_info("hex_dump_to_buffer %d %s\n", n, r);
	n = hex_dump_to_buffer("sixteen bytes...", 10, 16, 1, r, 12, true);
	pr_info("hex_dump_to_buffer %d %s\n", n, r);
	print_hex_dump(KERN_INFO, "dump ", DUMP_PREFIX_OFFSET, 16, 2, s("twenty-two characters!!"), 23, true);
	print_hex_dump(KERN_INFO, "dump ", DUMP_PREFIX_NONE, 16, 1, s("0123456789"), 10, false);
	n = 0;
	for (i = 0; i < 256; i++)
		n += isalpha(i) + 2 * isdigit(i) + 3 * isspace(i) + 5 * ispunct(i) + 7 * isprint(i) + 11 * isxdigit(i) +
		     13 * iscntrl(i) + 17 * toupper(i);
	pr_info("ctype %d\n", n);
}

static const match_table_t tokens = {
	{ 1, "size=%u" }, { 2, "name=%s" }, { 3, "mode=%o" }, { 4, "ratio=%d:%d" }, { 5, "hex=%x" }, { 6, "100%%" },
	{ 7, "short=%3s" }, { 8, "quiet" }, { 9, NULL },
};

static void parse(const char *option)
{
	substring_t args[MAX_OPT_ARGS];
	int token = match_token(s(option), tokens, args), number = -1;
	char *text;

	switch (token) {
	case 1:
	case 4:
		pr_info("token %d %d", token, match_int(&args[0], &number));
		pr_cont(" %d\n", number);
		break;
	case 2:
	case 7:
		text = match_strdup(&args[0]);
		pr_info("token %d %s\n", token, text);
		kfree(text);
		break;
	case 3:
		pr_info("token %d %d", token, match_octal(&args[0], &number));
		pr_cont(" %d\n", number);
		break;
	case 5:
		pr_info("token %d %d", token, match_hex(&args[0], &number));
		pr_cont(" %d\n", number);
		break;
	default:
		pr_info("token %d\n", token);
	}
}

static void parser(void)
{
	parse("size=4096");
	parse("size=0x10");
	parse("size=");
	parse("size=12x");
	parse("name=disk 1");
	parse("name=");
	parse("mode=755");
	parse("mode=8");
	parse("ratio=-3:4");
	parse("ratio=3");
	parse("hex=ff");
	parse("100%");
	parse("short=abcdef");
	parse("short=abc");
	parse("quiet");
	parse("quiets");
	pr_info("match_wildcard %d %d %d %d\n", match_wildcard("*.ko", s("a.ko")), match_wildcard("a?c*", s("abcdef")),
		match_wildcard("a?c", s("ac")), match_wildcard("*", s("")));
	pr_info("glob_match %d %d %d %d %d\n", glob_match("[a-c]*", s("beta")), glob_match("[!a-c]*", s("beta")),
		glob_match("x[]]", s("x]")), glob_match("\\*", s("*")), glob_match("a[", s("a[")));
}

static void others(void)
{
	u8 mac[6] = {};
	uuid_t u;
	guid_t g;
	char *rest = s("12K,5"), *end;
	int ints[6], number = -1;

	pr_info("mac_pton %d", mac_pton(s("00:1B:44:11:3a:b7"), mac));
	pr_cont(" %pM %d %d\n", mac, mac_pton(s("00:1B:44:11:3a:"), mac), mac_pton(s("00-1B-44-11-3a-b7"), mac));
	pr_info("uuid_parse %d", uuid_parse(s("01020304-0506-0708-090A-0b0c0d0e0f10"), &u));
	pr_cont(" %pUb %d\n", &u, uuid_parse(s("01020304-0506-0708-090A-0b0c0d0e0f1"), &u));
	pr_info("guid_parse %d", guid_parse(s("01020304-0506-0708-090A-0b0c0d0e0f10 and more"), &g));
	pr_cont(" %pUl %*ph\n", &g, 16, &g);
	pr_info("uuid_is_valid %d %d\n", uuid_is_valid(s("01020304-0506-0708-090A-0b0c0d0e0f10")),
		uuid_is_valid(s("0102030405060708090A0b0c0d0e0f10")));
	pr_info("uuid_null %pUb %d\n", &uuid_null, guid_is_null(&guid_null));
	uuid_gen(&u);
	pr_info("uuid_gen %x %x\n", u.b[6] >> 4, u.b[8] >> 6);
	pr_info("memparse %llu", memparse(rest, &end));
	pr_cont(" [%s] %llu %llu %llu\n", end, memparse(s("0x10M"), NULL), memparse(s("1g"), NULL), memparse(s("x"), NULL));
	memset(ints, 0xff, sizeof(ints));
	end = get_options(s("3,7-9,x"), 6, ints);
	pr_info("get_options %d %d %d %d %d %d [%s]\n", ints[0], ints[1], ints[2], ints[3], ints[4], ints[5], end);
	end = get_options(s("1,2,3,4,5,6,7"), 4, ints);
	pr_info("get_options %d %d %d %d [%s]\n", ints[0], ints[1], ints[2], ints[3], end);
	end = get_options(s("1-5,9"), 0, ints);
	pr_info("get_options %d [%s]\n", ints[0], end);
	(void)number;
}

static int __init lib_string_init(void)
{
	room = kmalloc(64, GFP_KERNEL);
	lengths();
	compare();
	copy();
	search();
	space();
	words();
	escapes();
	hex();
	parser();
	others();
	kfree(room);
	return 0;
}

static void __exit lib_string_exit(void)
{
	while (used)
		kfree(copies[--used]);
}

module_init(lib_string_init);
module_exit(lib_string_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Strings");
