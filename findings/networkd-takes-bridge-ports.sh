#!/bin/sh
# SPDX-License-Identifier: MIT
#
# networkd-takes-bridge-ports - a .network file that does not mention bridges
# takes a veth out of the bridge to which another program has connected it
#
# Debian 12: systemd 252. A file with `[Match] Type=ether`, as for "DHCP on
# every wired link", also matches the host's end of a container's veth.
# systemd-networkd then takes it out of the bridge, because the file has no
# Bridge=: the container is cut off as soon as the daemon starts. With
# Kind=!veth in [Match], or with Name= instead of Type=, it is not. systemd 257
# (Debian 13) does the same.

needs=root
packages='systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2
	libkmod2=30+20221128-1 libfdisk1=2.38.1-5+deb12u3
	libcryptsetup12=2:2.6.1-4~deb12u2 libip4tc2=1.8.9-2'

expected='before: port of br0
Type=ether: no port
Kind=!veth: port of br0
Name=eth0: port of br0'

is_port() {
	ip -oneline link show port | grep -q ' master br0 '
}

show() {
	if is_port; then echo "$1: port of br0"; else echo "$1: no port"; fi
}

# run_networkd NAME MATCH - until the link is no port, or for some time after
# networkd has configured the link "probe"
run_networkd() {
	printf '[Match]\n%s\n' "$2" >/etc/systemd/network/1.network
	printf '[Match]\nName=probe\n[Network]\nAddress=192.0.2.1/24\n' \
		>/etc/systemd/network/0.network
	ip link set port master br0
	ip link add probe type bridge
	"$tree/lib/systemd/systemd-networkd" 2>/run/log &
	tries=50
	while is_port && [ $tries -gt 0 ]; do
		kill -0 $! || { cat /run/log && exit 1; }
		! ip -oneline address show probe | grep -q 192.0.2.1 ||
			tries=$((tries - 1))
		sleep 0.1
	done
	kill $!
	wait $! || :
	ip link delete probe
	show "$1"
}

try() {
	library=$(find "$tree" -name 'libsystemd-shared-*')
	LD_LIBRARY_PATH=$LD_LIBRARY_PATH:${library%/*}
	mount -t sysfs -o ro sysfs /sys # else networkd waits for udev
	mkdir -p /run/systemd/netif/links /run/systemd/netif/leases \
		/run/systemd/netif/lldp
	chmod -R a+rwX /run/systemd
	mount -t tmpfs tmpfs /etc/systemd
	mkdir /etc/systemd/network
	ip link add br0 type bridge
	ip link set br0 up
	ip link add port master br0 type veth peer name other
	ip link set port up
	ip link set other up
	show before
	run_networkd Type=ether 'Type=ether'
	run_networkd 'Kind=!veth' 'Type=ether
Kind=!veth'
	run_networkd Name=eth0 Name=eth0
}

. "$(dirname "$0")/setup"
