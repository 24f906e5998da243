#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 7.2: forwarding for two links
# Untouched: no container with -f
. "$(dirname "$0")/../../../common/test/lib.sh"

ipv4=/proc/sys/net/ipv4
vpn='vpn-company.100'

# start_container [OPTION...] - sets $pid, the launcher
start_container() {
	rm -f "$T/start.out"
	start "$container" "$@" "$rootfs" sh -c 'echo ready; exec sleep 4711'
	eventually is_ready_or_ended
	grep -q ready "$T/start.out" || {
		del_link 2>"$T/no-link" || :
		fail "no container with $1: $(head -n 1 "$T/start.err")"
	}
}

is_ready_or_ended() {
	grep -q ready "$T/start.out" || ended
}

end_container() {
	kill -TERM "$1"
	eventually has_disappeared_or_zombie "$1"
}

has_disappeared_or_zombie() {
	! grep -qs '^State:	[^Z]' "/proc/$1/status"
}

# of LINK - is forwarding on?
of() {
	value=$(cat "$ipv4/conf/$1/forwarding")
	[ "$value" = 0 ] && echo off || echo on
}

# add_link - the host has a second link, $vpn: a VLAN would have such a name. It is
# as long as possible. The test ends without it.
add_link() {
	ip link add $vpn type veth peer name vpn1
}

del_link() {
	ip link del $vpn
}

forwards_for_two() {
	start_container -f eth0
	is "cbr0 $(of cbr0), eth0 $(of eth0)" "cbr0 on, eth0 on" \
		"forwarding of the two links"
	is "$(cat $ipv4/ip_forward), lo $(of lo), default $(of default)" \
		"0, lo off, default off" "ip_forward, and other links"
	run "$container" -f eth0 "$rootfs" reach ping 198.51.100.1
	is "$out" "reply from 198.51.100.1" "the container asks the internet"
}

forwards_for_another() {
	add_link
	start_container -f $vpn
	shown="cbr0 $(of cbr0), $vpn $(of $vpn), eth0 $(of eth0), vpn1 $(of vpn1)"
	end_container "$pid"
	shown="$shown, then $(of $vpn)"
	del_link
	is "$shown" "cbr0 on, $vpn on, eth0 off, vpn1 off, then off" \
		"forwarding with -f $vpn"
}

ends_with_the_last() {
	start_container -f eth0
	first=$pid
	start_container -f eth0
	end_container "$first"
	is "eth0 $(of eth0)" "eth0 on" "forwarding while the second runs"
	end_container "$pid"
	is "eth0 $(of eth0)" "eth0 off" "forwarding after the last"
}

survives_a_kill() {
	start_container -f eth0
	kill -KILL "$pid"
	eventually has_disappeared_or_zombie "$pid"
	run "$container" -f eth0 "$rootfs" true
	is "$status" 0 "exit status of the next container"
	is "eth0 $(of eth0)" "eth0 off" "forwarding after the next container"
}

# The last container has another uplink than the one that was killed.
survives_a_kill_of_another() {
	add_link
	start_container -f eth0
	kill -KILL "$pid"
	eventually has_disappeared_or_zombie "$pid"
	run "$container" -f $vpn "$rootfs" true
	shown="$status: eth0 $(of eth0), $vpn $(of $vpn)"
	del_link
	is "$shown" "0: eth0 off, $vpn off" \
		"forwarding after the next container, with -f $vpn"
}

two_uplinks() {
	add_link
	start_container -f eth0
	first=$pid
	start_container -f $vpn
	shown="eth0 $(of eth0), $vpn $(of $vpn)"
	end_container "$pid"
	end_container "$first"
	shown="$shown, then eth0 $(of eth0), $vpn $(of $vpn)"
	del_link
	is "$shown" "eth0 on, $vpn on, then eth0 off, $vpn off" \
		"forwarding for two containers with -f eth0 and -f $vpn"
}

# leaves PATH - on, if it was before
leaves() {
	echo 1 >"$ipv4/$1"
	run "$container" -f eth0 "$rootfs" true
	value=$(cat "$ipv4/$1")
	echo 0 >"$ipv4/$1"
	is "$value" 1 "$1, which was 1 before"
}

# A link that no container has named
leaves_others() {
	add_link
	echo 1 >$ipv4/conf/$vpn/forwarding
	run "$container" -f eth0 "$rootfs" true
	value=$(cat $ipv4/conf/$vpn/forwarding)
	del_link
	is "$value" 1 "conf/$vpn/forwarding, which was 1 before"
}

leaves_what_was_set_meanwhile() {
	start_container -f eth0
	echo 1 >$ipv4/conf/eth0/forwarding
	end_container "$pid"
	value=$(cat $ipv4/conf/eth0/forwarding)
	echo 0 >$ipv4/conf/eth0/forwarding
	is "$value" 1 "conf/eth0/forwarding, set to 1 meanwhile"
}

leaves_dockers() {
	start_container -f eth0
	echo 1 >$ipv4/ip_forward # as Docker does when it starts
	end_container "$pid"
	value=$(cat $ipv4/ip_forward)/$(cat $ipv4/conf/eth0/forwarding)
	echo 0 >$ipv4/ip_forward
	is "$value" 1/1 "ip_forward and that of eth0, set to 1 meanwhile"
}

# Not every directory in conf is a link. The name of a link has no slash, and at
# most 15 bytes.
refuses_no_link() {
	ip link add fifteen-letters type bridge
	for link in nolink0 all default ../conf/all ../conf/eth0 eth0/../all \
		eth0/ . .. eth fifteen-letters1 ''; do
		run "$container" -f "$link" "$rootfs" true
		is "$status" 125 "exit status with -f '$link'"
		one_line_error 125
		is "all $(of all), eth0 $(of eth0), default $(of default)" \
			"all off, eth0 off, default off" \
			"forwarding after -f '$link'"
	done
	ip link del fifteen-letters
}

has_the_default() {
	start_container
	is "$(cat $ipv4/ip_forward)" 2 "ip_forward without -f"
	end_container "$pid"
	is "$(cat $ipv4/ip_forward)" 0 "ip_forward after a container without -f"
}

# The kernel changes accept_redirects when ip_forward changes.
keep_redirects() {
	redirects=$(cat $ipv4/conf/all/accept_redirects)
	status_kept=0
	("$@") || status_kept=1
	echo "$redirects" >$ipv4/conf/all/accept_redirects
	return $status_kept
}

hint='each link has a file in /proc/sys/net/ipv4/conf'
t "with -f eth0, only cbr0 and eth0 forward, and that is enough" \
	forwards_for_two
hint='the link is the one that -f names'
t "with -f $vpn, only cbr0 and $vpn forward" forwards_for_another
hint='which one is the last? See remove_network()'
t "the last container turns it off again" ends_with_the_last
t "also where another container has turned it on" two_uplinks
hint='a value in the memory of a killed launcher is lost'
t "also what a killed one had turned on" survives_a_kill
hint='the killed launcher had another link: look at all links'
t "also if the last one has another LINK" survives_a_kill_of_another
hint='turn off only what is marked as yours'
t "eth0 stays on if it was" leaves conf/eth0/forwarding
t "another link stays on if it was" leaves_others
t "eth0 stays on if somebody turned it on meanwhile" \
	leaves_what_was_set_meanwhile
t "all links stay on if they were" keep_redirects leaves ip_forward
t "and if Docker turned them on meanwhile" keep_redirects leaves_dockers
hint='a file in /proc/sys may exist without such a link: nl_get_link() asks for
      the link'
t "a link that does not exist is refused" refuses_no_link
hint='without -f, all is as before'
t "without -f, all links forward" has_the_default
done_testing
