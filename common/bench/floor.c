// SPDX-License-Identifier: MIT
/*
 * floor - the least that a step's container can cost: its system calls alone
 *
 *	# floor 5 rootfs/tiny-linux true
 *
 * Makes the changes that step N makes, without options, checks, lock, traces.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include "netlink.h"
#include "nftables.h"

#define TRY(call) ((call) == -1 ? err(125, "%s", #call) : (void)0)

#define GROUP 10200

static const char *rootfs, *host_if;
static int bridge; /* the index of cbr0 */
static int step;

static void set_ip_forward(const char *value)
{
	int fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);

	TRY(write(fd, value, 1));
}

static void mount_overlay(void)
{
	char options[4096];

	snprintf(options, sizeof(options),
		 "lowerdir=%s,upperdir=/dev/shm/u,workdir=/dev/shm/w", rootfs);
	TRY(mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=0755"));
	TRY(mkdir("/dev/shm/u", 0755) | mkdir("/dev/shm/w", 0755));
	TRY(mount("overlay", "/dev/shm", "overlay", 0, options));
	TRY(chdir("/dev/shm"));
}

static void mount_dev(void)
{
	static const char *const devices[] = {"/dev/null",    "/dev/zero",
					      "/dev/full",    "/dev/random",
					      "/dev/urandom", "/dev/tty"};

	TRY(mount("tmpfs", "dev", "tmpfs", 0, "mode=0755"));
	for (int i = 0; i < 6; i++) {
		TRY(mknod(devices[i] + 1, S_IFREG | 0666, 0));
		TRY(mount(devices[i], devices[i] + 1, NULL, MS_BIND, NULL));
	}
	TRY(symlink("/proc/self/fd", "dev/fd") | symlink("fd/0", "dev/stdin") |
	    symlink("fd/1", "dev/stdout") | symlink("fd/2", "dev/stderr") |
	    symlink("pts/ptmx", "dev/ptmx"));
	TRY(mkdir("dev/shm", 0755) | mkdir("dev/pts", 0755));
	TRY(mount("devpts", "dev/pts", "devpts", 0, "ptmxmode=0666"));
}

static void add_link(struct netlink *nl, const char *name, const char *kind)
{
	struct rtattr *info, *data, *peer;

	nl_begin(nl, RTM_NEWLINK, NLM_F_CREATE, sizeof(struct ifinfomsg));
	nl_put_str(nl, IFLA_IFNAME, name);
	nl_put_u32(nl, IFLA_GROUP, GROUP);
	info = nl_nest(nl, IFLA_LINKINFO);
	nl_put_str(nl, IFLA_INFO_KIND, kind);
	if (strcmp(kind, "veth") == 0) {
		data = nl_nest(nl, IFLA_INFO_DATA);
		peer = nl_nest(nl, VETH_INFO_PEER);
		nl_append(nl, sizeof(struct ifinfomsg));
		nl_put_str(nl, IFLA_IFNAME, "eth0");
		nl_put_u32(nl, IFLA_NET_NS_PID, (uint32_t)getpid());
		nl_nest_end(nl, peer);
		nl_nest_end(nl, data);
	}
	nl_nest_end(nl, info);
	if (bridge != 0)
		nl_put_u32(nl, IFLA_MASTER, (uint32_t)bridge);
	TRY(nl_send(nl, NULL));
}

/* ip addr add IP/24 dev NAME, unless IP is NULL; ip link set NAME up */
static void set_up(struct netlink *nl, const char *name, int index,
		   const char *ip)
{
	in_addr_t number = ip == NULL ? 0 : inet_addr(ip);
	struct ifaddrmsg *address;
	struct ifinfomsg *link;

	if (number != 0) {
		address = nl_begin(nl, RTM_NEWADDR, NLM_F_CREATE,
				   sizeof(*address));
		address->ifa_family = AF_INET;
		address->ifa_prefixlen = 24;
		address->ifa_index = (unsigned int)index;
		nl_put(nl, IFA_LOCAL, &number, sizeof(number));
	}
	link = nl_begin(nl, RTM_NEWLINK, 0, sizeof(*link));
	link->ifi_flags = link->ifi_change = IFF_UP;
	nl_put_str(nl, IFLA_IFNAME, name);
	TRY(nl_send(nl, NULL));
}

/* Their expressions take microseconds; the chains and the first NAT do not. */
static void add_rules(void)
{
	struct rtattr *rule;
	struct netlink nft;

	nl_open(&nft, NETLINK_NETFILTER);
	nft_begin(&nft);
	nft_add_table(&nft, "cbr0");
	nft_add_chain(&nft, "cbr0", "postrouting", "nat", NF_INET_POST_ROUTING,
		      NF_IP_PRI_NAT_SRC);
	nft_add_chain(&nft, "cbr0", "forward", "filter", NF_INET_FORWARD,
		      NF_IP_PRI_FILTER);
	rule = nft_add_rule(&nft, "cbr0", "postrouting");
	nft_masq(&nft);
	nl_nest_end(&nft, rule);
	TRY(nft_commit(&nft));
}

static void connect_network(struct netlink *host)
{
	struct netlink nl;
	struct rtmsg *route;
	in_addr_t gateway = inet_addr("10.200.0.1");
	const char *last = step == 7 ? "cbr0" : host_if;

	nl_open(&nl, NETLINK_ROUTE);
	set_up(&nl, "lo", 1, NULL);
	add_link(host, host_if, "veth");
	set_up(host, host_if, 0, NULL);
	set_up(&nl, "eth0", nl_get_link(&nl, "eth0").index, "10.200.0.2");
	route = nl_begin(&nl, RTM_NEWROUTE, NLM_F_CREATE, sizeof(*route));
	route->rtm_family = AF_INET;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_type = RTN_UNICAST;
	nl_put(&nl, RTA_GATEWAY, &gateway, sizeof(gateway));
	TRY(nl_send(&nl, NULL));
	while (nl_get_link(host, last).operstate != IF_OPER_UP)
		usleep(1000);
}

static void run_inside(char *command[])
{
	struct netlink host;

	if (step >= 4)
		TRY(prctl(PR_SET_PDEATHSIG, SIGKILL));
	if (step >= 6)
		nl_open(&host, NETLINK_ROUTE);
	if (step == 7) {
		add_link(&host, "cbr0", "bridge");
		bridge = nl_get_link(&host, "cbr0").index;
		set_up(&host, "cbr0", bridge, "10.200.0.1");
		set_ip_forward("2");
		add_rules();
	}
	if (step >= 3) {
		TRY(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC |
			    CLONE_NEWNET | CLONE_NEWCGROUP));
		TRY(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		TRY(sethostname("container", 9));
	}
	if (step >= 5) {
		mount_overlay();
		mount_dev();
		TRY(mount("sysfs", "sys", "sysfs", MS_RDONLY, NULL));
		TRY(mount("proc", "proc", "proc", 0, NULL));
		TRY(syscall(SYS_pivot_root, ".", "."));
		TRY(umount2(".", MNT_DETACH));
		TRY(chdir("/"));
	} else {
		TRY(chdir(rootfs));
		TRY(chroot("."));
		if (step >= 2)
			TRY(mount("proc", "proc", "proc", 0, NULL));
	}
	if (step >= 6)
		connect_network(&host);
	execvp(command[0], command);
	err(127, "%s", command[0]);
}

static void undo(void)
{
	struct netlink nl;

	nl_open(&nl, NETLINK_NETFILTER);
	nft_begin(&nl);
	nft_delete_table(&nl, "cbr0");
	TRY(nft_commit(&nl));
	nl_open(&nl, NETLINK_ROUTE);
	nl_begin(&nl, RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	nl_put_u32(&nl, IFLA_GROUP, GROUP);
	TRY(nl_send(&nl, NULL));
	set_ip_forward("0");
}

int main(int argc, char *argv[])
{
	pid_t pid = 0;
	int status;

	step = argc > 3 ? atoi(argv[1]) : 0;
	rootfs = argv[2];
	host_if = step == 7 ? "cbr0-2" : "veth-host";
	if (step >= 4)
		TRY(unshare(CLONE_NEWPID));
	if (step >= 2)
		TRY(pid = fork());
	if (pid == 0)
		run_inside(argv + 3);
	TRY(waitpid(pid, &status, 0));
	if (step == 2)
		TRY(chdir(rootfs) | umount2("proc", MNT_DETACH));
	if (step == 7)
		undo();
	return status != 0;
}
