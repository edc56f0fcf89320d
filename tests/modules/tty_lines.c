// SPDX-License-Identifier: GPL-2.0-or-later
/* Two terminals: what is written to one can be seen, what it receives is told by a parameter. */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/serial.h>
#include <linux/slab.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/tty_flip.h>

#define LINES 2

static int room = 100;
module_param(room, int, 0644);
static int refuse;
module_param(refuse, int, 0644);
static bool quiet;
module_param(quiet, bool, 0644);

struct line {
	struct tty_port port;
	unsigned int modem;
	struct async_icount count;
};

static struct line lines[LINES];
static struct tty_driver *driver;

#define SAY(fmt, ...) do { if (!quiet) pr_info("%s: " fmt "\n", KBUILD_MODNAME, ##__VA_ARGS__); } while (0)

/* The port. */
static int line_activate(struct tty_port *port, struct tty_struct *tty)
{
	SAY("activate %s, iflags %lx, baud %d", tty_name(tty), port->iflags, tty_get_baud_rate(tty));
	return refuse;
}

static void line_shutdown(struct tty_port *port)
{
	SAY("shutdown %d", (int)(container_of(port, struct line, port) - lines));
}

static void line_dtr_rts(struct tty_port *port, int on)
{
	SAY("dtr_rts %d", on);
}

static const struct tty_port_operations port_ops = { .activate = line_activate, .shutdown = line_shutdown, .dtr_rts = line_dtr_rts };

/* The terminal. */
static int line_open(struct tty_struct *tty, struct file *file)
{
	struct line *line = &lines[tty->index];
	int ret;

	tty->driver_data = line;
	ret = tty_port_open(&line->port, tty, file);
	SAY("open %s: %d, count %d %d, flags %lx, dev %s, driver %s", tty->name, ret, tty->count, line->port.count, tty->flags,
	    tty->dev ? dev_name(tty->dev) : "none", tty->driver->driver_name);
	return ret;
}

static void line_close(struct tty_struct *tty, struct file *file)
{
	struct line *line = tty->driver_data;

	SAY("close %s, count %d %d", tty->name, tty->count, line->port.count);
	tty_port_close(&line->port, tty, file);
}

static int line_write(struct tty_struct *tty, const unsigned char *data, int count)
{
	struct line *line = tty->driver_data;
	char text[64];

	count = min(count, room);
	string_escape_mem(data, min(count, 20), text, sizeof(text) - 1, ESCAPE_SPACE | ESCAPE_SPECIAL | ESCAPE_HEX | ESCAPE_NAP, NULL);
	text[min_t(int, string_escape_mem(data, min(count, 20), NULL, 0, ESCAPE_SPACE | ESCAPE_SPECIAL | ESCAPE_HEX | ESCAPE_NAP, NULL), 63)] = 0;
	SAY("write %d: %s", count, text);
	line->count.tx += count;
	return count;
}

static unsigned int line_write_room(struct tty_struct *tty)
{
	return room;
}

static void line_set_termios(struct tty_struct *tty, const struct ktermios *old)
{
	SAY("termios %x %x %x %x from %x %x %x %x, %d baud, %d bits, hardware %d", tty->termios.c_iflag, tty->termios.c_oflag,
	    tty->termios.c_cflag, tty->termios.c_lflag, old->c_iflag, old->c_oflag, old->c_cflag, old->c_lflag, tty_get_baud_rate(tty),
	    tty_get_char_size(tty->termios.c_cflag), tty_termios_hw_change(&tty->termios, old));
}

static void line_throttle(struct tty_struct *tty) { SAY("throttle"); }
static void line_unthrottle(struct tty_struct *tty) { SAY("unthrottle"); }
static void line_stop(struct tty_struct *tty) { SAY("stop"); }
static void line_start(struct tty_struct *tty) { SAY("start"); }
static void line_flush_chars(struct tty_struct *tty) { }
static void line_hangup(struct tty_struct *tty) { SAY("hangup"); tty_port_hangup(&lines[tty->index].port); }
static void line_flush_buffer(struct tty_struct *tty) { SAY("flush_buffer"); }
static int line_break(struct tty_struct *tty, int state) { SAY("break %d", state); return 0; }

static int line_tiocmget(struct tty_struct *tty)
{
	return ((struct line *)tty->driver_data)->modem | TIOCM_CAR;
}

static int line_tiocmset(struct tty_struct *tty, unsigned int set, unsigned int clear)
{
	struct line *line = tty->driver_data;

	SAY("tiocmset %x %x", set, clear);
	line->modem = (line->modem & ~clear) | set;
	return 0;
}

static int line_get_icount(struct tty_struct *tty, struct serial_icounter_struct *icount)
{
	struct line *line = tty->driver_data;

	icount->rx = line->count.rx;
	icount->tx = line->count.tx;
	return 0;
}

static int line_get_serial(struct tty_struct *tty, struct serial_struct *ss)
{
	ss->line = tty->index;
	ss->baud_base = 115200;
	return 0;
}

static int line_ioctl(struct tty_struct *tty, unsigned int cmd, unsigned long arg)
{
	if (cmd != _IO('l', 1))
		return -ENOIOCTLCMD;
	SAY("ioctl %lx", arg);
	return 7;
}

static int line_proc_show(struct seq_file *m, void *v)
{
	int i;

	seq_printf(m, "%s, %d lines\n", ((struct tty_driver *)m->private)->name, LINES);
	for (i = 0; i < LINES; i++)
		seq_printf(m, "%d: rx %d tx %d count %d\n", i, lines[i].count.rx, lines[i].count.tx, lines[i].port.count);
	return 0;
}

static const struct tty_operations line_ops = {
	.open = line_open, .close = line_close, .write = line_write, .write_room = line_write_room, .set_termios = line_set_termios,
	.throttle = line_throttle, .unthrottle = line_unthrottle, .stop = line_stop, .start = line_start, .flush_chars = line_flush_chars,
	.hangup = line_hangup, .flush_buffer = line_flush_buffer, .break_ctl = line_break, .tiocmget = line_tiocmget,
	.tiocmset = line_tiocmset, .get_icount = line_get_icount, .get_serial = line_get_serial, .ioctl = line_ioctl,
	.proc_show = line_proc_show,
};

/* What comes in: "LINE HOW TEXT", where the text may be escaped. */
static int receive(const char *value, const struct kernel_param *kp)
{
	struct tty_port *port;
	unsigned int index;
	unsigned char *place;
	char how, text[128];
	int i, count;

	if (sscanf(value, "%u %c %127s", &index, &how, text) != 3 || index >= LINES)
		return -EINVAL;
	port = &lines[index].port;
	count = string_unescape_any_inplace(text);
	lines[index].count.rx += count;
	switch (how) {
	case 'c':
		for (i = 0; i < count; i++)
			tty_insert_flip_char(port, text[i], TTY_NORMAL);
		break;
	case 's':
		SAY("inserted %d", tty_insert_flip_string(port, text, count));
		break;
	case 'p':
		i = tty_prepare_flip_string(port, &place, count);
		memcpy(place, text, i);
		break;
	case 'b':
	case 'e':
	case 'o':
		tty_insert_flip_char(port, text[0], how == 'b' ? TTY_BREAK : how == 'e' ? TTY_PARITY : TTY_OVERRUN);
		break;
	case 'm':
		for (i = 0; i < 5000; i++)
			tty_insert_flip_char(port, text[i % count], TTY_NORMAL);
		break;
	case 'h':
		tty_port_tty_hangup(port, false);
		return 0;
	}
	tty_flip_buffer_push(port);
	return 0;
}

static const struct kernel_param_ops receive_ops = { .set = receive };
module_param_cb(receive, &receive_ops, NULL, 0200);

static int __init tty_lines_init(void)
{
	struct device *dev;
	int i, ret;

	SAY("no lines: %ld", PTR_ERR(tty_alloc_driver(0, 0)));
	driver = tty_alloc_driver(LINES, TTY_DRIVER_REAL_RAW | TTY_DRIVER_DYNAMIC_DEV);
	if (IS_ERR(driver))
		return PTR_ERR(driver);
	driver->driver_name = "lines";
	driver->name = "ttyLN";
	driver->type = TTY_DRIVER_TYPE_SERIAL;
	driver->subtype = SERIAL_TYPE_NORMAL;
	driver->init_termios = tty_std_termios;
	driver->init_termios.c_cflag = B9600 | CS8 | CREAD | HUPCL | CLOCAL;
	tty_set_operations(driver, &line_ops);
	ret = tty_register_driver(driver);
	if (ret) {
		tty_driver_kref_put(driver);
		return ret;
	}
	for (i = 0; i < LINES; i++) {
		tty_port_init(&lines[i].port);
		lines[i].port.ops = &port_ops;
		dev = tty_port_register_device(&lines[i].port, driver, i, NULL);
		SAY("device %s", IS_ERR(dev) ? "none" : dev_name(dev));
	}
	SAY("beyond: %ld", PTR_ERR(tty_register_device(driver, LINES, NULL)));
	return 0;
}

static void __exit tty_lines_exit(void)
{
	int i;

	for (i = 0; i < LINES; i++)
		tty_unregister_device(driver, i);
	tty_unregister_driver(driver);
	tty_driver_kref_put(driver);
	for (i = 0; i < LINES; i++)
		tty_port_destroy(&lines[i].port);
}

module_init(tty_lines_init);
module_exit(tty_lines_exit);
MODULE_LICENSE("GPL");
