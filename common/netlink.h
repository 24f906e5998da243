/* SPDX-License-Identifier: MIT */
/*
 * Netlink, the language of ip(8) and nft(8) with the kernel: see netlink(7). A
 * message is a header, a header of its family and attributes: length, type,
 * value. An attribute whose value is attributes is a nest. Everything starts at
 * a multiple of 4. So "ip link add veth0 type veth" is, byte by byte:
 *
 *	 0 len type flags seq pid     nl_begin(&nl, RTM_NEWLINK, NLM_F_CREATE);
 *	16 struct ifinfomsg           nl_reserve(&nl, sizeof(struct ifinfomsg));
 *	32 10 IFLA_IFNAME "veth0" pad nl_put_str(&nl, IFLA_IFNAME, "veth0");
 *	44 16 IFLA_LINKINFO           nest = nl_nest(&nl, IFLA_LINKINFO);
 *	48   9 IFLA_INFO_KIND "veth"  nl_put_str(&nl, IFLA_INFO_KIND, "veth");
 *	60                            nl_nest_end(&nl, nest);
 *	                              nl_done(&nl, "ip link add veth0");
 *
 * The kernel sends what was asked for, in one message or, for NLM_F_DUMP, many,
 * and then an acknowledgement: 0 or -errno. Numbers are in the machine's byte
 * order; only IP addresses and all numbers of nf_tables are big-endian.
 */
#ifndef NETLINK_H
#define NETLINK_H

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of an answer: attributes, or the value of one. */
struct nl_bytes {
	void *data;
	int length;
};

struct netlink {
	int fd;
	int error;	       /* of the last request: 0 or -errno, */
	char reason[128];      /* and why, in words, or "" */
	struct nl_bytes attrs; /* of the message that nl_next() returned */
	/* For netlink.c alone: the request, and the answer as it comes. */
	_Alignas(struct nlmsghdr) char request[32768], answer[32768];
	struct nlmsghdr *message, *next;
	uint32_t sequence, length, sent, received, pending;
	int64_t left;
};

/* Opens a socket of NETLINK_ROUTE or NETLINK_NETFILTER in the network namespace
 * that the caller is in, or dies. close(nl->fd) ends it. */
void nl_open(struct netlink *nl, int protocol);

/* Begin a message, with NLM_F_REQUEST and NLM_F_ACK beside FLAGS; add a header
 * of zeroes, to be filled in at once; add an attribute: bytes as they are, a
 * number, a string with its final zero; and one whose value is what is added
 * before its end. Messages add up to a request: at 32 KiB the program dies. */
struct nlmsghdr *nl_begin(struct netlink *nl, uint16_t type, uint16_t flags);
void *nl_reserve(struct netlink *nl, size_t size);
void nl_put(struct netlink *nl, int type, const void *value, size_t size);
void nl_put_u32(struct netlink *nl, int type, uint32_t value);
void nl_put_str(struct netlink *nl, int type, const char *value);
struct rtattr *nl_nest(struct netlink *nl, int type);
void nl_nest_end(struct netlink *nl, struct rtattr *nest);

/* To read an answer: sends the request, if that is not done yet, and returns
 * the family's header, of SIZE bytes, of one message after the other. That and
 * nl->attrs hold until the next call. Call it until it returns NULL, then see
 * nl->error: -EINTR means that what was dumped changed meanwhile. */
void *nl_next(struct netlink *nl, size_t size);

/* Send the request, or read on, until all is acknowledged. nl_try() returns
 * nl->error; nl_done() warns of it, if there is one, and then is false. */
int nl_try(struct netlink *nl);
bool nl_done(struct netlink *nl, const char *description, ...)
	__attribute__((format(printf, 2, 3)));

/* The value of the first attribute TYPE, or no bytes; and the value as a number
 * (in the machine's byte order) or a string, or 0 and "" if it is none. */
struct nl_bytes nl_attr(struct nl_bytes attrs, int type);
uint32_t nl_get_u32(struct nl_bytes value);
const char *nl_get_str(struct nl_bytes value);

#endif
