// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who asks in benchmarks: one small program for all sides, so that what it costs itself is the same for all.
 *
 * Each line of its standard input is a question, of words; the answer is a line "= NUMBER...", or "! REASON". Times are
 * nanoseconds for one of what was asked. Before the first question it says "=". As the first process of a machine it
 * mounts what it needs, and switches the machine off when there are no more questions.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS 64
#define LINE 8192
#define BUFFER (1 << 20)

extern char **environ;

static char buffer[BUFFER] __attribute__((aligned(4096))); /* as cat's is: a read of 128 KiB is one request then */
static char reason[512];

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static int failed(const char *what)
{
	snprintf(reason, sizeof(reason), "%.400s: %s", what, strerror(errno));
	return -1;
}

static int read_once(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, buffer, 4096) < 0)
		return failed(path);
	close(fd);
	return 0;
}

static int write_once(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return failed(path);
	close(fd);
	return 0;
}

/* read PATH COUNT: open, read and close a file */
static int ask_read(char **words, double *answer)
{
	long count = atol(words[2]);
	double start = now();

	for (long i = 0; i < count; i++)
		if (read_once(words[1]) < 0)
			return -1;
	answer[0] = (now() - start) / count;
	return 1;
}

/* readers PATH COUNT PROCESSES: the same, by several at once, COUNT each */
static int ask_readers(char **words, double *answer)
{
	long count = atol(words[2]), processes = atol(words[3]);
	int gate[2], status = 0, bad = 0;
	double start;

	if (pipe(gate) < 0)
		return failed("pipe");
	for (long i = 0; i < processes; i++)
		if (fork() == 0) {
			close(gate[1]);
			while (read(gate[0], buffer, 1) > 0)
				;
			for (long k = 0; k < count; k++)
				if (read_once(words[1]) < 0)
					_exit(1);
			_exit(0);
		}
	close(gate[0]);
	usleep(20000); /* until all wait at the gate */
	start = now();
	close(gate[1]);
	while (wait(&status) > 0)
		bad |= status;
	answer[0] = (now() - start) / (count * processes);
	return bad ? failed(words[1]) : 1;
}

/* rewrite PATH COUNT: write a number to a file, and read the file */
static int ask_rewrite(char **words, double *answer)
{
	long count = atol(words[2]);
	char text[32];
	double start = now();

	for (long i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%ld\n", i);
		if (write_once(words[1], text) < 0 || read_once(words[1]) < 0)
			return -1;
		if (strncmp(buffer, text, strlen(text)))
			return failed("another number than was written");
	}
	answer[0] = (now() - start) / count;
	return 1;
}

/* stat PATH COUNT */
static int ask_stat(char **words, double *answer)
{
	long count = atol(words[2]);
	struct stat status;
	double start = now();

	for (long i = 0; i < count; i++)
		if (stat(words[1], &status) < 0)
			return failed(words[1]);
	answer[0] = (now() - start) / count;
	return 1;
}

/* missing DIRECTORY COUNT: look up names that have not been looked up before, and are not there */
static int ask_missing(char **words, double *answer)
{
	static long number;
	long count = atol(words[2]);
	struct stat status;
	double start = now();

	for (long i = 0; i < count; i++) {
		snprintf(buffer, sizeof(buffer), "%s/missing%d.%ld", words[1], getpid(), number++);
		if (stat(buffer, &status) == 0 || errno != ENOENT)
			return failed(buffer);
	}
	answer[0] = (now() - start) / count;
	return 1;
}

/* cat PATH: read a file to its end; answers the time for all, bytes, lines */
static int ask_cat(char **words, double *answer)
{
	double start = now();
	int fd = open(words[1], O_RDONLY);
	ssize_t size;

	answer[1] = answer[2] = 0;
	if (fd < 0)
		return failed(words[1]);
	while ((size = read(fd, buffer, 1 << 17)) > 0) {
		answer[1] += size;
		for (char *at = buffer; (at = memchr(at, '\n', buffer + size - at)); at++)
			answer[2]++;
	}
	close(fd);
	answer[0] = now() - start;
	return size < 0 ? failed(words[1]) : 3;
}

/* blocks read|write PATH SIZE COUNT: on one open file */
static int ask_blocks(char **words, double *answer)
{
	int writing = !strcmp(words[1], "write");
	size_t size = atol(words[3]);
	long count = atol(words[4]);
	int fd = open(words[2], writing ? O_WRONLY : O_RDONLY);
	double start = now();

	if (fd < 0)
		return failed(words[2]);
	for (long i = 0; i < count; i++)
		if ((writing ? write(fd, buffer, size) : read(fd, buffer, size)) != (ssize_t)size)
			return failed(words[2]);
	answer[0] = (now() - start) / count;
	close(fd);
	return 1;
}

/* run COUNT COMMAND [WORD...] [++ COMMAND [WORD...]]...: start commands and wait for them; what they say
   is dropped. So with "try", which does not mind if they fail. */
static int ask_run(char **words, double *answer)
{
	long count = atol(words[1]);
	posix_spawn_file_actions_t actions;
	double start;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (!strcmp(words[0], "try"))
		posix_spawn_file_actions_adddup2(&actions, 1, 2);
	start = now();
	for (long i = 0; i < count; i++) {
		char **command = words + 2;

		while (*command) {
			char *argv[WORDS], **end = command;
			int n = 0, status, error;
			pid_t pid;

			while (*end && strcmp(*end, "++"))
				argv[n++] = *end++;
			argv[n] = NULL;
			error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
			if (error || waitpid(pid, &status, 0) < 0) {
				errno = error ? error : errno;
				return failed(argv[0]);
			}
			if (status && strcmp(words[0], "try")) {
				snprintf(reason, sizeof(reason), "%s ended with status %d", argv[0], status);
				return -1;
			}
			command = *end ? end + 1 : end;
		}
	}
	answer[0] = (now() - start) / count;
	posix_spawn_file_actions_destroy(&actions);
	return 1;
}


/* put PATH WORD: write a word to a file */
static int ask_put(char **words, double *answer)
{
	double start = now();

	if (write_once(words[1], words[2]) < 0)
		return -1;
	answer[0] = now() - start;
	return 1;
}

/* control LOAD FILE UNLOAD NAME COUNT: load and unload a module by the control files of a mount */
static int ask_control(char **words, double *answer)
{
	long count = atol(words[5]);
	double loading = 0, unloading = 0;

	for (long i = 0; i < count; i++) {
		double start = now();

		if (write_once(words[1], words[2]) < 0)
			return -1;
		loading += now() - start;
		start = now();
		if (write_once(words[3], words[4]) < 0)
			return -1;
		unloading += now() - start;
	}
	answer[0] = loading / count;
	answer[1] = unloading / count;
	return 2;
}

/* insert FILE...: finit_module(2) of each, in the order given; answers the time for one */
static int ask_insert(char **words, double *answer)
{
	double start = now();
	long count = 0;

	for (; words[count + 1]; count++) {
		int fd = open(words[count + 1], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0)
			return failed(words[count + 1]);
		close(fd);
	}
	answer[0] = (now() - start) / count;
	return 1;
}

/* call NAME COUNT: one system call, over and over */
static int ask_call(char **words, double *answer)
{
	long count = atol(words[2]);
	struct utsname name;
	double start = now();

	for (long i = 0; i < count; i++)
		if (!strcmp(words[1], "uname"))
			syscall(SYS_uname, &name);
		else if (!strcmp(words[1], "finit_module"))
			syscall(SYS_finit_module, -1, "", 0);
		else
			syscall(SYS_getppid);
	answer[0] = (now() - start) / count;
	return 1;
}

static volatile unsigned int sum;

static __attribute__((noinline)) unsigned int add(unsigned int i)
{
	return sum += i;
}

/* loop COUNT: the loop of tests/modules/costs.c, call by call */
static int ask_loop(char **words, double *answer)
{
	int count = atoi(words[1]), i;
	double start = now();

	for (i = 0; i < count; i++)
		add(i);
	answer[0] = (now() - start) / count;
	return 1;
}

static const struct {
	const char *name;
	int words;
	int (*ask)(char **words, double *answer);
} questions[] = {
	{ "blocks", 5, ask_blocks },
	{ "call", 3, ask_call },
	{ "cat", 2, ask_cat },
	{ "control", 6, ask_control },
	{ "insert", 2, ask_insert },
	{ "loop", 2, ask_loop },
	{ "missing", 3, ask_missing },
	{ "put", 3, ask_put },
	{ "read", 3, ask_read },
	{ "readers", 4, ask_readers },
	{ "rewrite", 3, ask_rewrite },
	{ "run", 3, ask_run },
	{ "try", 3, ask_run },
	{ "stat", 3, ask_stat },
};

static void answer(char *line)
{
	char *words[WORDS + 1] = { 0 };
	double numbers[4];
	int n = 0, count = -1;

	for (char *word = strtok(line, " \n"); word && n < WORDS; word = strtok(NULL, " \n"))
		words[n++] = word;
	snprintf(reason, sizeof(reason), "no such question");
	for (size_t i = 0; n && i < sizeof(questions) / sizeof(*questions); i++)
		if (!strcmp(questions[i].name, words[0]) && n >= questions[i].words)
			count = questions[i].ask(words, numbers);
	if (count < 0) {
		printf("! %s\n", reason);
	} else {
		printf("=");
		for (int i = 0; i < count; i++)
			printf(" %.3f", numbers[i]);
		printf("\n");
	}
	fflush(stdout);
}

int main(void)
{
	static char line[LINE];
	int first = getpid() == 1;

	if (first) {
		setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
		mount("proc", "/proc", "proc", 0, NULL);
		mount("sysfs", "/sys", "sysfs", 0, NULL);
		mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	}
	printf("\n=\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		if (!strcmp(line, "end\n"))
			break;
		else
			answer(line);
	if (first)
		reboot(RB_POWER_OFF);
	return 0;
}
