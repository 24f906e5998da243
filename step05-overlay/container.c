// SPDX-License-Identifier: MIT
/*
 * Step 05: a root of layers. The container's writes go to a layer of its own,
 * the image stays as it is, and the host's root is out of reach.
 *
 * New: overlayfs, pivot_root(2), /dev, /sys.
 *
 *	$ sudo ./container ../rootfs/tiny-linux
 *	/ # rm -r /bin; exit
 *	$ ls ../rootfs/tiny-linux/bin
 *
 * Read: overlayfs.rst (kernel), pivot_root(2), mount(8), xattr(7), pts(4)
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
#include <sys/xattr.h>
#include <unistd.h>

#include "error.h"

#define HOSTNAME "container"

static const char usage[] =
	"Usage: container [OPTION...] LAYER[:LAYER...] [COMMAND [ARG...]]\n"
	"Runs COMMAND, by default /bin/sh, in a container.\n"
	"  -U      in a user namespace: needs no root\n"
	"  -w DIR  keep what the container writes in DIR/upper\n"
	"  -v      print the shell commands that do the same\n"
	"  -h      print this help\n";

static char *layers, *writable, **command;
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

	while ((option = getopt(argc, argv, "+Uw:vh")) != -1) {
		if (option == 'v')
			verbose = true;
		else if (option == 'U')
			user = true;
		else if (option == 'w')
			writable = optarg;
		else
			exit_with_usage(option);
	}
	if (optind == argc)
		exit_with_usage('?');
	layers = argv[optind];
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

/* Makes PID 1 die with the launcher, which alone holds the pipe's writing end.
 * (getppid(2) would not reveal a dead launcher: for PID 1 it is always 0.) */
static void die_with_launcher(const int pipe_ends[2])
{
	char byte;

	close(pipe_ends[1]);
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "unshare --kill-child");
	/* If the launcher died before prctl(), we read end of file. */
	if (read(pipe_ends[0], &byte, 1) == 0)
		exit(EXIT_LAUNCHER);
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

static int make_directory(const char *path)
{
	return mkdir(path, 0755) == -1 && errno != EEXIST ? -1 : 0;
}

/* Where the container writes: a tmpfs, which disappears with it, or DIR of -w.
 * Any directory of the host will do as the mount point. */
static void mount_writable(void)
{
	if (writable == NULL)
		must(mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=0755"),
		     "mount -t tmpfs -o mode=0755 tmpfs /dev/shm");
	else
		must(mount(writable, "/dev/shm", NULL, MS_BIND, NULL),
		     "mount --bind %s /dev/shm", quote(writable));
	umask(0);
	must(make_directory("/dev/shm/upper"), "mkdir -p /dev/shm/upper");
	must(make_directory("/dev/shm/work"), "mkdir -p /dev/shm/work");
}

/* The layers do not change: before a write to one of their files, overlayfs
 * copies it to upper, and to delete one, it creates a whiteout there. */
static void mount_overlay(void)
{
	const char *userxattr = "";
	char options[4096];

	/* overlayfs marks directories with trusted.* attributes. If we may not
	 * set them, removing one that does not exist fails with EPERM. */
	if (removexattr("/dev/shm/upper", "trusted.x") == -1 && errno == EPERM)
		userxattr = "userxattr,";
	/* The kernel reads 4095 bytes: a longer list is an error. */
	snprintf(options, sizeof(options),
		 "%supperdir=/dev/shm/upper,lowerdir=%s,workdir=/dev/shm/work",
		 userxattr, layers);
	hint = "dmesg may say why";
	must(mount("overlay", "/dev/shm", "overlay", 0, options),
	     "mount -t overlay -o %s overlay /dev/shm", quote(options));
	hint = "";
	must(chdir("/dev/shm"), "cd /dev/shm");
}

/* mount(2) follows symbolic links, and the host's root is still there: an image
 * whose /proc is a link to /etc would cover the host's /etc. */
static void make_mount_point(const char *name)
{
	must(make_directory(name), "mkdir -p %s", name);
	must(open(name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
	     "test ! -L %s", name); /* exec(3) closes it */
}

static void mount_dev(void)
{
	static const char *const devices[] = {"/dev/null",    "/dev/zero",
					      "/dev/full",    "/dev/random",
					      "/dev/urandom", "/dev/tty"};

	make_mount_point("dev");
	must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755"),
	     "mount -t tmpfs -o nosuid,noexec,mode=0755 tmpfs dev");
	for (int i = 0; i < 6; i++) {
		const char *host = devices[i], *here = host + 1;

		/* In a user namespace, mknod(2) cannot create a device. */
		must(mknod(here, S_IFREG | 0666, 0), "touch %s", here);
		must(mount(host, here, NULL, MS_BIND, NULL),
		     "mount --bind %s %s", host, here);
	}
	must(symlink("/proc/self/fd", "dev/fd"), "ln -s /proc/self/fd dev/fd");
	must(symlink("fd/0", "dev/stdin"), "ln -s fd/0 dev/stdin");
	must(symlink("fd/1", "dev/stdout"), "ln -s fd/1 dev/stdout");
	must(symlink("fd/2", "dev/stderr"), "ln -s fd/2 dev/stderr");
	must(symlink("pts/ptmx", "dev/ptmx"), "ln -s pts/ptmx dev/ptmx");
	must(mkdir("dev/shm", 01777), "mkdir -m 1777 dev/shm");
	must(mkdir("dev/pts", 0755), "mkdir dev/pts");
	must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		   "ptmxmode=0666"),
	     "mount -t devpts -o nosuid,noexec,ptmxmode=0666 devpts dev/pts");
}

/* The host's /sys would show the host's network interfaces. */
static void mount_sys(void)
{
	make_mount_point("sys");
	must(mount("sysfs", "sys", "sysfs",
		   MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
	     "mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys");
}

static void mount_proc(void)
{
	make_mount_point("proc");
	must(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		   NULL),
	     "mount -t proc -o nosuid,nodev,noexec proc proc");
}

/* pivot_root(2) makes the overlay the root mount, and stacks the old root mount
 * on top of it. Once that is unmounted, no path leads to the host's files. */
static void enter_root(void)
{
	must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root . .");
	must(umount2(".", MNT_DETACH), "umount -l .");
}

static _Noreturn void run_command(void)
{
	const char *term = getenv("TERM");

	/* The caller's umask and environment describe the host. */
	umask(022);
	clearenv();
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", term == NULL ? "dumb" : term, 1);
	trace_exec(command);
	execvp(command[0], command);
	err(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE, "exec %s",
	    command[0]);
}

static _Noreturn void container_main(const int pipe_ends[2])
{
	side = "container";
	die_with_launcher(pipe_ends);
	enter_namespaces();
	set_hostname();
	mount_writable();
	mount_overlay();
	mount_dev();
	mount_sys();
	mount_proc();
	enter_root();
	run_command();
}

/* A shell inside took the terminal, and cannot name our process group. */
static void take_terminal_back(void)
{
	const pid_t owner = tcgetpgrp(STDIN_FILENO);

	signal(SIGTTOU, SIG_IGN); /* which would stop us in tcsetpgrp(3) */
	if (owner > 0 && kill(-owner, 0) == -1 && errno == ESRCH)
		tcsetpgrp(STDIN_FILENO, getpgrp());
}

/* Returns the exit status of the command: 128+N if signal N killed it. */
static int wait_for_exit(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0), "wait %d", pid);
	take_terminal_back();
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
	signal(SIGCHLD, SIG_DFL); /* if ignored, waitpid(2) gets no status */
	if (user)
		enter_user_namespace();
	/* A process keeps its PID for life: the next child will be PID 1. */
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
