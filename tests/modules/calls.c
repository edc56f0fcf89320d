// SPDX-License-Identifier: GPL-2.0
/* Functions to be called one by one: arguments and results, callbacks, registers, patched code, per-CPU variables. */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/jump_label.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <asm/alternative.h>
#include <asm/cpufeature.h>

#define CALLED __used noinline

/* Exported by the kernel, and of no use to any module of a course. */
extern int acpi_processor_get_bios_limit(int cpu, unsigned int *limit);
extern unsigned long pci_mem_start;

static char text[400];
static int numbers[16];
static DEFINE_STATIC_KEY_FALSE(key);
static DEFINE_PER_CPU(long, counted);
static long calls;

static CALLED long digits(long a, int b, short c, signed char d, unsigned long e, unsigned int f)
{
	return ((((a * 10 + b) * 10 + c) * 10 + d) * 10 + e) * 10 + f;
}

static CALLED int minus(int a)
{
	return -a;
}

static CALLED unsigned long complement(unsigned long a)
{
	return ~a;
}

static CALLED bool odd(int a)
{
	return a & 1;
}

static CALLED char *text_at(int n)
{
	return text + n;
}

/* Module to kernel: twelve arguments, the last ones on the stack. */
static CALLED int twelve(int a)
{
	return snprintf(text, sizeof(text), "%d %ld %hhd %hu %u %lld %x %c %s %pe %#lx %lu", a, -2L, (char)-3, (unsigned short)4, 5U,
			-6LL, 7, '8', "nine", ERR_PTR(-EIO), 0xbUL, ~0UL);
}

/* Kernel to module to kernel, and that twice. */
static CALLED int descending(const void *a, const void *b)
{
	calls++;
	return strcmp("x", "x") + *(const int *)b - *(const int *)a;
}

static CALLED int ascending(const void *a, const void *b)
{
	int inner[3] = { 1, 3, 2 };

	sort(inner, ARRAY_SIZE(inner), sizeof(int), descending, NULL);
	calls++;
	return inner[0] == 3 && inner[1] == 2 && inner[2] == 1 ? *(const int *)a - *(const int *)b : 0;
}

static CALLED long sorted(int n)
{
	int i, in_order = 0;

	calls = 0;
	for (i = 0; i < n; i++)
		numbers[i] = i * 7 % n;
	sort(numbers, n, sizeof(int), ascending, NULL);
	for (i = 0; i < n; i++)
		in_order += numbers[i] == i;
	return in_order;
}

/* What a called function has to leave as it was; each bit that is set says which it has not. */
static const char abc[] __used = "abc";

static CALLED long preserved(void)
{
	long changed;

	asm volatile("push %%rbp\n push %%rbx\n push %%r12\n push %%r13\n push %%r14\n push %%r15\n"
		     "mov $0x1111111111, %%rbp\n mov $0x2222222222, %%rbx\n mov $0x3333333333, %%r12\n"
		     "mov $0x4444444444, %%r13\n mov $0x5555555555, %%r14\n mov $0x6666666666, %%r15\n"
		     "sub $8, %%rsp\n"
		     "lea abc(%%rip), %%rdi\n call strlen\n"
		     "add $8, %%rsp\n"
		     "sub $3, %%rax\n mov %%rax, %%rcx\n"
		     "mov $0x1111111111, %%rdx\n xor %%rbp, %%rdx\n or %%rdx, %%rcx\n"
		     "mov $0x2222222222, %%rdx\n xor %%rbx, %%rdx\n or %%rdx, %%rcx\n"
		     "mov $0x3333333333, %%rdx\n xor %%r12, %%rdx\n or %%rdx, %%rcx\n"
		     "mov $0x4444444444, %%rdx\n xor %%r13, %%rdx\n or %%rdx, %%rcx\n"
		     "mov $0x5555555555, %%rdx\n xor %%r14, %%rdx\n or %%rdx, %%rcx\n"
		     "mov $0x6666666666, %%rdx\n xor %%r15, %%rdx\n or %%rdx, %%rcx\n"
		     "pop %%r15\n pop %%r14\n pop %%r13\n pop %%r12\n pop %%rbx\n pop %%rbp\n"
		     : "=c" (changed) : : "rax", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
	return changed;
}

static CALLED int call_unmodelled(void)
{
	unsigned int limit;

	pr_info("calls: before\n");
	acpi_processor_get_bios_limit(0, &limit);
	pr_info("calls: behind\n");
	return -5;
}

static CALLED unsigned long read_unmodelled(void)
{
	pr_info("calls: before\n");
	return READ_ONCE(pci_mem_start) | 1;
}

/* Patched code. */
static CALLED int branch(int n)
{
	if (static_branch_unlikely(&key))
		n += 100;
	return n;
}

static CALLED void set_key(int on)
{
	if (on)
		static_branch_enable(&key);
	else
		static_branch_disable(&key);
}

static CALLED int alternative_for(int present)
{
	int found;

	if (present)
		asm volatile(ALTERNATIVE("mov $1, %0", "mov $2, %0", X86_FEATURE_XMM2) : "=r" (found));
	else
		asm volatile(ALTERNATIVE("mov $1, %0", "mov $2, %0", X86_FEATURE_XENPV) : "=r" (found));
	return found;
}

static CALLED int has(int which)
{
	return which ? static_cpu_has(X86_FEATURE_XMM2) : static_cpu_has(X86_FEATURE_XENPV);
}

/* Per-CPU variables. */
static CALLED long count_here(long n)
{
	this_cpu_add(counted, n);
	return this_cpu_read(counted);
}

static CALLED long counted_on(int cpu)
{
	return per_cpu(counted, cpu);
}

static CALLED int which_cpu(void)
{
	return smp_processor_id();
}

/* Time passes while code runs, and code that does not end is ended. */
static CALLED unsigned long wait_for_tick(void)
{
	unsigned long start = jiffies;

	while (jiffies == start)
		cpu_relax();
	return jiffies - start;
}

static CALLED void forever(void)
{
	for (;;)
		cpu_relax();
}

static CALLED void forever_alone(void)
{
	preempt_disable();
	for (;;)
		cpu_relax();
}

static CALLED int halted(void)
{
	asm volatile("hlt");
	return 1;
}

static CALLED void change_text(void)
{
	*(volatile char *)minus = 0;
}

int calls_double(int n);
int calls_double(int n)
{
	return 2 * n;
}
EXPORT_SYMBOL_GPL(calls_double);

static int __init start(void)
{
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
