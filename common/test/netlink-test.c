// SPDX-License-Identifier: MIT
/*
 * netlink-test: the tests of netlink.h, one a run, for test-netlink.sh.
 *
 *	netlink-test TEST       exits 0 if what TEST says of netlink.c is true
 *	netlink-test emit NAME  prints the bytes of a request
 *	netlink-test decode     prints what the bytes on standard input mean
 *
 * The kernel is played by the other end of a pair of sockets, which has written
 * its answer before it is asked: the first request has the number 1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "netlink.h"

static struct netlink nl;

/* ---- Assertions ---- */

static void want(int true_or_not, int line, const char *text)
{
	if (true_or_not)
		return;
	printf("line %d: not so: %s\n", line, text);
	exit(1);
}

static void want_int(long got, long wanted, int line, const char *text)
{
	if (got == wanted)
		return;
	printf("line %d: %s is %ld, want %ld\n", line, text, got, wanted);
	exit(1);
}

static void want_text(const char *got, const char *wanted, int line,
		      const char *text)
{
	if (strcmp(got, wanted) == 0)
		return;
	printf("line %d: %s is '%s', want '%s'\n", line, text, got, wanted);
	exit(1);
}

#define WANT(what)	       want(what, __LINE__, #what)
#define WANT_INT(got, wanted)  want_int(got, wanted, __LINE__, #got)
#define WANT_TEXT(got, wanted) want_text(got, wanted, __LINE__, #got)

/* ---- Requests, and the bytes that they have to be ---- */

static void put_peer(void)
{
	struct rtattr *info, *data, *peer;

	info = nl_nest(&nl, IFLA_LINKINFO);
	nl_put_str(&nl, IFLA_INFO_KIND, "veth");
	data = nl_nest(&nl, IFLA_INFO_DATA);
	peer = nl_nest(&nl, VETH_INFO_PEER);
	nl_reserve(&nl, sizeof(struct ifinfomsg));
	nl_put_u32(&nl, IFLA_NET_NS_FD, 4);
	nl_put_str(&nl, IFLA_IFNAME, "veth-container");
	nl_nest_end(&nl, peer);
	nl_nest_end(&nl, data);
	nl_nest_end(&nl, info);
}

static void add_link(void)
{
	nl_begin(&nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	nl_reserve(&nl, sizeof(struct ifinfomsg));
	nl_put_str(&nl, IFLA_IFNAME, "veth-host");
	put_peer();
}

static void add_address(void)
{
	const struct in_addr address = {inet_addr("10.200.0.2")};
	struct ifaddrmsg *message;

	nl_begin(&nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	message = nl_reserve(&nl, sizeof(*message));
	message->ifa_family = AF_INET;
	message->ifa_prefixlen = 24;
	message->ifa_index = 3;
	nl_put(&nl, IFA_LOCAL, &address, sizeof(address));
	nl_put(&nl, IFA_ADDRESS, &address, sizeof(address));
}

static void set_up(void)
{
	struct ifinfomsg *message;

	nl_begin(&nl, RTM_NEWLINK, 0);
	message = nl_reserve(&nl, sizeof(*message));
	message->ifi_index = 3;
	message->ifi_flags = message->ifi_change = IFF_UP;
}

static void add_route(void)
{
	const struct in_addr gateway = {inet_addr("10.200.0.1")};
	struct rtmsg *message;

	nl_begin(&nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	message = nl_reserve(&nl, sizeof(*message));
	message->rtm_family = AF_INET;
	message->rtm_table = RT_TABLE_MAIN;
	message->rtm_protocol = RTPROT_BOOT;
	message->rtm_type = RTN_UNICAST;
	nl_put(&nl, RTA_GATEWAY, &gateway, sizeof(gateway));
}

/* As a little-endian machine has them. The last three are what ip(8) of
 * iproute2 6.1 sends. The first is too, except that ip does not say that a nest
 * is one (80 in the upper byte of its type) and that "veth" does not end in a
 * zero there (its length is 8). */
static const struct request {
	const char *name, *ip;
	void (*build)(void);
	const char *bytes;
} requests[] = {
	{"add-link",
	 "ip link add veth-host type veth peer name veth-container "
	 "netns /proc/self/ns/net",
	 add_link,
	 "74000000 1000 0506 01000000 00000000"		 /* nlmsghdr */
	 "00 00 0000 00000000 00000000 00000000"	 /* ifinfomsg */
	 "0e00 0300 766574682d686f737400 0000"		 /* IFNAME veth-host */
	 "4400 1280"					 /* LINKINFO */
	 "0900 0100 7665746800 000000"			 /*   KIND veth */
	 "3400 0280"					 /*   DATA */
	 "3000 0180"					 /*     PEER */
	 "00 00 0000 00000000 00000000 00000000"	 /*       ifinfomsg */
	 "0800 1c00 04000000"				 /*       NET_NS_FD */
	 "1300 0300 766574682d636f6e7461696e657200 00"}, /*       IFNAME */
	{"add-address", "ip addr add 10.200.0.2/24 dev veth-host", add_address,
	 "28000000 1400 0506 01000000 00000000" /* nlmsghdr */
	 "02 18 00 00 03000000"			/* ifaddrmsg */
	 "0800 0200 0ac80002"			/* LOCAL */
	 "0800 0100 0ac80002"},			/* ADDRESS */
	{"set-up", "ip link set veth-host up", set_up,
	 "20000000 1000 0500 01000000 00000000"	   /* nlmsghdr */
	 "00 00 0000 03000000 01000000 01000000"}, /* ifinfomsg */
	{"add-route", "ip route add default via 10.200.0.1", add_route,
	 "24000000 1800 0506 01000000 00000000" /* nlmsghdr */
	 "02 00 00 00 fe 03 00 01 00000000"	/* rtmsg */
	 "0800 0500 0ac80001"},			/* GATEWAY */
};

enum {
	REQUESTS = sizeof(requests) / sizeof(requests[0])
};

static const struct request *find_request(const char *name)
{
	for (int i = 0; i < REQUESTS; i++)
		if (strcmp(requests[i].name, name) == 0)
			return &requests[i];
	diex("no request %s", name);
}

/* Forgets what was built or asked before. */
static void start_over(void)
{
	memset(&nl, 0xa5, sizeof(nl));
	nl.fd = -1;
	nl.error = 0;
	nl.sequence = 1;
	nl.length = nl.sent = 0;
}

static void as_hex(const char *bytes, size_t length, char *hex)
{
	for (size_t i = 0; i < length; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)bytes[i]);
}

/* emit NAME */
static void emit(const char *name)
{
	char hex[2 * sizeof(nl.request) + 1] = "";

	start_over();
	find_request(name)->build();
	as_hex(nl.request, nl.length, hex);
	puts(hex);
}

static void golden(void)
{
	char hex[2 * sizeof(nl.request) + 1], wanted[1024];

	for (int i = 0; i < REQUESTS; i++) {
		const char *from = requests[i].bytes;
		char *to = wanted;

		for (; *from != '\0'; from++)
			if (*from != ' ')
				*to++ = *from;
		*to = '\0';
		start_over();
		requests[i].build();
		as_hex(nl.request, nl.length, hex);
		WANT_TEXT(hex, wanted);
	}
}

/* The drawing in netlink.h. */
static void drawing(void)
{
	struct rtattr *nest;

	start_over();
	nl_begin(&nl, RTM_NEWLINK, NLM_F_CREATE);
	WANT_INT(nl.length, 16);
	nl_reserve(&nl, sizeof(struct ifinfomsg));
	WANT_INT(nl.length, 32);
	nl_put_str(&nl, IFLA_IFNAME, "veth0");
	WANT_INT(((struct rtattr *)(nl.request + 32))->rta_len, 10);
	WANT_INT(nl.length, 44);
	nest = nl_nest(&nl, IFLA_LINKINFO);
	WANT_INT(nl.length, 48);
	nl_put_str(&nl, IFLA_INFO_KIND, "veth");
	WANT_INT(((struct rtattr *)(nl.request + 48))->rta_len, 9);
	nl_nest_end(&nl, nest);
	WANT_INT(nest->rta_len, 16);
	WANT_INT(nl.length, 60);
	WANT_INT(nl.message->nlmsg_len, 60);
}

static void padding(void)
{
	const char value[] = {1, 2, 3, 4, 5};

	for (size_t size = 0; size <= sizeof(value); size++) {
		struct rtattr *attr = (void *)(nl.request + 16);

		start_over();
		nl_begin(&nl, RTM_NEWLINK, 0);
		nl_put(&nl, 7, size > 0 ? value : NULL, size);
		WANT_INT(attr->rta_type, 7);
		WANT_INT(attr->rta_len, 4 + size);
		WANT(memcmp(attr + 1, value, size) == 0);
		for (const char *p = nl.request + 20 + size;
		     p < nl.request + nl.length; p++)
			WANT_INT(*p, 0);
		WANT_INT(nl.length, 20 + (size + 3) / 4 * 4);
		WANT_INT(nl.message->nlmsg_len, nl.length);
		WANT_INT((unsigned char)nl.request[nl.length], 0xa5);
	}
	start_over();
	nl_begin(&nl, RTM_NEWLINK, 0);
	for (char *p = nl_reserve(&nl, 6); p < nl.request + nl.length; p++)
		WANT_INT(*p, 0);
	WANT_INT(nl.length, 24);
}

static void several(void)
{
	const struct nlmsghdr *first, *second;

	start_over();
	first = nl_begin(&nl, 1, NLM_F_DUMP);
	nl_put_u32(&nl, 2, 3);
	second = nl_begin(&nl, 4, 0);
	WANT_INT(first->nlmsg_type, 1);
	WANT_INT(first->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP);
	WANT_INT(first->nlmsg_len, 24);
	WANT_INT(first->nlmsg_pid, 0);
	WANT_INT((const char *)second - nl.request, 24);
	WANT_INT(second->nlmsg_type, 4);
	WANT_INT(second->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	WANT_INT(second->nlmsg_len, 16);
	WANT(first->nlmsg_seq != second->nlmsg_seq);
}

/* ---- How it dies ---- */

/* Runs CODE in a process that has to die, with one line: MESSAGE and, unless
 * it is 0, what ERROR is called. */
static void want_death(void (*code)(void), const char *message, int error)
{
	char line[1024] = "", wanted[1024];
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	WANT(pipe2(ends, O_CLOEXEC) != -1);
	pid = fork();
	WANT(pid != -1);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		code();
		_exit(0);
	}
	close(ends[1]);
	for (char *p = line;
	     (n = read(ends[0], p, sizeof(line) - 1 - (p - line))) > 0;)
		p += n;
	close(ends[0]);
	WANT(waitpid(pid, &status, 0) == pid);
	snprintf(wanted, sizeof(wanted), "container[host]: %s%s%s\n", message,
		 error == 0 ? "" : ": ", error == 0 ? "" : strerror(error));
	WANT_TEXT(line, wanted);
	WANT(WIFEXITED(status));
	WANT_INT(WEXITSTATUS(status), EXIT_LAUNCHER);
}

/* Begins a request that has room for SIZE bytes. */
static void fill_but(size_t size)
{
	start_over();
	nl_begin(&nl, RTM_NEWLINK, 0);
	nl_reserve(&nl, sizeof(nl.request) - nl.length - size);
}

static void reserve_too_much(void)
{
	fill_but(8);
	nl_reserve(&nl, 9);
}

static void reserve_far_too_much(void)
{
	fill_but(8);
	nl_reserve(&nl, SIZE_MAX);
}

static void put_too_much(void)
{
	fill_but(8);
	nl_put(&nl, 1, "12345", 5);
}

static void put_far_too_much(void)
{
	fill_but(8);
	nl_put(&nl, 1, "", SIZE_MAX - 2);
}

static void nest_too_much(void)
{
	fill_but(0);
	nl_nest(&nl, 1);
}

static void begin_too_much(void)
{
	fill_but(12);
	nl_begin(&nl, RTM_NEWLINK, 0);
}

static void overflow(void)
{
	static void (*const too_much[])(void) = {
		reserve_too_much, reserve_far_too_much, put_too_much,
		put_far_too_much, nest_too_much,	begin_too_much,
	};

	for (size_t i = 0; i < sizeof(too_much) / sizeof(too_much[0]); i++)
		want_death(too_much[i], "netlink: more than 32768 bytes", 0);
	fill_but(8);
	nl_put_u32(&nl, 1, 2);
	WANT_INT(nl.length, sizeof(nl.request));
	WANT_INT(nl.message->nlmsg_len, sizeof(nl.request));
}

/* ---- The kernel, played ---- */

static int kernel = -1;

/* The request is 56 bytes long: its attribute IFLA_IFNAME, 3, is at 32, and at
 * 48 is IFLA_MTU, 4. */
static void ask(void)
{
	nl_begin(&nl, RTM_NEWLINK, NLM_F_CREATE);
	nl_reserve(&nl, sizeof(struct ifinfomsg));
	nl_put_str(&nl, IFLA_IFNAME, "veth-host");
	nl_put_u32(&nl, IFLA_MTU, 1500);
}

/* How long to wait for an answer that may not come. */
static void be_patient(long seconds, long microseconds)
{
	const struct timeval wait = {seconds, microseconds};

	WANT(setsockopt(nl.fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) !=
	     -1);
}

static void play_kernel(void)
{
	int ends[2];

	if (kernel != -1) {
		close(kernel);
		close(nl.fd);
	}
	start_over();
	WANT(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) != -1);
	nl.fd = ends[0];
	kernel = ends[1];
	be_patient(0, 20000);
	ask();
}

/* A datagram of the kernel's. */
static struct answer {
	size_t length;
	_Alignas(struct nlmsghdr) char bytes[40000];
} answer;

static void *add_bytes(size_t size)
{
	void *space = answer.bytes + answer.length;

	memset(space, 0, NLMSG_ALIGN(size));
	answer.length += NLMSG_ALIGN(size);
	return space;
}

static struct nlmsghdr *add_message(uint16_t type, uint16_t flags, size_t size)
{
	struct nlmsghdr *m = add_bytes(NLMSG_LENGTH(size));

	m->nlmsg_len = NLMSG_LENGTH(size);
	m->nlmsg_type = type;
	m->nlmsg_flags = flags;
	m->nlmsg_seq = 1;
	return m;
}

static struct nlmsghdr *add_ack(int error)
{
	struct nlmsghdr *m =
		add_message(NLMSG_ERROR, NLM_F_CAPPED, sizeof(struct nlmsgerr));

	*(int *)NLMSG_DATA(m) = error;
	return m;
}

static void add_attr(struct nlmsghdr *m, uint16_t type, const void *value,
		     size_t size)
{
	struct rtattr *attr = add_bytes(RTA_LENGTH(size));

	attr->rta_type = type;
	attr->rta_len = RTA_LENGTH(size);
	memcpy(RTA_DATA(attr), value, size);
	m->nlmsg_len += RTA_SPACE(size);
	m->nlmsg_flags |= NLM_F_ACK_TLVS;
}

static void add_offset(struct nlmsghdr *m, uint32_t offset)
{
	add_attr(m, NLMSGERR_ATTR_OFFS, &offset, sizeof(offset));
}

static void add_done(int error)
{
	*(int *)NLMSG_DATA(add_message(NLMSG_DONE, NLM_F_MULTI, sizeof(int))) =
		error;
}

static struct nlmsghdr *add_link_message(int index)
{
	struct nlmsghdr *m =
		add_message(RTM_NEWLINK, NLM_F_MULTI, sizeof(struct ifinfomsg));

	((struct ifinfomsg *)NLMSG_DATA(m))->ifi_index = index;
	return m;
}

static void deliver(void)
{
	WANT(send(kernel, answer.bytes, answer.length, 0) != -1);
	answer.length = 0;
}

/* The answer leads to ERROR and REASON. */
static void want_result(int error, const char *reason, int line)
{
	if (answer.length > 0)
		deliver();
	want_int(nl_try(&nl), error, line, "nl_try()");
	want_int(nl.error, error, line, "nl.error");
	want_text(nl.reason, reason, line, "nl.reason");
}

#define WANT_RESULT(error, reason) want_result(error, reason, __LINE__)

static void acknowledged(void)
{
	play_kernel();
	add_ack(0);
	WANT_RESULT(0, "");
	/* asked again, it says the same */
	WANT_RESULT(0, "");
}

static void refused(void)
{
	play_kernel();
	add_ack(-EEXIST);
	WANT_RESULT(-EEXIST, "");
	WANT_RESULT(-EEXIST, "");

	/* Without NETLINK_CAP_ACK the request would be in it as well. */
	ask();
	WANT_INT(nl.sequence, 57);
	add_ack(-EPERM)->nlmsg_seq = 57;
	((struct nlmsghdr *)answer.bytes)->nlmsg_flags = 0;
	((struct nlmsghdr *)answer.bytes)->nlmsg_len += 40;
	memcpy(add_bytes(40), nl.request + 16, 40);
	WANT_RESULT(-EPERM, "");
}

static void words(void)
{
	char text[300];
	struct nlmsghdr *m;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';

	play_kernel();
	m = add_ack(-EOPNOTSUPP);
	add_offset(m, 32);
	add_attr(m, NLMSGERR_ATTR_MSG, "Unknown device type", 20);
	WANT_RESULT(-EOPNOTSUPP, "Unknown device type");

	/* A success may have words, too: a warning. */
	play_kernel();
	add_attr(add_ack(0), NLMSGERR_ATTR_MSG, "deprecated", 11);
	WANT_RESULT(0, "");

	/* without their final zero, none at all, too long */
	play_kernel();
	add_attr(add_ack(-EINVAL), NLMSGERR_ATTR_MSG, "abc", 3);
	WANT_RESULT(-EINVAL, "");

	play_kernel();
	add_attr(add_ack(-EINVAL), NLMSGERR_ATTR_MSG, "", 0);
	WANT_RESULT(-EINVAL, "");

	play_kernel();
	add_attr(add_ack(-EINVAL), NLMSGERR_ATTR_MSG, text, sizeof(text));
	deliver();
	WANT_INT(nl_try(&nl), -EINVAL);
	WANT_INT(strlen(nl.reason), sizeof(nl.reason) - 1);
}

static void offset(void)
{
	/* behind the request, not a multiple of 4, none */
	const uint32_t wrong[] = {56, 60, 32768, UINT32_MAX - 3, UINT32_MAX, 33,
				  34, 35, 0};

	play_kernel();
	add_offset(add_ack(-EINVAL), 32);
	WANT_RESULT(-EINVAL, "attribute 3");

	play_kernel();
	add_offset(add_ack(-EINVAL), 48);
	WANT_RESULT(-EINVAL, "attribute 4");

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		play_kernel();
		add_offset(add_ack(-EINVAL), wrong[i]);
		WANT_RESULT(-EINVAL, "");
	}
}

/* A nest is named by its number, without the flag. */
static void offset_of_nest(void)
{
	play_kernel();
	nl_nest(&nl, IFLA_LINKINFO);
	add_offset(add_ack(-EINVAL), 56);
	WANT_RESULT(-EINVAL, "attribute 18");
}

/* ---- Answers that are none ---- */

static void truncated(void)
{
	char whole[36];

	for (size_t length = 0; length < sizeof(whole); length++) {
		play_kernel();
		add_ack(0);
		answer.length = length;
		WANT_RESULT(-ETIMEDOUT, "no answer");
	}
}

static void lying_length(void)
{
	const uint32_t lengths[] = {0,	15,    16,	  19,
				    37, 32768, INT32_MAX, UINT32_MAX};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		play_kernel();
		add_ack(0)->nlmsg_len = lengths[i];
		WANT_RESULT(-ETIMEDOUT, "no answer");
	}
}

static void late(void)
{
	/* before the request, behind it */
	const uint32_t numbers[] = {0, UINT32_MAX, 57, 58};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		play_kernel();
		add_ack(-EPERM)->nlmsg_seq = numbers[i];
		add_ack(-EPERM)->nlmsg_seq = numbers[i];
		deliver();
		add_done(0);
		((struct nlmsghdr *)answer.bytes)->nlmsg_seq = numbers[i];
		deliver();
		add_ack(0);
		WANT_RESULT(0, "");
	}
}

static void oversized(void)
{
	play_kernel();
	add_ack(0);
	answer.length = sizeof(nl.answer) + 4;
	WANT_RESULT(-EMSGSIZE, "netlink answer");

	/* what fits to the byte is read */
	ask();
	add_ack(0)->nlmsg_seq = nl.sequence;
	((struct nlmsghdr *)answer.bytes)->nlmsg_len = sizeof(nl.answer);
	answer.length = sizeof(nl.answer);
	WANT_RESULT(0, "");
}

static void silent(void)
{
	play_kernel();
	WANT_RESULT(-ETIMEDOUT, "no answer");
}

static void closed(void)
{
	play_kernel();
	signal(SIGPIPE, SIG_IGN);
	close(kernel);
	WANT_INT(nl_try(&nl), -ECONNREFUSED);
	WANT_TEXT(nl.reason, "netlink request");
	close(nl.fd);
	ask();
	WANT_RESULT(-EBADF, "netlink request");
}

/* Datagrams of a process that has a port. The kernel copies the sender's
 * address to where a sockaddr_nl is wanted: the name's third byte is nl_pid. */
static void foreign(void)
{
	const struct sockaddr_un name = {AF_UNIX, "\0nobody's"};

	play_kernel();
	WANT(bind(kernel, (const struct sockaddr *)&name, sizeof(name)) != -1);
	add_ack(0);
	deliver();
	add_ack(-EPERM);
	WANT_RESULT(-ETIMEDOUT, "no answer");
}

/* The answer comes again and again. */
static void flood(void)
{
	pid_t parent = getpid(), pid = fork();

	WANT(pid != -1);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* It may have ended before that. */
		while (getppid() == parent)
			send(kernel, answer.bytes, answer.length, 0);
		_exit(1);
	}
	answer.length = 0;
	be_patient(10, 0);
	WANT_RESULT(-EMSGSIZE, "netlink answer");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void endless(void)
{
	const struct sockaddr_un name = {AF_UNIX, "\0nobody's"};

	/* never to this request; never the end of a list; never the kernel's */
	play_kernel();
	add_ack(0)->nlmsg_seq = 0;
	flood();

	play_kernel();
	add_link_message(1);
	flood();

	play_kernel();
	WANT(bind(kernel, (const struct sockaddr *)&name, sizeof(name)) != -1);
	add_ack(0);
	flood();
}

static volatile sig_atomic_t interruptions;

static void interrupt(int number)
{
	(void)number;
	if (++interruptions == 3)
		send(kernel, answer.bytes, answer.length, 0);
}

/* The answer comes when the wait for it was interrupted three times. */
static void interrupted(void)
{
	const struct itimerval often = {{.tv_usec = 2000}, {.tv_usec = 2000}};
	const struct itimerval never = {{0}, {0}};
	const struct sigaction action = {.sa_handler = interrupt};

	play_kernel();
	add_ack(0);
	be_patient(10, 0);
	WANT(sigaction(SIGALRM, &action, NULL) != -1);
	WANT(setitimer(ITIMER_REAL, &often, NULL) != -1);
	WANT_INT(nl_try(&nl), 0);
	WANT(setitimer(ITIMER_REAL, &never, NULL) != -1);
	WANT(interruptions >= 3);
}

/* ---- Lists ---- */

/* Reads links to the end; returns how many, if they are numbered from 1. */
static int count_links(void)
{
	const struct ifinfomsg *link;
	int count = 0;

	if (answer.length > 0)
		deliver();
	while ((link = nl_next(&nl, sizeof(*link))) != NULL)
		WANT_INT(link->ifi_index, ++count);
	WANT(nl_next(&nl, sizeof(*link)) == NULL);
	return count;
}

static void list(void)
{
	play_kernel();
	add_link_message(1);
	add_attr(add_link_message(2), IFLA_IFNAME, "abc", 4);
	deliver();
	add_link_message(3);
	add_done(0); /* shares the last datagram */
	WANT_INT(count_links(), 3);
	WANT_INT(nl.error, 0);

	play_kernel();
	add_link_message(1);
	deliver();
	add_done(0);
	WANT_INT(count_links(), 1);
	WANT_INT(nl.error, 0);

	/* of nothing; of one thing, for which the end is an acknowledgement */
	play_kernel();
	add_done(0);
	WANT_INT(count_links(), 0);
	WANT_INT(nl.error, 0);

	play_kernel();
	add_link_message(1);
	deliver();
	add_ack(0);
	WANT_INT(count_links(), 1);
	WANT_INT(nl.error, 0);
}

static void list_fails(void)
{
	struct nlmsghdr *m;

	play_kernel();
	add_link_message(1);
	add_done(-ENOBUFS);
	WANT_INT(count_links(), 1);
	WANT_INT(nl.error, -ENOBUFS);

	play_kernel();
	m = add_message(NLMSG_DONE, NLM_F_MULTI, sizeof(int));
	*(int *)NLMSG_DATA(m) = -EINVAL;
	add_attr(m, NLMSGERR_ATTR_MSG, "Invalid dump", 13);
	WANT_INT(count_links(), 0);
	WANT_INT(nl.error, -EINVAL);
	WANT_TEXT(nl.reason, "Invalid dump");

	/* the end is missing */
	play_kernel();
	add_link_message(1);
	WANT_INT(count_links(), 1);
	WANT_INT(nl.error, -ETIMEDOUT);
}

static void list_changes(void)
{
	play_kernel();
	add_link_message(1);
	add_link_message(2)->nlmsg_flags |= NLM_F_DUMP_INTR;
	add_link_message(3);
	add_done(0);
	WANT_INT(count_links(), 3);
	WANT_INT(nl.error, -EINTR);

	/* the last message may be the one that says so */
	play_kernel();
	add_link_message(1);
	add_done(0);
	((struct nlmsghdr *)(answer.bytes + 32))->nlmsg_flags |=
		NLM_F_DUMP_INTR;
	WANT_INT(count_links(), 1);
	WANT_INT(nl.error, -EINTR);
}

/* What is not whole is passed over, what follows it in its datagram as well. */
static void list_is_malformed(void)
{
	play_kernel();
	add_message(RTM_NEWLINK, NLM_F_MULTI, 12); /* its header is cut */
	add_link_message(1);
	deliver();
	add_link_message(2)->nlmsg_len = 15;
	add_link_message(3);
	deliver();
	add_link_message(2)->nlmsg_len = 33; /* and 3 bytes of padding */
	add_bytes(1);
	add_link_message(3);
	answer.length -= 2;
	deliver();
	add_link_message(3)->nlmsg_len = 33;
	add_bytes(1);
	answer.length -= 3; /* padding that is not there */
	deliver();
	add_done(0);
	WANT_INT(count_links(), 3);
	WANT_INT(nl.error, 0);
}

/* ---- Batches ---- */

/* Three messages, the first of which asks for no acknowledgement, at 1, 17 and
 * 33; and their answers. */
static void ask_batch(void)
{
	play_kernel();
	nl.length = 0;
	nl_begin(&nl, NFNL_MSG_BATCH_BEGIN, 0)->nlmsg_flags = NLM_F_REQUEST;
	nl_begin(&nl, 0xa00, 0);
	nl_begin(&nl, 0xa03, 0);
}

static void answer_batch(uint32_t number, int error)
{
	add_ack(error)->nlmsg_seq = number;
	deliver();
}

static void batch(void)
{
	ask_batch();
	answer_batch(17, 0);
	answer_batch(33, 0);
	WANT_RESULT(0, "");
	WANT_INT(recv(nl.fd, NULL, 0, MSG_DONTWAIT), -1);

	/* one acknowledgement is missing */
	ask_batch();
	answer_batch(17, 0);
	WANT_RESULT(-ETIMEDOUT, "no answer");
}

static void batch_fails(void)
{
	ask_batch();
	answer_batch(17, 0);
	answer_batch(33, -ENOENT);
	WANT_RESULT(-ENOENT, "");

	/* as a whole: only the first message gets an answer */
	ask_batch();
	answer_batch(1, -EPERM);
	WANT_RESULT(-EPERM, "");
}

/* When the commit fails, the kernel says so for the first message, and still
 * acknowledges the others. The next request is not confused by that. */
static void batch_fails_late(void)
{
	ask_batch();
	answer_batch(1, -EBUSY);
	answer_batch(17, 0);
	answer_batch(33, 0);
	WANT_RESULT(-EBUSY, "");
	ask();
	answer_batch(49, -EEXIST);
	WANT_RESULT(-EEXIST, "");
}

/* A request without any acknowledgement is sent, and not waited for. */
static void unacknowledged(void)
{
	char bytes[100];

	ask_batch();
	nl.length = 16;
	WANT_RESULT(0, "");
	WANT_INT(recv(kernel, bytes, sizeof(bytes), MSG_DONTWAIT), 16);
}

/* ---- Attributes ---- */

static void attributes(void)
{
	const char bytes[] = {
		8,  0, 1, 0,	      1,   2,	3,   4, /* four bytes */
		6,  0, 2, 0,	      1,   2,	0,   0, /* two */
		8,  0, 3, 0,	      'a', 'b', 'c', 0, /* a string */
		7,  0, 4, 0,	      'a', 'b', 'c', 0, /* without its end */
		4,  0, 5, 0,				/* nothing */
		8,  0, 1, 0,	      9,   9,	9,   9, /* the first counts */
		12, 0, 6, (char)0x80, 8,   0,	7,   0, 4, 3, 2, 1, /* a nest */
		3,  0, 8, 0, /* too short */
		8,  0, 9, 0,	      1,   2,	3,   4,
	};
	_Alignas(struct rtattr) char copy[sizeof(bytes)];
	const struct nl_bytes none = {0};
	struct nl_bytes all = {copy, sizeof(copy)}, value;

	memcpy(copy, bytes, sizeof(bytes));
	value = nl_attr(all, 1);
	WANT_INT(value.length, 4);
	WANT((char *)value.data == copy + 4);
	WANT(memcmp(&(uint32_t){nl_get_u32(value)}, "\1\2\3\4", 4) == 0);
	WANT_INT(nl_get_u32(nl_attr(all, 2)), 0);
	WANT_INT(nl_get_u32(nl_attr(all, 5)), 0);
	WANT_TEXT(nl_get_str(nl_attr(all, 3)), "abc");
	WANT_TEXT(nl_get_str(nl_attr(all, 4)), "");
	WANT_TEXT(nl_get_str(nl_attr(all, 5)), "");
	WANT_INT(nl_attr(all, 5).length, 0);
	value = nl_attr(nl_attr(all, 6), 7);
	WANT(memcmp(&(uint32_t){nl_get_u32(value)}, "\4\3\2\1", 4) == 0);
	WANT(nl_attr(all, 9).data == NULL);
	WANT(nl_attr(nl_attr(all, 10), 7).data == NULL);
	WANT_INT(nl_attr(none, 1).length, 0);
	WANT_INT(nl_get_u32(none), 0);
	WANT_TEXT(nl_get_str(none), "");

	/* Cut anywhere, it is not read over its end. */
	for (int length = 0; length < (int)sizeof(copy); length++) {
		char *heap = malloc(length + 1);

		if (heap == NULL)
			die("malloc");
		memcpy(heap, copy, length);
		all = (struct nl_bytes){heap, length};
		for (int type = 0; type < 12; type++) {
			value = nl_attr(all, type);
			nl_get_u32(value);
			nl_get_str(value);
			WANT(value.length == 0 ||
			     (char *)value.data + value.length <=
				     heap + length);
		}
		free(heap);
	}
}

/* ---- Messages for people ---- */

static void fail(void)
{
	play_kernel();
	add_ack(-EEXIST);
	deliver();
	if (!nl_done(&nl, "ip link add %s", "veth-host"))
		_exit(EXIT_LAUNCHER);
}

static void fail_in_words(void)
{
	play_kernel();
	add_attr(add_ack(-EOPNOTSUPP), NLMSGERR_ATTR_MSG, "Unknown device type",
		 20);
	deliver();
	if (!nl_done(&nl, "ip link add veth-host"))
		_exit(EXIT_LAUNCHER);
}

static void fail_at_attribute(void)
{
	play_kernel();
	add_offset(add_ack(-EINVAL), 32);
	deliver();
	if (!nl_done(&nl, "ip link add veth-host"))
		_exit(EXIT_LAUNCHER);
}

static void messages(void)
{
	want_death(fail, "ip link add veth-host", EEXIST);
	want_death(fail_in_words, "ip link add veth-host: Unknown device type",
		   EOPNOTSUPP);
	want_death(fail_at_attribute, "ip link add veth-host: attribute 3",
		   EINVAL);
	play_kernel();
	add_ack(0);
	deliver();
	WANT(nl_done(&nl, "ip link add veth-host"));
}

/* ---- The real kernel ---- */

static uint32_t port_of(const struct netlink *socket)
{
	struct sockaddr_nl name = {0};
	socklen_t size = sizeof(name);

	WANT(getsockname(socket->fd, (struct sockaddr *)&name, &size) != -1);
	return name.nl_pid;
}

static void want_option(int level, int option, int line, const char *text)
{
	union {
		int number;
		struct timeval time;
	} value = {0};
	socklen_t size = sizeof(value);

	want(getsockopt(nl.fd, level, option, &value, &size) != -1, line, text);
	want(level == SOL_SOCKET ? value.time.tv_sec == 1 : value.number == 1,
	     line, text);
}

#define WANT_OPTION(level, option) want_option(level, option, __LINE__, #option)

static void ask_for_lo(struct netlink *socket)
{
	nl_begin(socket, RTM_GETLINK, 0);
	nl_reserve(socket, sizeof(struct ifinfomsg));
	nl_put_str(socket, IFLA_IFNAME, "lo");
}

static void sockets(void)
{
	static struct netlink other;
	const struct ifinfomsg *link;

	nl_open(&nl, NETLINK_ROUTE);
	WANT_INT(nl.sequence, 1);
	WANT_INT(fcntl(nl.fd, F_GETFD), FD_CLOEXEC);
	WANT_OPTION(SOL_NETLINK, NETLINK_EXT_ACK);
	WANT_OPTION(SOL_NETLINK, NETLINK_CAP_ACK);
	WANT_OPTION(SOL_SOCKET, SO_RCVTIMEO);

	nl_open(&other, NETLINK_ROUTE);
	ask_for_lo(&other);
	WANT_INT(nl_try(&other), 0);
	ask_for_lo(&nl);
	link = nl_next(&nl, sizeof(*link));
	WANT(link != NULL);
	WANT_INT(link->ifi_index, 1);
	WANT_TEXT(nl_get_str(nl_attr(nl.attrs, IFLA_IFNAME)), "lo");
	WANT_INT(nl_get_u32(nl_attr(nl.attrs, IFLA_MTU)), 65536);
	WANT(nl_next(&nl, sizeof(*link)) == NULL);
	WANT_INT(nl.error, 0);
	WANT(port_of(&nl) != port_of(&other));
	/* The acknowledgement is read, too. */
	WANT_INT(recv(nl.fd, NULL, 0, MSG_DONTWAIT), -1);
}

/* A caller that has seen enough. */
static void stops_reading(void)
{
	sockets();
	for (int i = 0; i < 3; i++) {
		ask_for_lo(&nl);
		WANT(nl_next(&nl, sizeof(struct ifinfomsg)) != NULL);
	}
	nl_begin(&nl, RTM_GETLINK, 0);
	nl_reserve(&nl, sizeof(struct ifinfomsg));
	nl_put_str(&nl, IFLA_IFNAME, "nothing");
	WANT_RESULT(-ENODEV, "");
}

/* Another socket of root's sends the answer before the kernel does. */
static void spoofed(void)
{
	static struct netlink other;
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};

	nl_open(&nl, NETLINK_ROUTE);
	nl_open(&other, NETLINK_ROUTE);
	ask_for_lo(&nl);
	WANT_INT(nl_try(&nl), 0);
	to.nl_pid = port_of(&nl);

	ask_for_lo(&nl);
	add_ack(-EPERM)->nlmsg_seq = nl.message->nlmsg_seq;
	WANT(sendto(other.fd, answer.bytes, answer.length, 0,
		    (struct sockaddr *)&to, sizeof(to)) != -1);
	answer.length = 0;
	WANT_RESULT(0, "");
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A batch with a message that lacks its family's header: no answer. */
static void kernel_is_silent(void)
{
	double start = now();
	struct nfgenmsg *header;

	nl_open(&nl, NETLINK_NETFILTER);
	nl_begin(&nl, NFNL_MSG_BATCH_BEGIN, 0)->nlmsg_flags = NLM_F_REQUEST;
	header = nl_reserve(&nl, sizeof(*header));
	header->res_id = htons(NFNL_SUBSYS_NFTABLES);
	nl_begin(&nl, NFNL_SUBSYS_NFTABLES << 8, 0);
	WANT_RESULT(-ETIMEDOUT, "no answer");
	WANT(now() - start > 0.9 && now() - start < 3);
}

/* As many as test-netlink.sh has made. */
static void thousand_addresses(void)
{
	int count = 0;

	nl_open(&nl, NETLINK_ROUTE);
	nl_begin(&nl, RTM_GETADDR, NLM_F_DUMP);
	nl_reserve(&nl, sizeof(struct ifaddrmsg));
	while (nl_next(&nl, sizeof(struct ifaddrmsg)) != NULL)
		count++;
	WANT_INT(nl.error, 0);
	WANT_INT(count, 1000);
	WANT(nl.received > 1);
}

static void try_link(const char *name, const char *kind, uint32_t mtu)
{
	struct rtattr *info;

	nl_begin(&nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	nl_reserve(&nl, sizeof(struct ifinfomsg));
	nl_put_str(&nl, IFLA_IFNAME, name);
	nl_put_u32(&nl, IFLA_MTU, mtu);
	info = nl_nest(&nl, IFLA_LINKINFO);
	nl_put_str(&nl, IFLA_INFO_KIND, kind);
	nl_nest_end(&nl, info);
	nl_try(&nl);
}

/* What the kernel says in words, and what it does not. */
static void refusals(void)
{
	nl_open(&nl, NETLINK_ROUTE);
	try_link("lo", "veth", 1500);
	WANT_INT(nl.error, -EEXIST);
	WANT_TEXT(nl.reason, "");
	try_link("veth-host", "nothing", 1500);
	WANT_INT(nl.error, -EOPNOTSUPP);
	WANT_TEXT(nl.reason, "Unknown device type");
	try_link("name-of-16-bytes", "veth", 1500);
	WANT_INT(nl.error, -ERANGE);
	WANT(nl.reason[0] != '\0');

	add_address();
	WANT_INT(nl_try(&nl), -ENODEV);
	add_route();
	WANT_INT(nl_try(&nl), -ENETUNREACH);
	WANT_TEXT(nl.reason, "Nexthop has invalid gateway");
}

static void unprivileged(void)
{
	nl_open(&nl, NETLINK_ROUTE);
	ask_for_lo(&nl);
	WANT_INT(nl_try(&nl), 0);
	add_link();
	WANT_RESULT(-EPERM, "");
}

/* ---- What requests mean ---- */

/* Prints the attributes, one a line: the numbers of the nests it is in and its
 * own, and its bytes without zeroes at the end. A nest is known by its place:
 * ip(8) does not mark all. */
static void print_attributes(void *bytes, int length, const char *path)
{
	static const char nests[] = " .18 .18.2 .18.2.1 ";
	struct rtattr *attr = bytes;

	for (; RTA_OK(attr, length); attr = RTA_NEXT(attr, length)) {
		int size = RTA_PAYLOAD(attr);
		unsigned char *value = RTA_DATA(attr);
		char inner[100], word[102];

		snprintf(inner, sizeof(inner), "%s.%d", path,
			 attr->rta_type & NLA_TYPE_MASK);
		snprintf(word, sizeof(word), " %s ", inner);
		if (strstr(nests, word) != NULL) {
			/* The peer's begins with a header. */
			int header = strcmp(inner, ".18.2.1") == 0
					     ? sizeof(struct ifinfomsg)
					     : 0;

			print_attributes(value + header, size - header, inner);
			continue;
		}
		printf("%s", inner);
		while (size > 0 && value[size - 1] == 0)
			size--;
		for (int i = 0; i < size; i++)
			printf(" %02x", value[i]);
		printf("\n");
	}
}

static int family_size(int type)
{
	switch (type) {
	case RTM_NEWLINK:
		return sizeof(struct ifinfomsg);
	case RTM_NEWADDR:
		return sizeof(struct ifaddrmsg);
	default:
		return sizeof(struct rtmsg);
	}
}

/* decode: the last message of the requests on standard input */
static void decode(void)
{
	size_t length = 0, next = 0;
	unsigned int byte;
	struct nlmsghdr *m;
	int size;

	while (length < sizeof(answer.bytes) && scanf("%2x", &byte) == 1)
		answer.bytes[length++] = (char)byte;
	do {
		m = (void *)(answer.bytes + next);
		next += m->nlmsg_len;
	} while (next < length && m->nlmsg_len > 0);
	size = family_size(m->nlmsg_type);
	printf("type %d flags %x header", m->nlmsg_type, m->nlmsg_flags);
	for (int i = 0; i < size; i++)
		printf(" %02x", ((unsigned char *)NLMSG_DATA(m))[i]);
	printf("\n");
	print_attributes((char *)NLMSG_DATA(m) + size,
			 (int)m->nlmsg_len - NLMSG_LENGTH(size), "");
}

static const struct test {
	const char *name;
	void (*run)(void);
} tests[] = {
	{"golden", golden},
	{"drawing", drawing},
	{"padding", padding},
	{"several", several},
	{"overflow", overflow},
	{"acknowledged", acknowledged},
	{"refused", refused},
	{"words", words},
	{"offset", offset},
	{"offset-of-nest", offset_of_nest},
	{"truncated", truncated},
	{"lying-length", lying_length},
	{"late", late},
	{"oversized", oversized},
	{"silent", silent},
	{"closed", closed},
	{"foreign", foreign},
	{"endless", endless},
	{"interrupted", interrupted},
	{"list", list},
	{"list-fails", list_fails},
	{"list-changes", list_changes},
	{"list-is-malformed", list_is_malformed},
	{"batch", batch},
	{"batch-fails", batch_fails},
	{"batch-fails-late", batch_fails_late},
	{"unacknowledged", unacknowledged},
	{"attributes", attributes},
	{"messages", messages},
	{"sockets", sockets},
	{"stops-reading", stops_reading},
	{"spoofed", spoofed},
	{"kernel-is-silent", kernel_is_silent},
	{"thousand-addresses", thousand_addresses},
	{"refusals", refusals},
	{"unprivileged", unprivileged},
	{"decode", decode},
};

int main(int argc, char *argv[])
{
	if (argc == 3 && strcmp(argv[1], "emit") == 0) {
		emit(argv[2]);
		return 0;
	}
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (argc == 2 && strcmp(argv[1], tests[i].name) == 0) {
			tests[i].run();
			return 0;
		}
	diex("netlink-test: no such test");
}
