// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "nftables.h"

/* ---- The batch ---- */

static struct nfgenmsg *begin(struct netlink *nl, uint16_t type, uint16_t flags)
{
	struct nfgenmsg *header;

	nl_begin(nl, NFNL_SUBSYS_NFTABLES << 8 | type, flags);
	header = nl_reserve(nl, sizeof(*header));
	header->nfgen_family = NFPROTO_IPV4;
	header->version = NFNETLINK_V0;
	return header;
}

/* Sends what was begun and waits for the answer, like nl_try(). The kernel also
 * has these errors where a part of nf_tables, or all of it, is missing. */
static int ask(struct netlink *nl)
{
	nl_try(nl);
	if (nl->error == -EINVAL || nl->error == -ENOENT ||
	    nl->error == -EOPNOTSUPP)
		snprintf(nl->reason, sizeof(nl->reason), "%s",
			 "perhaps a module is missing: try "
			 "modprobe -a nf_tables nft_chain_nat nft_ct nft_masq");
	return nl->error;
}

/* The first and the last message of a batch. Not every kernel acknowledges
 * these two, so they do not ask for it. */
static void mark(struct netlink *nl, uint16_t type)
{
	struct nfgenmsg *header;

	nl_begin(nl, type, 0)->nlmsg_flags &= ~NLM_F_ACK;
	header = nl_reserve(nl, sizeof(*header));
	header->version = NFNETLINK_V0;
	header->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

void nft_begin(struct netlink *nl)
{
	mark(nl, NFNL_MSG_BATCH_BEGIN);
}

int nft_commit(struct netlink *nl)
{
	/* Without this, the kernel acknowledges each message and then undoes
	 * them all. */
	mark(nl, NFNL_MSG_BATCH_END);
	return ask(nl);
}

/* ---- Tables, chains and rules ---- */

/* All numbers in nf_tables' attributes are in the network's byte order. */
static void put_number(struct netlink *nl, uint16_t type, uint32_t number)
{
	nl_put_u32(nl, type, htonl(number));
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
	put_number(nl, NFTA_HOOK_HOOKNUM, hook);
	put_number(nl, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	nl_nest_end(nl, nest);
}

static void begin_rule(struct netlink *nl, uint16_t type, uint16_t flags,
		       const char *table, const char *chain)
{
	begin(nl, type, flags);
	nl_put_str(nl, NFTA_RULE_TABLE, table);
	nl_put_str(nl, NFTA_RULE_CHAIN, chain);
}

struct rtattr *nft_add_rule(struct netlink *nl, const char *table,
			    const char *chain)
{
	begin_rule(nl, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, table,
		   chain);
	return nl_nest(nl, NFTA_RULE_EXPRESSIONS);
}

struct rtattr *nft_insert_rule(struct netlink *nl, const char *table,
			       const char *chain, const char *comment)
{
	char data[NFT_USERDATA_MAXLEN];
	/* Where nft(8) has comments: type 0, the text's length, the text. */
	int size = snprintf(data, sizeof(data), "%c%c%s", 0,
			    (int)strlen(comment) + 1, comment);

	begin_rule(nl, NFT_MSG_NEWRULE, NLM_F_CREATE, table, chain);
	nl_put(nl, NFTA_RULE_USERDATA, data, size + 1);
	return nl_nest(nl, NFTA_RULE_EXPRESSIONS);
}

/* ---- Expressions ---- */

struct expression {
	struct rtattr *element, *data;
};

static struct expression open_expression(struct netlink *nl, const char *name)
{
	struct expression e;

	e.element = nl_nest(nl, NFTA_LIST_ELEM);
	nl_put_str(nl, NFTA_EXPR_NAME, name);
	e.data = nl_nest(nl, NFTA_EXPR_DATA);
	return e;
}

static void close_expression(struct netlink *nl, struct expression e)
{
	nl_nest_end(nl, e.data);
	nl_nest_end(nl, e.element);
}

static void put_value(struct netlink *nl, int type, const void *value,
		      size_t size)
{
	struct rtattr *nest = nl_nest(nl, type);

	nl_put(nl, NFTA_DATA_VALUE, value, size);
	nl_nest_end(nl, nest);
}

void nft_payload(struct netlink *nl, uint32_t offset)
{
	struct expression e = open_expression(nl, "payload");

	put_number(nl, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_number(nl, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_number(nl, NFTA_PAYLOAD_OFFSET, offset);
	put_number(nl, NFTA_PAYLOAD_LEN, sizeof(uint32_t));
	close_expression(nl, e);
}

void nft_meta(struct netlink *nl, uint32_t key)
{
	struct expression e = open_expression(nl, "meta");

	put_number(nl, NFTA_META_DREG, NFT_REG_1);
	put_number(nl, NFTA_META_KEY, key);
	close_expression(nl, e);
}

void nft_ct(struct netlink *nl, uint32_t key)
{
	struct expression e = open_expression(nl, "ct");

	put_number(nl, NFTA_CT_DREG, NFT_REG_1);
	put_number(nl, NFTA_CT_KEY, key);
	close_expression(nl, e);
}

void nft_bitwise(struct netlink *nl, uint32_t mask)
{
	struct expression e = open_expression(nl, "bitwise");
	const uint32_t flip = 0; /* it is (register & mask) ^ flip */

	put_number(nl, NFTA_BITWISE_SREG, NFT_REG_1);
	put_number(nl, NFTA_BITWISE_DREG, NFT_REG_1);
	put_number(nl, NFTA_BITWISE_LEN, sizeof(mask));
	put_value(nl, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	put_value(nl, NFTA_BITWISE_XOR, &flip, sizeof(flip));
	close_expression(nl, e);
}

static void compare(struct netlink *nl, uint32_t op, const void *value,
		    size_t size)
{
	struct expression e = open_expression(nl, "cmp");

	put_number(nl, NFTA_CMP_SREG, NFT_REG_1);
	put_number(nl, NFTA_CMP_OP, op);
	put_value(nl, NFTA_CMP_DATA, value, size);
	close_expression(nl, e);
}

void nft_cmp(struct netlink *nl, uint32_t op, uint32_t value)
{
	compare(nl, op, &value, sizeof(value));
}

void nft_cmp_name(struct netlink *nl, uint32_t op, const char *name)
{
	char padded[IFNAMSIZ] = "";

	strncpy(padded, name, sizeof(padded) - 1);
	compare(nl, op, padded, sizeof(padded));
}

void nft_masq(struct netlink *nl)
{
	close_expression(nl, open_expression(nl, "masq"));
}

void nft_immediate(struct netlink *nl, int verdict)
{
	struct expression e = open_expression(nl, "immediate");
	struct rtattr *value, *nest;

	put_number(nl, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	value = nl_nest(nl, NFTA_IMMEDIATE_DATA);
	nest = nl_nest(nl, NFTA_DATA_VERDICT);
	put_number(nl, NFTA_VERDICT_CODE, (uint32_t)verdict);
	nl_nest_end(nl, nest);
	nl_nest_end(nl, value);
	close_expression(nl, e);
}

/* ---- What is there ---- */

int nft_find_table(struct netlink *nl, const char *table)
{
	begin(nl, NFT_MSG_GETTABLE, 0);
	nl_put_str(nl, NFTA_TABLE_NAME, table);
	return ask(nl);
}

int nft_find_chain(struct netlink *nl, const char *table, const char *chain)
{
	begin(nl, NFT_MSG_GETCHAIN, 0);
	nl_put_str(nl, NFTA_CHAIN_TABLE, table);
	nl_put_str(nl, NFTA_CHAIN_NAME, chain);
	return ask(nl);
}

/* A chain or a rule, copied out of an answer. */
struct object {
	struct object *next;
	int family;
	struct nl_bytes attrs;
	_Alignas(struct rtattr) char bytes[];
};

static void free_objects(struct object *list)
{
	struct object *next;

	for (; list != NULL; list = next) {
		next = list->next;
		free(list);
	}
}

/* Lists all chains or all rules in their order. NULL: none, or nl->error. */
static struct object *list_objects(struct netlink *nl, uint16_t type)
{
	struct object *list = NULL, **end = &list;
	const struct nfgenmsg *header;

	begin(nl, type, NLM_F_DUMP)->nfgen_family = NFPROTO_UNSPEC;
	while ((header = nl_next(nl, sizeof(*header))) != NULL) {
		*end = malloc(sizeof(**end) + nl->attrs.length);
		if (*end == NULL) {
			nl->error = -ENOMEM;
			break;
		}
		(*end)->next = NULL;
		(*end)->family = header->nfgen_family;
		(*end)->attrs.data = (*end)->bytes;
		(*end)->attrs.length = nl->attrs.length;
		memcpy((*end)->bytes, nl->attrs.data, nl->attrs.length);
		end = &(*end)->next;
	}
	if (ask(nl) == 0)
		return list;
	free_objects(list);
	return nl->error == -EINTR ? list_objects(nl, type) : NULL;
}

static const char *get_string(struct nl_bytes attrs, int type)
{
	return nl_get_str(nl_attr(attrs, type));
}

static uint32_t get_number(struct nl_bytes attrs, int type)
{
	return ntohl(nl_get_u32(nl_attr(attrs, type)));
}

static bool equal(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool is_rule_of(const struct object *rule, int family, const char *table,
		       const char *chain)
{
	return rule->family == family &&
	       equal(get_string(rule->attrs, NFTA_RULE_TABLE), table) &&
	       equal(get_string(rule->attrs, NFTA_RULE_CHAIN), chain);
}

/* The name and the attributes of an expression. */
static const char *read_expression(struct rtattr *e, struct nl_bytes *data)
{
	struct nl_bytes attrs = {RTA_DATA(e), RTA_PAYLOAD(e)};

	*data = nl_attr(attrs, NFTA_EXPR_DATA);
	return get_string(attrs, NFTA_EXPR_NAME);
}

/* Where nft(8) has comments, or where iptables(8) has them, and moves them to
 * when it restores what it has saved. */
static const char *get_comment(const struct object *rule)
{
	struct nl_bytes data = nl_attr(rule->attrs, NFTA_RULE_USERDATA);
	struct nl_bytes list = nl_attr(rule->attrs, NFTA_RULE_EXPRESSIONS);

	if (data.length > 2 && *(char *)data.data == 0) {
		data.data = (char *)data.data + 2;
		data.length -= 2;
		return nl_get_str(data);
	}
	for (struct rtattr *e = list.data; RTA_OK(e, list.length);
	     e = RTA_NEXT(e, list.length))
		if (equal(read_expression(e, &data), "match") &&
		    equal(get_string(data, NFTA_MATCH_NAME), "comment"))
			return get_string(data, NFTA_MATCH_INFO);
	return "";
}

static bool is_ours(const struct object *rule, const char *table,
		    const char *chain, const char *comment)
{
	return is_rule_of(rule, NFPROTO_IPV4, table, chain) &&
	       equal(get_comment(rule), comment);
}

int nft_find_rule(struct netlink *nl, const char *table, const char *chain,
		  const char *comment)
{
	struct object *rules = list_objects(nl, NFT_MSG_GETRULE), *rule = rules;

	while (rule != NULL && !is_ours(rule, table, chain, comment))
		rule = rule->next;
	if (nl->error == 0 && rule == NULL)
		nl->error = -ENOENT;
	free_objects(rules);
	return nl->error;
}

int nft_delete_rules(struct netlink *nl, const char *table, const char *chain,
		     const char *comment)
{
	struct object *rules = list_objects(nl, NFT_MSG_GETRULE), *rule;
	struct nl_bytes handle;

	if (nl->error != 0)
		return nl->error;
	nft_begin(nl);
	for (rule = rules; rule != NULL; rule = rule->next) {
		if (!is_ours(rule, table, chain, comment))
			continue;
		handle = nl_attr(rule->attrs, NFTA_RULE_HANDLE);
		begin_rule(nl, NFT_MSG_DELRULE, 0, table, chain);
		nl_put(nl, NFTA_RULE_HANDLE, handle.data, handle.length);
	}
	free_objects(rules);
	/* Somebody else was faster? */
	if (nft_commit(nl) == -ENOENT)
		return nft_delete_rules(nl, table, chain, comment);
	return nl->error;
}

/* ---- What the chains of others do with the bridge's packets ---- */

/* All that is known of a packet: the interfaces by which it comes and goes. */
struct packet {
	const char *bridge, *uplink;
};

/* Whether a comparison with the name of an interface, or with the first letters
 * of one, holds for NAME. */
static bool holds(struct nl_bytes cmp, const char *name)
{
	struct nl_bytes data = nl_attr(cmp, NFTA_CMP_DATA);
	struct nl_bytes value = nl_attr(data, NFTA_DATA_VALUE);
	bool same = value.length > 0 &&
		    strncmp(value.data, name, value.length) == 0;

	return same == (get_number(cmp, NFTA_CMP_OP) == NFT_CMP_EQ);
}

static int get_verdict(struct nl_bytes immediate, const char **target)
{
	struct nl_bytes value = nl_attr(immediate, NFTA_IMMEDIATE_DATA);
	struct nl_bytes verdict = nl_attr(value, NFTA_DATA_VERDICT);

	if (verdict.length == 0)
		return NFT_CONTINUE;
	*target = get_string(verdict, NFTA_VERDICT_CHAIN);
	return (int)get_number(verdict, NFTA_VERDICT_CODE);
}

/* What a rule does with the packet: a verdict, with its TARGET chain if it is a
 * jump, or NFT_CONTINUE. A rule that looks at what is not known of the packet
 * is passed over, unless it names the bridge and does not drop: somebody wrote
 * it to let the bridge's packets pass. "match" and "target" are iptables'. */
static int decide(const struct object *rule, const struct packet *packet,
		  const char **target)
{
	struct nl_bytes list = nl_attr(rule->attrs, NFTA_RULE_EXPRESSIONS);
	bool certain = true, named = false;
	const char *loaded = NULL;
	int verdict = NFT_CONTINUE;

	for (struct rtattr *e = list.data; RTA_OK(e, list.length);
	     e = RTA_NEXT(e, list.length)) {
		struct nl_bytes data;
		const char *name = read_expression(e, &data);
		const char *xt = get_string(data, NFTA_TARGET_NAME);
		uint32_t key = get_number(data, NFTA_META_KEY);

		if (equal(name, "cmp") && loaded != NULL) {
			if (!holds(data, loaded))
				return NFT_CONTINUE;
			named |= loaded == packet->bridge &&
				 get_number(data, NFTA_CMP_OP) == NFT_CMP_EQ;
		} else if (equal(name, "immediate"))
			verdict = get_verdict(data, target);
		else if (equal(name, "reject") ||
			 (equal(name, "target") && equal(xt, "REJECT")))
			verdict = NF_DROP;
		else if (!equal(name, "meta") && !equal(name, "counter") &&
			 !equal(name, "log") && !equal(name, "target") &&
			 !(equal(name, "match") && equal(xt, "comment")))
			certain = false;

		loaded = NULL;
		if (equal(name, "meta") && key == NFT_META_IIFNAME)
			loaded = packet->bridge;
		else if (equal(name, "meta") && key == NFT_META_OIFNAME)
			loaded = packet->uplink;
	}
	if (!certain && (!named || verdict == NF_DROP))
		return NFT_CONTINUE;
	return verdict;
}

/* What becomes of the packet in a chain, and in those that it jumps to. */
static int follow(const struct object *rules, const struct packet *packet,
		  int family, const char *table, const char *chain)
{
	const struct object *rule;
	const char *target = NULL;
	int verdict, went;

	for (rule = rules; rule != NULL; rule = rule->next) {
		if (!is_rule_of(rule, family, table, chain))
			continue;
		went = verdict = decide(rule, packet, &target);
		if (went == NFT_JUMP || went == NFT_GOTO)
			verdict = follow(rules, packet, family, table, target);
		if (verdict == NFT_RETURN)
			return NFT_CONTINUE;
		if (verdict != NFT_CONTINUE || went == NFT_GOTO)
			return verdict;
	}
	return NFT_CONTINUE;
}

static void warn_of_drop(const char *bridge, const char *family,
			 const char *table, const char *chain, bool ufw)
{
	bool iptables = equal(family, "ip") && equal(table, "filter") &&
			equal(chain, "FORWARD");
	char what[1024];

	snprintf(what, sizeof(what),
		 "the chain %s %s %s drops what %s forwards; to allow it:",
		 family, table, chain, bridge);
	if (equal(table, "firewalld"))
		warnx("%s firewall-cmd --zone=trusted --add-interface=%s", what,
		      bridge);
	else if (iptables && ufw)
		warnx("%s ufw route allow in on %s; ufw route allow out on %s",
		      what, bridge, bridge);
	else if (iptables)
		warnx("%s iptables -I FORWARD -i %s -j ACCEPT; "
		      "iptables -I FORWARD -o %s -j ACCEPT",
		      what, bridge, bridge);
	else
		warnx("%s nft insert rule %s %s %s iifname %s accept; "
		      "nft insert rule %s %s %s oifname %s accept",
		      what, family, table, chain, bridge, family, table, chain,
		      bridge);
}

int nft_warn_of_drops(struct netlink *nl, const char *bridge,
		      const char *uplink)
{
	const struct packet packet = {bridge, uplink};
	bool ufw = nft_find_chain(nl, "filter", "ufw-user-forward") == 0;
	struct object *chains = list_objects(nl, NFT_MSG_GETCHAIN), *c;
	struct object *rules = NULL;

	if (nl->error == 0)
		rules = list_objects(nl, NFT_MSG_GETRULE);
	for (c = chains; c != NULL && nl->error == 0; c = c->next) {
		const char *table = get_string(c->attrs, NFTA_CHAIN_TABLE);
		const char *chain = get_string(c->attrs, NFTA_CHAIN_NAME);
		struct nl_bytes hook = nl_attr(c->attrs, NFTA_CHAIN_HOOK);
		int verdict;

		if (get_number(hook, NFTA_HOOK_HOOKNUM) != NF_INET_FORWARD ||
		    (c->family != NFPROTO_IPV4 && c->family != NFPROTO_INET))
			continue;
		verdict = follow(rules, &packet, c->family, table, chain);
		if (verdict == NFT_CONTINUE)
			verdict = (int)get_number(c->attrs, NFTA_CHAIN_POLICY);
		if (verdict == NF_DROP)
			warn_of_drop(bridge,
				     c->family == NFPROTO_INET ? "inet" : "ip",
				     table, chain, ufw);
	}
	free_objects(chains);
	free_objects(rules);
	return nl->error;
}
