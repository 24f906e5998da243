// SPDX-License-Identifier: MIT
/*
 * Step 07: many containers on one bridge, each with its own address, and the
 * internet behind the host's address.
 *
 * New: a bridge, a free address for each container, forwarding, NAT, DNS.
 *
 *	$ sudo ./container ../rootfs/tiny-linux
 *	/ # wget -qO- http://example.com
 *	<!doctype html>...
 *
 * Read: bridge(8), nft(8), resolv.conf(5), flock(2), ../common/nftables.h
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ether.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "error.h"
#include "netlink.h"
#include "nftables.h"

#define HOSTNAME "container"

#define BRIDGE	"cbr0"
#define SUBNET	"10.200.0"  /* /24 */
#define HOST_IP SUBNET ".1" /* the bridge's address, and the gateway */
#define CONT_IF "eth0"

/* The bridge's index, and its ports' group: `ip link show group 10200`. */
#define BRIDGE_INDEX 10200001
#define PORT_GROUP   10200

#define COMMENT		  "containers-from-scratch/" BRIDGE /* on our rules */
#define IP_FORWARD	  "/proc/sys/net/ipv4/ip_forward"
#define BRIDGE_FORWARDING "/proc/sys/net/ipv4/conf/" BRIDGE "/forwarding"

static const char usage[] =
	"Usage: container [OPTION...] LAYER[:LAYER...] [COMMAND [ARG...]]\n"
	"Runs COMMAND, by default /bin/sh, in a container.\n"
	"  -U      in a user namespace: needs no root\n"
	"  -w DIR  keep what the container writes in DIR/upper\n"
	"  -v      print the shell commands that do the same\n"
	"  -h      print this help\n";

static char *layers, *writable, **command;
static bool user; /* -U */

static _Noreturn void exit_with_usage(int option)
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
	int fd = open(path, O_WRONLY | O_CLOEXEC); /* exec(3) closes it */

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
	must(write_file("/proc/self/uid_map", uid_map),
	     "echo '%s' >/proc/self/uid_map", uid_map);
	must(write_file("/proc/self/gid_map", gid_map),
	     "echo '%s' >/proc/self/gid_map", gid_map);
	hint = "";
}

/* Makes PID 1 die with the launcher, which alone holds the pipe's writing end.
 * (getppid(2) would not reveal a dead launcher: for PID 1 it is always 0.) */
static void die_with_launcher(const int pipe_ends[2])
{
	char byte;

	close(pipe_ends[1]);
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "unshare --kill-child");
	/* If the launcher died before prctl(), we read end of file. */
	if (read(pipe_ends[0], &byte, 1) == 0)
		exit(EXIT_LAUNCHER);
}

static void enter_namespaces(void)
{
	must(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
		     CLONE_NEWCGROUP),
	     "unshare --mount --uts --ipc --net --cgroup");
	/* The mount namespace starts as a copy of the host's, and systemd makes
	 * the host's mounts shared: without this, the host would see ours. */
	must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL),
	     "mount --make-rslave /");
}

static void set_hostname(void)
{
	must(sethostname(HOSTNAME, strlen(HOSTNAME)), "hostname " HOSTNAME);
}

static int make_directory(const char *path)
{
	return mkdir(path, 0755) == -1 && errno != EEXIST ? -1 : 0;
}

/* Where the container writes: a tmpfs, which disappears with it, or DIR of -w.
 * Any directory of the host will do as the mount point. */
static void mount_writable(void)
{
	if (writable == NULL)
		must(mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=0755"),
		     "mount -t tmpfs -o mode=0755 tmpfs /dev/shm");
	else
		must(mount(writable, "/dev/shm", NULL, MS_BIND, NULL),
		     "mount --bind %s /dev/shm", quote(writable));
	umask(0);
	must(make_directory("/dev/shm/upper"), "mkdir -p /dev/shm/upper");
	must(make_directory("/dev/shm/work"), "mkdir -p /dev/shm/work");
}

/* The layers do not change: before a write to one of their files, overlayfs
 * copies it to upper, and to delete one, it creates a whiteout there. */
static void mount_overlay(void)
{
	const char *userxattr = "";
	char options[4096];

	/* overlayfs marks directories with trusted.* attributes. If we may not
	 * set them, removing one that does not exist fails with EPERM. */
	if (removexattr("/dev/shm/upper", "trusted.x") == -1 && errno == EPERM)
		userxattr = "userxattr,";
	/* The kernel reads 4095 bytes: a longer list is an error. */
	snprintf(options, sizeof(options),
		 "%supperdir=/dev/shm/upper,lowerdir=%s,workdir=/dev/shm/work",
		 userxattr, layers);
	hint = "dmesg may say why";
	must(mount("overlay", "/dev/shm", "overlay", 0, options),
	     "mount -t overlay -o %s overlay /dev/shm", quote(options));
	hint = "";
	must(chdir("/dev/shm"), "cd /dev/shm");
}

/* mount(2) follows symbolic links, and the host's root is still there: an image
 * whose /proc is a link to /etc would cover the host's /etc. */
static void make_mount_point(const char *name)
{
	must(make_directory(name), "mkdir -p %s", name);
	must(open(name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
	     "test ! -L %s", name); /* exec(3) closes it */
}

static void mount_dev(void)
{
	static const char *const devices[] = {"/dev/null",    "/dev/zero",
					      "/dev/full",    "/dev/random",
					      "/dev/urandom", "/dev/tty"};

	make_mount_point("dev");
	must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755"),
	     "mount -t tmpfs -o nosuid,noexec,mode=0755 tmpfs dev");
	for (int i = 0; i < 6; i++) {
		const char *host = devices[i], *here = host + 1;

		/* In a user namespace, mknod(2) cannot create a device. */
		must(mknod(here, S_IFREG | 0666, 0), "touch %s", here);
		must(mount(host, here, NULL, MS_BIND, NULL),
		     "mount --bind %s %s", host, here);
	}
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

/* pivot_root(2) makes the overlay the root mount, and stacks the old root mount
 * on top of it. Once that is unmounted, no path leads to the host's files. */
static void enter_root(void)
{
	must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root . .");
	must(umount2(".", MNT_DETACH), "umount -l .");
}

/* ---- Part 1: a bridge, and an address for each container ---- */

static void add_address(struct netlink *nl, const char *name, const char *ip)
{
	int index = nl_get_link(nl, name).index;
	struct ifaddrmsg *header = nl_begin(
		nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*header));

	header->ifa_family = AF_INET;
	header->ifa_prefixlen = 24;
	header->ifa_index = (unsigned int)index;
	nl_put_ip(nl, IFA_LOCAL, ip);
	must(nl_send(nl, NULL), "ip addr replace %s/24 dev %s", ip, name);
}

static void set_link_up(struct netlink *nl, const char *name)
{
	struct ifinfomsg *header =
		nl_begin(nl, RTM_NEWLINK, 0, sizeof(*header));

	header->ifi_flags = IFF_UP;
	header->ifi_change = IFF_UP; /* which of the flags to set */
	nl_put_str(nl, IFLA_IFNAME, name);
	must(nl_send(nl, NULL), "ip link set %s up", name);
}

static void add_default_route(struct netlink *nl, const char *gateway)
{
	struct rtmsg *header = nl_begin(
		nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*header));

	header->rtm_family = AF_INET;
	header->rtm_protocol = RTPROT_BOOT;
	header->rtm_type = RTN_UNICAST;
	nl_put_ip(nl, RTA_GATEWAY, gateway);
	must(nl_send(nl, NULL), "ip route add default via %s", gateway);
}

/* Until the kernel has noticed the carrier, a link that is up drops packets. */
static void wait_for_carrier(struct netlink *nl, const char *name)
{
	int ms = 10000;

	while (nl_get_link(nl, name).operstate != IF_OPER_UP && ms-- > 0)
		usleep(1000);
	if (ms < 0)
		warnx("%s has no carrier: the first packets may be lost", name);
}

/* Made from the IP address, as Docker 26 does, because other hosts cache it. */
static const char *mac_of(const char *ip)
{
	static char mac[] = "02:42:00:00:00:00";
	const uint32_t n = ntohl(inet_addr(ip));

	snprintf(mac, sizeof(mac), "02:42:%02x:%02x:%02x:%02x", n >> 24,
		 n >> 16 & 255, n >> 8 & 255, n & 255);
	return mac;
}

/* If it exists and has our index, another container has created it. All ports
 * join a new one: somebody may have deleted the bridge that they were in. */
static void create_bridge(struct netlink *host)
{
	struct ifinfomsg *header = nl_begin(
		host, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*header));
	struct rtattr *info;
	int result;

	header->ifi_index = BRIDGE_INDEX;
	nl_put_str(host, IFLA_IFNAME, BRIDGE);
	nl_put(host, IFLA_ADDRESS, ether_aton(mac_of(HOST_IP)), ETH_ALEN);
	info = nl_nest(host, IFLA_LINKINFO);
	nl_put_str(host, IFLA_INFO_KIND, "bridge");
	nl_nest_end(host, info);
	result = nl_send(host, NULL);
	if (result == 0 || errno != EEXIST ||
	    nl_get_link(host, BRIDGE).index != BRIDGE_INDEX)
		must(result, "ip link add %s index %d address %s type bridge",
		     BRIDGE, BRIDGE_INDEX, mac_of(HOST_IP));
	if (result == 0) {
		nl_begin(host, RTM_NEWLINK, 0, sizeof(*header));
		nl_put_u32(host, IFLA_GROUP, PORT_GROUP);
		nl_put_u32(host, IFLA_MASTER, BRIDGE_INDEX);
		must(nl_send(host, NULL), "ip link set group %d master %s",
		     PORT_GROUP, BRIDGE);
	}
	add_address(host, BRIDGE, HOST_IP);
	set_link_up(host, BRIDGE);
}

/* One end is a port of the bridge, the other is in this process's namespace. */
static int create_veth(struct netlink *host, const char *name, const char *mac)
{
	struct rtattr *info, *data, *peer;

	nl_begin(host, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
		 sizeof(struct ifinfomsg));
	nl_put_str(host, IFLA_IFNAME, name);
	nl_put_u32(host, IFLA_GROUP, PORT_GROUP);
	nl_put_u32(host, IFLA_MASTER, BRIDGE_INDEX);
	info = nl_nest(host, IFLA_LINKINFO);
	nl_put_str(host, IFLA_INFO_KIND, "veth");
	data = nl_nest(host, IFLA_INFO_DATA);

	peer = nl_nest(host, VETH_INFO_PEER);
	nl_append(host, sizeof(struct ifinfomsg));
	nl_put_str(host, IFLA_IFNAME, CONT_IF);
	nl_put(host, IFLA_ADDRESS, ether_aton(mac), ETH_ALEN);
	nl_put_u32(host, IFLA_NET_NS_PID, (uint32_t)getpid()); /* 1 */
	nl_nest_end(host, peer);

	nl_nest_end(host, data);
	nl_nest_end(host, info);
	return nl_send(host, NULL);
}

/* The name is the lease: the container that owns cbr0-5 owns 10.200.0.5. When
 * the container dies, even if it is killed, the kernel removes the link. */
static void lease_address(struct netlink *host, char *name, char *ip)
{
	int n = 2, result;

	do {
		snprintf(name, IFNAMSIZ, BRIDGE "-%d", n);
		snprintf(ip, INET_ADDRSTRLEN, SUBNET ".%d", n);
		result = create_veth(host, name, mac_of(ip));
	} while (result == -1 && errno == EEXIST && ++n < 255);
	if (n == 255)
		hint = "all 253 addresses are in use";
	must(result,
	     "ip link add %s group %d master " BRIDGE " type veth peer "
	     "name " CONT_IF " address %s netns $CONTAINER_PID",
	     name, PORT_GROUP, mac_of(ip));
}

/* HOST was opened in the host's network namespace, and still talks to it. */
static void connect_network(struct netlink *host)
{
	struct netlink container;
	char name[IFNAMSIZ], ip[INET_ADDRSTRLEN];

	nl_open(&container, NETLINK_ROUTE);
	set_link_up(&container, "lo");
	if (user)
		return; /* not root on the host's side */
	side = "host";
	lease_address(host, name, ip);
	set_link_up(host, name);
	side = "container";
	add_address(&container, CONT_IF, ip);
	set_link_up(&container, CONT_IF);
	add_default_route(&container, HOST_IP);
	wait_for_carrier(host, name);
	wait_for_carrier(host, BRIDGE);
}

/* ---- Part 2: the internet: forwarding, NAT, DNS ---- */

static void change_setting(const char *path, char from, const char *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char value;

	if (fd == -1 || read(fd, &value, 1) != 1)
		err(EXIT_LAUNCHER, "read %s", path);
	close(fd);
	if (value == from)
		must(write_file(path, to), "echo %s >%s", to, path);
}

/* One batch, so that the rules are never missing or doubled. A packet from
 * another link that is not a reply is dropped: no container asked for it. */
static void add_rules(struct netlink *nft)
{
	struct rtattr *rule;

	nft_begin(nft);
	nft_add_table(nft, BRIDGE);
	nft_add_chain(nft, BRIDGE, "postrouting", "nat", NF_INET_POST_ROUTING,
		      NF_IP_PRI_NAT_SRC);
	nft_add_chain(nft, BRIDGE, "forward", "filter", NF_INET_FORWARD,
		      NF_IP_PRI_FILTER);
	nft_flush_table(nft, BRIDGE);
	rule = nft_add_rule(nft, BRIDGE, "postrouting");
	nft_cmp_name(nft, NFT_META_IIFNAME, NFT_CMP_EQ, BRIDGE);
	nft_cmp_name(nft, NFT_META_OIFNAME, NFT_CMP_NEQ, BRIDGE);
	nft_masq(nft);
	nft_end_rule(nft, rule);
	rule = nft_add_rule(nft, BRIDGE, "forward");
	nft_cmp_name(nft, NFT_META_OIFNAME, NFT_CMP_EQ, BRIDGE);
	nft_cmp_direction(nft, NFT_CMP_EQ, IP_CT_DIR_REPLY);
	nft_verdict(nft, NF_ACCEPT);
	nft_end_rule(nft, rule);
	rule = nft_add_rule(nft, BRIDGE, "forward");
	nft_cmp_name(nft, NFT_META_IIFNAME, NFT_CMP_NEQ, BRIDGE);
	nft_cmp_name(nft, NFT_META_OIFNAME, NFT_CMP_EQ, BRIDGE);
	nft_verdict(nft, NF_DROP);
	nft_end_rule(nft, rule);
	must(nft_commit(nft),
	     "nft -f - <<END\n"
	     "add table ip " BRIDGE "; flush table ip " BRIDGE "\n"
	     "table ip " BRIDGE " {\n"
	     "chain postrouting { type nat hook postrouting priority srcnat;\n"
	     "iifname " BRIDGE " oifname != " BRIDGE " masquerade; }\n"
	     "chain forward { type filter hook forward priority filter;\n"
	     "oifname " BRIDGE " ct direction reply accept\n"
	     "iifname != " BRIDGE " oifname " BRIDGE " drop; }\n"
	     "}\nEND");
}

/* Our accept is useless if another table drops the packet. Docker and ufw drop
 * in the chain FORWARD of iptables(8). If it exists, we accept at its head. */
static void accept_in_iptables(struct netlink *nft)
{
	static const uint32_t keys[] = {NFT_META_IIFNAME, NFT_META_OIFNAME};
	struct rtattr *rule;

	if (!nft_has_chain(nft, "filter", "FORWARD") ||
	    nft_find_rule(nft, "filter", "FORWARD", COMMENT) != 0)
		return;
	nft_begin(nft);
	for (int i = 0; i < 2; i++) {
		rule = nft_insert_rule(nft, "filter", "FORWARD", COMMENT);
		nft_cmp_name(nft, keys[i], NFT_CMP_EQ, BRIDGE);
		nft_verdict(nft, NF_ACCEPT);
		nft_end_rule(nft, rule);
	}
	must(nft_commit(nft),
	     "nft 'insert rule ip filter FORWARD iifname %s accept comment %s; "
	     "insert rule ip filter FORWARD oifname %s accept comment %s'",
	     BRIDGE, COMMENT, BRIDGE, COMMENT);
}

/* Shared by all containers. Each of them completes what is missing. */
static void connect_internet(void)
{
	struct netlink nft;

	nl_open(&nft, NETLINK_NETFILTER);
	/* The kernel treats 2 like 1, so 2 marks that we turned forwarding on.
	 * If Docker or sysctl(8) writes 1 in the meantime, we leave it on. */
	change_setting(IP_FORWARD, '0', "2");
	/* A new link gets conf/default/forwarding, which may be 0. */
	change_setting(BRIDGE_FORWARDING, '0', "1");
	add_rules(&nft);
	accept_in_iptables(&nft);
}

/* systemd-resolved listens on 127.0.0.53, but that address in the container is
 * not the host's. The servers that it forwards to are in another file. */
static int open_resolv_conf(void)
{
	const char *path = "/etc/resolv.conf";
	char text[4096] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd != -1 && pread(fd, text, sizeof(text) - 1, 0) > 0 &&
	    strstr(text, "nameserver 127.0.0.53") != NULL) {
		path = "/run/systemd/resolve/resolv.conf";
		close(fd);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd == -1)
		warn("no DNS in the container: open %s", path);
	else
		trace("exec 8<%s", path);
	return fd;
}

/* After pivot_root, so that no link in the image can lead to a host's file. */
static void write_resolv_conf(int from)
{
	int to;

	if (from == -1)
		return;
	unlink("/etc/resolv.conf");
	to = open("/etc/resolv.conf", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		  0644);
	if (to == -1 || sendfile(to, from, NULL, 65536) == -1)
		warn("no DNS in the container: write /etc/resolv.conf");
	else
		trace("rm -f /etc/resolv.conf; cat <&8 >/etc/resolv.conf");
}

/* The last container gets the exclusive lock and removes what all have shared.
 * One request deletes all links, as the kernel waits 20 ms for each request. */
static void leave_network(int lock)
{
	struct netlink host, nft;
	struct ifinfomsg *header;
	uint64_t handle;
	int result;

	if (flock(lock, LOCK_EX | LOCK_NB) == -1) {
		if (errno == EWOULDBLOCK)
			return;
		err(EXIT_LAUNCHER, "flock --exclusive --nonblock");
	}
	change_setting(IP_FORWARD, '2', "0");
	nl_open(&host, NETLINK_ROUTE);
	header = nl_begin(&host, RTM_NEWLINK, 0, sizeof(*header));
	header->ifi_index = BRIDGE_INDEX;
	nl_put_u32(&host, IFLA_GROUP, PORT_GROUP);
	nl_begin(&host, RTM_DELLINK, 0, sizeof(*header));
	nl_put_u32(&host, IFLA_GROUP, PORT_GROUP);
	result = nl_send(&host, NULL);
	if (result == 0 || errno != ENODEV) /* somebody has deleted them */
		must(result, "ip link set %s group %d; ip link del group %d",
		     BRIDGE, PORT_GROUP, PORT_GROUP);
	nl_open(&nft, NETLINK_NETFILTER);
	nft_begin(&nft);
	nft_add_table(&nft, BRIDGE);
	nft_delete_table(&nft, BRIDGE);
	must(nft_commit(&nft), "nft delete table ip " BRIDGE);
	while ((handle = nft_find_rule(&nft, "filter", "FORWARD", COMMENT))) {
		nft_begin(&nft);
		nft_delete_rule(&nft, "filter", "FORWARD", handle);
		must(nft_commit(&nft),
		     "nft delete rule ip filter FORWARD handle %ju",
		     (uintmax_t)handle);
	}
}

static _Noreturn void run_command(void)
{
	const char *term = getenv("TERM");

	/* The caller's umask and environment describe the host. */
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

static _Noreturn void container_main(const int pipe_ends[2])
{
	struct netlink host;
	int resolv_conf;

	die_with_launcher(pipe_ends);
	nl_open(&host, NETLINK_ROUTE);
	if (!user) {
		create_bridge(&host); /* part 1 */
		connect_internet();   /* part 2 */
	}
	side = "container";
	resolv_conf = open_resolv_conf(); /* part 2 */
	enter_namespaces();
	set_hostname();
	mount_writable();
	mount_overlay();
	mount_dev();
	mount_sys();
	mount_proc();
	enter_root();
	connect_network(&host);		/* part 1 */
	write_resolv_conf(resolv_conf); /* part 2 */
	run_command();
}

/* Blocked signals wait for sigwait(3): none can end the launcher before it has
 * removed the network. Those that the caller ignores stay ignored. */
static void block_signals(sigset_t *signals)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action;

	sigemptyset(signals);
	sigaddset(signals, SIGCHLD);
	for (int i = 0; i < 3; i++)
		if (sigaction(numbers[i], NULL, &action) == 0 &&
		    action.sa_handler != SIG_IGN)
			sigaddset(signals, numbers[i]);
	sigprocmask(SIG_BLOCK, signals, NULL);
	signal(SIGCHLD, SIG_DFL); /* if ignored, waitpid(2) gets no status */
}

/* A shell inside took the terminal, and cannot name our process group. */
static void take_terminal_back(void)
{
	const pid_t owner = tcgetpgrp(STDIN_FILENO);

	signal(SIGTTOU, SIG_IGN); /* which would stop us in tcsetpgrp(3) */
	if (owner > 0 && kill(-owner, 0) == -1 && errno == ESRCH)
		tcsetpgrp(STDIN_FILENO, getpgrp());
}

/* Returns the exit status of the command: 128+N if signal N killed it. */
static int wait_for_exit(pid_t pid, const sigset_t *signals)
{
	int result, status, signal_number;

	while ((result = waitpid(pid, &status, WNOHANG)) == 0) {
		sigwait(signals, &signal_number);
		if (signal_number != SIGCHLD)
			kill(pid, SIGKILL);
	}
	must(result, "wait %d", pid);
	take_terminal_back();
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

int main(int argc, char *argv[])
{
	int lock, pipe_ends[2], status;
	sigset_t signals;
	pid_t pid;

	/* A directory that the caller left open would be a way out. */
	must((int)syscall(SYS_close_range, 3, ~0U, 0), "close_range 3");
	parse_options(argc, argv);
	/* Each launcher shares this lock, on the host's network namespace,
	 * until it exits or is killed. */
	lock = must(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC),
		    "exec 9</proc/self/ns/net");
	if (user)
		enter_user_namespace();
	else
		must(flock(lock, LOCK_SH), "flock --shared 9");
	block_signals(&signals);
	/* A process keeps its PID for life: the next child will be PID 1. */
	must(unshare(CLONE_NEWPID), "unshare --pid --fork");
	if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) == -1)
		err(EXIT_LAUNCHER, "pipe");
	pid = fork();
	if (pid == -1)
		err(EXIT_LAUNCHER, "fork");
	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, &signals, NULL);
		container_main(pipe_ends);
	}
	status = wait_for_exit(pid, &signals);
	if (!user)
		leave_network(lock);
	return status;
}
