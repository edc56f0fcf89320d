// SPDX-License-Identifier: GPL-2.0
/* Memory for devices, of a device that is none; pages of what is allocated; what else drivers ask. */
#include <linux/cc_platform.h>
#include <linux/slab.h>
#include <linux/console.h>
#include <linux/kd.h>
#include <linux/vt.h>
#include <linux/tty.h>

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include <linux/tty.h>
#include <linux/vmalloc.h>
#include <linux/console_struct.h>
#include <linux/vt_kern.h>

static int __init start(void)
{
	struct platform_device *pdev = platform_device_register_simple("io_dma", -1, NULL, 0);
	struct device *dev = &pdev->dev;
	struct dma_pool *pool;
	struct page *page;
	dma_addr_t dma;
	void *p, *q;
	int i;

	pr_info("io: mask %px %llx, coherent %llx\n", dev->dma_mask == &pdev->platform_dma_mask ? NULL : dev->dma_mask,
		dma_get_mask(dev), dev->coherent_dma_mask);
	pr_info("io: set mask %d\n", dma_set_mask(dev, DMA_BIT_MASK(64)));
	pr_info("io: set mask %d %d\n", dma_set_mask_and_coherent(dev, DMA_BIT_MASK(24)), dma_set_mask(dev, DMA_BIT_MASK(8)));
	pr_info("io: set coherent %d %d\n", dma_set_coherent_mask(dev, DMA_BIT_MASK(32)), dma_set_coherent_mask(dev, 0xff));
	pr_info("io: mask %llx, coherent %llx, required %llx\n", dma_get_mask(dev), dev->coherent_dma_mask, dma_get_required_mask(dev));
	dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	p = dma_alloc_coherent(dev, 1000, &dma, GFP_KERNEL);
	pr_info("io: alloc %d, offset %lx, dma is phys %d, zero %d\n", p != NULL, offset_in_page(p), dma == virt_to_phys(p), *(int *)p);
	memset(p, 0x55, 1000);
	dma_free_coherent(dev, 1000, p, dma);
	p = dmam_alloc_coherent(dev, 5000, &dma, GFP_KERNEL);
	pr_info("io: managed %d, dma is phys %d\n", p != NULL, dma == virt_to_phys(p));
	dmam_free_coherent(dev, 5000, p, dma);
	p = dmam_alloc_coherent(dev, 5000, &dma, GFP_KERNEL);
	q = kmalloc(100, GFP_KERNEL);
	dma = dma_map_single(dev, q, 100, DMA_TO_DEVICE);
	pr_info("io: mapped %d, error %d\n", dma == virt_to_phys(q), dma_mapping_error(dev, dma));
	dma_sync_single_for_cpu(dev, dma, 100, DMA_TO_DEVICE);
	dma_sync_single_for_device(dev, dma, 100, DMA_TO_DEVICE);
	dma_unmap_single(dev, dma, 100, DMA_TO_DEVICE);
	kfree(q);
	dma = dma_map_page(dev, virt_to_page(p), 16, 100, DMA_FROM_DEVICE);
	pr_info("io: mapped page %d\n", dma == virt_to_phys(p) + 16);
	dma_unmap_page(dev, dma, 100, DMA_FROM_DEVICE);
	pool = dma_pool_create("io_dma", dev, 100, 16, 0);
	pr_info("io: pool %d\n", pool != NULL);
	p = dma_pool_alloc(pool, GFP_KERNEL, &dma);
	q = dma_pool_zalloc(pool, GFP_KERNEL, &dma);
	pr_info("io: pool %lx %lx, zero %d\n", offset_in_page(p), offset_in_page(q), *(int *)q);
	dma_pool_free(pool, q, dma);
	dma_pool_destroy(pool);
	pr_info("io: pool none %px\n", dma_pool_create("io_dma", dev, 0, 16, 0));
	pr_info("io: pool odd %px\n", dma_pool_create("io_dma", dev, 10, 3, 0));
	dma_pool_destroy(NULL);
	platform_device_unregister(pdev);
	p = vmalloc(10000);
	page = vmalloc_to_page(p + 5000);
	strcpy(p + 4096, "second page");
	pr_info("io: page holds %s, pfn %d\n", (char *)page_address(page), vmalloc_to_pfn(p + 5000) == page_to_pfn(page));
	pr_info("io: kvirt %d\n", virt_addr_valid(p));
	vfree(p);
	pr_info("io: cc %d %d\n", cc_platform_has(CC_ATTR_MEM_ENCRYPT), cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT));
	for (i = 0; i < MAX_NR_CONSOLES; i++)
		if (vc_cons[i].d)
			pr_info("io: console %d is %u, tty %px\n", i, vc_cons[i].d->vc_num, vc_cons[i].d->port.tty);
	pr_info("io: console %d, %d, tty %px\n", fg_console, vc_cons[fg_console].d != NULL, get_current_tty());
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
