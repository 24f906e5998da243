#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 01: the command's root directory is ROOTFS, and everything
# else is the host's
. "$(dirname "$0")/../common/test/lib.sh"

directory() {
	stat -L -c %d:%i "$1"
}

# Sets $pid: in step 01, the launcher becomes the command.
start_container() {
	start "$container" "$rootfs" sleep 4711
	eventually sleeper
}

changes_the_root() {
	start_container
	is "$(directory "/proc/$pid/root")" "$(directory "$rootfs")" "its root"
	is "$(directory "/proc/$pid/cwd")" "$(directory "$rootfs")" "its cwd"
	run "$container" "$rootfs" stat -c %d:%i / /.. ..
	is "$(sort -u "$T/out")" "$(directory "$rootfs")" "/, /.. and .."
}

# ---- Leaks ----

shares_all_namespaces() {
	start_container
	for type in cgroup ipc mnt net pid user uts; do
		is "$(ns_of "$pid" "$type")" "$(ns_of self "$type")" "$type"
	done
}

kills_host_processes() {
	start sleep 60
	run "$container" "$rootfs" sh -c "kill -KILL $pid"
	ends_with 137
}

escapes() {
	echo secret >"$T/file"
	run "$container" "$rootfs" cat "$T/file"
	isnt "$status" 0 "status without escape"
	run "$container" "$rootfs" escape cat "$T/file"
	is "$out" secret
}

t "/ and the working directory are ROOTFS" changes_the_root
t "leak: it is in the host's namespaces" shares_all_namespaces
t "leak: it can kill processes of the host" kills_host_processes
t "leak: it can escape from the chroot" escapes
done_testing
