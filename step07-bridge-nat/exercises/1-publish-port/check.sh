#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 7.1: a port of the host leads to a container
# Untouched: no container with -p
. "$(dirname "$0")/../../../common/test/lib.sh"

reach=$probes/reach

# publish - a container with a server; sets $pid, its launcher
publish() {
	start "$container" -p 203.0.113.2:8080:80 "$rootfs" reach serve 80
	eventually is_ready_or_ended
	grep -q listening "$T/start.out" ||
		fail "no container with -p: $(head -n 1 "$T/start.err")"
}

is_ready_or_ended() {
	grep -q listening "$T/start.out" || ended
}

# on_internet COMMAND...
on_internet() {
	nsenter --net=/run/netns/internet "$@"
}

works_from_outside() {
	publish
	run on_internet "$reach" fetch 203.0.113.2 8080
	is "$out" 203.0.113.1 "the client's address, as the server sees it"
}

works_from_the_host() {
	publish
	run "$reach" fetch 203.0.113.2 8080
	is "$status" 0 "status of a client on the host"
}

works_from_a_sibling() {
	publish
	run "$container" "$rootfs" reach fetch 203.0.113.2 8080
	is "$status" 0 "status of a client in another container"
	run nsenter --net="/proc/$(children_of "$pid")/ns/net" "$reach" fetch \
		203.0.113.2 8080
	is "$status" 0 "status of a client in the container itself"
}

survives_others() {
	publish
	run "$container" "$rootfs" true
	run on_internet "$reach" fetch 203.0.113.2 8080
	is "$out" 203.0.113.1 "the answer, after another container"
}

changes_nothing_else() {
	publish
	nsenter --net=/run/netns/internet "$reach" serve 8080 >"$T/served" &
	echo $! >>"$T.started"
	eventually grep -q listening "$T/served"
	run "$container" "$rootfs" reach fetch 198.51.100.1 8080
	is "$out" 203.0.113.2 "another server's answer at the same port"
	run on_internet "$reach" fetch 203.0.113.2 8081
	is "$out" "" "an answer at port 8081, which is not published"
}

# disappears SIGNAL - while another container lives
disappears() {
	start "$container" "$rootfs" sleep 4711
	eventually sleeper
	publish
	kill "-$1" "$pid"
	eventually ended
	# Until then, the container itself may refuse the connection.
	eventually has_no_link cbr0-3
	run on_internet "$reach" fetch 203.0.113.2 8080
	contains "$err" refused "a client, after the container has exited"
}

has_no_link() {
	! ip link show "$1" >"$T/link" 2>&1
}

refuses_a_second() {
	publish
	run "$container" -p 203.0.113.2:8080:81 "$rootfs" true
	one_line_error 125
}

hint='dnat at the hook prerouting; what is in the way of such a packet?'
t "it works from outside, with the client's address" works_from_outside
hint='packets of the host itself pass the hook output, not prerouting'
t "it works from the host" works_from_the_host
hint='the next container flushes the table cbr0: use a table of your own'
t "another container changes nothing" survives_others
hint='the reply must come back through the host: masquerade at postrouting'
t "it works from another container, and from itself" works_from_a_sibling
hint='compare the destination address and the destination port'
t "connections to other addresses or ports are not changed" \
	changes_nothing_else
hint='which table disappears with a socket?'
t "the port is free again when the launcher gets TERM" disappears TERM
t "and when the launcher is killed" disappears KILL
hint='NLM_F_EXCL makes it an error that the table exists'
t "a port that is published already is refused" refuses_a_second
done_testing
