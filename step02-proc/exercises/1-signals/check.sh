#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 2.1: no signal but KILL leaves a mount behind
# Untouched: the command, after TERM
. "$(dirname "$0")/../../../common/test/lib.sh"

# point - the container's /proc as in mountinfo: the kernel writes a blank as \040
point() {
	printf '%s\n' "$rootfs/proc" | sed 's/ /\\040/g'
}

# proc_mounts - the mounts there, as the host sees them
proc_mounts() {
	grep -F " $(point) " /proc/self/mountinfo || :
}

# clean_up - what wrong code leaves behind
clean_up() {
	for left in "${inside:-}" $(children_of "$pid"); do
		kill -KILL "$left" 2>/dev/null || :
	done
	kill -KILL "$pid" 2>/dev/null || :
	while umount -l "$rootfs/proc" 2>/dev/null; do :; done
}

# start_container COMMAND... - which ends in `sleep 4711`; sets $pid and $inside
start_container() {
	start "$container" "$rootfs" "$@"
	trap 'clean_up; stop_started' EXIT
	eventually sleeper
}

# fail_with_launcher MESSAGE - and what became of the launcher
fail_with_launcher() {
	ended || fail "$1; the launcher waits"
	got=0
	wait "$pid" || got=$?
	fail "$1; the launcher exited with status $got $(cat "$T/start.err")"
}

# passes_on SIGNAL STATUS [STOP] - with STOP, the command was stopped before
passes_on() {
	start_container sleep 4711
	if [ $# -gt 2 ]; then
		kill -STOP "$inside"
		eventually grep -qs '^State:	T' "/proc/$inside/status"
		kill -CONT "$inside"
		sleep 0.2 # until the launcher has taken SIGCHLD
	fi
	kill -"$1" "$pid"
	poll 75 has_disappeared "$inside" ||
		fail_with_launcher "the command, after $1: it still runs"
	ends_with "$2"
	is "$(proc_mounts)" "" "mounts that are left"
}

# The command goes on after TERM, until its child exits.
waits_for_the_command() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	start_container sh -c 'trap "trapped=7" TERM
		sleep 4711; exit $trapped'
	kill -TERM "$pid"
	sleep 0.2
	is "$(proc_mounts | wc -l)" 1 "mounts while the command still runs"
	is "$(ended && echo exited)" "" "the launcher, while the command still runs"
	kill -KILL "$inside"
	ends_with 7
	is "$(proc_mounts)" "" "mounts that are left"
}

has_no_signals_blocked() {
	start_container sleep 4711
	# Bits: HUP, INT, QUIT, TERM, CHLD
	for set in SigBlk SigIgn; do
		mask=$(sed -n "s/^$set:[[:blank:]]*//p" "/proc/$inside/status")
		is "$((0x$mask & 0x14007))" 0 "bits of $set in the command"
	done
}

# send_at N COMMAND... - in a container whose launcher gets TERM at moment N, as
# signal-at.c counts them. It leads a process group, because wrong code may send
# the signal to all of its group.
send_at() {
	n=$1
	shift
	[ -e "$scratch/at" ] || ${CC:-cc} -o "$scratch/at" "$here/signal-at.c"
	start setsid "$scratch/at" "$n" " $(point) " "$container" "$rootfs" "$@"
	trap 'kill -KILL "-$pid" 2>/dev/null || :; clean_up' EXIT
	poll 75 ended ||
		fail "TERM at system call $n after mount(2): the command still runs"
	! grep ptrace "$T/start.err" || skip "needs ptrace(2)"
	is "$(proc_mounts)" "" \
		"mounts that are left, TERM at system call $n after mount(2)"
}

# At least fork(2) and one that waits are called: the moments 0 to 3.
passes_on_early() {
	for n in 0 1 2 3; do
		send_at "$n" sleep 4711
		ends_with 143
	done
}

survives_any_moment() {
	for n in $(seq 0 30); do
		send_at "$n" true
		[ -s "$T/start.out" ] || break # it had exited before
	done
}

hint='unless a handler is set or the signal is blocked, it kills the launcher.
      With a handler, waitpid(2) may fail with EINTR. kill(2) passes it on'
t "TERM reaches the command; no mount is left" passes_on TERM 143
t "HUP as well" passes_on HUP 129
hint='SIGCHLD also comes when the command is stopped: it may not have exited'
t "TERM reaches a command that was stopped meanwhile" passes_on TERM 143 STOP
hint='wait until the command has exited; a signal says nothing about that'
t "/proc stays mounted until the command has exited" waits_for_the_command
hint='execve(2) keeps blocked and ignored signals: undo it in the child'
t "the command starts with no signal blocked or ignored" has_no_signals_blocked
hint='there may be no child yet: a blocked signal waits; kill(0, ...) hits all'
t "TERM that comes just after mount(2) reaches the command as well" passes_on_early
hint='block the signals before mount(2), and wait for them: see sigwait(3)'
t "at whatever moment TERM comes, no mount is left" survives_any_moment
done_testing
