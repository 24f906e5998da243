#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 01: a root directory of its own, and everything else the
# host's, up to the root directory for who knows the way out
. "$(dirname "$0")/../common/test/lib.sh"

directory() {
	stat -L -c %d:%i "$1"
}

# Starts a container that waits. It is $pid: step 01 makes no other process.
start_container() {
	start "$container" "$rootfs" sh -c 'echo ready; exec sleep 60'
	eventually grep -q ready "$T/start.out"
}

# ---- What the step gives ----

makes_rootfs_the_root() {
	start_container
	is "$(directory "/proc/$pid/root")" "$(directory "$rootfs")" "its root"
	is "$(directory "/proc/$pid/cwd")" "$(directory "$rootfs")" "its cwd"
	run "$container" "$rootfs" peek root
	is "$out" "$(directory "$rootfs")" "the root that it sees"
	run "$container" "$rootfs" stat -c %d:%i / /.. .
	is "$(sort -u "$T/out")" "$(directory "$rootfs")" "/, /.. and ."
}

# Wherever the host keeps its programs, the command's are in ROOTFS.
gives_a_sane_path() {
	want=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	for set in PATH=/odd PATH= -uPATH; do
		# shellcheck disable=SC2016 # for the shell inside
		run env "$set" "$container" "$rootfs" sh -c 'echo "$PATH"'
		is "$out" "$want" "PATH of a command whose caller has $set"
		run env "$set" "$container" "$rootfs" peek uid
		is "$out" 0 "peek, looked up by the caller with $set"
	done
}

keeps_the_environment() {
	run env -i 'A=b c' HOME=/nowhere EMPTY= "$container" "$rootfs" env
	is "$(sed /^PATH=/d "$T/out" | LC_ALL=C sort)" "A=b c
EMPTY=
HOME=/nowhere"
}

# ---- What it leaks ----

shares_every_namespace() {
	start_container
	for type in cgroup ipc mnt net pid user uts; do
		is "$(ns_of "$pid" "$type")" "$(ns_of self "$type")" "$type"
	done
	run "$container" "$rootfs" peek hostname
	is "$out" "$(uname -n)"
	run "$container" "$rootfs" peek addresses
	contains "$out" "eth0 203.0.113.2/24"
}

reaches_the_hosts_processes() {
	start sleep 60
	# shellcheck disable=SC2016 # for the shell inside
	run "$container" "$rootfs" sh -c 'kill -KILL "$0"' "$pid"
	is "$status" 0
	wait "$pid" || ended=$?
	is "$ended" 137 "status of a process of the host"
}

can_be_climbed_out_of() {
	echo secret >"$T/file"
	run "$container" "$rootfs" cat "$T/file"
	isnt "$status" 0 "status of the command that stays inside"
	run "$container" "$rootfs" escape cat "$T/file"
	is "$out" secret
	run "$container" "$rootfs" escape stat -c %d:%i /
	is "$out" "$(directory /)" "the root outside"
}

t "/ and the working directory are ROOTFS" makes_rootfs_the_root
t "PATH is sane, whatever the caller's is" gives_a_sane_path
t "the rest of the environment is the caller's" keeps_the_environment
t "leak: every namespace is the host's" shares_every_namespace
t "leak: the host's processes can be killed" reaches_the_hosts_processes
t "leak: the chroot can be climbed out of" can_be_climbed_out_of
done_testing
