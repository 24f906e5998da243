/* SPDX-License-Identifier: MIT */
/*
 * nf_tables, the kernel's packet filter, by netlink: what nft(8) does.
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
 * Changes are sent in a batch, and the kernel makes all of them or none:
 *
 *	nft_begin(nl);
 *	nft_add_table(nl, "cbr0");
 *	nft_add_chain(nl, "cbr0", "postrouting",
 *		      "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
 *	rule = nft_add_rule(nl, "cbr0", "postrouting");
 *	... its expressions ...
 *	nl_nest_end(nl, rule);
 *	must(nft_commit(nl), "...");
 *
 * NL is a socket of NETLINK_NETFILTER. All tables are those of the family ip,
 * IPv4, in the network namespace of that socket. Sources: nft(8),
 * <linux/netfilter/nf_tables.h>, <linux/netfilter_ipv4.h>.
 */
#ifndef NFTABLES_H
#define NFTABLES_H

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stdint.h>

#include "netlink.h"

/* Begins a batch. */
void nft_begin(struct netlink *nl);

/* Ends the batch and sends it. Returns 0 when all changes are made, or -1 with
 * errno set and no change made. */
int nft_commit(struct netlink *nl);

/* Add a table; delete a table and all that it contains. To add one that exists
 * does nothing; to delete one that does not exist fails with ENOENT. */
void nft_add_table(struct netlink *nl, const char *table);
void nft_delete_table(struct netlink *nl, const char *table);

/* Adds a base chain of TYPE "nat" or "filter", if it does not exist. HOOK is
 * NF_INET_*, PRIORITY is NF_IP_PRI_*: of the chains at a hook, those with a
 * lower priority come first. A packet that no rule decides on is accepted. */
void nft_add_chain(struct netlink *nl, const char *table, const char *chain,
		   const char *type, uint32_t hook, int32_t priority);

/* Deletes all rules of TABLE, but no chain. */
void nft_flush_table(struct netlink *nl, const char *table);

/* Append a rule to CHAIN, or insert one before all others. Its expressions
 * follow, then nl_nest_end(nl, RULE) with the value returned here. COMMENT, at
 * most 120 bytes, is stored with the rule: nft(8) and iptables(8) show it. */
struct rtattr *nft_add_rule(struct netlink *nl, const char *table,
			    const char *chain);
struct rtattr *nft_insert_rule(struct netlink *nl, const char *table,
			       const char *chain, const char *comment);

/* Loads SIZE bytes at OFFSET of the network header into register 1. */
void nft_payload(struct netlink *nl, uint32_t offset, uint32_t size);

/* Compare register 1, by NFT_CMP_*, with SIZE bytes; or load NFT_META_IIFNAME
 * or NFT_META_OIFNAME, and compare it with an interface name. */
void nft_cmp(struct netlink *nl, uint32_t op, const void *value, size_t size);
void nft_cmp_name(struct netlink *nl, uint32_t key, uint32_t op,
		  const char *name);

/* End a rule: masquerade, that is, replace the source address by that of the
 * interface by which the packet leaves; or give a verdict, NF_ACCEPT or
 * NF_DROP. NF_ACCEPT ends only this chain: a chain of another table at the same
 * hook can still drop the packet. */
void nft_masq(struct netlink *nl);
void nft_verdict(struct netlink *nl, int verdict);

/* Returns the handle of the first rule of CHAIN that contains the bytes of
 * COMMENT: 0 if there is none, and no such chain. */
uint64_t nft_find_rule(struct netlink *nl, const char *table, const char *chain,
		       const char *comment);

/* Deletes the rule with HANDLE, as nft_find_rule() returns it: big-endian. */
void nft_delete_rule(struct netlink *nl, const char *table, const char *chain,
		     uint64_t handle);

#endif
