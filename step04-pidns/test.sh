#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 04: a PID namespace, in which the command is PID 1. Nothing in
# it outlives PID 1. The root is still only a chroot.
. "$(dirname "$0")/../common/test/lib.sh"

# In each test, the arguments are -U or none.

# Sets $pid, the launcher, and $inside, which PID 1 has started.
start_container() {
	start "$container" "$@" "$rootfs" sh -c 'sleep 4711; :'
	eventually sleeper
	pid_1=$(children_of "$pid")
}

gone() {
	[ ! -e "/proc/$1" ]
}

is_pid_1() {
	start_container "$@"
	is "$(sed -n 's/^NSpid://p' "/proc/$pid_1/status")" "	$pid_1	1" \
		"its PIDs, on the host and inside"
	isnt "$(ns_of "$pid_1" pid)" "$(ns_of self pid)" "PID namespace"
	is "$(ns_of "$pid" pid)" "$(ns_of self pid)" "the launcher's"
}

sees_only_its_processes() {
	start sleep 60
	# shellcheck disable=SC2016 # for the shell inside
	run "$container" "$@" "$rootfs" sh -c 'cd /proc && echo [0-9]*'
	is "$out" 1 "processes that it sees"
	run "$container" "$@" "$rootfs" sh -c "kill -KILL $pid"
	isnt "$status" 0 "status of killing a process of the host"
	kill -0 "$pid" || fail "the process of the host is gone"
}

dies_with_pid_1() {
	start_container "$@"
	kill -KILL "$pid_1"
	ends_with 137
	gone "$inside" || fail "a process outlives PID 1"
}

# ---- Leaks ----

escapes() {
	echo secret >"$T/file"
	run "$container" "$@" "$rootfs" escape cat "$T/file"
	is "$out" secret
}

writes_to_rootfs() {
	cp -RP "$rootfs" "$T/root"
	run "$container" "$@" "$T/root" sh -c 'echo lost >/dev/null'
	is "$(cat "$T/root/dev/null")" lost
}

for option in '' -U; do
	with=${option:+$option: }
	t "${with}the command is PID 1" is_pid_1 $option
	t "${with}it sees only its own processes" \
		sees_only_its_processes $option
	t "${with}nothing outlives PID 1" dies_with_pid_1 $option
	t "${with}leak: it can escape from the chroot" escapes $option
	t "${with}leak: it has no /dev/null, and writes to ROOTFS" \
		writes_to_rootfs $option
done
done_testing
