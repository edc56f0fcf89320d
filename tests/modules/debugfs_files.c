// SPDX-License-Identifier: GPL-2.0
/* Files of debugfs of all kinds; the parameter "act" changes them. */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static struct dentry *dir, *sub, *file, *moved;
static u8 a_u8 = 8;
static u16 a_u16 = 16;
static u32 a_u32 = 32, an_array[3] = { 1, 4294967295U, 3 };
static u64 a_u64 = 64;
static unsigned long a_long = 5;
static size_t a_size = 6;
static atomic_t an_atomic = ATOMIC_INIT(-7);
static bool a_bool = true;
static char bytes[] = "bytes\0of a blob\n";
static struct debugfs_blob_wrapper blob = { .data = bytes, .size = sizeof(bytes) - 1 };
static struct debugfs_u32_array array = { .array = an_array, .n_elements = 3 };

static char text[32] = "text\n";

static ssize_t file_read(struct file *f, char __user *buf, size_t count, loff_t *pos)
{
	return simple_read_from_buffer(buf, count, pos, text, strlen(text));
}

static ssize_t file_write(struct file *f, const char __user *buf, size_t count, loff_t *pos)
{
	ssize_t ret = simple_write_to_buffer(text, sizeof(text) - 1, pos, buf, count);

	pr_info("debugfs_files: write %zu of %zu by %s\n", ret, count, (char *)f->private_data);
	if (ret > 0)
		text[ret] = 0;
	return ret;
}

static int file_release(struct inode *inode, struct file *f)
{
	pr_info("debugfs_files: release\n");
	return 0;
}

static const struct file_operations file_fops = {
	.owner = THIS_MODULE, .open = simple_open, .read = file_read, .write = file_write, .release = file_release,
	.llseek = default_llseek,
};
static const struct file_operations ro_fops = { .owner = THIS_MODULE, .read = file_read };

static int number_get(void *data, u64 *val)
{
	*val = *(u32 *)data * 2;
	return *val == 26 ? -ENODATA : 0;
}

static int number_set(void *data, u64 val)
{
	if (val > 1000)
		return -ERANGE;
	*(u32 *)data = val;
	return 0;
}
DEFINE_SIMPLE_ATTRIBUTE(number_fops, number_get, number_set, "number %llu\n");
DEFINE_SIMPLE_ATTRIBUTE(read_only_fops, number_get, NULL, "%#llx\n");
DEFINE_DEBUGFS_ATTRIBUTE(attribute_fops, number_get, number_set, "%lld\n");

static int records_show(struct seq_file *m, void *v)
{
	seq_printf(m, "seq %s\n", (char *)m->private);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(records);

static int act_set(const char *val, const struct kernel_param *kp)
{
	int ret = 0;
	char word[16];

	strscpy(word, val, sizeof(word));
	strim(word);
	if (!strcmp(word, "remove"))
		debugfs_remove(file);
	else if (!strcmp(word, "create"))
		file = debugfs_create_file("file", 0600, dir, "again", &file_fops);
	else if (!strcmp(word, "dir"))
		ret = PTR_ERR_OR_ZERO(debugfs_create_dir("sub", dir));
	else if (!strcmp(word, "file"))
		ret = PTR_ERR_OR_ZERO(debugfs_create_file("file", 0600, dir, NULL, &file_fops));
	else if (!strcmp(word, "in_error"))
		ret = PTR_ERR_OR_ZERO(debugfs_create_dir("x", ERR_PTR(-ENODEV)));
	else if (!strcmp(word, "slash"))
		ret = PTR_ERR_OR_ZERO(debugfs_create_dir("x/y", dir));
	else if (!strcmp(word, "rename")) {
		moved = debugfs_lookup("u8", dir);
		ret = PTR_ERR_OR_ZERO(debugfs_rename(dir, moved, sub, "moved"));
		dput(moved);
	} else if (!strcmp(word, "lookup"))
		ret = debugfs_lookup("nothing", dir) ? 1 : -ENOENT;
	else if (!strcmp(word, "by_name"))
		debugfs_lookup_and_remove("u16", dir);
	else if (!strcmp(word, "subtree"))
		debugfs_remove_recursive(sub);
	else
		ret = -EINVAL;
	pr_info("debugfs_files: %s: %d\n", word, ret);
	return ret;
}
static const struct kernel_param_ops act_ops = { .set = act_set };
module_param_cb(act, &act_ops, NULL, 0200);

static int __init start(void)
{
	dir = debugfs_create_dir("debugfs_files", NULL);
	sub = debugfs_create_dir("sub", dir);
	file = debugfs_create_file("file", 0644, dir, "the first", &file_fops);
	debugfs_create_file("ro", 0444, dir, NULL, &ro_fops);
	debugfs_create_file("no_fops", 0644, dir, NULL, NULL);
	debugfs_create_file_size("sized", 0444, dir, NULL, &ro_fops, 1234);
	debugfs_create_file_unsafe("unsafe", 0600, dir, &a_u32, &attribute_fops);
	debugfs_create_file("number", 0644, dir, &a_u32, &number_fops);
	debugfs_create_file("read_only", 0644, dir, &a_u32, &read_only_fops);
	debugfs_create_file("seq", 0444, sub, "in sub", &records_fops);
	debugfs_create_u8("u8", 0644, dir, &a_u8);
	debugfs_create_u16("u16", 0444, dir, &a_u16);
	debugfs_create_u32("u32", 0644, dir, &a_u32);
	debugfs_create_u64("u64", 0200, dir, &a_u64);
	debugfs_create_x8("x8", 0644, dir, &a_u8);
	debugfs_create_x16("x16", 0644, dir, &a_u16);
	debugfs_create_x32("x32", 0644, dir, &a_u32);
	debugfs_create_x64("x64", 0644, dir, &a_u64);
	debugfs_create_ulong("ulong", 0644, dir, &a_long);
	debugfs_create_size_t("size_t", 0644, dir, &a_size);
	debugfs_create_atomic_t("atomic", 0644, dir, &an_atomic);
	debugfs_create_bool("bool", 0644, dir, &a_bool);
	debugfs_create_blob("blob", 0644, dir, &blob);
	debugfs_create_u32_array("array", 0444, dir, &array);
	debugfs_create_symlink("link", dir, "sub/seq");
	return IS_ERR(dir) ? PTR_ERR(dir) : 0;
}

static void __exit stop(void)
{
	debugfs_remove_recursive(dir);
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
