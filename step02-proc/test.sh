#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 02: /proc is mounted while the command runs, and the host sees
# this mount. Only a killed launcher leaves it behind.
. "$(dirname "$0")/../common/test/lib.sh"

# The mounts on ROOTFS/proc, without their IDs.
proc_mounts() {
	# The kernel writes a blank as \040.
	point=$(printf '%s\n' "$rootfs/proc" | sed 's/ /\\040/g')
	grep -F " $point " /proc/self/mountinfo | cut -d ' ' -f 4- || :
}

# start_container - sets $pid, the launcher, and $inside. At the
# end of the test, kills $inside: a killed launcher would leave it behind.
start_container() {
	start "$container" "$rootfs" sleep 4711
	eventually sleeper
	sed -i "s/^$pid$/$inside/" "$T.started"
}

gone() {
	[ ! -e "/proc/$1" ]
}

mounts_proc() {
	start_container
	mount=$(proc_mounts)
	is "$(proc_mounts | wc -l)" 1 "mounts on ROOTFS/proc"
	contains "$mount" " rw,nosuid,nodev,noexec,"
	contains "$mount" " - proc proc "
	run "$container" "$rootfs" cat /proc/self/comm
	is "$out" cat
}

# For Ctrl-C, see common/test/test-terminal.sh.
unmounts_after_exit() {
	for command in true false missing; do
		run "$container" "$rootfs" $command
		is "$(proc_mounts)" "" "mounts after $command"
	done
	start_container
	kill -KILL "$inside"
	ends_with 137
	is "$(proc_mounts)" "" "mounts after SIGKILL"
}

unmounts_what_is_in_use() {
	start "$container" "$rootfs" sh -c 'cd /proc/self; sleep 4711; :'
	eventually sleeper
	kill -KILL "$(children_of "$pid")"
	ends_with 137
	kill "$inside"
	is "$(proc_mounts)" ""
	is "$(cat "$T/start.err")" ""
}

unmounts_after_an_error() {
	command -v strace || skip 'strace is not installed'
	run strace -o "$T/strace" -e inject=clone,fork:error=EAGAIN \
		"$container" "$rootfs" true
	one_line_error 125 'fork: Resource temporarily unavailable'
	is "$(proc_mounts)" "" "mounts"
}

state() {
	proc_mounts
	stat -L -c %d:%i "/proc/$inside/root" "/proc/$inside/cwd"
}

# The lines of -v, typed into shells: chroot(8) starts one in the new root.
replays() {
	cd "${rootfs%/*}" # its path may contain a quote
	start "$container" -v "${rootfs##*/}" sleep 4711
	eventually sleeper
	state >"$T/made"
	kill "$inside"
	ends_with 143
	sed 's/^[a-z]* *+ //
		s/^chroot \. .*$/& -es <<"END"/
		s/^exec \(.*\)/\1 || :/
		/^wait /d
		$a\
END' "$T/start.err" >"$T/script"
	start sh -e "$T/script"
	eventually sleeper
	state >"$T/replayed"
	kill "$inside"
	ends_with 0
	is "$(cat "$T/replayed")" "$(cat "$T/made")" "the replayed state"
	is "$(proc_mounts)" "" "mounts after the replay"
}

# ---- Leaks ----

sees_host_processes() {
	start sleep 60
	eventually grep -qx sleep "/proc/$pid/comm"
	run "$container" "$rootfs" cat "/proc/$pid/comm"
	is "$out" sleep
}

reaches_the_host_root() {
	echo secret >"$T/file"
	run "$container" "$rootfs" cat "/proc/1/root$T/file"
	is "$out" secret
}

# Step 03 fixes the mount, step 04 the command. TERM and HUP leave both, too: see
# exercise 2.1.
killed_launcher_leaves_all() {
	start_container
	kill -KILL "$pid"
	ends_with 137
	mounts=$(proc_mounts)
	kill "$inside" || fail "SIGKILL kills the command"
	umount "$rootfs/proc"
	contains "$mounts" " - proc proc " "mounts after SIGKILL"
	is "$(proc_mounts)" "" "mounts after umount"
	eventually gone "$inside"
}

t "/proc is mounted" mounts_proc
t "/proc is unmounted, however the command exits" unmounts_after_exit
t "... though fork(2) fails" unmounts_after_an_error
t "... though another process still uses it" unmounts_what_is_in_use
t "the commands of -v do the same" replays
t "leak: it sees the host's processes" sees_host_processes
t "leak: /proc/1/root is the host's root" reaches_the_host_root
t "leak: a killed launcher leaves the mount and the command" \
	killed_launcher_leaves_all
done_testing
