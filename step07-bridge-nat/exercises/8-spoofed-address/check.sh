#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 7.8: a container cannot use its neighbour's address
# Untouched: the attacker answers for 10.200.0.2
. "$(dirname "$0")/../../../common/test/lib.sh"

reach=$probes/reach

# start_two - the victim, 10.200.0.2, with a server on port 80, and the attacker,
# 10.200.0.3, with one on port 81. Sets $first and $second, the launchers, and
# $attacker, the PID 1 of the second container.
start_two() {
	start_server 80
	first=$pid
	start_server 81
	second=$pid
	attacker=$(children_of "$second")
}

start_server() {
	start "$container" "$rootfs" reach serve "$1"
	eventually is_ready_or_ended
	grep -q listening "$T/start.out" ||
		fail "no container: $(head -n 1 "$T/start.err")"
}

is_ready_or_ended() {
	grep -q listening "$T/start.out" || ended
}

# as_attacker COMMAND... - as root in the attacker's network namespace
as_attacker() {
	nsenter --net="/proc/$attacker/ns/net" "$@"
}

# take_mac [MAC] - by default the victim's
take_mac() {
	as_attacker ip link set eth0 address "${1-02:42:0a:c8:00:02}"
}

# send_packet TO - from the attacker; does not wait for the reply
send_packet() {
	before=$(packets_sent)
	start nsenter --net="/proc/$attacker/ns/net" "$reach" ping "$1"
	eventually has_sent
}

has_sent() {
	[ "$(packets_sent)" -gt "$before" ]
}

packets_sent() {
	as_attacker awk '/^Ip:/ { n = $11 } END { print n }' /proc/net/snmp
}

take_ip() {
	as_attacker ip -batch - <<-'END'
		addr flush dev eth0
		addr add 10.200.0.2/24 dev eth0
		route add default via 10.200.0.1
	END
	ip neigh flush dev cbr0
}

# resists take_mac|take_ip... - then the attacker sends a packet, and the host
# asks both servers at the same time: each request may take two seconds
resists() {
	start_two
	for attack; do
		$attack
	done
	send_packet 10.200.0.1
	"$reach" fetch 10.200.0.2 80 >"$T/victim" 2>&1 &
	asked=$!
	run "$reach" fetch 10.200.0.2 81
	[ "$status" != 0 ] || fail "the attacker answers for 10.200.0.2"
	run wait $asked
	[ "$status" = 0 ] || fail "the victim, 10.200.0.2, is cut off"
}

# What the bridge has learned decides which port receives the victim's frames. Its
# next frame corrects that: so the check does not wait for a lost packet.
# keeps_port [MAC]
keeps_port() {
	command -v bridge >"$T/bridge" || skip "needs bridge of iproute2"
	start_two
	take_mac "$@"
	send_packet 10.200.0.1
	lacks "$(bridge fdb show dev cbr0-3 | grep -v permanent)" \
		"${1-02:42:0a:c8:00:02}" "what the bridge learned at the attacker's port"
}

# The other way round: the first container attacks the second.
protects_the_second() {
	command -v bridge >"$T/bridge" || skip "needs bridge of iproute2"
	start_two
	attacker=$(children_of "$first")
	take_mac 02:42:0a:c8:00:03
	send_packet 10.200.0.1
	lacks "$(bridge fdb show dev cbr0-2 | grep -v permanent)" \
		02:42:0a:c8:00:03 "what the bridge learned at the attacker's port"
}

# The attacker announces that the gateway's address is at its own MAC address.
keeps_the_gateway() {
	start_two
	victim=$(children_of "$first")
	run nsenter --net="/proc/$victim/ns/net" "$reach" ping 10.200.0.1
	as_attacker ip addr flush dev eth0
	as_attacker ip addr add 10.200.0.1/24 dev eth0
	send_packet 10.200.0.2
	run nsenter --net="/proc/$victim/ns/net" "$reach" ping 198.51.100.1
	is "$out" "reply from 198.51.100.1" "the victim asks the internet"
	lacks "$(nsenter --net="/proc/$victim/ns/net" ip neigh show 10.200.0.1)" \
		02:42:0a:c8:00:03 "the gateway's MAC address, as the victim knows it"
}

# A packet that needs no reply is enough for an attack with UDP.
sends_nothing_forged() {
	start_two
	victim=$(children_of "$first")
	received=$(packets_received)
	as_attacker ip neigh add 10.200.0.2 lladdr 02:42:0a:c8:00:02 dev eth0
	for free in 10.200.0.9 192.0.2.9; do
		as_attacker ip addr add $free/24 dev eth0
		as_attacker ip route replace 10.200.0.2/32 dev eth0 src $free
		send_packet 10.200.0.2
		is "$(packets_received)" "$received" \
			"ICMP packets from a free address, $free, received"
	done
}

packets_received() {
	nsenter --net="/proc/$victim/ns/net" awk \
		'/^Icmp:/ { n = $2 } END { print n }' /proc/net/snmp
}

lets_others_pass() {
	start_two
	for to in 10.200.0.1 10.200.0.2 198.51.100.1; do
		run as_attacker "$reach" ping $to
		is "$out" "reply from $to" "an honest container asks $to"
	done
	run "$reach" fetch 10.200.0.3 81
	is "$status" 0 "the host asks an honest container"
}

# Another container still runs, and the rules are those that there were before.
leaves_nothing() {
	start_server 80
	before=$(rules)
	start_server 81
	kill "-$1" "$pid"
	eventually has_rules "$before"
}

# rules - all that nf_tables has, by numbers, of every family
rules() {
	"$probes/snapshot" | grep '^nft '
}

has_rules() {
	[ "$(rules)" = "$1" ]
}

has_no_link() {
	! ip link show "$1" >"$T/link" 2>&1
}

# A container that gets the address of one that has exited
works_again() {
	start_two
	kill -KILL "$second"
	eventually has_no_link cbr0-3
	start_server 81
	run "$reach" fetch 10.200.0.3 81
	is "$status" 0 "the host asks a container that has the address of another"
}

hint='check the source addresses, Ethernet and IP, before the bridge sees the frame'
t "an attacker with the victim's MAC address and IP address gets nothing" \
	resists take_mac take_ip
hint='an ARP packet contains the IP address and MAC address of its sender'
t "nor with the victim's IP address and its own MAC address" resists take_ip
hint='from each frame, the bridge learns which port leads to its source address'
t "nor with the victim's MAC address and its own IP address" keeps_port
t "nor with a MAC address that nobody has" keeps_port 02:00:5e:00:53:07
t "nor does the first container with the address of the second" \
	protects_the_second
hint='no other address is its own, not even in ARP'
t "nor with the IP address of the gateway" keeps_the_gateway
hint='only the address that the container has leased is its own'
t "it cannot send from a free address either" sends_nothing_forged
hint='drop only what has a wrong address'
t "a container with its own addresses is not affected" lets_others_pass
hint='which table disappears with a socket?'
t "the rules are gone when a launcher is killed" leaves_nothing KILL
t "and when it gets TERM" leaves_nothing TERM
t "a new container can have the address" works_again
done_testing
