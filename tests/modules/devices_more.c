// SPDX-License-Identifier: GPL-2.0-or-later
/* A disk whose medium changes, an input device with all keys there are, a driver of PCI devices, the parallel port. */
#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/input.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>

static int major;
static struct gendisk *disk;
static u8 *contents;
static struct input_dev *keys;

/* 0: nothing; 1: another medium; 2: it is to come out. */
static int event;
module_param(event, int, 0644);
static bool tells = true;
module_param(tells, bool, 0444);

static void medium_submit(struct bio *bio)
{
	struct bio_vec piece;
	struct bvec_iter iter;

	bio_for_each_segment(piece, bio, iter) {
		u8 *place = contents + (iter.bi_sector << SECTOR_SHIFT), *page = page_address(piece.bv_page) + piece.bv_offset;

		if (bio_data_dir(bio) == WRITE)
			memcpy(place, page, piece.bv_len);
		else
			memcpy(page, place, piece.bv_len);
	}
	bio_endio(bio);
}

static unsigned int medium_check(struct gendisk *gd, unsigned int clearing)
{
	int was = event;

	event = 0;
	return was;
}

static int medium_open(struct block_device *bdev, fmode_t mode)
{
	bool changed = bdev_check_media_change(bdev);

	if (changed)
		contents[0] = 'B';
	if (!atomic_read(&bdev->bd_openers))
		pr_info("%s: %schanged\n", KBUILD_MODNAME, changed ? "" : "not ");
	return 0;
}

static const struct block_device_operations medium_ops = {
	.owner = THIS_MODULE, .submit_bio = medium_submit, .check_events = medium_check, .open = medium_open,
};

static int force(const char *value, const struct kernel_param *kp)
{
	pr_info("%s: forced %d %d\n", KBUILD_MODNAME, disk_force_media_change(disk, DISK_EVENT_EJECT_REQUEST),
		disk_force_media_change(disk, DISK_EVENT_MEDIA_CHANGE));
	return 0;
}

static const struct kernel_param_ops force_ops = { .set = force };
module_param_cb(force, &force_ops, NULL, 0200);

static const struct pci_device_id ids[] = { { PCI_DEVICE(0x1234, 0x5678), .driver_data = 3 }, { 0 } };

static int none_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	return -ENODEV;
}

static struct pci_driver none = { .name = "devices_more", .id_table = ids, .probe = none_probe };

static int __init medium_add(void)
{
	int ret;

	major = register_blkdev(0, "medium");
	if (major < 0)
		return major;
	contents = kzalloc(8192, GFP_KERNEL);
	disk = blk_alloc_disk(NUMA_NO_NODE);
	if (!contents || !disk)
		return -ENOMEM;
	contents[0] = 'A';
	disk->major = major;
	disk->minors = 1;
	disk->fops = &medium_ops;
	disk->events = DISK_EVENT_MEDIA_CHANGE | DISK_EVENT_EJECT_REQUEST;
	disk->event_flags = tells ? DISK_EVENT_FLAG_UEVENT : 0;
	strscpy(disk->disk_name, "medium", DISK_NAME_LEN);
	set_capacity(disk, 16);
	ret = add_disk(disk);
	if (ret)
		put_disk(disk);
	return ret;
}

static int __init keys_add(void)
{
	int i;

	keys = input_allocate_device();
	if (!keys)
		return -ENOMEM;
	keys->name = "All keys";
	__set_bit(EV_KEY, keys->evbit);
	for (i = 1; i < KEY_MAX; i++)
		__set_bit(i, keys->keybit);
	return input_register_device(keys);
}

static void __init port_show(void)
{
	outb(0x0c, 0x37a);
	pr_info("%s: status %x\n", KBUILD_MODNAME, inb(0x379));
	outb(0x10, 0x37a);
	outb(0x55, 0x378);
	pr_info("%s: data %x, status %x, control %x\n", KBUILD_MODNAME, inb(0x378), inb(0x379), inb(0x37a));
	outb(0x0c, 0x37a);
	pr_info("%s: status %x, control %x\n", KBUILD_MODNAME, inb(0x379), inb(0x37a));
}

static int __init devices_more_init(void)
{
	char text[] = "a\\x41\\n\\q";
	int ret;

	pr_info("%s: unescaped %d\n", KBUILD_MODNAME, string_unescape(text, text, 0, UNESCAPE_ANY));
	print_hex_dump(KERN_INFO, "text: ", DUMP_PREFIX_NONE, 16, 1, text, sizeof(text), false);
	port_show();
	ret = medium_add();
	if (!ret)
		ret = keys_add();
	return ret ? ret : pci_register_driver(&none);
}

static void __exit devices_more_exit(void)
{
	pci_unregister_driver(&none);
	input_unregister_device(keys);
	del_gendisk(disk);
	put_disk(disk);
	kfree(contents);
	unregister_blkdev(major, "medium");
}

module_init(devices_more_init);
module_exit(devices_more_exit);
MODULE_LICENSE("GPL");
