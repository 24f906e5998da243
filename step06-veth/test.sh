#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 06: a veth pair between host and container, and no way yet to
# the internet
. "$(dirname "$0")/../common/test/lib.sh"

# The tracer of these tests and the one that looks for leaks exclude each other.
export ASAN_OPTIONS=detect_leaks=0

# Where containers are started: on the sandbox's machine, or on new_host's.
at=

# on_host CMD... - runs CMD where containers are started
on_host() {
	# shellcheck disable=SC2086 # none of its words has blanks
	run_at $at "$@"
}

run_at() {
	"$@"
}

# new_host - from here on, containers start on a machine of its own: nothing of
# it is the sandbox's but the files, and it is gone after the test. Sets $host.
new_host() {
	start unshare --net sh -c 'echo ready; exec sleep 60'
	eventually grep -q ready "$T/start.out"
	host=$pid
	at="nsenter --target $host --net"
}

# add_uplink NAME ADDRESS MTU - a network device for that machine
add_uplink() {
	on_host ip link add "$1" address 02:00:00:00:00:01 mtu "$3" type veth \
		peer name "$1-far" address 02:00:00:00:00:02 mtu "$3"
	on_host ip addr add "$2/24" dev "$1"
	on_host ip link set "$1-far" up
	on_host ip link set "$1" up
}

# run_container ARG... - runs the container, and CMD... in it
run_container() {
	# shellcheck disable=SC2086 # see on_host
	run $at "$container" "$@"
}

# succeeds - the last run had no reason to complain
succeeds() {
	is "$err" '' stderr
	is "$status" 0 status
}

# hold ARG... - starts a container that does nothing until it is killed. Sets
# $pid, its launcher, and $inside, its process 1.
hold() {
	hold_with 'exec sleep 60' "$@"
}

# hold_with SCRIPT ARG... - or one that runs SCRIPT
hold_with() {
	script=$1
	shift
	# shellcheck disable=SC2086 # see on_host
	start $at "$container" "$@" "$rootfs" sh -c "echo ready; $script"
	eventually is_ready
	inside=$(children_of "$pid")
}

is_ready() {
	kill -0 "$pid" 2>/dev/null || fail "$(cat "$T/start.err")"
	grep -q ready "$T/start.out"
}

# let_go - ends what hold started, and waits for its launcher
let_go() {
	kill -KILL "$inside"
	ended=0
	wait "$pid" || ended=$?
	is "$ended" 137 "status of the launcher"
}

# in_container CMD... - runs CMD, of this side, in the container's network
in_container() {
	nsenter --target "$inside" --net "$@"
}

# field NAME - of the one object that ip prints as JSON
field() {
	sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}

# links - the names of all the network devices in ip's JSON
links() {
	grep -o '"ifname":"[^"]*"' | cut -d '"' -f 4
}

# A few kernels give every network namespace tunnels.
unshare --net ip -j link >"$scratch/fresh"

has_veth() {
	on_host ip link show veth-host >"$T/veth" 2>&1
}

has_no_veth() {
	! has_veth
}

gone_at_once() {
	has_no_veth || fail "the launcher has returned: $(cat "$T/veth")"
}

milliseconds() {
	date +%s%3N
}

# mac_of ADDRESS - 02:42 and its four bytes
mac_of() {
	# shellcheck disable=SC2046,SC2183 # four words
	printf '02:42:%02x:%02x:%02x:%02x' $(echo "$1" | tr . ' ')
}

# reach ARG... - the probe, on this side
reach() {
	run on_host "$probes/reach" "$@"
}

# ---- What the step gives ----

joins_both_sides() {
	before=$(ip -j link | links)
	route=$(ip -j route show default)
	hold
	isnt "$(ns_of "$inside" net)" "$(ns_of self net)" "network namespaces"
	is "$(ns_of "$pid" net)" "$(ns_of self net)" "the launcher's"
	near=$(ip -j -d link show veth-host)
	far=$(in_container ip -j -d link show veth-container)
	is "$(echo "$near" | field link_index)" \
		"$(echo "$far" | field ifindex)" "peer of the host's end"
	is "$(echo "$far" | field link_index)" \
		"$(echo "$near" | field ifindex)" "peer of the container's"
	is "$(echo "$near" | field address)" 02:42:0a:c8:00:01 "MAC"
	is "$(echo "$far" | field address)" 02:42:0a:c8:00:02 "MAC inside"
	for end in "$near" "$far"; do
		is "$(echo "$end" | field info_kind)" veth kind
		is "$(echo "$end" | field operstate)" UP
		contains "$end" '"UP","LOWER_UP"'
	done
	contains "$(in_container ip -j link show lo)" '"UP","LOWER_UP"'

	# Nothing else, and nothing else changed.
	is "$(ip -j link | links | grep -vx veth-host)" "$before" links
	is "$(in_container ip -j link | links | grep -vx veth-container)" \
		"$(links <"$scratch/fresh")" "links inside"
	is "$(ip -j route show default)" "$route" "the host's default route"
	is "$(cat /proc/sys/net/ipv4/ip_forward)" 0 forwarding
	let_go
	gone_at_once
}

# connects ADDRESS/PREFIX GATEWAY NETWORK OPTION...
connects() {
	address=${1%/*} prefix=${1#*/} gateway=$2 network=$3
	shift 3
	hold "$@"
	end=$(ip -j -4 addr show dev veth-host)
	is "$(echo "$end" | field local)" "$gateway" "host's address"
	is "$(echo "$end" | field prefixlen)" "$prefix" "its prefix"
	is "$(ip -j link show veth-host | field address)" \
		"$(mac_of "$gateway")" "its MAC"
	end=$(in_container ip -j -4 addr show dev veth-container)
	is "$(echo "$end" | field local)" "$address" "address inside"
	is "$(echo "$end" | field prefixlen)" "$prefix" "its prefix"
	is "$(in_container ip -j link show veth-container | field address)" \
		"$(mac_of "$address")" "its MAC"
	is "$(in_container ip -j -4 addr show dev lo | field local)" 127.0.0.1

	end=$(ip -j route show dev veth-host)
	is "$(echo "$end" | field dst)" "$network/$prefix" "host's route"
	is "$(echo "$end" | field prefsrc)" "$gateway" "its source"
	is "$(in_container ip -4 route | sed 's/ *$//')" \
		"default via $gateway dev veth-container
$network/$prefix dev veth-container proto kernel scope link src $address" \
		"routes inside"
	reach ping "$address"
	succeeds
	let_go
}

has_addresses() {
	connects 10.200.0.2/24 10.200.0.1 10.200.0.0
	connects 192.168.7.9/29 192.168.7.14 192.168.7.8 \
		-a 192.168.7.9/29 -g 192.168.7.14
	connects 172.16.255.254/12 172.31.0.0 172.16.0.0 \
		--address=172.16.255.254/12 --gateway=172.31.0.0
	connects 10.1.2.3/8 10.255.255.254 10.0.0.0 \
		-a 10.1.2.3/8 -g 10.255.255.254
	connects 10.200.0.2/30 10.200.0.1 10.200.0.0 -a 10.200.0.2/30
	connects 10.200.0.2/24 10.200.0.254 10.200.0.0 -g 10.200.0.254
}

reaches_both_ways() {
	hold_with 'exec reach serve 80'
	eventually grep -q listening "$T/start.out"
	reach ping 10.200.0.2
	is "$out" "reply from 10.200.0.2"
	reach fetch 10.200.0.2 80
	is "$out" 10.200.0.1 "whom the server inside saw"
	let_go

	start "$probes/reach" serve 8080
	eventually grep -q listening "$T/start.out"
	run_container "$rootfs" sh -c 'reach ping 10.200.0.1
		reach fetch 10.200.0.1 8080'
	succeeds
	is "$out" "reply from 10.200.0.1
10.200.0.2" "what came back"
}

# The host's route is there, but it forwards nothing, and the internet knows no
# way back to a private address.
reaches_no_internet() {
	reach ping 198.51.100.1
	succeeds
	run_container "$rootfs" reach ping 198.51.100.1
	is "$status" 1 "status of ping"
	is "$out" ''
}

# mtu_is MTU - both ends' is, in a container that is started now
mtu_is() {
	hold
	is "$(on_host ip -j link show veth-host | field mtu)" "$1" "$2"
	is "$(in_container ip -j link show veth-container | field mtu)" "$1" \
		"$2, inside"
	let_go
}

has_the_uplinks_mtu() {
	mtu_is 1500 eth0
	ip link set eth0 mtu 1400
	mtu_is 1400 "eth0 with 1400"
	ip link set eth0 mtu 1500

	new_host
	on_host ip link set lo up
	mtu_is 1500 "no uplink"
	on_host ip route add unreachable default metric 4000
	on_host ip route add local default dev lo table 100
	mtu_is 1500 "a default route to nowhere"
	add_uplink one 192.0.2.2 1300
	add_uplink two 192.0.3.2 9000
	on_host ip route add default via 192.0.2.1 metric 200
	mtu_is 1300 "an uplink"
	on_host ip route add default via 192.0.3.1 metric 100
	mtu_is 9000 "two uplinks"
	on_host ip route add default metric 50 \
		nexthop via 192.0.2.1 nexthop via 192.0.3.1
	mtu_is 1300 "two at once"
}

# state PID - of that process's network, as the kernel tells it
state() {
	nsenter --target "$1" --net sh -c 'ip -j -d link; ip -j -4 addr
		ip -j -4 route show table all'
}

# replay PID TRACE - runs the lines that -v has printed with iproute2: the
# host's on new_host's machine, the container's with PID
replay() {
	while read -r side _ command; do
		case $side-$command in
		"host-ip "*) to=$host ;;
		"container-ip "*) to=$1 ;;
		*) continue ;;
		esac
		command=$(echo "$command" | sed "s/ netns $inside\$/ netns $1/")
		nsenter --target "$to" --net sh -ec "$command"
		echo "$command" >>"$T/replayed"
	done <"$2"
}

state_is() {
	[ "$(state "$1")" = "$(cat "$2")" ]
}

new_host_with_uplink() {
	new_host
	add_uplink uplink 192.0.2.2 1400
	on_host ip route add default via 192.0.2.1
}

# does_what_it_says OPTION... - the network that C has made and the one that
# the printed commands make are the same
does_what_it_says() {
	new_host_with_uplink
	hold -v "$@"
	state "$host" >"$T/host"
	state "$inside" >"$T/inside"
	contains "$(cat "$T/host")" '"ifname":"veth-host"'
	let_go
	state "$host" >"$T/after"
	grep -v ' + ip link del ' "$T/start.err" >"$T/made"
	grep ' + ip link del ' "$T/start.err" >"$T/undone"

	new_host_with_uplink
	start unshare --net sh -c 'echo ready; exec sleep 60'
	eventually grep -q ready "$T/start.out"
	replay "$pid" "$T/made"
	is "$(wc -l <"$T/replayed")" 7 "commands replayed"
	eventually state_is "$host" "$T/host"
	eventually state_is "$pid" "$T/inside"
	replay "$pid" "$T/undone"
	is "$(wc -l <"$T/replayed")" 8 "commands replayed"
	state_is "$host" "$T/after" || fail "after: $(state "$host")"
}

# ---- What becomes of it ----

is_gone_when_the_launcher_returns() {
	for command in true 'exit 3' 'kill -9 $$' 'ip link del veth-container'; do
		run_container "$rootfs" sh -c "$command"
		gone_at_once
		is "$err" '' "stderr of '$command'"
	done
	run_container "$rootfs" no-such-command
	gone_at_once
	one_line_error 127 no-such-command
	hold
	ip link del veth-host # by the administrator
	let_go
	is "$(cat "$T/start.err")" ''
	hold_with 'trap "exit 5" TERM; sleep 60 & wait'
	kill -TERM "$pid"
	ended=0
	wait "$pid" || ended=$?
	gone_at_once
	is "$ended" 5 "status after SIGTERM"
}

# Also, inside, the link is up by the time the command starts: without waiting
# for that, a few of a hundred containers lose what they send first.
starts_again_at_once() {
	for try in $(seq 50); do
		run_container "$rootfs" \
			cat /sys/class/net/veth-container/operstate
		is "$err" '' "stderr of container $try"
		is "$out" up "its link's state"
	done
}

# A slow or busy machine gets as much more as a start takes, and three tries.
is_gone_within_a_second_of_a_kill() {
	for try in 1 2 3; do
		began=$(milliseconds)
		hold
		has_veth || fail "there is none"
		limit=$((1000 + $(milliseconds) - began))
		began=$(milliseconds)
		kill -KILL "$pid"
		eventually has_no_veth
		took=$(($(milliseconds) - began))
		[ "$took" -gt "$limit" ] || break
	done
	[ "$took" -le "$limit" ] || fail "it took $took ms"
	[ ! -e "/proc/$inside" ] || fail "process 1 is alive"
	run_container "$rootfs" true
	succeeds
}

is_connected() {
	in_container grep -q ' 0100C80A:0050 01 ' /proc/net/tcp
}

# A server on the host never answers; the network fails, and so the container's
# end of the connection waits for it, though the process is gone.
connect_and_lose_the_network() {
	start "$probes/reach" serve 80
	server=$pid
	eventually grep -q listening "$T/start.out"
	kill -STOP "$server"
	hold_with 'exec reach fetch 10.200.0.1 80'
	eventually is_connected
	ip link set veth-host down
}

stays_while_a_connection_does() {
	connect_and_lose_the_network
	kill -KILL "$pid"
	eventually is_no_process "$inside"
	sleep 1 # in which it would go, were there no connection
	has_veth || fail "the pair is gone"
	run_container "$rootfs" true
	one_line_error 125 veth-host 'File exists'
	ip link del veth-host # as the lesson says
	run_container "$rootfs" true
	succeeds

	kill -KILL "$server"
	wait "$server" || : # its port is free
	connect_and_lose_the_network
	let_go
	gone_at_once
	kill -KILL "$server"
}

is_no_process() {
	[ ! -e "/proc/$1" ]
}

has_one_container_at_a_time() {
	hold
	ip -j link >"$T/links"
	in_container ip -j -4 addr >"$T/addresses"
	for options in '' '-a 10.201.0.2/24 -g 10.201.0.1' \
		'-a 10.200.0.3/24 -g 10.200.0.4'; do
		# shellcheck disable=SC2086 # words
		run_container $options "$rootfs" true
		one_line_error 125 'container[host]: ip link add veth-host' \
			'File exists' 'step 07'
	done
	is "$(ip -j link)" "$(cat "$T/links")" "links"
	is "$(in_container ip -j -4 addr)" "$(cat "$T/addresses")" \
		"addresses inside"
	reach ping 10.200.0.2
	succeeds
	let_go
}

# Ten at once: who comes too late leaves the first one's pair alone.
has_one_winner() {
	for i in 0 1 2 3 4 5 6 7 8 9; do
		{
			ended=0
			"$container" "$rootfs" reach ping 10.200.0.1 \
				>"$T/out.$i" 2>"$T/err.$i" || ended=$?
			echo "$ended" >"$T/status.$i"
		} &
	done
	wait
	isnt "$(cat "$T"/out.*)" '' "what the winner has said"
	for i in 0 1 2 3 4 5 6 7 8 9; do
		case $(cat "$T/status.$i") in
		0) is "$(cat "$T/out.$i" "$T/err.$i")" "reply from 10.200.0.1" ;;
		*)
			is "$(wc -l <"$T/err.$i")" 1 "lines of a loser"
			contains "$(cat "$T/err.$i")" 'File exists'
			;;
		esac
	done
	gone_at_once
}

# ---- Bad input ----

refuses_addresses() {
	long=$(printf '%04000d' 1)
	while read -r address; do
		run_container -a "$address" "$rootfs" true
		one_line_error 125 "${address%/*}"
	done <<-END
	10.200.0.2
	10.200.0.2/
	10.200.0.2/0
	10.200.0.2/1
	10.200.0.2/7
	10.200.0.2/31
	10.200.0.2/32
	10.200.0.2/33
	10.200.0.2/240
	10.200.0.2/-24
	10.200.0.2/+24
	10.200.0.2/24x
	10.200.0.2/24/24
	10.200.0.2/255.255.255.0
	x10.200.0.2/24
	/24
	300.1.1.1/24
	10.200.2/24
	10.200.0.0.2/24
	10.200.0.002/24
	0x0a.200.0.2/24
	a.b.c.d/24
	localhost/24
	fd00::2/64
	-g
	10.200.0.0/24
	10.200.0.255/24
	10.200.0.4/30
	10.200.0.7/30
	0.0.0.0/24
	0.0.0.2/24
	10.200.0.1/24
	10.201.0.2/24
	10.200.0.130/25
	$long/24
	10.200.0.2/$long
	END
	# These have a gateway in their subnet.
	while read -r address gateway; do
		run_container -a "$address" -g "$gateway" "$rootfs" true
		one_line_error 125 "${address%/*}"
	done <<-END
	0.0.0.2/24 0.0.0.1
	0.1.2.3/8 0.1.2.4
	127.0.0.2/8 127.0.0.1
	224.0.0.2/24 224.0.0.1
	239.255.255.253/24 239.255.255.254
	240.0.0.2/24 240.0.0.1
	255.255.255.253/24 255.255.255.254
	10.200.0.2/0 10.200.0.1
	10.200.0.2/7 10.200.0.1
	10.200.0.2/31 10.200.0.3
	10.200.0.2/32 10.200.0.2
	192.168.1.0/24 192.168.1.1
	192.168.1.255/24 192.168.1.1
	192.168.1.2/24 192.168.1.2
	192.168.1.2/24 192.168.2.1
	192.168.1.2/25 192.168.1.129
	END
	for address in '' ' ' ' 10.200.0.2/24' '10.200.0.2/24 ' '10.200.0.2/ 24' \
		'10.200.0.2 /24' "$(printf '\377.\376/24')" '10.200.0.2/24
' '%s%n/24'; do
		run_container --address "$address" "$rootfs" true
		one_line_error 125 --address
	done
	while read -r gateway; do
		run_container -g "$gateway" "$rootfs" true
		one_line_error 125 "$gateway"
	done <<-END
	10.200.0.2
	10.200.0.0
	10.200.0.255
	10.200.1.1
	10.201.0.1
	10.200.0.1/24
	300.1.1.1
	0.0.0.0
	127.0.0.1
	224.0.0.1
	255.255.255.255
	fd00::1
	gateway
	$long
	END
	for gateway in '' ' ' ' 10.200.0.1' "$(printf '\377')"; do
		run_container --gateway "$gateway" "$rootfs" true
		one_line_error 125 IPv4
	done
	run_container -a 10.200.0.2/24 -g
	one_line_error 125 -g
}

# refuses_route ROUTE LINK OPTION... - as it is in the subnet's way
refuses_route() {
	route=$1 link=$2
	shift 2
	run_container "$@" "$rootfs" true
	one_line_error 125 "$route" "$link" --address
}

takes_no_subnet_that_the_host_routes() {
	new_host
	add_uplink lan 10.200.0.77 1500
	refuses_route 10.200.0.0/24 lan
	refuses_route 10.200.0.0/24 lan -a 10.200.0.2/16
	refuses_route 10.200.0.0/24 lan -a 10.200.0.66/28 -g 10.200.0.65
	run_container -a 10.201.0.2/24 -g 10.201.0.1 "$rootfs" true
	succeeds
	on_host ip addr flush dev lan

	on_host ip addr add 192.0.2.2/24 dev lan
	on_host ip route add default via 192.0.2.1
	on_host ip route add 0.0.0.0/1 via 192.0.2.1
	on_host ip route add 128.0.0.0/1 via 192.0.2.1
	run_container "$rootfs" true
	succeeds
	for route in 10.0.0.0/8 10.200.0.0/16 10.200.0.16/28; do
		on_host ip route add "$route" via 192.0.2.1
		refuses_route "$route" lan
		on_host ip route del "$route"
	done
	on_host ip route add 10.200.0.9 via 192.0.2.1
	refuses_route 10.200.0.9/32 lan
	on_host ip route del 10.200.0.9
	on_host ip route add 10.200.0.0/16 via 192.0.2.1 table 100
	refuses_route 10.200.0.0/16 lan
	on_host ip route flush table 100
	on_host ip route add blackhole 10.200.0.0/16
	refuses_route 10.200.0.0/16 ''
	on_host ip route del blackhole 10.200.0.0/16

	# An answer of many messages, as a router with all of BGP has it.
	for i in $(seq 0 15); do
		seq -f "route add 172.$((16 + i)).%g.0/24 via 192.0.2.1" 0 255
	done | on_host ip -batch -
	run_container "$rootfs" true
	succeeds
	on_host ip route add 198.18.0.0/15 via 192.0.2.1
	refuses_route 198.18.0.0/15 lan -a 198.19.0.2/24 -g 198.19.0.1
}

finds_its_name_taken() {
	new_host
	on_host ip link add veth-host type veth peer name other
	on_host ip link set veth-host mtu 1234
	on_host ip -j link >"$T/links"
	run_container "$rootfs" true
	one_line_error 125 'ip link add veth-host' 'File exists'
	is "$(on_host ip -j link)" "$(cat "$T/links")" links
	on_host ip link set veth-host name another
	if on_host ip link property add dev another altname veth-host; then
		run_container "$rootfs" true
		one_line_error 125 'ip link add veth-host' 'File exists'
	fi
	on_host ip link del another
	run_container "$rootfs" true
	succeeds
}

needs_the_capability() {
	for cap in net_admin sys_admin; do
		run setpriv --bounding-set "-$cap" --inh-caps "-$cap" \
			"$container" "$rootfs" true
		one_line_error 125 'Operation not permitted'
		gone_at_once
	done
	run setpriv --bounding-set -net_admin --inh-caps -net_admin \
		"$container" "$rootfs" true
	one_line_error 125 'container[host]: ip link add veth-host'
}

is_not_for_user_namespaces() {
	run_container -U "$rootfs" true
	one_line_error 125 'container[host]: ip link add veth-host' -U \
		slirp4netns pasta 'Operation not permitted'
	run_container -U -v "$rootfs" true
	is "$status" 125
	gone_at_once
}

needs_nothing_of_proc_sys() {
	# shellcheck disable=SC2016 # for that shell
	run unshare --mount sh -ec 'mount --bind /proc/sys /proc/sys
		mount -o remount,bind,ro /proc/sys
		exec "$@"' sh "$container" "$rootfs" reach ping 10.200.0.1
	succeeds
}

# A copy of the program that asks for another kind of device gets the answer of
# a kernel without this one.
needs_veth() {
	LC_ALL=C sed 's/\x00veth\x00/\x00none\x00/g' "$container" >"$T/container"
	chmod +x "$T/container"
	run "$T/container" "$rootfs" true
	one_line_error 125 'container[host]: ip link add veth-host' \
		'modprobe veth' 'Unknown device type: Operation not supported'
}

# ---- Faults ----

# faulty SIDE CALL N FAULT - runs a container of which one call fails; what is
# left of it must be gone soon
faulty() {
	run timeout -s KILL 20 "$probes/fault" "$@" "$container" "$rootfs" true
	ran="fault $* $ran"
	[ "$status" -ne 99 ] || return
	points=$((points + 1))
	eventually has_no_veth
}

# Sets $stride: a slow machine does not get to all of the calls.
needs_the_tracer() {
	points=0
	[ -x "$probes/fault" ] || skip "$probes/fault is not built"
	run "$probes/fault" host any 1 KILL true
	[ "$status" -eq 137 ] || skip "no process may be traced: $err"
	began=$(milliseconds)
	run_container "$rootfs" true
	stride=$((1 + ($(milliseconds) - began) / 200))
}

# fails_in SIDE ERROR CALL... - all calls of these names, one after the other
fails_in() {
	side=$1 error=$2
	shift 2
	for call; do
		n=1
		while faulty "$side" "$call" "$n" "$error"; do
			case $error-$call-$status in
			EINTR-sendto-* | EINTR-recvfrom-* | EINTR-read-125)
				succeeds ;; # as they have to be called again
			*-0) [ "$(wc -l <"$T/err")" -le 1 ] ||
				fail "more than a line" ;;
			*-read-125) one_line_error 125 ;;
			*-read-*) isnt "$err" '' ;; # before main() starts
			*) one_line_error 125 ;;
			esac
			n=$((n + stride))
		done
	done
}

survives_errors() {
	needs_the_tracer
	for side in host container; do
		fails_in "$side" ENOMEM socket setsockopt bind sendto recvfrom \
			read write
		fails_in "$side" EINTR sendto recvfrom read
		fails_in "$side" EPERM socket sendto unshare
		fails_in "$side" EMFILE socket socketpair
	done
	fails_in host ENOMEM clone
	[ $((points * stride)) -gt 100 ] || fail "only $points failed calls"
}

leaves_nothing_killed_anywhere() {
	needs_the_tracer
	for side in host container; do
		n=1
		while faulty "$side" any "$n" KILL; do
			is "$status" 137 "status, killed in call $n"
			[ "$(wc -l <"$T/err")" -le 1 ] || fail "more than a line"
			n=$((n + stride))
		done
	done
	[ $((points * stride)) -gt 100 ] || fail "only $points kills"
}

# The best way out goes away when the launcher has just heard of it.
loses_the_uplink() {
	needs_the_tracer
	ip link add uplink mtu 1300 up type veth peer name far
	ip route prepend default dev uplink
	faulty host sendto 2 'sh:ip link del uplink'
	succeeds
}

t "one end is the host's, the other the container's" joins_both_sides
t "addresses, MACs and routes are those of -a and -g" has_addresses
t "each reaches the other by ping and TCP" reaches_both_ways
t "lack: the internet is out of reach" reaches_no_internet
t "the MTU is the uplink's" has_the_uplinks_mtu
t "an uplink that goes meanwhile is none" loses_the_uplink
t "-v prints commands that make the same" does_what_it_says
t "-v prints -a and -g, too" \
	does_what_it_says -a 172.16.0.9/12 -g 172.31.0.1
t "the pair is gone when the launcher returns" \
	is_gone_when_the_launcher_returns
t "fifty in a row find the name free, and the link up" starts_again_at_once
t "the pair is gone within a second of the launcher's death" \
	is_gone_within_a_second_of_a_kill
t "leak: then, a TCP connection keeps it" stays_while_a_connection_does
t "lack: a second container finds the name taken" has_one_container_at_a_time
t "ten that start at once have one winner" has_one_winner
t "addresses that no host can have are refused" refuses_addresses
t "a subnet that the host routes is refused" \
	takes_no_subnet_that_the_host_routes
t "a name in use is left alone" finds_its_name_taken
t "without the capability it says so" needs_the_capability
t "-U: refused, with what rootless tools do" is_not_for_user_namespaces
t "a read-only /proc/sys does no harm" needs_nothing_of_proc_sys
t "without veth it names the module, and has the kernel's words" needs_veth
t "any call may fail: nothing is left, and an error is told" survives_errors
t "killed in any call, either side leaves nothing" \
	leaves_nothing_killed_anywhere
done_testing
