#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 7.4: a container's packets are counted
# Untouched: no container with -c
. "$(dirname "$0")/../../../common/test/lib.sh"

reach=$probes/reach

# counts SENT RECEIVED SCRIPT... - in a container
counts() {
	expected="sent: $1 received: $2"
	shift 2
	run "$container" -c "$rootfs" sh -c "$*"
	is "$(tail -n 2 "$T/err" | xargs)" "$expected" "what -c prints"
}

starts() {
	run "$container" -c "$rootfs" sh -c 'exit 7'
	is "$status" 7 "no container with -c: $(head -n 1 "$T/err")"
}

# start_container - that stays; sets $pid and $inside
start_container() {
	start "$container" -c "$rootfs" sleep 4711
	eventually sleeper
}

# end_container PID EXPECTED - what it prints
end_container() {
	kill -TERM "$1"
	eventually has_exited "$1"
	is "$(tail -n 2 "$2" | xargs)" "$3" "what -c prints after TERM"
}

has_exited() {
	! grep -qs '^State:	[^Z]' "/proc/$1/status"
}

counts_what_comes() {
	start_container
	for _ in 1 2 3; do "$reach" ping 10.200.0.2; done
	end_container "$pid" "$T/start.err" "sent: 3 received: 3"
}

counts_separately() {
	start_container
	run "$container" -c "$rootfs" reach ping 10.200.0.1
	"$reach" ping 10.200.0.2
	run "$container" "$rootfs" reach ping 10.200.0.1
	"$reach" ping 10.200.0.2
	end_container "$pid" "$T/start.err" "sent: 2 received: 2"
}

# is_removed - by the kernel, while another container lives
is_removed() {
	command -v nft >"$T/nft" || skip "needs nft"
	start "$container" "$rootfs" sleep 4711
	eventually sleeper
	before=$(nft --stateless list ruleset)
	start "$container" -c "$rootfs" sleep 4712
	sleep 0.2
	kill -KILL "$pid"
	eventually has_rules "$before"
}

has_rules() {
	[ "$(nft --stateless list ruleset)" = "$1" ]
}

hint='the launcher prints, after wait_for_exit()'
t "with -c, the container runs as before" starts
hint='one rule for each direction, at prerouting and at postrouting'
t "no packet, no count" counts 0 0 true
t "packets to the host are counted" counts 2 2 \
	'reach ping 10.200.0.1; reach ping 10.200.0.1'
t "and those to the internet, once each" counts 1 1 'reach ping 198.51.100.1'
t "those that the host sends as well" counts_what_comes
hint='the next container flushes the table cbr0; compare the address'
t "other containers do not change it" counts_separately
hint='which table disappears with a socket?'
t "the rules are gone when the launcher is killed" is_removed
done_testing
