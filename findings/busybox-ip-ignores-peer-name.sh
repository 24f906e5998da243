#!/bin/sh
# SPDX-License-Identifier: MIT
#
# busybox-ip-ignores-peer-name - `ip link add` of busybox drops or misreads what
# it does not know, creates other links than iproute2 would, and returns 0
#
# Debian 12: busybox 1.35.0; 1.37.0 and 1.38.0 treat the peer's name in the same
# way. Of `type veth peer name container`, busybox's ip sends only the kind, and
# the kernel chooses the peer's name. `index 88` becomes the name of the link. A
# script that was written for iproute2 goes on until it uses a name that is not
# there.

packages='busybox-static=1:1.35.0-4+deb12u1+b1'

expected='peer name container: status 0, host veth0
index 88: status 0, 88 veth0'

links() {
	(cd /sys/class/net && for link in *; do
		[ "$link" = lo ] || printf ' %s' "$link"
	done)
}

try() {
	mount -t sysfs -o ro sysfs /sys
	busybox ip link add host type veth peer name container
	echo "peer name container: status $?,$(links)"
	busybox ip link delete host
	busybox ip link add host index 88 type veth
	echo "index 88: status $?,$(links)"
}

. "$(dirname "$0")/setup"
