#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 7.7: what a Docker container's root cannot do
# Untouched: no container with -d
. "$(dirname "$0")/../../../common/test/lib.sh"

# build_attempts - as /attempts of a layer
build_attempts() {
	compile attempts -static 2>/dev/null || skip "needs a static C library"
	mkdir -p "$scratch/layer"
	cp "$probes/attempts" "$scratch/layer"
	layers=$scratch/layer:$rootfs
}

starts() {
	run "$container" -d $options "$rootfs" true
	is "$status" 0 "no container with -d: $(head -n 1 "$T/err")"
}

# is_possible NAME - without -d: a user namespace alone forbids some, and not
# every kernel has all
is_possible() {
	case $1 in
	write-sysrq-trigger | read-kcore | read-timer_list | *-x32)
		return 1
		;;
	device | priority | read-keys | write-irq)
		[ -z "$options" ] && grep -q 4294967295 /proc/self/uid_map
		;;
	esac
}

result_of() { # NAME FILE
	sed -n "s/^$1 //p" "$2"
}

# refuses NAME... - in a container with these options and -d, not in one without
refuses() {
	build_attempts
	done=$scratch/attempts$options ran=
	[ -e "$done-with-d" ] || {
		"$container" $options "$layers" /attempts >"$done"
		run "$container" -d $options "$layers" /attempts
		is "$status" 0 "status of a program that makes the attempts"
		cp "$T/out" "$done-with-d"
		ran= # of its output, only one line is of interest
	}
	for name; do
		! is_possible "$name" ||
			is "$(result_of "$name" "$done")" 'done' \
				"without -d: $name"
		is "$(result_of "$name" "$done-with-d")" refused "$name"
	done
}

refuses_x32() {
	[ "$(uname -m)" = x86_64 ] || skip "is about x86-64"
	refuses unshare-x32 getppid-x32
}

refuses_i386() {
	build_attempts
	[ "$(uname -m)" = x86_64 ] || skip "is about x86-64"
	run "$container" "$layers" /attempts i386
	[ "$status" = 0 ] || skip "needs a kernel with 32-bit system calls"
	run "$container" -d "$layers" /attempts i386
	is "$(echo $out)" "unshare-i386 refused getppid-i386 refused" \
		"system calls of i386"
}

# What the caller lets it inherit is not in the bounding set, and yet execve(2)
# gives it to root.
has_capabilities() {
	start setpriv --inh-caps +sys_admin --ambient-caps +sys_admin \
		"$container" -d "$rootfs" sleep 4711
	eventually sleeper
	for set in CapPrm CapEff CapBnd; do
		has "$set" 00000000a00425fb
	done
	has CapInh 0000000000000000
}

has() { # SET VALUE
	is "$(sed -n "s/^$1:[[:blank:]]*//p" "/proc/$inside/status")" "$2" "$1"
}

cannot_write_settings() {
	start "$container" -d $options "$rootfs" sleep 4711
	eventually sleeper
	for path in /proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger; do
		flags=$(awk -v path=$path '$5 == path { print $6 }' \
			"/proc/$inside/mountinfo" | tail -n 1)
		[ ! -e $path ] || is "${flags%%,*}" ro "the mount on $path"
	done
	refuses write-settings write-sysrq-trigger write-irq
}

works_as_before() {
	run "$container" -d $options "$rootfs" sh -c 'echo new >/new
		(sleep 0 & wait); cat /new /proc/sys/net/ipv4/ip_default_ttl'
	is "$status:$(echo $out)" "0:new 64" "a shell that writes, and reads /proc"
	for file in meminfo stat mounts self/status net/dev; do
		run "$container" -d $options "$rootfs" cat /proc/$file
		isnt "$out" "" "/proc/$file, which is not in the list"
	done
}

has_a_network() {
	run "$container" -d "$rootfs" reach ping 198.51.100.1
	is "$out" "reply from 198.51.100.1" "the container asks the internet"
}

options=
hint='drop and filter only when the set-up is over'
t "with -d, the container starts" starts
hint="Docker's 14, without MKNOD, also for a caller with inheritable ones"
t "it has 13 capabilities" has_capabilities
hint='these require CAP_SYS_ADMIN or CAP_NET_ADMIN; look at the bounding set'
t "root cannot mount, rename the host, or change links" \
	refuses mount hostname change-links
hint='root may write to its own files, unless the mount is read-only'
t "it cannot write settings" cannot_write_settings
hint='cover the files that Docker covers, with /dev/null'
t "it cannot read files about the whole machine" \
	refuses read-keys read-kcore read-interrupts read-timer_list
hint='no namespace and no capability protects the keyring of the caller'
t "it cannot use the caller's session keyring" \
	refuses keyring add-key request-key
hint='in a new user namespace, it would have all capabilities again'
t "it cannot create a user namespace" refuses user-namespace clone-namespace
hint='its flags are in memory; at ENOSYS, the C library calls clone(2)'
t "clone3 cannot create one either: it fails with ENOSYS" refuses clone3-namespace
hint='without a device cgroup, CAP_MKNOD opens all devices of the host'
t "it cannot make a device file of a disk" refuses device
hint='drop CAP_SYS_NICE'
t "it cannot raise its priority" refuses priority
hint='forbid nothing else'
t "programs run as before" works_as_before
options=-U
hint='try it with -U'
t "-U: programs run as before" works_as_before
t "-U: root cannot do any of this" refuses mount hostname change-links \
	write-settings write-sysrq-trigger write-irq read-keys read-kcore \
	read-interrupts read-timer_list keyring add-key request-key \
	user-namespace clone-namespace clone3-namespace device priority
options=
hint='number 310 is unshare on i386, and another call on x86-64'
t "a 32-bit system call does not help it" refuses_i386
hint='x32 has the same arch, and the bit 0x40000000 in the number'
t "a system call of the x32 ABI does not help it" refuses_x32
hint='connect the network before you drop anything'
t "the network is as before" has_a_network
done_testing
