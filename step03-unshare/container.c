// SPDX-License-Identifier: MIT
/*
 * Step 03: give the container its own mounts, hostname, IPC objects, network
 * and cgroup root; and with -U its own users, which does not require root.
 *
 * New: unshare(2), MS_SLAVE, sethostname(2), user namespaces.
 *
 *	$ ./container -U ../rootfs/tiny-linux
 *	/ # hostname
 *	container
 *
 * Read: namespaces(7), unshare(2), mount_namespaces(7), user_namespaces(7)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"

#define HOSTNAME "container"

static const char usage[] =
	"Usage: container [OPTION...] ROOTFS [COMMAND [ARG...]]\n"
	"Runs COMMAND, by default /bin/sh, in a container.\n"
	"  -U      in a user namespace: needs no root\n"
	"  -v      print the shell commands that do the same\n"
	"  -h      print this help\n";

static char *rootfs, **command;
static bool user; /* -U */

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

	while ((option = getopt(argc, argv, "+Uvh")) != -1) {
		if (option == 'v')
			verbose = true;
		else if (option == 'U')
			user = true;
		else
			exit_with_usage(option);
	}
	if (optind == argc)
		exit_with_usage('?');
	rootfs = argv[optind];
	command = optind + 1 < argc ? argv + optind + 1 : default_command;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC); /* exec(3) closes it */

	return fd == -1 ? -1 : (int)write(fd, text, strlen(text));
}

/* Inside, this user is root, with all capabilities, but only over namespaces
 * that the new user namespace owns: those created from now on. */
static void enter_user_namespace(void)
{
	char uid_map[32], gid_map[32];

	snprintf(uid_map, sizeof(uid_map), "0 %u 1", geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1", getegid());
	hint = "are user namespaces restricted? See README.md";
	must(unshare(CLONE_NEWUSER), "unshare --user --keep-caps");
	/* Deny setgroups first: dropping a group could give access to files
	 * that exclude it. */
	must(write_file("/proc/self/setgroups", "deny"),
	     "echo deny >/proc/self/setgroups");
	must(write_file("/proc/self/uid_map", uid_map),
	     "echo '%s' >/proc/self/uid_map", uid_map);
	must(write_file("/proc/self/gid_map", gid_map),
	     "echo '%s' >/proc/self/gid_map", gid_map);
	hint = "";
}

static void enter_namespaces(void)
{
	must(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
		     CLONE_NEWCGROUP),
	     "unshare --mount --uts --ipc --net --cgroup");
	/* The mount namespace starts as a copy of the host's, and systemd makes
	 * the host's mounts shared: without this, the host would see ours. */
	must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL),
	     "mount --make-rslave /");
}

static void set_hostname(void)
{
	must(sethostname(HOSTNAME, strlen(HOSTNAME)), "hostname " HOSTNAME);
}

/* We are in ROOTFS already: outside it, `cd ..` could reach the host's root. */
static void enter_root(void)
{
	must(chroot("."), "chroot . /bin/sh");
}

static void mount_proc(void)
{
	/* EPERM: until step 04, the PID namespace belongs to the host. */
	if (user)
		return;
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

static _Noreturn void container_main(void)
{
	side = "container";
	enter_namespaces();
	set_hostname();
	enter_root();
	mount_proc();
	run_command();
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

int main(int argc, char *argv[])
{
	pid_t pid;

	parse_options(argc, argv);
	signal(SIGCHLD, SIG_DFL); /* if ignored, waitpid(2) gets no status */
	must(chdir(rootfs), "cd %s", quote(rootfs));
	if (user)
		enter_user_namespace();
	pid = fork();
	if (pid == -1)
		err(EXIT_LAUNCHER, "fork");
	if (pid == 0)
		container_main();
	return wait_for_exit(pid);
}
