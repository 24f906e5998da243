#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 04: a PID namespace, in which the command is process 1 and
# with which everything ends; but the root is still only a chroot
. "$(dirname "$0")/../common/test/lib.sh"

# start_container OPTION SCRIPT - starts a container and waits until SCRIPT
# prints "ready"; $command is its process 1. OPTION is -U or empty.
start_container() {
	start "$container" ${1:+"$1"} "$rootfs" sh -c "$2"
	eventually grep -q ready "$T/start.out"
	command=$(children_of "$pid")
}

# Sets $child: start_container's SCRIPT is a shell that waits for a shell that
# waits for it.
has_grandchild() {
	child=$(children_of "$(children_of "$1")")
	[ -n "$child" ]
}

has_child() {
	[ "$(children_of "$1")" = "$2" ]
}

is_gone() {
	[ ! -e "/proc/$1" ]
}

# ---- What the step gives ----

# In each of these $1 is -U or empty.

is_process_1() {
	start_container "$1" 'echo ready $$; exec sleep 60'
	is "$(cat "$T/start.out")" "ready 1"
	pids=$(sed -n 's/^NSpid://p' "/proc/$command/status")
	is "$pids" "	$command	1" "its PIDs, on the host and inside"
	isnt "$(ns_of "$command" pid)" "$(ns_of self pid)" "its PID namespace"
	is "$(ns_of "$pid" pid)" "$(ns_of self pid)" "the launcher's"
	is "$(ns_of "$pid" pid_for_children)" "$(ns_of "$command" pid)" \
		"the one of the launcher's children"
	kill -KILL "$pid"
}

sees_only_its_own() {
	start sleep 60
	run "$container" ${1:+"$1"} "$rootfs" peek processes
	is "$out" 1 "processes that it sees"
	# shellcheck disable=SC2016 # for the shell inside
	run "$container" ${1:+"$1"} "$rootfs" sh -c 'kill -KILL "$0"' "$pid"
	isnt "$status" 0 "status of killing a process of the host"
	kill -0 "$pid" || fail "the process of the host is gone"
	run "$container" ${1:+"$1"} "$rootfs" stat -L -c %d:%i /proc/1/root
	is "$out" "$(stat -c %d:%i "$rootfs")" "the root of process 1"
}

# Also a process whose parent is gone, and which would go on alone.
ends_with_its_launcher() {
	start_container "$1" 'sh -c "echo ready; sleep 61; :"; exec sleep 60'
	eventually has_grandchild "$command"
	kill -KILL "$(children_of "$command")"
	eventually has_child "$command" "$child" # process 1 takes it over
	kill -KILL "$pid"
	eventually is_gone "$command"
	eventually is_gone "$child"
}

ends_with_process_1() {
	start_container "$1" 'sh -c "echo ready; sleep 61; :"; exec sleep 60'
	eventually has_grandchild "$command"
	kill -KILL "$command"
	ended=0
	wait "$pid" || ended=$?
	is "$ended" 137 "status of the launcher"
	is_gone "$child" || fail "a process outlives process 1"
}

# ---- What it leaks, and lacks ----

can_be_climbed_out_of() {
	echo secret >"$T/file"
	run "$container" ${1:+"$1"} "$rootfs" escape cat "$T/file"
	is "$out" secret
	run "$container" ${1:+"$1"} "$rootfs" escape stat -c %d:%i /
	is "$out" "$(stat -c %d:%i /)" "the root outside"
}

writes_to_rootfs() {
	cp -RPx "$rootfs" "$T/root"
	run "$container" ${1:+"$1"} "$T/root" sh -c 'echo was here >/file'
	is "$(cat "$T/root/file")" "was here"
}

has_only_proc() {
	run "$container" ${1:+"$1"} "$rootfs" peek mounts
	is "$(cut -d ' ' -f 1,2 "$T/out")" "/proc proc" mounts
	run "$container" ${1:+"$1"} "$rootfs" sh -c '[ -c /dev/null ]'
	is "$status" 1 "status of the search for /dev/null"
	run "$container" ${1:+"$1"} "$rootfs" peek addresses routes
	is "$out" "addresses: none
routes: none"
}

for option in '' -U; do
	with=${option:+"$option: "}
	t "${with}the command is process 1" is_process_1 "$option"
	t "${with}it sees only its own processes" sees_only_its_own "$option"
	t "${with}all ends with the launcher" ends_with_its_launcher "$option"
	t "${with}all ends with process 1" ends_with_process_1 "$option"
	t "${with}leak: the chroot can be climbed out of" \
		can_be_climbed_out_of "$option"
	t "${with}leak: what is written stays in ROOTFS" \
		writes_to_rootfs "$option"
	t "${with}lack: no devices and no network" has_only_proc "$option"
done
done_testing
