// SPDX-License-Identifier: MIT
/*
 * Step 05: layers. The root is an overlay: read-only layers, and a writable
 * one that takes every change; pivot_root(2) leaves no way back to the host's.
 *
 * New: overlayfs, pivot_root(2), a small /dev, a read-only /sys.
 *
 *	$ sudo ./container ../rootfs/tiny-linux
 *	/ # rm /bin/ls; exit
 *	$ ls ../rootfs/tiny-linux/bin/ls
 *	../rootfs/tiny-linux/bin/ls
 *
 * Read: Documentation/filesystems/overlayfs.rst (kernel), pivot_root(2)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/magic.h>
#include <linux/utsname.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "error.h"

/* mount(2) takes a page of options: 200 times "/proc/self/fd/123:" fits. */
#define MAX_LAYERS 200

struct options {
	char *layers[MAX_LAYERS]; /* topmost first */
	int layer_count;
	char *writable; /* -w: the directory, or NULL for a tmpfs */
	char **command; /* ends with NULL, as execv(3) wants it */
	const char *hostname;
	bool user; /* -U: in a user namespace, without root */
};

static const char usage[] =
	"Usage: container [OPTIONS] ROOTFS [COMMAND [ARG...]]\n"
	"Run COMMAND (/bin/sh) in a container whose root is ROOTFS.\n"
	"ROOTFS is LAYER[:LAYER...], topmost first ('\\:': a colon in a "
	"name).\n"
	"Layers stay as they are; what is written goes with the container.\n"
	"\n"
	"  -H, --hostname NAME  the host name inside (container)\n"
	"  -U, --user           root inside is you outside: needs no sudo\n"
	"  -w, --writable DIR   keep what is written in DIR/upper\n"
	"  -v, --verbose        print the shell commands that do the same\n"
	"  -h, --help           print this help\n"
	"      --version        print the version\n"
	"\n"
	"Example: sudo ./container -v ../rootfs/tiny-linux ls -l /\n"
	"'make rootfs' makes that directory. The exit status is COMMAND's;\n"
	"128+n: signal n ended it; 127: not found; 126: cannot run;\n"
	"125: the container could not be made.\n";

static const struct option longopts[] = {
	{"hostname", required_argument, NULL, 'H'},
	{"user", no_argument, NULL, 'U'},
	{"writable", required_argument, NULL, 'w'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static bool is_hostname(const char *name)
{
	static const char valid[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-.";
	size_t length = strlen(name);

	return length > 0 && length <= __NEW_UTS_LEN && *name != '-' &&
	       strspn(name, valid) == length;
}

static void split_layers(struct options *options, char *list)
{
	char *to = list;

	options->layers[options->layer_count++] = to;
	for (char *from = list; *from != '\0'; from++) {
		if (*from == ':') {
			if (options->layer_count == MAX_LAYERS)
				diex("more than %d layers", MAX_LAYERS);
			*to++ = '\0';
			options->layers[options->layer_count++] = to;
			continue;
		}
		if (from[0] == '\\' && from[1] == ':')
			from++;
		*to++ = *from;
	}
	*to = '\0';
}

static void read_options(int argc, char *argv[], struct options *options)
{
	opterr = 0;
	for (;;) {
		const char *word = argv[optind];

		switch (getopt_long(argc, argv, "+H:Uw:vh", longopts, NULL)) {
		case -1:
			return;
		case 'H':
			options->hostname = optarg;
			break;
		case 'U':
			options->user = true;
			break;
		case 'w':
			options->writable = optarg;
			break;
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

	*options = (struct options){.hostname = "container"};
	read_options(argc, argv, options);
	if (!is_hostname(options->hostname))
		diex("--hostname '%s': 1 to %d letters, digits, '-' and '.'",
		     options->hostname, __NEW_UTS_LEN);
	if (optind == argc)
		diex("which ROOTFS? See --help");
	split_layers(options, argv[optind++]);
	options->command = optind < argc ? argv + optind : shell_command;
}

/* Whoever closed stdin made its number free for the next open(), and the
 * command would read from that. */
static void fill_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd == -1)
		die("open /dev/null");
	close(fd);
}

/* From here on signals wait until sigwait() takes them: none can end the
 * launcher before it has seen to the container. */
static void block_signals(sigset_t *signals)
{
	sigfillset(signals);
	if (sigprocmask(SIG_SETMASK, signals, NULL) == -1)
		die("sigprocmask");
	/* Where the caller ignores it, waitpid() gets no status. */
	signal(SIGCHLD, SIG_DFL);
}

/* Returns the path from the root on and without symbolic links. */
static char *resolve(const char *what, const char *directory)
{
	char *path = realpath(directory, NULL);
	int fd = -1;

	if (path != NULL)
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (path == NULL || fd == -1)
		die("%s '%s'", what, directory);
	if (strcmp(path, "/") == 0)
		diex("%s '%s' is the host's own root", what, directory);
	close(fd);
	return path;
}

static bool is_inside(const char *inner, const char *outer)
{
	size_t length = strlen(outer);

	return strncmp(inner, outer, length) == 0 &&
	       (inner[length] == '/' || inner[length] == '\0');
}

/* What the kernel refuses with a bare ELOOP. */
static void refuse_overlap(const char *one, char *const others[], int count)
{
	for (int i = 0; i < count; i++)
		if (is_inside(one, others[i]) || is_inside(others[i], one))
			diex("layers '%s' and '%s' overlap", one, others[i]);
}

/* Two overlays with one upper layer would ruin it, and the kernel only logs
 * that. The lock goes with the launcher, however it ends. */
static void lock_writable(struct options *options)
{
	struct statfs file_system;
	int fd;

	options->writable = resolve("--writable", options->writable);
	refuse_overlap(options->writable, options->layers,
		       options->layer_count);
	fd = open(options->writable, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fstatfs(fd, &file_system) == -1 ||
	    access(options->writable, W_OK) == -1)
		die("--writable '%s'", options->writable);
	if (file_system.f_type == OVERLAYFS_SUPER_MAGIC)
		diex("--writable '%s' is on an overlay, which can carry no "
		     "other: take a disk or a tmpfs",
		     options->writable);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1)
		die("--writable '%s' (has another container got it?)",
		    options->writable);
}

static void resolve_layers(struct options *options)
{
	for (int i = 0; i < options->layer_count; i++) {
		options->layers[i] = resolve("layer", options->layers[i]);
		refuse_overlap(options->layers[i], options->layers, i);
	}
	if (options->writable != NULL)
		lock_writable(options);
}

/* What distributions and administrators turn user namespaces off with. */
static const char userns_hint[] =
	"see sysctl kernel.apparmor_restrict_unprivileged_userns, "
	"kernel.unprivileged_userns_clone, user.max_user_namespaces, "
	"or use sudo without -U";

static void write_map(const char *file, const char *map)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd == -1 || write(fd, map, strlen(map)) == -1)
		die("write '%s' to %s (%s)", map, file, userns_hint);
	close(fd);
}

/* Root inside has every capability, but only over what the new user namespace
 * owns: the namespaces that are made after it, in it. */
static void enter_user_namespace(void)
{
	char uid_map[32], gid_map[32];

	snprintf(uid_map, sizeof(uid_map), "0 %u 1", geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1", getegid());
	trace("unshare --user --map-root-user");
	if (unshare(CLONE_NEWUSER) == -1)
		die("unshare CLONE_NEWUSER (%s)", userns_hint);
	/* First: who can drop a group gets into what denies that group. */
	write_map("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", uid_map);
	write_map("/proc/self/gid_map", gid_map);
}

/* Not for this process, whose PID stays what it is: for its next child. */
static void new_pid_namespace(void)
{
	trace("unshare --pid --fork --kill-child");
	if (unshare(CLONE_NEWPID) == -1)
		die("unshare CLONE_NEWPID");
}

static void open_lifeline(int lifeline[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lifeline) == -1)
		die("socketpair");
}

/* PID 1 ends with the launcher, and the kernel ends the rest with PID 1. (A
 * PID 1 that changes its user sheds this signal: prctl(2).) */
static void end_with_launcher(const int lifeline[2])
{
	struct pollfd launcher = {.fd = lifeline[1]};

	close(lifeline[0]);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		die("prctl PR_SET_PDEATHSIG");
	/* A launcher that died before that sends no signal. But it closed its
	 * end of the socket pair, the only one now, still earlier. (getppid()
	 * does not tell: it is 0 for a parent outside the namespace.) */
	if (poll(&launcher, 1, 0) != 0)
		exit(EXIT_LAUNCHER);
}

static void enter_namespaces(void)
{
	trace("unshare --mount --uts --ipc --net --cgroup");
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
		    CLONE_NEWCGROUP) == -1)
		die("unshare");
}

/* The new mount namespace is a copy whose mounts are still tied to the host's:
 * what is mounted below a shared one appears there too. */
static void keep_mounts_private(void)
{
	trace("mount --make-rprivate /");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		die("mount --make-rprivate /");
}

static void set_hostname(const char *name)
{
	trace("hostname %s", name);
	if (sethostname(name, strlen(name)) == -1)
		die("sethostname %s", name);
}

static void go_to(const char *directory)
{
	trace("cd %s", directory);
	if (chdir(directory) == -1)
		die("chdir %s", directory);
}

static void make_directory(const char *name)
{
	char *here = get_current_dir_name();

	if (mkdir(name, 0755) == -1 && errno != EEXIST)
		die("mkdir %s in '%s'", name, here);
	free(here);
}

/* Layers go by file descriptor: the kernel has no name to look up that a mount
 * hides by now, and none to misread for the ':' or ',' in it. It wants mounts
 * of this namespace, so the launcher cannot open them. */
static void open_layers(const struct options *options, int fds[])
{
	for (int i = 0; i < options->layer_count; i++) {
		fds[i] = open(options->layers[i], O_PATH | O_CLOEXEC);
		if (fds[i] == -1)
			die("layer '%s'", options->layers[i]);
	}
}

static void put_escaped(const char *path, FILE *stream)
{
	for (; *path != '\0'; path++) {
		if (strchr(":,\\", *path) != NULL)
			fputc('\\', stream);
		fputc(*path, stream);
	}
}

/* Returns what mount(8) takes as options, or, given FDS, what mount(2) gets:
 * a string to be freed. */
static char *overlay_options(const struct options *options, const int *fds)
{
	char *text;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	if (stream == NULL)
		die("open_memstream");
	for (int i = 0; i < options->layer_count; i++) {
		fputs(i == 0 ? "lowerdir=" : ":", stream);
		if (fds != NULL)
			fprintf(stream, "/proc/self/fd/%d", fds[i]);
		else
			put_escaped(options->layers[i], stream);
	}
	fputs(",upperdir=upper,workdir=work", stream);
	/* overlayfs notes what is gone in trusted.* attributes, which only the
	 * host's root may set; where we may not, in user.* ones. */
	if (setxattr("/tmp", "trusted.container", "", 0, 0) == -1 &&
	    errno == EPERM)
		fputs(",userxattr", stream);
	if (fclose(stream) == EOF)
		die("open_memstream");
	return text;
}

/* The kernel does not say which layer it refuses. So the first is tried, then
 * the first two, and so on: the one that makes it fail is to blame. */
static void die_of_layer(const struct options *options, const int fds[])
{
	char data[MAX_LAYERS * 20] = "lowerdir=";
	size_t length = strlen(data);
	int error = errno;

	if (error == ENODEV)
		die("mount overlay (not in this kernel: try modprobe overlay)");
	for (int i = 0; i < options->layer_count; i++) {
		length += (size_t)snprintf(data + length, 20,
					   "/proc/self/fd/%d:", fds[i]);
		snprintf(data + length, 20, "/tmp"); /* it takes two at least */
		if (mount("overlay", "/tmp/merged", "overlay", MS_RDONLY,
			  data) == -1)
			die("layer '%s' cannot be in this overlay (dmesg may "
			    "say why)",
			    options->layers[i]);
		umount("/tmp/merged");
	}
	errno = error;
	die("'%s' cannot hold an upper layer (dmesg may say why)",
	    options->writable == NULL ? "/tmp" : options->writable);
}

/* The upper layer, and the directory that overlayfs works in, lie in DIR of -w
 * or in a tmpfs that nobody else sees and that goes with the namespace. */
static void mount_overlay(const struct options *options)
{
	int fds[MAX_LAYERS];
	char *data, *shown;

	umask(022);
	open_layers(options, fds);
	if (options->writable != NULL)
		go_to(options->writable);
	trace("mount -t tmpfs -o mode=0755 tmpfs /tmp");
	if (mount("tmpfs", "/tmp", "tmpfs", 0, "mode=0755") == -1)
		die("mount tmpfs on /tmp");
	if (options->writable == NULL)
		go_to("/tmp");
	trace("mkdir -p upper work /tmp/merged");
	make_directory("upper");
	make_directory("work");
	make_directory("/tmp/merged");
	data = overlay_options(options, fds);
	shown = overlay_options(options, NULL);
	trace("mount -t overlay overlay -o %s /tmp/merged", shown);
	if (mount("overlay", "/tmp/merged", "overlay", 0, data) == -1)
		die_of_layer(options, fds);
	free(data);
	free(shown);
	go_to("/tmp/merged");
}

/* mount(2) would follow a symbolic link, even out of ROOTFS. */
static void check_mount_point(const char *name)
{
	struct stat point;

	make_directory(name);
	if (lstat(name, &point) == -1)
		die("mount /%s (mkdir it in ROOTFS)", name);
	if (!S_ISDIR(point.st_mode))
		diex("mount /%s: in ROOTFS it is not a directory", name);
}

static void bind_device(const char *name)
{
	char host[32];
	const char *here = host + 1; /* without the slash: below ROOTFS */
	int fd;

	snprintf(host, sizeof(host), "/dev/%s", name);
	trace("touch %s && mount --bind %s %s", here, host, here);
	fd = open(here, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd == -1 || mount(host, here, NULL, MS_BIND, NULL) == -1)
		die("mount --bind %s", host);
	close(fd);
}

static void link_device(const char *target, const char *name)
{
	trace("ln -s %s %s", target, name);
	if (symlink(target, name) == -1)
		die("symlink /%s", name);
}

/* The devices that every program counts on are the host's: a user namespace
 * may not make any. The terminals in dev/pts are the container's own. */
static void mount_dev(void)
{
	static const char *const devices[] = {"null",	"zero",	   "full",
					      "random", "urandom", "tty"};

	check_mount_point("dev");
	trace("mount -t tmpfs -o nosuid,noexec,mode=0755 tmpfs dev");
	if (mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC,
		  "mode=0755") == -1)
		die("mount /dev");
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		bind_device(devices[i]);
	trace("mkdir dev/pts dev/shm");
	make_directory("dev/pts");
	make_directory("dev/shm");
	trace("mount -t devpts -o nosuid,noexec,ptmxmode=0666 devpts dev/pts");
	if (mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666") == -1)
		die("mount /dev/pts");
	trace("mount -t tmpfs -o nosuid,nodev,noexec tmpfs dev/shm");
	if (mount("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL) == -1)
		die("mount /dev/shm");
	link_device("pts/ptmx", "dev/ptmx");
	link_device("/proc/self/fd", "dev/fd");
	link_device("fd/0", "dev/stdin");
	link_device("fd/1", "dev/stdout");
	link_device("fd/2", "dev/stderr");
}

/* The host's /sys would show the host's network devices. */
static void mount_sys(void)
{
	check_mount_point("sys");
	trace("mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys");
	if (mount("sysfs", "sys", "sysfs",
		  MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == -1)
		die("mount /sys");
}

static void mount_proc(void)
{
	check_mount_point("proc");
	trace("mount -t proc -o nosuid,nodev,noexec proc proc");
	if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL) == -1)
		die("mount /proc");
}

/* chroot(2) only moves a process's idea of "/". This makes the overlay the
 * namespace's root mount and stacks the old one on top of it, from where it is
 * taken off: there is nothing left to climb out to. */
static void enter_root(void)
{
	trace("pivot_root . .");
	if (syscall(SYS_pivot_root, ".", ".") == -1)
		die("pivot_root");
	trace("umount -l .");
	if (umount2(".", MNT_DETACH) == -1)
		die("umount the old root");
	go_to("/");
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

	/* The command gets stdin, stdout and stderr, and no file that the
	 * launcher's caller left open: a directory would be a way out. */
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U,
		    CLOSE_RANGE_CLOEXEC) == -1)
		die("close_range");
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
			   const sigset_t *signals, const int lifeline[2])
{
	role = "container";
	end_with_launcher(lifeline);
	enter_namespaces();
	keep_mounts_private();
	set_hostname(options->hostname);
	mount_overlay(options);
	mount_dev();
	mount_sys();
	mount_proc();
	enter_root();
	sigprocmask(SIG_UNBLOCK, signals, NULL);
	run_command(options->command);
}

/* Stops as the container did, so that the shell sees its job stop, and goes on
 * with it. In an orphaned process group, which no shell can continue, the
 * kernel passes over SIGTSTP. */
static void stop_with_container(pid_t pid)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	kill(pid, SIGCONT);
}

/* An interactive shell made its process group the terminal's foreground group.
 * With the shell gone that group is empty, and nobody can read. (SIGTTOU, by
 * which the kernel keeps the background from doing this, is blocked.) */
static void take_terminal_back(void)
{
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (terminal == -1)
		return;
	if (kill(-tcgetpgrp(terminal), 0) == -1 && errno == ESRCH)
		tcsetpgrp(terminal, getpgrp());
	close(terminal);
}

/* Returns the exit status. */
static int wait_for_container(pid_t pid, const sigset_t *signals)
{
	pid_t changed;
	int sig, status, terminations = 0;

	for (;;) {
		if (sigwait(signals, &sig) != 0)
			continue;
		switch (sig) {
		case SIGCHLD:
			changed = waitpid(pid, &status, WNOHANG | WUNTRACED);
			if (changed == -1) {
				warn("waitpid");
				return EXIT_LAUNCHER;
			}
			if (changed == 0)
				break;
			if (WIFSTOPPED(status)) {
				stop_with_container(pid);
				break;
			}
			take_terminal_back();
			if (WIFSIGNALED(status))
				return 128 + WTERMSIG(status);
			return WEXITSTATUS(status);
		case SIGINT:
		case SIGQUIT:
			break; /* the terminal sent it to the container too */
		case SIGTSTP:
		case SIGTTIN:
		case SIGTTOU:
			kill(pid, SIGSTOP); /* PID 1 ignores these three */
			break;
		case SIGTERM:
			kill(pid, terminations++ == 0 ? SIGTERM : SIGKILL);
			break;
		default:
			kill(pid, sig);
		}
	}
}

int main(int argc, char *argv[])
{
	struct options options;
	sigset_t signals;
	int lifeline[2];
	pid_t pid;

	fill_standard_fds();
	parse_options(argc, argv, &options);
	block_signals(&signals);
	resolve_layers(&options);
	if (options.user)
		enter_user_namespace();
	new_pid_namespace();
	open_lifeline(lifeline);
	pid = fork();
	if (pid == -1)
		die("fork");
	if (pid == 0)
		container_main(&options, &signals, lifeline);
	return wait_for_container(pid, &signals);
}
