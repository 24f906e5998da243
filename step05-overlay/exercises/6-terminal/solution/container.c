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
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
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

/* The caller's terminal, and the master of the container's. */
static int outer = -1, master = -1;
static struct termios settings;
static int console_ends[2]; /* through which the container sends its master */

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

/* A message without data, which carries an open file to another process. */
static _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
static struct msghdr message = {.msg_control = control,
				.msg_controllen = sizeof(control)};

static void send_master(void)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(master));
	memcpy(CMSG_DATA(header), &master, sizeof(master));
	if (sendmsg(console_ends[1], &message, 0) == -1)
		err(EXIT_LAUNCHER, "sendmsg");
}

/* Without a terminal, or if there is an error in the container, the end of file
 * comes, and no file. */
static void receive_master(void)
{
	close(console_ends[1]);
	if (recvmsg(console_ends[0], &message, MSG_CMSG_CLOEXEC) == 0 &&
	    CMSG_FIRSTHDR(&message) != NULL)
		memcpy(&master, CMSG_DATA(CMSG_FIRSTHDR(&message)),
		       sizeof(int));
}

static void copy_window_size(void)
{
	struct winsize size;

	if (ioctl(outer, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
}

/* The session of the caller includes its controlling terminal: /dev/tty. */
static void open_terminal(void)
{
	int terminal;

	must(setsid(), "setsid");
	if (outer == -1)
		return;
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master == -1 || unlockpt(master) == -1)
		err(EXIT_LAUNCHER, "/dev/ptmx");
	copy_window_size();
	terminal = open(ptsname(master), O_RDWR | O_CLOEXEC);
	if (terminal == -1 || ioctl(terminal, TIOCSCTTY, 0) == -1)
		err(EXIT_LAUNCHER, "%s", ptsname(master));
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd))
			dup2(terminal, fd);
	send_master();
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
	mount_writable();
	mount_overlay();
	mount_dev();
	mount_sys();
	mount_proc();
	enter_root();
	open_terminal();
	run_command();
}

/* On stdout or stderr if possible: stdin may be open for reading only. */
static void find_terminal(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd))
			outer = fd;
}

static void handle_signal(int number)
{
	copy_window_size();
	if (number == SIGWINCH)
		return;
	tcsetattr(0, TCSADRAIN, &settings);
	signal(number, SIG_DFL);
	raise(number);
}

/* Returns false if no process has the container's terminal open: EIO. */
static bool copy_output(void)
{
	char buffer[4096], *next = buffer;
	ssize_t length = read(master, buffer, sizeof(buffer)), written = 1;

	if (length <= 0)
		return false;
	for (; length > 0 && written > 0; length -= written, next += written)
		written = write(outer, next, (size_t)length);
	return written > 0;
}

/* In one process: a child of the launcher would be in the container's PID
 * namespace, which could reach the host through its /proc/PID/root. A key waits
 * until the container reads others, while output is still copied. */
static void copy_bytes(int input)
{
	struct pollfd ends[] = {{.events = POLLIN}, {.fd = master}};
	bool is_waiting = false;
	char key;

	for (;;) {
		ends[0].fd = is_waiting ? -1 : input;
		ends[1].events = is_waiting ? POLLIN | POLLOUT : POLLIN;
		if (poll(ends, 2, -1) == -1)
			continue; /* EINTR */
		if (ends[0].revents != 0 && read(input, &key, 1) != 1)
			return; /* the caller's terminal was closed */
		is_waiting |= ends[0].revents != 0;
		if (ends[1].revents & POLLOUT)
			is_waiting = write(master, &key, 1) != 1;
		if (ends[1].revents & ~POLLOUT && !copy_output())
			return;
	}
}

/* In raw mode the caller's terminal has no echo and no Ctrl-C: the container's
 * has. */
static void relay_terminal(void)
{
	static const int signals[] = {SIGWINCH, SIGHUP, SIGTERM};
	bool is_typed = tcgetattr(0, &settings) == 0;
	struct termios raw = settings;

	if (is_typed) {
		for (int i = 0; i < 3; i++)
			signal(signals[i], handle_signal);
		cfmakeraw(&raw);
		tcsetattr(0, TCSADRAIN, &raw);
	}
	copy_bytes(is_typed ? 0 : -1);
	if (is_typed)
		tcsetattr(0, TCSADRAIN, &settings);
	close(master);
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
	find_terminal();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, console_ends))
		err(EXIT_LAUNCHER, "socketpair");
	pid = fork();
	if (pid == -1)
		err(EXIT_LAUNCHER, "fork");
	if (pid == 0)
		container_main(pipe_ends);
	receive_master();
	if (master != -1)
		relay_terminal();
	return wait_for_exit(pid);
}
