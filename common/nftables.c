// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "nftables.h"

static void begin(struct netlink *nl, int type, int flags)
{
	struct nfgenmsg *header = nl_begin(nl, NFNL_SUBSYS_NFTABLES << 8 | type,
					   flags, sizeof(*header));

	header->nfgen_family = NFPROTO_IPV4;
	header->version = NFNETLINK_V0;
}

static void put_batch_marker(struct netlink *nl, int type)
{
	struct nfgenmsg *header = nl_begin(nl, type, 0, sizeof(*header));

	header->version = NFNETLINK_V0;
	header->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

void nft_begin(struct netlink *nl)
{
	put_batch_marker(nl, NFNL_MSG_BATCH_BEGIN);
}

/* Errors are reported before acknowledgements. So if the last change alone asks
 * for one, the first message of the reply is the verdict on the batch. */
int nft_commit(struct netlink *nl)
{
	struct nlmsghdr *verdict;

	nl->message->nlmsg_flags |= NLM_F_ACK;
	put_batch_marker(nl, NFNL_MSG_BATCH_END);
	return nl_send(nl, &verdict);
}

/* All integers in the attributes of nf_tables are big-endian. */
static void put_be32(struct netlink *nl, int type, uint32_t value)
{
	nl_put_u32(nl, type, htonl(value));
}

void nft_add_table(struct netlink *nl, const char *table)
{
	begin(nl, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	nl_put_str(nl, NFTA_TABLE_NAME, table);
}

void nft_delete_table(struct netlink *nl, const char *table)
{
	begin(nl, NFT_MSG_DELTABLE, 0);
	nl_put_str(nl, NFTA_TABLE_NAME, table);
}

void nft_add_chain(struct netlink *nl, const char *table, const char *chain,
		   const char *type, uint32_t hook, int32_t priority)
{
	struct rtattr *nest;

	begin(nl, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	nl_put_str(nl, NFTA_CHAIN_TABLE, table);
	nl_put_str(nl, NFTA_CHAIN_NAME, chain);
	nl_put_str(nl, NFTA_CHAIN_TYPE, type);
	nest = nl_nest(nl, NFTA_CHAIN_HOOK);
	put_be32(nl, NFTA_HOOK_HOOKNUM, hook);
	put_be32(nl, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	nl_nest_end(nl, nest);
}

static void begin_rule(struct netlink *nl, int type, int flags,
		       const char *table, const char *chain)
{
	begin(nl, type, flags);
	nl_put_str(nl, NFTA_RULE_TABLE, table);
	nl_put_str(nl, NFTA_RULE_CHAIN, chain);
}

/* To delete a rule without saying which deletes all rules of the table. */
void nft_flush_table(struct netlink *nl, const char *table)
{
	begin(nl, NFT_MSG_DELRULE, 0);
	nl_put_str(nl, NFTA_RULE_TABLE, table);
}

void nft_delete_rule(struct netlink *nl, const char *table, const char *chain,
		     uint64_t handle)
{
	handle = htobe64(handle);
	begin_rule(nl, NFT_MSG_DELRULE, 0, table, chain);
	nl_put(nl, NFTA_RULE_HANDLE, &handle, sizeof(handle));
}

struct rtattr *nft_add_rule(struct netlink *nl, const char *table,
			    const char *chain)
{
	begin_rule(nl, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, table,
		   chain);
	return nl_nest(nl, NFTA_RULE_EXPRESSIONS);
}

/* Stores a comment as nft(8) does: type 0, length, text. Returns its size. */
static size_t make_userdata(char data[NFT_USERDATA_MAXLEN], const char *comment)
{
	return 1 + (size_t)snprintf(data, NFT_USERDATA_MAXLEN, "%c%c%s", 0,
				    (int)strlen(comment) + 1, comment);
}

struct rtattr *nft_insert_rule(struct netlink *nl, const char *table,
			       const char *chain, const char *comment)
{
	char data[NFT_USERDATA_MAXLEN];
	size_t size = make_userdata(data, comment);

	begin_rule(nl, NFT_MSG_NEWRULE, NLM_F_CREATE, table, chain);
	nl_put(nl, NFTA_RULE_USERDATA, data, size);
	return nl_nest(nl, NFTA_RULE_EXPRESSIONS);
}

void nft_end_rule(struct netlink *nl, struct rtattr *rule)
{
	nl_nest_end(nl, rule);
}

/* An expression is a nest of its name and a nest of its attributes. */
struct expression {
	struct rtattr *element, *data;
};

static struct expression begin_expression(struct netlink *nl, const char *name)
{
	struct expression e;

	e.element = nl_nest(nl, NFTA_LIST_ELEM);
	nl_put_str(nl, NFTA_EXPR_NAME, name);
	e.data = nl_nest(nl, NFTA_EXPR_DATA);
	return e;
}

static void end_expression(struct netlink *nl, struct expression e)
{
	nl_nest_end(nl, e.data);
	nl_nest_end(nl, e.element);
}

void nft_payload(struct netlink *nl, uint32_t offset, uint32_t size)
{
	struct expression e = begin_expression(nl, "payload");

	put_be32(nl, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_be32(nl, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_be32(nl, NFTA_PAYLOAD_OFFSET, offset);
	put_be32(nl, NFTA_PAYLOAD_LEN, size);
	end_expression(nl, e);
}

void nft_cmp(struct netlink *nl, uint32_t op, const void *value, size_t size)
{
	struct expression e = begin_expression(nl, "cmp");
	struct rtattr *nest;

	put_be32(nl, NFTA_CMP_SREG, NFT_REG_1);
	put_be32(nl, NFTA_CMP_OP, op);
	nest = nl_nest(nl, NFTA_CMP_DATA);
	nl_put(nl, NFTA_DATA_VALUE, value, size);
	nl_nest_end(nl, nest);
	end_expression(nl, e);
}

void nft_cmp_name(struct netlink *nl, uint32_t key, uint32_t op,
		  const char *name)
{
	struct expression e = begin_expression(nl, "meta");
	char padded[IFNAMSIZ] = "";

	put_be32(nl, NFTA_META_DREG, NFT_REG_1);
	put_be32(nl, NFTA_META_KEY, key);
	end_expression(nl, e);
	strncpy(padded, name, sizeof(padded) - 1);
	nft_cmp(nl, op, padded, sizeof(padded));
}

void nft_cmp_direction(struct netlink *nl, uint32_t op, uint8_t direction)
{
	struct expression e = begin_expression(nl, "ct");

	put_be32(nl, NFTA_CT_DREG, NFT_REG_1);
	put_be32(nl, NFTA_CT_KEY, NFT_CT_DIRECTION);
	end_expression(nl, e);
	nft_cmp(nl, op, &direction, sizeof(direction));
}

void nft_masq(struct netlink *nl)
{
	end_expression(nl, begin_expression(nl, "masq"));
}

void nft_verdict(struct netlink *nl, int verdict)
{
	struct expression e = begin_expression(nl, "immediate");
	struct rtattr *value, *nest;

	put_be32(nl, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	value = nl_nest(nl, NFTA_IMMEDIATE_DATA);
	nest = nl_nest(nl, NFTA_DATA_VERDICT);
	put_be32(nl, NFTA_VERDICT_CODE, (uint32_t)verdict);
	nl_nest_end(nl, nest);
	nl_nest_end(nl, value);
	end_expression(nl, e);
}

/* Does MESSAGE contain an attribute of TYPE, at any depth, with just this value
 * of SIZE bytes, at most 256? */
static bool contains(struct nlmsghdr *message, int type, const void *value,
		     size_t size)
{
	struct {
		struct rtattr header;
		char value[256];
	} attr = {{(uint16_t)RTA_LENGTH(size), (uint16_t)type}, {0}};

	memcpy(attr.value, value, size);
	return memmem(message, message->nlmsg_len, &attr, RTA_LENGTH(size)) !=
	       NULL;
}

/* iptables-save(8) and iptables-restore(8) turn the comment into a match of the
 * module xt_comment, whose value is 256 bytes. */
static bool has_comment(struct nlmsghdr *rule, const char *comment)
{
	char data[NFT_USERDATA_MAXLEN], match[256] = "";
	size_t size = make_userdata(data, comment);

	strncpy(match, comment, sizeof(match) - 1);
	return contains(rule, NFTA_RULE_USERDATA, data, size) ||
	       contains(rule, NFTA_MATCH_INFO, match, sizeof(match));
}

bool nft_has_chain(struct netlink *nl, const char *table, const char *chain)
{
	struct nlmsghdr *reply;

	begin(nl, NFT_MSG_GETCHAIN, 0);
	nl_put_str(nl, NFTA_CHAIN_TABLE, table);
	nl_put_str(nl, NFTA_CHAIN_NAME, chain);
	return nl_send(nl, &reply) == 0;
}

uint64_t nft_find_rule(struct netlink *nl, const char *table, const char *chain,
		       const char *comment)
{
	struct nlmsghdr *rule;
	const void *value;
	uint64_t handle = 0;

	begin_rule(nl, NFT_MSG_GETRULE, NLM_F_DUMP, table, chain);
	if (nl_send(nl, &rule) == -1)
		return 0;
	while (rule != NULL && rule->nlmsg_type != NLMSG_DONE) {
		value = nl_find(rule, sizeof(struct nfgenmsg),
				NFTA_RULE_HANDLE);
		if (handle == 0 && value != NULL && has_comment(rule, comment))
			memcpy(&handle, value, sizeof(handle));
		/* Read the list to its end: until then, there is no other. */
		rule = nl_next(nl);
	}
	return be64toh(handle);
}
