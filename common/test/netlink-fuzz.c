// SPDX-License-Identifier: MIT
/*
 * netlink-fuzz: gives netlink.c any answer, and looks at all it makes of it.
 *
 *	clang -g -O1 -DFUZZER -fsanitize=fuzzer,address,undefined -Icommon \
 *		common/test/netlink-fuzz.c common/netlink.c common/error.c
 *	./a.out NEW-ONES common/test/corpus/netlink
 *
 * Compiled without these two options it replays the files it is given.
 *
 * Such a file is a byte that chooses the request, then datagrams: the length in
 * two bytes, the lower first, and the bytes. The request's first message has
 * the number 1.
 */
#define _GNU_SOURCE
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "error.h"
#include "netlink.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct netlink nl;
static int kernel = -1;

/* ---- Requests ---- */

static void add_link(void)
{
	struct rtattr *info;

	nl_begin(&nl, RTM_NEWLINK, NLM_F_CREATE);
	nl_reserve(&nl, sizeof(struct ifinfomsg));
	nl_put_str(&nl, IFLA_IFNAME, "veth-host");
	info = nl_nest(&nl, IFLA_LINKINFO);
	nl_put_str(&nl, IFLA_INFO_KIND, "veth");
	nl_nest_end(&nl, info);
}

static void list_links(void)
{
	nl_begin(&nl, RTM_GETLINK, NLM_F_DUMP);
	nl_reserve(&nl, sizeof(struct ifinfomsg));
}

static void list_routes(void)
{
	nl_begin(&nl, RTM_GETROUTE, NLM_F_DUMP);
	nl_reserve(&nl, sizeof(struct rtmsg));
}

static void change_tables(void)
{
	nl_begin(&nl, NFNL_MSG_BATCH_BEGIN, 0)->nlmsg_flags = NLM_F_REQUEST;
	nl_reserve(&nl, sizeof(struct nfgenmsg));
	for (int i = 0; i < 3; i++) {
		nl_begin(&nl, NFNL_SUBSYS_NFTABLES << 8, NLM_F_CREATE);
		nl_reserve(&nl, sizeof(struct nfgenmsg));
		nl_put_str(&nl, 1, "table");
	}
	nl_begin(&nl, NFNL_MSG_BATCH_END, 0)->nlmsg_flags = NLM_F_REQUEST;
	nl_reserve(&nl, sizeof(struct nfgenmsg));
}

static const struct {
	void (*build)(void);
	size_t header; /* of the messages in the answer */
} requests[] = {
	{add_link, 0},
	{list_links, sizeof(struct ifinfomsg)},
	{list_routes, sizeof(struct rtmsg)},
	{change_tables, sizeof(struct nfgenmsg)},
};

enum {
	REQUESTS = sizeof(requests) / sizeof(requests[0])
};

/* ---- The answer ---- */

static void must(int holds)
{
	if (!holds)
		abort();
}

/* Looks at each byte, which has to be one of the answer. */
static void look_at(const void *data, size_t size)
{
	static volatile char seen;
	const char *bytes = data;

	if (size == 0)
		return;
	must(bytes >= nl.answer &&
	     bytes + size <= nl.answer + sizeof(nl.answer));
	for (size_t i = 0; i < size; i++)
		seen = bytes[i];
	(void)seen;
}

static void look_at_attributes(struct nl_bytes attrs, int depth)
{
	const char *string;

	for (int type = 0; type < 64; type++) {
		struct nl_bytes value = nl_attr(attrs, type);

		look_at(value.data, value.length);
		nl_get_u32(value);
		string = nl_get_str(value);
		if (*string != '\0')
			look_at(string, strlen(string) + 1);
		if (depth > 0 && value.length >= 4)
			look_at_attributes(value, depth - 1);
	}
}

static void play_kernel(const unsigned char *data, size_t size)
{
	size_t length;

	for (; size >= 2; data += length, size -= length) {
		length = data[0] | data[1] << 8;
		data += 2;
		size -= 2;
		if (length > size)
			length = size;
		send(kernel, data, length, 0);
	}
}

static void empty(int socket)
{
	while (recv(socket, NULL, 0, 0) > 0)
		;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	int ends[2], chosen;
	const void *header;

	if (size == 0)
		return 0;
	if (kernel == -1) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
			       ends) == -1)
			die("socketpair");
		nl.fd = ends[0];
		kernel = ends[1];
	}
	chosen = *data % REQUESTS;
	nl.sequence = 1;
	nl.length = 0;
	requests[chosen].build();
	play_kernel(data + 1, size - 1);
	while ((header = nl_next(&nl, requests[chosen].header)) != NULL) {
		look_at(header, requests[chosen].header);
		look_at(nl.attrs.data,
			nl.attrs.length > 0 ? nl.attrs.length : 0);
		look_at_attributes(nl.attrs, 2);
	}
	must(nl.pending == 0);
	must(memchr(nl.reason, '\0', sizeof(nl.reason)) != NULL);
	must(nl_try(&nl) == nl.error);
	empty(nl.fd);
	empty(kernel);
	return 0;
}

#ifndef FUZZER
int main(int argc, char *argv[])
{
	static unsigned char data[1 << 20];
	size_t size;
	FILE *file;

	for (int i = 1; i < argc; i++) {
		file = fopen(argv[i], "re");
		if (file == NULL)
			die("%s", argv[i]);
		size = fread(data, 1, sizeof(data), file);
		fclose(file);
		LLVMFuzzerTestOneInput(data, size);
	}
	return 0;
}
#endif
