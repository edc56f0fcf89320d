// SPDX-License-Identifier: GPL-2.0-or-later
/* An I2C bus with a memory chip at 0x50, drivers of it, and what they ask of it. */
#include <linux/i2c.h>
#include <linux/module.h>

static bool smbus;
module_param(smbus, bool, 0);
static bool numbered;
module_param(numbered, bool, 0);

static u8 cells[256], at;

static int move(struct i2c_msg *msg)
{
	int i;

	if (msg->flags & I2C_M_RD) {
		i = 0;
		if (msg->flags & I2C_M_RECV_LEN) {
			msg->buf[0] = cells[at];
			msg->len = cells[at] + 1;
			i = 1;
		}
		for (; i < msg->len; i++)
			msg->buf[i] = cells[(u8)(at + i)];
		return 1;
	}
	for (i = 0; i < msg->len; i++)
		if (i)
			cells[(u8)(at + i - 1)] = msg->buf[i];
		else
			at = msg->buf[0];
	return 1;
}

static int chip_xfer(struct i2c_adapter *adap, struct i2c_msg *msgs, int num)
{
	int i;

	for (i = 0; i < num; i++) {
		pr_info("  %s %d of %d: addr %02x flags %x len %d\n", msgs[i].flags & I2C_M_RD ? "read" : "write", i, num,
			msgs[i].addr, msgs[i].flags, msgs[i].len);
		if (msgs[i].addr != 0x50)
			return -ENXIO;
		move(&msgs[i]);
	}
	return num;
}

static int chip_smbus(struct i2c_adapter *adap, u16 addr, unsigned short flags, char rw, u8 command, int size,
		      union i2c_smbus_data *data)
{
	pr_info("  smbus addr %02x flags %x %s command %02x size %d data %d\n", addr, flags,
		rw == I2C_SMBUS_READ ? "read" : "write", command, size, data != NULL);
	if (size == I2C_SMBUS_WORD_DATA)
		return -EOPNOTSUPP;
	if (addr != 0x50)
		return -ENXIO;
	if (data && rw == I2C_SMBUS_READ)
		data->byte = size == I2C_SMBUS_BLOCK_DATA || size == I2C_SMBUS_I2C_BLOCK_DATA ? 2 : 0x5a;
	return 0;
}

static u32 chip_functionality(struct i2c_adapter *adap)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
}

static struct i2c_algorithm algorithm = { .master_xfer = chip_xfer, .functionality = chip_functionality };
static const struct i2c_adapter_quirks quirks = { .max_write_len = 16 };
static struct i2c_adapter adapter = { .owner = THIS_MODULE, .class = I2C_CLASS_HWMON, .algo = &algorithm,
				      .name = "memory chips", .quirks = &quirks };

static void ask(struct i2c_client *client)
{
	u8 buf[40] = { 0x10, 'a', 'b', 'c' };
	struct i2c_msg msgs[2] = { { .addr = 0x50, .len = 1, .buf = buf }, { .addr = 0x50, .flags = I2C_M_RD, .len = 3, .buf = buf + 1 } };

	pr_info("send %d\n", i2c_master_send(client, buf, 4));
	memset(buf + 1, 0, 3);
	pr_info("transfer %d: %.3s\n", i2c_transfer(client->adapter, msgs, 2), buf + 1);
	pr_info("recv %d: %.2s\n", i2c_master_recv(client, buf, 2), buf);
	pr_info("long send %d\n", i2c_master_send(client, buf, 20));
	pr_info("byte %d\n", i2c_smbus_read_byte(client));
	pr_info("write byte %d\n", i2c_smbus_write_byte(client, 0x11));
	pr_info("byte data %d, write %d\n", i2c_smbus_read_byte_data(client, 0x10), i2c_smbus_write_byte_data(client, 0x20, 7));
	pr_info("write word %d, word %x\n", i2c_smbus_write_word_data(client, 0x30, 0x1234), i2c_smbus_read_word_data(client, 0x30));
	pr_info("write block %d\n", i2c_smbus_write_block_data(client, 0x40, 3, "xyz"));
	pr_info("block %d: %.3s\n", i2c_smbus_read_block_data(client, 0x40, buf), buf);
	pr_info("write i2c block %d\n", i2c_smbus_write_i2c_block_data(client, 0x60, 3, "uvw"));
	pr_info("i2c block %d: %.3s\n", i2c_smbus_read_i2c_block_data(client, 0x60, 3, buf), buf);
	pr_info("no block %d\n", i2c_smbus_write_i2c_block_data(client, 0x60, 0, "uvw"));
	pr_info("functions %d\n", i2c_check_functionality(client->adapter, I2C_FUNC_SMBUS_BYTE_DATA));
}

static int chip_probe(struct i2c_client *client, const struct i2c_device_id *id)
{
	dev_info(&client->dev, "%s, %lu, irq %d\n", id->name, id->driver_data, client->irq);
	if (id->driver_data == 2)
		return -ENODEV;
	if (client->addr == 0x50)
		ask(client);
	return 0;
}

static void chip_remove(struct i2c_client *client)
{
	dev_info(&client->dev, "removed\n");
}

static int chip_detect(struct i2c_client *client, struct i2c_board_info *info)
{
	pr_info("detect %02x\n", client->addr);
	if (client->addr != 0x50)
		return -ENODEV;
	strscpy(info->type, "chip", I2C_NAME_SIZE);
	return 0;
}

static const unsigned short addresses[] = { 0x50, 0x51, I2C_CLIENT_END };
static const struct i2c_device_id ids[] = { { "chip", 1 }, { "refused", 2 }, { } };
static struct i2c_driver driver = { .driver = { .name = "chip" }, .probe = chip_probe, .remove = chip_remove,
				    .id_table = ids, .class = I2C_CLASS_HWMON, .detect = chip_detect,
				    .address_list = addresses };

static int __init i2c_chips_init(void)
{
	int ret;

	pr_info("adapter 77: %d\n", i2c_get_adapter(77) != NULL);
	if (smbus)
		algorithm.smbus_xfer = chip_smbus;
	adapter.nr = 7;
	ret = numbered ? i2c_add_numbered_adapter(&adapter) : i2c_add_adapter(&adapter);
	if (ret)
		return ret;
	pr_info("adapter %d\n", adapter.nr);
	return i2c_add_driver(&driver);
}

static void __exit i2c_chips_exit(void)
{
	i2c_del_driver(&driver);
	i2c_del_adapter(&adapter);
}

module_init(i2c_chips_init);
module_exit(i2c_chips_exit);
MODULE_LICENSE("GPL");
