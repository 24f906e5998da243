/* SPDX-License-Identifier: MIT */
/*
 * Netlink is how ip(8) and nft(8) talk to the kernel: see netlink(7). A request
 * is a message: a header, the header of its family, and attributes, each with a
 * length, a type and a value. A nest is an attribute whose value is a list of
 * attributes. Everything is aligned to 4 bytes. For example, this program sends
 * "ip link add cable type veth" as:
 *
 *	 0 length type flags seq pid   nl_begin(&nl, RTM_NEWLINK,
 *	                                        NLM_F_CREATE | NLM_F_EXCL,
 *	16 struct ifinfomsg                     sizeof(struct ifinfomsg));
 *	32 10 IFLA_IFNAME "cable" pad  nl_put_str(&nl, IFLA_IFNAME, "cable");
 *	44 16 IFLA_LINKINFO            nest = nl_nest(&nl, IFLA_LINKINFO);
 *	48    9 IFLA_INFO_KIND "veth"  nl_put_str(&nl, IFLA_INFO_KIND, "veth");
 *	60                             nl_nest_end(&nl, nest);
 *
 * nl_send() sends these 60 bytes. The kernel replies with an NLMSG_ERROR
 * message of 36 bytes: a header with the same sequence number, then 0 for
 * success or a negative error number, then the header of the request.
 *
 * Integers are in the machine's byte order, except IP addresses and all the
 * integers of nf_tables, which are big-endian.
 */
#ifndef NETLINK_H
#define NETLINK_H

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stddef.h>
#include <stdint.h>

struct netlink {
	int fd;
	uint32_t seq;		  /* of the current request */
	uint32_t length;	  /* of the request so far, in bytes */
	struct nlmsghdr *message; /* the message that is being built */
	struct nlmsghdr *next;	  /* the rest of the datagram received last */
	int64_t left;		  /* its length, in bytes */
	_Alignas(struct nlmsghdr) char request[4096];
	_Alignas(struct nlmsghdr) char reply[8192]; /* netlink(7): enough */
};

/* Opens a socket of the family PROTOCOL, NETLINK_ROUTE or NETLINK_NETFILTER. It
 * stays in the network namespace that the caller is in now. Exits on failure.
 * To close it: close(nl->fd). */
void nl_open(struct netlink *nl, int protocol);

/* Begins a message of TYPE with FLAGS, NLM_F_*, and returns the header of its
 * family: SIZE bytes, all zero, to be filled in by the caller. All messages
 * that are begun before nl_send() are sent together. Exits if the request is
 * longer than 4 KiB; so do the functions below. */
void *nl_begin(struct netlink *nl, int type, int flags, size_t size);

/* Appends SIZE zero bytes for a header in an attribute, and returns them. */
void *nl_append(struct netlink *nl, size_t size);

/* Appends an attribute of TYPE with the SIZE bytes at VALUE. */
void nl_put(struct netlink *nl, int type, const void *value, size_t size);

/* Appends an attribute that is an integer of 32 bits. */
void nl_put_u32(struct netlink *nl, int type, uint32_t value);

/* Appends an attribute that is an IPv4 address. IP is like "10.200.0.1". */
void nl_put_ip(struct netlink *nl, int type, const char *ip);

/* Appends an attribute that is a string, with its final 0. */
void nl_put_str(struct netlink *nl, int type, const char *value);

/* Begins a nest, an attribute that contains the attributes that follow. */
struct rtattr *nl_nest(struct netlink *nl, int type);

/* Ends NEST, which nl_nest() returned. */
void nl_nest_end(struct netlink *nl, struct rtattr *nest);

/* Sends the request and waits for the reply. Returns 0, or -1 with errno set if
 * the kernel refused; if the kernel said why, its words are in `kernel_reason`,
 * see error.h. If REPLY is NULL, the last message gets the flag NLM_F_ACK, and
 * the kernel replies on success, too. Otherwise *REPLY is the first message of
 * the reply, valid until the next nl_send() or nl_next(). */
int nl_send(struct netlink *nl, struct nlmsghdr **reply);

/* Returns the next message of a reply that has several, such as the list that
 * NLM_F_DUMP asks for, or NULL with errno set. The last message of a list has
 * the type NLMSG_DONE. */
struct nlmsghdr *nl_next(struct netlink *nl);

/* Returns the value of the first attribute of TYPE that follows a family header
 * of SIZE bytes in MESSAGE, or NULL. */
const void *nl_find(struct nlmsghdr *message, size_t size, int type);

struct nl_link {
	int index;		 /* 0: there is no such link */
	unsigned char operstate; /* IF_OPER_* of <linux/if.h> */
};

/* Looks up a link, like `ip link show NAME`. NL is a socket of NETLINK_ROUTE.
 * Do not call it between nl_begin() and nl_send(). */
struct nl_link nl_get_link(struct netlink *nl, const char *name);

#endif
