#!/bin/sh
# SPDX-License-Identifier: MIT
#
# plant.sh random PID
# plant.sh FAULT VARIANT PID - break the network of a running container
#
# PID is a process in the container. `plant.sh random PID` chooses one of the
# faults of exercise 7.9 and says nothing. All of them are gone when the last
# container has exited.
set -eu

inside() {
	nsenter --target "$pid" --net "$@"
}

# rules_at HOOK - move the chain forward to another hook
rules_at() {
	nft -f - <<-END
		delete chain ip cbr0 forward
		add chain ip cbr0 forward { type filter hook $1 priority 0; }
		add rule ip cbr0 forward oifname cbr0 ct direction reply accept
		add rule ip cbr0 forward iifname != cbr0 oifname cbr0 drop
	END
}

case $# in
2)
	set -- "$(printf 'route\nmac\nhook\nforwarding\ndns\n' | shuf -n 1)" \
		"$(shuf -i 1-2 -n 1)" "$2"
	;;
3) ;;
*)
	sed -n '/^# plant.sh/,/^set/s/^# \{0,1\}//p' "$0"
	exit 2
	;;
esac
pid=$3
ipv4=/proc/sys/net/ipv4
dns=/proc/$pid/root/etc/resolv.conf
case $1-$2 in
none-1) ;;
none-2) printf 'nameserver %s\n' 127.0.0.53 198.51.100.1 >"$dns" ;;
route-1) inside ip route del default ;;
route-2) inside ip route replace default via 10.200.0.254 dev eth0 ;;
route-3) inside ip route replace default via 10.200.0.19 dev eth0 ;;
mac-1) inside ip link set eth0 address 0a:5e:1b:7c:42:d3 ;;
mac-2) ip link set cbr0 address 0a:5e:1b:7c:42:d4 ;;
mac-3) inside ip link set eth0 address 02:42:0a:c8:00:fd ;;
mac-4) ip link set cbr0 address 02:42:0a:c8:00:fd ;;
hook-0) rules_at forward ;; # none: check.sh puts it back
hook-1) rules_at input ;;
hook-2) rules_at postrouting ;;
hook-3) rules_at output ;;
forwarding-1) echo 0 >$ipv4/ip_forward ;;
forwarding-2) echo 0 >$ipv4/conf/cbr0/forwarding ;;
forwarding-3) echo 0 >"$ipv4/conf/$(ip route show default |
	sed -n 's/.* dev \([^ ]*\).*/\1/p')/forwarding" ;;
dns-1) : >"$dns" ;;
dns-2) echo nameserver 127.0.0.53 >"$dns" ;;
dns-3) printf '# nameserver 198.51.100.1\nnameserver 127.0.0.1\n' >"$dns" ;;
dns-4) echo nameserver ::1 >"$dns" ;;
*) echo "plant.sh: there is no fault $1-$2" >&2 && exit 2 ;;
esac
