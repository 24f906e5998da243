/* SPDX-License-Identifier: MIT */
/*
 * The packet filter nf_tables, by netlink and without nft(8).
 *
 * A table holds chains. A base chain has a hook: a place that every packet of
 * its way passes, where the chain's rules are tried from the first to the last.
 * A rule is a list of expressions: each loads a part of the packet, or of what
 * the kernel knows of it, into register 1, compares that, or decides. Nothing
 * after a comparison that fails is done. `nft --debug=netlink` prints the
 * expressions of a rule, and the functions here have their names:
 *
 *	oifname != "cbr0"   [ meta load oifname => reg 1 ]
 *	                        nft_meta(nl, NFT_META_OIFNAME);
 *	                    [ cmp neq reg 1 "cbr0" ]
 *	                        nft_cmp_name(nl, NFT_CMP_NEQ, "cbr0");
 *	masquerade          [ masq ]
 *	                        nft_masq(nl);
 *
 * The kernel takes changes in batches, and all of a batch or nothing of it:
 *
 *	nft_begin(&nl);
 *	nft_add_table(&nl, "cbr0");
 *	nft_add_chain(&nl, "cbr0", "postrouting",
 *		      "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
 *	rule = nft_add_rule(&nl, "cbr0", "postrouting");
 *	... its expressions ...
 *	nl_nest_end(&nl, rule);
 *	nft_commit(&nl);
 *	nl_done(&nl, "nft add table ip cbr0");
 *
 * NL is a socket of NETLINK_NETFILTER; all of it is about the tables of the
 * network namespace in which that was opened, and of the family ip, which is
 * IPv4. See nft(8), <linux/netfilter/nf_tables.h> and <linux/netfilter_ipv4.h>.
 */
#ifndef NFTABLES_H
#define NFTABLES_H

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netlink.h"

/* Begins a batch. All that "adds" or "deletes" belongs between these two. */
void nft_begin(struct netlink *nl);

/* Ends the batch, sends it, and returns nl->error, like nl_try(): 0 when all of
 * it is done, or -errno, and nothing is. Where a module may be missing, here or
 * below, nl->reason names them; nl_done() says it. */
int nft_commit(struct netlink *nl);

/* Adds a table, or does nothing if it is there; deletes a table with all that
 * is in it, and fails with -ENOENT if it is not there. */
void nft_add_table(struct netlink *nl, const char *table);
void nft_delete_table(struct netlink *nl, const char *table);

/* Adds a base chain of TYPE "nat" or "filter". HOOK is one of NF_INET_*, and
 * PRIORITY, in the machine's byte order, one of NF_IP_PRI_*: chains of lower
 * priority are tried first. What no rule decides is accepted. */
void nft_add_chain(struct netlink *nl, const char *table, const char *chain,
		   const char *type, uint32_t hook, int32_t priority);

/* Begins a rule at the chain's end. The expressions follow, then
 * nl_nest_end(nl, RULE) with what this returned. */
struct rtattr *nft_add_rule(struct netlink *nl, const char *table,
			    const char *chain);

/* The same at the chain's front, for a chain that others own. By COMMENT, of
 * 128 bytes at most, nft_find_rule() and nft_delete_rules() know the rule, also
 * when iptables-restore(8) has made it anew. */
struct rtattr *nft_insert_rule(struct netlink *nl, const char *table,
			       const char *chain, const char *comment);

/* Add an expression that loads into register 1: the 4 bytes at OFFSET of the
 * network header, NFT_META_*, or NFT_CT_*. */
void nft_payload(struct netlink *nl, uint32_t offset);
void nft_meta(struct netlink *nl, uint32_t key);
void nft_ct(struct netlink *nl, uint32_t key);

/* Adds: register 1, of 4 bytes, &= MASK, in the byte order of what is in it:
 * the network's for addresses, the machine's for NFT_CT_STATE. */
void nft_bitwise(struct netlink *nl, uint32_t mask);

/* Add a comparison by NFT_CMP_*, with a value of 4 bytes in that byte order, or
 * with the name of an interface. */
void nft_cmp(struct netlink *nl, uint32_t op, uint32_t value);
void nft_cmp_name(struct netlink *nl, uint32_t op, const char *name);

/* Add what ends a rule: the packet leaves with the address of the interface by
 * which it leaves (in nat chains at postrouting only), or the VERDICT NF_ACCEPT
 * or NF_DROP. NF_ACCEPT ends this chain only: the chains that other tables have
 * at the same hook are tried, too, and what one drops is dropped. */
void nft_masq(struct netlink *nl);
void nft_immediate(struct netlink *nl, int verdict);

/* 0 if there is such a table or chain, or a rule with COMMENT in CHAIN, -ENOENT
 * if there is not, or another -errno, with nl->reason. */
int nft_find_table(struct netlink *nl, const char *table);
int nft_find_chain(struct netlink *nl, const char *table, const char *chain);
int nft_find_rule(struct netlink *nl, const char *table, const char *chain,
		  const char *comment);

/* Deletes, in batches of its own, each rule of CHAIN that has COMMENT, and no
 * other. None, no such chain, no such table: nothing to do. Returns 0, or
 * -errno with nl->reason. */
int nft_delete_rules(struct netlink *nl, const char *table, const char *chain,
		     const char *comment);

/* Warns of each chain that drops what comes from BRIDGE and goes to UPLINK,
 * with the command that allows it. Rules of iptables-legacy(8) are not
 * nf_tables' and so cannot be seen. Returns 0, or -errno with nl->reason. */
int nft_warn_of_drops(struct netlink *nl, const char *bridge,
		      const char *uplink);

#endif
