// SPDX-License-Identifier: MIT
/*
 * Step 01: run a command whose root directory is ROOTFS.
 *
 * New: chdir(2), chroot(2), execvp(3).
 *
 *	$ sudo ./container ../rootfs/tiny-linux
 *	/ # cd ..; pwd
 *	/
 *
 * Read: chroot(2), exec(3), environ(7), path_resolution(7)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"

static const char usage[] =
	"Usage: container [OPTION...] ROOTFS [COMMAND [ARG...]]\n"
	"Runs COMMAND, by default /bin/sh, in a container.\n"
	"  -v      print the shell commands that do the same\n"
	"  -h      print this help\n";

static char *rootfs, **command;

static _Noreturn void exit_with_usage(int option)
{
	fputs(usage, option == 'h' ? stdout : stderr);
	exit(option == 'h' ? EXIT_SUCCESS : EXIT_LAUNCHER);
}

static void parse_options(int argc, char *argv[])
{
	static char shell[] = "/bin/sh";
	static char *default_command[] = {shell, NULL};
	int option;

	while ((option = getopt(argc, argv, "+vh")) != -1) {
		if (option == 'v')
			verbose = true;
		else
			exit_with_usage(option);
	}
	if (optind == argc)
		exit_with_usage('?');
	rootfs = argv[optind];
	command = optind + 1 < argc ? argv + optind + 1 : default_command;
}

/* We are in ROOTFS already: outside it, `cd ..` could reach the host's root. */
static void enter_root(void)
{
	must(chroot("."), "chroot . /bin/sh");
}

static _Noreturn void run_command(void)
{
	const char *term = getenv("TERM");

	/* The caller's environment describes the host. */
	clearenv();
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", term == NULL ? "dumb" : term, 1);
	trace_exec(command);
	execvp(command[0], command);
	err(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE, "exec %s",
	    command[0]);
}

int main(int argc, char *argv[])
{
	parse_options(argc, argv);
	must(chdir(rootfs), "cd %s", quote(rootfs));
	enter_root();
	run_command();
}
