#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 02: a /proc, which the host sees mounted for as long as the
# container runs, and for longer if the launcher is killed
. "$(dirname "$0")/../common/test/lib.sh"

# The mounts on ROOTFS's /proc, as the kernel lists them for the host.
proc_mounts() {
	# The kernel writes a blank as \040.
	point=$(echo "$rootfs/proc" | sed 's/ /\\040/g')
	grep -F " $point " /proc/self/mountinfo || :
}

has_grandchild() {
	grandchild=$(children_of "$(children_of "$1")")
	[ -n "$grandchild" ]
}

# Starts a container that waits, as $command.
start_container() {
	start "$container" "$rootfs" sh -c 'echo ready; exec sleep 60'
	eventually grep -q ready "$T/start.out"
	command=$(children_of "$pid")
	contains "$(proc_mounts)" "$rootfs/proc" "mounts while it runs"
}

# wait_for_launcher STATUS [WHAT]
wait_for_launcher() {
	launched=0
	wait "$pid" || launched=$?
	is "$launched" "$1" "exit status of the launcher${2+ after $2}"
}

# ---- What the step gives ----

mounts_proc() {
	start_container
	is "$(proc_mounts | wc -l)" 1 "mounts on ROOTFS/proc"
	# ... POINT OPTIONS [shared:N] - TYPE SOURCE SUPER-OPTIONS
	mount=$(proc_mounts)
	contains "$mount" " rw,nosuid,nodev,noexec,"
	contains "$mount" " - proc proc "
	run "$container" "$rootfs" cat /proc/self/comm
	is "$out" cat
}

unmounts_when_the_command_ends() {
	run "$container" "$rootfs" sh -c 'exit 3'
	is "$status" 3
	is "$(proc_mounts)" "" "mounts after a command that failed"
	run "$container" "$rootfs" no-such-command
	is "$status" 127
	is "$(proc_mounts)" "" "mounts after a command that there is not"
}

unmounts_when_the_command_is_killed() {
	start_container
	kill -KILL "$command"
	wait_for_launcher 137
	is "$(proc_mounts)" "" mounts
}

unmounts_when_the_launcher_is_told_to_end() {
	while read -r signal number; do
		start_container
		kill "-$signal" "$pid"
		wait_for_launcher $((128 + number)) "$signal"
		is "$(proc_mounts)" "" "mounts after $signal"
		[ ! -e "/proc/$command" ] || fail "$signal leaves the command"
	done <<-END
	HUP 1
	INT 2
	TERM 15
	END
}

unmounts_what_is_in_use() {
	start "$container" "$rootfs" sh -c 'cd /proc/self; sleep 60; :'
	eventually has_grandchild "$pid"
	command=$(children_of "$pid")
	kill -KILL "$command"
	wait_for_launcher 137
	in_use=$(readlink "/proc/$grandchild/cwd")
	kill -KILL "$grandchild"
	contains "$in_use" "/$command" "directory of the process that is left"
	is "$(cat "$T/start.err")" ""
	is "$(proc_mounts)" "" mounts
}

keeps_a_mount_by_hand() {
	mount -t proc by-hand "$rootfs/proc"
	before=$(proc_mounts)
	run "$container" "$rootfs" true
	after=$(proc_mounts)
	umount "$rootfs/proc"
	contains "$before" by-hand
	is "$after" "$before" "the mount that was there"
}

two_share_a_rootfs() {
	start_container
	first=$pid
	start "$container" "$rootfs" sh -c 'echo ready; exec sleep 60'
	eventually grep -q ready "$T/start.out"
	is "$(proc_mounts | wc -l)" 2 "mounts of two containers"
	kill "$first"
	wait "$first" || :
	is "$(proc_mounts | wc -l)" 1 "mounts of the one that is left"
	run "$container" "$rootfs" cat /proc/self/comm
	is "$out" cat
	kill "$pid"
	wait "$pid" || :
	is "$(proc_mounts)" "" mounts
}

# ---- What it leaks ----

sees_the_hosts_processes() {
	start sleep 60
	for process in 1 $$ "$pid"; do
		run "$container" "$rootfs" cat "/proc/$process/stat"
		is "$(cut -d ' ' -f 1 "$T/out")" "$process"
	done
	start_container
	is "$(ns_of "$command" pid)" "$(ns_of self pid)" "PID namespace"
	is "$(ns_of "$command" mnt)" "$(ns_of self mnt)" "mount namespace"
}

reaches_the_hosts_root() {
	echo secret >"$T/file"
	run "$container" "$rootfs" cat "/proc/1/root$T/file"
	is "$out" secret
	run "$container" "$rootfs" stat -c %d:%i /proc/1/root/
	is "$out" "$(stat -c %d:%i /)" "the root of process 1"
}

a_killed_launcher_leaves_its_mount() {
	start_container
	kill -KILL "$pid"
	wait_for_launcher 137
	mounts=$(proc_mounts)
	left=$(ns_of "$command" mnt)
	# What README.md says mends it.
	kill -KILL "$command"
	umount "$rootfs/proc"
	contains "$mounts" " - proc proc " "the mount that is left"
	isnt "$left" "" "mount namespace of the command that is left"
	is "$(proc_mounts)" "" "mounts after umount"
}

t "/proc is mounted with nosuid, nodev, noexec" mounts_proc
t "... and unmounted when the command ends" unmounts_when_the_command_ends
t "... is killed" unmounts_when_the_command_is_killed
t "... or the launcher gets TERM, INT or HUP" \
	unmounts_when_the_launcher_is_told_to_end
t "... though a process is left in it" unmounts_what_is_in_use
t "a /proc that was mounted by hand stays" keeps_a_mount_by_hand
t "of two containers on one ROOTFS each unmounts its own" two_share_a_rootfs
t "leak: all the host's processes are visible" sees_the_hosts_processes
t "leak: /proc/1/root is the host's root" reaches_the_hosts_root
t "leak: a killed launcher leaves the mount; umount mends it" \
	a_killed_launcher_leaves_its_mount
done_testing
