// SPDX-License-Identifier: GPL-2.0
/* Interrupts that are asked for, shared, refused and given back; nothing raises them. */
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/module.h>

static int one, two;

static irqreturn_t handler(int irq, void *dev)
{
	return IRQ_NONE;
}
static irqreturn_t thread(int irq, void *dev)
{
	return IRQ_HANDLED;
}

static void ask(const char *what, unsigned int irq, irq_handler_t first, irq_handler_t second, unsigned long flags,
		void *dev)
{
	int ret = request_threaded_irq(irq, first, second, flags, "irq_request", dev);

	pr_info("irq: %s %u: %d\n", what, irq, ret);
	if (!ret) {
		const void *name = free_irq(irq, dev);

		pr_info("irq: freed %s\n", (const char *)name);
	}
}

static int __init start(void)
{
	static const unsigned int numbers[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 23, 24, 25, 100, 5000 };
	int i;

	ask("no handler", 5, NULL, NULL, 0, NULL);
	ask("shared by nobody", 5, handler, NULL, IRQF_SHARED, NULL);
	ask("no autoenable, shared", 5, handler, NULL, IRQF_SHARED | IRQF_NO_AUTOEN, &one);
	ask("cond suspend", 5, handler, NULL, IRQF_COND_SUSPEND, &one);
	ask("no suspend, cond suspend", 5, handler, NULL, IRQF_SHARED | IRQF_NO_SUSPEND | IRQF_COND_SUSPEND, &one);
	ask("thread only", 5, NULL, thread, 0, &one);
	ask("thread only, oneshot", 5, NULL, thread, IRQF_ONESHOT, &one);
	ask("both", 5, handler, thread, 0, &one);
	ask("both, oneshot", 5, handler, thread, IRQF_ONESHOT, &one);
	ask("handler, oneshot", 5, handler, NULL, IRQF_ONESHOT, &one);
	ask("rising", 5, handler, NULL, IRQF_TRIGGER_RISING, &one);
	ask("falling", 5, handler, NULL, IRQF_TRIGGER_FALLING, &one);
	ask("high", 5, handler, NULL, IRQF_TRIGGER_HIGH, &one);
	ask("low", 5, handler, NULL, IRQF_TRIGGER_LOW, &one);
	ask("both edges", 5, handler, NULL, IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING, &one);
	ask("percpu", 5, handler, NULL, IRQF_PERCPU, &one);
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		ask("alone", numbers[i], handler, NULL, 0, &one);
		ask("shared", numbers[i], handler, NULL, IRQF_SHARED, &one);
	}
	pr_info("irq: alone: %d\n", request_irq(5, handler, 0, "first", &one));
	pr_info("irq: another: %d\n", request_irq(5, handler, 0, "second", &two));
	pr_info("irq: one shared: %d\n", request_irq(5, handler, IRQF_SHARED, "third", &two));
	pr_info("irq: quiet: %d\n", request_irq(5, handler, IRQF_PROBE_SHARED, "fourth", &two));
	free_irq(5, &one);
	pr_info("irq: shared: %d\n", request_irq(5, handler, IRQF_SHARED, "first", &one));
	pr_info("irq: another: %d\n", request_irq(5, handler, IRQF_SHARED, "second", &two));
	pr_info("irq: the same again: %d\n", request_irq(5, handler, IRQF_SHARED, "first", &one));
	pr_info("irq: freed %s\n", (const char *)free_irq(5, &one));
	pr_info("irq: oneshot with them: %d\n", request_threaded_irq(5, handler, thread, IRQF_SHARED | IRQF_ONESHOT, "o", &i));
	pr_info("irq: rising with them: %d\n", request_irq(5, handler, IRQF_SHARED | IRQF_TRIGGER_RISING, "r", &i));
	pr_info("irq: low with them: %d\n", request_irq(5, handler, IRQF_SHARED | IRQF_TRIGGER_LOW, "r", &i));
	pr_info("irq: freed %s\n", (const char *)free_irq(5, &one));
	pr_info("irq: freed %s\n", (const char *)free_irq(5, &one));
	pr_info("irq: freed %s\n", (const char *)free_irq(5, &two));
	pr_info("irq: freed %s\n", (const char *)free_irq(5, &two));
	return 0;
}

static void __exit stop(void)
{
	pr_info("irq: freed %s\n", (const char *)free_irq(5000, &two));
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
