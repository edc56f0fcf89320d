// SPDX-License-Identifier: GPL-2.0-or-later
/* Walks from task to task: /proc/task_walk says what processes called sleep, perl or bash there are. */
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>

static int pid;
module_param(pid, int, 0644);

static bool wanted(const struct task_struct *task)
{
	return !strcmp(task->comm, "sleep") || !strcmp(task->comm, "perl") || !strcmp(task->comm, "bash");
}

static void descend(struct seq_file *m, struct task_struct *task, int depth)
{
	struct task_struct *child;

	list_for_each_entry(child, &task->children, sibling) {
		if (wanted(child))
			seq_printf(m, "%s of %s%s\n", child->comm, child->real_parent == task ? task->comm : "?",
				   child->parent == child->real_parent ? "" : ", traced");
		descend(m, child, depth + 1);
	}
}

static int task_walk_show(struct seq_file *m, void *v)
{
	struct task_struct *task, *thread;
	int processes = 0, threads = 0, kernel = 0, mine = 0;

	rcu_read_lock();
	for_each_process(task) {
		processes++;
		mine += task == current;
		kernel += !task->mm && task->flags & PF_KTHREAD;
		if (wanted(task))
			seq_printf(m, "%s: %s%s, leader %d, %d threads, uid %u, exit state %d, started %d\n", task->comm,
				   READ_ONCE(task->__state) & __TASK_STOPPED ? "stopped" : "going", task->mm ? "" : ", no memory",
				   thread_group_leader(task), get_nr_threads(task), __kuid_val(task_uid(task)), task->exit_state,
				   task->start_time > 0);
	}
	for_each_process_thread(task, thread)
		threads++;
	descend(m, &init_task, 0);
	if (pid) {
		task = pid_task(find_vpid(pid), PIDTYPE_PID);
		if (task)
			seq_printf(m, "pid: %s, children %d\n", task->comm, !list_empty(&task->children));
		else
			seq_puts(m, "pid: nobody\n");
	}
	rcu_read_unlock();
	seq_printf(m, "self %d, some %d, kernel's %d, threads %d, next of first %s\n", mine, processes > 3, kernel > 0,
		   threads >= processes, next_task(&init_task)->comm);
	return 0;
}

static int __init task_walk_init(void)
{
	struct task_struct *task = current;

	pr_info("up:");
	for (; task->pid; task = task->real_parent)
		pr_cont(" %s", task->comm);
	pr_cont(" %s\n", task->comm);
	return proc_create_single("task_walk", 0, NULL, task_walk_show) ? 0 : -ENOMEM;
}

static void __exit task_walk_exit(void)
{
	remove_proc_entry("task_walk", NULL);
}

module_init(task_walk_init);
module_exit(task_walk_exit);
MODULE_LICENSE("GPL");
