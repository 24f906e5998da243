/* SPDX-License-Identifier: MIT */
/*
 * peek - print what this process can see
 *
 * Run it on the host and in a container and compare: each difference is the
 * work of a namespace, of a new root or of a dropped capability.
 *
 *     # peek pid hostname interfaces
 *     pid: 1
 *     hostname: tiny
 *     interfaces: lo down
 *
 * It must work in any root file system, so it is linked statically where the
 * tool chain can, and asks by system call wherever there is one. What only
 * /proc tells is "unknown" for as long as /proc is not mounted.
 *
 * namespaces(7), proc(5), capabilities(7), rtnetlink(7)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Something to see. show() prints any number of lines, each after label(). */
struct fact {
	const char *name;
	void (*show)(const struct fact *fact);
	const char *path; /* where show() reads it, if in a file */
	const char *help;
};

static bool with_names;
static unsigned int labels;

static void label(const struct fact *fact)
{
	labels++;
	if (with_names)
		printf("%s: ", fact->name);
}

static void unknown(const struct fact *fact, const char *what)
{
	label(fact);
	printf("unknown (%s: %s)\n", what, strerror(errno));
}

/* Not so in a root without a /proc directory, or with an empty one. */
static bool proc_is_mounted(const struct fact *fact)
{
	struct statfs fs;

	if (statfs("/proc", &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		return true;
	label(fact);
	printf("unknown (/proc is not mounted)\n");
	return false;
}

static FILE *open_proc(const struct fact *fact)
{
	FILE *file;

	if (!proc_is_mounted(fact))
		return NULL;
	file = fopen(fact->path, "re");
	if (!file)
		unknown(fact, fact->path);
	return file;
}

/* Device and inode name a directory for good, as `stat -c %d:%i DIR` does. */
static void show_root(const struct fact *fact)
{
	struct stat st;

	if (stat("/", &st) == -1) {
		unknown(fact, "stat");
		return;
	}
	label(fact);
	printf("%ju:%ju\n", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
}

static void show_hostname(const struct fact *fact)
{
	char name[HOST_NAME_MAX + 1];

	if (gethostname(name, sizeof(name)) == -1) {
		unknown(fact, "gethostname");
		return;
	}
	label(fact);
	printf("%s\n", name);
}

static void show_pid(const struct fact *fact)
{
	label(fact);
	printf("%d\n", (int)getpid());
}

static void show_uid(const struct fact *fact)
{
	label(fact);
	printf("%u\n", (unsigned int)geteuid());
}

/* What ps(1) would list: the directories in /proc that are numbers. */
static void show_processes(const struct fact *fact)
{
	unsigned int count = 0;
	struct dirent *entry;
	DIR *proc;

	if (!proc_is_mounted(fact))
		return;
	proc = opendir(fact->path);
	if (!proc) {
		unknown(fact, fact->path);
		return;
	}
	while ((entry = readdir(proc)))
		count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
	closedir(proc);
	label(fact);
	printf("%u\n", count);
}

/* A file of /proc as it is, but for the blanks before its columns. */
static void show_lines(const struct fact *fact)
{
	FILE *file = open_proc(fact);
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return;
	while (getline(&line, &size, file) != -1) {
		label(fact);
		printf("%s", line + strspn(line, " "));
	}
	free(line);
	fclose(file);
}

/* Where, what, with which options. The type stands behind a "-", as there
 * are any number of fields, such as shared:1, before it. */
static void show_mounts(const struct fact *fact)
{
	FILE *file = open_proc(fact);
	char *line = NULL, *rest, *point, *options, *type;
	size_t size = 0;

	if (!file)
		return;
	while (getline(&line, &size, file) != -1) {
		rest = line;
		for (int i = 0; i < 4; i++) /* numbers, and the root in it */
			strsep(&rest, " ");
		point = strsep(&rest, " ");
		options = strsep(&rest, " ");
		do
			type = strsep(&rest, " ");
		while (type && strcmp(type, "-") != 0);
		type = strsep(&rest, " ");
		if (!type)
			continue;
		label(fact);
		printf("%s %s %s\n", point, type, options);
	}
	free(line);
	fclose(file);
}

static void show_namespace(const struct fact *fact)
{
	struct stat st;

	if (!proc_is_mounted(fact))
		return;
	if (stat(fact->path, &st) == -1) {
		unknown(fact, fact->path);
		return;
	}
	label(fact);
	printf("%ju\n", (uintmax_t)st.st_ino);
}

static void show_capabilities(const struct fact *fact)
{
	const char *name = /* in the order of their numbers */
		"chown dac_override dac_read_search fowner fsetid kill setgid "
		"setuid setpcap linux_immutable net_bind_service net_broadcast "
		"net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio "
		"sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice "
		"sys_resource sys_time sys_tty_config mknod lease audit_write "
		"audit_control setfcap mac_override mac_admin syslog "
		"wake_alarm block_suspend audit_read perfmon bpf "
		"checkpoint_restore ";
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	const char *gap = "";

	if (syscall(SYS_capget, &header, sets) == -1) {
		unknown(fact, "capget");
		return;
	}
	label(fact);
	for (unsigned int number = 0; *name; number++) {
		int length = (int)strcspn(name, " ");

		if (sets[number / 32].effective & 1U << number % 32) {
			printf("%s%.*s", gap, length, name);
			gap = " ";
		}
		name += length + 1;
	}
	printf("%s\n", *gap ? "" : "none");
}

/* By trying each number, as /proc/self/fd need not be there; up to 65536, as
 * the limit can be a thousand million, and those would take minutes. */
static void show_fds(const struct fact *fact)
{
	const int tries = 65536;
	const char *gap = "";

	label(fact);
	for (int fd = 0; fd < tries; fd++) {
		if (fcntl(fd, F_GETFD) == -1)
			continue;
		printf("%s%d", gap, fd);
		gap = " ";
	}
	printf("%s\n", *gap ? "" : "none");
}

/* Asks rtnetlink for all objects of one kind. It answers with messages, some
 * in a datagram, the last of them NLMSG_DONE; each other one goes to print. */
static void dump(const struct fact *fact, int kind, unsigned char family,
		 void (*print)(const struct fact *, struct nlmsghdr *))
{
	struct {
		struct nlmsghdr header;
		struct rtgenmsg body;
	} request = {
		.header.nlmsg_len = sizeof(request),
		.header.nlmsg_type = (unsigned short)kind,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.body.rtgen_family = family,
	};
	union {
		struct nlmsghdr first;
		char bytes[32768]; /* longer than any datagram of a dump */
	} answer;
	bool done = false;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd == -1 || send(fd, &request, sizeof(request), 0) == -1) {
		unknown(fact, "rtnetlink");
		return;
	}
	while (!done) {
		struct nlmsghdr *message = &answer.first;
		ssize_t size = recv(fd, &answer, sizeof(answer), 0);
		unsigned int left = (unsigned int)size;

		if (size == -1) {
			unknown(fact, "rtnetlink");
			break;
		}
		for (; !done && NLMSG_OK(message, left);
		     message = NLMSG_NEXT(message, left)) {
			done = message->nlmsg_type == NLMSG_DONE ||
			       message->nlmsg_type == NLMSG_ERROR;
			if (!done)
				print(fact, message);
		}
	}
	close(fd);
}

/* Returns the value of a message's attribute, or NULL where it has none. The
 * attributes stand behind a header, which each kind of message has its own. */
static const void *attribute(struct nlmsghdr *message, size_t header, int type)
{
	char *start = (char *)NLMSG_DATA(message) + NLMSG_ALIGN(header);
	struct rtattr *attr = (void *)start;
	int left = (int)(message->nlmsg_len - NLMSG_SPACE(header));

	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left))
		if (attr->rta_type == type)
			return RTA_DATA(attr);
	return NULL;
}

static void print_ip(int family, const void *address)
{
	char text[INET6_ADDRSTRLEN];

	printf("%s", inet_ntop(family, address, text, sizeof(text)));
}

static void print_interface(const struct fact *fact, struct nlmsghdr *message)
{
	const struct ifinfomsg *link = NLMSG_DATA(message);
	const char *name = attribute(message, sizeof(*link), IFLA_IFNAME);

	label(fact);
	if (!(link->ifi_flags & IFF_UP))
		printf("%s down\n", name);
	else if (!(link->ifi_flags & IFF_RUNNING))
		printf("%s no-carrier\n", name);
	else
		printf("%s up\n", name);
}

static void show_interfaces(const struct fact *fact)
{
	dump(fact, RTM_GETLINK, AF_UNSPEC, print_interface);
}

static void print_address(const struct fact *fact, struct nlmsghdr *message)
{
	const struct ifaddrmsg *on = NLMSG_DATA(message);
	const void *address = attribute(message, sizeof(*on), IFA_LOCAL);
	char name[IF_NAMESIZE] = "?";

	if (!address) /* as IPv6 has it */
		address = attribute(message, sizeof(*on), IFA_ADDRESS);
	if_indextoname(on->ifa_index, name);
	label(fact);
	printf("%s ", name);
	print_ip(on->ifa_family, address);
	printf("/%d\n", on->ifa_prefixlen);
}

static void show_addresses(const struct fact *fact)
{
	dump(fact, RTM_GETADDR, AF_UNSPEC, print_address);
}

/* In the words of ip-route(8), and like it from the main table only. */
static void print_route(const struct fact *fact, struct nlmsghdr *message)
{
	const struct rtmsg *route = NLMSG_DATA(message);
	const void *to = attribute(message, sizeof(*route), RTA_DST);
	const void *via = attribute(message, sizeof(*route), RTA_GATEWAY);
	const unsigned int *out = attribute(message, sizeof(*route), RTA_OIF);
	char name[IF_NAMESIZE];

	if (route->rtm_table != RT_TABLE_MAIN)
		return;
	label(fact);
	if (to) {
		print_ip(AF_INET, to);
		printf("/%d", route->rtm_dst_len);
	} else {
		printf("default");
	}
	if (via) {
		printf(" via ");
		print_ip(AF_INET, via);
	}
	if (out && if_indextoname(*out, name))
		printf(" dev %s", name);
	if (route->rtm_type != RTN_UNICAST)
		printf(" unreachable"); /* or prohibited, or a black hole */
	printf("\n");
}

static void show_routes(const struct fact *fact)
{
	dump(fact, RTM_GETROUTE, AF_INET, print_route);
}

static const struct fact facts[] = {
	{"root", show_root, NULL, "device:inode of /"},
	{"hostname", show_hostname, NULL, "as uname -n prints it"},
	{"pid", show_pid, NULL, "process ID"},
	{"uid", show_uid, NULL, "effective user ID"},
	{"uid-map", show_lines, "/proc/self/uid_map", "inside, outside, count"},
	{"gid-map", show_lines, "/proc/self/gid_map", "inside, outside, count"},
	{"capabilities", show_capabilities, NULL, "the effective ones"},
	{"cgroup", show_lines, "/proc/self/cgroup", "control group"},
	{"ns-cgroup", show_namespace, "/proc/self/ns/cgroup", "its inode"},
	{"ns-ipc", show_namespace, "/proc/self/ns/ipc", "its inode"},
	{"ns-mnt", show_namespace, "/proc/self/ns/mnt", "its inode"},
	{"ns-net", show_namespace, "/proc/self/ns/net", "its inode"},
	{"ns-pid", show_namespace, "/proc/self/ns/pid", "its inode"},
	{"ns-user", show_namespace, "/proc/self/ns/user", "its inode"},
	{"ns-uts", show_namespace, "/proc/self/ns/uts", "its inode"},
	{"fds", show_fds, NULL, "open file descriptors"},
	{"processes", show_processes, "/proc", "how many it sees"},
	{"interfaces", show_interfaces, NULL, "each up, down or no-carrier"},
	{"addresses", show_addresses, NULL, "each with its interface"},
	{"routes", show_routes, NULL, "IPv4, in ip-route's words"},
	{"mounts", show_mounts, "/proc/self/mountinfo", "where, type, options"},
};

static const struct fact *find_fact(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (strcmp(facts[i].name, name) == 0)
			return &facts[i];
	fprintf(stderr, "peek: %s: no such name; see peek --help\n", name);
	exit(2);
}

static void show(const struct fact *fact)
{
	labels = 0;
	fact->show(fact);
	if (labels == 0) {
		label(fact);
		printf("none\n");
	}
}

static void print_help(void)
{
	printf("Usage: peek [NAME...]\n"
	       "Prints what this process can see, everything or the NAMEs,\n"
	       "as NAME: VALUE lines. One NAME alone gives bare values.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		printf("  %-13s %s\n", facts[i].name, facts[i].help);
}

int main(int argc, char **argv)
{
	if (argc > 1 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		print_help();
		return 0;
	}
	with_names = argc != 2;
	for (int i = 1; i < argc; i++)
		find_fact(argv[i]);
	for (int i = 1; i < argc; i++)
		show(find_fact(argv[i]));
	for (size_t i = 0; argc == 1 && i < ARRAY_SIZE(facts); i++)
		show(&facts[i]);
	if (fflush(stdout) == EOF) {
		fprintf(stderr, "peek: stdout: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}
