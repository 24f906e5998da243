/* SPDX-License-Identifier: MIT */
/*
 * nftables-test - do what test-nftables.sh asks for, with common/nftables.[ch]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <linux/ip.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "nftables.h"

static struct netlink nft;

/* Every function that adds something: see rules() in test-nftables.sh. */
static void add_all(void)
{
	const in_addr_t subnet = inet_addr("10.200.0.0");
	struct rtattr *rule;

	nft_add_table(&nft, "box");
	nft_add_chain(&nft, "box", "nat", "nat", NF_INET_POST_ROUTING,
		      NF_IP_PRI_NAT_SRC);
	nft_add_chain(&nft, "box", "raw", "filter", NF_INET_PRE_ROUTING,
		      NF_IP_PRI_RAW);
	nft_flush_table(&nft, "box");
	rule = nft_add_rule(&nft, "box", "nat");
	nft_payload(&nft, offsetof(struct iphdr, saddr), 3);
	nft_cmp(&nft, NFT_CMP_EQ, &subnet, 3);
	nft_cmp_name(&nft, NFT_META_OIFNAME, NFT_CMP_NEQ, "cbr0");
	nft_masq(&nft);
	nft_end_rule(&nft, rule);
	rule = nft_add_rule(&nft, "box", "raw");
	nft_cmp_name(&nft, NFT_META_IIFNAME, NFT_CMP_NEQ, "lo");
	nft_verdict(&nft, NF_DROP);
	nft_end_rule(&nft, rule);
	rule = nft_add_rule(&nft, "box", "raw");
	nft_cmp_direction(&nft, NFT_CMP_EQ, IP_CT_DIR_REPLY);
	nft_verdict(&nft, NF_ACCEPT);
	nft_end_rule(&nft, rule);
	rule = nft_insert_rule(&nft, "box", "raw", "a comment");
	nft_cmp_name(&nft, NFT_META_IIFNAME, NFT_CMP_EQ, "fifteen-bytes-x");
	nft_verdict(&nft, NF_ACCEPT);
	nft_end_rule(&nft, rule);
}

static void delete_rules(const char *comment)
{
	uint64_t handle;

	while ((handle = nft_find_rule(&nft, "box", "raw", comment))) {
		puts("found");
		nft_begin(&nft);
		nft_delete_rule(&nft, "box", "raw", handle);
		must(nft_commit(&nft), "delete");
	}
}

int main(int argc, char *argv[])
{
	nl_open(&nft, NETLINK_NETFILTER);
	if (argc > 2 && strcmp(argv[1], "delete") == 0) {
		delete_rules(argv[2]);
		return 0;
	}
	nft_begin(&nft);
	if (argc > 1 && strcmp(argv[1], "add") == 0)
		add_all();
	if (argc > 1 && strcmp(argv[1], "remove") == 0)
		nft_delete_table(&nft, "box");
	if (argc > 1 && strcmp(argv[1], "fail") == 0) {
		add_all();
		nft_delete_rule(&nft, "box", "no-such-chain", 1);
		nft_add_chain(&nft, "box", "last", "filter", NF_INET_FORWARD,
			      0);
	}
	must(nft_commit(&nft), "commit");
	return 0;
}
