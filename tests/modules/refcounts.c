// SPDX-License-Identifier: GPL-2.0
/* References to modules, from inside: its own, other modules', symbols by name, modules by name. */
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/slab.h>

#define TELL(what) pr_info("refcounts: %s = %ld\n", #what, (long)(what))

int refcounts_mark = 17;
EXPORT_SYMBOL_GPL(refcounts_mark);

static void *found;

static int set(const char *value, const struct kernel_param *kp)
{
	int n, r = kstrtoint(value, 0, &n);
	char *name;

	if (r)
		return r;
	switch (n) {
	case 1: TELL(try_module_get(THIS_MODULE)); break;
	case 2: module_put(THIS_MODULE); pr_info("refcounts: put\n"); break;
	case 3: __module_get(THIS_MODULE); pr_info("refcounts: got\n"); break;
	case 4: TELL(module_refcount(THIS_MODULE)); TELL(module_is_live(THIS_MODULE)); TELL(THIS_MODULE->state); break;
	case 5: TELL(try_module_get(NULL)); module_put(NULL); __module_get(NULL); break;
	case 6: TELL(!!__symbol_get("no_such_symbol")); break;
	case 7: found = __symbol_get("refcounts_mark"); TELL(!!found); TELL(found ? *(int *)found : -1); break;
	case 8: __symbol_put("refcounts_mark"); pr_info("refcounts: symbol put\n"); break;
	case 9: __symbol_put("no_such_symbol"); break;
	case 10: found = __symbol_get("provider_gpl"); TELL(!!found); break;
	case 11: __symbol_put("provider_gpl"); break;
	case 12: found = __symbol_get("provider_value"); TELL(!!found); break;
	case 13: found = __symbol_get("kmalloc_caches"); TELL(!!found); break;
	case 14: found = __symbol_get("jiffies"); TELL(!!found); break;
	case 15: TELL(request_module("no_such_module")); break;
	case 16: TELL(request_module_nowait("no_such_module")); break;
	case 17: TELL(request_module("hello")); break;
	case 18: TELL(request_module("%s-%d", "alias", 7)); break;
	case 19: TELL(try_then_request_module(NULL, "hello") == NULL); break;
	case 20: name = kmalloc(200, GFP_KERNEL); memset(name, 'a', 199); name[199] = 0; TELL(request_module("%s", name)); kfree(name); break;
	case 21: symbol_put_addr(&refcounts_mark); pr_info("refcounts: put by address\n"); break;
	case 22: symbol_put_addr((void *)_printk); break;
	case 25: pr_info("refcounts: %s %s %pS %ps %pB\n", THIS_MODULE->name, module_name(NULL), set, set, set); break;
	default: return -EINVAL;
	}
	return 0;
}

static const struct kernel_param_ops ops = { .set = set };
static int ask;
module_param_cb(ask, &ops, &ask, 0200);

static int result;
module_param(result, int, 0444);
static bool take;
module_param(take, bool, 0444);

static void __attribute__((constructor)) built(void)
{
	pr_info("refcounts: constructed\n");
}

static int __init start(void)
{
	pr_info("refcounts: init\n");
	TELL(module_refcount(THIS_MODULE));
	TELL(module_is_live(THIS_MODULE));
	TELL(THIS_MODULE->state);
	TELL(try_module_get(THIS_MODULE));
	TELL(module_refcount(THIS_MODULE));
	module_put(THIS_MODULE);
	if (take)
		__module_get(THIS_MODULE);
	TELL(!!__symbol_get("refcounts_mark"));
	TELL(module_refcount(THIS_MODULE));
	return result;
}

static void __exit stop(void)
{
	pr_info("refcounts: exit\n");
	TELL(module_refcount(THIS_MODULE));
	TELL(module_is_live(THIS_MODULE));
	TELL(THIS_MODULE->state);
	TELL(try_module_get(THIS_MODULE));
	TELL(!!__symbol_get("refcounts_mark"));
	TELL(module_refcount(THIS_MODULE));
}

module_init(start);
module_exit(stop);

MODULE_LICENSE("GPL");
