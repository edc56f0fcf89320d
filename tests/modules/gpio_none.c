// SPDX-License-Identifier: GPL-2.0
/* GPIO lines on a machine that has none. */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/gpio.h>
#include <linux/gpio/consumer.h>
#include <linux/gpio/driver.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/module.h>

static struct gpio lines[] = { { 4, GPIOF_OUT_INIT_LOW, "LED 1" }, { 17, GPIOF_IN, "BUTTON" } };
static struct device *dev;

static int __init start(void)
{
	struct gpio_desc *desc;
	int numbers[] = { -1, 0, 4, 511, 512, 1023, 1024, 2048, 100000 }, i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		pr_info("gpio: %d: valid %d, request %d\n", numbers[i], gpio_is_valid(numbers[i]),
			gpio_request(numbers[i], "line"));
		pr_info("gpio: one %d\n", gpio_request_one(numbers[i], GPIOF_IN, "line"));
		pr_info("gpio: desc %d\n", gpio_to_desc(numbers[i]) != NULL);
		pr_info("gpio: irq %d\n", gpio_to_irq(numbers[i]));
		pr_info("gpio: value %d\n", gpio_get_value(numbers[i]));
		gpio_set_value(numbers[i], 1);
		pr_info("gpio: in %d, out %d\n", gpio_direction_input(numbers[i]), gpio_direction_output(numbers[i], 1));
		gpio_free(numbers[i]);
	}
	pr_info("gpio: array %d\n", gpio_request_array(lines, 2));
	gpio_free_array(lines, 2);
	gpio_free_array(lines, 0);
	pr_info("gpio: array %d\n", gpio_request_array(lines, 0));
	dev = root_device_register("gpio_none");
	pr_info("gpio: devm %d\n", devm_gpio_request(dev, 4, "line"));
	pr_info("gpio: devm one %d\n", devm_gpio_request_one(dev, 4, GPIOF_IN, "line"));
	desc = gpiod_get(dev, "led", GPIOD_OUT_LOW);
	pr_info("gpio: get %ld\n", PTR_ERR(desc));
	pr_info("gpio: value %d\n", gpiod_get_value(desc));
	gpiod_set_value(desc, 1);
	pr_info("gpio: irq %d\n", gpiod_to_irq(desc));
	desc = gpiod_get_optional(dev, "led", GPIOD_OUT_LOW);
	pr_info("gpio: optional %px\n", desc);
	pr_info("gpio: value %d\n", gpiod_get_value(desc));
	pr_info("gpio: value %d\n", gpiod_get_raw_value_cansleep(desc));
	gpiod_set_value(desc, 1);
	gpiod_set_value_cansleep(desc, 1);
	pr_info("gpio: export %d\n", gpiod_export(desc, true));
	gpiod_unexport(desc);
	pr_info("gpio: in %d\n", gpiod_direction_input(desc));
	pr_info("gpio: out %d\n", gpiod_direction_output(desc, 1));
	pr_info("gpio: out raw %d\n", gpiod_direction_output_raw(desc, 1));
	pr_info("gpio: debounce %d\n", gpiod_set_debounce(desc, 1));
	pr_info("gpio: active low %d\n", gpiod_is_active_low(desc));
	pr_info("gpio: cansleep %d\n", gpiod_cansleep(desc));
	pr_info("gpio: irq %d\n", gpiod_to_irq(desc));
	pr_info("gpio: count %d\n", gpiod_count(dev, "led"));
	gpiod_put(desc);
	pr_info("gpio: index %ld\n", PTR_ERR(gpiod_get_index(dev, "led", 1, GPIOD_IN)));
	pr_info("gpio: devm %ld\n", PTR_ERR(devm_gpiod_get(dev, "led", GPIOD_IN)));
	pr_info("gpio: devm optional %px\n", devm_gpiod_get_optional(dev, NULL, GPIOD_IN));
	pr_info("gpio: array %ld\n", PTR_ERR(gpiod_get_array(dev, "led", GPIOD_IN)));
	pr_info("gpio: array optional %px\n", gpiod_get_array_optional(dev, "led", GPIOD_IN));
	root_device_unregister(dev);
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
