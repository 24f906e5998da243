#!/bin/sh
# SPDX-License-Identifier: MIT
#
# sysctl-order-decides-forwarding - a setting in sysctl's file may be lost: a
# later line for ip_forward resets it, but only if the value changes
#
# Debian 12: procps 4.0.2, Linux 6.18. A write to net.ipv4.ip_forward that
# changes its value sets the forwarding of every link, and accept_redirects of
# "all" to the opposite. So a link's forwarding=0 is lost if it stands before
# ip_forward=1, and kept if it stands after it, or if the same file is loaded
# again, because then nothing changes. sysctl prints each line as if it were in
# effect. `sysctl --system` reads its files in the order of their names, so a
# link's setting belongs in a file that comes after the one with ip_forward.

packages='procps=2:4.0.2-3 libproc2-0=2:4.0.2-3'

expected='first file: link 1, redirects 0
again: link 0, redirects 1
other order: link 0, redirects 1'

load() {
	sysctl --quiet --load=settings
	echo "$1: link $(cat /proc/sys/net/ipv4/conf/br0/forwarding)," \
		"redirects $(cat /proc/sys/net/ipv4/conf/all/accept_redirects)"
}

try() {
	ip link add br0 type bridge
	cat >settings <<-'END'
		net.ipv4.conf.br0.forwarding=0
		net.ipv4.conf.all.accept_redirects=1
		net.ipv4.ip_forward=1
	END
	load 'first file'
	load again
	sysctl --quiet --write net.ipv4.ip_forward=0
	sort -r settings >sorted
	mv sorted settings
	load 'other order'
}

. "$(dirname "$0")/setup"
