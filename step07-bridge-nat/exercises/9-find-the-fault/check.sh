#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 7.9: diagnose.sh names the fault that was planted
# Untouched: diagnose.sh does not exist
. "$(dirname "$0")/../../../common/test/lib.sh"

# A fault is planted in one of two containers, in an order that depends on this.
seed=${SEED:-$(od -An -N 2 -t u2 /dev/urandom | tr -d ' ')}

# start_two - sets $first and $second, each the PID 1 of a container with a
# resolv.conf that is right in the sandbox
start_two() {
	command -v nft >"$T/nft" || skip "needs nft"
	for n in 1 2; do
		rm -f "$T/start.out"
		start "$container" "$rootfs" sh -c \
			'echo nameserver 198.51.100.1 >/etc/resolv.conf
			echo ready; sleep 4711; :'
		eventually grep -q ready "$T/start.out"
		[ $n = 2 ] || first=$(children_of "$pid")
	done
	second=$(children_of "$pid")
}

# names FAULT VARIANT - in the first container or in the second, in turn
names() {
	start_two
	chosen=$first which=$(((seed + count_of) % 2 + 1))
	[ $which = 1 ] || chosen=$second
	sh "${0%/*}/plant.sh" "$1" "$2" "$chosen"
	"$probes/snapshot" >"$T/planted"
	run sh "$bin/step07-bridge-nat/diagnose.sh" "$chosen"
	is "$out" "$1" "fault $1 $2, container $which, SEED=$seed"
	is "$status" 0 "exit status of diagnose.sh"
	"$probes/snapshot" >"$T/diagnosed"
	diff "$T/planted" "$T/diagnosed" >"$T/diff" ||
		fail "diagnose.sh has changed the machine: $(cat "$T/diff")"
}

# The link of the default route is not eth0 on every host.
names_the_uplink() {
	start_two
	route=$(ip route show default)
	# shellcheck disable=SC2064,SC2086 # now, and words
	trap "stop_started; ip link del vpn0
		ip route replace $route" EXIT
	ip link add vpn0 type veth peer name vpn1
	ip addr add 192.0.2.2/24 dev vpn0
	ip link set vpn0 up
	ip link set vpn1 up
	ip route replace default via 192.0.2.1 dev vpn0
	sh "${0%/*}/plant.sh" forwarding 3 "$second"
	run sh "$bin/step07-bridge-nat/diagnose.sh" "$second"
	is "$out" forwarding "fault forwarding 3, with the default route by vpn0"
}

hint='start two containers and run plant.sh FAULT VARIANT PID, as the message
      says. What do ip, nft, ping and /proc show that they did not show before?'
for fault in $(printf '%s\n' route-1 route-2 mac-1 mac-2 hook-1 hook-2 \
	forwarding-1 forwarding-2 forwarding-3 dns-1 dns-2 none-1 none-2 |
	awk -v seed="$seed" 'BEGIN { srand(seed) } { print rand(), $0 }' |
	sort | cut -d ' ' -f 2); do
	count_of=$((${count_of:-0} + 1))
	t "fault $count_of of 13 is named" names "${fault%-*}" "${fault#*-}"
done
hint='the default route says which link it is: it is not always called eth0'
t "forwarding of a link that is not called eth0" names_the_uplink
done_testing
