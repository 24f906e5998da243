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
	lacks "$out" received "stdout"
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

# end_container PID FILE EXPECTED [SIGNAL] - what it prints
end_container() {
	kill "-${4-TERM}" "$1"
	eventually has_exited "$1"
	is "$(tail -n 2 "$2" | xargs)" "$3" "what -c prints after ${4-TERM}"
}

has_exited() {
	! grep -qs '^State:	[^Z]' "/proc/$1/status"
}

# Whatever the protocol: the kernel also counts segments, for each namespace.
counts_tcp() {
	run "$container" -c "$rootfs" sh -c 'reach fetch 203.0.113.2 7
		reach fetch 198.51.100.1 7; cat /proc/net/snmp'
	counted=$(awk '/^Tcp:/ { r = $11; s = $12 } END {
		print "sent: " s " received: " r }' "$T/out")
	ran=
	isnt "$counted" "sent: 0 received: 0" "packets in the container's /proc"
	is "$(tail -n 2 "$T/err" | xargs)" "$counted" "what -c prints"
}

# Also if there is no command to run
counts_without_a_command() {
	run "$container" -c "$rootfs" /no/such/command
	is "$status" 127 "exit status"
	is "$(tail -n 2 "$T/err" | xargs)" "sent: 0 received: 0" "what -c prints"
}

prints_after_signals() {
	for signal in TERM INT HUP; do
		start_container
		"$reach" ping 10.200.0.2
		end_container "$pid" "$T/start.err" "sent: 1 received: 1" $signal
	done
	status=0
	wait "$pid" || status=$?
	is "$status" 137 "exit status after HUP"
}

counts_what_comes() {
	start_container
	for _ in 1 2 3; do "$reach" ping 10.200.0.2; done
	end_container "$pid" "$T/start.err" "sent: 3 received: 3"
}

counts_separately() {
	start_container
	run "$container" -c "$rootfs" reach ping 10.200.0.1
	is "$(tail -n 2 "$T/err" | xargs)" "sent: 1 received: 1" \
		"what -c prints for the second container"
	"$reach" ping 10.200.0.2
	run "$container" "$rootfs" reach ping 10.200.0.1
	"$reach" ping 10.200.0.2
	end_container "$pid" "$T/start.err" "sent: 2 received: 2"
}

# The address, the table and the counter of the first are those of the second.
starts_from_zero() {
	for _ in 1 2; do
		counts 1 1 'reach ping 198.51.100.1'
	done
}

# is_removed - by the kernel, while another container lives
is_removed() {
	start "$container" "$rootfs" sleep 4711
	eventually sleeper
	before=$(rules)
	start "$container" -c "$rootfs" sh -c 'echo ready; exec sleep 4712'
	eventually grep -q ready "$T/start.out"
	isnt "$(rules)" "$before" "the rules while a container with -c runs"
	kill -KILL "$pid"
	eventually has_rules "$before"
}

rules() {
	"$probes/snapshot" | grep '^nft '
}

has_rules() {
	[ "$(rules)" = "$1" ]
}

hint='the launcher prints, after wait_for_exit()'
t "with -c, the container runs as before" starts
hint='use one rule for each direction, at prerouting and at postrouting'
t "no packet, no count" counts 0 0 true
t "packets to the host are counted" counts 2 2 \
	'reach ping 10.200.0.1; reach ping 10.200.0.1'
t "and those to the internet, once each" counts 1 1 'reach ping 198.51.100.1'
t "those that the host sends as well" counts_what_comes
hint='compare only the addresses, which every packet has'
t "packets of TCP are counted" counts_tcp
hint='print when the container has exited, for whatever reason'
t "it is printed after a signal to the launcher" prints_after_signals
t "and if the command does not exist" counts_without_a_command
hint='the next container flushes the table cbr0; compare the address'
t "other containers do not change it" counts_separately
t "the next container starts from zero" starts_from_zero
hint='which table disappears with a socket?'
t "the rules are gone when the launcher is killed" is_removed
done_testing
