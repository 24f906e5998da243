// SPDX-License-Identifier: MIT
/*
 * compare - the time of one command as a ratio to the time of another
 *
 *	$ compare 20 'sleep 0.05' '05, to bwrap' 'container ...' 'bwrap ...'
 *	05, to bwrap              0.59 (0.55-0.64)  0.61 (0.57-0.64)  0.56 (...)
 *
 * Runs the commands in turn, A B A B ..., here 20 times, each after a sleep(1).
 * Prints medians and quartiles of the ratios A/B: of the time until the first
 * output, of the time until the exit, and of the CPU time. If there is a third
 * command, its median is subtracted from A and B first.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ROUNDS 1000

/* In ms: until the first output, until the exit, and CPU time. */
static double times[3][3][MAX_ROUNDS];

static double wall_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* Of all processes that this one has waited for, and that they have. */
static double cpu_time(void)
{
	struct rusage use;

	getrusage(RUSAGE_CHILDREN, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e3;
}

/* The arguments of COMMAND are separated by blanks. */
static void execute(const char *command, int output)
{
	char *words = strdup(command), *argv[64] = {NULL};
	int n = 0;

	argv[0] = strtok(words, " \t\n");
	while (n < 62 && argv[n] != NULL)
		argv[++n] = strtok(NULL, " \t\n");
	dup2(output, STDOUT_FILENO);
	if (argv[0] != NULL)
		execvp(argv[0], argv);
	err(127, "%s", command);
}

static void run(const char *command, double sample[3])
{
	double cpu = cpu_time(), start = wall_time();
	int pipe_ends[2], status;
	char byte;
	pid_t pid;

	if (pipe2(pipe_ends, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		err(1, "cannot run %s", command);
	if (pid == 0)
		execute(command, pipe_ends[1]);
	close(pipe_ends[1]);
	if (read(pipe_ends[0], &byte, 1) == -1)
		err(1, "read");
	sample[0] = wall_time() - start;
	if (waitpid(pid, &status, 0) == -1 || status != 0)
		errx(1, "failed: %s", command);
	sample[1] = wall_time() - start;
	/* bwrap exits before the container's PID 1, and does not wait for it.
	 * This process, a subreaper, becomes the new parent, and does. */
	while (wait(NULL) != -1)
		continue;
	sample[2] = cpu_time() - cpu;
	close(pipe_ends[0]);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* 1 and 3 are the quartiles, 2 is the median. */
static double quartile(int number, double values[], int n)
{
	qsort(values, (size_t)n, sizeof(*values), compare_doubles);
	return values[n * number / 4];
}

static void print_ratio(double a[], double b[], double base, int n)
{
	double ratio[MAX_ROUNDS] = {0};

	for (int i = 0; i < n; i++)
		ratio[i] = (a[i] - base) / (b[i] - base);
	printf("  %4.2f", quartile(2, ratio, n));
	printf(" (%.2f-%.2f)", quartile(1, ratio, n), quartile(3, ratio, n));
}

int main(int argc, char *argv[])
{
	int rounds = argc == 6 || argc == 7 ? atoi(argv[1]) : 0;
	double sample[3];

	if (rounds < 1 || rounds > MAX_ROUNDS)
		errx(1, "Usage: compare ROUNDS BEFORE TEXT A B [BASE]");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < argc - 4; i++) {
			run(argv[2], sample);
			run(argv[4 + i], sample);
			for (int k = 0; k < 3; k++)
				times[i][k][round] = sample[k];
		}
	}
	printf("%-24s", argv[3]);
	for (int k = 0; k < 3; k++)
		print_ratio(times[0][k], times[1][k],
			    quartile(2, times[2][k], rounds), rounds);
	putchar('\n');
	return 0;
}
