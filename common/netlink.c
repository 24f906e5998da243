// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "error.h"
#include "netlink.h"

void nl_open(struct netlink *nl, int protocol)
{
	const struct timeval timeout = {.tv_sec = 5};
	const int on = 1;

	*nl = (struct netlink){0};
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (nl->fd == -1)
		err(EXIT_LAUNCHER, "netlink socket of family %d", protocol);
	/* Ask for error strings, and never wait forever. */
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

/* With the padding, which has to be zero as well. */
void *nl_append(struct netlink *nl, size_t size)
{
	char *space = nl->request + nl->length;

	if (nl->length + NLMSG_ALIGN(size) > sizeof(nl->request))
		errx(EXIT_LAUNCHER, "netlink request is too long");
	memset(space, 0, NLMSG_ALIGN(size));
	nl->length += NLMSG_ALIGN(size);
	nl->message->nlmsg_len += NLMSG_ALIGN(size);
	return space;
}

void *nl_begin(struct netlink *nl, int type, int flags, size_t size)
{
	if (nl->length == 0)
		nl->seq++;
	nl->message = (struct nlmsghdr *)(nl->request + nl->length);
	nl_append(nl, sizeof(*nl->message));
	nl->message->nlmsg_type = (uint16_t)type;
	nl->message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nl->message->nlmsg_seq = nl->seq;
	return nl_append(nl, size);
}

void nl_put(struct netlink *nl, int type, const void *value, size_t size)
{
	struct rtattr *attr = nl_append(nl, RTA_LENGTH(size));

	attr->rta_type = (uint16_t)type;
	attr->rta_len = (uint16_t)RTA_LENGTH(size); /* without the padding */
	memcpy(RTA_DATA(attr), value, size);
}

void nl_put_u32(struct netlink *nl, int type, uint32_t value)
{
	nl_put(nl, type, &value, sizeof(value));
}

void nl_put_ip(struct netlink *nl, int type, const char *ip)
{
	nl_put_u32(nl, type, inet_addr(ip)); /* in network byte order */
}

void nl_put_str(struct netlink *nl, int type, const char *value)
{
	nl_put(nl, type, value, strlen(value) + 1);
}

struct rtattr *nl_nest(struct netlink *nl, int type)
{
	struct rtattr *nest = nl_append(nl, RTA_LENGTH(0));

	nest->rta_type = (uint16_t)(type | NLA_F_NESTED);
	return nest;
}

void nl_nest_end(struct netlink *nl, struct rtattr *nest)
{
	nest->rta_len = (uint16_t)(nl->request + nl->length - (char *)nest);
}

/* A datagram holds one message or more. Messages with another sequence number
 * answer an earlier request: not all of its reply had been read. */
struct nlmsghdr *nl_next(struct netlink *nl)
{
	for (;;) {
		struct nlmsghdr *message = nl->next;
		ssize_t n;

		if (NLMSG_OK(message, nl->left)) {
			nl->next = NLMSG_NEXT(message, nl->left);
			if (message->nlmsg_seq == nl->seq)
				return message;
			continue;
		}
		n = recv(nl->fd, nl->reply, sizeof(nl->reply), MSG_TRUNC);
		if (n > (ssize_t)sizeof(nl->reply)) {
			errno = EMSGSIZE;
			return NULL;
		}
		if (n == -1)
			return NULL;
		nl->next = (struct nlmsghdr *)nl->reply;
		nl->left = n;
	}
}

const void *nl_find(struct nlmsghdr *message, size_t size, int type)
{
	struct rtattr *attr = (void *)((char *)message + NLMSG_SPACE(size));
	int length = (int)(message->nlmsg_len - NLMSG_SPACE(size));

	for (; RTA_OK(attr, length); attr = RTA_NEXT(attr, length))
		if ((attr->rta_type & NLA_TYPE_MASK) == type)
			return RTA_DATA(attr);
	return NULL;
}

/* Reads an NLMSG_ERROR message, which acknowledges the request if it holds 0.
 * The request's header follows (NETLINK_CAP_ACK), then attributes. */
static int handle_ack(struct nlmsghdr *message)
{
	const struct nlmsgerr *ack = NLMSG_DATA(message);
	const char *words = nl_find(message, sizeof(*ack), NLMSGERR_ATTR_MSG);

	if (ack->error == 0)
		return 0;
	if (words != NULL)
		snprintf(kernel_reason, sizeof(kernel_reason), "%s", words);
	errno = -ack->error;
	return -1;
}

int nl_send(struct netlink *nl, struct nlmsghdr **reply)
{
	struct nlmsghdr *message;
	ssize_t sent;

	if (reply == NULL)
		nl->message->nlmsg_flags |= NLM_F_ACK;
	kernel_reason[0] = '\0'; /* of an earlier request */
	sent = send(nl->fd, nl->request, nl->length, 0);
	nl->length = 0;
	if (sent == -1)
		return -1;
	message = nl_next(nl);
	if (message == NULL)
		return -1;
	if (reply != NULL)
		*reply = message;
	if (message->nlmsg_type == NLMSG_ERROR)
		return handle_ack(message);
	return 0;
}

struct nl_link nl_get_link(struct netlink *nl, const char *name)
{
	struct nl_link link = {0};
	struct nlmsghdr *reply;
	const void *value;

	nl_begin(nl, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	nl_put_str(nl, IFLA_IFNAME, name);
	if (nl_send(nl, &reply) == -1)
		return link;
	link.index = ((struct ifinfomsg *)NLMSG_DATA(reply))->ifi_index;
	value = nl_find(reply, sizeof(struct ifinfomsg), IFLA_OPERSTATE);
	if (value != NULL)
		memcpy(&link.operstate, value, sizeof(link.operstate));
	return link;
}
