#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 4.1: an init as PID 1
# Untouched: -i: the command is a child of PID 1
. "$(dirname "$0")/../../../common/test/lib.sh"

# The shell opens /dev/null for a command with &.
cp -RP "$rootfs" "$scratch/root"
rootfs=$scratch/root
: >"$rootfs/dev/null"

# start_container OPTION... [COMMAND...] - sets $pid, the launcher, $inside, the
# process that runs `sleep 4711`, and $pid_1
start_container() {
	start "$container" "$@"
	eventually started
	! ended || fail "it did not start: $(cat "$T/start.err")"
	pid_1=$(children_of "$pid")
}

started() {
	sleeper || ended
}

# inner_pid PID - its PID in its own namespace
inner_pid() {
	sed -n 's/^NSpid:.*[[:blank:]]//p' "/proc/$1/status"
}

gone() {
	for process; do
		[ ! -e "/proc/$process" ] || return 1
	done
}

# reaped WHAT PID...
reaped() {
	: >"$T.asserted"
	what=$1
	shift
	poll 40 gone "$@" || fail "$what is a zombie"
}

is_stopped() {
	grep -qs '^State:	T' "/proc/$1/status"
}

# quiet PID - it sleeps, and has received its signals
quiet() {
	[ "$(grep -cs '^State:	S\|^SigPnd:	0*$\|^ShdPnd:	0*$' \
		"/proc/$1/status")" = 3 ]
}

still_runs() {
	[ -e "/proc/$inside" ] || fail "the container has ended: $1"
}

# In the tests below, the arguments are -U or none.

is_a_child_of_pid_1() {
	start_container -i "$@" "$rootfs" sleep 4711
	is "$(children_of "$pid_1")" "$inside" "children of PID 1"
	is "$(inner_pid "$pid_1")" 1 "PID of the launcher's child, inside"
	is "$(inner_pid "$inside")" 2 "PID of the command, inside"
	is "$(ns_of "$inside" pid)" "$(ns_of "$pid_1" pid)" "PID namespace"
}

# Starts three orphans that sleep, and the command, which never waits for them.
start_orphans() {
	start_container -i "$@" "$rootfs" sh -c '
		(sleep 4712 & sleep 4712 & sleep 4712 &)
		exec sleep 4711'
	eventually has_orphans
}

has_orphans() {
	orphans=$(children_of "$pid_1" | grep -vx "$inside") &&
		[ "$(echo "$orphans" | wc -l)" -eq 3 ]
}

reaps_an_orphan() {
	start_orphans "$@"
	first=${orphans%%[!0-9]*}
	kill -KILL "$first"
	reaped "an orphan that was killed" "$first"
	still_runs "an orphan has exited, the command has not"
}

# A signal that is pending already is not queued again: one SIGCHLD for three.
reaps_many_at_once() {
	start_orphans "$@"
	kill -STOP "$pid_1"
	eventually is_stopped "$pid_1"
	# shellcheck disable=SC2086 # several numbers
	kill -KILL $orphans
	sleep 0.1
	kill -CONT "$pid_1"
	# shellcheck disable=SC2086
	reaped "one of three orphans killed at the same time" $orphans
	still_runs "orphans have exited, the command has not"
}

exits_with() {
	poll 150 ended || fail "the exit of the command is missed"
	ends_with "$1"
}

has_status() {
	for code in 7 0 255; do
		start "$container" -i "$@" "$rootfs" sh -c "exit $code"
		exits_with $code
	done
	# shellcheck disable=SC2016 # for the shell inside
	start "$container" -i "$@" "$rootfs" sh -c 'kill -KILL $$'
	exits_with 137
}

# PID 1 finds four children that have exited, the command and three orphans.
has_status_of_the_command() {
	start_orphans "$@"
	kill -STOP "$pid_1"
	eventually is_stopped "$pid_1"
	# shellcheck disable=SC2086 # several numbers
	kill -TERM $orphans
	kill -USR1 "$inside"
	sleep 0.1
	kill -CONT "$pid_1"
	ends_with 138
}

exits_with_the_command() {
	start_container -i "$@" "$rootfs" sh -c '(sleep 4711 &); exec sleep 4712'
	command=$(children_of "$pid_1" | grep -vx "$inside")
	kill -KILL "$command"
	poll 40 ended || fail "the command has exited, the container has not"
	ends_with 137
	gone "$inside" || fail "an orphan outlives PID 1"
}

# A command that exits before its parent does anything else: see late.c.
exits_at_once() {
	"${CC:-cc}" -shared -fPIC -o "$T/late.so" "$here/late.c" -ldl
	start env LD_PRELOAD="$T/late.so" "$container" -i "$rootfs" sh -c 'exit 7'
	exits_with 7
}

survives_a_stop() {
	start_container -i "$@" "$rootfs" sleep 4711
	kill -STOP "$inside"
	poll 40 is_stopped "$inside" || :
	poll 40 quiet "$pid_1" || :
	still_runs "the command was stopped or continued, and has not exited"
	kill -CONT "$inside"
	poll 40 quiet "$pid_1" || :
	still_runs "the command was stopped or continued, and has not exited"
	kill -KILL "$inside"
	ends_with 137
}

# received SIGNAL TIMES
received() {
	[ "$(grep -csx "$1" "$rootfs/signals")" -ge "$2" ]
}

# The other process and the orphan must not receive them, and CHLD is for PID 1.
passes_signals_on() {
	: >"$rootfs/signals"
	# shellcheck disable=SC2016 # for the shell inside
	start_container -i "$@" "$rootfs" sh -c '
		log() {
			for signal in HUP INT QUIT TERM USR1 USR2; do
				trap "echo $1$signal >>/signals" $signal
			done
		}
		(sleep 4712 &)
		log ""
		trap "echo CHLD >>/signals" CHLD
		(
			trap - CHLD
			log "other "
			sleep 4711 &
			while :; do wait; done
		) &
		while :; do wait; done'
	for times in 1 2; do
		for signal in HUP INT QUIT TERM USR1 USR2; do
			kill -s "$signal" "$pid_1"
			poll 40 received "$signal" $times ||
				fail "$signal did not reach the command, time $times"
		done
	done
	is "$(grep -o 'other .*' "$rootfs/signals" | tr '\n' ' ')" "" \
		"signals that another process received"
	# While PID 1 is stopped, all of them are pending at once.
	orphan=$(child_of_pid_1 "sleep 4712 ")
	kill -STOP "$pid_1"
	eventually is_stopped "$pid_1"
	kill -KILL "$orphan"
	for signal in HUP INT QUIT TERM USR1 USR2; do
		kill -s "$signal" "$pid_1"
	done
	kill -CONT "$pid_1"
	for signal in HUP INT QUIT TERM USR1 USR2; do
		poll 40 received "$signal" 3 ||
			fail "$signal, one of several at the same time, did not reach the command"
	done
	reaped "an orphan that exited when signals arrived" "$orphan"
	eventually quiet "$pid_1"
	sleep 0.1
	is "$(sort "$rootfs/signals" | uniq -c | tr -s ' \n' ' ')" \
		" 3 HUP 3 INT 3 QUIT 3 TERM 3 USR1 3 USR2 " \
		"signals that the command received"
}

passes_term_on() {
	start_container -i "$@" "$rootfs" sh -c '
		trap "exit 40" TERM
		sleep 4711 & wait'
	kill -TERM "$pid_1"
	poll 150 ended || fail "TERM did not reach the command"
	ends_with 40
}

# child_of_pid_1 COMMAND-LINE - each word with a blank
child_of_pid_1() {
	for process in $(children_of "$pid_1"); do
		[ "$(tr '\0' ' ' <"/proc/$process/cmdline")" != "$1" ] ||
			echo "$process"
	done
}

# mask PID NAME - of signals: SigBlk, SigIgn
mask() {
	"$probes/start" /dev/null sed -n "s/^$2:[[:blank:]]*//p" "/proc/$1/status"
}

blocks_nothing() {
	start_container -i "$@" "$rootfs" sleep 4711
	is "$(mask "$inside" SigBlk)" "$(mask self SigBlk)" \
		"signals that the command has blocked"
	is "$(mask "$inside" SigIgn)" "$(mask self SigIgn)" \
		"signals that the command ignores"
}

# activity PID - ticks of CPU time, and how often it was scheduled; see proc(5)
activity() {
	sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 12,13 | tr '\n' ' '
	sed -n 's/.*ctxt_switches:[[:blank:]]*//p' "/proc/$1/status" | tr '\n' ' '
}

# may_use_a_timer - only such a program can look at intervals, and takes longer to
# check. The names of the functions that it calls are in the file.
may_use_a_timer() {
	found=0
	names='u?alarm|setitimer|timer_|timerfd_|.*timedwait|.*sleep'
	names=$names'|(|p|e)poll|p?select|pthread_|thrd_'
	grep -qazE "^_*($names)" "$container" || found=$?
	[ $found -ne 1 ]
}

sleeps() {
	start_container -i "$@" "$rootfs" sleep 4711
	eventually quiet "$pid_1"
	before=$(activity "$pid_1")
	sleep 0.2
	! may_use_a_timer || sleep 6
	is "$(activity "$pid_1")" "$before" \
		"CPU time and context switches of PID 1 while nothing happens"
}

leaves_nothing() {
	start_container -i "$@" "$rootfs" sleep 4711
	kill -KILL "$pid"
	ends_with 137
	eventually gone "$inside" "$pid_1"
	start_container -i "$@" "$rootfs" sleep 4711
	kill -KILL "$pid_1"
	ends_with 137
	eventually gone "$inside"
}

is_pid_1_without_option() {
	start_container "$@" "$rootfs" sleep 4711
	is "$(inner_pid "$inside")" 1 "PID of the command, inside"
	is "$(mask "$inside" SigBlk)" "$(mask self SigBlk)" \
		"signals that the command has blocked, without -i"
}

hint='fork(2) once more in the container: the parent stays PID 1'
t "-i: the command is a child of PID 1" is_a_child_of_pid_1
hint='a signal mask is inherited: restore it in the child before exec'
t "the command starts with no signal blocked or ignored" blocks_nothing
hint='orphans become children of PID 1: it waits for any child, waitpid(-1)'
t "PID 1 reaps an orphan" reaps_an_orphan
hint='SIGCHLD is not queued: wait until no child is left that has exited'
t "PID 1 reaps three orphans that exit at the same time" reaps_many_at_once
hint='the status is there once: keep it when wait returns the PID of the command'
t "the exit status is the command's" has_status
hint='which of the children that have exited is the command?'
t "also when orphans exit at the same time" has_status_of_the_command
hint='PID 1 exits as soon as the command has, even if other children live'
t "when the command exits, the container does" exits_with_the_command
hint='with WUNTRACED or SA_NOCLDWAIT, wait(2) returns for other reasons'
t "the container goes on when the command is stopped" survives_a_stop
hint='in a handler or after sigwait(3), kill(2) the command, not a group or all'
t "PID 1 passes signals on to the command, and to no other process" \
	passes_signals_on
hint='wait without WNOHANG, or wait for SIGCHLD'
t "PID 1 sleeps while nothing happens" sleeps
hint='block the signals before fork(2), or look for children before each wait'
t "a command may exit at once" exits_at_once
hint='PID 1 itself needs PR_SET_PDEATHSIG'
t "nothing outlives the launcher, nor PID 1" leaves_nothing
hint='try it with -U'
t "-U: the command is a child of PID 1, too" is_a_child_of_pid_1 -U
t "-U: PID 1 passes signals on, and the exit status is the command's" \
	passes_term_on -U
hint='fork only with -i'
t "without -i, the command is PID 1" is_pid_1_without_option
done_testing
