// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "error.h"
#include "netlink.h"

void nl_open(struct netlink *nl, int protocol)
{
	const struct timeval wait = {.tv_sec = 1};
	const int on[] = {1};
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	/* Errors in words, without a copy of the request; no endless wait. */
	if (s == -1 ||
	    setsockopt(s, SOL_NETLINK, NETLINK_EXT_ACK, on, sizeof(on)) == -1 ||
	    setsockopt(s, SOL_NETLINK, NETLINK_CAP_ACK, on, sizeof(on)) == -1 ||
	    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == -1)
		die("netlink socket (module net-pf-16-proto-%d)", protocol);
	*nl = (struct netlink){.fd = s, .sequence = 1};
}

struct nlmsghdr *nl_begin(struct netlink *nl, uint16_t type, uint16_t flags)
{
	nl->message = (void *)(nl->request + nl->length);
	nl_reserve(nl, sizeof(*nl->message));
	nl->message->nlmsg_type = type;
	nl->message->nlmsg_flags = flags | NLM_F_REQUEST | NLM_F_ACK;
	nl->message->nlmsg_seq = nl->sequence + nl->length - NLMSG_HDRLEN;
	return nl->message;
}

void *nl_reserve(struct netlink *nl, size_t size)
{
	char *space = nl->request + nl->length;

	if (size > sizeof(nl->request) - nl->length)
		diex("netlink: more than %zu bytes", sizeof(nl->request));
	memset(space, 0, NLMSG_ALIGN(size)); /* the padding as well */
	nl->length += NLMSG_ALIGN(size);
	nl->message->nlmsg_len += NLMSG_ALIGN(size);
	return space;
}

void nl_put(struct netlink *nl, int type, const void *value, size_t size)
{
	struct rtattr *attr = nl_reserve(nl, sizeof(*attr));
	void *space = nl_reserve(nl, size);

	attr->rta_type = type;
	attr->rta_len = RTA_LENGTH(size); /* without the padding */
	if (size > 0)			  /* memcpy() must not see NULL */
		memcpy(space, value, size);
}

void nl_put_u32(struct netlink *nl, int type, uint32_t value)
{
	nl_put(nl, type, &value, sizeof(value));
}

void nl_put_str(struct netlink *nl, int type, const char *value)
{
	nl_put(nl, type, value, strlen(value) + 1);
}

struct rtattr *nl_nest(struct netlink *nl, int type)
{
	struct rtattr *nest = nl_reserve(nl, sizeof(*nest));

	nest->rta_type = type | NLA_F_NESTED;
	return nest;
}

void nl_nest_end(struct netlink *nl, struct rtattr *nest)
{
	nest->rta_len = nl->request + nl->length - (char *)nest;
}

/* Ends the exchange. What may still come is known by its sequence number. */
static void finish(struct netlink *nl, int error, const char *reason)
{
	nl->error = error;
	nl->pending = 0;
	snprintf(nl->reason, sizeof(nl->reason), "%s", reason);
}

static void transmit(struct netlink *nl)
{
	struct nlmsghdr *m = (void *)nl->request;

	finish(nl, 0, "");
	nl->left = nl->received = 0;
	for (int64_t n = nl->length; NLMSG_OK(m, n); m = NLMSG_NEXT(m, n))
		nl->pending += (m->nlmsg_flags & NLM_F_ACK) != 0;
	while (!nl->error && send(nl->fd, nl->request, nl->length, 0) == -1)
		if (errno != EINTR)
			finish(nl, -errno, "netlink request");
	nl->sequence += nl->sent = nl->length;
	nl->length = 0;
}

/* Root's processes can send to this socket, too; the kernel's port is 0. */
static void receive(struct netlink *nl)
{
	struct sockaddr_nl from = {0};
	socklen_t size = sizeof(from);
	ssize_t n = recvfrom(nl->fd, nl->answer, sizeof(nl->answer), MSG_TRUNC,
			     (struct sockaddr *)&from, &size);

	nl->next = (void *)nl->answer;
	nl->left = from.nl_pid == 0 ? n : 0;
	if (n == -1 && errno != EINTR)
		finish(nl, errno == EAGAIN ? -ETIMEDOUT : -errno, "no answer");
	else if (n > (int)sizeof(nl->answer) || ++nl->received > 4096)
		finish(nl, -EMSGSIZE, "netlink answer");
	/* Until a list is read to its end, the kernel makes no other. */
	for (n = 1; n > 0 && nl->pending == 0 && nl->received++ < 8192;)
		n = recv(nl->fd, nl->answer, sizeof(nl->answer), MSG_DONTWAIT);
}

/* Reads an acknowledgement of the message at PLACE: see enum nlmsgerr_attrs. */
static void judge(struct netlink *nl, uint32_t place, int error)
{
	const char *words = nl_get_str(nl_attr(nl->attrs, NLMSGERR_ATTR_MSG));
	uint32_t at = nl_get_u32(nl_attr(nl->attrs, NLMSGERR_ATTR_OFFS));
	const struct rtattr *attr = (void *)(nl->request + place);

	nl->pending--;
	if (error == 0)
		return;
	finish(nl, error, words);
	if (*words == '\0' && at > 0 && at < nl->sent - place && at % 4 == 0)
		snprintf(nl->reason, sizeof(nl->reason), "attribute %d",
			 attr[at / 4].rta_type & NLA_TYPE_MASK);
}

/* Takes a message off the datagram; returns its family's header, or NULL. */
static void *take(struct netlink *nl, struct nlmsghdr *m, size_t size)
{
	uint32_t place = m->nlmsg_seq - (nl->sequence - nl->sent);

	if (m->nlmsg_type < NLMSG_MIN_TYPE)
		size = m->nlmsg_type == NLMSG_DONE ? sizeof(int)
						   : sizeof(struct nlmsgerr);
	nl->next = NLMSG_NEXT(m, nl->left);
	nl->attrs.data = (char *)m + NLMSG_SPACE(size);
	nl->attrs.length = (int)(m->nlmsg_len - NLMSG_SPACE(size));
	if (place >= nl->sent || place % NLMSG_ALIGNTO != 0 ||
	    m->nlmsg_len < NLMSG_LENGTH(size))
		return NULL; /* for an older request, or malformed */
	if (m->nlmsg_flags & NLM_F_DUMP_INTR)
		nl->error = -EINTR;
	if (m->nlmsg_type >= NLMSG_MIN_TYPE)
		return NLMSG_DATA(m);
	judge(nl, place, *(int *)NLMSG_DATA(m));
	return NULL;
}

void *nl_next(struct netlink *nl, size_t size)
{
	void *header = NULL;

	if (nl->length > 0)
		transmit(nl);
	while (nl->pending > 0 && header == NULL)
		if (NLMSG_OK(nl->next, nl->left))
			header = take(nl, nl->next, size);
		else
			receive(nl);
	return header;
}

int nl_try(struct netlink *nl)
{
	while (nl_next(nl, 0) != NULL)
		; /* not asked for */
	return nl->error;
}

bool nl_done(struct netlink *nl, const char *description, ...)
{
	char what[256];
	va_list args;

	if (nl_try(nl) == 0)
		return true;
	va_start(args, description);
	vsnprintf(what, sizeof(what), description, args);
	va_end(args);
	errno = -nl->error;
	warn("%s%s%s", what, *nl->reason == '\0' ? "" : ": ", nl->reason);
	return false;
}

struct nl_bytes nl_attr(struct nl_bytes attrs, int type)
{
	for (struct rtattr *a = attrs.data; RTA_OK(a, attrs.length);
	     a = RTA_NEXT(a, attrs.length))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return (struct nl_bytes){RTA_DATA(a), RTA_PAYLOAD(a)};
	return (struct nl_bytes){0};
}

uint32_t nl_get_u32(struct nl_bytes value)
{
	return value.length == 4 ? *(uint32_t *)value.data : 0;
}

const char *nl_get_str(struct nl_bytes value)
{
	const char *s = value.data;

	return value.length > 0 && s[value.length - 1] == '\0' ? s : "";
}
