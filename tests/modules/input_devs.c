// SPDX-License-Identifier: GPL-2.0
/* Input devices: buttons, a mouse, a pad. */
#include <linux/input.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

static struct input_dev *keys, *mouse, *pad, *managed;
static struct platform_device *pdev;

static int keys_open(struct input_dev *dev)
{
	pr_info("open %s, users %u\n", dev->name, dev->users);
	return 0;
}

static void keys_close(struct input_dev *dev)
{
	pr_info("close %s\n", dev->name);
}

static int keys_event(struct input_dev *dev, unsigned int type, unsigned int code, int value)
{
	pr_info("event %u %u %d\n", type, code, value);
	return 0;
}

static void seen_event(struct input_handle *handle, unsigned int type, unsigned int code, int value)
{
	pr_info("seen %s: %u %u %d\n", handle->dev->name, type, code, value);
}

static bool seen_match(struct input_handler *handler, struct input_dev *dev)
{
	pr_info("match %s\n", dev->name);
	return dev != pad;
}

static int seen_connect(struct input_handler *handler, struct input_dev *dev, const struct input_device_id *id)
{
	struct input_handle *handle = kzalloc(sizeof(*handle), GFP_KERNEL);
	int ret;

	handle->dev = dev;
	handle->handler = handler;
	handle->name = "seen";
	ret = input_register_handle(handle);
	pr_info("connect %s: %d, info %lu\n", dev->name, ret, id->driver_info);
	pr_info("open %d\n", input_open_device(handle));
	return ret;
}

static void seen_disconnect(struct input_handle *handle)
{
	pr_info("disconnect %s\n", handle->dev->name);
	input_close_device(handle);
	input_unregister_handle(handle);
	kfree(handle);
}

static const struct input_device_id ids[] = {
	{ .flags = INPUT_DEVICE_ID_MATCH_EVBIT, .evbit = { BIT_MASK(EV_KEY) }, .driver_info = 5 },
	{ },
};

static struct input_handler handler = {
	.event = seen_event,
	.match = seen_match,
	.connect = seen_connect,
	.disconnect = seen_disconnect,
	.name = "seen",
	.id_table = ids,
};

static void show(const struct input_dev *dev)
{
	pr_info("%s: %s, ev %#lx, prop %#lx, users %u, repeat %d %d, max %u, hint %u, inhibited %d\n",
		dev->name ?: "(none)", dev_name(&dev->dev), dev->evbit[0], dev->propbit[0], dev->users, dev->rep[0],
		dev->rep[1], dev->max_vals, dev->hint_events_per_packet, dev->inhibited);
}

static int act(const char *val, const struct kernel_param *kp)
{
	if (sysfs_streq(val, "handler")) {
		pr_info("handler %d\n", input_register_handler(&handler));
	} else if (sysfs_streq(val, "nohandler")) {
		input_unregister_handler(&handler);
	} else if (sysfs_streq(val, "press")) {
		input_report_key(keys, KEY_A, 1);
		input_report_key(keys, KEY_A, 1);
		input_report_key(keys, KEY_F24, 1);
		input_report_key(keys, KEY_A, 0);
		input_sync(keys);
		input_sync(keys);
		pr_info("pressed %d %d\n", test_bit(KEY_A, keys->key), test_bit(KEY_F24, keys->key));
	} else if (sysfs_streq(val, "move")) {
		input_report_rel(mouse, REL_X, 3);
		input_report_rel(mouse, REL_Y, 0);
		input_report_rel(mouse, REL_WHEEL, 1);
		input_sync(mouse);
	} else if (sysfs_streq(val, "touch")) {
		input_report_abs(pad, ABS_X, 50);
		input_report_abs(pad, ABS_X, 51);
		input_report_abs(pad, ABS_X, 52);
		input_report_abs(pad, ABS_Y, 9);
		input_report_key(pad, BTN_TOUCH, 1);
		input_sync(pad);
		pr_info("at %d %d\n", input_abs_get_val(pad, ABS_X), input_abs_get_val(pad, ABS_Y));
	} else if (sysfs_streq(val, "led")) {
		input_event(keys, EV_LED, LED_CAPSL, 1);
		input_event(keys, EV_LED, LED_CAPSL, 1);
		input_event(keys, EV_LED, LED_NUML, 1);
		input_event(keys, EV_SND, SND_BELL, 1);
	} else if (sysfs_streq(val, "show")) {
		show(keys);
		show(mouse);
		show(pad);
	} else if (sysfs_streq(val, "wrong")) {
		struct input_dev *dev = input_allocate_device();

		input_set_capability(dev, 30, 1);
		input_set_capability(dev, EV_KEY, 0x300);
		dev->name = "wrong";
		set_bit(EV_ABS, dev->evbit);
		pr_info("wrong %d\n", input_register_device(dev));
		input_free_device(dev);
	}
	return 0;
}

static const struct kernel_param_ops act_ops = { .set = act };
module_param_cb(act, &act_ops, NULL, 0200);

static int __init input_devs_init(void)
{
	int ret;

	keys = input_allocate_device();
	mouse = input_allocate_device();
	pad = input_allocate_device();
	if (!keys || !mouse || !pad)
		return -ENOMEM;
	pr_info("%s %s %s\n", dev_name(&keys->dev), dev_name(&mouse->dev), dev_name(&pad->dev));
	keys->name = "Test Keys";
	keys->phys = "test/input0";
	keys->uniq = "0001";
	keys->id.bustype = BUS_VIRTUAL;
	keys->id.vendor = 0x1234;
	keys->id.product = 0xabcd;
	keys->id.version = 0x0100;
	keys->open = keys_open;
	keys->close = keys_close;
	keys->event = keys_event;
	input_set_capability(keys, EV_KEY, KEY_A);
	input_set_capability(keys, EV_KEY, KEY_ENTER);
	input_set_capability(keys, EV_LED, LED_CAPSL);
	__set_bit(EV_REP, keys->evbit);
	ret = input_register_device(keys);
	pr_info("keys %d\n", ret);
	mouse->name = "Test Mouse";
	mouse->id.bustype = BUS_USB;
	input_set_capability(mouse, EV_REL, REL_X);
	input_set_capability(mouse, EV_REL, REL_Y);
	input_set_capability(mouse, EV_REL, REL_WHEEL);
	input_set_capability(mouse, EV_KEY, BTN_LEFT);
	ret = input_register_device(mouse);
	pr_info("mouse %d\n", ret);
	input_set_abs_params(pad, ABS_X, 0, 100, 4, 2);
	input_set_abs_params(pad, ABS_Y, -5, 10, 0, 0);
	input_set_capability(pad, EV_KEY, BTN_TOUCH);
	__set_bit(INPUT_PROP_DIRECT, pad->propbit);
	ret = input_register_device(pad);
	pr_info("pad %d\n", ret);
	pdev = platform_device_register_simple("input_devs", PLATFORM_DEVID_NONE, NULL, 0);
	managed = devm_input_allocate_device(&pdev->dev);
	managed->name = "Managed";
	input_set_capability(managed, EV_SW, SW_LID);
	ret = input_register_device(managed);
	pr_info("managed %d\n", ret);
	show(keys);
	show(mouse);
	show(pad);
	return 0;
}

static void __exit input_devs_exit(void)
{
	platform_device_unregister(pdev);
	pr_info("managed is gone\n");
	input_unregister_device(pad);
	input_unregister_device(mouse);
	input_unregister_device(keys);
}

module_init(input_devs_init);
module_exit(input_devs_exit);
MODULE_LICENSE("GPL");
