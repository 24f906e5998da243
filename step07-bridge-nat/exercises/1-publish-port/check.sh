#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 7.1: a port of the host leads to a container
# Untouched: no container with -p
. "$(dirname "$0")/../../../common/test/lib.sh"

reach=$probes/reach

# publish [MAPPING [PORT]] - a container with a server; sets $pid, its launcher
publish() {
	rm -f "$T/start.out"
	start "$container" -p "${1-203.0.113.2:8080:80}" "$rootfs" \
		reach serve "${2-80}"
	eventually is_ready_or_ended
	grep -q listening "$T/start.out" || {
		off_host_address 2>"$T/no-address" || :
		fail "no container with -p: $(head -n 1 "$T/start.err")"
	}
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
	[ "$out" != 10.200.0.1 ] ||
		hint='masquerade only what comes from a container'
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
	server=$!
	echo $server >>"$T.started"
	eventually grep -q listening "$T/served"
	run "$container" "$rootfs" reach fetch 198.51.100.1 8080
	is "$out" 203.0.113.2 "another server's answer at the same port"
	kill $server
	wait $server 2>"$T/terminated" || :
	run "$reach" fetch 198.51.100.1 8080
	is "$out" "" "an answer to the host from 198.51.100.1, without a server"
	run "$reach" fetch 203.0.113.2 8081
	is "$out" "" "an answer to the host at port 8081"
	run on_internet "$reach" fetch 203.0.113.2 8081
	is "$out" "" "an answer at port 8081, which is not published"
	on_host_address
	run on_internet "$reach" fetch 203.0.113.3 8080
	is "$out" "" "an answer at another address of the host"
	off_host_address
}

# A second address of the host
on_host_address() {
	ip addr add 203.0.113.3/24 dev eth0
}

off_host_address() {
	ip addr del 203.0.113.3/24 dev eth0
}

# Without a server: the container's kernel counts what reaches it.
leaves_udp_alone() {
	publish
	compile send-udp
	on_internet "$probes/send-udp" 203.0.113.2 8080
	"$probes/send-udp" 203.0.113.2 8080
	eventually have_received_udp
	is "$(udp_received "/proc/$(children_of "$pid")/net/snmp")" 0 \
		"UDP packets to port 8080 that reach the container"
}

# Both packets, the host or the container
have_received_udp() {
	there=$(udp_received "/proc/$(children_of "$pid")/net/snmp")
	[ $(($(udp_received /proc/net/snmp) + there)) -ge 2 ]
}

udp_received() {
	awk '/^Udp:/ { n = $2 + $3 } END { print n }' "$1"
}

# What is not published stays closed: to an outsider with a route, too.
opens_nothing_else() {
	publish
	on_internet ip route add 10.200.0.0/24 via 203.0.113.2
	start nsenter --net="/proc/$(children_of "$pid")/ns/net" "$reach" serve 81
	eventually grep -q listening "$T/start.out"
	for port in 80 81; do
		on_internet "$reach" fetch 10.200.0.2 $port \
			>"$T/answer-$port" 2>&1 &
		echo $! >>"$T/waiting"
	done
	while read -r waiting; do
		wait "$waiting" || :
	done <"$T/waiting"
	on_internet ip route del 10.200.0.0/24
	for port in 80 81; do
		lacks "$(cat "$T/answer-$port")" 203.0.113 \
			"port $port of 10.200.0.2 itself, from outside"
	done
}

# Two containers with the same port inside
are_independent() {
	publish
	publish 203.0.113.2:65535:80
	second=$pid
	for port in 8080 65535; do
		run on_internet "$reach" fetch 203.0.113.2 $port
		is "$out" 203.0.113.1 "a client of port $port"
	done
	kill "$second"
	eventually has_no_link cbr0-3
	run on_internet "$reach" fetch 203.0.113.2 65535
	contains "$err" refused "port 65535, after its container has exited"
	run on_internet "$reach" fetch 203.0.113.2 8080
	is "$out" 203.0.113.1 "port 8080, after the other container has exited"
}

# works_for ADDRESS PORT PORT
works_for() {
	on_host_address
	publish "$1:$2:$3" "$3"
	run on_internet "$reach" fetch "$1" "$2"
	is "$out" 203.0.113.1 "a client of port $2 of $1"
	run "$container" "$rootfs" reach fetch "$1" "$2"
	is "$status" 0 "status of a client in another container"
	off_host_address
}

# disappears SIGNAL - while another container lives; then it can be published
# again
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
	publish
	run on_internet "$reach" fetch 203.0.113.2 8080
	is "$out" 203.0.113.1 "a client, after it is published again"
}

has_no_link() {
	! ip link show "$1" >"$T/link" 2>&1
}

# 08080 is 8080, unless a program takes it for no number at all.
refuses_a_second() {
	publish
	for port in 8080 08080; do
		run "$container" -p 203.0.113.2:$port:81 "$rootfs" true
		one_line_error 125
	done
	run on_internet "$reach" fetch 203.0.113.2 8080
	is "$out" 203.0.113.1 "the answer, after a second one was refused"
}

allows_another_address() {
	on_host_address
	publish
	publish 203.0.113.3:8080:80
	for address in 203.0.113.2 203.0.113.3; do
		run on_internet "$reach" fetch $address 8080
		is "$out" 203.0.113.1 "a client of port 8080 of $address"
	done
	off_host_address
}

# 73616 is 8080 in 16 bits.
refuses_no_ports() {
	for argument in 203.0.113.2:73616:80 203.0.113.2:8080:65616 \
		203.0.113.2:0:80 203.0.113.2:8080:0 203.0.113.2:65536:80 \
		203.0.113.2:-1:80 203.0.113.2:8080 203.0.113.2:8080: \
		203.0.113.2::80 203.0.113.2:8080:80x 203.0.113.2:8080:80:80 \
		203.0.113.2:http:80 :8080:80 203.0.113:8080:80 \
		203.0.113.256:8080:80 999.1:8080:80 203.0.113.2.1:8080:80 8080:80 ''
	do
		run "$container" -p "$argument" "$rootfs" true
		is "$status" 125 "exit status with -p '$argument'"
		one_line_error 125
	done
}

hint='dnat at the hook prerouting; what is in the way of such a packet?'
t "it works from outside, with the client's address" works_from_outside
hint='packets of the host itself pass the hook output, not prerouting'
t "it works from the host" works_from_the_host
hint='the next container flushes the table cbr0: use a table of your own'
t "another container changes nothing" survives_others
hint='the reply must come back through the host: masquerade at postrouting'
t "it works from another container, and from itself" works_from_a_sibling
hint='the address, and both ports, are those of the option'
t "it works for another port inside" works_for 203.0.113.2 8080 81
t "and for another address, the first port and the last one" works_for 203.0.113.3 1 65535
hint='compare the destination address, the protocol and the destination port'
t "connections to other addresses or ports are not changed" \
	changes_nothing_else
t "UDP is not changed" leaves_udp_alone
hint='accept what was rewritten, not what goes to the container: ct status dnat'
t "no other way leads to the container" opens_nothing_else
hint='does the rule of one container depend on that of another?'
t "two containers have the same port inside" are_independent
hint='which table disappears with a socket?'
t "the port is free again when the launcher gets TERM" disappears TERM
t "and when the launcher is killed" disappears KILL
hint='NLM_F_EXCL makes it an error that the table exists'
t "a port that is published already is refused" refuses_a_second
hint='a port at another address is another one: the lease needs both in its name'
t "the same port at another address is not refused" allows_another_address
hint='inet_pton(3) takes four numbers up to 255 and nothing else; strtoul(3)
      says where a number ends, and may return one above 65535'
t "what is not IP:PORT:PORT is refused" refuses_no_ports
done_testing
