#!/bin/sh
# SPDX-License-Identifier: MIT
#
# nft-drops-iptables-comments - rules saved with `nft list ruleset` come back
# without iptables' comments, and iptables no longer reads its own table
#
# Debian 12: nft 1.0.6, iptables 1.8.9 (nf_tables). nft prints a rule of
# `iptables -m comment` without the comment and without a warning. `nft -f`
# restores what is left and returns 0. Then `iptables -S` calls the table
# incompatible and returns 1, but `iptables -A` still adds rules to it and
# returns 0. A program that finds its rules by their comment, or that looks
# before it adds, fails or adds them again. The same was seen with nft 1.1.3 and
# iptables 1.8.11. (nft 1.1.7 prints the comment in a place where `nft -f`
# refuses it.)

packages='iptables=1.8.9-2 libxtables12=1.8.9-2 libip4tc2=1.8.9-2
	libip6tc2=1.8.9-2 nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2
	libnftnl11=1.2.4-2 libmnl0=1.0.4-3 libjansson4=2.14-2
	libedit2=3.1-20221030-2 libbsd0=0.11.7-2'

expected="saved: ct state established counter packets 0 bytes 0 accept
nft -f: 0
iptables v1.8.9 (nf_tables): table \`filter' is incompatible, use 'nft' tool.
iptables -S: 1
iptables -A: 0"

try() {
	XTABLES_LIBDIR=$(echo "$tree"/usr/lib/*-linux-gnu/xtables)
	export XTABLES_LIBDIR
	iptables-nft -A FORWARD -m comment --comment "the example's" \
		-m conntrack --ctstate ESTABLISHED -j ACCEPT
	nft list ruleset 2>/dev/null >rules
	sed -n 's/^[[:blank:]]*\(.*accept\)$/saved: \1/p' rules
	nft flush ruleset
	nft -f rules && echo "nft -f: 0"
	iptables-nft -S || echo "iptables -S: $?"
	iptables-nft -A FORWARD -j ACCEPT && echo "iptables -A: 0"
}

. "$(dirname "$0")/setup"
