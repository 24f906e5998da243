#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 06: a veth pair between the host and the container
. "$(dirname "$0")/../common/test/lib.sh"

# hold ARG... - starts a container that runs until it is killed. Sets $pid, its
# launcher, and $inside, its process 1.
hold() {
	start "$container" "$@" "$rootfs" sh -c 'echo ready; exec sleep 60'
	eventually is_ready
	inside=$(children_of "$pid")
}

is_ready() {
	! ended || fail "$(cat "$T/start.err")"
	grep -q ready "$T/start.out"
}

# in_container COMMAND... - runs a command of the host in its network namespace
in_container() {
	nsenter --target "$inside" --net "$@"
}

# A ':' or ',' in the checkout's path would have to be escaped for overlayfs.
ln -s "$rootfs" "$scratch/image"
rootfs=$scratch/image

# A few kernels create tunnels in every network namespace.
unshare --net ip -o link | cut -d : -f 2 >"$scratch/fresh"

has_the_articles_addresses() {
	hold
	is "$(ip -o -4 addr show veth-host | awk '{ print $4 }')" \
		10.200.0.1/24 "on the host"
	is "$(in_container ip -o -4 addr show veth-container |
		awk '{ print $4 }')" 10.200.0.2/24 "in the container"
	is "$(in_container ip -4 route show default | sed 's/ *$//')" \
		"default via 10.200.0.1 dev veth-container"
	is "$(in_container ip -o link | cut -d : -f 2 | sed 's/@.*//')" \
		"$(cat "$scratch/fresh")
 veth-container" "all links in the container"
	contains "$(in_container ip link show lo)" '<LOOPBACK,UP,LOWER_UP>'
	is "$(ns_of "$pid" net)" "$(ns_of self net)" \
		"the launcher's network namespace"
}

reaches_both_ways() {
	start "$container" "$rootfs" reach serve 80
	eventually grep -q listening "$T/start.out"
	run "$probes/reach" fetch 10.200.0.2 80
	is "$out" 10.200.0.1 "the client that the container saw"

	kill -KILL "$pid"
	start "$probes/reach" serve 8080
	eventually grep -q listening "$T/start.out"
	run "$container" "$rootfs" reach fetch 10.200.0.1 8080
	is "$out" 10.200.0.2 "the client that the host saw"
}

# An ARP request that is lost is sent again after a second, or here after more
# than the two seconds that reach waits.
loses_no_packet() {
	settings=/proc/sys/net/ipv4/neigh/veth-container
	for start in $(seq "${STARTS:-30}"); do
		run "$container" "$rootfs" sh -c "
			echo 60000 >$settings/retrans_time_ms &&
				reach ping 10.200.0.1"
		is "$status$err" 0 "status and stderr of start $start"
	done
}

# The kernel removes the links some milliseconds after the process.
starts_again_at_once() {
	for try in $(seq 20); do
		run "$container" "$rootfs" true
		is "$status$err" 0 "status and stderr of start $try"
	done
}

starts_again_after() {
	for try in $(seq 20); do
		hold
		kill "-$1" "$pid"
		run "$container" "$rootfs" true
		is "$status$err" 0 "status and stderr of start $try"
	done
}

starts_again_after_ctrl_c() {
	on_terminal "$container" "$rootfs" sh -c 'echo ready; exec sleep 60' <<-'END'
		expect ready
		send \003
		wait 130
	END
	run "$container" "$rootfs" true
	is "$status$err" 0 "status and stderr"
}

# finds_it_taken - and changes nothing on the host
finds_it_taken() {
	ip -j -4 addr >"$T/before"
	run "$container" "$rootfs" true
	one_line_error 125 'ip link add veth-host' 'File exists'
	is "$(ip -j -4 addr)" "$(cat "$T/before")" "the host's links"
}

leaves_another_link_alone() {
	ip link add veth-host type veth peer name other
	finds_it_taken
	ip link set veth-host name another
	ip link property add dev another altname veth-host
	finds_it_taken
	ip link del another
}

leaves_another_container_alone() {
	hold
	finds_it_taken
	run in_container "$probes/reach" ping 10.200.0.1
	is "$status$err" 0 "status and stderr"
}

has_lo_alone() {
	hold -U
	is "$(in_container ip -o link | cut -d : -f 2)" \
		"$(cat "$scratch/fresh")" "all links in the container"
	contains "$(in_container ip link show lo)" '<LOOPBACK,UP,LOWER_UP>'
}

needs_root() {
	run unshare --user "$container" "$rootfs" true
	one_line_error 125 'Operation not permitted: try sudo'
}

t "the links and addresses are those of the article" has_the_articles_addresses
t "host and container reach each other" reaches_both_ways
t "it starts again at once" starts_again_at_once
t "it starts again at once after INT" starts_again_after INT
t "it starts again at once after KILL" starts_again_after KILL
t "it starts again at once after Ctrl-C" starts_again_after_ctrl_c
t "a name that another link has is refused" leaves_another_link_alone
t "a name that a live container has is refused" leaves_another_container_alone
t "-U: lo alone, and it is up" has_lo_alone
t "without root it says so" needs_root
t "the first packet is not lost" loses_no_packet
done_testing
