// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices with properties that the module gives them. */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/property.h>

static const u32 numbers[] = { 1, 2, 70000 };
static const char *const names[] = { "one", "two", "three" };
static const struct property_entry properties[] = {
	PROPERTY_ENTRY_U8("byte", 200),
	PROPERTY_ENTRY_U32("number", 42),
	PROPERTY_ENTRY_U64("large", 1ULL << 40),
	PROPERTY_ENTRY_U32_ARRAY("numbers", numbers),
	PROPERTY_ENTRY_STRING("label", "some words"),
	PROPERTY_ENTRY_STRING_ARRAY("names", names),
	PROPERTY_ENTRY_BOOL("flag"),
	{ }
};
static const struct software_node node = { .name = "described", .properties = properties };
static struct platform_device *given, *bare;

static void look(struct device *dev)
{
	u32 value = 7, values[4] = { };
	u64 large = 7;
	u8 byte = 7;
	const char *text = "none", *texts[4] = { "-", "-", "-", "-" };
	int ret;

	pr_info("%s: present %d %d %d\n", dev_name(dev), device_property_present(dev, "number"),
		device_property_read_bool(dev, "flag"), device_property_present(dev, "nothing"));
	ret = device_property_read_u8(dev, "byte", &byte);
	pr_info("byte %d %u\n", ret, byte);
	ret = device_property_read_u32(dev, "number", &value);
	pr_info("number %d %u\n", ret, value);
	ret = device_property_read_u64(dev, "large", &large);
	pr_info("large %d %llu\n", ret, large);
	ret = device_property_read_u32(dev, "nothing", &value);
	pr_info("nothing %d\n", ret);
	ret = device_property_read_u32(dev, "flag", &value);
	pr_info("flag %d\n", ret);
	ret = device_property_read_u64(dev, "number", &large);
	pr_info("too large %d\n", ret);
	ret = device_property_read_u32_array(dev, "numbers", values, 2);
	pr_info("two of %d: %d %u %u %u\n", device_property_count_u32(dev, "numbers"), ret, values[0], values[1], values[2]);
	ret = device_property_read_u32_array(dev, "numbers", values, 4);
	pr_info("four %d\n", ret);
	ret = device_property_read_string(dev, "label", &text);
	pr_info("label %d %s\n", ret, text);
	ret = device_property_read_string_array(dev, "names", texts, 4);
	pr_info("names %d of %d: %s %s %s %s\n", ret, device_property_string_array_count(dev, "names"), texts[0], texts[1],
		texts[2], texts[3]);
	pr_info("match %d %d %d\n", device_property_match_string(dev, "names", "two"),
		device_property_match_string(dev, "names", "four"), device_property_match_string(dev, "none", "two"));
	pr_info("node %d, data %d\n", is_software_node(dev_fwnode(dev)), device_get_match_data(dev) != NULL);
}

static int props_probe(struct platform_device *pdev)
{
	look(&pdev->dev);
	return 0;
}

static struct platform_driver driver = { .probe = props_probe, .driver = { .name = "device_props" } };

static int __init device_props_init(void)
{
	struct platform_device_info info = { .name = "device_props", .id = 1, .properties = properties };
	int ret = platform_driver_register(&driver);

	if (ret)
		return ret;
	given = platform_device_register_full(&info);
	bare = platform_device_register_simple("device_props", PLATFORM_DEVID_NONE, NULL, 0);
	pr_info("add %d", device_add_software_node(&bare->dev, &node));
	pr_cont(" again %d", device_add_software_node(&bare->dev, &node));
	pr_cont(" register %d\n", software_node_register(&node));
	look(&bare->dev);
	return 0;
}

static void __exit device_props_exit(void)
{
	device_remove_software_node(&bare->dev);
	platform_device_unregister(bare);
	platform_device_unregister(given);
	platform_driver_unregister(&driver);
}

module_init(device_props_init);
module_exit(device_props_exit);
MODULE_LICENSE("GPL");
