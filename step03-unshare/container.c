// SPDX-License-Identifier: MIT
/*
 * Step 03: namespaces. The container has its own mounts, host name, IPC
 * objects, network and cgroup root; with -U it is made without root.
 *
 * New: unshare(2), MS_PRIVATE, sethostname(2), user namespaces.
 *
 *	$ ./container -U ../rootfs/tiny-linux
 *	/ # hostname
 *	container
 *
 * Read: namespaces(7), unshare(2), mount_namespaces(7), user_namespaces(7)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/utsname.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
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

/* From here on signals wait until sigwait() takes them: none can end the
 * launcher before it has seen to the container. */
static void block_signals(sigset_t *signals)
{
	sigfillset(signals);
	sigdelset(signals, SIGTSTP); /* Ctrl-Z stops command and launcher */
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

static void mount_proc(bool user)
{
	check_mount_point("proc");
	/* A new /proc would show the host's PID namespace, which is not our
	 * user namespace's (step 04's is): take the host's /proc instead. */
	if (user) {
		trace("mount --rbind /proc proc");
		if (mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL) == -1)
			die("mount --rbind /proc");
		return;
	}
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
			   const sigset_t *signals)
{
	role = "container";
	enter_namespaces();
	keep_mounts_private();
	set_hostname(options->hostname);
	mount_proc(options->user);
	enter_root();
	sigprocmask(SIG_UNBLOCK, signals, NULL);
	run_command(options->command);
}

/* Returns the exit status. */
static int wait_for_container(pid_t pid, const sigset_t *signals)
{
	pid_t changed;
	int sig, status;

	for (;;) {
		if (sigwait(signals, &sig) != 0)
			continue;
		switch (sig) {
		case SIGCHLD:
			changed = waitpid(pid, &status, WNOHANG);
			if (changed == -1) {
				warn("waitpid");
				return EXIT_LAUNCHER;
			}
			if (changed == 0)
				break;
			if (WIFSIGNALED(status))
				return 128 + WTERMSIG(status);
			return WEXITSTATUS(status);
		default:
			kill(pid, sig);
		}
	}
}

int main(int argc, char *argv[])
{
	struct options options;
	sigset_t signals;
	pid_t pid;

	parse_options(argc, argv, &options);
	block_signals(&signals);
	go_to_rootfs(options.rootfs);
	if (options.user)
		enter_user_namespace();
	pid = fork();
	if (pid == -1)
		die("fork");
	if (pid == 0)
		container_main(&options, &signals);
	return wait_for_container(pid, &signals);
}
