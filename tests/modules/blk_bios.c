// SPDX-License-Identifier: GPL-2.0
/* A disk without a request queue: bios arrive as they are. */
#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#define SECTORS 64

static u8 *data;
static struct gendisk *disk;

static void submit(struct bio *bio)
{
	struct bvec_iter iter;
	struct bio_vec vec;
	u64 at = bio->bi_iter.bi_sector << SECTOR_SHIFT;

	pr_info("bio: op %u, sector %llu, bytes %u\n", bio_op(bio), (u64)bio->bi_iter.bi_sector, bio->bi_iter.bi_size);
	bio_for_each_segment(vec, bio, iter) {
		void *buffer = page_address(vec.bv_page) + vec.bv_offset;

		if (bio_data_dir(bio) == WRITE)
			memcpy(data + at, buffer, vec.bv_len);
		else
			memcpy(buffer, data + at, vec.bv_len);
		at += vec.bv_len;
	}
	bio_endio(bio);
}

static const struct block_device_operations ops = { .owner = THIS_MODULE, .submit_bio = submit };

static int __init blk_bios_init(void)
{
	int ret;

	data = vzalloc(SECTORS * 512);
	disk = blk_alloc_disk(NUMA_NO_NODE);
	if (!data || !disk)
		return -ENOMEM;
	disk->fops = &ops;
	disk->flags |= GENHD_FL_NO_PART;
	sprintf(disk->disk_name, "bios0");
	set_capacity(disk, SECTORS);
	ret = add_disk(disk);
	pr_info("add %d: %d:%d, %d minors\n", ret, disk->major, disk->first_minor, disk->minors);
	return 0;
}

static void __exit blk_bios_exit(void)
{
	del_gendisk(disk);
	put_disk(disk);
	vfree(data);
}

module_init(blk_bios_init);
module_exit(blk_bios_exit);
MODULE_LICENSE("GPL");
