#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 4.2: a launcher that passes TERM on
# Untouched: it did not start
. "$(dirname "$0")/../../../common/test/lib.sh"
patience=2

# The shell opens /dev/null for a command with &, and a test writes to /count.
cp -RPx "$rootfs" "$scratch/root"
rootfs=$scratch/root
: >"$rootfs/dev/null"

# start_container OPTION... [COMMAND...] - sets $pid, the launcher, and $inside,
# the process that runs `sleep 4711`
start_container() {
	start env --default-signal "$container" "$@"
	eventually started
	! ended || fail "it did not start: $(cat "$T/start.err")"
}

started() {
	sleeper || ended
}

gone() {
	[ ! -e "/proc/$1" ]
}

# quiet PID - it sleeps, and has received its signals
quiet() {
	[ "$(grep -c '^State:	S\|^SigPnd:	0*$\|^ShdPnd:	0*$' \
		"/proc/$1/status")" = 3 ]
}

# send SIGNAL - and wait until the launcher has received it
send() {
	kill -s "$1" "$pid"
	poll 20 quiet "$pid" || :
	sleep 0.05
}

parent_of() {
	sed -n 's/^PPid:[[:blank:]]*//p' "/proc/$1/status"
}

term_reaches_the_command() {
	start_container -s "$rootfs" sh -c '
		trap "exit 40" TERM
		sleep 4711 & wait'
	send TERM
	poll 40 ended || fail "TERM did not reach the command"
	ends_with 40
}

second_term_kills() {
	start_container -s "$rootfs" sleep 4711
	send TERM
	: >"$T.asserted"
	sleeper || fail "the first TERM killed a command without a handler"
	send TERM
	poll 40 ended || fail "the second TERM did not kill the command"
	ends_with 137
}

# press_ctrl_c - writes the script for the terminal to file 3
press_ctrl_c() {
	eventually sleeper
	launcher=$(parent_of "$(parent_of "$inside")")
	# It is late with what it does: a second INT would not be merged.
	kill -STOP "$launcher"
	printf '%s\n' 'send \003' >&3
	eventually [ -s "$rootfs/count" ]
	kill -CONT "$launcher"
	poll 20 quiet "$launcher" || fail "Ctrl-C killed the launcher"
	sleep 0.05
	is "$(wc -l <"$rootfs/count")" 1 "INT that the command received"
	kill -KILL "$(parent_of "$inside")"
	echo wait 137 >&3
}

ctrl_c_comes_once() {
	{
		press_ctrl_c 3>&1 >&4 |
			on_terminal env --default-signal \
				"$container" -s "$rootfs" sh -c '
					trap "echo interrupted >>/count" INT
					sleep 4711 &
					while :; do wait; done'
	} 4>&1
}

gives_the_terminal_back() {
	# shellcheck disable=SC2016 # for the shell inside
	on_terminal env --default-signal sh -c '
		"$@"
		echo "exited $?"
		read -r line
		echo "read $line"' sh "$container" -s "$rootfs" <<-'END'
		expect #
		send exit 5\r
		expect exited *
		send hello\r
		expect read hello
		wait 0
	END
}

takes_nothing_in_the_background() {
	# shellcheck disable=SC2016 # for the shell inside
	on_terminal env --default-signal sh -c '
		set -m
		"$@" &
		wait $!
		echo "exited $?"
		read -r line
		echo "read $line"' sh "$container" -s "$rootfs" \
		sh -c 'exit 5' <<-'END'
		expect exited 5
		send hello\r
		expect read hello
		wait 0
	END
}

needs_no_terminal() {
	run "$container" -s "$rootfs" sh -c 'exit 7'
	is "$status" 7 "exit status"
	is "$err" "" "stderr"
	run "$container" -s "$rootfs" no-such-command
	is "$status" 127 "exit status for a command that does not exist"
}

# mask PID NAME - of signals: SigBlk, SigIgn
mask() {
	env --default-signal sed -n "s/^$2:[[:blank:]]*//p" "/proc/$1/status"
}

blocks_nothing() {
	start_container -s "$rootfs" sleep 4711
	blocked=$(mask "$inside" SigBlk)
	ignored=$(mask "$inside" SigIgn)
	# TERM would not do it.
	kill -KILL "$pid"
	is "$blocked" "$(mask self SigBlk)" \
		"signals that the command has blocked"
	is "$ignored" "$(mask self SigIgn)" "signals that the command ignores"
}

# killed_by SIGNAL STATUS [OPTION] - the launcher, and the command with it
killed_by() {
	# shellcheck disable=SC2086 # may be empty
	start_container ${3-} "$rootfs" sleep 4711
	kill -s "$1" "$pid"
	ends_with "$2"
	eventually gone "$inside"
}

hint='a mask or SIG_IGN is inherited: undo it in the child before exec'
t "-s: the command starts with no signal blocked or ignored" blocks_nothing
# Without -s, nothing else can be checked.
[ $failed -eq 0 ] || { done_testing || exit 1; }
hint='the launcher receives TERM, and sends it to its child with kill(2)'
t "TERM of the launcher reaches the command" term_reaches_the_command
hint='PID 1 ignores TERM without a handler; the second time, send KILL'
t "a second TERM kills the command" second_term_kills
hint='the terminal sends INT to its whole foreground group: do not pass it on'
t "Ctrl-C reaches the command once, and does not kill the launcher" \
	ctrl_c_comes_once
hint='no terminal is no error'
t "without a terminal, the exit status is the command's" needs_no_terminal
hint='tcsetpgrp(3) after the wait, with SIGTTOU blocked or ignored'
t "after a shell in the container, the caller can read from the terminal" \
	gives_the_terminal_back
hint='has the foreground group exited? If not, leave the terminal to it'
t "a launcher in the background does not take the terminal" \
	takes_nothing_in_the_background
hint='PR_SET_PDEATHSIG, as before'
t "KILL of the launcher leaves no process" killed_by KILL 137 -s
hint='pass signals on only with -s'
t "without -s, TERM kills the launcher and the command" killed_by TERM 143
done_testing
