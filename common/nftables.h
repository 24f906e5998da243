/* SPDX-License-Identifier: MIT */
/*
 * nf_tables is the kernel's packet filter. Like nft(8), these functions set it
 * up over netlink.
 *
 * A table contains chains. A base chain has a hook, a point that every packet
 * passes on its way through the host; its rules are tried in order. A rule is a
 * list of expressions: each loads a field into register 1, compares register 1,
 * or gives a verdict. When a comparison fails, the next rule is tried.
 * `nft --debug=netlink` prints the expressions of a rule; the functions here
 * have the same names:
 *
 *	oifname != "cbr0"   [ meta load oifname => reg 1 ]
 *	                    [ cmp neq reg 1 "cbr0" ]
 *	    nft_cmp_name(nl, NFT_META_OIFNAME, NFT_CMP_NEQ, "cbr0");
 *	masquerade          [ masq ]
 *	    nft_masq(nl);
 *
 * The kernel applies all the changes in a batch, or none of them:
 *
 *	nft_begin(nl);
 *	nft_add_table(nl, "cbr0");
 *	nft_add_chain(nl, "cbr0", "postrouting",
 *		      "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
 *	rule = nft_add_rule(nl, "cbr0", "postrouting");
 *	... its expressions ...
 *	nft_end_rule(nl, rule);
 *	must(nft_commit(nl), "...");
 *
 * NL is a socket of NETLINK_NETFILTER. All tables are those of the family ip,
 * IPv4, in the network namespace of that socket. Sources: nft(8),
 * <linux/netfilter/nf_tables.h>, <linux/netfilter_ipv4.h>.
 */
#ifndef NFTABLES_H
#define NFTABLES_H

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stdbool.h>
#include <stdint.h>

#include "netlink.h"

/* Begins a batch. */
void nft_begin(struct netlink *nl);

/* Ends the batch and sends it. Returns 0 when all changes are made, or -1 with
 * errno set and no change made. */
int nft_commit(struct netlink *nl);

/* Adds a table, if it does not exist. */
void nft_add_table(struct netlink *nl, const char *table);

/* Deletes a table and all that it contains. If there is none, nft_commit()
 * fails with ENOENT. */
void nft_delete_table(struct netlink *nl, const char *table);

/* Adds a base chain of TYPE "nat" or "filter", if it does not exist. HOOK is
 * NF_INET_*, PRIORITY is NF_IP_PRI_*: of the chains at a hook, those with a
 * lower priority come first. A packet that no rule decides on is accepted. */
void nft_add_chain(struct netlink *nl, const char *table, const char *chain,
		   const char *type, uint32_t hook, int32_t priority);

/* Deletes all rules of TABLE, but no chain. */
void nft_flush_table(struct netlink *nl, const char *table);

/* Begins a rule at the end of CHAIN. Its expressions follow, and then
 * nft_end_rule() with the value returned here. */
struct rtattr *nft_add_rule(struct netlink *nl, const char *table,
			    const char *chain);

/* The same, before all other rules. COMMENT, at most 120 bytes, is stored with
 * the rule: nft(8) and iptables(8) show it. */
struct rtattr *nft_insert_rule(struct netlink *nl, const char *table,
			       const char *chain, const char *comment);

/* Ends RULE. */
void nft_end_rule(struct netlink *nl, struct rtattr *rule);

/* Loads SIZE bytes at OFFSET of the network header into register 1. */
void nft_payload(struct netlink *nl, uint32_t offset, uint32_t size);

/* Compares register 1 with SIZE bytes at VALUE. OP is NFT_CMP_*. */
void nft_cmp(struct netlink *nl, uint32_t op, const void *value, size_t size);

/* Loads the name of an interface and compares it with NAME. KEY is
 * NFT_META_IIFNAME or NFT_META_OIFNAME. */
void nft_cmp_name(struct netlink *nl, uint32_t key, uint32_t op,
		  const char *name);

/* Loads the packet's direction in its connection and compares it with
 * DIRECTION, IP_CT_DIR_*. A packet of no connection has none: the comparison
 * fails. */
void nft_cmp_direction(struct netlink *nl, uint32_t op, uint8_t direction);

/* Replaces the source address with that of the interface by which the packet
 * leaves. */
void nft_masq(struct netlink *nl);

/* Gives a verdict, NF_ACCEPT or NF_DROP. NF_ACCEPT ends only this chain: one of
 * another table at the same hook can still drop the packet. */
void nft_verdict(struct netlink *nl, int verdict);

/* Returns whether there is a chain of this name, at any hook or none. */
bool nft_has_chain(struct netlink *nl, const char *table, const char *chain);

/* Returns the handle of the first rule in CHAIN whose comment is COMMENT, or 0
 * if there is no such rule or no such chain. */
uint64_t nft_find_rule(struct netlink *nl, const char *table, const char *chain,
		       const char *comment);

/* Deletes the rule with HANDLE. */
void nft_delete_rule(struct netlink *nl, const char *table, const char *chain,
		     uint64_t handle);

#endif
