// SPDX-License-Identifier: GPL-2.0
/* Arrays of every size of element, and unusual names. */
#include <linux/init.h>
#include <linux/module.h>

static unsigned char bytes[3] = { 1, 2, 3 };
module_param_array(bytes, byte, NULL, 0644);
static short shorts[3] = { -1, 2 };
static unsigned int nr_shorts = 2;
module_param_array(shorts, short, &nr_shorts, 0644);
static unsigned long longs[2];
static unsigned int nr_longs;
module_param_array(longs, ulong, &nr_longs, 0644);
static bool bools[4] = { true };
static unsigned int nr_bools = 1;
module_param_array(bools, bool, &nr_bools, 0644);
static char *words[3] = { "one", NULL, "three" };
module_param_array(words, charp, NULL, 0644);
static unsigned int hexes[2] = { 0xa, 0xb };
static unsigned int nr_hexes = 2;
module_param_array_named(hex, hexes, hexint, &nr_hexes, 0664);
static bool inverted[2] = { true, false };
module_param_array(inverted, invbool, NULL, 0644);
static int a_parameter_whose_name_goes_on_and_on_until_nobody_wants_to_type_it_any_more = 1;
module_param(a_parameter_whose_name_goes_on_and_on_until_nobody_wants_to_type_it_any_more, int, 0644);
static int with_underscore;
module_param(with_underscore, int, 0644);
static char tiny[1];
module_param_string(tiny, tiny, sizeof(tiny), 0644);

static int __init start(void)
{
	return 0;
}

static void __exit stop(void)
{
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
