#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 7.9: diagnose.sh names the fault that was planted
# Untouched: diagnose.sh does not exist
. "$(dirname "$0")/../../../common/test/lib.sh"

# A fault is planted in one of two containers, in an order that depends on this.
seed=${SEED:-$(od -An -N 2 -t u2 /dev/urandom | tr -d ' ')}

# start_two - sets $first and $second, each a process in a container with a
# resolv.conf that is right in the sandbox: the PID 1 of one, a child of the other's
start_two() {
	command -v nft >"$T/nft" || skip "needs nft"
	for n in 1 2; do
		rm -f "$T/start.out"
		start "$container" "$rootfs" sh -c \
			'echo nameserver 198.51.100.1 >/etc/resolv.conf
			sleep 4711 & echo ready; wait'
		eventually grep -q ready "$T/start.out"
		[ $n = 2 ] || first=$(children_of "$pid")
	done
	second=$(children_of "$(children_of "$pid")")
}

# names_all FAULT-VARIANT... - each in one of the containers, by chance. A
# firewall's chain at the hook forward is none of step 07's.
names_all() {
	start_two
	trap 'stop_started; nft delete table inet firewall' EXIT
	nft -f - <<-'END'
		add table inet firewall
		add chain inet firewall forward { type filter hook forward priority 0; }
	END
	forwarding=$(cat /proc/sys/net/ipv4/ip_forward)
	n=0
	for planted; do
		n=$((n + 1)) which=$(((seed + n) % 2 + 1))
		case $which in
		1) chosen=$first other=$second ;;
		2) chosen=$second other=$first ;;
		esac
		sh "${0%/*}/plant.sh" "${planted%-*}" "${planted#*-}" "$chosen"
		names "${planted%-*}" "$chosen" \
			"fault ${planted%-*} ${planted#*-}, container $which"
		case $planted in
		route-1 | mac-1 | dns-1)
			names none "$other" \
				"fault $planted is in the other container"
			;;
		esac
		heal "$chosen"
	done
}

# names WORD PID WHAT
names() {
	"$probes/snapshot" >"$T/planted"
	run sh "$bin/step07-bridge-nat/diagnose.sh" "$2"
	is "$out" "$1" "$3, SEED=$seed"
	is "$status" 0 "exit status of diagnose.sh"
	"$probes/snapshot" "$T/planted" >"$T/diagnosed" ||
		fail "diagnose.sh has changed the machine: $(
			diff "$T/planted" "$T/diagnosed"
		)"
}

# heal PID - as it was before plant.sh
heal() {
	inside="nsenter --target $1 --net"
	ip=$($inside ip -4 -oneline addr show dev eth0 |
		sed 's|.* inet \([0-9.]*\)/.*|\1|')
	$inside ip link set eth0 address \
		"$(printf '02:42:0a:c8:00:%02x' "${ip##*.}")"
	$inside ip route replace default via 10.200.0.1 dev eth0
	$inside ip neigh flush dev eth0
	ip link set cbr0 address 02:42:0a:c8:00:01
	ip neigh flush dev cbr0
	echo "$forwarding" >/proc/sys/net/ipv4/ip_forward
	for link in cbr0 "$(ip route show default |
		sed -n 's/.* dev \([^ ]*\).*/\1/p')"; do
		echo 1 >"/proc/sys/net/ipv4/conf/$link/forwarding"
	done
	echo nameserver 198.51.100.1 >"/proc/$1/root/etc/resolv.conf"
	sh "${0%/*}/plant.sh" hook 0 "$1"
}

# The link of the default route is not eth0 on every host.
names_the_uplink() {
	start_two
	route=$(ip route show default)
	# shellcheck disable=SC2064,SC2086 # now, and words
	trap "stop_started; ip link del vpn0
		ip route replace $route" EXIT
	ip link add vpn0 type veth peer name vpn1
	ip addr add 192.0.2.2/24 dev vpn0
	ip link set vpn0 up
	ip link set vpn1 up
	ip route replace default via 192.0.2.1 dev vpn0
	sh "${0%/*}/plant.sh" forwarding 3 "$second"
	run sh "$bin/step07-bridge-nat/diagnose.sh" "$second"
	is "$out" forwarding "fault forwarding 3, with the default route by vpn0"
}

hint='start two containers and run plant.sh FAULT VARIANT PID, as the message
      says. What do ip, nft, ping and /proc show that they did not show before?'
# shellcheck disable=SC2046 # words
t "each fault is named, and nothing is changed" names_all $(printf '%s\n' \
	route-1 route-2 route-3 mac-1 mac-2 mac-3 mac-4 hook-1 hook-2 hook-3 \
	forwarding-1 forwarding-2 forwarding-3 dns-1 dns-2 dns-3 dns-4 \
	none-1 none-2 | awk -v seed="$seed" \
	'BEGIN { srand(seed) } { print rand(), $0 }' | sort | cut -d ' ' -f 2)
hint='the default route says which link it is: it is not always called eth0'
t "forwarding of a link that is not called eth0" names_the_uplink
done_testing
