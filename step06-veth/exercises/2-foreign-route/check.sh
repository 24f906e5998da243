#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 6.2: a subnet that the host routes elsewhere is refused
# Untouched: exit status of a container whose subnet is routed to vpn0: got '0'
. "$(dirname "$0")/../../../common/test/lib.sh"

# host COMMANDS - a network namespace that plays the host: eth0 is its uplink,
# vpn0 a VPN; no packet is sent there. Then COMMANDS of ip(8) follow.
host() {
	start unshare --net sleep 4711
	eventually has_own_network
	host=$pid
	on_host ip -batch - <<-END || skip "ip(8) cannot make these routes"
		link add eth0 type veth peer name vpn0
		addr add 192.0.2.2/24 dev eth0
		addr add 198.18.0.2/24 dev vpn0
		link set lo up
		link set eth0 up
		link set vpn0 up
		$1
	END
}

has_own_network() {
	[ "$(ns_of "$pid" net)" != "$(ns_of self net)" ]
}

on_host() {
	nsenter --target "$host" --net "$@"
}

# state - links, addresses, routes and rules, without the carrier, which comes a
# moment after a link is set up
state() {
	on_host ip -br link | awk '{ print $1 }'
	on_host ip -o -4 addr | awk '{ print $2, $4 }'
	on_host ip -4 route show table all | sed 's/ linkdown//'
	on_host ip -4 rule
}

starts() {
	run on_host "$container" "$rootfs" reach ping 10.200.0.1
	is "$status" 0 "exit status of a container that nothing forbids"
	is "$out" "reply from 10.200.0.1" "its stdout"
}

is_allowed() {
	host "$1"
	starts
}

# is_refused COMMANDS [LINK] - LINK is part of the message
is_refused() {
	host "$1"
	state >"$T/before"
	run on_host "$container" "$rootfs" sh -c 'echo it runs'
	is "$status" 125 \
		"exit status of a container whose subnet is routed to vpn0"
	one_line_error 125 "${2-vpn0}"
	state | diff "$T/before" - >"$T/diff" ||
		fail "these links, addresses, routes or rules changed
(< before, > after):
$(grep '^[<>]' "$T/diff")"
}

starts_again() {
	host ''
	for _ in 1 2 3 4 5; do
		starts
	done
}

# The veth-host of another container is not foreign: then it is as in step 06.
names_the_other() {
	host ''
	start nsenter --target "$host" --net "$container" "$rootfs" sleep 4712
	eventually on_host ip link show veth-host
	run on_host "$container" "$rootfs" true
	one_line_error 125 'File exists'
}

ignores_with_u() {
	host 'route add 10.0.0.0/8 dev vpn0'
	run on_host "$container" -U "$rootfs" sh -c 'echo it runs'
	is "$status$out" "0it runs" "status and stdout of -U"
}

hint='ask the kernel: RTM_GETROUTE with RTA_DST is "ip route get"'
t "the subnet itself, routed to a VPN, is refused" is_refused \
	'route add 10.200.0.0/24 dev vpn0'
hint='is the address of the container in the network of the route?'
t "10.0.0.0/8, routed to a VPN, is refused" is_refused \
	'route add 10.0.0.0/8 dev vpn0'
hint='a dump of the table main does not show it. RTM_GETROUTE without
      NLM_F_DUMP looks into all tables that the rules name'
t "a route in a table of its own, as Tailscale has it, is refused" is_refused \
	'rule add pref 5270 table 52
	route add 10.0.0.0/8 dev vpn0 table 52'
hint='only tables that a rule selects for the address of the container count'
t "a route in a table that no rule selects is allowed" is_allowed \
	'route add 10.0.0.0/8 dev vpn0 table 52'
t "a route that a rule selects for this destination is refused" is_refused \
	'rule add pref 5270 to 10.200.0.0/24 table 52
	route add 10.0.0.0/8 dev vpn0 table 52'
t "a route in a table for packets from vpn0 is allowed" is_allowed \
	'rule add pref 5270 iif vpn0 table 52
	route add 10.0.0.0/8 dev vpn0 table 52'
hint='which route matches? With RTM_F_FIB_MATCH, rtm_dst_len is its prefix
      length'
t "the default route is allowed" is_allowed \
	'route add default via 192.0.2.1'
t "the default route with two next hops is allowed" is_allowed \
	'route add default nexthop via 192.0.2.1 nexthop via 198.18.0.8'
t "the default route in a table of its own, as of wg-quick, is allowed" \
	is_allowed \
	'rule add pref 5270 table main suppress_prefixlength 0
	rule add pref 5271 table 52
	route add default dev vpn0 table 52'
hint='0.0.0.0/1 is half of the default route: rtm_dst_len is 1'
t "the default route in two halves, as of OpenVPN, is allowed" is_allowed \
	'route add default via 192.0.2.1
	route add 0.0.0.0/1 dev vpn0
	route add 128.0.0.0/1 dev vpn0'
hint='only the prefix lengths 0 and 1 do not count'
t "a quarter of the default route is refused" is_refused \
	'route add 0.0.0.0/2 dev vpn0'
hint='by which route would the host send to 10.200.0.2?'
t "the address of the container alone, routed to a VPN, is refused" is_refused \
	'route add 10.200.0.2/32 dev vpn0'
t "the network of the host itself is refused" is_refused \
	'addr add 10.200.0.7/16 dev vpn0'
t "routes to the addresses beside it are allowed" is_allowed \
	'route add 10.200.1.0/24 dev vpn0
	route add 10.200.0.128/25 dev vpn0'
hint='the reply for a route with several next hops has RTA_MULTIPATH in place of
      RTA_OIF; without RTM_F_FIB_MATCH, the kernel chooses one of them'
t "a route with two next hops is refused" is_refused \
	'route add 10.200.0.0/24 nexthop via 198.18.0.8 nexthop via 198.18.0.9' ''
hint='the message is one line that names the link of this route. The name of
      another link may begin like your own'
t "a link of another name is refused, and named" is_refused \
	'link add veth-host9 type veth peer name tun8
	link set veth-host9 up
	route add 10.200.0.0/16 dev veth-host9
	route add 10.0.0.0/8 dev vpn0' veth-host9
hint='the veth-host of the last container may still be there for some 20 ms, and
      so may its route: it does not count'
t "while another container runs, the error is that of step 06" names_the_other
t "a container can start again at once" starts_again
hint='with -U, there is no cable'
t "-U is allowed everywhere" ignores_with_u
done_testing
