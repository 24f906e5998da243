// SPDX-License-Identifier: MIT
/*
 * snapshot [FILE] - print the state of the machine, one fact a line, sorted
 *
 * It prints what a container could leave behind: mounts, links, addresses,
 * routes, rules, nftables, settings, files in /run and /dev/shm, the hostname,
 * processes, System V IPC. Two snapshots of an unchanged machine are equal.
 * Every test takes one, so it starts no other program. The exit status is 1 if
 * the output is not equal to FILE.
 *
 * An attribute of a netlink message is printed as NUMBER=VALUE. For example,
 * 3=eth0 of a link is IFLA_IFNAME, which <linux/if_link.h> defines as 3.
 *
 * Read: rtnetlink(7), proc(5), sysvipc(7)
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netlink.h"

static char **facts;
static size_t count;

static void __attribute__((format(printf, 1, 2))) add(const char *format, ...)
{
	va_list values;

	char **more = facts;

	if (count % 1024 == 0)
		more = realloc(facts, (count + 1024) * sizeof(*facts));
	if (more == NULL)
		err(1, "memory");
	facts = more;
	va_start(values, format);
	if (vasprintf(&facts[count++], format, values) == -1)
		err(1, "memory");
	va_end(values);
}

/* ---- Files ---- */

/* Returns the length of TEXT, which is followed by a 0; it is 0 if PATH cannot
 * be read, as some settings cannot. */
static size_t read_file(const char *path, char text[4096])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const ssize_t length = fd == -1 ? 0 : read(fd, text, 4095);

	if (fd != -1)
		close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length > 0 ? (size_t)length : 0;
}

static void add_lines(const char *name, const char *path)
{
	char text[4096], *line, *rest = text;

	read_file(path, text);
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL)
		add("%s %s", name, line);
}

/* Calls VISIT for each file below PATH, but not for those in a directory for
 * which it returned false. It works in the directory of the file: to look up a
 * whole path in /proc/sys takes as long as all the rest. */
static void walk(const char *path, bool (*visit)(const char *path))
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char name[4096];

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (fchdir(dirfd(dir)) == 0 && visit(name) &&
		    entry->d_type == DT_DIR)
			walk(name, visit);
	}
	closedir(dir);
}

/* Not netfilter's: they appear with the module that the first rule loads. Not
 * those for neighbours: nothing here changes them. */
static bool add_setting(const char *path)
{
	if (strstr(path, "/netfilter") != NULL ||
	    strstr(path, "/nf_conntrack_max") != NULL ||
	    strstr(path, "/neigh/") != NULL)
		return false;
	add_lines(path, strrchr(path, '/') + 1);
	return true;
}

/* mount(8) keeps notes in /run/mount. */
static bool add_file(const char *path)
{
	struct stat file;
	char target[4096];
	ssize_t length;

	if (strcmp(path, "/run/mount") == 0 || lstat(path, &file) == -1)
		return false;
	length = readlink(path, target, sizeof(target));
	add("%s mode %o owner %u:%u size %jd %.*s", path, file.st_mode,
	    file.st_uid, file.st_gid,
	    (intmax_t)(S_ISDIR(file.st_mode) ? 0 : file.st_size),
	    (int)(length == -1 ? 0 : length), target);
	return true;
}

/* All processes but this one. */
static bool add_process(const char *path)
{
	const int pid = atoi(path + strlen("/proc/"));
	char name[4200], command[4096], stat[4096], *end;
	size_t length;

	if (pid == 0 || pid == getpid())
		return false;
	snprintf(name, sizeof(name), "%s/cmdline", path);
	length = read_file(name, command);
	for (size_t i = 0; i + 1 < length; i++)
		if (command[i] == '\0' || command[i] == '\n')
			command[i] = ' ';
	snprintf(name, sizeof(name), "%s/stat", path);
	read_file(name, stat);
	end = strrchr(stat, ')'); /* PID (NAME) STATE ... */
	if (end != NULL)
		add("process %.*s %s", (int)(end + 1 - stat), stat, command);
	return false;
}

/* The machine's mounts do not count. It may remove them at any time: systemd
 * does so at a logout, Docker when a container exits. Without the numbers of
 * the mount and of its parent, which change. */
static void add_mounts(void)
{
	FILE *machine = fopen("/run/cfs-sandbox", "re");
	FILE *now = fopen("/proc/self/mountinfo", "re");
	static char mounts[1 << 20] = "\n";
	char line[8192] = "\n";
	int start;

	if (machine == NULL || now == NULL)
		err(1, "mounts");
	mounts[1 + fread(mounts + 1, 1, sizeof(mounts) - 2, machine)] = '\0';
	while (fgets(line + 1, sizeof(line) - 1, now) != NULL) {
		if (strstr(mounts, line) != NULL)
			continue;
		line[strlen(line) - 1] = '\0';
		if (sscanf(line, "%*d %*d %n", &start) != EOF)
			add("mount %s", line + start);
	}
	fclose(machine);
	fclose(now);
}

/* ---- The network, by netlink ---- */

#define BIT(n)	  (1ULL << (n))
#define NFT(type) (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GET##type)

/* Other attributes change by themselves, or when a rule is added again. */
static const struct list {
	int protocol, type;
	size_t header;	     /* its size */
	size_t compared;     /* so many bytes of it are */
	uint64_t attributes; /* so are these */
	const char *name;
} lists[] = {
	{NETLINK_ROUTE, RTM_GETLINK, sizeof(struct ifinfomsg), 16,
	 BIT(IFLA_ADDRESS) | BIT(IFLA_GROUP) | BIT(IFLA_IFALIAS) |
		 BIT(IFLA_IFNAME) | BIT(IFLA_LINK) | BIT(IFLA_LINK_NETNSID) |
		 BIT(IFLA_MASTER) | BIT(IFLA_MTU) | BIT(IFLA_OPERSTATE) |
		 BIT(IFLA_PROMISCUITY) | BIT(IFLA_QDISC) | BIT(IFLA_TXQLEN),
	 "link"},
	{NETLINK_ROUTE, RTM_GETADDR, sizeof(struct ifaddrmsg), 8,
	 ~BIT(IFA_CACHEINFO), "address"},
	{NETLINK_ROUTE, RTM_GETROUTE, sizeof(struct rtmsg), 12,
	 ~BIT(RTA_CACHEINFO), "route"},
	{NETLINK_ROUTE, RTM_GETRULE, sizeof(struct fib_rule_hdr), 12, ~0ULL,
	 "rule"},
	{NETLINK_NETFILTER, NFT(TABLE), sizeof(struct nfgenmsg), 1,
	 ~BIT(NFTA_TABLE_HANDLE), "nft table"},
	{NETLINK_NETFILTER, NFT(CHAIN), sizeof(struct nfgenmsg), 1,
	 ~(BIT(NFTA_CHAIN_HANDLE) | BIT(NFTA_CHAIN_COUNTERS)), "nft chain"},
	{NETLINK_NETFILTER, NFT(RULE), sizeof(struct nfgenmsg), 1,
	 ~(BIT(NFTA_RULE_HANDLE) | BIT(NFTA_RULE_POSITION)), "nft rule"},
};

static char words[65536]; /* the fact that is being written */
static size_t written;

static void __attribute__((format(printf, 1, 2))) put(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	written += (size_t)vsnprintf(words + written, sizeof(words) - written,
				     format, values);
	va_end(values);
	if (written >= sizeof(words))
		errx(1, "a fact is too long");
}

/* As a string, or in hexadecimal. */
static void put_value(const void *value, size_t size)
{
	const unsigned char *bytes = value;
	size_t letters = 0;

	while (letters < size && isgraph(bytes[letters]))
		letters++;
	if (letters > 0 && letters + 1 == size && bytes[letters] == '\0')
		put("%s", (const char *)bytes);
	else
		for (size_t i = 0; i < size; i++)
			put("%02x", bytes[i]);
}

/* A counter in a rule is an expression of that name. */
static void put_expressions(struct rtattr *rule)
{
	struct rtattr *item = RTA_DATA(rule), *name, *data;
	int left = RTA_PAYLOAD(rule);

	for (; RTA_OK(item, left); item = RTA_NEXT(item, left)) {
		name = RTA_DATA(item);
		put(" %s ", (const char *)RTA_DATA(name));
		data = (void *)((char *)name + RTA_ALIGN(name->rta_len));
		if (strcmp(RTA_DATA(name), "counter") != 0 &&
		    RTA_PAYLOAD(item) > RTA_ALIGN(name->rta_len))
			put_value(RTA_DATA(data), RTA_PAYLOAD(data));
	}
}

static void add_message(const struct list *list, struct nlmsghdr *message,
			int number)
{
	struct rtattr *attr =
		(void *)((char *)message + NLMSG_SPACE(list->header));
	int left = (int)(message->nlmsg_len - NLMSG_SPACE(list->header));

	written = 0;
	put("%s ", list->name);
	if (list->type == NFT(RULE)) /* their order counts */
		put("%d ", number);
	put_value(NLMSG_DATA(message), list->compared);
	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
		const int type = attr->rta_type & NLA_TYPE_MASK;

		if (type >= 64 || (list->attributes & BIT(type)) == 0)
			continue;
		put(" %d=", type);
		if (list->type == NFT(RULE) && type == NFTA_RULE_EXPRESSIONS)
			put_expressions(attr);
		else
			put_value(RTA_DATA(attr), RTA_PAYLOAD(attr));
	}
	/* Link-local addresses and their routes come a moment after their
	 * link. */
	if (strstr(words, " 1=fe80") == NULL && strstr(words, " 1=ff0") == NULL)
		add("%s", words);
}

static void add_list(struct netlink *nl, const struct list *list)
{
	struct nlmsghdr *message;

	nl_open(nl, list->protocol);
	nl_begin(nl, list->type, NLM_F_DUMP, list->header);
	if (nl_send(nl, &message) == -1) {
		if (list->protocol == NETLINK_ROUTE)
			err(1, "%s", list->name);
		message = NULL; /* this kernel has no nf_tables */
	}
	for (int i = 1; message != NULL; i++) {
		if (message->nlmsg_type == NLMSG_DONE)
			break;
		add_message(list, message, i);
		message = nl_next(nl);
		if (message == NULL)
			err(1, "%s", list->name);
	}
	close(nl->fd);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Prints the facts. Returns whether FILE has the same. */
static bool print_facts(FILE *file)
{
	bool same = true;
	char *line = NULL;
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		puts(facts[i]);
		if (file == NULL || !same)
			continue;
		if (getline(&line, &size, file) != -1)
			line[strcspn(line, "\n")] = '\0';
		same = !feof(file) && strcmp(line, facts[i]) == 0;
	}
	return file == NULL || (same && getline(&line, &size, file) == -1);
}

int main(int argc, char *argv[])
{
	static struct netlink nl;
	FILE *file = NULL;

	if (argc == 2 && (file = fopen(argv[1], "re")) == NULL)
		err(1, "%s", argv[1]);

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		add_list(&nl, &lists[i]);
	walk("/proc/sys/net", add_setting);
	add_lines("hostname", "/proc/sys/kernel/hostname");
	add_lines("ipc msg", "/proc/sysvipc/msg");
	add_lines("ipc sem", "/proc/sysvipc/sem");
	add_lines("ipc shm", "/proc/sysvipc/shm");
	add_file("/run");
	walk("/run", add_file);
	add_file("/dev/shm");
	walk("/dev/shm", add_file);
	walk("/proc", add_process);
	add_mounts();
	qsort(facts, count, sizeof(*facts), compare);
	return print_facts(file) ? 0 : 1;
}
