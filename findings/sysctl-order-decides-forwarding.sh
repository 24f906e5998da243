#!/bin/sh
# SPDX-License-Identifier: MIT
#
# sysctl-order-decides-forwarding - a file of sysctl settings does not say what
# holds afterwards: ip_forward resets others, if its value changes
#
# Debian 12: procps 4.0.2, Linux 6.18. A write to net.ipv4.ip_forward that
# changes its value sets the forwarding of every link, and accept_redirects of
# "all" to the opposite. So a link's forwarding=0 is lost if it stands before
# ip_forward=1, and kept if it stands behind it, or if the same file is loaded
# again, because then nothing changes. sysctl prints every line as if it held.
# `sysctl --system` sorts by file name: 10-link.conf, 99-forward.conf do not
# work.

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
