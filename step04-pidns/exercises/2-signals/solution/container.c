// SPDX-License-Identifier: MIT
/*
 * Step 04: give the container its own process IDs. The command is PID 1, sees
 * no process of the host, and cannot outlive the launcher.
 *
 * New: unshare(CLONE_NEWPID) before fork(2), PR_SET_PDEATHSIG, close_range(2).
 *
 *	$ sudo ./container ../rootfs/tiny-linux
 *	/ # echo $$
 *	1
 *
 * Read: pid_namespaces(7), PR_SET_PDEATHSIG(2const), close_range(2)
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
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"

#define HOSTNAME "container"

static const char usage[] =
	"Usage: container [OPTION...] ROOTFS [COMMAND [ARG...]]\n"
	"Runs COMMAND, by default /bin/sh, in a container.\n"
	"  -s      pass SIGTERM on to COMMAND, and give the terminal back\n"
	"  -U      in a user namespace: needs no root\n"
	"  -v      print the shell commands that do the same\n"
	"  -h      print this help\n";

static char *rootfs, **command;
static bool user;	  /* -U */
static bool pass_signals; /* -s */
static sigset_t awaited, callers_mask;

static void exit_with_usage(int option)
{
	fputs(usage, option == 'h' ? stdout : stderr);
	exit(option == 'h' ? EXIT_SUCCESS : EXIT_LAUNCHER);
}

static void parse_options(int argc, char *argv[])
{
	static char shell[] = "/bin/sh";
	static char *default_command[] = {shell, NULL};
	int option;

	while ((option = getopt(argc, argv, "+sUvh")) != -1) {
		if (option == 'v')
			verbose = true;
		else if (option == 'U')
			user = true;
		else if (option == 's')
			pass_signals = true;
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
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* Opened files are closed by exec(3). */
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
	hint = "are user namespaces restricted? See README.md";
	must(write_file("/proc/self/uid_map", uid_map),
	     "echo '%s' >/proc/self/uid_map", uid_map);
	must(write_file("/proc/self/gid_map", gid_map),
	     "echo '%s' >/proc/self/gid_map", gid_map);
}

/* When PID 1 exits, the kernel kills the rest of its PID namespace. So nothing
 * outlives the launcher if PID 1 does not. Only the launcher keeps the writing
 * end of this pipe open. */
static void die_with_launcher(const int pipe_ends[2])
{
	char byte;

	close(pipe_ends[1]);
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "unshare --kill-child");
	/* A launcher that died before that sends no signal: end of file. */
	if (read(pipe_ends[0], &byte, 1) == 0)
		exit(EXIT_LAUNCHER);
}

static void enter_namespaces(void)
{
	must(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
		     CLONE_NEWCGROUP),
	     "unshare --mount --uts --ipc --net --cgroup");
	/* The mount namespace starts as a copy of the host's. systemd makes the
	 * host's mounts shared: what is mounted here would appear there. */
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL),
	     "mount --make-rprivate /");
}

static void set_hostname(void)
{
	must(sethostname(HOSTNAME, strlen(HOSTNAME)), "hostname " HOSTNAME);
}

/* The working directory is ROOTFS already. If it were outside of the new root,
 * `cd ..` would lead up to the host's root directory. */
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

/* The terminal sends INT and QUIT to its whole foreground group: the command
 * receives them without the launcher's help. */
static void block_signals(void)
{
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGCHLD);
	sigaddset(&awaited, SIGTERM);
	sigaddset(&awaited, SIGINT);
	sigaddset(&awaited, SIGQUIT);
	/* Not blocked, it stops a process in the background that changes the
	 * foreground group. */
	sigaddset(&awaited, SIGTTOU);
	sigprocmask(SIG_BLOCK, &awaited, &callers_mask);
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

static void container_main(const int pipe_ends[2])
{
	side = "container";
	die_with_launcher(pipe_ends);
	enter_namespaces();
	set_hostname();
	enter_root();
	mount_proc();
	if (pass_signals)
		sigprocmask(SIG_SETMASK, &callers_mask, NULL);
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

static bool has_exited(pid_t pid)
{
	siginfo_t info = {0};

	/* WNOWAIT: wait_for_exit() reads the status. */
	must(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT),
	     "wait %d", pid);
	return info.si_pid == pid;
}

/* Returns when the command has exited. As PID 1 it ignores SIGTERM, unless it
 * has a handler: the second kills it. */
static void pass_signals_to(pid_t pid)
{
	bool asked = false;
	int signal;

	while (!has_exited(pid)) {
		sigwait(&awaited, &signal);
		if (signal != SIGTERM)
			continue;
		kill(pid, asked ? SIGKILL : SIGTERM);
		asked = true;
	}
}

/* A shell in the container made its own process group the foreground group of
 * the terminal. When it has exited, no process may read from the terminal. If
 * the foreground group exists, the launcher is in it or in the background. */
static void give_terminal_back(void)
{
	pid_t group = tcgetpgrp(0);

	if (group > 1 && kill(-group, 0) == -1 && errno == ESRCH)
		tcsetpgrp(0, getpgrp());
}

int main(int argc, char *argv[])
{
	int pipe_ends[2];
	int status;
	pid_t pid;

	/* A directory that the caller left open would be a way out. */
	must((int)syscall(SYS_close_range, 3, ~0U, 0), "close_range 3");
	parse_options(argc, argv);
	must(chdir(rootfs), "cd '%s'", rootfs);
	if (user)
		enter_user_namespace();
	/* It is for the next child: this process keeps its PID. */
	must(unshare(CLONE_NEWPID), "unshare --pid --fork");
	if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) == -1)
		err(EXIT_LAUNCHER, "pipe");
	if (pass_signals)
		block_signals();
	pid = fork();
	if (pid == -1)
		err(EXIT_LAUNCHER, "fork");
	if (pid == 0)
		container_main(pipe_ends);
	if (pass_signals)
		pass_signals_to(pid);
	status = wait_for_exit(pid);
	if (pass_signals)
		give_terminal_back();
	return status;
}
