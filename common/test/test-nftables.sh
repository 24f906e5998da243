#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-nftables - what common/nftables.[ch] tells the kernel and reads from it
. "$(dirname "$0")/lib.sh"

# The program that calls them. `make` may have built it, in BUILD; if not, the
# compiler is here.
build=$bin
case $bin in "$top" | "$top/.") build=$top/.build ;; esac
unit=$build/common/test/nftables-test
if [ ! -x "$unit" ]; then
	unit=$scratch/nftables-test
	checks=-O1
	case $bin in */asan) checks=-fsanitize=address,undefined ;; esac
	"${CC:-cc}" -std=c11 -g $checks -I"$top/common" -o "$unit" \
		"$top"/common/test/nftables-test.c "$top"/common/error.c \
		"$top"/common/netlink.c "$top"/common/nftables.c
fi

# need TOOL - one that is not needed to run anything, only to compare
need() {
	command -v "$1" >/dev/null || skip "no $1 here"
}

# unit COMMAND... - must succeed silently
unit() {
	run "$unit" "$@"
	is "$status$out$err" 0 "$1"
}

# The rules of step 07 in nft's words, and in the kernel's.
rules() {
	cat <<-END
	add table ip $1
	add chain ip $1 postrouting { type nat hook postrouting priority srcnat; }
	add rule ip $1 postrouting ip saddr $2 oifname != "$1" masquerade
	add chain ip $1 forward { type filter hook forward priority filter; policy accept; }
	add rule ip $1 forward iifname "$1" accept
	add rule ip $1 forward oifname "$1" ct state established,related accept
	add rule ip $1 forward oifname "$1" drop
	END
}

# word VALUE - four bytes, in the network's order, as a number of this machine
word() {
	if [ "$(printf '\1\0' | od -An -t u2 | tr -d ' ')" = 1 ]; then
		printf '0x%s' "$(echo "$1" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/')"
	else
		printf '0x%s' "$1"
	fi
}

expressions() {
	name="$(word 63627230) 0x00000000 0x00000000 0x00000000"
	cat <<-END
	cbr0 postrouting type nat hook 4 priority 100 policy 1
	cbr0 forward type filter hook 2 priority 0 policy 1
	cbr0 postrouting
	  [ payload load 4b @ network header + 12 => reg 1 ]
	  [ bitwise reg 1 = ( reg 1 & $(word "$2") ) ^ 0x00000000 ]
	  [ cmp eq reg 1 $(word "$1") ]
	  [ meta load oifname => reg 1 ]
	  [ cmp neq reg 1 $name ]
	  [ masq ]
	cbr0 forward
	  [ meta load iifname => reg 1 ]
	  [ cmp eq reg 1 $name ]
	  [ immediate reg 0 accept ]
	cbr0 forward
	  [ meta load oifname => reg 1 ]
	  [ cmp eq reg 1 $name ]
	  [ ct load state => reg 1 ]
	  [ bitwise reg 1 = ( reg 1 & 0x00000006 ) ^ 0x00000000 ]
	  [ cmp neq reg 1 0x00000000 ]
	  [ immediate reg 0 accept ]
	cbr0 forward
	  [ meta load oifname => reg 1 ]
	  [ cmp eq reg 1 $name ]
	  [ immediate reg 0 drop ]
	END
}

# ---- The batch ----

reads_back() {
	for subnet in '10.200.0.0 24 0ac80000 ffffff00' \
		'172.16.0.0 16 ac100000 ffff0000' \
		'192.168.7.248 29 c0a807f8 fffffff8'; do
		# shellcheck disable=SC2086 # four words
		set -- $subnet
		unit table cbr0 "$1" "$2"
		run "$unit" list
		is "$out" "$(expressions "$3" "$4")"
		unit delete cbr0
		unit list
	done
}

starts_again() {
	unit again cbr0 10.1.0.0 24
	"$unit" list >"$T/first"
	unit again cbr0 10.1.0.0 24
	"$unit" list >"$T/second"
	is "$(cat "$T/second")" "$(cat "$T/first")"
	unit delete cbr0
}

does_all_or_nothing() {
	# It looks for what the broken batch left, and does another after it.
	unit broken cbr0 10.200.0.0 24
	run "$unit" list
	is "$out" "$(expressions 0ac80000 ffffff00)"
	unit delete cbr0
}

needs_its_end() {
	# All of it is acknowledged without an error, and nothing is done: that is
	# why nft_commit() does not leave the end to the caller.
	unit endless cbr0 10.200.0.0 24
	unit list
}

reads_every_answer() {
	unit many cbr0 10.200.0.0 24
	is "$("$unit" list | grep -c '^cbr0 forward$')" 63
	unit delete cbr0
}

names_the_module() {
	run "$unit" strange cbr0
	one_line_error 125 strange nft_chain_nat nft_masq nft_ct nf_tables \
		'No such file or directory'
	run "$unit" delete cbr0
	one_line_error 125 delete 'No such file or directory'
	unit list
	for what in 'cbr0' 'cbr0 forward' 'filter DOCKER-USER cbr0'; do
		# shellcheck disable=SC2086 # several words
		run "$unit" missing $what
		one_line_error 125 missing 'modprobe -a nf_tables' \
			'Invalid argument'
	done
}

needs_the_capability() {
	for command in 'table cbr0 10.200.0.0 24' 'find cbr0' 'undocker cbr0' \
		'drops cbr0' list; do
		# shellcheck disable=SC2086 # several words
		run setpriv --bounding-set=-net_admin "$unit" $command
		one_line_error 125 "${command%% *}" 'Operation not permitted'
	done
	unit list
}

finds() {
	unit table cbr0 10.200.0.0 24
	unit find cbr0
	unit find cbr0 forward
	for name in 'cbr' 'cbr00' 'cbr0 forwar' 'cbr1 forward'; do
		# shellcheck disable=SC2086 # one or two words
		run "$unit" find $name
		one_line_error 125 find 'No such file or directory'
	done
	unit delete cbr0
}

takes_any_name() {
	for name in 0 br-lan br.10 'a"b' 'x;y' '*' 'ip' filter "it's" ' ' \
		fifteen-bytes-x "$(printf '\303\244\377')"; do
		unit table "$name" 10.200.0.0 24
		unit find "$name" postrouting
		is "$("$unit" list | grep -cF "$name forward")" 4
		unit delete "$name"
	done
}

# ---- Compared with nft ----

is_what_nft_makes() {
	need nft
	for subnet in 10.200.0.0/24 172.16.0.0/16 192.168.7.248/29; do
		rules cbr0 "$subnet" | nft -f -
		nft list ruleset >"$T/list"
		nft -j list ruleset >"$T/json"
		nft delete table ip cbr0
		unit table cbr0 "${subnet%/*}" "${subnet#*/}"
		is "$(nft list ruleset)" "$(cat "$T/list")"
		is "$(nft -j list ruleset | without_handles)" \
			"$(without_handles <"$T/json")"
		unit delete cbr0
	done
}

# A new table's rules are numbered anew, but tables count on.
without_handles() {
	sed 's/"handle": [0-9]*//g'
}

has_the_expressions_of_nft() {
	need nft
	# nft loads three bytes of the address for /24, and four for this.
	for subnet in '192.168.7.248/29' '& 255.255.255.0 == 10.200.0.0'; do
		rules cbr0 "$subnet" | nft -f -
		nft --debug=netlink list table ip cbr0 | only_expressions >"$T/nft"
		nft delete table ip cbr0
		case $subnet in
		*/*) unit table cbr0 192.168.7.248 29 ;;
		*) unit table cbr0 10.200.0.0 24 ;;
		esac
		nft --debug=netlink list table ip cbr0 | only_expressions >"$T/c"
		"$unit" list | only_expressions >"$T/list"
		is "$(cat "$T/c")" "$(cat "$T/nft")"
		is "$(cat "$T/list")" "$(cat "$T/nft")"
		is "$(grep -c . "$T/list")" 18
		unit delete cbr0
	done
}

only_expressions() {
	grep '^  \[ '
}

# ---- DOCKER-USER ----

inserts_and_deletes() {
	unit filter cbr0
	"$unit" list >"$T/others"
	not_found cbr0
	unit docker cbr0
	unit docker cbr1
	"$unit" list >"$T/all"
	unit find filter DOCKER-USER cbr1
	is "$(grep -c '^filter DOCKER-USER$' "$T/all")" 6
	# in front, so before what somebody drops
	is "$(grep -n drop "$T/all" | sed -n '2s/:.*//p')" \
		$(($(wc -l <"$T/all") - 4)) "line of somebody's drop"
	unit undocker cbr0
	is "$("$unit" list | grep -c '^filter DOCKER-USER$')" 4
	not_found cbr0
	unit undocker cbr
	unit undocker cbr1
	is "$("$unit" list)" "$(cat "$T/others")"
	unit undocker cbr1
	unit delete filter
	# no such chain
	unit undocker cbr1
	not_found cbr1
}

not_found() {
	run "$unit" find filter DOCKER-USER "$1"
	is "$status/${err##*: }" '125/No such file or directory'
}

suits_iptables() {
	need iptables-nft
	iptables-nft -P FORWARD DROP
	iptables-nft -N DOCKER-USER
	iptables-nft -A FORWARD -j DOCKER-USER
	iptables-nft -A DOCKER-USER -j RETURN
	iptables-nft-save -t filter | grep -v '^#' >"$T/before"
	unit docker cbr0
	run iptables-nft -S DOCKER-USER
	is "$status$err$out" "0-N DOCKER-USER
-A DOCKER-USER -o cbr0 -m comment --comment cbr0 -j ACCEPT
-A DOCKER-USER -i cbr0 -m comment --comment cbr0 -j ACCEPT
-A DOCKER-USER -j RETURN"
	run iptables-nft -n -L DOCKER-USER
	is "$status$err" 0
	is "$(echo "$out" | grep -c 'ACCEPT .* /\* cbr0 \*/')" 2

	# Others go on with their rules, as dockerd does.
	run iptables-nft -A DOCKER-USER -s 192.0.2.1 -j DROP
	is "$status$err" 0
	run iptables-nft -I DOCKER-USER -i eth7 -j ACCEPT
	is "$status$err" 0
	run iptables-nft -C DOCKER-USER -i cbr0 -m comment --comment cbr0 -j ACCEPT
	is "$status$err" 0
	unit undocker cbr0
	iptables-nft -D DOCKER-USER -i eth7 -j ACCEPT
	iptables-nft -D DOCKER-USER -s 192.0.2.1 -j DROP
	is "$(iptables-nft-save -t filter | grep -v '^#')" "$(cat "$T/before")"

	# What is saved and restored has its comments elsewhere. Like ours, but with
	# another comment or none, are rules of somebody else.
	for comment in '' '-m comment --comment cbr' '-m comment --comment cbr00'
	do
		# shellcheck disable=SC2086 # words
		iptables-nft -A DOCKER-USER -i cbr0 $comment -j ACCEPT
	done
	iptables-nft-save -t filter | grep -v '^#' >"$T/others"
	unit docker cbr0
	iptables-nft-save >"$T/saved"
	iptables-nft-restore <"$T/saved"
	unit find filter DOCKER-USER cbr0
	unit undocker cbr0
	is "$(iptables-nft-save -t filter | grep -v '^#')" "$(cat "$T/others")"
	not_found cbr0
	iptables-nft-restore <"$T/before"

	# Whoever wants to can remove ours, too.
	unit docker cbr0
	iptables-nft -D DOCKER-USER -i cbr0 -m comment --comment cbr0 -j ACCEPT
	iptables-nft -D DOCKER-USER -o cbr0 -m comment --comment cbr0 -j ACCEPT
	unit undocker cbr0
	is "$(iptables-nft-save -t filter | grep -v '^#')" "$(cat "$T/before")"
	flush
}

# ---- Chains of others that drop ----

# A network for the packets: "guest" on the bridge, and eth0 to the internet.
connect() {
	ip netns add guest
	ip link add cbr0 type bridge
	ip addr add 10.200.0.1/24 dev cbr0
	ip link set cbr0 up
	ip link add cbr0-2 master cbr0 type veth peer name eth0 netns guest
	ip link set cbr0-2 up
	ip -n guest addr add 10.200.0.2/24 dev eth0
	ip -n guest link set eth0 up
	ip -n guest route add default via 10.200.0.1
	for link in cbr0 eth0; do
		echo 1 >/proc/sys/net/ipv4/conf/$link/forwarding
	done
	until ip link show cbr0 | grep -q 'state UP'; do
		sleep 0.02
	done
}

reaches_the_internet() {
	nsenter --net=/run/netns/guest "$@" "$probes/reach" ping 198.51.100.1
}

# flush - removes all rules
flush() {
	if command -v nft >/dev/null; then
		nft flush ruleset
		return
	fi
	"$unit" list | sed -n 's/^\([^ ]*\) .* hook .*/\1/p' | sort -u |
		while read -r table; do
			"$unit" delete "$table"
		done
}

# warned PART... - of one chain, in words with these PARTs, and rightly so
warned() {
	run "$unit" drops cbr0 eth0
	is "$status$out" 0
	is "$(wc -l <"$T/err")" 1 "lines on stderr"
	for part; do
		contains "$err" "$part"
	done
	warning=$err
	run reaches_the_internet timeout 0.1
	isnt "$status" 0 "reach"
}

# not_warned - and rightly so
not_warned() {
	unit drops cbr0 eth0
	run reaches_the_internet
	is "$status$err" 0 "reach"
}

# typed - what the last warning proposes is true, too
typed() {
	sh -c "${warning#*to allow it: }"
	not_warned
}

# base_chain FAMILY TABLE CHAIN HOOK POLICY
base_chain() {
	printf 'add chain %s %s %s { type filter hook %s priority 0; policy %s; }\n' \
		"$@"
}

# load - reads rules in nft's words, which replace all there are but step 07's
load() {
	{
		echo flush ruleset
		rules cbr0 10.200.0.0/24
		cat
	} | nft -f -
}

# forward POLICY RULE... - somebody's chain, to load
forward() {
	echo add table inet lan
	base_chain inet lan forward forward "$1"
	shift
	[ $# -eq 0 ] || printf 'add rule inet lan forward %s\n' "$@"
}

replies='ct state established,related accept'

sees_policies() {
	need nft
	forward drop "$replies" | load
	warned 'chain inet lan forward' \
		': nft insert rule inet lan forward iifname cbr0 accept; nft '
	typed
	forward accept | load
	not_warned
	flush
}

sees_rules_that_drop() {
	need nft
	for rule in drop 'counter reject with icmpx type admin-prohibited' \
		'log prefix "x" counter drop' 'meta mark set 1 drop' \
		'iifname "cbr0" drop' 'iifname "cb*" oifname "eth0" reject' \
		'oifname != "eth7" drop'; do
		forward accept "$replies" "$rule" | load
		warned 'chain inet lan forward'
	done
	forward accept "$replies" reject | load
	warned 'chain inet lan forward'
	typed
	flush
}

sees_rules_that_accept() {
	need nft
	for rule in accept 'iifname "cbr0" accept' 'iifname "cb*" accept' \
		'iifname != "eth0" accept' 'oifname "eth0" accept' \
		'iifname "cbr0" oifname "eth0" counter accept' \
		'iifname "cbr0" ip saddr 10.200.0.0/24 accept' \
		'meta mark set 1 accept'; do
		forward drop "$replies" "$rule" reject | load
		not_warned
	done
	flush
}

is_not_fooled() {
	need nft
	# These accept nothing of ours,
	for rule in 'iifname "cbr" accept' 'iifname "cbr00" accept' \
		'iifname != "cbr0" accept' 'iifname "eth0" accept' \
		'oifname "cbr0" accept' 'tcp dport 80 accept' \
		'iifname "eth7" return' 'iifname "cbr0" counter' return; do
		forward drop "$replies" "$rule" | load
		warned 'chain inet lan forward'
	done
	# this comes too late,
	forward accept "$replies" reject 'iifname "cbr0" accept' | load
	warned 'chain inet lan forward'
	# and these drop little or nothing of ours.
	forward accept 'ct state invalid drop' 'tcp dport 25 drop' \
		'iifname "cbr0" ip daddr 192.0.2.0/24 drop' 'iifname "eth7" drop' \
		'meta l4proto udp reject' 'iifname "cbr0" oifname "eth7" drop' |
		load
	not_warned
	flush
}

follows_jumps() {
	need nft
	for rules in 'jump a / drop' 'goto a / drop' 'jump a / jump b / drop' \
		'goto a; accept /' 'jump a; drop / return; accept' \
		'iifname "cbr0" jump a / goto b; accept /'; do
		jumps drop "$rules" | load
		warned 'chain inet lan forward'
	done
	for rules in 'jump a / accept' 'goto a; drop / accept' \
		'jump a; accept / iifname "cbr0" return; drop' \
		'jump a; accept / jump b; accept / return; drop' \
		'iifname "cbr0" goto a; drop / accept' \
		'iifname "eth7" jump a; accept / drop' \
		'goto a; drop / goto b; drop /'; do
		jumps accept "$rules" | load
		not_warned
	done
	flush
}

# jumps POLICY RULES - those of the chains forward / a / b, a ';' between them
jumps() {
	forward "$1" "$replies"
	echo add chain inet lan a
	echo add chain inet lan b
	echo "$2" | awk -v RS=/ -v FS=';' '{
		for (i = 1; i <= NF; i++)
			if ($i ~ /[a-z]/)
				print "add rule inet lan", NR == 1 ? "forward" :
					NR == 2 ? "a" : "b", $i
	}'
}

looks_at_forwarded_ipv4() {
	need nft
	{
		forward accept
		echo add table ip6 lan
		base_chain ip6 lan forward forward drop
		base_chain inet lan input input drop
		base_chain inet lan output output drop
	} | load
	not_warned
	# A table of another family may have the same name.
	{
		forward drop
		echo add table ip lan
		base_chain ip lan forward forward accept
		echo add rule ip lan forward iifname cbr0 accept
	} | load
	warned 'chain inet lan forward'
	# Every chain that drops is named.
	{
		forward drop
		echo add table ip wan
		base_chain ip wan lan2wan forward drop
	} | load
	run "$unit" drops cbr0 eth0
	is "$(wc -l <"$T/err")" 2
	contains "$err" 'chain inet lan forward'
	contains "$err" 'nft insert rule ip wan lan2wan oifname cbr0 accept'
	flush
}

sees_firewalld() {
	need nft
	load <<-'END'
	table inet firewalld {
		chain filter_FORWARD {
			type filter hook forward priority filter + 10; policy accept;
			ct state { established, related } accept
			ct status dnat accept
			iifname "lo" accept
			ct state invalid drop
			ip6 daddr { ::/96, 2002::/24 } reject with icmpv6 addr-unreachable
			jump filter_FORWARD_ZONES
			reject with icmpx admin-prohibited
		}
		chain filter_FORWARD_ZONES {
			iifname "eth0" goto filter_FWD_public
			goto filter_FWD_public
		}
		chain filter_FORWARD_POLICIES { }
		chain filter_FWD_public {
			jump filter_FORWARD_POLICIES
			jump filter_FWD_public_allow
			reject with icmpx admin-prohibited
		}
		chain filter_FWD_public_allow { }
		chain filter_FWD_trusted {
			jump filter_FORWARD_POLICIES
			accept
		}
	}
	END
	warned 'chain inet firewalld filter_FORWARD' \
		': firewall-cmd --zone=trusted --add-interface=cbr0'
	# That command has firewalld do this.
	nft insert rule inet firewalld filter_FORWARD_ZONES \
		iifname cbr0 goto filter_FWD_trusted
	not_warned
	# And this is what it does in a zone that forwards between its links.
	nft -f - <<-'END'
	flush chain inet firewalld filter_FORWARD_ZONES
	add rule inet firewalld filter_FORWARD_ZONES goto filter_FWD_public
	add rule inet firewalld filter_FWD_public_allow oifname eth0 accept
	END
	not_warned
	flush
}

sees_ufw() {
	need iptables-nft
	unit table cbr0 10.200.0.0 24
	iptables-nft-restore <<-'END'
	*filter
	:INPUT ACCEPT
	:FORWARD DROP
	:OUTPUT ACCEPT
	:ufw-before-forward -
	:ufw-after-forward -
	:ufw-reject-forward -
	:ufw-user-forward -
	-A FORWARD -j ufw-before-forward
	-A FORWARD -j ufw-after-forward
	-A FORWARD -j ufw-reject-forward
	-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	-A ufw-before-forward -p icmp -m icmp --icmp-type 3 -j ACCEPT
	-A ufw-before-forward -j ufw-user-forward
	-A ufw-after-forward -m limit --limit 3/min -j LOG --log-prefix "[UFW BLOCK] "
	COMMIT
	END
	warned 'chain ip filter FORWARD' \
		': ufw route allow in on cbr0; ufw route allow out on cbr0'
	iptables-nft -A ufw-user-forward -i cbr0 -j ACCEPT
	iptables-nft -A ufw-user-forward -o cbr0 -j ACCEPT
	not_warned
	flush
}

sees_iptables() {
	need iptables-nft
	unit table cbr0 10.200.0.0 24
	# Oracle's cloud images
	iptables-nft -A FORWARD -m comment --comment "see the documentation" \
		-j REJECT --reject-with icmp-host-prohibited
	warned 'chain ip filter FORWARD' \
		': iptables -I FORWARD -i cbr0 -j ACCEPT; iptables -I FORWARD -o'
	typed
	iptables-nft -F FORWARD
	iptables-nft -P FORWARD DROP
	iptables-nft -A FORWARD -i eth7 -j ACCEPT
	iptables-nft -A FORWARD -p tcp -j ACCEPT
	iptables-nft -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
	warned 'chain ip filter FORWARD'
	iptables-nft -A FORWARD -i cb+ ! -o eth7 -j ACCEPT
	not_warned
	flush
}

sees_docker() {
	need iptables-nft
	unit table cbr0 10.200.0.0 24
	iptables-nft-restore <<-'END'
	*filter
	:INPUT ACCEPT
	:FORWARD DROP
	:OUTPUT ACCEPT
	:DOCKER -
	:DOCKER-ISOLATION-STAGE-1 -
	:DOCKER-ISOLATION-STAGE-2 -
	:DOCKER-USER -
	-A FORWARD -j DOCKER-USER
	-A FORWARD -j DOCKER-ISOLATION-STAGE-1
	-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	-A FORWARD -o docker0 -j DOCKER
	-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
	-A FORWARD -i docker0 -o docker0 -j ACCEPT
	-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
	-A DOCKER-ISOLATION-STAGE-1 -j RETURN
	-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
	-A DOCKER-ISOLATION-STAGE-2 -j RETURN
	-A DOCKER-USER -j RETURN
	COMMIT
	END
	warned 'chain ip filter FORWARD' ': iptables -I FORWARD -i cbr0'
	unit docker cbr0
	not_warned
	unit undocker cbr0
	warned 'chain ip filter FORWARD'
	typed
	flush
}

# The same with what our own netlink can make: no tool is needed.
sees_a_policy_without_nft() {
	unit table cbr0 10.200.0.0 24
	not_warned
	unit filter eth7
	warned 'chain ip filter FORWARD' ': iptables -I FORWARD -i cbr0 -j ACCEPT'
	unit docker cbr0
	not_warned
	flush
}

connect
t "a table reads back as it was built" reads_back
t "a table is built anew, whatever there was" starts_again
t "a batch does all or nothing" does_all_or_nothing
t "a batch without its end does nothing" needs_its_end
t "every answer to a batch is read" reads_every_answer
t "an error names the modules" names_the_module
t "without CAP_NET_ADMIN everything fails" needs_the_capability
t "tables and chains are found" finds
t "a table may have the name of any interface" takes_any_name
t "the table is what nft makes of the same lines" is_what_nft_makes
t "it has the same expressions" has_the_expressions_of_nft
t "our rules in DOCKER-USER come and go, others stay" inserts_and_deletes
t "iptables gets along with them" suits_iptables
t "a chain that drops is seen without nft" sees_a_policy_without_nft
t "policies are seen" sees_policies
t "rules that drop are seen" sees_rules_that_drop
t "rules that accept are seen" sees_rules_that_accept
t "rules for something else are not taken for ours" is_not_fooled
t "jumps are followed" follows_jumps
t "only chains for forwarded IPv4 count, and all of them" looks_at_forwarded_ipv4
t "firewalld is seen" sees_firewalld
t "ufw is seen" sees_ufw
t "what iptables forbids and allows is seen" sees_iptables
t "Docker is seen, and lets us pass in DOCKER-USER" sees_docker
done_testing
