// SPDX-License-Identifier: GPL-2.0
/* Entries of /proc of all kinds; the parameter "act" changes them. */
#include <linux/init.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static struct proc_dir_entry *dir, *sub, *plain, *link;
static int records = 3, skip = -1, fail = -1, width;
module_param(records, int, 0644);
module_param(skip, int, 0644);
module_param(fail, int, 0644);
module_param(width, int, 0644);

/* A file of its own: what was written is what can be read. */
static char text[64] = "nothing\n";
static size_t length = 8;

static int plain_open(struct inode *inode, struct file *file)
{
	pr_info("proc_files: open %s\n", (char *)pde_data(inode));
	return 0;
}

static ssize_t plain_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	pr_info("proc_files: read %zu at %lld\n", count, *pos);
	return simple_read_from_buffer(buf, count, pos, text, length);
}

static ssize_t plain_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	pr_info("proc_files: write %zu at %lld\n", count, *pos);
	if (count > sizeof(text))
		return -ENOSPC;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	length = count;
	return count;
}

static int plain_release(struct inode *inode, struct file *file)
{
	pr_info("proc_files: release %s\n", (char *)pde_data(inode));
	return 0;
}

static const struct proc_ops plain_ops = {
	.proc_open = plain_open, .proc_read = plain_read, .proc_write = plain_write, .proc_release = plain_release,
	.proc_lseek = default_llseek,
};
/* Without positions; without anything. */
static const struct proc_ops stream_ops = { .proc_read = plain_read };
static const struct proc_ops none_ops = {};

static int refuses_open(struct inode *inode, struct file *file)
{
	return -EBUSY;
}
static const struct proc_ops refuses_ops = { .proc_open = refuses_open };

/* Always one more line: the end is never told. */
static ssize_t forever_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	if (*pos > 20)
		return 0;
	if (count > 7)
		count = 7;
	if (copy_to_user(buf, "forever", count))
		return -EFAULT;
	*pos += count;
	return count;
}
static const struct proc_ops forever_ops = { .proc_read = forever_read };

/* One text. */
static int single_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s %d %5.2s|%-5x|%c\n", "single", 7, "abc", 255, 'c');
	seq_puts(m, "puts ");
	seq_putc(m, '.');
	seq_put_decimal_ull(m, " ", 18446744073709551615ULL);
	seq_put_decimal_ll(m, ", ", -5);
	seq_put_decimal_ll(m, ",", -1234567);
	seq_putc(m, '\n');
	seq_setwidth(m, 12);
	seq_puts(m, "padded");
	seq_pad(m, '|');
	seq_write(m, "raw\n", 4);
	seq_escape(m, "a b\tc\\\n", " \t\n\\");
	seq_putc(m, '\n');
	seq_hex_dump(m, "dump ", DUMP_PREFIX_OFFSET, 16, 1, "0123456789abcdefABC", 19, true);
	seq_file_path(m, (struct file *)m->file, "/");
	seq_putc(m, '\n');
	return fail >= 0 ? -fail : 0;
}

static int single_opens(struct inode *inode, struct file *file)
{
	return single_open(file, single_show, pde_data(inode));
}

static const struct proc_ops single_ops = {
	.proc_open = single_opens, .proc_read = seq_read, .proc_lseek = seq_lseek, .proc_release = single_release,
};

static int data_show(struct seq_file *m, void *v)
{
	seq_printf(m, "data %s, token %d\n", (char *)m->private, v == SEQ_START_TOKEN);
	return 0;
}

static int large_show(struct seq_file *m, void *v)
{
	int i;

	pr_info("proc_files: large, room %zu\n", m->size);
	for (i = 0; i < records * 100; i++)
		seq_printf(m, "%09d\n", i);
	return 0;
}

/* Records. */
static void *it_start(struct seq_file *m, loff_t *pos)
{
	pr_info("proc_files: start %lld\n", *pos);
	if (*pos == fail)
		return ERR_PTR(-ENXIO);
	return *pos < records ? pos : NULL;
}

static void *it_next(struct seq_file *m, void *v, loff_t *pos)
{
	pr_info("proc_files: next %lld\n", *pos);
	++*pos;
	return *pos < records ? pos : NULL;
}

static void it_stop(struct seq_file *m, void *v)
{
	pr_info("proc_files: stop %d\n", v != NULL);
}

static int it_show(struct seq_file *m, void *v)
{
	loff_t at = *(loff_t *)v;

	pr_info("proc_files: show %lld\n", at);
	if (at == skip)
		return SEQ_SKIP;
	if (at == fail - 1000)
		return -EDOM;
	seq_printf(m, "record %lld%*s\n", at, width, "");
	return 0;
}

static const struct seq_operations it_ops = { .start = it_start, .next = it_next, .stop = it_stop, .show = it_show };

static int it_open(struct inode *inode, struct file *file)
{
	return seq_open(file, &it_ops);
}
static const struct proc_ops records_ops = {
	.proc_open = it_open, .proc_read = seq_read, .proc_lseek = seq_lseek, .proc_release = seq_release,
};

/* Its iterator does not count. */
static void *buggy_next(struct seq_file *m, void *v, loff_t *pos)
{
	return NULL;
}
static int buggy_show(struct seq_file *m, void *v)
{
	seq_puts(m, "once\n");
	return 0;
}
static const struct seq_operations buggy_ops = {
	.start = it_start, .next = buggy_next, .stop = it_stop, .show = buggy_show,
};

/* A list, with a state for each reader. */
struct item {
	struct list_head list;
	int value;
};
static LIST_HEAD(items);
struct state {
	int shown;
};

static void *list_start(struct seq_file *m, loff_t *pos)
{
	return seq_list_start_head(&items, *pos);
}
static void *list_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &items, pos);
}
static void list_stop(struct seq_file *m, void *v)
{
}
static int list_show(struct seq_file *m, void *v)
{
	struct state *state = m->private;

	if (v == &items)
		seq_printf(m, "items of %s:\n", (char *)pde_data(file_inode(m->file)));
	else
		seq_printf(m, "%d: %d\n", ++state->shown, list_entry(v, struct item, list)->value);
	return 0;
}
static const struct seq_operations list_ops = {
	.start = list_start, .next = list_next, .stop = list_stop, .show = list_show,
};

static int act_set(const char *val, const struct kernel_param *kp)
{
	int ret = 0;
	char word[16];

	strscpy(word, val, sizeof(word));
	strim(word);
	if (!strcmp(word, "remove")) {
		proc_remove(plain);
		plain = NULL;
	} else if (!strcmp(word, "create")) {
		struct proc_dir_entry *made = proc_create_data("plain", 0666, dir, &plain_ops, "again");

		plain = made ? made : plain;
		ret = made ? 0 : -EEXIST;
	} else if (!strcmp(word, "missing"))
		remove_proc_entry("missing", dir);
	else if (!strcmp(word, "missing_tree"))
		ret = remove_proc_subtree("missing", dir);
	else if (!strcmp(word, "path"))
		ret = proc_create("proc_files/sub/by_path", 0, NULL, &plain_ops) ? 0 : -EINVAL;
	else if (!strcmp(word, "no_path"))
		ret = proc_create("proc_files/none/by_path", 0, NULL, &plain_ops) ? 0 : -EINVAL;
	else if (!strcmp(word, "number"))
		ret = proc_create("12", 0, NULL, &plain_ops) ? 0 : -EINVAL;
	else if (!strcmp(word, "empty"))
		ret = proc_create("", 0, dir, &plain_ops) ? 0 : -EINVAL;
	else if (!strcmp(word, "modules"))
		ret = proc_create("modules", 0, NULL, &plain_ops) ? 0 : -EINVAL;
	else if (!strcmp(word, "nonempty"))
		remove_proc_entry("sub", dir);
	else if (!strcmp(word, "size"))
		proc_set_size(plain, 80);
	else if (!strcmp(word, "user"))
		proc_set_user(plain, KUIDT_INIT(1000), KGIDT_INIT(100));
	else if (!strcmp(word, "subtree"))
		ret = remove_proc_subtree("sub", dir);
	else
		ret = -EINVAL;
	pr_info("proc_files: %s: %d\n", word, ret);
	return ret;
}
static const struct kernel_param_ops act_ops = { .set = act_set };
module_param_cb(act, &act_ops, NULL, 0200);

static int __init start(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		struct item *item = kmalloc(sizeof(*item), GFP_KERNEL);

		item->value = i * i;
		list_add_tail(&item->list, &items);
	}
	dir = proc_mkdir("proc_files", NULL);
	sub = proc_mkdir_data("sub", 0750, dir, "data of sub");
	plain = proc_create_data("plain", 0666, dir, &plain_ops, "plain");
	link = proc_symlink("link", dir, "sub/../plain");
	if (!plain || !link || !proc_create("stream", 0, dir, &stream_ops) || !proc_create("none", 0600, dir, &none_ops) ||
	    !proc_create("refuses", 0444, dir, &refuses_ops) || !proc_create("forever", 0444, dir, &forever_ops) ||
	    !proc_create_data("single", 0, dir, &single_ops, "single data") ||
	    !proc_create_single_data("data", 0440, dir, data_show, "of data") ||
	    !proc_create_single("large", 0, dir, large_show) || !proc_create("records", 0, dir, &records_ops) ||
	    !proc_create_seq("buggy", 0, dir, &buggy_ops) || !proc_create_seq("seq", 0, sub, &it_ops) ||
	    !proc_create_seq_private("list", 0, sub, &list_ops, sizeof(struct state), "list") ||
	    !proc_create("proc_files_top", 0644, NULL, &plain_ops))
		return -ENOMEM;
	return 0;
}

static void __exit stop(void)
{
	struct item *item, *next;

	remove_proc_entry("proc_files_top", NULL);
	proc_remove(dir);
	list_for_each_entry_safe(item, next, &items, list)
		kfree(item);
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
