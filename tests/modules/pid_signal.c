// SPDX-License-Identifier: GPL-2.0-or-later
/* Finds processes by their numbers, and sends them signals. */
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>

static struct task_struct *registered;

static int look(const char *value, const struct kernel_param *kp)
{
	struct pid *pid;
	struct task_struct *task;
	int nr;

	if (kstrtoint(value, 10, &nr))
		return -EINVAL;
	pid = find_get_pid(nr);
	if (!pid) {
		pr_info("%s: nobody\n", KBUILD_MODNAME);
		return -ESRCH;
	}
	task = get_pid_task(pid, PIDTYPE_PID);
	if (task) {
		pr_info("%s: %s, pid %s, tgid %s, uid %u, %s\n", KBUILD_MODNAME, task->comm, task_pid_nr(task) == nr ? "same" : "other",
			task_tgid_nr(task) == nr ? "same" : "other", __kuid_val(task_uid(task)), pid_vnr(pid) == nr && task_pid(task) == pid ? "alike" : "odd");
		put_task_struct(task);
	}
	put_pid(pid);
	return 0;
}

static int send(const char *value, const struct kernel_param *kp)
{
	int nr, sig;

	if (sscanf(value, "%d %d", &nr, &sig) != 2)
		return -EINVAL;
	return kill_pid(find_vpid(nr), sig, 1);
}

static int enlist(const char *value, const struct kernel_param *kp)
{
	registered = current;
	return 0;
}

static int poke(const char *value, const struct kernel_param *kp)
{
	struct kernel_siginfo info = { .si_signo = SIGUSR2, .si_code = SI_QUEUE, .si_int = 42 };

	if (!registered)
		return -ENXIO;
	return send_sig_info(SIGUSR2, &info, registered);
}

static const struct kernel_param_ops look_ops = { .set = look }, send_ops = { .set = send };
static const struct kernel_param_ops enlist_ops = { .set = enlist }, poke_ops = { .set = poke };
module_param_cb(look, &look_ops, NULL, 0200);
module_param_cb(send, &send_ops, NULL, 0200);
module_param_cb(enlist, &enlist_ops, NULL, 0200);
module_param_cb(poke, &poke_ops, NULL, 0200);

static int __init pid_signal_init(void)
{
	return 0;
}

static void __exit pid_signal_exit(void)
{
}

module_init(pid_signal_init);
module_exit(pid_signal_exit);
MODULE_LICENSE("GPL");
