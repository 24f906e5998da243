#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-check-host - each condition that keeps a step from running is found, and
# nothing is changed
. "$(dirname "$0")/lib.sh"

# check_host [COMMAND...] - runs check-host, below COMMAND if there is one
check_host() {
	run "$@" "$top/common/tools/check-host"
}

finds_nothing_here() {
	check_host
	lacks "$out" "NO " "findings"
	is "$status" 0
}

finds_a_missing_program() {
	mkdir "$T/bin"
	for dir in /usr/bin /bin /usr/sbin /sbin; do
		for file in "$dir"/*; do
			# X11 is a link to its own directory.
			[ -f "$file" ] || continue
			case ${file##*/} in ip | busybox) continue ;; esac
			ln -sf "$file" "$T/bin/${file##*/}"
		done
	done
	# check-host adds /usr/sbin and /sbin: hide them
	# shellcheck disable=SC2016 # for the inner shell
	check_host unshare --mount sh -c 'mount -t tmpfs t /usr/sbin
		[ -L /sbin ] || mount -t tmpfs t /sbin
		PATH=$0 exec sh "$@"' "$T/bin"
	contains "$out" "ip is missing (steps 06 and 07): install the package iproute2"
	contains "$out" "note  no busybox"
	is "$status" 1
}

finds_restricted_user_namespaces() {
	# shellcheck disable=SC2016 # for the inner shell
	check_host unshare --user --map-root-user --mount-proc --mount --pid --fork sh -c \
		'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh
	contains "$out" "sudo sysctl user.max_user_namespaces=10000"
}

finds_a_route_to_the_subnet() {
	ip route add 10.200.0.0/16 via 203.0.113.1
	check_host
	ip route del 10.200.0.0/16
	contains "$out" "NO    10.200.0.0/24 is in use (steps 06 and 07)"
	is "$status" 1
}

finds_a_link_of_somebody_else() {
	ip link add cbr0 type bridge
	check_host
	ip link del cbr0
	contains "$out" "NO    there is a link cbr0 already"
	is "$status" 1
}

finds_br_netfilter() {
	setting=/proc/sys/net/bridge/bridge-nf-call-iptables
	[ -e $setting ] || skip "br_netfilter is not loaded"
	before=$(cat $setting)
	echo 1 >$setting
	check_host
	echo "$before" >$setting
	contains "$out" "note  br_netfilter"
}

finds_other_drops() {
	command -v nft >/dev/null || skip "nft is not installed"
	nft add table inet strict
	nft add chain inet strict forward \
		'{ type filter hook forward priority 0; policy drop; }'
	check_host
	nft delete table inet strict
	contains "$out" "drops what is forwarded (inet strict)"
}

finds_noexec() {
	# shellcheck disable=SC2016 # for the inner shell
	check_host unshare --mount sh -c \
		'mount --bind "$0" "$0" && mount -o remount,bind,noexec "$0" &&
		exec sh "$@"' "$top"
	contains "$out" "programs cannot run from"
	is "$status" 1
}

t "all steps can run here" finds_nothing_here
t "it finds a missing program" finds_a_missing_program
t "it finds restricted user namespaces" finds_restricted_user_namespaces
t "it finds a route into 10.200.0.0/24" finds_a_route_to_the_subnet
t "it finds a link that has our name" finds_a_link_of_somebody_else
t "it finds br_netfilter" finds_br_netfilter
t "it finds a chain that drops what is forwarded" finds_other_drops
t "it finds a checkout mounted noexec" finds_noexec
done_testing
