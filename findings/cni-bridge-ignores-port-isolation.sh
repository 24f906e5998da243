#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cni-bridge-ignores-port-isolation - the plugin ignores a key that it does not
# know yet, so containers that should be isolated are not
#
# Debian 12 and 13: containernetworking-plugins 1.1.1. portIsolation of the
# plugin `bridge` is newer. 1.1.1 accepts the configuration, returns 0 and a
# result, and leaves the port's flag off, so containers on the bridge reach each
# other. VERSION does not help: it lists versions of the specification, which
# does not name the plugins' own keys. (1.9.1 sets the flag.) DEL leaves cni0
# behind, and forwarding on.

packages='containernetworking-plugins=1.1.1+ds1-3+b5 iproute2=6.1.0-3'

expected='ADD: 0, address 10.99.0.2/24
port: isolated off
DEL: 0
left: cni0, ip_forward 1'

try() {
	mkdir /run/netns
	ip netns add container
	cat >configuration <<-'END'
		{
			"cniVersion": "0.4.0", "name": "example", "type": "bridge",
			"bridge": "cni0", "isGateway": true, "portIsolation": true,
			"ipam": {
				"type": "host-local", "dataDir": "/run/cni",
				"subnet": "10.99.0.0/24"
			}
		}
	END
	export CNI_CONTAINERID=example CNI_NETNS=/run/netns/container \
		CNI_IFNAME=eth0 CNI_PATH="$tree/usr/lib/cni"
	CNI_COMMAND=ADD "$CNI_PATH/bridge" <configuration >result
	echo "ADD: $?, address $(sed -n 's/.*"address": "\(.*\)".*/\1/p' result)"
	echo "port: $(bridge -details link show master cni0 2>/dev/null |
		grep -o 'isolated [a-z]*')"
	CNI_COMMAND=DEL "$CNI_PATH/bridge" <configuration
	echo "DEL: $?"
	echo "left: $(ip -oneline link show type bridge | cut -d : -f 2 |
		tr -d ' '), ip_forward $(cat /proc/sys/net/ipv4/ip_forward)"
}

. "$(dirname "$0")/setup"
