// SPDX-License-Identifier: MIT
/*
 * Step 05: a root of layers. What the container writes goes to a layer of its
 * own, the image stays as it is, and the host's root is out of reach.
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

#ifndef OPEN_TREE_CLONE /* glibc before 2.36 */
#include <linux/mount.h>
#endif

#include "error.h"

#define HOSTNAME "container"

static const char usage[] =
	"Usage: container [OPTION...] LAYER[:LAYER...] [COMMAND [ARG...]]\n"
	"Runs COMMAND, by default /bin/sh, in a container.\n"
	"  -m SRC:DST[:ro]  mount the host's SRC on DST, or read-only\n"
	"  -U      in a user namespace: needs no root\n"
	"  -w DIR  keep what the container writes in DIR/upper\n"
	"  -v      print the shell commands that do the same\n"
	"  -h      print this help\n";

static char *layers, *writable, **command;
static bool user; /* -U */

/* -m; tree is a copy of the mount at source and of all mounts below it. */
static struct volume {
	const char *source, *target;
	bool read_only;
	int tree;
} volumes[16];
static int volume_count;

static void exit_with_usage(int option)
{
	fputs(usage, option == 'h' ? stdout : stderr);
	exit(option == 'h' ? EXIT_SUCCESS : EXIT_LAUNCHER);
}

static void parse_volume(char *argument)
{
	struct volume *volume = &volumes[volume_count];

	if (volume_count++ == 16)
		errx(EXIT_LAUNCHER, "-m: at most 16 volumes");
	volume->source = strsep(&argument, ":");
	volume->target = strsep(&argument, ":");
	volume->read_only = argument != NULL;
	if (volume->target == NULL || *volume->target != '/' ||
	    (argument != NULL && strcmp(argument, "ro") != 0))
		errx(EXIT_LAUNCHER, "-m %s: not SRC:/DST or SRC:/DST:ro",
		     volume->source);
}

static void parse_options(int argc, char *argv[])
{
	static char shell[] = "/bin/sh";
	static char *default_command[] = {shell, NULL};
	int option;

	while ((option = getopt(argc, argv, "+m:Uw:vh")) != -1) {
		if (option == 'v')
			verbose = true;
		else if (option == 'U')
			user = true;
		else if (option == 'm')
			parse_volume(optarg);
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

static int make_directory(const char *path)
{
	return mkdir(path, 0755) == -1 && errno != EEXIST ? -1 : 0;
}

/* The host's paths exist only before pivot_root(2), and those in /dev/shm only
 * before mount_writable(). MS_RDONLY would change one mount of each tree; the
 * rest would stay writable. */
static void open_volumes(void)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};

	for (int i = 0; i < volume_count; i++) {
		struct volume *volume = &volumes[i];

		volume->tree = must(
			(int)syscall(SYS_open_tree, AT_FDCWD, volume->source,
				     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					     AT_RECURSIVE),
			"open_tree '%s'", volume->source);
		if (volume->read_only)
			must((int)syscall(SYS_mount_setattr, volume->tree, "",
					  AT_EMPTY_PATH | AT_RECURSIVE,
					  &read_only, sizeof(read_only)),
			     "mount_setattr --recursive ro");
	}
}

/* After pivot_root(2), no symbolic link in the image leads to the host. */
static void mount_volumes(void)
{
	for (int i = 0; i < volume_count; i++) {
		struct volume *volume = &volumes[i];

		must(make_directory(volume->target), "mkdir -p %s",
		     volume->target);
		must((int)syscall(SYS_move_mount, volume->tree, "", AT_FDCWD,
				  volume->target,
				  MOVE_MOUNT_F_EMPTY_PATH |
					  MOVE_MOUNT_T_SYMLINKS),
		     "mount --rbind%s '%s' %s",
		     volume->read_only ? " -o ro=recursive" : "",
		     volume->source, volume->target);
	}
}

/* Where the container writes: a tmpfs, which disappears with the container, or
 * the directory of -w. Any directory of the host would do as its mount
 * point. */
static void mount_writable(void)
{
	if (writable == NULL)
		must(mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=0755"),
		     "mount -t tmpfs -o mode=0755 tmpfs /dev/shm");
	else
		must(mount(writable, "/dev/shm", NULL, MS_BIND, NULL),
		     "mount --bind '%s' /dev/shm", writable);
	umask(0);
	must(make_directory("/dev/shm/upper"), "mkdir -p /dev/shm/upper");
	must(make_directory("/dev/shm/work"), "mkdir -p /dev/shm/work");
}

/* The layers are not changed. To write to a file of theirs, overlayfs first
 * copies it to upper; to delete it, it puts a mark there. */
static void mount_overlay(void)
{
	const char *userxattr = "";
	char options[4096];

	/* The marks are trusted.* attributes, which need root on the host, or
	 * user.* attributes. To remove one that is not there changes nothing,
	 * and tells whether trusted.* is allowed. */
	if (removexattr("/dev/shm/upper", "trusted.x") == -1 && errno == EPERM)
		userxattr = "userxattr,";
	/* The kernel reads 4095 bytes. As workdir is the last option, a longer
	 * list of layers is an error. */
	snprintf(options, sizeof(options),
		 "%supperdir=/dev/shm/upper,lowerdir=%s,workdir=/dev/shm/work",
		 userxattr, layers);
	hint = "dmesg may say why";
	must(mount("overlay", "/dev/shm", "overlay", 0, options),
	     "mount -t overlay -o '%s' overlay /dev/shm", options);
	must(chdir("/dev/shm"), "cd /dev/shm");
}

/* mount(2) follows symbolic links, and the host's root is still there: an image
 * whose /proc is a link to /etc would cover the host's /etc. */
static void make_mount_point(const char *name)
{
	must(make_directory(name), "mkdir -p %s", name);
	must(open(name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
	     "test ! -L %s", name);
}

/* A device of the host: in a user namespace, mknod(2) cannot create any. */
static void bind_device(const char *name)
{
	char host[32], *here = host + 1;

	snprintf(host, sizeof(host), "/dev/%s", name);
	must(mknod(here, S_IFREG | 0666, 0), "touch %s", here);
	must(mount(host, here, NULL, MS_BIND, NULL), "mount --bind %s %s", host,
	     here);
}

static void mount_dev(void)
{
	static const char *const devices[] = {"null",	"zero",	   "full",
					      "random", "urandom", "tty"};

	make_mount_point("dev");
	must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755"),
	     "mount -t tmpfs -o nosuid,noexec,mode=0755 tmpfs dev");
	for (int i = 0; i < 6; i++)
		bind_device(devices[i]);
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

/* chroot(2) changes where this process looks up "/". pivot_root(2) makes the
 * overlay the root mount of the mount namespace, and stacks the old root mount
 * on top of it. Once that is unmounted, no path leads to the host's files. */
static void enter_root(void)
{
	must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root . .");
	must(umount2(".", MNT_DETACH), "umount -l .");
}

static void run_command(void)
{
	const char *term = getenv("TERM");

	/* The caller's umask and environment are for the host, not for here. */
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

static void container_main(const int pipe_ends[2])
{
	side = "container";
	die_with_launcher(pipe_ends);
	enter_namespaces();
	set_hostname();
	open_volumes();
	mount_writable();
	mount_overlay();
	mount_dev();
	mount_sys();
	mount_proc();
	enter_root();
	mount_volumes();
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
