#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-neighbors - step 07 beside the networks, rules and settings of other people
. "$(dirname "$0")/lib.sh"

at_step step07-bridge-nat
rootfs=$(printf '%s\n' "$rootfs" | sed 's/[\\:,]/\\&/g')
reach=$probes/reach

internet() {
	nsenter --net=/run/netns/internet "$@"
}

# live - a container that stays
live() {
	start "$container" "$rootfs" sh -c "echo ready; sleep 4711"
	eventually grep -q ready "$T/start.out"
	is "$(cat "$T/start.err")" ''
}

leave() {
	kill -TERM "$pid"
	ends_with 137
}

# The host is in 10.200.0.0/16 with others, who are not in the container's /24.
keeps_the_hosts_network() {
	ip addr add 10.200.0.7/16 dev eth0
	ip -n internet addr add 10.200.9.8/16 dev router
	live
	internet "$reach" ping 10.200.0.7
	"$reach" ping 10.200.9.8
	: >"$T.asserted"
	leave
	ip addr del 10.200.0.7/16 dev eth0
	ip -n internet addr del 10.200.9.8/16 dev router
}

# counts - the packets that the container has received
counts() {
	nsenter --net="/proc/$(children_of "$pid")/ns/net" \
		grep '^Icmp:\|^Tcp:' /proc/net/snmp
}

# Through a router whose link is smaller, an ICMP error tells the container so.
gets_replies_only() {
	live
	ip -n internet route add 10.200.0.0/24 via 203.0.113.2
	before=$(counts)
	internet "$reach" stray 10.200.0.2
	run internet "$reach" ping 10.200.0.2
	is "$status" 1 "an echo request from outside"
	is "$(counts)" "$before" "packets that nobody asked for"
	ip -n internet route del 10.200.0.0/24
	ip -n internet link set router mtu 1400
	run nsenter --net="/proc/$(children_of "$pid")/ns/net" \
		"$reach" ping 198.51.100.1
	is "$status" 0 "a reply"
	ip -n internet link set router mtu 1500
	leave
}

# forwards - a container reaches the internet
forwards() {
	run "$container" "$rootfs" reach ping 198.51.100.1
	is "$status$err" 0 "$1"
}

# A new link gets conf/default/forwarding.
forwards_though_not_by_default() {
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 0 >/proc/sys/net/ipv4/conf/default/forwarding
	forwards 'conf/default/forwarding is 0'
	is "$(cat /proc/sys/net/ipv4/ip_forward)" 1
	echo 1 >/proc/sys/net/ipv4/conf/default/forwarding
	echo 0 >/proc/sys/net/ipv4/ip_forward
}

# A rule of a user, whose comment contains ours, is neither taken for ours nor
# deleted.
leaves_similar_rules() {
	command -v nft || skip 'no nft here'
	ours=$(sed -n 's/^#define COMMENT "\(.*\)" BRIDGE.*/\1cbr0/p' \
		"$top/step07-bridge-nat/container.c")
	nft -f - <<-END
	add table ip filter
	add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }
	add rule ip filter FORWARD ip saddr 192.0.2.1 drop comment "my rule, see $ours"
	add rule ip filter FORWARD ip saddr 192.0.2.1 drop comment "$ours, see that"
	END
	theirs=$(nft --stateless list ruleset)
	forwards 'a user has a rule with a similar comment'
	is "$(nft --stateless list ruleset)" "$theirs"
	nft delete table ip filter
}

# Another subnet is one changed line: nothing of the old one is left.
changes_its_subnet() {
	command -v "${CC:-cc}" || skip 'no C compiler here'
	sed 's/^\(#define SUBNET.*\)"10.200.0"/\1"10.77.8"/' \
		"$top/step07-bridge-nat/container.c" >"$T/container.c"
	"${CC:-cc}" -std=c11 -I"$top/common" -o "$T/container" "$T/container.c" \
		"$top"/.build/common/*.o
	container=$T/container
	run "$container" -v "$rootfs" sh -c 'reach ping 198.51.100.1 && ip link'
	is "$status" 0
	contains "$err" '02:42:0a:4d:08:02'
	lacks "$err" 10.200
	lacks "$err" 0a:c8
}

# fails_with STRACE-OPTION PART... - one line, 125
fails_with() {
	run strace -f -o "$T/strace" -e inject="$1" "$container" "$rootfs" true
	shift
	one_line_error 125 "$@"
}

# The next container removes what is left.
says_what_failed() {
	command -v strace || skip 'strace is not installed'
	fails_with wait4:error=EINVAL wait 'Invalid argument'
	fails_with flock:error=ENOLCK flock 'No locks available'
	fails_with flock:error=ENOLCK:when=2 flock 'No locks available'
	run strace -f -o "$T/strace" -P /proc/self/ns/net \
		-e inject=openat:error=EMFILE "$container" "$rootfs" true
	one_line_error 125 /proc/self/ns/net 'Too many open files'
	run strace -f -o "$T/strace" -P /proc/sys/net/ipv4/ip_forward \
		-e inject=openat:error=EACCES "$container" "$rootfs" true
	is "$status" 125
	contains "$err" 'ip_forward: Permission denied'
	"$container" "$rootfs" true
	for limit in 4 5 6 7 8; do
		run prlimit --nofile=$limit "$container" "$rootfs" true
		[ "$status" -eq 0 ] || contains "$err" 'Too many open files' $limit
		# With 7, its socket of nf_tables is one too many: no link stays.
		[ $limit -lt 7 ] || lacks "$(ip link)" cbr0
		"$container" "$rootfs" true
	done
}

t "a host in 10.200.0.0/16 keeps its network" keeps_the_hosts_network
t "containers get replies, and nothing else from outside" gets_replies_only
t "the bridge forwards, though new links do not" forwards_though_not_by_default
t "a rule with a similar comment is left alone" leaves_similar_rules
t "another subnet is one changed line" changes_its_subnet
t "each call that fails is named" says_what_failed
done_testing
