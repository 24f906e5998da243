// SPDX-License-Identifier: MIT
/*
 * Step 03: give the container its own mounts, host name, IPC objects, network
 * and cgroup root; and with -U its own users, which takes no root.
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
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
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
	"  -H NAME the host name, also in /etc/hosts\n"
	"  -U      in a user namespace: needs no root\n"
	"  -v      print the shell commands that do the same\n"
	"  -h      print this help\n";

static char *rootfs, **command;
static bool user;	     /* -U */
static const char *hostname; /* -H */

static void exit_with_usage(int option)
{
	fputs(usage, option == 'h' ? stdout : stderr);
	exit(option == 'h' ? EXIT_SUCCESS : EXIT_LAUNCHER);
}

/* /etc/hosts has words and lines: a blank or a newline would add one. The
 * kernel itself refuses a name that is too long. */
static void check_hostname(void)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-.";

	if (*hostname == '\0' || hostname[strspn(hostname, allowed)] != '\0')
		errx(EXIT_LAUNCHER, "-H: only letters, digits, '-' and '.'");
}

static void parse_options(int argc, char *argv[])
{
	static char shell[] = "/bin/sh";
	static char *default_command[] = {shell, NULL};
	int option;

	while ((option = getopt(argc, argv, "+H:Uvh")) != -1) {
		if (option == 'v')
			verbose = true;
		else if (option == 'U')
			user = true;
		else if (option == 'H')
			hostname = optarg;
		else
			exit_with_usage(option);
	}
	if (optind == argc)
		exit_with_usage('?');
	if (hostname != NULL)
		check_hostname();
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
	const char *name = hostname == NULL ? HOSTNAME : hostname;

	must(sethostname(name, strlen(name)), "hostname %s", name);
}

/* The working directory is ROOTFS already. If it were outside of the new root,
 * `cd ..` would lead up to the host's root directory. */
static void enter_root(void)
{
	must(chroot("."), "chroot . /bin/sh");
}

/* A file in a tmpfs covers the image's. The root is entered already: if the
 * image's /etc/hosts is a link, it leads to a file of the image. */
static void mount_hosts(void)
{
	int fd;

	must(mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		   "mode=755"),
	     "mount -t tmpfs -o nosuid,nodev,noexec,mode=755 tmpfs /proc");
	fd = must(open("/proc/hosts", O_WRONLY | O_CREAT | O_CLOEXEC, 0644),
		  "touch /proc/hosts");
	must(dprintf(fd, "127.0.0.1 localhost\n127.0.1.1 %s\n", hostname),
	     "printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n' >/proc/hosts",
	     hostname);
	close(fd);
	must(mount("/proc/hosts", "/etc/hosts", NULL, MS_BIND, NULL),
	     "mount --bind /proc/hosts /etc/hosts");
	/* The bind mount keeps the file. */
	must(umount("/proc"), "umount /proc");
}

static void mount_proc(void)
{
	/* Only the owner of a PID namespace may mount its /proc. This one is
	 * still the host's; the container gets its own in step 04. */
	if (user)
		return;
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

static void container_main(void)
{
	side = "container";
	enter_namespaces();
	set_hostname();
	enter_root();
	if (hostname != NULL)
		mount_hosts();
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
	must(chdir(rootfs), "cd '%s'", rootfs);
	if (user)
		enter_user_namespace();
	pid = fork();
	if (pid == -1)
		err(EXIT_LAUNCHER, "fork");
	if (pid == 0)
		container_main();
	return wait_for_exit(pid);
}
