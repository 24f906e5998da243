// SPDX-License-Identifier: MIT
/*
 * Step 04: a PID namespace. The command is PID 1 and sees no process of the
 * host; the launcher stands in for it outside: signals, status, terminal.
 *
 * New: unshare(CLONE_NEWPID) before fork(), PR_SET_PDEATHSIG, close_range(2).
 *
 *	$ sudo ./container ../rootfs/tiny-linux
 *	/ # echo $$
 *	1
 *
 * Read: pid_namespaces(7), prctl(2), close_range(2), credentials(7)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/utsname.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"

struct options {
	const char *rootfs;
	char **command; /* ends with NULL, as execv(3) wants it */
	const char *hostname;
	bool user; /* -U: in a user namespace, without root */
};

static const char usage[] =
	"Usage: container [OPTIONS] ROOTFS [COMMAND [ARG...]]\n"
	"Run COMMAND (/bin/sh) in a container whose root is ROOTFS.\n"
	"\n"
	"  -H, --hostname NAME  the host name inside (container)\n"
	"  -U, --user           root inside is you outside: needs no sudo\n"
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

static void read_options(int argc, char *argv[], struct options *options)
{
	opterr = 0;
	for (;;) {
		const char *word = argv[optind];

		switch (getopt_long(argc, argv, "+H:Uvh", longopts, NULL)) {
		case -1:
			return;
		case 'H':
			options->hostname = optarg;
			break;
		case 'U':
			options->user = true;
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
	options->rootfs = argv[optind++];
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
	go_to_rootfs(options.rootfs);
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
