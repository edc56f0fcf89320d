// SPDX-License-Identifier: GPL-2.0
/* Ports and memory of devices: what is asked for, mapped, read and written. */
#include <linux/device.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/mm.h>

static void tell(const char *what, struct resource *res)
{
	if (res)
		pr_info("io: %s: %pR %s, flags %lx, parent %s\n", what, res, res->name, res->flags,
			res->parent ? res->parent->name : "none");
	else
		pr_info("io: %s: NULL\n", what);
}

static struct resource own = { .name = "own", .start = 0x0c00, .end = 0x0c7f, .flags = IORESOURCE_IO };
static struct resource child = { .name = "child", .start = 0x0c10, .end = 0x0c1f, .flags = IORESOURCE_IO };

static int __init start(void)
{
	void __iomem *io;
	struct device *dev;
	struct resource *res;
	char text[16] = "";

	tell("ports", request_region(0x5000, 8, "io_regions"));
	tell("the same", request_region(0x5000, 8, "io_regions"));
	tell("overlapping", request_region(0x5004, 8, "io_regions"));
	tell("next", request_region(0x5008, 8, "io_regions"));
	tell("keyboard", request_region(0x60, 1, "io_regions"));
	tell("parallel", request_region(0x378, 8, "io_regions"));
	tell("serial", request_region(0x3f8, 8, "io_regions"));
	tell("beyond", request_region(0x10000, 8, "io_regions"));
	tell("none", request_region(0x5100, 0, "io_regions"));
	tell("muxed", request_muxed_region(0x5200, 8, "io_regions"));
	release_region(0x5200, 8);
	release_region(0x5000, 8);
	release_region(0x5008, 8);
	release_region(0x378, 8);
	release_region(0x5000, 8);
	release_region(0x5000, 4);
	tell("ram", request_mem_region(0x1000000, 0x1000, "io_regions"));
	tell("hole", request_mem_region(0xd0000000, 0x1000, "io_regions"));
	tell("hole again", request_mem_region(0xd0000000, 0x1000, "io_regions"));
	tell("high", request_mem_region(0x3f200000, 0xb4, "io_regions"));
	tell("vga", request_mem_region(0xa0000, 0x1000, "io_regions"));
	release_mem_region(0xd0000000, 0x1000);
	tell("root", &ioport_resource);
	tell("root", &iomem_resource);
	pr_info("io: insert %d\n", request_resource(&ioport_resource, &own));
	own.end = 0x20000;
	own.start = 0x10000;
	pr_info("io: beyond %d\n", request_resource(&ioport_resource, &own));
	own.start = 0x0c00;
	own.end = 0x0c7f;
	pr_info("io: in a bus %d\n", request_resource(ioport_resource.child, &own));
	pr_info("io: again %d\n", request_resource(&ioport_resource, &own));
	tell("own", &own);
	pr_info("io: child %d\n", request_resource(&own, &child));
	tell("child", &child);
	pr_info("io: release %d\n", release_resource(&child));
	pr_info("io: insert %d\n", insert_resource(ioport_resource.child, &child));
	pr_info("io: insert around %d\n", insert_resource(ioport_resource.child, &own));
	tell("child", &child);
	pr_info("io: remove %d\n", remove_resource(&own));
	tell("child", &child);
	pr_info("io: remove %d\n", remove_resource(&child));

	dev = root_device_register("io_regions");
	tell("devm", devm_request_region(dev, 0x5000, 8, "devm"));
	tell("devm mem", devm_request_mem_region(dev, 0xd0000000, 0x1000, "devm"));
	root_device_unregister(dev);
	tell("after devm", request_region(0x5000, 8, "io_regions"));
	release_region(0x5000, 8);

	io = ioremap(0xd0000000, 0x1000);
	pr_info("io: ioremap %d, within vmalloc %d, offset %lx\n", io != NULL, is_vmalloc_addr(io), offset_in_page(io));
	if (io) {
		iowrite8(0x12, io);
		iowrite16(0x1234, io + 2);
		iowrite32(0x12345678, io + 4);
		pr_info("io: read %x %x %x %x\n", ioread8(io), ioread16(io + 2), ioread32(io + 4), readl(io));
		memcpy_toio(io, "abcdefg", 8);
		memcpy_fromio(text, io, 8);
		memset_io(io, 0x55, 8);
		pr_info("io: copied %*ph, %x\n", 8, text, ioread32(io));
		pr_info("io: be %x %x\n", ioread16be(io), ioread32be(io));
		iounmap(io);
	}
	io = ioremap(0x3f200010, 0xb4);
	pr_info("io: ioremap gpio %d\n", io != NULL);
	if (io)
		iounmap(io);
	io = ioremap(0xb8000, 0x1000);
	iowrite16(0x1741, io + 160);
	pr_info("io: screen %x\n", ioread16(io + 160));
	iounmap(io);
	io = ioremap(0x1000000, 0x1000);
	pr_info("io: ioremap ram %d\n", io != NULL);
	io = ioremap(0xd0000123, 0x1000);
	pr_info("io: ioremap offset %lx\n", offset_in_page(io));
	iounmap(io);
	pr_info("io: ioremap none %d\n", ioremap(0xd0000000, 0) != NULL);
	pr_info("io: ioremap wrapping %d\n", ioremap(~0UL - 10, 0x1000) != NULL);
	pr_info("io: ioremap far %d\n", ioremap(1UL << 52, 0x1000) != NULL);
	iounmap(NULL);
	io = ioport_map(0x5000, 8);
	pr_info("io: ioport_map %px\n", io);
	iowrite8(0x12, io);
	pr_info("io: ports %x %x %x\n", ioread8(io), ioread16(io), ioread32(io));
	ioport_unmap(io);
	pr_info("io: bad %x\n", ioread8((void *)0x10));
	iowrite8(1, (void *)0x10);
	outb(0x12, 0x5000);
	outw(0x12, 0x5000);
	outl(0x12, 0x5000);
	pr_info("io: in %x %x %x\n", inb(0x5000), inw(0x5000), inl(0x5000));
	pr_info("io: keyboard %x, gate %x, master %x, slave %x, delay %x, line %x\n", inb(0x64), inb(0x61) & 0xf, inb(0x21), inb(0xa1), inb(0x80), inb(0x3fd));
	outb(0xa, 0x70);
	pr_info("io: clock a %x", inb(0x71) & 0x7f);
	outb(0xb, 0x70);
	pr_cont(" b %x", inb(0x71));
	outb(0xd, 0x70);
	pr_cont(" d %x\n", inb(0x71));
	outb(0x12, 0x378);
	pr_info("io: parallel %x %x\n", inb(0x378), inb(0x379));
	insb(0x5000, text, 3);
	outsb(0x5000, text, 3);
	pr_info("io: ins %*ph\n", 3, text);
	tell("kept", request_region(0x5300, 8, "io_regions"));
	res = kzalloc(sizeof(*res), GFP_KERNEL);
	res->start = 0x100;
	kfree(res);
	return 0;
}

static void __exit stop(void)
{
	release_mem_region(0xa0000, 0x1000);
	release_region(0x5300, 8);
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
