/* SPDX-License-Identifier: MIT */
/*
 * peek - print what this process can see of the system
 *
 * Run it on the host and in a container, and compare. It is linked statically
 * if possible, so that it runs in any root filesystem, and needs /proc only for
 * some of its lines.
 *
 *     # peek pid hostname interfaces
 *     pid: 1
 *     hostname: container
 *     interfaces: lo down
 *
 * See namespaces(7), proc(5) and getifaddrs(3).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/magic.h>
#include <net/if.h>
#include <net/route.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The name to print before each value, or "". */
static const char *label = "";
static unsigned int lines;

static void start_line(void)
{
	lines++;
	if (*label)
		printf("%s: ", label);
}

/* Without /proc, its directory can be missing or empty. */
static bool proc_is_mounted(void)
{
	struct statfs fs;

	if (statfs("/proc", &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		return true;
	start_line();
	printf("unknown (/proc is not mounted)\n");
	return false;
}

static void for_each_line(const char *path, void (*print)(char *line))
{
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	if (!proc_is_mounted())
		return;
	file = fopen(path, "re");
	if (!file)
		err(1, "%s", path);
	while (getline(&line, &size, file) != -1)
		print(line);
	free(line);
	fclose(file);
}

static void show_hostname(void)
{
	char name[HOST_NAME_MAX + 1];

	if (gethostname(name, sizeof(name)) == -1)
		err(1, "gethostname");
	start_line();
	printf("%s\n", name);
}

static void show_pid(void)
{
	start_line();
	printf("%d\n", (int)getpid());
}

static void show_uid(void)
{
	start_line();
	printf("%u\n", (unsigned int)geteuid());
}

static void print_uid_map(char *line)
{
	start_line();
	printf("%s", line + strspn(line, " "));
}

static void show_uid_map(void)
{
	for_each_line("/proc/self/uid_map", print_uid_map);
}

/* Like ps(1), count the directories of /proc whose name is a number. */
static void show_processes(void)
{
	unsigned int count = 0;
	struct dirent *entry;
	DIR *proc;

	if (!proc_is_mounted())
		return;
	proc = opendir("/proc");
	if (!proc)
		err(1, "/proc");
	while ((entry = readdir(proc)))
		count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
	closedir(proc);
	start_line();
	printf("%u\n", count);
}

/* The list has an entry for each interface, and one for each IP address. */
static void for_each_ifaddr(bool ip, void (*print)(const struct ifaddrs *))
{
	struct ifaddrs *all;

	if (getifaddrs(&all) == -1)
		err(1, "getifaddrs");
	for (const struct ifaddrs *entry = all; entry;
	     entry = entry->ifa_next) {
		int family = entry->ifa_addr ? entry->ifa_addr->sa_family : 0;

		if (ip == (family == AF_INET || family == AF_INET6)) {
			start_line();
			print(entry);
		}
	}
	freeifaddrs(all);
}

static void print_interface(const struct ifaddrs *entry)
{
	const char *state = "no-carrier";

	if (!(entry->ifa_flags & IFF_UP))
		state = "down";
	else if (entry->ifa_flags & IFF_RUNNING)
		state = "up";
	printf("%s %s\n", entry->ifa_name, state);
}

static void show_interfaces(void)
{
	for_each_ifaddr(false, print_interface);
}

static void print_address(const struct ifaddrs *entry)
{
	const struct sockaddr_in *in = (const void *)entry->ifa_addr;
	const struct sockaddr_in *mask = (const void *)entry->ifa_netmask;
	const struct sockaddr_in6 *in6 = (const void *)entry->ifa_addr;
	const struct sockaddr_in6 *mask6 = (const void *)entry->ifa_netmask;
	char text[INET6_ADDRSTRLEN];
	int length = 0;

	if (in->sin_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		length = __builtin_popcount(mask->sin_addr.s_addr);
	} else {
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		for (int i = 0; i < 16; i++)
			length +=
				__builtin_popcount(mask6->sin6_addr.s6_addr[i]);
	}
	printf("%s %s/%d\n", entry->ifa_name, text, length);
}

static void show_addresses(void)
{
	for_each_ifaddr(true, print_address);
}

/* The file has the IPv4 routes of the main table, with addresses in hex. Print
 * them as ip-route(8) does. */
static void print_route(char *line)
{
	unsigned int to, via, flags, mask;
	char name[IF_NAMESIZE], text[INET_ADDRSTRLEN];

	if (sscanf(line, "%15s %x %x %x %*s %*s %*s %x", name, &to, &via,
		   &flags, &mask) != 5)
		return; /* the heading */
	start_line();
	if (mask) {
		inet_ntop(AF_INET, &to, text, sizeof(text));
		printf("%s/%d", text, __builtin_popcount(mask));
	} else {
		printf("default");
	}
	if (via)
		printf(" via %s", inet_ntop(AF_INET, &via, text, sizeof(text)));
	if (flags & RTF_REJECT)
		printf(" unreachable\n");
	else
		printf(" dev %s\n", name);
}

static void show_routes(void)
{
	for_each_line("/proc/self/net/route", print_route);
}

/* After the options come any number of fields such as shared:1, then a "-". */
static void print_mount(char *line)
{
	char *type = strstr(line, " - ");
	char *point, *options;

	if (!type)
		return;
	for (int i = 0; i < 4; i++) /* the IDs, and the directory mounted */
		strsep(&line, " ");
	point = strsep(&line, " ");
	options = strsep(&line, " ");
	type += strlen(" - ");
	start_line();
	printf("%s %.*s %s\n", point, (int)strcspn(type, " "), type, options);
}

static void show_mounts(void)
{
	for_each_line("/proc/self/mountinfo", print_mount);
}

static const struct fact {
	const char *name;
	void (*show)(void);
	const char *help;
} facts[] = {
	{"hostname", show_hostname, "as uname -n prints it"},
	{"pid", show_pid, "process ID"},
	{"uid", show_uid, "effective user ID"},
	{"uid-map", show_uid_map, "first user ID inside, outside, count"},
	{"processes", show_processes, "number of processes in /proc"},
	{"interfaces", show_interfaces, "each up, down or no-carrier"},
	{"addresses", show_addresses, "interface and IP address"},
	{"routes", show_routes, "IPv4 routes"},
	{"mounts", show_mounts, "where, type, options"},
};

static void show(const struct fact *fact, bool with_label)
{
	label = with_label ? fact->name : "";
	lines = 0;
	fact->show();
	if (lines == 0) {
		start_line();
		printf("none\n");
	}
}

static void print_help(void)
{
	printf("Usage: peek [NAME...]\n"
	       "Prints what this process can see of the system: everything, or "
	       "only the NAMEs.\n"
	       "Each line is NAME: VALUE, or only VALUE if there is one NAME.\n"
	       "\n");
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		printf("  %-11s %s\n", facts[i].name, facts[i].help);
}

static const struct fact *find_fact(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (strcmp(facts[i].name, name) == 0)
			return &facts[i];
	errx(2, "unknown name %s: see peek --help", name);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		print_help();
	else if (argc == 1)
		for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
			show(&facts[i], true);
	else
		for (int i = 1; i < argc; i++)
			show(find_fact(argv[i]), argc > 2);
	if (fflush(stdout) == EOF)
		err(1, "stdout");
	return 0;
}
