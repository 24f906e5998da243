#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 6.3: IPv6 that can be used at once
# Untouched: no container with -6
. "$(dirname "$0")/../../../common/test/lib.sh"

# start_container [OPTION] - sets $inside, and the program $connect6
start_container() {
	[ "$(cat /proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null)" = 0 ] ||
		skip "needs IPv6"
	connect6=$scratch/connect6
	[ -e "$connect6" ] || cc -o "$connect6" "${0%/*}/connect6.c"
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

has_addresses() {
	start_container -6
	for end in host container; do
		ip=fd00:10:200::1 command=
		[ $end = host ] || ip=fd00:10:200::2 command=in_container
		shown=$($command ip -6 -oneline addr show dev veth-$end)
		contains "$shown" " $ip/64 " "the addresses of veth-$end"
		lacks "$(echo "$shown" | grep -F " $ip/64 ")" tentative \
			"$ip, just after the start"
	done
}

# Each direction in a new container: the first packet of all
answers_at_once() {
	start_container -6
	run in_container "$connect6" fd00:10:200::1
	is "$out" answer "the host, asked by the container"
}

is_reached_at_once() {
	start_container -6
	run "$connect6" fd00:10:200::2
	is "$out" answer "the container, asked by the host"
}

has_a_route() {
	start_container -6
	run in_container ip -6 route get 2001:db8::1
	contains "$out" "via fd00:10:200::1" "the way to the internet"
}

keeps_ipv4() {
	start_container -6
	run in_container "$probes/reach" ping 10.200.0.1
	is "$out" "reply from 10.200.0.1" "the host, by IPv4"
}

has_none_without() {
	start_container
	lacks "$(in_container ip -6 addr)" fd00: "the addresses without -6"
}

hint='a new IPv6 address is tentative for a second or two: see ip-address(8)'
t "both ends have an address, and may use it" has_addresses
hint='the other end, too, has to answer: it must not be tentative either'
t "the host answers the container's first packet" answers_at_once
t "the container answers the host's first packet" is_reached_at_once
hint='a default route, as in IPv4'
t "the container has a route to the internet" has_a_route
hint='IPv6 is added, nothing is replaced'
t "IPv4 is as before" keeps_ipv4
hint='only with -6'
t "without -6, there is no IPv6" has_none_without
done_testing
