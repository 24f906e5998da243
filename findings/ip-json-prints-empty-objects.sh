#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ip-json-prints-empty-objects - `ip -json link show up` prints {} for each link
# that is not up, so a program that counts the objects counts too many
#
# Debian 12: iproute2 6.1.0, in a namespace with one link, lo, which is down.
# With `up` or `group`, a link that is left out is still there as an empty
# object, so `jq length` says 1 and `jq .[].ifname` null. With `type`, the list
# is empty, and without -json nothing is printed. iproute2 6.15 does the same;
# 7.3 prints [] for a group, and still {} for `up`.

packages='iproute2=6.1.0-3 libbpf1=1:1.1.2-0+deb12u1 libelf1=0.188-2.1
	libmnl0=1.0.4-3'

expected='link show up: [{}]
link show group 5: [{}]
address show up: [{}]
link show type bridge: []
without -json: 0 lines'

try() {
	for command in 'link show up' 'link show group 5' 'address show up' \
		'link show type bridge'; do
		# shellcheck disable=SC2086 # words
		echo "$command: $(ip -json $command)"
	done
	echo "without -json: $(ip link show group 5 | wc -l) lines"
}

. "$(dirname "$0")/setup"
