// SPDX-License-Identifier: MIT
/*
 * Step 01: run a command whose root directory is ROOTFS.
 *
 * New: chdir(2), chroot(2), execvp(3).
 *
 *	$ sudo ./container ../rootfs/tiny-linux
 *	/ # ls /
 *	bin  dev  etc  proc  root  sbin  sys  tmp  usr
 *
 * Read: chroot(2), exec(3), environ(7), path_resolution(7)
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"

static const char usage[] =
	"Usage: container [OPTION...] ROOTFS [COMMAND [ARG...]]\n"
	"Runs COMMAND, by default /bin/sh, in a container.\n"
	"  -u UID:GID  run COMMAND as this user and group\n"
	"  -v      print the shell commands that do the same\n"
	"  -h      print this help\n";

static char *rootfs, **command;
static bool drop_root; /* -u */
static unsigned int uid, gid;

static void exit_with_usage(int option)
{
	fputs(usage, option == 'h' ? stdout : stderr);
	exit(option == 'h' ? EXIT_SUCCESS : EXIT_LAUNCHER);
}

/* strtoul(3) also accepts a sign and blanks. Without the limit, 4294967296
 * would become 0, root. */
static unsigned int parse_id(char **text, char terminator)
{
	bool digit = isdigit((unsigned char)**text);
	unsigned long id = strtoul(*text, text, 10);

	if (!digit || id >= UINT_MAX || **text != terminator)
		errx(EXIT_LAUNCHER, "-u %s: not UID:GID", optarg);
	++*text;
	return (unsigned int)id;
}

static void parse_user(char *argument)
{
	uid = parse_id(&argument, ':');
	gid = parse_id(&argument, '\0');
	drop_root = true;
}

static void parse_options(int argc, char *argv[])
{
	static char shell[] = "/bin/sh";
	static char *default_command[] = {shell, NULL};
	int option;

	while ((option = getopt(argc, argv, "+u:vh")) != -1) {
		if (option == 'v')
			verbose = true;
		else if (option == 'u')
			parse_user(optarg);
		else
			exit_with_usage(option);
	}
	if (optind == argc)
		exit_with_usage('?');
	rootfs = argv[optind];
	command = optind + 1 < argc ? argv + optind + 1 : default_command;
}

/* The working directory is ROOTFS already. If it were outside of the new root,
 * `cd ..` would lead up to the host's root directory. */
static void enter_root(void)
{
	must(chroot("."), "chroot . /bin/sh");
}

/* The user last: only root can change the groups. */
static void change_user(void)
{
	must(setgroups(0, NULL), "setpriv --clear-groups");
	must(setgid(gid), "setpriv --regid %u", gid);
	must(setuid(uid), "setpriv --reuid %u", uid);
}

static void run_command(void)
{
	const char *term = getenv("TERM");

	/* What the caller's environment says holds on the host, not here. */
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
	must(chdir(rootfs), "cd '%s'", rootfs);
	enter_root();
	if (drop_root)
		change_user();
	run_command();
}
