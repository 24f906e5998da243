#!/bin/sh
# SPDX-License-Identifier: MIT
#
# accept-dad-0-leaves-tentative - with accept_dad=0, which turns off duplicate
# address detection, a new IPv6 address is still tentative for a moment
#
# Linux 6.18, iproute2 6.1.0. The reply to RTM_NEWADDR comes before a kernel
# thread has marked the address as checked. Until then no program can bind to it
# and no packet has it as its source, so a server that starts at once fails now
# and then. An address with IFA_F_NODAD (`ip address add ... nodad`) is never
# tentative. Here, an address is added, shown and deleted 1000 times in a batch.
# With chrt, no kernel thread runs in between.

needs=root
packages='iproute2=6.1.0-3 libbpf1=1:1.1.2-0+deb12u1 libelf1=0.188-2.1
	libmnl0=1.0.4-3'

expected='accept_dad=0: some are tentative
nodad: none are tentative'

# show NAME PREFIX [nodad]
show() {
	for i in $(seq 1000); do
		echo "address add $2::$i/64 dev left ${3-}"
		echo "address show dev left to $2::$i"
		echo "address delete $2::$i/64 dev left"
	done >commands
	if chrt --fifo 1 ip -batch commands | grep tentative >tentative; then
		echo "$1: some are tentative"
	else
		echo "$1: none are tentative"
	fi
}

try() {
	ip link add name left type veth peer name right
	echo 0 >/proc/sys/net/ipv6/conf/left/accept_dad
	ip link set left up
	ip link set right up
	show accept_dad=0 fd00:1
	show nodad fd00:2 nodad
}

. "$(dirname "$0")/setup"
