// SPDX-License-Identifier: MIT
/*
 * Step 02: give the command a /proc, and unmount it when the command has ended.
 *
 * New: fork(2), waitpid(2), mount(2), umount2(2).
 *
 *	$ sudo ./container ../rootfs/tiny-linux
 *	/ # cat /proc/self/comm
 *	cat
 *
 * Read: proc(5), mount(2), umount(2), wait(2), system(3)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
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

static void mount_proc(void)
{
	must(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		   NULL),
	     "mount -t proc -o nosuid,nodev,noexec proc proc");
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

/* Returns the exit status of the command: 128+N if signal N killed it. */
static int wait_for_exit(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0), "wait %d", pid);
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

/* MNT_DETACH: even if a process that the command started still uses it. */
static void unmount_proc(void)
{
	must(umount2("proc", MNT_DETACH), "umount -l proc");
}

int main(int argc, char *argv[])
{
	/* Ctrl-C must not end this process: it has to unmount. */
	const sighandler_t on_int = signal(SIGINT, SIG_IGN);
	const sighandler_t on_quit = signal(SIGQUIT, SIG_IGN);
	pid_t pid;
	int status;

	parse_options(argc, argv);
	signal(SIGCHLD, SIG_DFL); /* if ignored, waitpid(2) gets no status */
	must(chdir(rootfs), "cd %s", quote(rootfs));
	enter_root();
	mount_proc();
	pid = fork();
	if (pid == -1)
		warn("fork");
	if (pid == 0) {
		signal(SIGINT, on_int);
		signal(SIGQUIT, on_quit);
		run_command();
	}
	status = pid == -1 ? EXIT_LAUNCHER : wait_for_exit(pid);
	unmount_proc();
	return status;
}
