// SPDX-License-Identifier: GPL-2.0
/* All that modinfo can show. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/mod_devicetable.h>
#include <linux/pci.h>

static int depth = 3;
module_param(depth, int, 0444);
MODULE_PARM_DESC(depth, "how deep to look, with a \"quote\", a (bracket) and: a colon");

static char *described;
module_param(described, charp, 0);
MODULE_PARM_DESC(described, "first line\n\t\tsecond line");

MODULE_PARM_DESC(phantom, "a description without a parameter");

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(0x1af4, 0x1fff) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);

static int __init start(void)
{
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_ALIAS("first-alias");
MODULE_ALIAS("char-major-240-*");
MODULE_SOFTDEP("pre: crc7 post: permanent");
MODULE_FIRMWARE("metadata/one.bin");
MODULE_FIRMWARE("metadata/two.bin");
MODULE_AUTHOR("First Author <first@example.org>");
MODULE_AUTHOR("Second Author");
MODULE_DESCRIPTION("Everything modinfo shows");
MODULE_VERSION("0.9-rc1");
MODULE_INFO(custom, "anything goes");
MODULE_LICENSE("GPL");
