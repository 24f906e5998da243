#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 07: many containers on one bridge, and the internet
# ROUNDS=10 ALIVE=200 STARTS=300 is the long form.
. "$(dirname "$0")/../common/test/lib.sh"

# lowerdir= separates layers by a colon, and mount options by a comma.
rootfs=$(printf '%s\n' "$rootfs" | sed 's/[\\:,]/\\&/g')
reach=$probes/reach
ip_forward=/proc/sys/net/ipv4/ip_forward

# live SCRIPT [OPTION] - start a container that runs SCRIPT and then stays
live() {
	start "$container" ${2-} "$rootfs" sh -c "$1; echo ready; sleep 4711"
	eventually grep -q ready "$T/start.out"
	is "$(cat "$T/start.err")" ''
}

leave() {
	kill -TERM "$pid"
	ends_with 137
}

# inside COMMAND... - run it in the container's network, with the host's files
inside() {
	nsenter --net="/proc/$(children_of "$pid")/ns/net" "$@"
}

# serve - start a server on the internet that tells each client its address
serve() {
	nsenter --net=/run/netns/internet "$reach" serve 8080 >"$T/served" &
	echo $! >>"$T.started"
	eventually grep -q listening "$T/served"
}

# in_new SCRIPT - run it in a new container, without an error or a message
in_new() {
	run "$container" "$rootfs" sh -c "$1"
	is "$status$err" 0
}

# rules - print all rules, or nothing if there is no nft
rules() {
	! command -v nft >"$T/nft" || nft --stateless list ruleset 2>"$T/nft"
}

# is_clean [WHEN] - no bridge, port, rule or forwarding is left
is_clean() {
	is "$(ip -oneline link show | grep cbr0)$(cat $ip_forward)" 0 "${1-}"
	lacks "$(rules)" cbr0 "${1-}"
}

connects_containers() {
	live '(reach serve 80 &)'
	eventually grep -q listening "$T/start.out"
	# 1 is what Docker sets: bridged packets pass the packet filter.
	setting=/proc/sys/net/bridge/bridge-nf-call-iptables
	for value in 1 0; do
		[ ! -e $setting ] || echo $value >$setting
		in_new 'reach fetch 10.200.0.2 80; reach ping 10.200.0.1
			peek addresses'
		contains "$out" "eth0 $(echo "$out" | head -n 1)/24" "the client"
	done
	is "$("$reach" fetch 10.200.0.2 80)" 10.200.0.1 "from the host"
	"$reach" ping 10.200.0.1
	ip -n internet route add 10.200.0.0/24 via 203.0.113.2
	before=$(inside grep '^Icmp\|^Tcp' /proc/net/snmp)
	for try in 'fetch 10.200.0.2 80' 'ping 10.200.0.2'; do
		run nsenter --net=/run/netns/internet "$reach" $try
		is "$status$out" 1 "from outside"
	done
	nsenter --net=/run/netns/internet "$reach" stray 10.200.0.2
	is "$(inside grep '^Icmp\|^Tcp' /proc/net/snmp)" "$before" "packets"
	ip -n internet route del 10.200.0.0/24
	leave
}

reaches_the_internet() {
	serve
	in_new 'reach fetch 198.51.100.1 8080'
	is "$out" 203.0.113.2 "the address that the server saw"
}

loses_no_first_packet() {
	# Only the first ARP request counts: the next one is a minute away.
	for try in $(seq "${STARTS:-30}"); do
		in_new 'echo 60000 >/proc/sys/net/ipv4/neigh/eth0/retrans_time_ms
			reach ping 10.200.0.1'
		is "$out" 'reply from 10.200.0.1' "start $try"
	done
}

has_only_lo_with_u() {
	live 'peek interfaces' -U
	is "$(xargs <"$T/start.out")" 'lo up ready'
	is_clean
}

# uses_other_uplink COMMANDS - after these of ip(8), host and container do
uses_other_uplink() {
	echo "$1" | ip -batch -
	is "$("$reach" fetch 198.51.100.1 8080)" 192.0.2.2 "the host: $1"
	in_new 'reach fetch 198.51.100.1 8080'
	is "$out" 192.0.2.2 "the container: $1"
	echo "$1" | sed 's/ add / del /' | ip -batch -
}

follows_the_hosts_routes() {
	ip -n internet link add wire index 204 type veth peer name tun0 netns $$
	ip -n internet addr add 192.0.2.1/24 dev wire
	ip -n internet link set wire up
	ip addr add 192.0.2.2/24 dev tun0
	ip link set tun0 up
	serve
	uses_other_uplink 'route add 198.51.100.0/24 via 192.0.2.1'
	uses_other_uplink 'route add 0.0.0.0/1 via 192.0.2.1
		route add 128.0.0.0/1 via 192.0.2.1'
	# as wg-quick(8) does
	uses_other_uplink 'rule add pref 98 table main suppress_prefixlength 0
		rule add pref 99 table 99
		route add default via 192.0.2.1 table 99'
	ip link del tun0
}

# crowd COUNT - starts COUNT at once: packets may be lost. Then half are killed.
crowd() {
	mkdir "$T/crowd" && mkfifo "$T/gate"
	for i in $(seq "$1"); do
		"$container" "$rootfs" sh -c 'until reach ping 10.200.0.1; do :; done
			peek addresses; read -r _' \
			<"$T/gate" >"$T/crowd/$i" 2>&1 &
		echo $! >>"$T.started"
	done
	exec 9>"$T/gate" # until then, the shell does not run the container
	eventually all_have_addresses "$1"
	is "$(cat "$T"/crowd/* | grep '/24$' | sort -u | wc -l)" "$1" "addresses"
	is "$(cat "$T"/crowd/* | grep -c 'reply from')" "$1" "replies"
	eval "kill -KILL $(sed -n 'p;n' "$T.started" | tr '\n' ' ')"
	exec 9>&-
	wait
	lacks "$(cat "$T"/crowd/*)" container:
	rm -r "$T.started" "$T/crowd" "$T/gate"
}

all_have_addresses() {
	[ "$(cat "$T"/crowd/* | grep -c '/24$')" -eq "$1" ]
}

# tidies - run one more container, as `make clean-host` does
tidies() {
	in_new true
	! ip link show cbr0 2>/dev/null
}

starts_many_at_once() {
	patience=300
	for _ in $(seq "${ROUNDS:-2}"); do
		crowd "${ALIVE:-50}"
	done
	eventually tidies
}

refuses_the_254th() {
	seq 2 253 | sed 's/.*/link property add dev eth0 altname cbr0-&/' >"$T/ip"
	ip -batch "$T/ip"
	live 'peek addresses'
	contains "$(cat "$T/start.out")" 10.200.0.254/24
	run "$container" "$rootfs" true
	one_line_error 125 'in use' 'ip link add'
	leave
	sed 's/ add / del /' "$T/ip" | ip -batch -
}

# passes <FILE - containers reach the internet in spite of these rules, which
# iptables-restore(8) reads, and leave them as they were
passes() {
	iptables-nft-restore
	iptables-nft-save | iptables-nft-restore # brings the chains into order
	theirs=$(rules)
	live 'reach fetch 198.51.100.1 8080'
	contains "$(cat "$T/start.out")" 203.0.113.2
	iptables-nft-save | iptables-nft-restore
	in_new 'reach fetch 198.51.100.1 8080'
	is "$out" 203.0.113.2 "after iptables-restore"
	is "$(iptables-nft-save | grep -c containers-from-scratch)" 2 "our rules"
	leave
	is "$(rules)" "$theirs"
	nft flush ruleset
}

passes_firewalls() {
	command -v iptables-nft || skip 'no iptables-nft here'
	serve
	passes <"$top/common/test/docker.rules"
	filter='*filter\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:FORWARD'
	printf '%b\n' "$filter DROP" COMMIT | passes
	printf '%b\n' "$filter ACCEPT" '-A FORWARD -j REJECT' COMMIT | passes
	# ufw
	printf '%b\n' "$filter DROP" ':ufw-before-forward -' \
		'-A FORWARD -j ufw-before-forward' '-A FORWARD -j REJECT' \
		'-A ufw-before-forward -p icmp -j ACCEPT' COMMIT | passes
}

repairs() {
	live true
	for damage in 'ip link del cbr0' 'ip addr flush dev cbr0' \
		"echo 0 >$ip_forward" '! command -v nft || nft flush ruleset'; do
		eval "$damage"
		in_new 'reach ping 10.200.0.2; reach ping 198.51.100.1'
		run inside "$reach" ping 198.51.100.1
		is "$status$err" 0 "$damage: the older container"
	done
	leave
	is_clean
}

keeps_ip_forward() {
	live true
	echo 1 >$ip_forward # as Docker does
	leave
	is "$(cat $ip_forward)" 1 "Docker's"
	run unshare --mount sh -euc 'mount --bind /proc/sys /proc/sys
		mount -o remount,bind,ro /proc/sys
		exec "$@"' sh "$container" "$rootfs" reach ping 198.51.100.1
	is "$status$err$(cat $ip_forward)" 01 "1 before, and read-only"
	echo 0 >$ip_forward
}

refuses_a_foreign_cbr0() {
	for kind in bridge 'veth peer name cbr1'; do
		ip link add cbr0 type $kind
		foreign=$(ip -details link show cbr0)
		run "$container" "$rootfs" true
		one_line_error 125 'ip link add cbr0' 'File exists'
		is "$(ip -details link show cbr0)" "$foreign"
		ip link del cbr0
	done
}

# resolves_by SERVER - a container does, if /etc and /run are those in $T
resolves_by() {
	run unshare --mount sh -euc 'mount --bind "$0/etc" /etc
		mount --bind "$0/run" /run; exec "$@"' "$T" "$container" \
		"$rootfs" sh -c 'cat /etc/resolv.conf || :'
	is "$status$out" "0${1:+nameserver $1}"
	[ -n "$1" ] || contains "$err" 'open /etc/resolv.conf: No such file'
}

copies_resolv_conf() {
	mkdir -p "$T/etc" "$T/run/systemd/resolve"
	ln -s "$T/list" "$T/etc/resolv.conf"
	resolves_by ''
	echo 'nameserver 192.0.2.3' >"$T/list"
	echo 'nameserver 192.0.2.4' >"$T/run/systemd/resolve/resolv.conf"
	resolves_by 192.0.2.3
	echo 'nameserver 127.0.0.53' >"$T/list"
	resolves_by 192.0.2.4
}

leaves_nothing_after_signals() {
	for signal in INT TERM HUP; do
		live true
		kill -$signal "$pid"
		ends_with 137
		is_clean $signal
	done
}

leaves_nothing_after_errors() {
	mkdir "$T/layer" && : >"$T/layer/proc"
	run "$container" "$T/layer:$rootfs" true
	one_line_error 125 proc
	is_clean
	command -v strace || return 0
	# strace counts in each process; the launcher has fewer calls of sendto.
	for fault in sethostname:error=EIO pivot_root:error=EIO \
		sendto:error=EIO:when=9 sendto:error=EIO:when=14; do
		run strace -fo "$T/strace" -e trace="${fault%%:*}" \
			-e inject="$fault" "$container" "$rootfs" true
		one_line_error 125 'Input/output error'
		is_clean "$fault"
	done
}

t "containers reach a server, nobody outside does" connects_containers
t "the internet sees the host's address" reaches_the_internet
t "the first packet is not lost" loses_no_first_packet
t "with -U there is only lo" has_only_lo_with_u
t "a container uses the uplink that the host uses" follows_the_hosts_routes
t "no address is given twice, even if half are killed" starts_many_at_once
t "the 254th container is refused" refuses_the_254th
t "containers pass firewalls, whose rules stay as they were" passes_firewalls
t "the next container repairs what others removed" repairs
t "ip_forward is what it was" keeps_ip_forward
t "a foreign cbr0 is left alone" refuses_a_foreign_cbr0
t "a container gets the host's resolv.conf" copies_resolv_conf
t "INT, TERM and HUP leave nothing" leaves_nothing_after_signals
t "an error in the middle leaves nothing" leaves_nothing_after_errors
done_testing
