// SPDX-License-Identifier: MIT
/*
 * Step 01: another root directory for one command.
 *
 * New: chroot(2) changes what "/" means to a process and its children.
 *
 *	$ sudo ./container ../rootfs/tiny-linux
 *	/ # ls /
 *	bin  dev  etc  proc  root  run  sys  tmp  usr  var
 *
 * Read: chroot(2), chdir(2), execve(2), path_resolution(7)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

struct options {
	const char *rootfs;
	char **command; /* ends with NULL, as execv(3) wants it */
};

static const char usage[] =
	"Usage: container [OPTIONS] ROOTFS [COMMAND [ARG...]]\n"
	"Run COMMAND (/bin/sh) in a container whose root is ROOTFS.\n"
	"\n"
	"  -v, --verbose        print the shell commands that do the same\n"
	"  -h, --help           print this help\n"
	"      --version        print the version\n"
	"\n"
	"Example: sudo ./container -v ../rootfs/tiny-linux ls -l /\n"
	"'make rootfs' makes that directory. The exit status is COMMAND's;\n"
	"127: not found; 126: cannot run; 125: failed before that.\n";

static const struct option longopts[] = {
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static void read_options(int argc, char *argv[])
{
	opterr = 0;
	for (;;) {
		const char *word = argv[optind];

		switch (getopt_long(argc, argv, "+vh", longopts, NULL)) {
		case -1:
			return;
		case 'v':
			trace_on();
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		case 'V':
			puts("containers-from-scratch 1.0");
			exit(EXIT_SUCCESS);
		default:
			diex("%s: not an option, or not complete: see --help",
			     word);
		}
	}
}

static void parse_options(int argc, char *argv[], struct options *options)
{
	static char shell[] = "/bin/sh", *shell_command[] = {shell, NULL};

	read_options(argc, argv);
	if (optind == argc)
		diex("which ROOTFS? See --help");
	options->rootfs = argv[optind++];
	options->command = optind < argc ? argv + optind : shell_command;
}

static void go_to_rootfs(const char *rootfs)
{
	struct stat here, host;

	trace("cd %s", rootfs);
	if (chdir(rootfs) == -1)
		die("ROOTFS '%s'", rootfs);
	if (stat(".", &here) == -1 || stat("/", &host) == -1)
		die("stat");
	if (here.st_dev == host.st_dev && here.st_ino == host.st_ino)
		diex("ROOTFS '%s' is the host's own root", rootfs);
}

/* The working directory is the new root already: left outside, it would be
 * the way back out. */
static void enter_root(void)
{
	trace("chroot .");
	if (chroot(".") == -1)
		die("chroot");
}

/* execvp(3) would look the command up too, but with the caller's PATH, and it
 * gives a program for another machine to /bin/sh. */
static void run_command(char *command[])
{
	char path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		      "/sbin:/bin";
	char file[PATH_MAX], *rest = path;
	const char *hint = "";
	int error = ENOENT;

	trace_exec(command);
	setenv("PATH", path, 1);
	if (*command[0] == '\0' || strchr(command[0], '/') != NULL) {
		execv(command[0], command);
	} else {
		/* A file that cannot run hides none in the next directory. */
		while (rest != NULL) {
			snprintf(file, sizeof(file), "%s/%s",
				 strsep(&rest, ":"), command[0]);
			execv(file, command);
			if (errno != ENOENT && errno != ENOTDIR)
				error = errno;
		}
		errno = error;
	}
	if (errno == ENOENT)
		hint = " (or the interpreter or loader that it names)";
	else if (errno == ENOEXEC)
		hint = " (a program for another machine?)";
	warn("exec %s%s", command[0], hint);
	exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE);
}

static void container_main(const struct options *options)
{
	role = "container";
	enter_root();
	run_command(options->command);
}

int main(int argc, char *argv[])
{
	struct options options;

	parse_options(argc, argv, &options);
	go_to_rootfs(options.rootfs);
	container_main(&options);
}
