#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 6.1: a running container gets its network
# Untouched: exit status of container -p PID: got '125', expected '0'
. "$(dirname "$0")/../../../common/test/lib.sh"

# on_host COMMAND... - in a network namespace that plays the host: what a wrong
# solution leaves in it disappears with it
on_host() {
	nsenter --target "$host" --net "$@"
}

inside() {
	nsenter --target "$inside" --net "$@"
}

# running COMMAND... - a container that runs already: COMMAND, which prints
# "ready", starts it on the host
running() {
	start unshare --net sh -c 'ip link set lo up; echo ready; exec sleep 4711'
	eventually grep -q ready "$T/start.out"
	host=$pid
	start nsenter --target "$host" --net "$@"
	eventually grep -q ready "$T/start.out"
	inside=$pid
}

a_process() {
	running unshare --net sh -c 'echo ready; exec sleep 4711'
}

a_container() {
	running "$container" -U "$rootfs" sh -c 'echo ready; exec sleep 4711'
	inside=$(children_of "$pid")
}

connect() {
	run on_host "$container" -p "$1"
}

succeeds() {
	is "$status" 0 "exit status of container -p PID"
	is "$err" "" "stderr of container -p PID"
}

# state - links, addresses and routes of host and container
state() {
	for place in on_host inside; do
		{
			links $place
			$place ip -o -4 addr | awk '{ print $2, $4 }'
			$place ip -4 route | sed 's/ linkdown//'
		} | sed "s/^/${place#on_}: /"
	done
}

links() {
	"$1" ip -br link | awk '{ print $1 }'
}

addresses() {
	"$1" ip -o -4 addr show up | awk '!/ lo / { print $2, $4 }'
}

creates_the_cable() {
	a_process
	connect "$inside"
	succeeds
	lacks "$(links inside)" veth-host "links in the container"
	lacks "$(links on_host)" veth-container "links on the host"
	is "$(addresses on_host)" "veth-host 10.200.0.1/24" \
		"links on the host that are up, with their addresses"
	is "$(addresses inside)" "veth-container 10.200.0.2/24" \
		"links in the container that are up, with their addresses"
	is "$(inside ip -4 route show default |
		sed 's/ proto [a-z]*//; s/ *$//')" \
		"default via 10.200.0.1 dev veth-container" \
		"default route in the container"
	contains "$(inside ip link show lo)" '<LOOPBACK,UP' "lo in the container"
	is "$(on_host ip -4 route show default)" "" "default route of the host"
}

# waits_for_carrier - after the first of these cables, the kernel takes up to a
# second to notice the carrier of the next one: a request about a link makes it
# look at once, and so would ip(8), but not the file in /sys
waits_for_carrier() {
	for _ in 1 2 3; do
		a_process
		with_sys "$host" || skip "needs a new sysfs"
		host_sys=$pid
		with_sys "$inside" || skip "needs a new sysfs"
		connect "$inside"
		shown="$(state_of "$host_sys" veth-host) $(state_of "$pid" \
			veth-container)"
		succeeds
		is "$shown" "up up" "the two ends, when the program has exited"
	done
}

# with_sys PID - $pid becomes a process that has the /sys of PID's network
with_sys() {
	rm -f "$T/start.out"
	start nsenter --target "$1" --net unshare --mount sh -c \
		'mount -t sysfs sysfs /sys && echo mounted; echo tried
		exec sleep 4711'
	eventually has_tried
	grep -q mounted "$T/start.out"
}

has_tried() {
	grep -q tried "$T/start.out"
}

state_of() { # PID LINK
	cat "/proc/$1/root/sys/class/net/$2/operstate"
}

passes_packets() {
	a_container
	connect "$inside"
	succeeds
	run inside "$probes/reach" ping 10.200.0.1
	is "$out" "reply from 10.200.0.1" "the container reaches the host"
	run on_host "$probes/reach" ping 10.200.0.2
	is "$out" "reply from 10.200.0.2" "the host reaches the container"
}

# refused WHAT PID - with one line on stderr, and nothing changes
refused() {
	state >"$T/before"
	connect "$2"
	one_line_error 125
	state | diff "$T/before" - >"$T/diff" ||
		fail "$1, and these links, addresses and routes changed
(< before, > after):
$(grep '^[<>]' "$T/diff")"
}

refuses_the_hosts() {
	a_process
	refused "the process has no network namespace of its own" "$host"
}

# The number after a multiple of 2^32 is the same in an int.
refuses_none() {
	a_process
	for id in 2147483647 "${inside}x" $((inside + 4294967296)) 0 -1 ''; do
		refused "no process has the ID '$id'" "$id"
	done
}

undoes() {
	a_process
	inside ip link set lo up
	inside ip route add default dev lo
	refused "the default route could not be added" "$inside"
	inside ip route del default
	connect "$inside"
	succeeds
}

leaves_the_connected() {
	a_process
	connect "$inside"
	succeeds
	refused "the container is connected already" "$inside"
	run inside "$probes/reach" ping 10.200.0.1
	is "$out" "reply from 10.200.0.1" "the first cable still works"
}

# "is connected" is not only about this container: there is only one veth-host.
leaves_the_others() {
	a_process
	connect "$inside"
	succeeds
	start nsenter --target "$host" --net unshare --net \
		sh -c 'ip link set lo up; echo ready; exec sleep 4712'
	eventually grep -q ready "$T/start.out"
	refused "another container is connected" "$pid"
	run inside "$probes/reach" ping 10.200.0.1
	is "$out" "reply from 10.200.0.1" "the cable of the other container"
}

hint='a netlink socket talks to the namespace in which it was opened: call setns(2)
      between the two nl_open(), and put one end on each side'
t "-p PID puts one end of a cable into a running container" creates_the_cable
hint='does the program exit before the link is up? See wait_for_carrier()'
t "when it exits, both ends have a carrier" waits_for_carrier
t "container and host reach each other at once" passes_packets
hint='before the first change, compare /proc/PID/ns/net with /proc/self/ns/net:
      the same st_dev and st_ino of stat(2) are the same namespace'
t "a process in the network namespace of the host is refused" refuses_the_hosts
hint='exit with 125 before the first change. strtol(3) says where the number
      ends, and may return one that does not fit into an int'
t "a process that does not exist is refused" refuses_none
hint='the namespace of a running container stays, and so does the cable: delete
      it before you exit, and it can be connected later'
t "if the container has a default route, the cable is removed" undoes
hint='delete only a cable that this run has created'
t "a second try leaves the first cable alone" leaves_the_connected
t "so does an attempt with another container" leaves_the_others
done_testing
