// SPDX-License-Identifier: GPL-2.0
/* A misc device through which bytes go: who reads waits for them, who writes for room. */
#include <linux/fs.h>
#include <linux/kfifo.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>
#include <linux/wait.h>

#define DEV_FIFO_BYTES 16

static DECLARE_KFIFO(fifo, char, DEV_FIFO_BYTES);
static DECLARE_WAIT_QUEUE_HEAD(readers);
static DECLARE_WAIT_QUEUE_HEAD(writers);
static struct fasync_struct *listeners;

static int dev_fifo_open(struct inode *inode, struct file *file)
{
	return stream_open(inode, file);
}

static ssize_t dev_fifo_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	char bytes[DEV_FIFO_BYTES];
	unsigned int count;
	int ret;

	if (kfifo_is_empty(&fifo) && (iocb->ki_filp->f_flags & O_NONBLOCK))
		return -EAGAIN;
	ret = wait_event_interruptible(readers, !kfifo_is_empty(&fifo));
	if (ret)
		return ret;
	count = kfifo_out(&fifo, bytes, min_t(size_t, iov_iter_count(to), sizeof(bytes)));
	wake_up_interruptible(&writers);
	return copy_to_iter(bytes, count, to) == count ? count : -EFAULT;
}

static ssize_t dev_fifo_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	char bytes[DEV_FIFO_BYTES];
	size_t count = min_t(size_t, iov_iter_count(from), sizeof(bytes));
	int ret;

	if (kfifo_is_full(&fifo) && (iocb->ki_filp->f_flags & O_NONBLOCK))
		return -EAGAIN;
	ret = wait_event_interruptible(writers, !kfifo_is_full(&fifo));
	if (ret)
		return ret;
	count = min_t(size_t, count, kfifo_avail(&fifo));
	if (!copy_from_iter_full(bytes, count, from))
		return -EFAULT;
	kfifo_in(&fifo, bytes, count);
	wake_up_interruptible(&readers);
	kill_fasync(&listeners, SIGIO, POLL_IN);
	return count;
}

static __poll_t dev_fifo_poll(struct file *file, poll_table *wait)
{
	poll_wait(file, &readers, wait);
	poll_wait(file, &writers, wait);
	return (kfifo_is_empty(&fifo) ? 0 : EPOLLIN | EPOLLRDNORM) | (kfifo_is_full(&fifo) ? 0 : EPOLLOUT | EPOLLWRNORM);
}

static int dev_fifo_fasync(int fd, struct file *file, int on)
{
	return fasync_helper(fd, file, on, &listeners);
}

static int dev_fifo_release(struct inode *inode, struct file *file)
{
	return dev_fifo_fasync(-1, file, 0);
}

static const struct file_operations dev_fifo_fops = {
	.owner = THIS_MODULE,
	.open = dev_fifo_open,
	.release = dev_fifo_release,
	.read_iter = dev_fifo_read_iter,
	.write_iter = dev_fifo_write_iter,
	.poll = dev_fifo_poll,
	.fasync = dev_fifo_fasync,
	.llseek = no_llseek,
};

static struct miscdevice dev_fifo = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &dev_fifo_fops,
	.mode = 0666,
};

static int __init dev_fifo_init(void)
{
	INIT_KFIFO(fifo);
	return misc_register(&dev_fifo);
}

static void __exit dev_fifo_exit(void)
{
	misc_deregister(&dev_fifo);
}

module_init(dev_fifo_init);
module_exit(dev_fifo_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A FIFO as a device");
