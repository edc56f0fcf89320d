// SPDX-License-Identifier: GPL-2.0
/* Interrupts that are turned off and on, probed for, looked at; of those with a thread, the thread. */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/irqdomain.h>
#include <linux/kthread.h>
#include <linux/module.h>

static int one, calls, traced;
#define DEVID (irq_data_to_desc(irq_get_irq_data(5))->action->dev_id)
static struct device *dev;

static irqreturn_t handler(int irq, void *dev)
{
	pr_info("irq: handler of %d, %s, in hardirq %d, irqs %s\n", irq, (const char *)dev, !!in_hardirq(),
		irqs_disabled() ? "off" : "on");
	calls++;
	return IRQ_WAKE_THREAD;
}
static irqreturn_t thread(int irq, void *dev)
{
	pr_info("irq: thread of %d, %s, %s, preempt_count %x, irqs %s\n", irq, (const char *)dev, current->comm,
		preempt_count(), irqs_disabled() ? "off" : "on");
	if (!traced++)
		dump_stack();
	return IRQ_HANDLED;
}

static irqreturn_t edge(int irq, void *dev)
{
	pr_info("irq: edge %d, in hardirq %d, irqs %s\n", irq, !!in_hardirq(), irqs_disabled() ? "off" : "on");
	calls++;
	return IRQ_HANDLED;
}

static void look(const char *what)
{
	struct irq_data *data = irq_get_irq_data(5);
	struct irq_desc *desc = irq_data_to_desc(irq_get_irq_data(5));

	pr_info("irq: %s: depth %u, type %x, %s%s%s\n", what, desc->depth, irqd_get_trigger_type(data),
		irqd_irq_disabled(data) ? "disabled " : "", irqd_irq_masked(data) ? "masked " : "",
		irqd_is_started(data) ? "started" : "");
}

static int __init start(void)
{
	unsigned long mask;

	mask = probe_irq_on();
	pr_info("irq: probing %lx\n", mask);
	pr_info("irq: probed %d\n", probe_irq_off(mask));
	pr_info("irq: %u\n", nr_irqs);
	pr_info("irq: data of 5 %d, of 5000 %d\n", irq_get_irq_data(5) != NULL, irq_get_irq_data(5000) != NULL);
	pr_info("irq: number %u, hardware %lu, chip %s, name %s, has handler %d\n", irq_get_irq_data(5)->irq,
		irq_get_irq_data(5)->hwirq, irq_get_irq_data(5)->chip->name, irq_data_to_desc(irq_get_irq_data(5))->name,
		irq_has_action(5));
	look("before");
	pr_info("irq: request %d\n", request_threaded_irq(5, handler, thread, 0, "irq_control_with_a_long_name", "one"));
	look("requested");
	ssleep(1);
	disable_irq(5);
	look("disabled");
	disable_irq_nosync(5);
	look("disabled twice");
	enable_irq(5);
	look("enabled once");
	enable_irq(5);
	look("enabled twice");
	enable_irq(5);
	look("enabled thrice");
	enable_irq(5000);
	disable_irq(5000);
	synchronize_irq(5);
	synchronize_irq(5000);
	pr_info("irq: synchronize_hardirq %d %d\n", synchronize_hardirq(5), synchronize_hardirq(5000));
	pr_info("irq: disable_hardirq %d\n", disable_hardirq(5));
	enable_irq(5);
	pr_info("irq: type rising %d\n", irq_set_irq_type(5, IRQ_TYPE_EDGE_RISING));
	look("typed");
	pr_info("irq: type low %d\n", irq_set_irq_type(5, IRQ_TYPE_LEVEL_LOW));
	pr_info("irq: type of 5000 %d\n", irq_set_irq_type(5000, IRQ_TYPE_LEVEL_LOW));
	look("typed");
	pr_info("irq: wake %d %d\n", irq_set_irq_wake(5, 1), irq_set_irq_wake(5, 0));
	pr_info("irq: wake %d\n", irq_set_irq_wake(5000, 1));
	pr_info("irq: affinity %d %d\n", irq_set_affinity(5, cpumask_of(0)), irq_set_affinity(5000, cpumask_of(0)));
	pr_info("irq: affinity hint %d %d\n", irq_set_affinity_hint(5, cpumask_of(0)), irq_set_affinity_hint(5, NULL));
	pr_info("irq: affinity hint %d\n", irq_set_affinity_hint(5000, NULL));
	pr_info("irq: wake thread\n");
	irq_wake_thread(5, "two");
	irq_wake_thread(5, DEVID);
	msleep(100);
	pr_info("irq: handle 5000: %d\n", generic_handle_irq(5000));
	pr_info("irq: handle 5: %d\n", generic_handle_irq(5));
	pr_info("irq: handle 5: %d\n", generic_handle_irq(5));
	msleep(100);
	pr_info("irq: inject 5000: %d\n", irq_inject_interrupt(5000));
	pr_info("irq: inject 5: %d\n", irq_inject_interrupt(5));
	msleep(100);
	disable_irq(5);
	pr_info("irq: inject while disabled: %d\n", irq_inject_interrupt(5));
	msleep(100);
	pr_info("irq: calls %d\n", calls);
	enable_irq(5);
	msleep(100);
	pr_info("irq: calls %d\n", calls);
	free_irq(5, DEVID);
	look("freed");
	pr_info("irq: any context %d\n", request_any_context_irq(5, handler, 0, "any", &one));
	free_irq(5, &one);
	pr_info("irq: any context %d\n", request_any_context_irq(5000, handler, 0, "any", &one));
	pr_info("irq: autoen %d\n", request_irq(5, handler, IRQF_NO_AUTOEN, "noauto", &one));
	look("not enabled");
	enable_irq(5);
	look("enabled");
	free_irq(5, &one);
	mask = probe_irq_on();
	pr_info("irq: probing %lx\n", mask);
	pr_info("irq: probed %d\n", probe_irq_off(mask));
	mask = probe_irq_on();
	pr_info("irq: probing %lx\n", mask);
	pr_info("irq: probed %x\n", probe_irq_mask(mask));
	calls = 0;
	pr_info("irq: edge %d\n", request_irq(7, edge, 0, "edge", &one));
	pr_info("irq: inject %d\n", irq_inject_interrupt(7));
	msleep(100);
	disable_irq(7);
	pr_info("irq: inject while disabled %d\n", irq_inject_interrupt(7));
	msleep(100);
	pr_info("irq: calls %d\n", calls);
	enable_irq(7);
	msleep(100);
	pr_info("irq: calls %d\n", calls);
	free_irq(7, &one);
	pr_info("irq: inject when free %d\n", irq_inject_interrupt(7));
	dev = root_device_register("irq_control");
	pr_info("irq: devm %d\n", devm_request_irq(dev, 5, handler, 0, "devm", &one));
	pr_info("irq: devm again %d\n", devm_request_irq(dev, 5, handler, 0, NULL, &one));
	pr_info("irq: devm 5000: %d\n", devm_request_irq(dev, 5000, handler, 0, NULL, &one));
	devm_free_irq(dev, 5, &one);
	pr_info("irq: devm %d\n", devm_request_threaded_irq(dev, 5, NULL, thread, IRQF_ONESHOT, NULL, &one));
	pr_info("irq: name %s\n", irq_data_to_desc(irq_get_irq_data(5))->action->name);
	root_device_unregister(dev);
	pr_info("irq: request %d\n", request_threaded_irq(5, NULL, thread, IRQF_ONESHOT, "left", "left"));
	return 0;
}

static void __exit stop(void)
{
	free_irq(5, DEVID);
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
