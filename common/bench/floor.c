/* SPDX-License-Identifier: MIT */
/*
 * floor - what a container of step 07 costs at least: the same changes, bare
 *
 * Asks the kernel for each thing that step 07 asks for, in the same order, and
 * for no more: no options, no look at what is there, no address but 10.200.0.2,
 * no error handling but to give up. So the difference is what those cost.
 *
 *     # floor ROOTFS COMMAND [ARG...]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netlink.h"
#include "nftables.h"

#define TRY(call)                                                              \
	do {                                                                   \
		if ((call) == -1)                                              \
			err(125, "%s", #call);                                 \
	} while (0)

static const unsigned char bridge_mac[] = {2, 0x42, 10, 200, 0, 1};
static const unsigned char port_mac[] = {6, 0x42, 10, 200, 0, 2};
static const unsigned char peer_mac[] = {2, 0x42, 10, 200, 0, 2};

static void must(struct netlink *nl, const char *description)
{
	if (!nl_done(nl, "%s", description))
		exit(125);
}

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	TRY(fd);
	TRY(write(fd, text, strlen(text)));
	close(fd);
}

static struct ifinfomsg *begin_link(struct netlink *nl, uint16_t type,
				    uint16_t flags, const char *name)
{
	struct ifinfomsg *link;

	nl_begin(nl, type, flags);
	link = nl_reserve(nl, sizeof(*link));
	if (name != NULL)
		nl_put_str(nl, IFLA_IFNAME, name);
	return link;
}

static void set_up(struct netlink *nl, const char *name)
{
	struct ifinfomsg *link = begin_link(nl, RTM_NEWLINK, 0, name);

	link->ifi_flags = link->ifi_change = IFF_UP;
	must(nl, "up");
}

static void add_address(struct netlink *nl, const char *name, const char *text)
{
	struct in_addr address = {inet_addr(text)};
	struct ifaddrmsg *message;

	nl_begin(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	message = nl_reserve(nl, sizeof(*message));
	message->ifa_family = AF_INET;
	message->ifa_prefixlen = 24;
	message->ifa_index = if_nametoindex(name);
	nl_put(nl, IFA_LOCAL, &address, sizeof(address));
	nl_put(nl, IFA_ADDRESS, &address, sizeof(address));
	must(nl, "address");
}

static void add_bridge(struct netlink *nl)
{
	static const char alias[] = "floor";
	struct rtattr *info;

	begin_link(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "cbr0");
	nl_put(nl, IFLA_ADDRESS, bridge_mac, sizeof(bridge_mac));
	info = nl_nest(nl, IFLA_LINKINFO);
	nl_put_str(nl, IFLA_INFO_KIND, "bridge");
	nl_nest_end(nl, info);
	begin_link(nl, RTM_NEWLINK, 0, "cbr0");
	nl_put(nl, IFLA_IFALIAS, alias, sizeof(alias) - 1);
	must(nl, "bridge");
	add_address(nl, "cbr0", "10.200.0.1");
	put_file("/proc/sys/net/ipv4/conf/cbr0/forwarding", "1");
	put_file("/proc/sys/net/ipv4/conf/eth0/forwarding", "1");
}

static void add_rule(struct netlink *nft, uint32_t key)
{
	struct rtattr *rule = nft_add_rule(nft, "cbr0", "forward");

	nft_meta(nft, key);
	nft_cmp_name(nft, NFT_CMP_EQ, "cbr0");
	nft_immediate(nft, key == NFT_META_IIFNAME ? NF_ACCEPT : NF_DROP);
	nl_nest_end(nft, rule);
}

static void add_table(struct netlink *nft)
{
	struct rtattr *rule;

	nft_begin(nft);
	nft_add_table(nft, "cbr0");
	nft_add_chain(nft, "cbr0", "postrouting", "nat", NF_INET_POST_ROUTING,
		      NF_IP_PRI_NAT_SRC);
	rule = nft_add_rule(nft, "cbr0", "postrouting");
	nft_payload(nft, offsetof(struct iphdr, saddr));
	nft_bitwise(nft, htonl(0xffffff00));
	nft_cmp(nft, NFT_CMP_EQ, inet_addr("10.200.0.0"));
	nft_meta(nft, NFT_META_OIFNAME);
	nft_cmp_name(nft, NFT_CMP_NEQ, "cbr0");
	nft_masq(nft);
	nl_nest_end(nft, rule);
	nft_add_chain(nft, "cbr0", "forward", "filter", NF_INET_FORWARD,
		      NF_IP_PRI_FILTER);
	add_rule(nft, NFT_META_IIFNAME);
	rule = nft_add_rule(nft, "cbr0", "forward");
	nft_meta(nft, NFT_META_OIFNAME);
	nft_cmp_name(nft, NFT_CMP_EQ, "cbr0");
	nft_ct(nft, NFT_CT_STATE);
	nft_bitwise(nft, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) |
				 NF_CT_STATE_BIT(IP_CT_RELATED));
	nft_cmp(nft, NFT_CMP_NEQ, 0);
	nft_immediate(nft, NF_ACCEPT);
	nl_nest_end(nft, rule);
	add_rule(nft, NFT_META_OIFNAME);
	nft_commit(nft);
	must(nft, "table");
}

static void add_veth(struct netlink *nl, pid_t pid)
{
	struct rtattr *info, *data, *peer;
	struct ifinfomsg *link;
	char path[32];
	int netns;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	TRY(netns);
	link = begin_link(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "cbr0-2");
	link->ifi_flags = link->ifi_change = IFF_UP;
	nl_put(nl, IFLA_ADDRESS, port_mac, sizeof(port_mac));
	nl_put_u32(nl, IFLA_MASTER, if_nametoindex("cbr0"));
	info = nl_nest(nl, IFLA_LINKINFO);
	nl_put_str(nl, IFLA_INFO_KIND, "veth");
	data = nl_nest(nl, IFLA_INFO_DATA);
	peer = nl_nest(nl, VETH_INFO_PEER);
	nl_reserve(nl, sizeof(*link));
	nl_put_str(nl, IFLA_IFNAME, "eth0");
	nl_put(nl, IFLA_ADDRESS, peer_mac, sizeof(peer_mac));
	nl_put_u32(nl, IFLA_NET_NS_FD, (uint32_t)netns);
	nl_nest_end(nl, peer);
	nl_nest_end(nl, data);
	nl_nest_end(nl, info);
	must(nl, "veth");
	close(netns);
}

static void mount_root(const char *rootfs)
{
	static const char *const devices[] = {"null",	"zero",	   "full",
					      "random", "urandom", "tty"};
	char options[4096], host[32], here[32];

	snprintf(options, sizeof(options),
		 "lowerdir=%s,upperdir=upper,workdir=work", rootfs);
	TRY(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	TRY(mount("tmpfs", "/tmp", "tmpfs", 0, "mode=0755"));
	TRY(chdir("/tmp"));
	TRY(mkdir("upper", 0755));
	TRY(mkdir("work", 0755));
	TRY(mkdir("merged", 0755));
	TRY(mount("overlay", "merged", "overlay", 0, options));
	TRY(chdir("merged"));
	TRY(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755"));
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		snprintf(host, sizeof(host), "/dev/%s", devices[i]);
		snprintf(here, sizeof(here), "dev/%s", devices[i]);
		put_file(here, "");
		TRY(mount(host, here, NULL, MS_BIND, NULL));
	}
	TRY(mkdir("dev/pts", 0755));
	TRY(mkdir("dev/shm", 0755));
	TRY(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666"));
	TRY(mount("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, NULL));
	TRY(symlink("pts/ptmx", "dev/ptmx"));
	TRY(symlink("/proc/self/fd", "dev/fd"));
	TRY(symlink("fd/0", "dev/stdin"));
	TRY(symlink("fd/1", "dev/stdout"));
	TRY(symlink("fd/2", "dev/stderr"));
	TRY(mount("sysfs", "sys", "sysfs", MS_RDONLY, NULL));
	TRY(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL));
	put_file("etc/resolv.conf", "nameserver 198.51.100.1\n");
	TRY(syscall(SYS_pivot_root, ".", "."));
	TRY(umount2(".", MNT_DETACH));
	TRY(chdir("/"));
}

static void wait_for(int other)
{
	char byte;

	TRY(read(other, &byte, 1));
}

static void run_inside(int host, char *argv[])
{
	const struct sockaddr_nl links = {.nl_family = AF_NETLINK,
					  .nl_groups = RTMGRP_LINK};
	struct in_addr gateway = {inet_addr("10.200.0.1")};
	struct netlink nl;
	struct rtmsg *route;
	char news[8192];
	int fd;

	TRY(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
		    CLONE_NEWCGROUP));
	TRY(sethostname("container", 9));
	mount_root(argv[1]);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	TRY(bind(fd, (const struct sockaddr *)&links, sizeof(links)));
	TRY(write(host, "", 1));
	wait_for(host);
	nl_open(&nl, NETLINK_ROUTE);
	set_up(&nl, "lo");
	add_address(&nl, "eth0", "10.200.0.2");
	set_up(&nl, "eth0");
	/* Any news of eth0 but that it is there: it has a carrier now. */
	for (int state = 0; state != 6;) {
		ssize_t size = recv(fd, news, sizeof(news), 0);
		struct nl_bytes attrs = {
			news + NLMSG_SPACE(sizeof(struct ifinfomsg)),
			(int)size - (int)NLMSG_SPACE(sizeof(struct ifinfomsg)),
		};

		attrs = nl_attr(attrs, IFLA_OPERSTATE);
		state = attrs.length == 1 ? *(char *)attrs.data : 0;
	}
	TRY(write(host, "", 1));
	wait_for(host);
	nl_begin(&nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	route = nl_reserve(&nl, sizeof(*route));
	route->rtm_family = AF_INET;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_BOOT;
	route->rtm_type = RTN_UNICAST;
	nl_put(&nl, RTA_GATEWAY, &gateway, sizeof(gateway));
	must(&nl, "route");
	execvp(argv[2], argv + 2);
	err(127, "%s", argv[2]);
}

static void undo(struct netlink *nl, struct netlink *nft)
{
	begin_link(nl, RTM_DELLINK, 0, "cbr0-2");
	nl_try(nl); /* It may have gone with the namespace. */
	put_file("/proc/sys/net/ipv4/conf/eth0/forwarding", "0");
	nft_begin(nft);
	nft_delete_table(nft, "cbr0");
	nft_commit(nft);
	must(nft, "delete");
	begin_link(nl, RTM_DELLINK, 0, "cbr0");
	must(nl, "delete");
}

int main(int argc, char *argv[])
{
	static struct netlink nl, nft;
	int ends[2], status;
	pid_t pid;

	if (argc < 3)
		errx(2, "usage: floor ROOTFS COMMAND [ARG...]");
	nl_open(&nl, NETLINK_ROUTE);
	nl_open(&nft, NETLINK_NETFILTER);
	TRY(unshare(CLONE_NEWPID));
	TRY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	pid = fork();
	TRY(pid);
	if (pid == 0)
		run_inside(ends[1], argv);
	wait_for(ends[0]);
	add_bridge(&nl);
	add_table(&nft);
	add_veth(&nl, pid);
	TRY(write(ends[0], "", 1));
	wait_for(ends[0]);
	set_up(&nl, "cbr0");
	TRY(write(ends[0], "", 1));
	TRY(waitpid(pid, &status, 0));
	undo(&nl, &nft);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
