// SPDX-License-Identifier: MIT
/*
 * sandbox - run a command on a disposable machine
 *
 *	sandbox CHECKOUT COMMAND [ARG...]          on a new one
 *	sandbox --share CHECKOUT COMMAND [ARG...]  on one that can be joined
 *	sandbox --join CHECKOUT COMMAND [ARG...]   on the newest of these
 *
 * The script common/tools/sandbox describes that machine and runs this program.
 *
 * Read: namespaces(7), user_namespaces(7), pivot_root(2), mount_setattr(2),
 * veth(4), ip-netns(8), setns(2)
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/if.h>
#include <linux/veth.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "netlink.h"

#ifndef SYS_pidfd_open /* headers older than Linux 5.3 */
#define SYS_pidfd_open 434
#endif
#ifndef SYS_mount_setattr /* headers older than Linux 5.12 */
#define SYS_mount_setattr 442
#endif

/* <linux/mount.h> and <sys/mount.h> cannot be included both everywhere. */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef OPEN_TREE_CLOEXEC
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 4
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* Scripts look for this file before they change links and rules. It lists the
 * machine's mounts, which the machine may unmount at any time. */
#define MARK "/run/cfs-sandbox"

#define INIT_NAME "sandbox-init"

static bool user; /* is there a user namespace? */
static bool shares;
static const char *checkout;
static char **command;

static bool read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd == -1 ? -1 : read(fd, text, size - 1);

	if (fd != -1)
		close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length != -1;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ssize_t length = fd == -1 ? -1 : write(fd, text, strlen(text));

	if (fd != -1)
		close(fd);
	return length == -1 ? -1 : 0;
}

/* ---- Namespaces, and why there are none ---- */

/* If the setting NAME has the value BAD, exits and says so. */
static void blame(const char *type, const char *name, int bad, int good)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	for (char *dot; (dot = strchr(path, '.')) != NULL;)
		*dot = '/';
	if (read_file(path, text, sizeof(text)) && atoi(text) == bad)
		errx(EXIT_LAUNCHER,
		     "no %s namespaces, because %s=%d: 'sudo sysctl %s=%d' "
		     "allows them%s",
		     type, name, bad, name, good,
		     strcmp(type, "user") == 0 ? ", and root needs none" : "");
}

static bool has_seccomp_filter(void)
{
	char text[8192];

	return read_file("/proc/self/status", text, sizeof(text)) &&
	       strstr(text, "\nSeccomp:\t2") != NULL;
}

/* Then "/" is not a mount point. */
static bool is_in_chroot(void)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	bool found = mounts == NULL;
	char path[4096];

	while (!found &&
	       fscanf(mounts, "%*s %*s %*s %*s %4095s%*[^\n]", path) == 1)
		found = strcmp(path, "/") == 0;
	if (mounts != NULL)
		fclose(mounts);
	return !found;
}

/* Exits with the reason why there is no new namespace of TYPE. */
static void refused(const char *type)
{
	const char *reason = strerror(errno);
	char name[64];

	snprintf(name, sizeof(name), "user.max_%s_namespaces", type);
	blame(type, name, 0, 10000);
	if (user) {
		blame("user", "kernel.unprivileged_userns_clone", 0, 1);
		blame("user", "kernel.apparmor_restrict_unprivileged_userns", 1,
		      0);
	}
	if (is_in_chroot())
		hint = "this is a chroot: leave it";
	else if (has_seccomp_filter())
		hint = "a seccomp filter forbids it; in Docker: docker run "
		       "--privileged";
	else
		hint = user ? "try sudo" : "does this kernel have them?";
	errx(EXIT_LAUNCHER, "no %s namespaces: %s: %s", type, reason, hint);
}

static void enter_namespace(int flag, const char *type)
{
	if (unshare(flag) == -1)
		refused(type);
}

/* Root has no need of a user namespace, unless it is root in a container. */
static bool is_powerful(void)
{
	const unsigned int needed =
		1U << CAP_SYS_ADMIN | 1U << CAP_NET_ADMIN | 1U << CAP_NET_RAW;
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3,
						  0};
	struct __user_cap_data_struct data[2];

	return geteuid() == 0 && syscall(SYS_capget, &header, data) == 0 &&
	       (data[0].effective & needed) == needed;
}

static void enter_user_namespace(void)
{
	char uid_map[32], gid_map[32];

	snprintf(uid_map, sizeof(uid_map), "0 %u 1", geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1", getegid());
	user = true;
	/* AppArmor lets unshare(2) succeed, and then refuses the rest. */
	if (unshare(CLONE_NEWUSER) == -1 ||
	    write_file("/proc/self/setgroups", "deny") == -1 ||
	    write_file("/proc/self/uid_map", uid_map) == -1 ||
	    write_file("/proc/self/gid_map", gid_map) == -1)
		refused("user");
}

/* ---- Files ---- */

static void make_directory(const char *path)
{
	must(mkdir(path, 0755) == -1 && errno != EEXIST ? -1 : 0, "mkdir %s",
	     path);
}

static void make_parents(const char *path)
{
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%s", path);
	for (char *slash = parent; (slash = strchr(slash + 1, '/')) != NULL;) {
		*slash = '\0';
		make_directory(parent);
		*slash = '/';
	}
}

static void mount_new(const char *type, const char *path, const char *options)
{
	must(mount(type, path, type, MS_NOSUID, options), "mount -t %s %s %s",
	     type, type, path);
}

static void bind_mount(const char *from, const char *to)
{
	must(mount(from, to, NULL, MS_BIND | MS_REC, NULL),
	     "mount --rbind %s %s", from, to);
}

static void make_read_only(const char *path)
{
	const struct {
		uint64_t set, clear, propagation, userns;
	} attr = {.set = 1 /* MOUNT_ATTR_RDONLY */};
	int result = (int)syscall(SYS_mount_setattr, AT_FDCWD, path,
				  AT_RECURSIVE, &attr, sizeof(attr));

	if (result == -1 && errno == ENOSYS)
		hint = "Linux 5.12 or later has mount_setattr(2)";
	must(result, "mount -o remount,bind,ro=recursive %s", path);
}

/* Returns a copy of the mount at PATH and of those below, in no directory so
 * far, or -1. */
static int copy_mount(const char *path)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, path,
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
}

/* The machine's own services use these directories, and remove mounts from them
 * at any time. In the sandbox, other mounts cover them. */
static bool is_covered(const char *path)
{
	static const char *const covered[] = {"/dev/", "/media/", "/run/",
					      "/tmp/"};

	for (size_t i = 0; i < sizeof(covered) / sizeof(covered[0]); i++)
		if (strncmp(path, covered[i], strlen(covered[i])) == 0)
			return true;
	return false;
}

/* Files and directories that have to stay visible all the same. */
static struct kept {
	const char *path;
	char *real; /* without symbolic links */
	int mount;  /* a copy of it, or -1 if it is not covered */
} kept[256];

static void keep(const char *path)
{
	static struct kept *k = kept;

	k->real = path == NULL ? NULL : realpath(path, NULL);
	if (k->real == NULL || k == kept + 255)
		return;
	k->path = path;
	k->mount = is_covered(k->real) ? copy_mount(k->real) : -1;
	k++;
}

static void keep_all(void)
{
	static const char *const files[] = {"/dev/null",
					    "/dev/zero",
					    "/dev/full",
					    "/dev/random",
					    "/dev/urandom",
					    "/dev/tty",
					    ".",
					    "/etc/resolv.conf",
					    "/run/systemd/resolve/resolv.conf"};
	const char *path = getenv("PATH");
	char *list = strdup(path == NULL ? "" : path);

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		keep(files[i]);
	keep(getenv("ROOTFS"));
	for (char *p = strtok(list, ":"); p != NULL; p = strtok(NULL, ":"))
		keep(p);
}

/* Moves MOUNT to PATH, which is created if nothing has that name. */
static void restore(int mount, const char *path)
{
	struct stat status;

	must(fstat(mount, &status), "stat %s", path);
	make_parents(path);
	if (S_ISDIR(status.st_mode))
		make_directory(path);
	else if (access(path, F_OK) == -1)
		must(mknod(path, S_IFREG, 0), "touch %s", path);
	must((int)syscall(SYS_move_mount, mount, "", AT_FDCWD, path,
			  MOVE_MOUNT_F_EMPTY_PATH),
	     "mount --move %s", path);
	close(mount);
}

static void restore_all(void)
{
	for (struct kept *k = kept; k->real != NULL; k++) {
		if (k->mount != -1)
			restore(k->mount, k->real);
		if (!is_covered(k->path) || access(k->path, F_OK) == 0)
			continue;
		make_parents(k->path);
		must(symlink(k->real, k->path), "ln -s %s %s", k->real,
		     k->path);
	}
}

/* A user namespace in the sandbox can mount a new /proc or /sys only if one is
 * mounted already that is writable and not partly covered. Here are both. No
 * path has to lead there: another /dev covers them. */
static void mount_hidden(void)
{
	mount_new("tmpfs", "/dev", "mode=0700");
	make_directory("/dev/proc");
	hint = "is a part of /proc covered? In Docker: docker run --privileged";
	mount_new("proc", "/dev/proc", "");
	hint = "";
	make_directory("/dev/sys");
	/* In Docker, /sys is read-only already. */
	mount("sysfs", "/dev/sys", "sysfs", MS_NOSUID, NULL);
}

/* The harmless devices are kept. */
static void fill_dev(void)
{
	must(symlink("/proc/self/fd", "/dev/fd"), "ln -s /proc/self/fd /dev");
	must(symlink("fd/0", "/dev/stdin"), "ln -s fd/0 /dev/stdin");
	must(symlink("fd/1", "/dev/stdout"), "ln -s fd/1 /dev/stdout");
	must(symlink("fd/2", "/dev/stderr"), "ln -s fd/2 /dev/stderr");
	must(symlink("pts/ptmx", "/dev/ptmx"), "ln -s pts/ptmx /dev/ptmx");
	make_directory("/dev/pts");
	mount_new("devpts", "/dev/pts", "mode=0620,ptmxmode=0666");
	make_directory("/dev/shm");
	mount_new("tmpfs", "/dev/shm", "mode=1777");
}

static bool has_own_pid_max(void)
{
	struct utsname kernel;
	int major = 0, minor = 0;

	uname(&kernel);
	sscanf(kernel.release, "%d.%d", &major, &minor);
	return major > 6 || (major == 6 && minor >= 14);
}

/* Settings of the machine become read-only. Those of the sandbox's own
 * namespaces stay writable. */
static void protect_settings(void)
{
	static const char *const machine[] = {
		"/proc/bus",	       "/proc/fs",   "/proc/irq",
		"/proc/sysrq-trigger", "/proc/mtrr", "/proc/sys"};
	static const char *const own[] = {"/net", "/kernel/hostname",
					  "/kernel/domainname",
					  "/kernel/pid_max"};
	size_t n = sizeof(own) / sizeof(own[0]) - (has_own_pid_max() ? 0 : 1);
	char from[64], to[64];

	for (size_t i = 0; i < sizeof(machine) / sizeof(machine[0]); i++) {
		if (access(machine[i], F_OK) == -1)
			continue;
		bind_mount(machine[i], machine[i]);
		make_read_only(machine[i]);
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(from, sizeof(from), "/dev/proc/sys%s", own[i]);
		snprintf(to, sizeof(to), "/proc/sys%s", own[i]);
		bind_mount(from, to);
	}
}

static void list_mounts(char *list, size_t size)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	ssize_t length;

	must(fd, "cat /proc/self/mountinfo");
	while ((length = read(fd, list, size - 1)) > 0) {
		list += length;
		size -= (size_t)length;
	}
	close(fd);
}

static void replace_files(void)
{
	static char machine[1 << 20];
	char *directory = getcwd(NULL, 0);
	int top;

	hint = is_in_chroot() ? "this is a chroot: leave it" : "";
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL),
	     "mount --make-rprivate /");
	hint = "";
	top = must(copy_mount(checkout), "mount --rbind %s", checkout);
	make_read_only("/");
	list_mounts(machine, sizeof(machine));
	keep_all();
	mount_hidden();
	mount_new("proc", "/proc", "");
	protect_settings();
	/* Where the kernel allows no new one, the old one has to do. */
	mount("sysfs", "/sys", "sysfs", MS_RDONLY | MS_NOSUID, NULL);
	mount_new("tmpfs", "/dev", "mode=0755");
	mount_new("tmpfs", "/tmp", "mode=1777");
	mount_new("tmpfs", "/run", "mode=0755");
	if (access("/media", F_OK) == 0)
		mount_new("tmpfs", "/media", "mode=0755");
	fill_dev();
	restore_all();
	restore(top, checkout);
	must(write_file(MARK, machine), "touch " MARK);
	/* So far, it is in a mount that may be covered. */
	if (directory == NULL || chdir(directory) == -1)
		must(chdir(checkout), "cd %s", checkout);
}

/* ---- The network: a veth pair to a router, which also plays the internet ----
 *
 * A socket stays in the network namespace in which it was opened. */

static struct netlink internet, sandbox;
static int internet_ns;

static void enter_networks(void)
{
	enter_namespace(CLONE_NEWNET, "net");
	nl_open(&internet, NETLINK_ROUTE);
	internet_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	enter_namespace(CLONE_NEWNET, "net");
	nl_open(&sandbox, NETLINK_ROUTE);
}

/* Where ip(8) looks for it: ip netns add internet. */
static void name_internet(void)
{
	char path[32];

	make_directory("/run/netns");
	bind_mount("/run/netns", "/run/netns");
	must(mount(NULL, "/run/netns", NULL, MS_SHARED, NULL),
	     "mount --make-shared /run/netns");
	must(write_file("/run/netns/internet", ""),
	     "touch /run/netns/internet");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", internet_ns);
	bind_mount(path, "/run/netns/internet");
	close(internet_ns);
}

static void create_veth(void)
{
	struct ifinfomsg *header =
		nl_begin(&internet, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
			 sizeof(*header));
	struct rtattr *info, *data, *peer;

	/* If both ends had index 2 in their namespaces, the kernel would need
	 * a second to notice the carrier. */
	header->ifi_index = 203;
	nl_put_str(&internet, IFLA_IFNAME, "router");
	info = nl_nest(&internet, IFLA_LINKINFO);
	nl_put_str(&internet, IFLA_INFO_KIND, "veth");
	data = nl_nest(&internet, IFLA_INFO_DATA);
	peer = nl_nest(&internet, VETH_INFO_PEER);
	nl_append(&internet, sizeof(struct ifinfomsg));
	nl_put_str(&internet, IFLA_IFNAME, "eth0");
	nl_put_u32(&internet, IFLA_NET_NS_PID, (uint32_t)getpid());
	nl_nest_end(&internet, peer);
	nl_nest_end(&internet, data);
	nl_nest_end(&internet, info);
	hint = "try sudo modprobe veth";
	must(nl_send(&internet, NULL),
	     "ip link add router type veth peer name eth0");
	hint = "";
}

static void set_link_up(struct netlink *nl, const char *name)
{
	struct ifinfomsg *header =
		nl_begin(nl, RTM_NEWLINK, 0, sizeof(*header));

	header->ifi_flags = IFF_UP;
	header->ifi_change = IFF_UP;
	nl_put_str(nl, IFLA_IFNAME, name);
	must(nl_send(nl, NULL), "ip link set %s up", name);
}

static void add_address(struct netlink *nl, const char *name, const char *ip,
			unsigned char length)
{
	int index = nl_get_link(nl, name).index;
	struct ifaddrmsg *header = nl_begin(
		nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*header));

	header->ifa_family = AF_INET;
	header->ifa_prefixlen = length;
	header->ifa_index = (unsigned int)index;
	nl_put_ip(nl, IFA_LOCAL, ip);
	must(nl_send(nl, NULL), "ip addr add %s/%d dev %s", ip, length, name);
}

static void add_default_route(struct netlink *nl, const char *gateway)
{
	struct rtmsg *header = nl_begin(
		nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*header));

	header->rtm_family = AF_INET;
	header->rtm_table = RT_TABLE_MAIN;
	header->rtm_protocol = RTPROT_BOOT;
	header->rtm_type = RTN_UNICAST;
	nl_put_ip(nl, RTA_GATEWAY, gateway);
	must(nl_send(nl, NULL), "ip route add default via %s", gateway);
}

/* Until then, packets may be dropped. */
static void wait_for_carrier(struct netlink *nl, const char *name)
{
	int ms = 2000;

	while (nl_get_link(nl, name).operstate != IF_OPER_UP && ms-- > 0)
		usleep(1000);
}

/* A kernel without the setting needs no other value. */
static void set(const char *setting, const char *value)
{
	if (access(setting, F_OK) == 0)
		must(write_file(setting, value), "echo %s >%s", value, setting);
}

static void connect_internet(void)
{
	name_internet();
	create_veth();
	/* No link-local IPv6 address, so that nothing is announced. */
	set("/proc/sys/net/ipv6/conf/eth0/addr_gen_mode", "1");
	/* A new namespace inherits these from the machine. */
	set("/proc/sys/net/ipv4/ip_forward", "0");
	set("/proc/sys/net/bridge/bridge-nf-call-iptables", "0");

	set_link_up(&internet, "router");
	set_link_up(&internet, "lo");
	add_address(&internet, "router", "203.0.113.1", 24);
	add_address(&internet, "lo", "198.51.100.1", 32);
	set_link_up(&sandbox, "eth0");
	set_link_up(&sandbox, "lo");
	add_address(&sandbox, "eth0", "203.0.113.2", 24);
	add_default_route(&sandbox, "203.0.113.1");
	wait_for_carrier(&internet, "router");
	wait_for_carrier(&sandbox, "eth0");
	close(internet.fd);
	close(sandbox.fd);
}

/* ---- Processes ---- */

static void run_command(void)
{
	unsetenv("TMPDIR"); /* there is no such directory */
	execvp(command[0], command);
	err(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE, "%s",
	    command[0]);
}

/* Returns the exit status of PID, and reaps all others. */
static int wait_for_exit(pid_t pid)
{
	int status = 0;
	pid_t child;

	while ((child = waitpid(-1, &status, 0)) != pid)
		if (child == -1 && errno != EINTR)
			err(EXIT_LAUNCHER, "wait %d", pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (pid == -1)
		err(EXIT_LAUNCHER, "fork");
	return pid;
}

/* PID 1, for which the kernel ignores most signals. So COMMAND is another
 * process. */
static void init_main(void)
{
	pid_t pid;

	enter_networks();
	enter_namespace(CLONE_NEWUTS, "uts");
	enter_namespace(CLONE_NEWIPC, "ipc");
	enter_namespace(CLONE_NEWCGROUP, "cgroup");
	enter_namespace(CLONE_NEWNS, "mnt");
	replace_files();
	must(sethostname("sandbox", 7), "hostname sandbox");
	connect_internet();
	/* From now on, others can join. */
	if (shares)
		prctl(PR_SET_NAME, INIT_NAME);
	pid = start_child();
	if (pid == 0)
		run_command();
	exit(wait_for_exit(pid));
}

/* A shell in another PID namespace cannot name the process group that had the
 * terminal before it. Then the terminal belongs to a group that is gone. */
static void take_terminal_back(void)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	pid_t owner = tty == -1 ? -1 : tcgetpgrp(tty);

	signal(SIGTTOU, SIG_IGN); /* which would stop us in tcsetpgrp(3) */
	if (owner > 0 && kill(-owner, 0) == -1 && errno == ESRCH)
		tcsetpgrp(tty, getpgrp());
}

/* Runs MAIN in a child, which dies with this process, and exits as it does. */
static void run_child(void (*child_main)(void))
{
	int pipe_ends[2], status;
	char byte;
	pid_t pid;

	if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) == -1)
		err(EXIT_LAUNCHER, "pipe");
	pid = start_child();
	if (pid == 0) {
		/* If the parent has died already: end of file. */
		close(pipe_ends[1]);
		must(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
		if (read(pipe_ends[0], &byte, 1) == 0)
			exit(EXIT_LAUNCHER);
		child_main();
	}
	/* The terminal sends these to COMMAND as well, which decides. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	status = wait_for_exit(pid);
	take_terminal_back();
	exit(status);
}

/* ---- A second terminal ---- */

/* Is PID the PID 1 of a shared sandbox of PROGRAM? Returns when it started,
 * or 0. */
static unsigned long long start_time(const char *pid, const char *program)
{
	unsigned long long time = 0;
	char path[64], text[4096], *found;
	int outside, inside, third;

	snprintf(path, sizeof(path), "/proc/%.16s/cmdline", pid);
	if (!read_file(path, text, sizeof(text)) || strcmp(text, program) != 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%.16s/status", pid);
	read_file(path, text, sizeof(text));
	found = strstr(text, "\nNSpid:");
	if (strncmp(text, "Name:\t" INIT_NAME "\n", 19) != 0 || found == NULL ||
	    sscanf(found, " NSpid: %d %d %d", &outside, &inside, &third) != 2 ||
	    inside != 1)
		return 0;
	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	read_file(path, text, sizeof(text));
	/* It is field 22. Field 2, the name in (), may contain blanks. */
	found = strrchr(text, ')');
	if (found != NULL)
		sscanf(found,
		       ") %*c"
		       " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
		       " %*s %*s %*s %*s %*s %*s %*s %*s %llu",
		       &time);
	return time;
}

static pid_t find_newest(const char *program)
{
	unsigned long long newest = 0;
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t pid = 0;

	while (proc != NULL && (entry = readdir(proc)) != NULL) {
		unsigned long long time = start_time(entry->d_name, program);

		if (time < newest || time == 0)
			continue;
		newest = time;
		pid = atoi(entry->d_name);
	}
	if (proc != NULL)
		closedir(proc);
	if (pid == 0)
		errx(EXIT_LAUNCHER, "no sandbox is running that can be joined: "
				    "'make shell' starts one");
	return pid;
}

static void join(const char *program)
{
	int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC |
		    CLONE_NEWPID | CLONE_NEWCGROUP;
	char *directory = getcwd(NULL, 0), path[64];
	pid_t pid = find_newest(program);
	struct stat own, other;
	int pidfd;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	if (stat("/proc/self/ns/user", &own) == -1 || stat(path, &other) == -1)
		errx(EXIT_LAUNCHER, "the running sandbox is another user's: "
				    "try sudo common/tools/sandbox --join");
	if (own.st_ino != other.st_ino)
		flags |= CLONE_NEWUSER;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	must(pidfd, "pidfd_open %d", pid);
	must(setns(pidfd, flags), "nsenter --target %d", pid);
	close(pidfd);
	/* Root joins a user's sandbox as its root. */
	must(setgid(0), "setpriv --regid 0");
	must(setuid(0), "setpriv --reuid 0");
	if (directory == NULL || chdir(directory) == -1)
		must(chdir(checkout), "cd %s", checkout);
	run_child(run_command);
}

int main(int argc, char *argv[])
{
	bool joins = argc > 1 && strcmp(argv[1], "--join") == 0;
	int first = 1;

	shares = argc > 1 && strcmp(argv[1], "--share") == 0;
	if (joins || shares)
		first = 2;
	if (argc < first + 2)
		errx(EXIT_LAUNCHER, "see common/tools/sandbox --help");
	checkout = argv[first];
	command = argv + first + 1;
	/* A caller that ignores it would leave nothing to wait for. */
	signal(SIGCHLD, SIG_DFL);
	if (joins)
		join(argv[0]);
	if (!is_powerful())
		enter_user_namespace();
	/* It is for the next child: this process keeps its PID. */
	enter_namespace(CLONE_NEWPID, "pid");
	run_child(init_main);
}
