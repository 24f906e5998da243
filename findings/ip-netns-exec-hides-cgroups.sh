#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ip-netns-exec-hides-cgroups - in `ip netns exec`, /sys/fs/cgroup is an empty
# directory: all that was mounted below /sys is gone
#
# Debian 12: iproute2 6.1.0. `ip netns exec` also creates a mount namespace. In
# it, ip unmounts /sys with all that is below, and mounts a new sysfs, so that
# /sys/class/net shows the links of the network namespace. It does not mount
# cgroups, tracefs, bpf and securityfs again, and says nothing, so a program
# finds neither its cgroup nor its limits. `nsenter --net=/run/netns/NAME` keeps
# the mounts, but its /sys/class/net shows the host's links. iproute2 6.15
# (Debian 13) does the same.

packages='iproute2=6.1.0-3 libbpf1=1:1.1.2-0+deb12u1 libelf1=0.188-2.1
	libmnl0=1.0.4-3'

expected='outside: cgroup2fs, links lo outside
ip netns exec: sysfs, links lo
nsenter: cgroup2fs, links lo outside'

show() {
	name=$1
	shift
	# shellcheck disable=SC2016 # for the shell inside
	"$@" sh -c 'echo "$0: $(stat --file-system --format=%T /sys/fs/cgroup)," \
		"links" $(ls /sys/class/net)' "$name"
}

try() {
	mount -t sysfs sysfs /sys
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	ip link add outside type dummy 2>/dev/null ||
		ip link add outside type bridge
	ip netns add example
	show outside env
	show 'ip netns exec' ip netns exec example
	show nsenter nsenter --net=/run/netns/example
}

. "$(dirname "$0")/setup"
