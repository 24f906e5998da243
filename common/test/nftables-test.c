// SPDX-License-Identifier: MIT
/*
 * nftables-test - do what test-nftables.sh asks for, with common/nftables.[ch]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "error.h"
#include "nftables.h"

/* ---- The rules of step 07 ---- */

static void match_name(struct netlink *nl, uint32_t key, uint32_t op,
		       const char *name)
{
	nft_meta(nl, key);
	nft_cmp_name(nl, op, name);
}

static void add_table(struct netlink *nl, const char *bridge,
		      const char *address, const char *bits)
{
	struct rtattr *rule;

	nft_add_table(nl, bridge);
	/* { type nat hook postrouting priority srcnat; } */
	nft_add_chain(nl, bridge, "postrouting", "nat", NF_INET_POST_ROUTING,
		      NF_IP_PRI_NAT_SRC);
	/* ip saddr ADDRESS/BITS oifname != BRIDGE masquerade */
	rule = nft_add_rule(nl, bridge, "postrouting");
	nft_payload(nl, offsetof(struct iphdr, saddr));
	nft_bitwise(nl, htonl(UINT32_MAX << (32 - strtol(bits, NULL, 10))));
	nft_cmp(nl, NFT_CMP_EQ, inet_addr(address));
	match_name(nl, NFT_META_OIFNAME, NFT_CMP_NEQ, bridge);
	nft_masq(nl);
	nl_nest_end(nl, rule);

	/* { type filter hook forward priority filter; policy accept; } */
	nft_add_chain(nl, bridge, "forward", "filter", NF_INET_FORWARD,
		      NF_IP_PRI_FILTER);
	/* iifname BRIDGE accept */
	rule = nft_add_rule(nl, bridge, "forward");
	match_name(nl, NFT_META_IIFNAME, NFT_CMP_EQ, bridge);
	nft_immediate(nl, NF_ACCEPT);
	nl_nest_end(nl, rule);
	/* oifname BRIDGE ct state established,related accept */
	rule = nft_add_rule(nl, bridge, "forward");
	match_name(nl, NFT_META_OIFNAME, NFT_CMP_EQ, bridge);
	nft_ct(nl, NFT_CT_STATE);
	nft_bitwise(nl, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) |
				NF_CT_STATE_BIT(IP_CT_RELATED));
	nft_cmp(nl, NFT_CMP_NEQ, 0);
	nft_immediate(nl, NF_ACCEPT);
	nl_nest_end(nl, rule);
	/* oifname BRIDGE drop */
	rule = nft_add_rule(nl, bridge, "forward");
	match_name(nl, NFT_META_OIFNAME, NFT_CMP_EQ, bridge);
	nft_immediate(nl, NF_DROP);
	nl_nest_end(nl, rule);
}

static void insert_docker_rule(struct netlink *nl, uint32_t key,
			       const char *bridge)
{
	struct rtattr *rule;

	rule = nft_insert_rule(nl, "filter", "DOCKER-USER", bridge);
	match_name(nl, key, NFT_CMP_EQ, bridge);
	nft_immediate(nl, NF_ACCEPT);
	nl_nest_end(nl, rule);
}

/* ---- Reading back, in the words of nft --debug=netlink ---- */

static uint32_t number(struct nl_bytes attrs, int type)
{
	return ntohl(nl_get_u32(nl_attr(attrs, type)));
}

/* In words of the machine's byte order, as nft prints them. */
static void print_value(struct nl_bytes attrs, int type)
{
	struct nl_bytes value = nl_attr(nl_attr(attrs, type), NFTA_DATA_VALUE);
	uint32_t word;

	for (; value.length >= 4; value.length -= 4) {
		memcpy(&word, value.data, 4);
		printf(" 0x%08x", word);
		value.data = (char *)value.data + 4;
	}
}

static void print_expression(struct nl_bytes expression)
{
	static const char *const keys[] = {
		[NFT_META_IIFNAME] = "iifname", [NFT_META_OIFNAME] = "oifname"};
	const char *name = nl_get_str(nl_attr(expression, NFTA_EXPR_NAME));
	struct nl_bytes data = nl_attr(expression, NFTA_EXPR_DATA), verdict;
	int code;

	printf("  [ %s", name);
	if (strcmp(name, "payload") == 0) {
		printf(" load %ub @ network header + %u => reg %u",
		       number(data, NFTA_PAYLOAD_LEN),
		       number(data, NFTA_PAYLOAD_OFFSET),
		       number(data, NFTA_PAYLOAD_DREG));
	} else if (strcmp(name, "bitwise") == 0) {
		printf(" reg %u = ( reg %u &", number(data, NFTA_BITWISE_DREG),
		       number(data, NFTA_BITWISE_SREG));
		print_value(data, NFTA_BITWISE_MASK);
		printf(" ) ^");
		print_value(data, NFTA_BITWISE_XOR);
	} else if (strcmp(name, "cmp") == 0) {
		printf(" %s reg %u",
		       number(data, NFTA_CMP_OP) == NFT_CMP_EQ ? "eq" : "neq",
		       number(data, NFTA_CMP_SREG));
		print_value(data, NFTA_CMP_DATA);
	} else if (strcmp(name, "meta") == 0) {
		printf(" load %s => reg %u", keys[number(data, NFTA_META_KEY)],
		       number(data, NFTA_META_DREG));
	} else if (strcmp(name, "ct") == 0) {
		printf(" load %s => reg %u",
		       number(data, NFTA_CT_KEY) == NFT_CT_STATE ? "state"
								 : "?",
		       number(data, NFTA_CT_DREG));
	} else if (strcmp(name, "immediate") == 0) {
		verdict = nl_attr(nl_attr(data, NFTA_IMMEDIATE_DATA),
				  NFTA_DATA_VERDICT);
		code = (int)number(verdict, NFTA_VERDICT_CODE);
		printf(" reg %u %s", number(data, NFTA_IMMEDIATE_DREG),
		       code == NF_ACCEPT ? "accept"
		       : code == NF_DROP ? "drop"
					 : "jump");
	}
	printf(" ]\n");
}

static void dump(struct netlink *nl, uint16_t type)
{
	nl_begin(nl, NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_DUMP);
	nl_reserve(nl, sizeof(struct nfgenmsg));
}

static void list(struct netlink *nl, char **args)
{
	(void)args;
	dump(nl, NFT_MSG_GETCHAIN);
	while (nl_next(nl, sizeof(struct nfgenmsg)) != NULL) {
		struct nl_bytes hook = nl_attr(nl->attrs, NFTA_CHAIN_HOOK);

		printf("%s %s type %s hook %u priority %d policy %u\n",
		       nl_get_str(nl_attr(nl->attrs, NFTA_CHAIN_TABLE)),
		       nl_get_str(nl_attr(nl->attrs, NFTA_CHAIN_NAME)),
		       nl_get_str(nl_attr(nl->attrs, NFTA_CHAIN_TYPE)),
		       number(hook, NFTA_HOOK_HOOKNUM),
		       (int)number(hook, NFTA_HOOK_PRIORITY),
		       number(nl->attrs, NFTA_CHAIN_POLICY));
	}
	dump(nl, NFT_MSG_GETRULE);
	while (nl_next(nl, sizeof(struct nfgenmsg)) != NULL) {
		struct nl_bytes rest =
			nl_attr(nl->attrs, NFTA_RULE_EXPRESSIONS);
		struct rtattr *e = rest.data;

		printf("%s %s\n",
		       nl_get_str(nl_attr(nl->attrs, NFTA_RULE_TABLE)),
		       nl_get_str(nl_attr(nl->attrs, NFTA_RULE_CHAIN)));
		for (; RTA_OK(e, rest.length); e = RTA_NEXT(e, rest.length))
			print_expression(
				(struct nl_bytes){RTA_DATA(e), RTA_PAYLOAD(e)});
	}
}

/* ---- Commands: the rest of argv is theirs, and "" is what is not there */

/* As iptables-nft and Docker leave it: FORWARD drops, after a jump to
 * DOCKER-USER. There are rules of others: one just like ours, and one with our
 * comment, but in another chain. */
static void filter(struct netlink *nl, char **args)
{
	struct rtattr *rule, *element, *data, *value, *verdict;

	nft_begin(nl);
	nft_add_table(nl, "filter");
	nft_add_chain(nl, "filter", "FORWARD", "filter", NF_INET_FORWARD, 0);
	nl_put_u32(nl, NFTA_CHAIN_POLICY, htonl(NF_DROP));
	nl_begin(nl, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN,
		 NLM_F_CREATE);
	((struct nfgenmsg *)nl_reserve(nl, sizeof(struct nfgenmsg)))
		->nfgen_family = NFPROTO_IPV4;
	nl_put_str(nl, NFTA_CHAIN_TABLE, "filter");
	nl_put_str(nl, NFTA_CHAIN_NAME, "DOCKER-USER");

	rule = nft_add_rule(nl, "filter", "FORWARD");
	element = nl_nest(nl, NFTA_LIST_ELEM);
	nl_put_str(nl, NFTA_EXPR_NAME, "immediate");
	data = nl_nest(nl, NFTA_EXPR_DATA);
	nl_put_u32(nl, NFTA_IMMEDIATE_DREG, htonl(NFT_REG_VERDICT));
	value = nl_nest(nl, NFTA_IMMEDIATE_DATA);
	verdict = nl_nest(nl, NFTA_DATA_VERDICT);
	nl_put_u32(nl, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_JUMP));
	nl_put_str(nl, NFTA_VERDICT_CHAIN, "DOCKER-USER");
	nl_nest_end(nl, verdict);
	nl_nest_end(nl, value);
	nl_nest_end(nl, data);
	nl_nest_end(nl, element);
	nl_nest_end(nl, rule);

	rule = nft_add_rule(nl, "filter", "DOCKER-USER");
	match_name(nl, NFT_META_IIFNAME, NFT_CMP_EQ, args[0]);
	nft_immediate(nl, NF_ACCEPT);
	nl_nest_end(nl, rule);
	rule = nft_insert_rule(nl, "filter", "DOCKER-USER", "somebody's");
	match_name(nl, NFT_META_IIFNAME, NFT_CMP_EQ, "eth7");
	nft_immediate(nl, NF_DROP);
	nl_nest_end(nl, rule);
	rule = nft_insert_rule(nl, "filter", "FORWARD", "cbr0");
	match_name(nl, NFT_META_IIFNAME, NFT_CMP_EQ, "eth7");
	nft_immediate(nl, NF_DROP);
	nl_nest_end(nl, rule);
	nft_commit(nl);
}

static void docker(struct netlink *nl, char **args)
{
	nft_begin(nl);
	insert_docker_rule(nl, NFT_META_IIFNAME, args[0]);
	insert_docker_rule(nl, NFT_META_OIFNAME, args[0]);
	nft_commit(nl);
}

static void undocker(struct netlink *nl, char **args)
{
	nft_delete_rules(nl, "filter", "DOCKER-USER", args[0]);
}

static void table(struct netlink *nl, char **args)
{
	nft_begin(nl);
	add_table(nl, args[0], args[1], args[2]);
	nft_commit(nl);
}

/* The same, whatever there was. */
static void again(struct netlink *nl, char **args)
{
	nft_begin(nl);
	nft_add_table(nl, args[0]);
	nft_delete_table(nl, args[0]);
	add_table(nl, args[0], args[1], args[2]);
	nft_commit(nl);
}

static void delete (struct netlink *nl, char **args)
{
	nft_begin(nl);
	nft_delete_table(nl, args[0]);
	nft_commit(nl);
}

static void find(struct netlink *nl, char **args)
{
	if (*args[1] == '\0')
		nft_find_table(nl, args[0]);
	else if (*args[2] == '\0')
		nft_find_chain(nl, args[0], args[1]);
	else
		nft_find_rule(nl, args[0], args[1], args[2]);
}

static void drops(struct netlink *nl, char **args)
{
	nft_warn_of_drops(nl, args[0], args[1]);
}

/* A batch whose middle fails, and on the same socket one that does not. */
static void broken(struct netlink *nl, char **args)
{
	struct rtattr *rule;

	nft_begin(nl);
	add_table(nl, args[0], args[1], args[2]);
	rule = nft_add_rule(nl, args[0], "no-such-chain");
	nl_nest_end(nl, rule);
	nft_add_chain(nl, args[0], "more", "filter", NF_INET_FORWARD, 0);
	if (nft_commit(nl) != -ENOENT)
		diex("the broken batch: %s", strerror(-nl->error));
	if (nft_find_table(nl, args[0]) != -ENOENT)
		diex("the broken batch left its table");
	table(nl, args);
}

/* A batch without its end. */
static void endless(struct netlink *nl, char **args)
{
	nft_begin(nl);
	add_table(nl, args[0], args[1], args[2]);
	nl_try(nl);
}

/* A chain of a type that no module has. */
static void strange(struct netlink *nl, char **args)
{
	nft_begin(nl);
	nft_add_table(nl, args[0]);
	nft_add_chain(nl, args[0], "chain", "strange", NF_INET_FORWARD, 0);
	nft_commit(nl);
}

/* A batch of 60 rules, after whose commit no answer must be left to read. */
static void many(struct netlink *nl, char **args)
{
	nft_begin(nl);
	add_table(nl, args[0], args[1], args[2]);
	for (int i = 0; i < 60; i++) {
		struct rtattr *rule = nft_add_rule(nl, args[0], "forward");

		match_name(nl, NFT_META_IIFNAME, NFT_CMP_EQ, args[0]);
		nl_nest_end(nl, rule);
	}
	if (nft_commit(nl) == 0 && recv(nl->fd, NULL, 0, MSG_DONTWAIT) != -1)
		diex("an answer was not read");
}

/* A kernel without nf_tables, whose nfnetlink gives this answer. The other end
 * of a pair of sockets plays it. */
static void missing(struct netlink *nl, char **args)
{
	const struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer = {
		.header = {.nlmsg_len = sizeof(answer),
			   .nlmsg_type = NLMSG_ERROR,
			   .nlmsg_seq = 1},
		.error = {.error = -EINVAL},
	};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == -1 ||
	    send(pair[1], &answer, sizeof(answer), 0) == -1)
		die("socketpair");
	nl->fd = pair[0];
	find(nl, args);
}

static const struct {
	const char *name;
	void (*run)(struct netlink *nl, char **args);
} commands[] = {
	{"table", table},     {"again", again},	    {"delete", delete},
	{"docker", docker},   {"find", find},	    {"undocker", undocker},
	{"drops", drops},     {"many", many},	    {"broken", broken},
	{"filter", filter},   {"list", list},	    {"endless", endless},
	{"strange", strange}, {"missing", missing},
};

int main(int argc, char **argv)
{
	char none[] = "", *args[] = {none, none, none};
	struct netlink nl;

	if (argc < 2)
		diex("usage: nftables-test COMMAND [ARG...]");
	for (int i = 2; i < argc && i < 5; i++)
		args[i - 2] = argv[i];
	nl_open(&nl, NETLINK_NETFILTER);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0) {
			commands[i].run(&nl, args);
			return nl_done(&nl, "%s", argv[1]) ? 0 : EXIT_LAUNCHER;
		}
	diex("no command %s", argv[1]);
}
