/* SPDX-License-Identifier: MIT */
/*
 * until - measure how long a program takes until it says something
 *
 *     $ until 100 step07-bridge-nat/container rootfs/tiny-linux peek pid
 *     23.120 21.884
 *
 * The time from fork(2) to the first byte on stdout, which is when the command
 * in a container runs: the median and the lowest of so many runs, in
 * milliseconds. Each run is waited for, with what it has to undo.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_RUNS 10000

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double run(char *argv[])
{
	double begin = now(), end;
	int out[2], status;
	char byte;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) == -1)
		err(2, "pipe");
	pid = fork();
	if (pid == -1)
		err(2, "fork");
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		execvp(*argv, argv);
		err(127, "%s", *argv);
	}
	close(out[1]);
	if (read(out[0], &byte, 1) != 1)
		errx(2, "%s: said nothing", *argv);
	end = now();
	while (read(out[0], &byte, 1) == 1)
		continue;
	close(out[0]);
	if (waitpid(pid, &status, 0) == -1 || status != 0)
		errx(2, "%s: status %d", *argv, status);
	return end - begin;
}

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

int main(int argc, char *argv[])
{
	static double times[MAX_RUNS];
	int runs = argc > 2 ? atoi(argv[1]) : 0;

	if (runs < 1 || runs > MAX_RUNS)
		errx(2, "usage: until RUNS PROGRAM [ARG...]");
	for (int i = 0; i < runs; i++)
		times[i] = run(argv + 2);
	qsort(times, (size_t)runs, sizeof(*times), compare);
	printf("%.3f %.3f\n", times[runs / 2], times[0]);
	return 0;
}
