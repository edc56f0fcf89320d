// SPDX-License-Identifier: GPL-2.0
/*
 * Prints everything that Linux's printf can print, and more: what vsnprintf() returns and what it wrote, one line each.
 * The line's number is that of the call in its part. tests/linux/lib/test_vsprintf.py has the same calls.
 *
 *	insmod printf_forms.ko part=numbers
 */
#include <linux/bitmap.h>
#include <linux/blkdev.h>
#include <linux/ctype.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/fwnode.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/rtc.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/string_helpers.h>

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#pragma GCC diagnostic ignored "-Wpragmas"

static char *part = "";
module_param(part, charp, 0);
MODULE_PARM_DESC(part, "what to print; \"list\" for the names of all parts");

#define SHOWN 400

static char out[16384];
static char shown[4 * SHOWN + 4];
static int line;
static int most = SHOWN;

/* What cannot be seen is shown in hexadecimal, by nothing that is to be tried here. */
static void show(const char *text, int length)
{
	static const char digits[] = "0123456789abcdef";
	char *to = shown;
	int i;

	for (i = 0; i < length && i < most; i++) {
		unsigned char c = text[i];

		if (c >= ' ' && c <= '~' && c != '\\') {
			*to++ = c;
			continue;
		}
		*to++ = '\\';
		*to++ = 'x';
		*to++ = digits[c >> 4];
		*to++ = digits[c & 15];
	}
	strcpy(to, i < length ? ".." : "");
}

/* Print into a buffer that holds everything. */
static void p(const char *fmt, ...)
{
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = vsnprintf(out, sizeof(out), fmt, args);
	va_end(args);
	show(out, min_t(int, ret, sizeof(out) - 1));
	pr_info("%s %d: %d |%s|\n", part, ++line, ret, shown);
}

/* Print into a buffer of a size. */
static void sized(int size, const char *fmt, ...)
{
	va_list args;
	int ret, cut;

	memset(out, '#', 64);
	va_start(args, fmt);
	ret = vsnprintf(out, size, fmt, args);
	va_end(args);
	show(out, 12);
	va_start(args, fmt);
	cut = vscnprintf(out, size, fmt, args);
	va_end(args);
	pr_info("%s %d: %d %d |%s|\n", part, ++line, ret, cut, shown);
}

/* What pointers point to. Addresses of sockets: 127.0.0.1 and 2001:db8::1, port 12345. */
#define MAC "\x2d\x48\xd6\xfc\x7a\x05"
#define UUID "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
#define BITS "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
#define IP4 "\x01\x02\x03\x04"
#define IP6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define SIN "\x02\0\x30\x39\x7f\0\0\x01"
#define SIN_9 "\x02\0\0\x09\x7f\0\0\x01"
#define SIN6 "\x0a\0\x30\x39\x12\x34\x56\x78\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x05\x06\0\0"
#define ODD " \n\t\r\v\f\"\\\a\x1b\0\x01\x7f\x80\xa0\xe9"
#define SEVENTY "0123456789012345678901234567890123456789012345678901234567890123456789"
#define COFFEE "\xc0\xff\xee"
#define TIME (&(struct rtc_time){ .tm_sec = 43, .tm_min = 35, .tm_hour = 5, .tm_mday = 26, .tm_mon = 10, .tm_year = 118 })
#define YEAR (&(struct rtc_time){ .tm_year = 118 })
#define ODD_TIME (&(struct rtc_time){ .tm_sec = -1, .tm_min = 100, .tm_hour = 1000, .tm_mday = -5, .tm_mon = -2, .tm_year = -2000 })
#define LAST_TIME (&(struct rtc_time){ .tm_mon = 2147483647, .tm_year = 2147483647 })
#define RES(from, to, of) (&(struct resource){ .start = from, .end = to, .flags = of })
#define U32(value) (&(u32){ value })
#define U64(value) (&(u64){ value })
#define S64(value) (&(s64){ value })

/* Things that have names. */
static struct dentry dentries[] = {
	{ .d_parent = &dentries[0], .d_name.name = "foo" },
	{ .d_parent = &dentries[0], .d_name.name = "bravo" },
	{ .d_parent = &dentries[1], .d_name.name = "alfa" },
	{ .d_parent = &dentries[2], .d_name.name = "romeo" },
	{ .d_parent = NULL, .d_name.name = "orphan" },
};
static struct file file = { .f_path.dentry = &dentries[3] };
static struct gendisk sda = { .disk_name = "sda" };
static struct gendisk nvme = { .disk_name = "nvme0n1" };
static struct block_device disk = { .bd_disk = &sda };
static struct block_device partition = { .bd_disk = &sda, .bd_partno = 3 };
static struct block_device partition_p = { .bd_disk = &nvme, .bd_partno = 12 };
static struct fwnode_handle node;

static void numbers(void)
{
	p("");
	p("plain text");
	p("100%%");
	p("%%|%5%|%-5%|%05%|%.3%|%l%");
	p("%*%|", 7);
	p("%.*%|", 7);
	p("%d %d %d %d", 0, 1, -1, 42);
	p("%i|%i", 2147483647, -2147483648);
	p("%u|%u", 0, -1);
	p("%d|%u", 0x123456789LL, 0x123456789LL);
	p("%d|%d", 4294967295U, 2147483648U);
	p("%x|%X|%o", 0xdeadbeef, 0xdeadbeef, 0xdeadbeef);
	p("%x|%X|%o", 0, 0, 0);
	p("%x|%o", -1, -1);
	p("%#x|%#X|%#o", 255, 255, 255);
	p("%#x|%#X|%#o", 0, 0, 0);
	p("%#d|%#u|%#i", 5, 5, 5);
	p("%5d|%-5d|%05d|%+d|% d", 42, 42, 42, 42, 42);
	p("%5d|%-5d|%05d|%+d|% d", -42, -42, -42, -42, -42);
	p("%5u|%-5u|%05u|%+u|% u", 42, 42, 42, 42, 42);
	p("%+x|% x|%+o|%+X", 42, 42, 42, 42);
	p("%5x|%-5x|%05x|%#5x|%#-5x|%#05x", 10, 10, 10, 10, 10, 10);
	p("%#08x|%#8x|%-#8x|%#-8X|%0#8X", 0xab, 0xab, 0xab, 0xab, 0xab);
	p("%#5o|%-#5o|%#05o|%0#10o", 8, 8, 8, 8);
	p("%#5o|%-#5o|%#05o|%0#10o", 0, 0, 0, 0);
	p("%-05d|%0-5d|% 05d|%+05d|%+-5d|% -5d", 7, 7, 7, 7, 7, 7);
	p("%+ d|% +d|%+ d", 7, 7, -7);
	p("%--5d|%++d|%00005d|%##x", 7, 7, 7, 7);
	p("%1d|%2d|%3d|%4d", 123, 123, 123, 123);
	p("%01d|%02d|%03d|%04d", -12, -12, -12, -12);
	p("%.0d|%.d|%.1d|%.5d", 0, 0, 0, 0);
	p("%.0d|%.d|%.1d|%.5d", 42, 42, 42, 42);
	p("%.5d|%.5d|%.5x|%.5o|%#.5x|%#.5o", 42, -42, 42, 42, 42, 42);
	p("%8.5d|%-8.5d|%08.5d|%+8.5d|%+08.5d", 42, 42, 42, 42, 42);
	p("%8.5d|%-8.5d|%08.5d|% 8.5d|% 08.5d", -42, -42, -42, 42, 42);
	p("%10.5x|%-10.5x|%010.5x|%#10.5x|%#010.5x", 0xab, 0xab, 0xab, 0xab, 0xab);
	p("%10.3o|%#10.5o|%#010.5o|%-#10.5o", 8, 8, 8, 8);
	p("%5.10d|%-5.10d|%05.10d", 42, 42, 42);
	p("%.20d|%.30x", 1, 1);
	p("%*d|%-*d|%0*d", 6, 42, 6, 42, 6, 42);
	p("%*d|%-*d|%0*d", -6, 42, -6, 42, -6, 42);
	p("%*d|%-*d|%0*d", 0, 42, 0, 42, 0, 42);
	p("%.*d|%.*d|%.*d", 5, 42, 0, 42, -5, 42);
	p("%*.*d|%*.*x|%-*.*d|", 8, 5, 42, -8, 3, 42, 8, 5, 42);
	p("%*.*d|", 8, -5, 42);
	p("%+*d|% *d|%#*x|%0*x", 5, 1, 5, 1, 6, 1, 6, 1);
	p("%hhd|%hhd|%hhd|%hhd", 0, 127, 128, 255);
	p("%hhu|%hhu|%hhx|%hho|%hhX", 256, -1, -1, -1, 0x1ab);
	p("%hd|%hd|%hd|%hd", 0, 32767, 32768, 65535);
	p("%hu|%hu|%hx|%ho|%hX", 65536, -1, -1, -1, 0x1abcd);
	p("%ho%ho%#ho", 1037, 5282, -11627);
	p("%ld|%ld|%lu|%lx", -1L, 0x7fffffffffffffffL, -1L, -1L);
	p("%lld|%lld|%llu|%llx", -1LL, 0x7fffffffffffffffLL, -1LL, -1LL);
	p("%li|%lo|%lX|%llo|%llX", 42L, 42L, 42L, 42LL, 42LL);
	p("%ld|%llu", 0x8000000000000000UL, 18446744073709551615ULL);
	p("%Ld|%Lu|%Lx|%Li", -1LL, -1LL, -1LL, -5LL);
	p("%zd|%zu|%zx|%zi|%zo", -1L, -1L, -1L, -2L, 8L);
	p("%td|%tu|%tx|%ti|%to", -1L, -1L, -1L, -2L, 8L);
	p("%+ld|% lld|%#lx|%#llX|%+zd|%020lx|%-20lu|", 5L, 5LL, 5L, 0xabcLL, 5L, 5L, 5L);
	p("%lu %lu %lu %lu", 9L, 10L, 99L, 100L);
	p("%lu %lu %lu", 99999999L, 100000000L, 9999999999999999L);
	p("%lu %lu", 10000000000000000UL, 12345678901234567890UL);
	p("%+5hhd|%-6hx|%06ho", -1, -1, -1);
	p("%300d|", 1);
	p("%-300d|", 1);
	p("%0300d|", 1);
	p("%.300d|", 1);
	p("%d %s %x %c%%", 1, "two", 3, '4');
	p("%d%d%d%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6, 7, 8, 9);
	p("%d %d %d %d %d %d %d %d %d %d %d %d", 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120);
}

static void strings(void)
{
	p("%s", "");
	p("%s %s", "Hello", "world");
	p("%s\n\t\r", "line");
	p("%10s|%-10s|%010s|%+10s|% 10s|%#10s", "abc", "abc", "abc", "abc", "abc", "abc");
	p("%2s|%-2s|%0s", "abc", "abc", "abc");
	p("%.2s|%.0s|%.s|%.10s", "abc", "abc", "abc", "abc");
	p("%5.2s|%-5.2s|%5.0s|%-5.s|", "abc", "abc", "abc", "abc");
	p("%*s|%-*s|%*s|", 6, "abc", 6, "abc", -6, "abc");
	p("%.*s|%.*s|%.*s|", 2, "abc", 0, "abc", -1, "abc");
	p("%*.*s|%-*.*s|", 6, 2, "abc", 6, 2, "abc");
	p("%4.*s|", -5, "123456");
	p("%ls|%hs|%hhs|%lls|%zs|%ts|%Ls", "a", "b", "c", "d", "e", "f", "g");
	p("%s", "\x80\xff\xe9\x01\x1b");
	p("%.3s", "\x80\xff\xe9\x01\x1b");
	p("%s", NULL);
	p("%10s|%-10s|%.3s|%.20s|%3s|%.0s|", NULL, NULL, NULL, NULL, NULL, NULL);
	p("%s %s %s", 1, 4095, ERR_PTR(-1));
	p("%12s|%-12s|%.4s|", 100, 100, 100);
	p("%s %s", ERR_PTR(-ENOENT), ERR_PTR(-4095));
	p("%200s|", "abc");
	p("%-200s|", "abc");
	p("%500s|", "abc");
	p("%c%c%c", 'a', 'b', 'c');
	p("%c|%c|%c", 0x141, 0xff, -1);
	p("a%cb", 0);
	p("%5c|%-5c|%05c|%+5c|%1c|%0c|%.3c|", 'x', 'x', 'x', 'x', 'x', 'x', 'x');
	p("%*c|%-*c|%*c|%.*c|", 4, 'x', 4, 'x', -4, 'x', 4, 'x');
	p("%lc|%hc", 'l', 'h');
	p("%300c|", 'x');
	p("\x01" "6%s", "with a level");
	p("\xff\xe4%s\xf6", "\xfc");
}

static void unsupported(void)
{
	p("before %n after %d", 1, 2);
	p("%f|%d", 1, 2);
	p("%e", 1);
	p("%g", 1);
	p("%a", 1);
	p("%m", 1);
	p("%b", 1);
	p("%D", 1);
	p("%S", 1);
	p("%C", 1);
	p("%y %d", 1, 2);
	p("%q", 1);
	p("%1$d", 5);
	p("%jd", 1);
	p("%Zd", 1);
	p("%lhd", 1);
	p("%hld", 1);
	p("%llld", 1);
	p("%hhhd", 1);
	p("%LLd", 1);
	p("%zzd", 1);
	p("%ttd", 1);
	p("%lLd", 1);
	p("%Lld", 1);
	p("%ll", 1);
	p("end%");
	p("end%5");
	p("end%-");
	p("end%.");
	p("end%.5");
	p("end%l");
	p("end%*", 5);
	p("end%.*", 5);
	p("% %d|", 5);
	p("%5 d|", 5);
	p("%-+ #0", 5);
	p("%**d", 5, 6);
	p("%*5d", 5, 6);
	p("%.-5d", 5);
	p("%.5.5d", 5);
	p("%5-d", 5);
	p("%\n", 5);
	p("%\x80", 5);
}

static void wide(void)
{
	most = 40;
	p("%8388607d|", 1);
	p("%8388608d|", 1);
	p("%-8388609d|", 1);
	p("%16777215d|", 1);
	p("%16777216d|", 1);
	p("%16777221d|", 1);
	p("%4294967301d|", 1);
	p("%99999999999999999999d|", 1);
	p("%.32767d|", 1);
	p("%.32768d|", 1);
	p("%.65535d|", 1);
	p("%.65541d|", 1);
	p("%.99999999999999999999d|", 1);
	p("%8388607s|", "abc");
	p("%-8388607s|", "abc");
	p("%8388607c|", 'x');
	p("%16777215p|", NULL);
	p("%16777215px|", 0x1234UL);
	p("%8388607d%8388607d|", 1, 2);
	p("%8388607d%s%8388607d|", 1, "text", 2);
	p("%*d|", 8388607, 1);
	p("%*d|", -8388607, 1);
	p("%.*d|", 32767, 1);
	p("%.*d|", -32768, 1);
	p("%*d|", 8388608, 1);
	p("%*d|", -8388609, 1);
	p("%*d|", 2147483647, 1);
	p("%*s|", -2147483648, "abc");
	p("%.*d|", 32768, 1);
	p("%.*d|", 2147483647, 1);
	p("%.*d|", -2147483648, 1);
	p("%.*d|", -32769, 1);
	p("%.*s|", 2147483647, "abc");
}

static void pointers(void)
{
	p("%p|%px", NULL, NULL);
	p("%p|%px", ERR_PTR(-ENOENT), ERR_PTR(-ENOENT));
	p("%p|%px", ERR_PTR(-4095), ERR_PTR(-4095));
	p("%px|%px|%px", 1, 0xabUL, 0xffffffff81000000UL);
	p("%20px|%-20px|%020px|%5px|%.3px|%.20px|", 0xab12UL, 0xab12UL, 0xab12UL, 0xab12UL, 0xab12UL, 0xab12UL);
	p("%#px|%#20px|%#-20px|%#5px|%+px|% px", 0xab12UL, 0xab12UL, 0xab12UL, 0xab12UL, 0xab12UL, 0xab12UL);
	p("%20p|%-20p|%020p|%5p|%.3p|%#p|", NULL, NULL, NULL, NULL, NULL, NULL);
	p("%*p|%-*p|%.*p|", 20, NULL, 20, NULL, 20, NULL);
	p("%0px|%1px|%016px|%-px|", 0xab12UL, 0xab12UL, 0xab12UL, 0xab12UL);
	p("%lpx|%hpx|%zpx", 0xab12UL, 0xab12UL, 0xab12UL);
	p("%pxyz|%px1", 0xab12UL, 0xab12UL);
	p("%px-x|%px x|%px.x", 0xab12UL, 0xab12UL, 0xab12UL);
	p("%px\xe9\xc0|%px\xd7|%px\xa9", 0xab12UL, 0xab12UL, 0xab12UL);
	p("%pq|%pZ9|%p0|%p1", NULL, NULL, NULL, NULL);
	p("%pF|%pL|%pP|%pj", NULL, NULL, NULL, NULL);
	p("%pK", NULL);
	p("%20pK|%-20pK|", NULL, NULL);
	p("%pe|%pe|%pe", ERR_PTR(-ENOENT), ERR_PTR(-EIO), ERR_PTR(-EAGAIN));
	p("%pe|%pe|%pe", ERR_PTR(-1), ERR_PTR(-41), ERR_PTR(-133));
	p("%pe|%pe|%pe", ERR_PTR(-134), ERR_PTR(-511), ERR_PTR(-512));
	p("%pe|%pe|%pe", ERR_PTR(-517), ERR_PTR(-520), ERR_PTR(-524));
	p("%pe|%pe|%pe", ERR_PTR(-530), ERR_PTR(-531), ERR_PTR(-1234));
	p("%pe|%pe|%pe", ERR_PTR(-4095), ERR_PTR(-35), ERR_PTR(-95));
	p("%10pe|%-10pe|%.3pe|%8pe|%-8pe|", ERR_PTR(-EIO), ERR_PTR(-EIO), ERR_PTR(-EIO), ERR_PTR(-1234),
	  ERR_PTR(-1234));
	p("%+pe|%08pe|%.6pe|%010pe", ERR_PTR(-1234), ERR_PTR(-1234), ERR_PTR(-1234), ERR_PTR(-EIO));
	p("%pe|%20pe|", NULL, NULL);
	p("%pks|%pus|%10pks|%.2pus", "kernel", "user", "kernel", "user");
	p("%pk|%pu|%pku|%puk|%10pk|%.4pu", "kernel", "user", "kernel", "user", "kernel", "user");
	p("%pks|%pus|%pk|%pu", NULL, NULL, NULL, NULL);
	p("%pks|%pus", 1, ERR_PTR(-1));
	p("%pO|%pOF|%pOFn|%pOx", NULL, NULL, NULL, NULL);
	p("%12pO|%-12pOF|%.3pOF|", "x", "x", "x");
	p("%pf|%pfx|%pfs", NULL, NULL, NULL);
	p("%pfw|%pfwP|%pfwf", NULL, NULL, NULL);
	p("%pfw|%pfwP|%pfwf|%20pfw|%8pfwP|%.3pfwP|", &node, &node, &node, &node, &node, &node);
	p("%pA|%10pA|%.2pA|", NULL, NULL, NULL);
}

/* Everything that a pointer is followed for. */
static void nowhere(void)
{
	p("%pR|%pr|%pR|%pr", NULL, NULL, 1, ERR_PTR(-1));
	p("%ph|%*ph|%0ph|%3ph", NULL, 3, NULL, NULL, NULL);
	p("%ph|%phC|%*phN", 1, ERR_PTR(-1), 5, 4095);
	p("%*ph|%*ph", 0, NULL, -1, NULL);
	p("%pb|%*pb|%pbl|%*pbl", NULL, 8, NULL, NULL, 8, NULL);
	p("%pb|%*pb|%pbl|%*pbl", 1, 8, 1, 1, 8, 1);
	p("%pM|%pm|%pMR|%pMF", NULL, 1, ERR_PTR(-1), NULL);
	p("%pI4|%pi4|%pI6|%pi6|%pI6c|%pIS|%piS|%pI|%pi", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
	p("%pI4|%pi4|%pI6|%pi6|%pI6c|%pIS|%piS|%pI|%pi", 1, 1, 1, 1, 1, 1, 1, 1, 1);
	p("%pE|%*pE|%*pE|%0pE", NULL, 3, NULL, 0, NULL, NULL);
	p("%pE|%*pE", 1, 3, ERR_PTR(-1));
	p("%pU|%pUL|%pUb", NULL, 1, ERR_PTR(-1));
	p("%pV|%pV|%pV", NULL, 1, ERR_PTR(-1));
	p("%pN|%pNF|%pNF", NULL, NULL, 1);
	p("%p4|%p4c|%p4cc|%p4cc|%p4cd", NULL, NULL, NULL, 1, NULL);
	p("%pa|%pap|%pad|%pa", NULL, 1, ERR_PTR(-1), 4095);
	p("%pd|%pd2|%pD|%pD4", NULL, 1, NULL, ERR_PTR(-1));
	p("%pt|%ptR|%ptT|%ptTd", NULL, NULL, 1, ERR_PTR(-1));
	p("%pC|%pCn|%pC", NULL, 1, ERR_PTR(-1));
	p("%pg|%pg|%pg", NULL, 1, ERR_PTR(-1));
	p("%pG|%pGp|%pGg|%pGv", NULL, NULL, 1, ERR_PTR(-1));
	p("%12pR|%-12pM|%.3pU|%.20pUB|%-9pI4|", NULL, NULL, NULL, NULL, NULL);
}

static void resources(void)
{
	p("%pR", RES(0x60000000, 0x6fffffff, 0x2200));
	p("%pr", RES(0x60000000, 0x6fffffff, 0x2200));
	p("%pR", RES(0x60000000, 0x60000000, 0x200));
	p("%pR", RES(0x10060000000, 0x1006fffffff, 0x102200));
	p("%pR", RES(0, 0xfff, 0x30300200));
	p("%pR", RES(0, 0xfff, 0x20000200));
	p("%pr", RES(0, 0xfff, 0x20000200));
	p("%pR", RES(5, 0, 0x20000200));
	p("%pR", RES(0, 0xffffffffffffffff, 0x20000200));
	p("%pR", RES(0, 0x1f, 0x10302200));
	p("%pR|%pr", RES(0x3f8, 0x3ff, 0x100), RES(0x3f8, 0x3ff, 0x100));
	p("%pR|%pr", RES(0x12345, 0x12345, 0x100), RES(1, 1, 0x100));
	p("%pR|%pr", RES(5, 5, 0x400), RES(5, 7, 0x400));
	p("%pR|%pr", RES(3, 3, 0x800), RES(3, 4, 0x800));
	p("%pR|%pr", RES(0, 0xff, 0x1000), RES(5, 5, 0x1000));
	p("%pR|%pr", RES(0, 0xff, 0), RES(5, 5, 0x30000000));
	p("%60pR|", RES(0, 0xff, 0x200));
	p("%-60pR|", RES(0, 0xff, 0x200));
	p("%.10pR|%20.5pr|", RES(0, 0xff, 0x200), RES(0, 0xff, 0x200));
	p("%pRx|%prR", RES(0, 0xff, 0x300), RES(0, 0xff, 0x600));
	p("%pR", RES(0xffffffffffffffff, 0xfffffffffffffffe, 0x10302200));
	p("%pR", RES(0xffffffffffffffff, 0xfffffffffffffffe, 0xffffffffffffe0ff));
}

static void bytes(void)
{
	p("%ph", COFFEE);
	p("%3ph|%3phC|%3phD|%3phN", COFFEE, COFFEE, COFFEE, COFFEE);
	p("%*ph|%*phC|%*phD|%*phN", 3, COFFEE, 3, COFFEE, 3, COFFEE, 3, COFFEE);
	p("%*ph|%*ph|%-3ph|%.2ph|%03ph", 0, COFFEE, -3, COFFEE, COFFEE, COFFEE, COFFEE);
	p("%2phx|%2phNC|%2ph C", COFFEE, COFFEE, COFFEE);
	p("%64phN", SEVENTY);
	p("%65phN", SEVENTY);
	p("%100phC", SEVENTY);
	p("%pM|%pMR|%pMF|%pm|%pmR|%pmF|%pMx", MAC, MAC, MAC, MAC, MAC, MAC, MAC);
	p("%20pM|%-20pM|%.5pM|%20.5pm|", MAC, MAC, MAC, MAC);
	p("%pUb|%pUB", UUID, UUID);
	p("%pUl|%pUL", UUID, UUID);
	p("%pU|%pUx|%40pU|%-40pU|%.8pU|", UUID, UUID, UUID, UUID, UUID);
	p("%pNF|%20pNF|%pN|%pNx", U64(0x123456789a), U64(0), U64(1), U64(1));
	p("%p4cc|%p4cc|%p4cc|%p4cc", U32(0x3231564e), U32(0xb231564e), U32(0x10111213), U32(0x20303159));
	p("%p4cc|%40p4cc|%-40p4cc|%.6p4cc|", U32(0xffe9a080), U32(0x20303159), U32(0x20303159), U32(0x20303159));
	p("%p4|%p4c|%p4ccx|%20p4|", U32(1), U32(1), U32(0x20303159), U32(1));
	p("%pa|%pap|%pad|%pax", U64(0xfee00000), U64(0), U64(0x123456789abcdef0), U64(1));
	p("%30pa|%-30pa|%.3pa|%#pa", U64(1), U64(1), U64(1), U64(1));
}

static void bitmaps(void)
{
	p("%20pb|%*pb", U64(0), 20, U64(0));
	p("%20pbl|%*pbl", U64(0), 20, U64(0));
	p("%20pb|%*pb", U64(0xa28ac), 20, U64(0xa28ac));
	p("%20pbl|%*pbl", U64(0xa28ac), 20, U64(0xa28ac));
	p("%20pb|%20pbl", U64(0xfffffff), U64(0xfffffff));
	p("%1pb|%2pb|%3pb|%4pb|%5pb|%8pb|%9pb", U64(~0ULL), U64(~0ULL), U64(~0ULL), U64(~0ULL),
	  U64(~0ULL), U64(~0ULL), U64(~0ULL));
	p("%31pb|%32pb|%33pb|%63pb|%64pb", U64(~0ULL), U64(~0ULL), U64(~0ULL), U64(~0ULL), U64(~0ULL));
	p("%31pbl|%32pbl|%33pbl|%63pbl|%64pbl", U64(~0ULL), U64(~0ULL), U64(~0ULL), U64(~0ULL), U64(~0ULL));
	p("%64pb|%64pbl", U64(0x8000000100000081), U64(0x8000000100000081));
	p("%64pb|%64pbl", U64(0x5555555555555555), U64(0x5555555555555555));
	p("%128pb", BITS);
	p("%100pb", BITS);
	p("%128pbl", BITS);
	p("%pb|%pbl|%0pb|%0pbl|%*pb|%*pbl|", U64(~0ULL), U64(~0ULL), U64(~0ULL), U64(~0ULL), -5,
	  U64(~0ULL), -5, U64(~0ULL));
	p("%-8pb|%08pb|%.2pb|%#8pb|%-8pbl|", U64(0xa5), U64(0xa5), U64(0xa5), U64(0xa5), U64(0xa5));
	p("%8pbx|%8pblx|%8pbL", U64(0xa5), U64(0xa5), U64(0xa5));
}

static void addresses(void)
{
	p("%pI4|%pi4", "\x7f\x00\x00\x01", "\x7f\x00\x00\x01");
	p("%pI4|%pi4", "\x00\x0a\x63\xff", "\x00\x0a\x63\xff");
	p("%pI4h|%pI4n|%pI4b|%pI4l|%pI4x", IP4, IP4, IP4, IP4, IP4);
	p("%pi4h|%pi4n|%pi4b|%pi4l|%pi4x", IP4, IP4, IP4, IP4, IP4);
	p("%20pI4|%-20pI4|%.5pI4|%20.5pi4|", IP4, IP4, IP4, IP4);
	p("%pI6|%pi6", UUID, UUID);
	p("%pI6c|%pi6c", UUID, UUID);
	p("%50pI6c|%-50pI6|%.9pI6|", IP6, IP6, IP6);
	p("%pI6c", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	p("%pI6c", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01");
	p("%pI6c", "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	p("%pI6c", "\x20\x01\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01");
	p("%pI6c", "\x20\x01\0\0\0\0\0\x01\0\0\0\0\0\x01\0\x01");
	p("%pI6c", "\x20\x01\0\0\0\x01\0\x01\0\x01\0\x01\0\x01\0\x01");
	p("%pI6c", "\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01");
	p("%pI6c", "\0\0\0\0\0\x01\0\x01\0\x01\0\x01\0\0\0\0");
	p("%pI6c", "\x01\x23\x00\x45\x0f\xff\xf0\x00\x00\x0f\x00\xff\0\0\0\0");
	p("%pI6c", "\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04");
	p("%pI6c", "\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\0");
	p("%pI6c", "\0\0\0\0\0\0\0\0\0\0\0\0\x01\x02\x03\x04");
	p("%pI6c", "\xfe\x80\0\0\0\0\0\0\0\0\x5e\xfe\x01\x02\x03\x04");
	p("%pI6c", "\xfe\x80\0\0\0\0\0\0\x02\0\x5e\xfe\x01\x02\x03\x04");
	p("%pI6c", "\xfe\x80\0\x01\0\x02\0\x03\x02\0\x5e\xfe\x01\x02\x03\x04");
	p("%pI6c", "\0\0\0\0\0\0\0\0\0\0\x5e\xfe\x01\x02\x03\x04");
	p("%pI6c", "\x01\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04");
	p("%pI|%pi|%pI5|%pix|%10pI|%.3pi|", IP4, IP4, IP4, IP4, IP4, IP4);
	p("%pIS|%piS", SIN, SIN);
	p("%pISp|%piSp|%pISfs|%pISc|%pISpc", SIN, SIN, SIN, SIN, SIN);
	p("%pISh|%pISph|%pIShp|%pISnp|%pISlb|%pISbl|%pIS4h", SIN, SIN, SIN, SIN, SIN, SIN, SIN);
	p("%6pISp|%-6pISp|%.3pISp|%06pISp|%.12pISp", SIN_9, SIN_9, SIN_9, SIN_9, SIN_9);
	p("%20pIS|%-20pIS|", SIN_9, SIN_9);
	p("%pIS|%piS", SIN6, SIN6);
	p("%pISc|%piSc", SIN6, SIN6);
	p("%pISp|%piSp", SIN6, SIN6);
	p("%pISf|%pISs|%pISpfsc", SIN6, SIN6, SIN6);
	p("%piSpfsc|%piScsfp|%pIShc", SIN6, SIN6, SIN6);
	p("%pISpfsc", "\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	p("%pIS|%piS|%10pISp|%.3pIS", "\x01\0\x30\x39\x7f\0\0\x01", "\0\0\x30\x39\x7f\0\0\x01",
	  "\x0b\0\x30\x39\x7f\0\0\x01", "\x02\x02\x30\x39\x7f\0\0\x01");
}

static void escapes(void)
{
	p("%pE|%1pE|%0pE|%-1pE|", "\n", "\n", "\n", "\n");
	p("%*pE", 16, ODD);
	p("%*pEa", 16, ODD);
	p("%*pEc", 16, ODD);
	p("%*pEh", 16, ODD);
	p("%*pEn", 16, ODD);
	p("%*pEo", 16, ODD);
	p("%*pEp", 16, ODD);
	p("%*pEs", 16, ODD);
	p("%*pEhp", 16, ODD);
	p("%*pEho", 16, ODD);
	p("%*pEsn", 16, ODD);
	p("%*pEcs", 16, ODD);
	p("%*pEap", 16, ODD);
	p("%*pExs", 16, ODD);
	p("%*pEhxs", 16, ODD);
	p("%5pE|%-5pE|%.2pE|%*pE|", "abcde", "abcde", "\n\n\n", -3, "\n\n\n");
}

static void times(void)
{
	p("%ptR", TIME);
	p("%ptRd|%ptRt", TIME, TIME);
	p("%ptRr|%ptRs", TIME, TIME);
	p("%ptRdr|%ptRtr|%ptRrs|%ptRsr", YEAR, YEAR, YEAR, YEAR);
	p("%ptRdt|%ptRtd|%ptRrd|%ptRrt", YEAR, YEAR, YEAR, YEAR);
	p("%ptR|%ptRr", ODD_TIME, ODD_TIME);
	p("%ptR", LAST_TIME);
	p("%30ptR|%-30ptR|%.4ptR|", YEAR, YEAR, YEAR);
	p("%pt|%ptx|%ptr|%10pt|", YEAR, YEAR, YEAR, YEAR);
	p("%ptT|%ptTr", S64(1546615943), S64(1546615943));
	p("%ptTt|%ptTd", S64(1546615943), S64(1546615943));
	p("%ptTs|%ptTsr|%ptTts|%ptTds|%ptTtrs|%ptTdrs", S64(1546615943), S64(1546615943),
	  S64(1546615943), S64(1546615943), S64(1546615943), S64(1546615943));
	p("%ptT|%ptT|%ptT", S64(0), S64(-1), S64(951782399));
	p("%ptT|%ptT|%ptT", S64(951782400), S64(951868799), S64(951868800));
	p("%ptT|%ptT|%ptT", S64(1077926400), S64(4107542399), S64(4107542400));
	p("%ptT|%ptT|%ptT", S64(2147483647), S64(-2147483648), S64(4294967296));
	p("%ptT|%ptT|%ptT", S64(253402300799), S64(253402300800), S64(-62167219200));
	p("%ptT|%ptT", S64(-62167219201), S64(67768036191676799));
	p("%ptT|%ptTr", S64(67768036191676800), S64(67768036191676800));
	p("%ptT|%ptT", S64(9223372036854775807), S64(-9223372036854775807));
}

static void flags(void)
{
	p("%pGp", U64(0));
	p("%pGp", U64(0x1ffffff));
	p("%pGp", U64(0xffffffffffffffff));
	p("%pGp", U64(0x2000000));
	p("%pGp", U64(0x17ffffc0000010));
	p("%pGp", U64(0x57ffffc0010200));
	p("%pGp", U64(0x48000040000001));
	p("%pGv|%pGv", U64(0), U64(0x75));
	p("%pGv", U64(0xffffffff));
	p("%pGv", U64(0xffffffffffffffff));
	p("%pGv|%pGv", U64(0x800), U64(0x8000000000000801));
	p("%pGg|%pGg|%pGg", U32(0), U32(0xcc0), U32(0xa20));
	p("%pGg|%pGg|%pGg", U32(0xa21), U32(0x200), U32(0x1c24ca));
	p("%pGg", U32(0xffffffff));
	p("%pGg", U32(0xf8000000));
	p("%pGg", U32(0xf8000200));
	p("%pGg|%pGg|%pGg", U32(0xdc0), U32(0xc00), U32(0x400));
	p("%pGg|%pGg|%pGg", U32(0x100dca), U32(0x1c20ca), U32(0x1c28ca));
	p("%pGg|%pGg", U32(0x7fffffff), U32(0x400cc0));
	p("%pG|%pGx|%10pG|%.2pG|", U64(0), U64(0), U64(0), U64(0));
	p("%20pGg|%-20pGv|%.2pGg", U32(0xcc0), U64(1), U32(0xcc0));
}

static void names(void)
{
	p("%pd|%pd2|%pd3|%pd4", &dentries[0], &dentries[0], &dentries[0], &dentries[0]);
	p("%pd|%pd2|%pd3|%pd4", &dentries[1], &dentries[1], &dentries[1], &dentries[1]);
	p("%pd|%pd2|%pd3|%pd4", &dentries[3], &dentries[3], &dentries[3], &dentries[3]);
	p("%pd1|%pd5|%pdx|%pd22", &dentries[3], &dentries[3], &dentries[3], &dentries[3]);
	p("%-12pd2|%*pd2|%12pd2|%.7pd2|%.0pd2|%12.7pd3|", &dentries[2], -12, &dentries[2], &dentries[2],
	  &dentries[2], &dentries[2], &dentries[3]);
	p("%pd|%pd2|%12pd2|%.3pd2", &dentries[4], &dentries[4], &dentries[4], &dentries[4]);
	p("%pD|%pD2|%pD3|%pD4|%10pD", &file, &file, &file, &file, &file);
	p("%pg|%10pg|%-10pg|%.2pg|", &disk, &disk, &disk, &disk);
	p("%pg|%10pg|%-10pg|%.2pg|%04pg", &partition, &partition, &partition, &partition, &partition);
	p("%pg|%10pg|%-10pg|%.2pg|%pgx", &partition_p, &partition_p, &partition_p, &partition_p, &partition_p);
}

static void symbols(void)
{
	p("%pS|%ps|%pB", &p, &p, &p);
	p("%pS|%ps|%pB", (char *)&p + 1, (char *)&p + 1, (char *)&p + 1);
	p("%pSR|%psR|%pSb|%pSRb|%pBb|%pSx", &p, &p, &p, &p, (char *)&p + 1, &p);
	p("%50pS|%-50pS|%.6pS|%12.3ps|", &p, &p, &p, &p);
	p("%pS|%ps|%pB", NULL, NULL, NULL);
	p("%pS|%ps|%pB", 0x1234UL, 0x1234UL, 0x1234UL);
	p("%20pS|%-20ps|%.3pS|", 0x1234UL, 0x1234UL, 0x1234UL);
	p("%pS|%ps", ERR_PTR(-ENOENT), 0x123456789abcdefUL);
	p("%pS|%ps|%pB", &_printk, &_printk, (char *)&_printk + 1);
	p("%pS|%ps", &jiffies, &jiffies);
	p("%pS|%ps", &part, &part);
}

static void nested(const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	p("%pV", &vaf);
	p("<%pV|%pV>%d", &vaf, &vaf, 7);
	p("%50pV|%-50pV|%.2pVx|", &vaf, &vaf, &vaf);
	va_end(args);
}

static void va_formats(void)
{
	nested("");
	nested("text");
	nested("%d %s", 1, "two");
	nested("%d %d %d %d %d %d %d %d %d %d", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
	nested("%*d|%.*s|%pe", 5, 42, 3, "abcdef", ERR_PTR(-EIO));
	nested("%5d%%|%c|%lx", 42, 'c', -1L);
}

static void sizes(void)
{
	sized(0, "%s", "abcdef");
	sized(1, "%s", "abcdef");
	sized(2, "%s", "abcdef");
	sized(6, "%s", "abcdef");
	sized(7, "%s", "abcdef");
	sized(8, "%s", "abcdef");
	sized(0, "%d", 123456);
	sized(1, "%d", 123456);
	sized(4, "%d", 123456);
	sized(7, "%d", 123456);
	sized(4, "%10d", 42);
	sized(4, "%-10d", 42);
	sized(4, "%10s", "abc");
	sized(4, "%-10s", "abc");
	sized(9, "%10s", "abc");
	sized(4, "%c%c%c%c%c", 'a', 'b', 'c', 'd', 'e');
	sized(4, "%10c", 'x');
	sized(4, "%%%%%%%%");
	sized(4, "");
	sized(5, "%pM", "\x01\x02\x03\x04\x05\x06");
	sized(5, "%6phC", "\x01\x02\x03\x04\x05\x06");
	sized(5, "%64pbl", U64(0x5555555555555555));
	sized(5, "%64pb", U64(0x5555555555555555));
	sized(5, "%*pE", 4, "\n\n\n\n");
	sized(5, "%pGg", U32(0xdc0));
	sized(5, "%ptT", S64(0));
	sized(5, "%pe", ERR_PTR(-ENOENT));
	sized(5, "%8388607d", 1);
	sized(5, "%8388607d%8388607d%8388607d", 1, 2, 3);
	sized(5, "ab%8388607s", "abc");
	sized(5, "ab%-8388607scd", "abc");
}

/* What an address becomes differs from boot to boot, but not within one. */
static void hashed(void)
{
	char again[32];

	p("%p|%020p|%016p|%#p", &p, &p, &p, &p);
	p("%pe|%pz|%pF|%lp", &p, &p, &p, &p);
	p("%p|%p", 1, 4095);
	p("%p", 0x123456789abcdefUL);
	p("%pK|%020pK", &p, &p);
	snprintf(out, sizeof(out), "%p", &p);
	snprintf(again, sizeof(again), "%p", &p);
	p("%d", strcmp(out, again));
	snprintf(again, sizeof(again), "%p", &show);
	p("%d", !strcmp(out, again));
}

static void restricted(void)
{
	p("%pK|%20pK|%-20pK|%.16pK|", &p, &p, &p, &p);
	p("%#pK|%.20pK", &p, &p);
	p("%pK|%pK", NULL, ERR_PTR(-ENOENT));
}

/* Each call stores into up to five places; what it stores is shown, with what is left in between. */
static void scan(const char *from, const char *fmt)
{
	static unsigned char to[5][40];
	char *at = out;
	int ret, i, j, last;

	memset(to, 0xaa, sizeof(to));
	ret = sscanf(from, fmt, to[0], to[1], to[2], to[3], to[4]);
	for (i = 0; i < 5; i++) {
		for (last = sizeof(to[i]); last && to[i][last - 1] == 0xaa; last--)
			;
		for (j = 0; j < last; j++)
			at += sprintf(at, "%02x", to[i][j]);
		*at++ = '|';
	}
	*at = 0;
	pr_info("%s %d: %d |%s\n", part, ++line, ret, out);
}

static void scans(void)
{
	scan("42", "%d");
	scan("-42", "%d");
	scan("+42", "%d");
	scan("  42  43", "%d%d");
	scan("42 43 44 45 46", "%d %d %d %d %d");
	scan("42,43", "%d,%d");
	scan("42, 43", "%d,%d");
	scan("42 ,43", "%d,%d");
	scan("42 ,43", "%d ,%d");
	scan("42;43", "%d,%d");
	scan("42abc", "%d%s");
	scan("abc", "%d");
	scan("", "%d");
	scan("   ", "%d");
	scan("", "");
	scan("", "abc");
	scan("abc", "abc");
	scan("abd", "abc");
	scan("ab", "abc");
	scan("-", "%d");
	scan("-x", "%d");
	scan("--5", "%d");
	scan("- 5", "%d");
	scan("-5", "%u");
	scan("4294967295 4294967296", "%u %u");
	scan("4294967295 -4294967296", "%d %d");
	scan("18446744073709551615 18446744073709551616", "%llu %llu");
	scan("99999999999999999999999999", "%llu");
	scan("-9223372036854775808 9223372036854775808", "%lld %lld");
	scan("255 -1 300", "%hhu %hhd %hhd");
	scan("65535 -1 70000", "%hu %hd %hd");
	scan("255 65535 5 6 7", "%hhx %hx %lx %llx %zx");
	scan("1 2 3 4 5", "%lu %ld %Lu %Ld %zu");
	scan("-1 -2 -3", "%zd %ld %lld");
	scan("ff 0xff FF 0XFF", "%x %x %X %x");
	scan("0x", "%x");
	scan("0xg", "%x%s");
	scan("g", "%x");
	scan("10 010 0x10 8 08", "%i %i %i %i %i");
	scan("-10 -010 -0x10", "%i %i %i");
	scan("0x 0xg", "%i%s");
	scan("0", "%i");
	scan("ff", "%i");
	scan("17 8 778", "%o %o %o");
	scan("0x10", "%d%s");
	scan("0x10", "%u%s");
	scan("0x10", "%o%s");
	scan("12345", "%2d%2d%2d");
	scan("12345", "%3d%d");
	scan("-12345", "%3d%d");
	scan("-12345", "%1d%d");
	scan("-5", "%2d");
	scan("0x1234", "%1x%s");
	scan("0x1234", "%2x%s");
	scan("0x1234", "%3x%s");
	scan("0x1234", "%3i%s");
	scan("0x1234", "%1i%s");
	scan("-0x1234", "%2i%s");
	scan("-0x1234", "%3i%s");
	scan("-0x1234", "%4i%s");
	scan("12345", "%0d");
	scan("12345", "%65537d%d");
	scan("12345", "%32768d");
	scan("12345", "%-2d");
	scan("hello world", "%s %s");
	scan("hello world", "%s%s");
	scan("  hello", "%s");
	scan("hello", "%3s%s");
	scan("hello", "%3s %s");
	scan("hello ", "%s %s");
	scan("a", "%0s");
	scan("hello", "%c%c%c");
	scan("hello", "%3c%c");
	scan("he", "%5c%c");
	scan(" he", "%c%c%c");
	scan(" he", " %c%c");
	scan("h e", "%c %c");
	scan("hello", "%*c%s");
	scan("hello world", "%*s %s");
	scan("12 34 56", "%*d %d");
	scan("12 34 56", "%*d%d");
	scan("12,34", "%*d,%d");
	scan("12,34 56", "%*d,%d %d");
	scan("12 34", "%*d%%%d");
	scan("12", "%*d");
	scan("12 5", "%d %*d %d");
	scan("hello", "%*[a-z]%s");
	scan("42 hello", "%d%n");
	scan("42 hello", "%d %n%s%n");
	scan("", "%n");
	scan("abc", "abc%n");
	scan("abc", "%n%n%s");
	scan("100%", "%d%%");
	scan("100%", "%d%%%n");
	scan("100 %5", "%d%%%d");
	scan("100x", "%d%%%n");
	scan("00:0a:95", "%2[^:]:%2[^:]:%2[^:]");
	scan("hello", "%5[a-z]");
	scan("h-z", "%5[a-z]%s");
	scan("hello", "%3[hel]%s");
	scan("hello", "%10[hel]%s");
	scan("hello", "%10[xyz]%s");
	scan("hello", "%[hel]%s");
	scan("hello", "%5[]%s");
	scan("hello", "%5[^]%s");
	scan("hello", "%5[hel%s");
	scan("he]lo", "%5[he]%s");
	scan("hello world", "%20[^w]%s");
	scan("hello", "%20[^w]");
	scan("^a", "%5[a^]");
	scan("hello", "%y");
	scan("hello", "%");
	scan("hello", "%5");
	scan("hello", "%l");
	scan("5", "%p");
	scan("5", "%hhhd");
	scan("5", "%llld");
	scan("5 6", "%Lhd");
	scan("a  b", "a b%n");
	scan("ab", "a b%n");
	scan("a\tb\nc", "a b c%n");
	scan("a\xa0" "b", "a b%n");
	scan("1 2", " %d %d ");
	scan("1 2", "%d  %d  %n");
	scan("  ", " %n");
	scan("x1y2z3", "x%dy%dz%d");
	scan("2024-05-06", "%4d-%2d-%2d");
	scan("2024-05-06", "%i-%i-%i");
	scan("1.5", "%d.%d");
	scan("0000:00:1f.2", "%x:%x:%x.%x");
	scan("fe80::1", "%4hx::%hx");
	scan("\xe9\xff z", "%s %c");
}

static void dump(const char *data, int length, int rowsize, int groupsize, int room, bool ascii)
{
	int ret;

	memset(out, '#', 200);
	ret = hex_dump_to_buffer(data, length, rowsize, groupsize, out, room, ascii);
	show(out, min(ret + 3, 140));
	pr_info("%s %d: %d |%s|\n", part, ++line, ret, shown);
}

static void dumps(void)
{
	static const char text[] = "0123456789abcdef\x00\x7f\x80\xff ~GHIJKLMNOPQRSTUVWXYZ";

	dump(text, 16, 16, 1, 200, true);
	dump(text, 16, 16, 1, 200, false);
	dump(text, 32, 32, 1, 200, true);
	dump(text, 32, 16, 1, 200, true);
	dump(text, 32, 32, 4, 200, true);
	dump(text, 16, 16, 2, 200, true);
	dump(text, 16, 16, 4, 200, true);
	dump(text, 16, 16, 8, 200, true);
	dump(text, 16, 16, 8, 200, false);
	dump(text + 8, 16, 16, 2, 200, true);
	dump(text + 8, 24, 32, 8, 200, true);
	dump(text, 5, 16, 1, 200, true);
	dump(text, 5, 16, 4, 200, true);
	dump(text, 6, 16, 2, 200, true);
	dump(text, 1, 16, 1, 200, false);
	dump(text, 0, 16, 1, 200, true);
	dump(text, 0, 16, 1, 0, true);
	dump(text, 0, 16, 1, 0, false);
	dump(text, 16, 17, 1, 200, true);
	dump(text, 16, 0, 3, 200, true);
	dump(text, 16, 16, 16, 200, true);
	dump(text, 16, 16, 0, 200, false);
	dump(text, 16, 16, 1, 0, true);
	dump(text, 16, 16, 1, 0, false);
	dump(text, 16, 16, 8, 0, false);
	dump(text, 16, 16, 1, 1, true);
	dump(text, 16, 16, 1, 2, true);
	dump(text, 16, 16, 1, 3, false);
	dump(text, 16, 16, 1, 47, false);
	dump(text, 16, 16, 1, 48, false);
	dump(text, 16, 16, 1, 49, false);
	dump(text, 16, 16, 1, 50, true);
	dump(text, 16, 16, 1, 55, true);
	dump(text, 16, 16, 1, 65, true);
	dump(text, 16, 16, 1, 66, true);
	dump(text, 16, 16, 4, 10, true);
	dump(text, 16, 16, 4, 36, false);
	dump(text, 16, 16, 4, 35, false);
	dump(text, 16, 16, 8, 20, true);
	dump(text, 4, 16, 1, 12, false);
	dump(text, 4, 16, 1, 11, false);
	print_hex_dump(KERN_INFO, "dumps: ", DUMP_PREFIX_NONE, 16, 1, text, 40, true);
	print_hex_dump(KERN_INFO, "dumps: ", DUMP_PREFIX_OFFSET, 16, 1, text, 40, true);
	print_hex_dump(KERN_INFO, "dumps: ", DUMP_PREFIX_ADDRESS, 32, 8, text, 40, false);
	print_hex_dump(KERN_INFO, "dumps: ", 7, 0, 4, text, 20, true);
	print_hex_dump(KERN_INFO, "dumps: ", DUMP_PREFIX_OFFSET, 32, 2, text, 0, true);
	print_hex_dump_bytes("dumps: ", DUMP_PREFIX_OFFSET, text, 8);
}

static void size(u64 blocks, u64 block)
{
	char ten[16], two[16];

	string_get_size(blocks, block, STRING_UNITS_10, ten, sizeof(ten));
	string_get_size(blocks, block, STRING_UNITS_2, two, sizeof(two));
	pr_info("%s %d: %s|%s\n", part, ++line, ten, two);
}

static void get_sizes(void)
{
	size(0, 512);
	size(512, 0);
	size(1, 1);
	size(999, 1);
	size(1000, 1);
	size(1023, 1);
	size(1024, 1);
	size(1500, 1);
	size(9994, 1);
	size(9995, 1);
	size(9999, 1);
	size(99949, 1);
	size(99950, 1);
	size(999499, 1);
	size(999500, 1);
	size(1048575, 1);
	size(10239, 1);
	size(102399, 1);
	size(1023999, 1);
	size(16384, 512);
	size(8192, 4096);
	size(1899, 1000000);
	size(1953525168, 512);
	size(4294967295, 1);
	size(4294967296, 1);
	size(4294967296, 4294967296);
	size(18446744073709551615ULL, 1);
	size(18446744073709551615ULL, 512);
	size(18446744073709551615ULL, 18446744073709551615ULL);
	size(4096, 18446744073709551615ULL);
	size(123456789012345, 7);
}

static void message(const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	pr_info("messages: %pV %pe %3phN\n", &vaf, ERR_PTR(-ENOMEM), "abc");
	vprintk(fmt, args);
	va_end(args);
}

static void messages(void)
{
	pr_info("messages: %d %s %c %x %5lu|\n", 1, "two", '3', 4, 5UL);
	message("(%d %s)", 1, "two");
	pr_info("messages: ");
	pr_cont("%d, ", 1);
	pr_cont("%s\n", "continued");
	pr_info("messages: %s\n", "two\nlines");
	pr_info("messages: %2000d\n", 1);
	pr_info("%s", "\x01" "3messages: no level in an argument\n");
	printk("%s", KERN_ERR "messages: a level all the same\n");
}

static const struct {
	const char *name;
	void (*print)(void);
} parts[] = {
	{ "numbers", numbers },
	{ "strings", strings },
	{ "unsupported", unsupported },
	{ "wide", wide },
	{ "pointers", pointers },
	{ "nowhere", nowhere },
	{ "resources", resources },
	{ "bytes", bytes },
	{ "bitmaps", bitmaps },
	{ "addresses", addresses },
	{ "escapes", escapes },
	{ "times", times },
	{ "flags", flags },
	{ "names", names },
	{ "symbols", symbols },
	{ "va_formats", va_formats },
	{ "sizes", sizes },
	{ "hashed", hashed },
	{ "restricted", restricted },
	{ "scans", scans },
	{ "dumps", dumps },
	{ "get_sizes", get_sizes },
	{ "messages", messages },
};

static int __init printf_forms_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!strcmp(part, "list"))
			pr_info("%s\n", parts[i].name);
		else if (!strcmp(part, parts[i].name))
			parts[i].print();
	}
	return 0;
}

static void __exit printf_forms_exit(void)
{
}

module_init(printf_forms_init);
module_exit(printf_forms_exit);
MODULE_LICENSE("GPL");
