#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 3.3: a network namespace that outlives its processes
# Untouched: no container with a network to keep
. "$(dirname "$0")/../../../common/test/lib.sh"

# unmounts COMMAND... - at the end of the test, FILE is an ordinary file again
unmounts() {
	FILE="$T/my net"
	trap 'stop_started; unmount' EXIT
	"$@"
}

unmount() {
	while umount "$FILE" || umount "$T/root/my net"; do :; done 2>/dev/null
}

# start_container OPTION... - sets $pid, the launcher, and $inside, which is
# killed when the test ends
start_container() {
	start "$container" "$@" "$rootfs" sleep 4711
	eventually runs_or_ended
	[ -n "$inside" ] || fail "no container with a network to keep: \
$(head -n 1 "$T/start.err")"
	sed -i "s/^$pid$/$inside/" "$T.started"
}

runs_or_ended() {
	sleeper || ended
}

stop_container() {
	kill "$inside"
	eventually ended
}

# The inode of a namespace is that of its file, wherever it is mounted.
inode() {
	stat -c %i "$FILE" 2>/dev/null || echo 'no file'
}

makes_it_visible() {
	start_container -n "$FILE"
	isnt "$(ns_of "$inside" net)" "$(ns_of self net)" \
		"the container's network namespace"
	is "$(inode)" "$(ns_of "$inside" net)" "FILE, seen from the host"
	is "$(nsenter --net="$FILE" readlink /proc/self/ns/net)" \
		"net:[$(ns_of "$inside" net)]" "what nsenter --net=FILE enters"
}

outlives() {
	start_container -n "$FILE"
	first=$(ns_of "$inside" net)
	stop_container
	is "$(inode)" "$first" "FILE, after the container"
	nsenter --net="$FILE" ip link set lo up
	# Some kernels add tunnels to every network namespace.
	run "$container" -n "$FILE" "$rootfs" peek interfaces
	is "$(inode)" "$first" "FILE, after the second container"
	is "$(grep -c ' /[^ ]*/my\\040net ' /proc/self/mountinfo)" 1 "mounts on FILE"
	contains "$out" "lo up" "interfaces in the second container"
}

shares() {
	start_container -n "$FILE"
	first=$inside
	run "$container" -n "$FILE" "$rootfs" ls -l /proc/self/ns
	contains "$out" "net:[$(ns_of "$first" net)]" \
		"the second container's namespaces"
	for type in mnt uts ipc cgroup; do
		lacks "$out" "$type:[$(ns_of "$first" $type)]" \
			"the second container's namespaces"
	done
}

uses_an_ordinary_file() {
	echo before the reboot >"$FILE"
	makes_it_visible
}

finds_a_relative_file() {
	# Wrong code creates it in the root filesystem: not in everyone's.
	cp -RP "$rootfs" "$T/root"
	rootfs=$T/root
	cd "$T"
	start_container -n 'my net'
	is "$(inode)" "$(ns_of "$inside" net)" "FILE in the caller's directory"
}

# enters_that_of_others - a network namespace that no container has created
enters_that_of_others() {
	: >"$FILE"
	unshare --net="$FILE" true
	start_container -n "$FILE"
	is "$(ns_of "$inside" net)" "$(inode)" \
		"the container's network namespace"
}

# The name in /proc is a namespace without a mount.
enters_that_of_a_process() {
	start unshare --net sleep 60
	eventually grep -qx sleep "/proc/$pid/comm"
	other=$pid
	start_container -n "/proc/$other/ns/net"
	is "$(ns_of "$inside" net)" "$(ns_of "$other" net)" \
		"the container's network namespace"
}

refuses() {
	run "$container" -n "$1" "$rootfs" sh -c 'echo it runs'
	one_line_error 125
}

refuses_another_type() {
	: >"$FILE"
	for type in uts ipc mnt pid user; do
		mount --bind "/proc/self/ns/$type" "$FILE" 2>/dev/null || continue
		refuses "$FILE"
		umount "$FILE"
	done
}

# has_others [-n] - with -n FILE
has_others() {
	start_container "$@" ${1:+"$FILE"}
	for type in mnt uts ipc cgroup net; do
		isnt "$(ns_of "$inside" $type)" "$(ns_of self $type)" \
			"the container's $type namespace"
	done
}

hint='mount it before you leave the mount namespace of the host'
t "FILE is the container's network namespace, for the host as well" \
	unmounts makes_it_visible
hint='is FILE a namespace already? Then enter it, and create none'
t "it outlives the container, and the next one enters it" unmounts outlives
t "two containers share it, and nothing else" unmounts shares
hint='FILE may exist without being a namespace: ask fstatfs(2)'
t "FILE may be an ordinary file, left by a reboot" \
	unmounts uses_an_ordinary_file
hint='main() changes the working directory: use FILE before that'
t "FILE may be relative" unmounts finds_a_relative_file
hint='another program may have created it'
t "FILE may be a network namespace that unshare(1) has mounted" \
	unmounts enters_that_of_others
t "FILE may be that of a process: /proc/PID/ns/net" enters_that_of_a_process
hint='the last argument of setns(2) is the type that you expect'
t "a namespace of another type is refused" unmounts refuses_another_type
hint='check what open(2) and mount(2) return'
t "FILE in a directory that does not exist is refused" \
	refuses /tmp/no/such/directory/net
hint='only the network is shared, and only with -n'
t "with -n, the other namespaces are the container's own" \
	unmounts has_others -n
t "without -n, all five are" unmounts has_others
done_testing
