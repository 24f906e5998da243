// SPDX-License-Identifier: MIT
/*
 * netlink-test - check one promise of netlink.h, for test-netlink.sh
 *
 * Where the kernel would never reply like that, a test replies itself: from the
 * other end of a socket pair, before the request is sent. The first request of
 * a socket has the sequence number 1.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "error.h"
#include "netlink.h"

#define CHECK(true_or_not)                                                     \
	((true_or_not)                                                         \
		 ? (void)0                                                     \
		 : err(1, "line %d: not so: %s", __LINE__, #true_or_not))

static struct netlink nl;

static void add_link(const char *name, const char *kind)
{
	struct rtattr *nest;

	nl_begin(&nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
		 sizeof(struct ifinfomsg));
	nl_put_str(&nl, IFLA_IFNAME, name);
	nest = nl_nest(&nl, IFLA_LINKINFO);
	nl_put_str(&nl, IFLA_INFO_KIND, kind);
	nl_nest_end(&nl, nest);
}

static void refusal(void)
{
	nl_open(&nl, NETLINK_ROUTE);
	add_link("cable", "veth");
	CHECK(nl_send(&nl, NULL) == 0);
	add_link("other", "no-such-kind");
	CHECK(nl_send(&nl, NULL) == -1 && errno == EOPNOTSUPP);
	CHECK(strcmp(kernel_reason, "Unknown device type") == 0);
	/* These words are not about the next refusal. */
	add_link("cable", "veth");
	CHECK(nl_send(&nl, NULL) == -1 && errno == EEXIST);
	CHECK(strcmp(kernel_reason, "") == 0);
}

/* The caller has given lo a thousand addresses: too many for one datagram. */
static void dump(void)
{
	struct ifaddrmsg *header;
	struct nlmsghdr *reply;
	int count = 0, datagrams = 0;

	nl_open(&nl, NETLINK_ROUTE);
	header = nl_begin(&nl, RTM_GETADDR, NLM_F_DUMP, sizeof(*header));
	header->ifa_family = AF_INET;
	CHECK(nl_send(&nl, &reply) == 0);
	for (; reply->nlmsg_type != NLMSG_DONE; count++) {
		CHECK(reply->nlmsg_type == RTM_NEWADDR);
		CHECK(nl_find(reply, sizeof(*header), IFA_LOCAL) != NULL);
		datagrams += (char *)reply == nl.reply;
		reply = nl_next(&nl);
		CHECK(reply != NULL);
	}
	CHECK(count == 1000);
	CHECK(datagrams > 1 && datagrams < count);
}

/* ---- Replies that the kernel does not send ---- */

static int kernel;

static void open_pair(void)
{
	/* All replies are there before they are waited for. */
	const struct timeval timeout = {.tv_usec = 1000};
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) == 0);
	nl.fd = ends[0];
	nl.seq = nl.length = 0;
	kernel = ends[1];
	setsockopt(nl.fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	add_link("cable", "veth");
}

/* The example in netlink.h, as a little-endian machine sends it. */
static void example(void)
{
	static const char bytes[] = /* nlmsghdr, ifinfomsg, attributes */
		"\x3c\0\0\0\x10\0\5\6\1\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\x0a\0\3\0cable\0\0\0"
		"\x10\0\x12\x80"
		"\x09\0\1\0veth\0\0\0";
	char sent[100];

	/* The padding has to be zero, whatever was there before. */
	memset(nl.request, 0xff, sizeof(nl.request));
	open_pair();
	nl_send(&nl, NULL);
	CHECK(recv(kernel, sent, sizeof(sent), 0) == 60);
	CHECK(memcmp(sent, bytes, 60) == 0);
}

/* Sends SIZE bytes, of which the first are an acknowledgement. */
static void reply_with(uint32_t seq, int error, uint32_t length, size_t size)
{
	static char bytes[40000];
	const struct {
		struct nlmsghdr header;
		struct nlmsgerr ack;
	} message = {{length, NLMSG_ERROR, 0, seq, 0}, {.error = error}};

	memcpy(bytes, &message, sizeof(message));
	CHECK(send(kernel, bytes, size, 0) == (ssize_t)size);
}

static void stale(void)
{
	open_pair();
	reply_with(0, -EPERM, 36, 36);
	reply_with(1, -EEXIST, 36, 36);
	CHECK(nl_send(&nl, NULL) == -1 && errno == EEXIST);
	/* A reply that was not read. */
	reply_with(1, -EPERM, 36, 36);
	add_link("other", "veth");
	reply_with(2, 0, 36, 36);
	CHECK(nl_send(&nl, NULL) == 0);
}

static void want_error(uint32_t length, size_t size, int error)
{
	open_pair();
	reply_with(1, 0, length, size);
	CHECK(nl_send(&nl, NULL) == -1 && errno == error);
}

static void truncated(void)
{
	for (size_t size = 0; size < 36; size++)
		want_error(36, size, EAGAIN);
	for (uint32_t length = 0; length < 16; length++)
		want_error(length, 36, EAGAIN);
}

static void oversized(void)
{
	want_error(36, sizeof(nl.reply) + 1, EMSGSIZE);
}

/* An attribute whose length is wrong is none, and ends the list. */
static void bad_attribute(void)
{
	static const uint16_t lengths[] = {0, 3, 9, 65535};
	struct rtattr *attr;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		nl = (struct netlink){0};
		nl_begin(&nl, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
		attr = (struct rtattr *)(nl.request + nl.length);
		nl_put_u32(&nl, IFLA_MTU, 1500);
		CHECK(nl_find(nl.message, sizeof(struct ifinfomsg), IFLA_MTU));
		attr->rta_len = lengths[i];
		CHECK(!nl_find(nl.message, sizeof(struct ifinfomsg), IFLA_MTU));
	}
}

/* Both exit when there is no room left. */
static void endless_messages(void)
{
	for (;;)
		nl_begin(&nl, RTM_NEWLINK, 0, 0);
}

static void endless_attributes(void)
{
	nl_begin(&nl, RTM_NEWLINK, 0, 0);
	for (;;)
		nl_put(&nl, IFLA_IFNAME, "123", 3);
}

#define TEST(name) (strcmp(argv[1], #name) == 0 ? name() : (void)0)

int main(int argc, char *argv[])
{
	CHECK(argc == 2);
	TEST(example);
	TEST(refusal);
	TEST(dump);
	TEST(stale);
	TEST(truncated);
	TEST(oversized);
	TEST(bad_attribute);
	TEST(endless_messages);
	TEST(endless_attributes);
}
