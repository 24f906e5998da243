#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-check-host - each condition that keeps a step from running is found, and
# nothing else
#
# shellcheck disable=SC2016 # for inner shells
. "$(dirname "$0")/lib.sh"

check_host=$top/common/tools/check-host

# on_host SCRIPT [OPTION] - runs check-host on a machine where SCRIPT was run
on_host() {
	run "$top/common/tools/sandbox" sh -ec "$1"'
		exec "$0" ${1:+"$1"}' "$check_host" ${2:+"$2"}
}

says() {
	for part; do
		contains "$out" "$part"
	done
	case $out in
	*'NO  '*) is "$status" 1 ;;
	*) is "$status" 0 ;;
	esac
}

finds_nothing_here() {
	on_host :
	says "All steps can run here."
	is "$(grep -c '^ok    step' "$T/out")" 7
	run unshare --user --map-user=1000 --map-group=1000 "$check_host"
	says "not looked at, because that requires root: the firewall"
}

finds_programs() {
	run env CC='env cc' "$check_host" --tools
	is "$status" 0 "a compiler of two words"
	mkdir "$T/bin"
	# One by one: uutils replaces no link that the same ln has created.
	for dir in /usr/bin /bin /usr/sbin /sbin; do
		ln -sf "$dir"/* "$T/bin"
	done
	rm -f "$T/bin/hostname" "$T/bin/ip" "$T/bin/busybox"
	printf '#!/bin/sh\necho "BusyBox v1.36" >&2; exit 1\n' >"$T/bin/ip"
	chmod +x "$T/bin/ip"
	# check-host adds /usr/sbin and /sbin: hide them
	run unshare --mount sh -c 'mount -t tmpfs t /usr/sbin
		[ -L /sbin ] || mount -t tmpfs t /sbin
		PATH=$0 exec sh "$1" --tools' "$T/bin" "$check_host"
	says "hostname is missing (make demo): install" "ip is not iproute2" \
		"note  no busybox"
}

finds_why_there_is_no_sandbox() {
	run unshare --user --map-root-user --mount-proc --mount --pid --fork sh -c \
		'echo 0 >/proc/sys/user/max_net_namespaces && exec "$0"' "$check_host"
	says "NO    make demo, make test, make run: sandbox: no net namespaces" \
		"sudo sysctl user.max_net_namespaces=10000"
	lacks "$out" modprobe
}

finds_noexec() {
	noexec='mount --bind "$0" "$0" && mount -o remount,bind,noexec "$0" &&'
	for target in check-host demo test shell 'run STEP=4' 'check EX=3.5'; do
		# Without /run/cfs-sandbox, as on the machine
		run unshare --mount sh -c "$noexec"' mount -t tmpfs t /run &&
			exec make -sC "$0" $1' "$top" "$target"
		contains "$out$err" "mounted noexec? Use another directory" "$target"
	done
	run unshare --mount sh -c "$noexec"' exec "$1"' "$rootfs" "$check_host"
	says "NO    step01-chroot: container: exec true: Permission denied" \
		"tiny-linux mounted noexec?" "ok    step05"
}

finds_routes() {
	on_host 'ip route add 10.200.0.0/16 via 203.0.113.1'
	says "note  10.200.0.1 to 10.200.0.254 cannot be reached"
	on_host 'ip route add 10.200.0.128/25 via 203.0.113.1'
	says "NO    10.200.0.0/24 is in use"
	on_host 'ip rule add lookup 220 priority 220
		ip route add 10.0.0.0/8 via 203.0.113.1 table 220'
	says "NO    packets to containers take another way"
	# As wg-quick does
	on_host 'ip route add default via 203.0.113.1 table 51820
		ip rule add not fwmark 51820 lookup 51820
		ip rule add lookup main suppress_prefixlength 0'
	says "All steps can run here."
}

finds_links() {
	on_host 'ip link add cbr0 type bridge; ip link add veth-host type veth'
	says "NO    there is a link cbr0 already" \
		"NO    there is a link veth-host already"
	start "$top/step07-bridge-nat/container" "$scratch/tiny-linux" sleep 4711
	eventually sleeper
	start "$top/step06-veth/container" "$scratch/tiny-linux" sleep 4712
	eventually test -e /sys/class/net/veth-host
	eventually has_address
	run "$check_host"
	says "note  cbr0: a container of step 07 is running" \
		"note  veth-host: a container of step 06 is running"
}

has_address() {
	ip -4 addr show veth-host | grep -q 10.200.0.1
}

finds_settings() {
	on_host 'echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 0 >/proc/sys/net/ipv4/conf/eth0/forwarding'
	says "note  step 07 cannot reach the internet, because eth0"
	setting=/proc/sys/net/bridge/bridge-nf-call-iptables
	[ ! -e $setting ] || {
		on_host "echo 1 >$setting"
		says "note  br_netfilter"
	}
}

chain() {
	echo "nft add table $1 strict
		nft add chain $1 strict drops '{ type filter hook $2 priority 0; $3 }'"
}

finds_firewalls() {
	command -v nft >/dev/null || skip "nft is not installed"
	on_host "$(chain inet forward 'policy drop;')"
	says "note  step 07 cannot reach the internet where a chain" "inet strict drops"
	on_host "$(chain ip input 'policy drop;')"
	says "note  the host may not answer" "ip strict drops"
	on_host "$(chain ip6 forward 'policy drop;')"
	lacks "$out" strict
	says "All steps can run here."
}

finds_old_iptables() {
	command -v iptables-legacy >/dev/null || skip "there is no iptables-legacy"
	on_host 'iptables-legacy -P FORWARD DROP'
	says "because of an older firewall: sudo iptables-legacy -I FORWARD"
}

sends_a_packet() {
	on_host : --packet
	says "ok    203.0.113.1 answers to a container of step 07"
	command -v nft >/dev/null || skip "nft is not installed"
	on_host "$(chain inet forward 'policy drop;')" --packet
	says "NO    203.0.113.1 answers to the host, but not to a container"
}

t "all steps can run here" finds_nothing_here
t "it finds missing programs" finds_programs
t "it says why there is no sandbox" finds_why_there_is_no_sandbox
t "it finds a noexec checkout or root filesystem" finds_noexec
t "it finds routes that contain 10.200.0.0/24" finds_routes
t "it tells our links from those of others" finds_links
t "it finds settings" finds_settings
t "it finds chains that drop what is forwarded" finds_firewalls
t "it finds the rules of iptables-legacy" finds_old_iptables
t "it sends a packet" sends_a_packet
done_testing
