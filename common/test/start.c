// SPDX-License-Identifier: MIT
/*
 * start FILE COMMAND [ARG...] - run COMMAND with the default for all signals
 *
 * A shell ignores INT and QUIT in its background jobs, and nohup(1) HUP. env(1)
 * can restore them, but not that of uutils or busybox. Before COMMAND starts,
 * FILE is opened for writing: whoever reads a FIFO knows then that it can be
 * killed.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	if (argc < 3)
		errx(2, "usage: start FILE COMMAND [ARG...]");
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL); /* fails for KILL and STOP */
	if (open(argv[1], O_WRONLY | O_CLOEXEC) == -1)
		err(125, "%s", argv[1]);
	execvp(argv[2], argv + 2);
	err(127, "%s", argv[2]);
}
