#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-signals - whatever kills the launcher or the command: no process, mount,
# link or rule is left. The library compares the machine before and after each
# test; what a killed launcher leaves in steps 02 and 03 is in their test.sh.
. "$(dirname "$0")/lib.sh"

# Sets $pid, the launcher, and $inside.
start_container() {
	start "$container" "$rootfs" sleep 4711
	eventually sleeper
}

# in_state STATE PID... - S: sleeps, T: is stopped
in_state() {
	state=$1
	shift
	for process; do
		grep -q "^State:	$state" "/proc/$process/status" || return 1
	done
}

killed_launcher_leaves_nothing() {
	for signal in TERM:143 HUP:129; do
		# The launcher of step 07 kills the command, and tidies up.
		[ "$n" != 07 ] || signal=${signal%:*}:137
		start_container
		kill -s "${signal%:*}" "$pid"
		ends_with "${signal#*:}"
		eventually ended "$inside"
	done
}

# In step 07, the next container removes the rest.
killed_launcher_leaves_no_process() {
	start "$container" "$rootfs" sh -c 'sleep 4711; :'
	eventually sleeper
	kill -KILL "$pid"
	ends_with 137
	eventually ended "$inside"
	[ "$n" != 07 ] || run "$container" "$rootfs" true
}

# The launcher dies after fork(2), when its child has not yet asked for a signal
# at its death: strace stops the child there for 0.3 s.
has_no_window() {
	command -v strace >/dev/null || skip "strace is not installed"
	# The leak checker of a sanitized program does not work under strace.
	export ASAN_OPTIONS=detect_leaks=0
	run strace -f -qq -o "$T/trace" -e trace=prctl,wait4 \
		-e inject=prctl:delay_enter=300000 \
		-e inject=wait4:signal=KILL \
		"$container" "$rootfs" echo "it runs"
	is "$status" 137
	contains "$(cat "$T/trace")" "(DELAYED)"
	is "$out" ""
	[ "$n" != 07 ] || "$container" "$rootfs" true
}

continues_after_a_stop() {
	start_container
	kill -STOP "$inside"
	eventually in_state T "$inside"
	kill -CONT "$inside"
	eventually in_state S "$inside" "$pid"
	kill -KILL "$inside"
	ends_with 137
}

# systemd makes the host's mounts shared.
hides_its_mounts() {
	before=$(cat /proc/self/mountinfo)
	contains "$before" " shared:"
	start_container
	is "$(cat /proc/self/mountinfo)" "$before" "the host's mounts while it runs"
	kill -TERM "$pid"
	eventually ended
	kill -KILL "$inside" 2>/dev/null || :
	eventually ended "$inside"
	is "$(cat /proc/self/mountinfo)" "$before" "the host's mounts afterwards"
}

ignores_sigchld() {
	run "$probes/start" -i 17 /dev/null "$container" "$rootfs" sh -c 'exit 7'
	is "$status$err" 7
}

# nohup(1) ignores HUP; a shell ignores INT and QUIT in a background job.
ignores_what_the_caller_ignores() {
	start "$probes/start" -i 1 -i 2 /dev/null \
		"$container" "$rootfs" sleep 4711
	eventually sleeper
	before=$(grep '^SigIgn' "/proc/$pid/status")
	kill -HUP "$pid"
	kill -INT "$pid"
	eventually in_state S "$pid" "$inside"
	contains "$(grep '^SigIgn:.*3$' "/proc/$inside/status")" SigIgn "$before"
	kill -KILL "$inside"
	ends_with 137
}

# What the host unmounts is unmounted in the container: its disk is free.
lets_go_of_host_mounts() {
	mkdir "$T/disk"
	mount -t tmpfs disk "$T/disk"
	start_container
	umount "$T/disk"
	lacks "$(nsenter --mount="/proc/$inside/ns/mnt" cat /proc/self/mountinfo)" \
		" - tmpfs disk "
	kill -KILL "$inside"
	ends_with 137
}

survives_a_closed_pipe() {
	contains "$("$container" -v "$rootfs" sleep 1 2>&1 | sed '/exec sl/q')" sleep
}

mount --make-rshared /
for step in $steps; do
	at_step "$step"
	t "$step: after SIGSTOP and SIGCONT, nothing is stopped" \
		continues_after_a_stop
	case $n in 02 | 03) ;; *)
		t "$step: TERM or HUP of the launcher leaves nothing" \
			killed_launcher_leaves_nothing
		;;
	esac
	[ "$n" -ge 2 ] || continue
	t "$step: the caller may ignore SIGCHLD" ignores_sigchld
	t "$step: signals that the caller ignores stay ignored" \
		ignores_what_the_caller_ignores
	t "$step: ... and the reader of -v may leave" survives_a_closed_pipe
	[ "$n" -ge 3 ] || continue
	t "$step: a mount that the host removes is gone" lets_go_of_host_mounts
	t "$step: the host never sees its mounts" hides_its_mounts
	[ "$n" -ge 4 ] || continue
	t "$step: KILL of the launcher leaves no process" \
		killed_launcher_leaves_no_process
	t "$step: ... nor just after fork" has_no_window
done
done_testing
