// SPDX-License-Identifier: MIT
/*
 * enter - run a command in a running container, as docker exec does
 *
 *	# ./enter PID hostname
 *	container
 *
 * Read: setns(2), pidfd_open(2), namespaces(7)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"

static void enter_container(const char *pid)
{
	int types = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
		    CLONE_NEWCGROUP | CLONE_NEWPID;
	struct stat own, other;
	char path[64];
	int process, root;

	process = must((int)syscall(SYS_pidfd_open, atoi(pid), 0),
		       "find process %s", pid);
	/* The kernel refuses to enter the caller's own user namespace. */
	snprintf(path, sizeof(path), "/proc/%s/ns/user", pid);
	must(stat("/proc/self/ns/user", &own), "stat /proc/self/ns/user");
	must(stat(path, &other), "stat %s", path);
	if (other.st_ino != own.st_ino)
		types |= CLONE_NEWUSER;
	/* In the other mount namespace, this /proc is out of reach. */
	snprintf(path, sizeof(path), "/proc/%s/root", pid);
	root = must(open(path, O_PATH | O_CLOEXEC), "open %s", path);
	must(setns(process, types), "nsenter --target %s", pid);
	must(fchdir(root), "cd %s", path);
	must(chroot("."), "chroot .");
	/* In its user namespace, the caller may have no ID. */
	must(setgid(0), "setgid 0");
	must(setuid(0), "setuid 0");
}

static void run_command(char *command[])
{
	const char *term = getenv("TERM");

	clearenv();
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", term == NULL ? "dumb" : term, 1);
	execvp(command[0], command);
	err(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE, "exec %s",
	    command[0]);
}

int main(int argc, char *argv[])
{
	int status;
	pid_t pid;

	if (argc < 3)
		errx(EXIT_LAUNCHER, "Usage: enter PID COMMAND [ARG...]");
	enter_container(argv[1]);
	/* setns(2) changes the PID namespace of the children only. */
	pid = must(fork(), "fork");
	if (pid == 0)
		run_command(argv + 2);
	must(waitpid(pid, &status, 0), "wait %d", pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}
