// SPDX-License-Identifier: MIT
/*
 * until - measure how long a program takes until its first output
 *
 *	$ until 20 step07-bridge-nat/container rootfs/tiny-linux echo
 *	21.884
 *
 * The lowest of RUNS times, in milliseconds, without the launcher's clean-up.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double run(char *argv[])
{
	double start = now(), end;
	int ends[2];
	char byte;

	if (pipe2(ends, O_CLOEXEC) == -1)
		err(1, "pipe");
	if (fork() == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		errx(1, "%s: no output", argv[0]);
	end = now();
	close(ends[0]);
	wait(NULL);
	return end - start;
}

int main(int argc, char *argv[])
{
	double lowest = 1e9;

	for (int i = argc > 2 ? atoi(argv[1]) : 0; i > 0; i--) {
		double time = run(argv + 2);

		if (time < lowest)
			lowest = time;
	}
	printf("%.3f\n", lowest);
	return 0;
}
