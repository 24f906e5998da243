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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"

#define HOSTNAME "container"

static const char usage[] =
	"Usage: container [OPTION...] ROOTFS [COMMAND [ARG...]]\n"
	"Runs COMMAND, by default /bin/sh, in a container.\n"
	"  -p N    at most N processes\n"
	"  -m N    at most N bytes of memory; 16M is 16 MiB\n"
	"  -c N    at most N percent of one CPU\n"
	"  -U      in a user namespace: needs no root\n"
	"  -v      print the shell commands that do the same\n"
	"  -h      print this help\n";

static char *rootfs, **command;
static bool user;			     /* -U */
static const char *processes, *memory, *cpu; /* -p, -m, -c */
static char cgroup[64]; /* its directory, with one of these options */

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

	while ((option = getopt(argc, argv, "+p:m:c:Uvh")) != -1) {
		if (option == 'v')
			verbose = true;
		else if (option == 'U')
			user = true;
		else if (option == 'p')
			processes = optarg;
		else if (option == 'm')
			memory = optarg;
		else if (option == 'c')
			cpu = optarg;
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

static void write_to_cgroup(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", cgroup, name);
	must(write_file(path, text), "echo %s >%s", text, path);
}

/* It cannot be removed while it has a process. */
static void remove_cgroup(void)
{
	rmdir(cgroup);
}

static void create_cgroup(void)
{
	char quota[32];

	/* A cgroup has the files of a controller if its parent enables it. */
	must(write_file("/sys/fs/cgroup/cgroup.subtree_control",
			"+pids +memory +cpu"),
	     "echo +pids +memory +cpu >/sys/fs/cgroup/cgroup.subtree_control");
	snprintf(cgroup, sizeof(cgroup), "/sys/fs/cgroup/container-%d",
		 getpid());
	/* A killed launcher, which had the same PID, may have left it. */
	remove_cgroup();
	must(mkdir(cgroup, 0755), "mkdir %s", cgroup);
	atexit(remove_cgroup);
	if (processes != NULL)
		write_to_cgroup("pids.max", processes);
	if (memory != NULL) {
		/* What may be swapped out has no limit. */
		write_to_cgroup("memory.swap.max", "0");
		write_to_cgroup("memory.max", memory);
	}
	if (cpu != NULL) {
		/* microseconds, of each 100000 */
		snprintf(quota, sizeof(quota), "%s000 100000", cpu);
		write_to_cgroup("cpu.max", quota);
	}
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
	/* Before it starts a process, and before its cgroup namespace begins:
	 * this cgroup is the root there. */
	if (*cgroup != '\0')
		write_to_cgroup("cgroup.procs", "0");
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
	int pipe_ends[2];
	pid_t pid;

	/* A directory that the caller left open would be a way out. */
	must((int)syscall(SYS_close_range, 3, ~0U, 0), "close_range 3");
	parse_options(argc, argv);
	must(chdir(rootfs), "cd '%s'", rootfs);
	if (processes != NULL || memory != NULL || cpu != NULL)
		create_cgroup();
	if (user)
		enter_user_namespace();
	/* It is for the next child: this process keeps its PID. */
	must(unshare(CLONE_NEWPID), "unshare --pid --fork");
	if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) == -1)
		err(EXIT_LAUNCHER, "pipe");
	pid = fork();
	if (pid == -1)
		err(EXIT_LAUNCHER, "fork");
	if (pid == 0)
		container_main(pipe_ends);
	return wait_for_exit(pid);
}
