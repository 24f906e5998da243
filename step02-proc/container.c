// SPDX-License-Identifier: MIT
/*
 * Step 02: /proc. The launcher mounts it in the new root, waits for the
 * command and unmounts it again, whatever ends the command.
 *
 * New: fork(2), mount(2), waitpid(2), signals taken by sigwait(3).
 *
 *	$ sudo ./container ../rootfs/tiny-linux
 *	/ # ls /proc
 *	1    10    11    ...    uptime    version
 *
 * Read: proc(5), mount(2), umount(2), waitpid(2), sigwait(3)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
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
	"128+n: signal n ended it; 127: not found; 126: cannot run;\n"
	"125: the container could not be made.\n";

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

/* From here on signals wait until sigwait() takes them: none can end the
 * launcher before it has seen to the container. */
static void block_signals(sigset_t *signals)
{
	sigfillset(signals);
	sigdelset(signals, SIGTSTP); /* Ctrl-Z stops command and launcher */
	if (sigprocmask(SIG_SETMASK, signals, NULL) == -1)
		die("sigprocmask");
	/* Where the caller ignores it, waitpid() gets no status. */
	signal(SIGCHLD, SIG_DFL);
}

/* Mounting onto the host's own root would break the host. */
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

/* mount(2) would follow a symbolic link, even out of ROOTFS. */
static void check_mount_point(const char *name)
{
	struct stat point;

	if (lstat(name, &point) == -1)
		die("mount /%s (mkdir it in ROOTFS)", name);
	if (!S_ISDIR(point.st_mode))
		diex("mount /%s: in ROOTFS it is not a directory", name);
}

static void mount_proc(void)
{
	check_mount_point("proc");
	trace("mount -t proc -o nosuid,nodev,noexec proc proc");
	if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL) == -1)
		die("mount /proc");
}

/* Lazily, or a process that the command left behind in /proc would keep it. */
static void unmount_proc(void)
{
	trace("umount -l proc");
	if (umount2("proc", MNT_DETACH | UMOUNT_NOFOLLOW) == -1)
		warn("umount /proc");
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

static void container_main(const struct options *options,
			   const sigset_t *signals)
{
	role = "container";
	enter_root();
	sigprocmask(SIG_UNBLOCK, signals, NULL);
	run_command(options->command);
}

/* Returns the exit status. */
static int wait_for_container(pid_t pid, const sigset_t *signals)
{
	pid_t changed;
	int sig, status;

	for (;;) {
		if (sigwait(signals, &sig) != 0)
			continue;
		switch (sig) {
		case SIGCHLD:
			changed = waitpid(pid, &status, WNOHANG);
			if (changed == -1) {
				warn("waitpid");
				return EXIT_LAUNCHER;
			}
			if (changed == 0)
				break;
			if (WIFSIGNALED(status))
				return 128 + WTERMSIG(status);
			return WEXITSTATUS(status);
		default:
			kill(pid, sig);
		}
	}
}

int main(int argc, char *argv[])
{
	struct options options;
	sigset_t signals;
	int status = EXIT_LAUNCHER;
	pid_t pid;

	parse_options(argc, argv, &options);
	block_signals(&signals);
	go_to_rootfs(options.rootfs);
	mount_proc();
	pid = fork();
	if (pid == -1)
		warn("fork");
	if (pid == 0)
		container_main(&options, &signals);
	if (pid > 0)
		status = wait_for_container(pid, &signals);
	unmount_proc();
	return status;
}
