// SPDX-License-Identifier: GPL-2.0
/* Wants others before and after it, without needing them; has much to say about itself. */
#include <linux/init.h>
#include <linux/module.h>

static bool quiet;
module_param(quiet, bool, 0644);
MODULE_PARM_DESC(quiet, "say less");
static int sizes[3];
static int sizes_given;
module_param_array(sizes, int, &sizes_given, 0444);
MODULE_PARM_DESC(sizes, "up to three sizes\n\tsecond line");

static int __init lab_soft_init(void)
{
	if (!quiet)
		pr_info("lab_soft: %d sizes\n", sizes_given);
	return 0;
}

static void __exit lab_soft_exit(void)
{
	pr_info("lab_soft: exit\n");
}

module_init(lab_soft_init);
module_exit(lab_soft_exit);
MODULE_LICENSE("Dual BSD/GPL");
MODULE_AUTHOR("First Author <first@example.com>");
MODULE_AUTHOR("Second Author");
MODULE_DESCRIPTION("Wants others around it");
MODULE_VERSION("1.0-rc2");
MODULE_ALIAS("lab-soft-alias");
MODULE_ALIAS("labbus:v00005678d0000*");
MODULE_FIRMWARE("lab/firmware.bin");
MODULE_SOFTDEP("pre: lab_base post: hello");
MODULE_INFO(maturity, "young");
