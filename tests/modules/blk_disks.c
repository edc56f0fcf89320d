// SPDX-License-Identifier: GPL-2.0
/* A disk in memory that says what is read from it and written to it. */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

static unsigned int sectors = 2048;
module_param(sectors, uint, 0444);
static unsigned int block = 512;
module_param(block, uint, 0444);
static unsigned int minors = 16;
module_param(minors, uint, 0444);
static bool table;
module_param(table, bool, 0444);
static bool readonly;
module_param(readonly, bool, 0444);
static bool quiet;
module_param(quiet, bool, 0644);
static char *name = "blkd0";
module_param(name, charp, 0444);

static int major;
static u8 *data;
static struct gendisk *disk;
static struct blk_mq_tag_set tags;

static blk_status_t queue_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *bd)
{
	struct request *rq = bd->rq;
	struct req_iterator iter;
	struct bio_vec vec;
	loff_t at = blk_rq_pos(rq) << SECTOR_SHIFT;
	blk_status_t status = BLK_STS_OK;

	blk_mq_start_request(rq);
	if (!quiet)
		pr_info("request: op %u, sector %llu, bytes %u, tag %d, last %d\n", req_op(rq), (u64)blk_rq_pos(rq),
			blk_rq_bytes(rq), rq->tag, bd->last);
	if (req_op(rq) == REQ_OP_READ || req_op(rq) == REQ_OP_WRITE) {
		rq_for_each_segment(vec, rq, iter) {
			void *buffer = page_address(vec.bv_page) + vec.bv_offset;

			if (at + vec.bv_len > (loff_t)sectors << SECTOR_SHIFT) {
				status = BLK_STS_IOERR;
				break;
			}
			if (!quiet)
				pr_info("segment: at %lld, %u bytes\n", at, vec.bv_len);
			if (rq_data_dir(rq) == WRITE)
				memcpy(data + at, buffer, vec.bv_len);
			else
				memcpy(buffer, data + at, vec.bv_len);
			at += vec.bv_len;
		}
	}
	blk_mq_end_request(rq, status);
	return BLK_STS_OK;
}

static const struct blk_mq_ops mq_ops = { .queue_rq = queue_rq };

static int disk_open(struct block_device *bdev, fmode_t mode)
{
	pr_info("open: mode %#x, openers %d\n", mode & (FMODE_READ | FMODE_WRITE), atomic_read(&bdev->bd_openers));
	return 0;
}

static void disk_release(struct gendisk *disk, fmode_t mode)
{
	pr_info("release\n");
}

static int disk_ioctl(struct block_device *bdev, fmode_t mode, unsigned int cmd, unsigned long arg)
{
	pr_info("ioctl %#x\n", cmd);
	return cmd == 0x1234 ? 7 : -ENOTTY;
}

static const struct block_device_operations ops = {
	.owner = THIS_MODULE,
	.open = disk_open,
	.release = disk_release,
	.ioctl = disk_ioctl,
};

static void show(const char *when)
{
	pr_info("%s: capacity %llu, major %d, first %d, minors %d, name %s, flags %#x, state %#lx, ro %d, live %d\n", when,
		(u64)get_capacity(disk), disk->major, disk->first_minor, disk->minors, disk->disk_name, disk->flags,
		disk->state, get_disk_ro(disk), disk_live(disk));
	pr_info("%s: logical %u, physical %u, max sectors %u %u, segments %u, segment %u, data %d, depth %lu, dev %#x\n",
		when, queue_logical_block_size(disk->queue), queue_physical_block_size(disk->queue),
		queue_max_sectors(disk->queue), queue_max_hw_sectors(disk->queue), queue_max_segments(disk->queue),
		queue_max_segment_size(disk->queue), disk->queue->queuedata == &tags, disk->queue->nr_requests,
		disk_devt(disk));
	pr_info("%s: flags %#lx, queues %u, node %d, private %d, part0 %d, sectors %llu\n", when, disk->queue->queue_flags,
		disk->queue->nr_hw_queues, disk->node_id, disk->private_data == data, disk->part0->bd_disk == disk,
		(u64)bdev_nr_sectors(disk->part0));
}

static void put_entry(u8 *entry, u8 type, u32 start, u32 count)
{
	entry[4] = type;
	memcpy(entry + 8, &start, 4);
	memcpy(entry + 12, &count, 4);
}

static void make_table(void)
{
	put_entry(data + 446, 0x83, 8, 100);
	data[446] = 0x80;
	put_entry(data + 462, 0x82, 200, 50);
	put_entry(data + 478, 0x05, 300, 500);
	data[510] = 0x55;
	data[511] = 0xaa;
	put_entry(data + 300 * 512 + 446, 0x83, 10, 90);
	put_entry(data + 300 * 512 + 462, 0x05, 200, 100);
	data[300 * 512 + 510] = 0x55;
	data[300 * 512 + 511] = 0xaa;
	put_entry(data + 500 * 512 + 446, 0x83, 10, 20);
	data[500 * 512 + 510] = 0x55;
	data[500 * 512 + 511] = 0xaa;
}

static int act(const char *val, const struct kernel_param *kp)
{
	if (sysfs_streq(val, "show"))
		show("now");
	else if (sysfs_streq(val, "grow"))
		set_capacity(disk, 1000);
	else if (sysfs_streq(val, "notify"))
		pr_info("notify %d\n", set_capacity_and_notify(disk, 1200));
	else if (sysfs_streq(val, "ro"))
		set_disk_ro(disk, true);
	return 0;
}

static const struct kernel_param_ops act_ops = { .set = act };
module_param_cb(act, &act_ops, NULL, 0200);

static int __init blk_disks_init(void)
{
	int ret;

	major = register_blkdev(0, "blkd");
	pr_info("major %d\n", major);
	data = vzalloc(sectors * 512 + 512);
	if (major < 0 || !data)
		return -ENOMEM;
	if (table)
		make_table();
	tags.ops = &mq_ops;
	tags.nr_hw_queues = 1;
	tags.queue_depth = 64;
	tags.numa_node = NUMA_NO_NODE;
	tags.flags = BLK_MQ_F_SHOULD_MERGE;
	ret = blk_mq_alloc_tag_set(&tags);
	pr_info("tags %d: maps %u, queues %u, depth %u\n", ret, tags.nr_maps, tags.nr_hw_queues, tags.queue_depth);
	if (ret)
		return ret;
	disk = blk_mq_alloc_disk(&tags, &tags);
	if (IS_ERR(disk))
		return PTR_ERR(disk);
	disk->private_data = data;
	show("new");
	blk_queue_logical_block_size(disk->queue, block);
	disk->major = major;
	disk->first_minor = 0;
	disk->minors = minors;
	disk->fops = &ops;
	strscpy(disk->disk_name, name, DISK_NAME_LEN);
	set_capacity(disk, sectors);
	if (readonly)
		set_disk_ro(disk, true);
	show("set");
	ret = add_disk(disk);
	pr_info("add %d\n", ret);
	if (ret) {
		put_disk(disk);
		blk_mq_free_tag_set(&tags);
		unregister_blkdev(major, "blkd");
		vfree(data);
		return ret;
	}
	show("added");
	return 0;
}

static void __exit blk_disks_exit(void)
{
	del_gendisk(disk);
	show("deleted");
	put_disk(disk);
	blk_mq_free_tag_set(&tags);
	unregister_blkdev(major, "blkd");
	vfree(data);
}

module_init(blk_disks_init);
module_exit(blk_disks_exit);
MODULE_LICENSE("GPL");
