#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 7.3: containers on one bridge that do not reach each other
# Untouched: no container with -i
. "$(dirname "$0")/../../../common/test/lib.sh"

reach=$probes/reach

# start_two [OPTION] - sets $first and $second, the launchers
start_two() {
	start_one "$@"
	first=$pid
	start_one "$@"
	second=$pid
}

start_one() {
	rm -rf "$T/start.out"
	start "$container" "$@" "$rootfs" sh -c 'echo ready; sleep 4711'
	eventually is_ready_or_ended
	grep -q ready "$T/start.out" ||
		fail "no container with $1: $(head -n 1 "$T/start.err")"
}

is_ready_or_ended() {
	grep -q ready "$T/start.out" || ended
}

# inside PID COMMAND... - in the network of the container of this launcher
inside() {
	namespace=/proc/$(children_of "$1")/ns/net
	shift
	nsenter --net="$namespace" "$@"
}

# Both directions at the same time: each waits for two seconds.
are_isolated() {
	start_two -i
	inside "$second" "$reach" ping 10.200.0.2 >"$T/backward" 2>&1 &
	run inside "$first" "$reach" ping 10.200.0.3
	lacks "$out" reply "the first container asks the second"
	wait $! || :
	lacks "$(cat "$T/backward")" reply "the second container asks the first"
}

# No protocol: any frame, to all neighbours or to one
exchange_no_frames() {
	start_two -i
	start_one -i
	compile send-frames
	frames_pass "$first" "$pid" ff:ff:ff:ff:ff:ff
	frames_pass "$pid" "$second" 02:42:0a:c8:00:03
	frames_pass "$second" "$first" 02:42:0a:c8:00:02
}

# frames_pass FROM TO MAC - 1000 frames; some others may arrive meanwhile
frames_pass() {
	before=$(frames_received "$2")
	inside "$1" "$probes/send-frames" "$3"
	more=$(($(frames_received "$2") - before))
	[ $more -lt 500 ] && more=few
	is "$more" few "frames to $3 that arrive at a neighbour"
}

frames_received() {
	inside "$1" awk '/eth0:/ { print $3 }' /proc/net/dev
}

reach_the_rest() {
	start_two -i
	for from in "$first" "$second"; do
		for to in 10.200.0.1 203.0.113.2 198.51.100.1; do
			run inside "$from" "$reach" ping $to
			is "$out" "reply from $to" "an isolated container asks $to"
		done
	done
	for to in 10.200.0.2 10.200.0.3; do
		run "$reach" ping $to
		is "$out" "reply from $to" "the host asks an isolated container"
	done
}

reach_each_other() {
	start_two
	run inside "$first" "$reach" ping 10.200.0.3
	is "$out" "reply from 10.200.0.3" "a container without -i asks another"
	run inside "$second" "$reach" ping 10.200.0.2
	is "$out" "reply from 10.200.0.2" "another one asks it"
	run "$container" -i "$rootfs" true
	run inside "$second" "$reach" ping 10.200.0.2
	is "$out" "reply from 10.200.0.2" \
		"a container without -i asks another, after one with -i"
}

# Containers get the addresses, and so the ports, of those that have exited.
forgets_the_flag() {
	run "$container" -i "$rootfs" true
	is "$status" 0 "status of a container with -i"
	start_two
	run inside "$first" "$reach" ping 10.200.0.3
	is "$out" "reply from 10.200.0.3" "a container without -i asks another"
}

hint='the flag "isolated" of a port of the bridge, set by each container on its
      own port. "Operation not supported": IFLA_BRPORT_ISOLATED belongs in
      IFLA_INFO_SLAVE_DATA'
t "with -i, containers do not reach each other" are_isolated
hint='what about IPv6, and everything else that is not IPv4?'
t "nor does any Ethernet frame get from one to another" exchange_no_frames
hint='the bridge itself is not a port: it needs no exception'
t "they reach the gateway, the host and the internet" reach_the_rest
hint='only with -i'
t "without -i, containers reach each other" reach_each_other
hint='the flag belongs to a port, and a port to one container'
t "a container with -i changes nothing for the next one without" \
	forgets_the_flag
done_testing
