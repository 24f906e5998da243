#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 6.3: IPv6 that can be used at once
# Untouched: no container with -6
. "$(dirname "$0")/../../../common/test/lib.sh"

# start_container [OPTION] - sets $inside
start_container() {
	[ "$(cat /proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null)" = 0 ] ||
		skip "needs IPv6"
	compile connect6
	start "$container" "$@" "$rootfs" sleep 4711
	eventually runs_or_ended
	[ -n "$inside" ] ||
		fail "no container with $1: $(head -n 1 "$T/start.err")"
}

runs_or_ended() {
	sleeper || ended
}

in_container() {
	nsenter --net="/proc/$inside/ns/net" "$@"
}

# on END COMMAND... - END is host or container
on() {
	end=$1
	shift
	[ "$end" = host ] || set -- in_container "$@"
	"$@"
}

address_of() {
	[ "$1" = host ] && echo fd00:10:200::1 || echo fd00:10:200::2
}

has_addresses() {
	start_container -6
	for end in host container; do
		ip=$(address_of $end)
		shown=$(on $end ip -6 -oneline addr show dev veth-$end)
		contains "$shown" " $ip/64 " "the addresses of veth-$end"
		lacks "$(echo "$shown" | grep -F " $ip/64 ")" tentative \
			"$ip, just after the start"
	done
}

# Without DAD, an address has the flag nodad; or one of these settings of its link
# is 0.
waits_for_none() {
	start_container -6
	for end in host container; do
		ip=$(address_of $end)
		shown=$(on $end ip -6 -oneline addr show dev veth-$end |
			grep -F " $ip/64 ") || fail "veth-$end has no $ip/64"
		settings=/proc/sys/net/ipv6/conf/veth-$end
		on $end grep -qx 0 "$settings/accept_dad" \
			"$settings/dad_transmits" ||
			contains "$shown" nodad "$ip, which the kernel looks for elsewhere first"
	done
}

# Each direction in a new container: the first packet of all
answers_at_once() {
	start_container -6
	run in_container "$probes/connect6" fd00:10:200::1
	is "$out" answer "the host, asked by the container"
}

is_reached_at_once() {
	start_container -6
	run "$probes/connect6" fd00:10:200::2
	is "$out" answer "the container, asked by the host"
}

# Any way of writing the default route, for addresses in each part of the space
has_a_route() {
	start_container -6
	for to in 2001:db8::1 64:ff9b::1 fd12::1 c000::1; do
		run in_container ip -6 route get $to
		gateway=$(sed -n 's/.* via \([^ ]*\) dev veth-container .*/\1/p' \
			"$T/out")
		contains "$(ip -6 -oneline addr show dev veth-host)" \
			" ${gateway:-gateway}/" \
			"addresses of veth-host, and the gateway for $to"
	done
	is "$(ip -6 route show default dev veth-host)" "" \
		"default routes of the host by veth-host"
}

# ipv4 - addresses and routes of both ends
ipv4() {
	for end in host container; do
		on $end ip -4 -oneline addr show dev veth-$end |
			awk '{ print $2, $4 }'
		on $end ip -4 route show dev veth-$end | sed 's/ linkdown//'
	done
}

keeps_ipv4() {
	start_container
	ipv4 >"$T/before"
	kill -KILL "$pid"
	eventually has_disappeared "$inside"
	start_container -6
	is "$(ipv4)" "$(cat "$T/before")" "IPv4 addresses and routes with -6"
	run in_container "$probes/reach" ping 10.200.0.1
	is "$out" "reply from 10.200.0.1" "the host, by IPv4"
}

has_none_without() {
	start_container
	for end in host container; do
		lacks "$(on $end ip -6 addr)$(on $end ip -6 route)" fd00: \
			"addresses and routes of the $end without -6"
	done
}

# The addresses of the first container went with its cable.
works_again() {
	for _ in 1 2 3; do
		run "$container" -6 "$rootfs" true
		is "$status" 0 "status of a container with -6"
	done
}

hint='a new IPv6 address is tentative for a second or two: see ip-address(8)'
t "both ends have an address, and may use it" has_addresses
hint='waiting until an address is no longer tentative takes a second or two.
      Tell the kernel that nobody else can have it'
t "duplicate address detection is not waited for" waits_for_none
hint='the other end has to answer as well: it must not be tentative either'
t "the host answers the container's first packet" answers_at_once
t "the container answers the host's first packet" is_reached_at_once
hint='a default route, as in IPv4'
t "the container has a route to the internet" has_a_route
hint='add IPv6, and replace nothing'
t "IPv4 is as before" keeps_ipv4
hint='only with -6'
t "without -6, there is no IPv6" has_none_without
hint='anything left on the host is in the way of the next container'
t "it works again and again" works_again
done_testing
