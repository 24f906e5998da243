#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 7.6: system calls that fail in the container
# Untouched: no container with -s
. "$(dirname "$0")/../../../common/test/lib.sh"

EPERM=1 ENOSYS=38

# build_calls - as /calls of a layer
build_calls() {
	compile calls -static 2>/dev/null || skip "needs a static C library"
	mkdir -p "$scratch/layer"
	cp "$probes/calls" "$scratch/layer"
	layers=$scratch/layer:$rootfs
}

starts() {
	run "$container" -s $options "$rootfs" true
	[ "$status" -lt 128 ] || {
		hint='jt and jf are how many instructions to skip: count them'
		fail "no container with -s: the command crashed"
	}
	is "$status" 0 "no container with -s: $(head -n 1 "$T/err")"
}

# fails ERROR NAME... - in the container with these options
fails() {
	build_calls
	run "$container" -s $options "$layers" /calls
	is "$status" 0 "status of a program that makes system calls"
	error=$1 ran= # of its output, only one line is of interest
	shift
	for name; do
		is "$(sed -n "s/^$name //p" "$T/out")" "$error" "errno of $name"
	done
}

# On a kernel for both, `int $0x80` calls what has this number on i386.
refuses_i386() {
	build_calls
	[ "$(uname -m)" = x86_64 ] || skip "is about x86-64"
	run "$container" "$layers" /calls i386
	[ "$status" = 0 ] || skip "needs a kernel with 32-bit system calls"
	run "$container" -s "$layers" /calls i386
	is "$(xargs <"$T/out")" "i386-mount $EPERM i386-getppid $EPERM" \
		"errno of system calls of i386"
}

refuses_x32() {
	[ "$(uname -m)" = x86_64 ] || skip "is about x86-64"
	fails $EPERM x32-mount x32-getppid x32-execve
}

# Each of the others with bad arguments: it fails in the same way as without -s.
allows_others() {
	build_calls
	"$container" $options "$layers" /calls others >"$T/without"
	run "$container" -s $options "$layers" /calls others
	ran=
	is "$(diff "$T/without" "$T/out" | sed -n 's/^> //p' | head -n 1)" "" \
		"first system call that is not in the list, and its other errno"
}

starts_processes() {
	run "$container" -s $options "$rootfs" sh -c 'sleep 0 & wait; echo $(echo ok)'
	is "$status:$out" 0:ok "a shell with children"
}

reaches_the_internet() {
	run "$container" -s "$rootfs" reach ping 198.51.100.1
	is "$out" "reply from 198.51.100.1" "the container asks the internet"
}

has_a_filter() {
	start "$container" -s "$rootfs" sleep 4711
	eventually sleeper
	is "$(sed -n 's/^Seccomp:[[:blank:]]*//p' "/proc/$inside/status")" 2 \
		"Seccomp in /proc/PID/status"
	is "$(sed -n 's/^Seccomp:[[:blank:]]*//p' "/proc/$pid/status")" \
		"$(sed -n 's/^Seccomp:[[:blank:]]*//p' /proc/self/status)" \
		"Seccomp of the launcher"
}

allows_all() {
	build_calls
	run "$container" "$layers" /calls
	ran=
	is "$(sed -n 's/^unshare //p' "$T/out")" 0 "errno of unshare without -s"
	start "$container" "$rootfs" sleep 4711
	eventually sleeper
	is "$(sed -n 's/^Seccomp:[[:blank:]]*//p' "/proc/$inside/status")" \
		"$(sed -n 's/^Seccomp:[[:blank:]]*//p' /proc/self/status)" \
		"Seccomp in /proc/PID/status without -s"
}

for options in '' -U; do
	with=${options:+$options: }
	hint='install the filter when the set-up is over'
	t "${with}with -s, the container starts" starts
	hint='each number of the list: SECCOMP_RET_ERRNO | EPERM'
	t "${with}mount and its relatives fail with EPERM" \
		fails $EPERM mount umount2 pivot_root mount_setattr fsopen \
		fsconfig fsmount fspick open_tree move_mount
	t "${with}unshare and setns as well" fails $EPERM unshare setns
	t "${with}and the others of the list" fails $EPERM reboot kexec_load \
		kexec_file_load init_module finit_module delete_module keyctl \
		add_key request_key bpf perf_event_open open_by_handle_at \
		swapon swapoff
	hint='test each CLONE_NEW bit of args[0], its first argument, which has others too'
	t "${with}clone for a new namespace fails with EPERM" fails $EPERM \
		clone-NEWNS clone-NEWUTS clone-NEWIPC clone-NEWNET \
		clone-NEWCGROUP clone-NEWPID clone-NEWUSER clone-several
	hint='at EPERM, the C library gives up; at ENOSYS, it calls clone(2)'
	t "${with}clone3 fails with ENOSYS" fails $ENOSYS clone3
	hint='allow what is not in the list'
	t "${with}other system calls do not fail" fails 0 getppid
	t "${with}no other system call has another result" allows_others
	t "${with}processes can be started" starts_processes
done
options=
hint='number 21 is mount on i386, and access on x86-64: check arch first'
t "32-bit system calls fail with EPERM" refuses_i386
hint='they have the same arch, and the bit 0x40000000 in their number'
t "those of the x32 ABI as well" refuses_x32
hint='only the command has the filter'
t "the kernel shows a filter for the command, not for the launcher" has_a_filter
hint='connect the network before you install the filter'
t "the network is as before" reaches_the_internet
hint='only with -s'
t "without -s, no call fails with EPERM" allows_all
done_testing
