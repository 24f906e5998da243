// SPDX-License-Identifier: MIT
/*
 * start [-i NUMBER]... FILE COMMAND [ARG...] - run COMMAND with the default for
 * all signals but those to be ignored: -i 17 is CHLD
 *
 * A shell ignores INT and QUIT in its background jobs, and nohup(1) HUP. env(1)
 * can change that, but not that of uutils or busybox. FILE, a FIFO, is open for
 * writing until COMMAND runs: its reader sees EOF when that can be killed.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	int option;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL); /* fails for KILL and STOP */
	while ((option = getopt(argc, argv, "+i:")) == 'i')
		signal(atoi(optarg), SIG_IGN);
	argv += optind;
	if (option != -1 || argc - optind < 2)
		errx(2, "usage: start [-i NUMBER]... FILE COMMAND [ARG...]");
	if (open(argv[0], O_WRONLY | O_CLOEXEC) == -1)
		err(125, "%s", argv[0]);
	execvp(argv[1], argv + 1);
	err(127, "%s", argv[1]);
}
