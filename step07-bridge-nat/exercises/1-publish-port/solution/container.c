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
 * Read: bridge(8), nft(8), ip-sysctl.rst (kernel), resolv.conf(5), flock(2),
 * ../common/nftables.h
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <linux/veth.h>
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
#define SUBNET	"10.200.0.0"
#define HOST_IP "10.200.0.1" /* the bridge's address, and the gateway */
#define CONT_IF "eth0"

/* Numbers by which to know our links on the host: the bridge's index, and the
 * group of its ports, `ip link show group 10200`. */
#define BRIDGE_INDEX 10200001
#define PORT_GROUP   10200

/* The comment that marks our rules in a chain of others. */
#define COMMENT "containers-from-scratch"

#define IP_FORWARD "/proc/sys/net/ipv4/ip_forward"

static const char usage[] =
	"Usage: container [OPTION...] LAYER[:LAYER...] [COMMAND [ARG...]]\n"
	"Runs COMMAND, by default /bin/sh, in a container.\n"
	"  -p IP:PORT:PORT  publish a port, as PORT of the host's address IP\n"
	"  -U      in a user namespace: needs no root\n"
	"  -w DIR  keep what the container writes in DIR/upper\n"
	"  -v      print the shell commands that do the same\n"
	"  -h      print this help\n";

static char *layers, *writable, **command;
static bool user;	 /* -U */
static char host_ip[16]; /* -p */
static unsigned short host_port, container_port;

static void exit_with_usage(int option)
{
	fputs(usage, option == 'h' ? stdout : stderr);
	exit(option == 'h' ? EXIT_SUCCESS : EXIT_LAUNCHER);
}

static void parse_port(const char *argument)
{
	char end;

	if (sscanf(argument, "%15[0-9.]:%hu:%hu%c", host_ip, &host_port,
		   &container_port, &end) != 3)
		errx(EXIT_LAUNCHER, "-p %s: not IP:PORT:PORT", argument);
}

static void parse_options(int argc, char *argv[])
{
	static char shell[] = "/bin/sh";
	static char *default_command[] = {shell, NULL};
	int option;

	while ((option = getopt(argc, argv, "+p:Uw:vh")) != -1) {
		if (option == 'v')
			verbose = true;
		else if (option == 'U')
			user = true;
		else if (option == 'p')
			parse_port(optarg);
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

/* When PID 1 exits, the kernel kills the rest of its PID namespace. So nothing
 * outlives the launcher if PID 1 does not. Only the launcher keeps the writing
 * end of this pipe open. */
static void die_with_launcher(const int pipe_ends[2])
{
	char byte;

	close(pipe_ends[1]);
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "unshare --kill-child");
	/* A launcher that died before that sends no signal: end of file. */
	if (read(pipe_ends[0], &byte, 1) == 0)
		exit(EXIT_LAUNCHER);
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

static int make_directory(const char *path)
{
	return mkdir(path, 0755) == -1 && errno != EEXIST ? -1 : 0;
}

/* Where the container writes: a tmpfs, which disappears with the container, or
 * the directory of -w. Any directory of the host would do as its mount
 * point. */
static void mount_writable(void)
{
	if (writable == NULL)
		must(mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=0755"),
		     "mount -t tmpfs -o mode=0755 tmpfs /dev/shm");
	else
		must(mount(writable, "/dev/shm", NULL, MS_BIND, NULL),
		     "mount --bind '%s' /dev/shm", writable);
	umask(0);
	must(make_directory("/dev/shm/upper"), "mkdir -p /dev/shm/upper");
	must(make_directory("/dev/shm/work"), "mkdir -p /dev/shm/work");
}

/* The layers are not changed. To write to a file of theirs, overlayfs first
 * copies it to upper; to delete it, it puts a mark there. */
static void mount_overlay(void)
{
	const char *userxattr = "";
	char options[4096];

	/* The marks are trusted.* attributes, which need root on the host, or
	 * user.* attributes. To remove one that is not there changes nothing,
	 * and tells whether trusted.* is allowed. */
	if (removexattr("/dev/shm/upper", "trusted.x") == -1 && errno == EPERM)
		userxattr = "userxattr,";
	/* The kernel reads 4095 bytes. As workdir is the last option, a longer
	 * list of layers is an error. */
	snprintf(options, sizeof(options),
		 "%supperdir=/dev/shm/upper,lowerdir=%s,workdir=/dev/shm/work",
		 userxattr, layers);
	hint = "dmesg may say why";
	must(mount("overlay", "/dev/shm", "overlay", 0, options),
	     "mount -t overlay -o '%s' overlay /dev/shm", options);
	must(chdir("/dev/shm"), "cd /dev/shm");
}

/* mount(2) follows symbolic links, and the host's root is still there: an image
 * whose /proc is a link to /etc would cover the host's /etc. */
static void make_mount_point(const char *name)
{
	must(make_directory(name), "mkdir -p %s", name);
	must(open(name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
	     "test ! -L %s", name);
}

/* A device of the host: in a user namespace, mknod(2) cannot create any. */
static void bind_device(const char *name)
{
	char host[32], *here = host + 1;

	snprintf(host, sizeof(host), "/dev/%s", name);
	must(mknod(here, S_IFREG | 0666, 0), "touch %s", here);
	must(mount(host, here, NULL, MS_BIND, NULL), "mount --bind %s %s", host,
	     here);
}

static void mount_dev(void)
{
	static const char *const devices[] = {"null",	"zero",	   "full",
					      "random", "urandom", "tty"};

	make_mount_point("dev");
	must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755"),
	     "mount -t tmpfs -o nosuid,noexec,mode=0755 tmpfs dev");
	for (int i = 0; i < 6; i++)
		bind_device(devices[i]);
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

/* chroot(2) changes where this process looks up "/". pivot_root(2) makes the
 * overlay the root mount of the mount namespace, and stacks the old root mount
 * on top of it. Once that is unmounted, no path leads to the host's files. */
static void enter_root(void)
{
	must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root . .");
	must(umount2(".", MNT_DETACH), "umount -l .");
}

/* Creates one end on the host, as a port of the bridge, and one in this
 * process's network namespace. Others remember for a while which MAC address an
 * IP address has. So it is made from the IP address, as Docker does, and stays
 * the same for every container that gets this address. */
static int create_veth(struct netlink *host, const char *name, int n)
{
	const unsigned char mac[] = {0x02, 0x42, 10, 200, 0, (unsigned char)n};
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
	nl_put(host, IFLA_ADDRESS, mac, sizeof(mac));
	/* 1: the kernel looks it up in the PID namespace of this process. */
	nl_put_u32(host, IFLA_NET_NS_PID, (uint32_t)getpid());
	nl_nest_end(host, peer);
	nl_nest_end(host, data);
	nl_nest_end(host, info);
	return nl_send(host, NULL);
}

/* The name of the host's end is the lease: who has cbr0-5 has 10.200.0.5. Only
 * one container can create a link of that name, and the kernel removes it when
 * the container is gone, however that came about. */
static void lease_address(struct netlink *host, char name[32], char ip[32])
{
	int n, result;

	for (n = 2; n < 255; n++) {
		snprintf(name, 32, BRIDGE "-%d", n);
		snprintf(ip, 32, "10.200.0.%d", n);
		result = create_veth(host, name, n);
		if (result == 0 || errno != EEXIST)
			break;
	}
	if (n == 255)
		hint = "all 253 addresses are in use";
	must(result,
	     "ip link add %s group %d master " BRIDGE " type veth peer "
	     "name " CONT_IF " address 02:42:0a:c8:00:%02x "
	     "netns $CONTAINER_PID",
	     name, PORT_GROUP, n);
}

static void add_address(struct netlink *nl, const char *name, const char *ip)
{
	const struct in_addr address = {inet_addr(ip)};
	int index = nl_get_link(nl, name).index;
	struct ifaddrmsg *header = nl_begin(
		nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*header));

	header->ifa_family = AF_INET;
	header->ifa_prefixlen = 24;
	header->ifa_index = (unsigned int)index;
	nl_put(nl, IFA_LOCAL, &address, sizeof(address));
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
	const struct in_addr address = {inet_addr(gateway)};
	struct rtmsg *header = nl_begin(
		nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*header));

	header->rtm_family = AF_INET;
	header->rtm_table = RT_TABLE_MAIN;
	header->rtm_protocol = RTPROT_BOOT;
	header->rtm_type = RTN_UNICAST;
	nl_put(nl, RTA_GATEWAY, &address, sizeof(address));
	must(nl_send(nl, NULL), "ip route add default via %s", gateway);
}

/* A link that was just set up drops packets until the kernel has noticed that
 * the cable is connected: after some milliseconds, in rare cases a second. */
static void wait_for_carrier(struct netlink *nl, const char *name)
{
	int ms = 2000;

	while (nl_get_link(nl, name).operstate != IF_OPER_UP && ms-- > 0)
		usleep(1000);
}

/* Another container may have created it: then it has our index. Or somebody may
 * have deleted it while containers are connected: their ports are put back. */
static void create_bridge(struct netlink *host)
{
	const unsigned char mac[] = {0x02, 0x42, 10, 200, 0, 1};
	struct ifinfomsg *header = nl_begin(
		host, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*header));
	struct rtattr *info;
	int result;

	header->ifi_index = BRIDGE_INDEX;
	nl_put_str(host, IFLA_IFNAME, BRIDGE);
	nl_put(host, IFLA_ADDRESS, mac, sizeof(mac));
	info = nl_nest(host, IFLA_LINKINFO);
	nl_put_str(host, IFLA_INFO_KIND, "bridge");
	nl_nest_end(host, info);
	result = nl_send(host, NULL);
	if (result == 0 || errno != EEXIST ||
	    nl_get_link(host, BRIDGE).index != BRIDGE_INDEX)
		must(result,
		     "ip link add %s index %d address 02:42:0a:c8:00:01 "
		     "type bridge",
		     BRIDGE, BRIDGE_INDEX);
	nl_begin(host, RTM_NEWLINK, 0, sizeof(*header));
	nl_put_u32(host, IFLA_GROUP, PORT_GROUP);
	nl_put_u32(host, IFLA_MASTER, BRIDGE_INDEX);
	must(nl_send(host, NULL), "ip link set group %d master " BRIDGE,
	     PORT_GROUP);
	add_address(host, BRIDGE, HOST_IP);
	set_link_up(host, BRIDGE);
}

/* 2 has the same effect as 1, and tells that it was this program that turned
 * forwarding on. Docker and sysctl(8) write 1, and then it stays on. */
static void change_ip_forward(char from, const char *to)
{
	int fd = open(IP_FORWARD, O_RDONLY | O_CLOEXEC);
	char value;

	if (read(fd, &value, 1) == 1 && value == from)
		must(write_file(IP_FORWARD, to),
		     "sysctl -w net.ipv4.ip_forward=%s", to);
	close(fd);
}

/* Begins a rule for packets that have ADDRESS in SUBNET, whose other side is
 * not the bridge. */
static struct rtattr *begin_rule(struct netlink *nft, const char *chain,
				 uint32_t address, uint32_t interface)
{
	struct rtattr *rule = nft_add_rule(nft, BRIDGE, chain);
	const in_addr_t subnet = inet_addr(SUBNET);

	nft_payload(nft, address, 3);
	nft_cmp(nft, NFT_CMP_EQ, &subnet, 3);
	nft_cmp_name(nft, interface, NFT_CMP_NEQ, BRIDGE);
	return rule;
}

/* One batch: there is no moment without the rules, or with each of them twice,
 * if they are there already.
 * Replies from outside are addressed to the host, and NAT is done only after
 * the chain prerouting. So what is addressed to a container is no reply. */
static void add_rules(struct netlink *nft)
{
	struct rtattr *rule;

	nft_begin(nft);
	nft_add_table(nft, BRIDGE);
	nft_add_chain(nft, BRIDGE, "postrouting", "nat", NF_INET_POST_ROUTING,
		      NF_IP_PRI_NAT_SRC);
	nft_add_chain(nft, BRIDGE, "prerouting", "filter", NF_INET_PRE_ROUTING,
		      NF_IP_PRI_RAW);
	nft_flush_table(nft, BRIDGE);
	rule = begin_rule(nft, "postrouting", offsetof(struct iphdr, saddr),
			  NFT_META_OIFNAME);
	nft_masq(nft);
	nl_nest_end(nft, rule);
	rule = begin_rule(nft, "prerouting", offsetof(struct iphdr, daddr),
			  NFT_META_IIFNAME);
	nft_cmp_name(nft, NFT_META_IIFNAME, NFT_CMP_NEQ, "lo");
	nft_verdict(nft, NF_DROP);
	nl_nest_end(nft, rule);
	must(nft_commit(nft),
	     "nft -f - <<END\n"
	     "add table ip cbr0\n"
	     "add chain ip cbr0 postrouting "
	     "{ type nat hook postrouting priority srcnat; }\n"
	     "add chain ip cbr0 prerouting "
	     "{ type filter hook prerouting priority raw; }\n"
	     "flush table ip cbr0\n"
	     "add rule ip cbr0 postrouting "
	     "ip saddr 10.200.0.0/24 oifname != cbr0 masquerade\n"
	     "add rule ip cbr0 prerouting "
	     "ip daddr 10.200.0.0/24 iifname != cbr0 iifname != lo drop\n"
	     "END");
}

static void load_register(struct netlink *nft, uint32_t reg, const void *value,
			  size_t size)
{
	struct rtattr *element = nl_nest(nft, NFTA_LIST_ELEM), *data, *nest;

	nl_put_str(nft, NFTA_EXPR_NAME, "immediate");
	data = nl_nest(nft, NFTA_EXPR_DATA);
	nl_put_u32(nft, NFTA_IMMEDIATE_DREG, htonl(reg));
	nest = nl_nest(nft, NFTA_IMMEDIATE_DATA);
	nl_put(nft, NFTA_DATA_VALUE, value, size);
	nl_nest_end(nft, nest);
	nl_nest_end(nft, data);
	nl_nest_end(nft, element);
}

/* Begins a rule for TCP packets to a port of an address, without IP options. */
static struct rtattr *begin_port_rule(struct netlink *nft, const char *table,
				      const char *chain, const char *ip,
				      in_port_t port)
{
	struct rtattr *rule = nft_add_rule(nft, table, chain);
	const unsigned char tcp = IPPROTO_TCP;
	const in_addr_t address = inet_addr(ip);

	nft_payload(nft, offsetof(struct iphdr, protocol), 1);
	nft_cmp(nft, NFT_CMP_EQ, &tcp, 1);
	nft_payload(nft, offsetof(struct iphdr, daddr), 4);
	nft_cmp(nft, NFT_CMP_EQ, &address, 4);
	nft_payload(nft, sizeof(struct iphdr) + offsetof(struct tcphdr, dest),
		    2);
	nft_cmp(nft, NFT_CMP_EQ, &port, 2);
	return rule;
}

static void add_dnat(struct netlink *nft, const char *table, const char *chain,
		     const char *ip)
{
	struct rtattr *rule =
		begin_port_rule(nft, table, chain, host_ip, htons(host_port));
	const in_addr_t address = inet_addr(ip);
	const in_port_t port = htons(container_port);
	struct rtattr *element, *data;

	load_register(nft, NFT_REG_1, &address, sizeof(address));
	load_register(nft, NFT_REG_2, &port, sizeof(port));
	element = nl_nest(nft, NFTA_LIST_ELEM);
	nl_put_str(nft, NFTA_EXPR_NAME, "nat");
	data = nl_nest(nft, NFTA_EXPR_DATA);
	nl_put_u32(nft, NFTA_NAT_TYPE, htonl(NFT_NAT_DNAT));
	nl_put_u32(nft, NFTA_NAT_FAMILY, htonl(NFPROTO_IPV4));
	nl_put_u32(nft, NFTA_NAT_REG_ADDR_MIN, htonl(NFT_REG_1));
	nl_put_u32(nft, NFTA_NAT_REG_PROTO_MIN, htonl(NFT_REG_2));
	nl_nest_end(nft, data);
	nl_nest_end(nft, element);
	nl_nest_end(nft, rule);
}

/* The table belongs to the socket: the kernel deletes it when the launcher
 * exits or is killed. Its name is the lease of the port.
 * A neighbour's request also has to come from the bridge's address: otherwise
 * the reply would go directly to the neighbour, which does not expect it. */
static void publish_port(struct netlink *nft, const char *ip)
{
	const in_addr_t subnet = inet_addr(SUBNET);
	struct rtattr *rule;
	char table[32];

	snprintf(table, sizeof(table), BRIDGE "-%s-%d", host_ip, host_port);
	nft_begin(nft);
	nft_add_table(nft, table);
	nft->message->nlmsg_flags |= NLM_F_EXCL;
	nl_put_u32(nft, NFTA_TABLE_FLAGS, htonl(NFT_TABLE_F_OWNER));
	nft_add_chain(nft, table, "prerouting", "nat", NF_INET_PRE_ROUTING,
		      NF_IP_PRI_NAT_DST);
	nft_add_chain(nft, table, "output", "nat", NF_INET_LOCAL_OUT,
		      NF_IP_PRI_NAT_DST);
	nft_add_chain(nft, table, "postrouting", "nat", NF_INET_POST_ROUTING,
		      NF_IP_PRI_NAT_SRC);
	add_dnat(nft, table, "prerouting", ip);
	add_dnat(nft, table, "output", ip);
	rule = begin_port_rule(nft, table, "postrouting", ip,
			       htons(container_port));
	nft_payload(nft, offsetof(struct iphdr, saddr), 3);
	nft_cmp(nft, NFT_CMP_EQ, &subnet, 3);
	nft_masq(nft);
	nl_nest_end(nft, rule);
	hint = "is this port published already?";
	must(nft_commit(nft), "nft add table ip %s # %s:%d -> %s:%d", table,
	     host_ip, host_port, ip, container_port);
}

/* That our table accepts a packet does not help if another one drops it. Docker
 * and ufw drop in the chain that iptables(8) calls FORWARD. Where there is one,
 * accept the bridge's packets before its other rules see them. */
static void accept_in_iptables(struct netlink *nft)
{
	static const uint32_t keys[] = {NFT_META_IIFNAME, NFT_META_OIFNAME};
	struct rtattr *rule;
	int result;

	if (nft_find_rule(nft, "filter", "FORWARD", COMMENT) != 0)
		return;
	nft_begin(nft);
	for (int i = 0; i < 2; i++) {
		rule = nft_insert_rule(nft, "filter", "FORWARD", COMMENT);
		nft_cmp_name(nft, keys[i], NFT_CMP_EQ, BRIDGE);
		nft_verdict(nft, NF_ACCEPT);
		nl_nest_end(nft, rule);
	}
	result = nft_commit(nft);
	if (result == -1 && errno == ENOENT)
		return; /* there is no such chain */
	must(result, "nft -f - <<END\n"
		     "insert rule ip filter FORWARD iifname cbr0 accept "
		     "comment " COMMENT "\n"
		     "insert rule ip filter FORWARD oifname cbr0 accept "
		     "comment " COMMENT "\n"
		     "END");
}

/* What all containers share. Each of them sees to it that it is complete, so it
 * does not matter who starts first, or what others have removed meanwhile. */
static void share_network(struct netlink *host)
{
	struct netlink nft;

	nl_open(&nft, NETLINK_NETFILTER);
	create_bridge(host);
	change_ip_forward('0', "2");
	add_rules(&nft);
	accept_in_iptables(&nft);
}

/* HOST is a socket that was opened in the host's network namespace, and still
 * talks to it. A second socket talks to the container's. */
static void connect_network(struct netlink *host, struct netlink *ports)
{
	struct netlink container;
	char name[32], ip[32];

	nl_open(&container, NETLINK_ROUTE);
	set_link_up(&container, "lo");
	/* With -U, this is not root on the host's side. */
	if (user)
		return;
	side = "host";
	lease_address(host, name, ip);
	if (host_port != 0)
		publish_port(ports, ip);
	set_link_up(host, name);
	side = "container";
	add_address(&container, CONT_IF, ip);
	set_link_up(&container, CONT_IF);
	add_default_route(&container, HOST_IP);
	wait_for_carrier(host, name);
	wait_for_carrier(host, BRIDGE);
}

/* Deletes the link with INDEX, or if that is 0, all links of GROUP. */
static int delete_link(struct netlink *host, int index, uint32_t group)
{
	struct ifinfomsg *header =
		nl_begin(host, RTM_DELLINK, 0, sizeof(*header));

	header->ifi_index = index;
	nl_put_u32(host, IFLA_GROUP, group);
	return nl_send(host, NULL) == -1 && errno != ENODEV ? -1 : 0;
}

/* Removes what share_network() made, and the links of launchers that were
 * killed. The table is added first: to delete one that somebody has deleted
 * fails. */
static void remove_network(void)
{
	struct netlink host, nft;
	uint64_t handle;

	nl_open(&host, NETLINK_ROUTE);
	nl_open(&nft, NETLINK_NETFILTER);
	change_ip_forward('2', "0");
	must(delete_link(&host, 0, PORT_GROUP), "ip link del group %d",
	     PORT_GROUP);
	must(delete_link(&host, BRIDGE_INDEX, 0), "ip link del " BRIDGE);
	nft_begin(&nft);
	nft_add_table(&nft, BRIDGE);
	nft_delete_table(&nft, BRIDGE);
	must(nft_commit(&nft), "nft delete table ip " BRIDGE);
	while ((handle = nft_find_rule(&nft, "filter", "FORWARD", COMMENT))) {
		nft_begin(&nft);
		nft_delete_rule(&nft, "filter", "FORWARD", handle);
		must(nft_commit(&nft),
		     "nft delete rule ip filter FORWARD handle %ju",
		     (uintmax_t)be64toh(handle));
	}
}

/* systemd-resolved listens on 127.0.0.53, which in the container is not the
 * host. The servers that it asks are in a file of its own. */
static int open_resolv_conf(void)
{
	const char *path = "/run/systemd/resolve/resolv.conf";

	if (access(path, R_OK) == -1)
		path = "/etc/resolv.conf";
	must(0, "exec 8<%s", path);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* After pivot_root, so that no link in the image can lead to a host's file. */
static void write_resolv_conf(int from)
{
	int to;

	unlink("/etc/resolv.conf");
	to = open("/etc/resolv.conf", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		  0644);
	if (to == -1 || sendfile(to, from, NULL, 65536) == -1)
		warn("no DNS in the container: copy the host's resolv.conf");
	else
		must(0, "rm -f /etc/resolv.conf; cat <&8 >/etc/resolv.conf");
}

static void run_command(void)
{
	const char *term = getenv("TERM");

	/* The caller's umask and environment are for the host, not for here. */
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

static void container_main(const int pipe_ends[2], struct netlink *ports)
{
	struct netlink host;
	int resolv_conf;

	die_with_launcher(pipe_ends);
	nl_open(&host, NETLINK_ROUTE);
	if (!user)
		share_network(&host);
	side = "container";
	resolv_conf = open_resolv_conf();
	enter_namespaces();
	set_hostname();
	mount_writable();
	mount_overlay();
	mount_dev();
	mount_sys();
	mount_proc();
	enter_root();
	write_resolv_conf(resolv_conf);
	connect_network(&host, ports);
	run_command();
}

/* Blocked signals wait until wait_for_exit() looks: none can end the launcher
 * while the network still has to be removed. */
static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, signals, NULL);
	/* If the caller ignores it, the kernel does not send it. */
	signal(SIGCHLD, SIG_DFL);
}

/* Returns the exit status of the command: 128+N if signal N killed it. */
static int wait_for_exit(pid_t pid, const sigset_t *signals)
{
	int status, signal_number;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		sigwait(signals, &signal_number);
		if (signal_number != SIGCHLD)
			kill(pid, SIGKILL);
	}
	must(0, "wait %d", pid);
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

int main(int argc, char *argv[])
{
	int lock, pipe_ends[2], status;
	struct netlink ports;
	sigset_t signals;
	pid_t pid;

	/* A directory that the caller left open would be a way out. */
	must((int)syscall(SYS_close_range, 3, ~0U, 0), "close_range 3");
	parse_options(argc, argv);
	/* Each launcher holds this lock, shared, while it runs. The kernel
	 * drops it when the launcher exits or is killed. There is no file to
	 * leave behind: it is on the host's network namespace. */
	lock = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (user)
		enter_user_namespace();
	else
		must(flock(lock, LOCK_SH),
		     "exec 9</proc/self/ns/net; flock --shared 9");
	/* The container writes to it, and this process keeps it open. */
	nl_open(&ports, NETLINK_NETFILTER);
	block_signals(&signals);
	/* It is for the next child: this process keeps its PID. */
	must(unshare(CLONE_NEWPID), "unshare --pid --fork");
	if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) == -1)
		err(EXIT_LAUNCHER, "pipe");
	pid = fork();
	if (pid == -1)
		err(EXIT_LAUNCHER, "fork");
	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, &signals, NULL);
		container_main(pipe_ends, &ports);
	}
	status = wait_for_exit(pid, &signals);
	/* Only the last container gets the lock for itself. */
	if (!user && flock(lock, LOCK_EX | LOCK_NB) == 0)
		remove_network();
	return status;
}
