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
#include <pwd.h>
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
	"  -R      as -U, with the caller's ranges of /etc/subuid and subgid\n"
	"  -U      in a user namespace: needs no root\n"
	"  -v      print the shell commands that do the same\n"
	"  -h      print this help\n";

static char *rootfs, **command;
static bool user;  /* -U */
static bool range; /* -R */

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

	while ((option = getopt(argc, argv, "+RUvh")) != -1) {
		if (option == 'v')
			verbose = true;
		else if (option == 'U')
			user = true;
		else if (option == 'R')
			user = range = true;
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

static bool is_caller(const char *name)
{
	const struct passwd *caller = getpwuid(getuid());
	char number[16];

	snprintf(number, sizeof(number), "%u", getuid());
	return strcmp(name, number) == 0 ||
	       (caller != NULL && strcmp(name, caller->pw_name) == 0);
}

/* Reads the caller's first range in FILE. It has lines such as
 * "alice:100000:65536". */
static void find_range(const char *file, unsigned int *first,
		       unsigned int *count)
{
	char line[512], name[256];
	FILE *stream = fopen(file, "re");

	if (stream == NULL)
		err(EXIT_LAUNCHER, "%s", file);
	while (fgets(line, sizeof(line), stream) != NULL) {
		if (sscanf(line, "%255[^:]:%u:%u", name, first, count) == 3 &&
		    is_caller(name)) {
			fclose(stream);
			return;
		}
	}
	errx(EXIT_LAUNCHER, "%s has no range for user %u", file, getuid());
}

/* PROGRAM is newuidmap(1) or newgidmap(1). It has the privilege to map other
 * IDs than the caller's, and looks itself whether FILE allows these. */
static void map_range(const char *program, pid_t process, unsigned int caller,
		      const char *file)
{
	char text[4][16];
	unsigned int first, count;
	pid_t pid;

	find_range(file, &first, &count);
	snprintf(text[0], sizeof(text[0]), "%d", process);
	snprintf(text[1], sizeof(text[1]), "%u", caller);
	snprintf(text[2], sizeof(text[2]), "%u", first);
	snprintf(text[3], sizeof(text[3]), "%u", count);
	pid = must(fork(), "%s %s 0 %s 1 1 %s %s", program, text[0], text[1],
		   text[2], text[3]);
	if (pid == 0) {
		execlp(program, program, text[0], "0", text[1], "1", "1",
		       text[2], text[3], (char *)NULL);
		err(EXIT_LAUNCHER, "%s", program);
	}
	if (wait_for_exit(pid) != 0)
		exit(EXIT_LAUNCHER);
}

/* Once it is in the new user namespace, a process cannot map other IDs: it has
 * no capability over the namespace that they belong to. A child that remains
 * outside does. */
static void enter_mapped_user_namespace(void)
{
	const pid_t launcher = getpid();
	int entered[2];
	char byte = 0;
	pid_t pid;

	must(pipe2(entered, O_CLOEXEC), "pipe");
	pid = must(fork(), "fork");
	if (pid == 0) {
		close(entered[1]);
		if (read(entered[0], &byte, 1) != 1)
			exit(EXIT_LAUNCHER); /* unshare(2) has failed */
		map_range("newuidmap", launcher, getuid(), "/etc/subuid");
		map_range("newgidmap", launcher, getgid(), "/etc/subgid");
		exit(EXIT_SUCCESS);
	}
	close(entered[0]);
	hint = "are user namespaces restricted? See README.md";
	must(unshare(CLONE_NEWUSER), "unshare --user --keep-caps");
	must((int)write(entered[1], &byte, 1), "start newuidmap");
	close(entered[1]);
	if (wait_for_exit(pid) != 0)
		exit(EXIT_LAUNCHER);
}

int main(int argc, char *argv[])
{
	pid_t pid;

	parse_options(argc, argv);
	must(chdir(rootfs), "cd '%s'", rootfs);
	if (range)
		enter_mapped_user_namespace();
	else if (user)
		enter_user_namespace();
	pid = fork();
	if (pid == -1)
		err(EXIT_LAUNCHER, "fork");
	if (pid == 0)
		container_main();
	return wait_for_exit(pid);
}
