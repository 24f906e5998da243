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
	kill -KILL "$pid" "-$pid" 2>/dev/null || :
	while umount -l "$rootfs/proc" 2>/dev/null; do :; done
}

# start_container COMMAND... - sets $pid. The launcher leads a process group, because
# wrong code may signal all of its group.
start_container() {
	start setsid "$container" "$rootfs" "$@"
	trap 'clean_up; stop_started' EXIT
}

start_sleep() {
	start_container sleep 4711
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
	start_sleep
	if [ $# -gt 2 ]; then
		kill -STOP "$inside"
		eventually grep -qs '^State:	T' "/proc/$inside/status"
		kill -CONT "$inside"
		sleep 0.2 # until the launcher has taken SIGCHLD
	fi
	kill -"$1" "$pid"
	poll 250 has_disappeared "$inside" ||
		fail_with_launcher "the command, after $1: it still runs"
	ends_with "$2"
	is "$(proc_mounts)" "" "mounts that are left"
}

# send SIGNAL - to the launcher
send() {
	kill -"$1" "$pid" 2>/dev/null ||
		fail_with_launcher "before $1, the launcher is gone"
}

# start_reporter - a command that prints its PID and then the signals that it gets;
# USR1 ends it with status 7. Without /dev/null, the shell has no background jobs.
start_reporter() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	start_container sh -c 'trap "echo TERM" TERM
		trap "echo HUP" HUP
		trap "exit 7" USR1
		echo $$
		while :; do sleep 0.1; done'
	eventually test -s "$T/start.out"
	inside=$(head -n 1 "$T/start.out")
}

# reports SIGNALS WHEN - so many, in alphabetical order
reports() {
	poll 250 has_reported "$1" || fail_with_launcher \
		"the command $2: it got '$(reported)', expected '$1'"
}

has_reported() {
	[ "$(reported)" = "$1" ]
}

reported() {
	sed 1d "$T/start.out" | sort | tr '\n' ' '
}

# The command goes on after each of them.
passes_on_each() {
	start_reporter
	send TERM
	reports "TERM " "after TERM"
	send HUP
	reports "HUP TERM " "after TERM and HUP"
	send TERM
	reports "HUP TERM TERM " "after TERM, HUP and TERM again"
	send TERM
	reports "HUP TERM TERM TERM " "after TERM, HUP, and TERM twice in a row"
	is "$(proc_mounts | wc -l)" 1 "mounts while the command still runs"
	is "$(ended && echo exited)" "" "the launcher, while the command still runs"
	kill -USR1 "$inside"
	ends_with 7
	is "$(proc_mounts)" "" "mounts that are left"
}

# While the launcher is stopped, both are pending.
passes_on_both() {
	start_reporter
	send STOP
	eventually grep -qs '^State:	T' "/proc/$pid/status"
	send TERM
	send HUP
	send CONT
	reports "HUP TERM " "after TERM and HUP at the same time"
	kill -USR1 "$inside"
	ends_with 7
}

# Another process is in the same process group, as in a pipe.
passes_on_to_the_command() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	start setsid sh -c 'sleep 1000 & echo $!; exec "$@"' sh \
		"$container" "$rootfs" sleep 4711
	trap 'clean_up; stop_started' EXIT
	eventually sleeper
	send TERM
	ends_with 143
	grep -qs '^State:	S' "/proc/$(cat "$T/start.out")/status" ||
		fail "TERM killed another process of the launcher's process group"
}

passes_on_to_no_child() {
	start_container sh -c 'sleep 4711 | sleep 4712'
	eventually sleeper
	send TERM
	ends_with 143
	grep -qs '^State:	S' "/proc/$inside/status" ||
		fail "TERM killed a process that the command had started"
}

# If INT or QUIT were passed on, the command would die of it before TERM.
keeps_int_and_quit() {
	start_sleep
	send STOP
	eventually grep -qs '^State:	T' "/proc/$pid/status"
	send INT
	send QUIT
	send TERM
	send CONT
	ends_with 143
	is "$(proc_mounts)" "" "mounts that are left"
}

# masks PID - its blocked and ignored signals
masks() {
	grep '^Sig\(Blk\|Ign\)' "/proc/$1/status"
}

# Compared with a command that has no launcher
has_no_signals_blocked() {
	start sleep 60
	eventually grep -qx sleep "/proc/$pid/comm"
	before=$(masks "$pid")
	start_sleep
	is "$(masks "$inside")" "$before" "the command's masks of signals"
}

# send_at MOMENT NUMBER COMMAND... - in a container whose launcher gets this signal
# at that moment: see signal-at.c
send_at() {
	moment=$1 number=$2 signal=$(kill -l "$2")
	shift 2
	start setsid "$probes/signal-at" "$moment" "$number" " $(point) " \
		"$container" "$rootfs" "$@"
	trap clean_up EXIT
	case $moment in
	fork) when="just after fork(2)" ;;
	*) when="at system call $moment after mount(2)" ;;
	esac
	poll 250 ended || fail "$signal $when: the command still runs"
	! grep ptrace "$T/start.err" || skip "needs ptrace(2)"
	is "$(proc_mounts)" "" "mounts that are left, $signal $when"
}

# reach MOMENT...
reach() {
	for moment; do
		send_at "$moment" 15 sleep 4711
		ends_with 143
		send_at "$moment" 1 sleep 4711
		ends_with 129
	done
}

survives_any_moment() {
	for moment in $(seq 0 30); do
		send_at "$moment" 15 true
		[ -s "$T/start.out" ] || break # it had exited before
		send_at "$moment" 1 true
	done
}

compile signal-at
hint='unless a handler is set or the signal is blocked, it kills the launcher.
      With a handler, waitpid(2) may fail with EINTR. kill(2) passes it on'
t "TERM reaches the command; no mount is left" passes_on TERM 143
t "HUP as well" passes_on HUP 129
hint='kill(0, ...) signals all processes of the process group'
t "the signal goes to the command alone" passes_on_to_the_command
hint='a negative number in kill(2) is a process group: signal the command alone'
t "and to no process that the command has started" passes_on_to_no_child
hint='execve(2) keeps blocked and ignored signals: undo it in the child'
t "the command starts with no signal blocked or ignored" has_no_signals_blocked
hint='SIGCHLD also comes when the command is stopped: it may not have exited'
t "TERM reaches a command that was stopped meanwhile" passes_on TERM 143 STOP
hint='wait until the command has exited, whatever signals come'
t "each signal is passed on, until the command has exited" passes_on_each
hint='several signals may be pending: one variable has room for one'
t "TERM and HUP at the same time are both passed on" passes_on_both
hint='the terminal sends INT and QUIT to the command as well: ignore them'
t "INT and QUIT are not passed on" keeps_int_and_quit
# At least fork(2) and one that waits are called: the moments 0 to 3.
hint='there may be no child yet, or it may still have your handlers: a blocked
      signal waits. kill(0, ...) signals all'
t "a signal that comes just after mount(2) reaches the command as well" \
	reach 0 1 2 3
t "a signal that comes just after fork(2) does, too" reach fork
hint='block the signals before mount(2), and wait for them: see sigwait(3)'
t "at whatever moment a signal comes, no mount is left" survives_any_moment
done_testing
