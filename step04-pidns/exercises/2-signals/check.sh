#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 4.2: a launcher that passes TERM on
# Untouched: it did not start
. "$(dirname "$0")/../../../common/test/lib.sh"

# The shell opens /dev/null for a command with &, and a test writes to /count.
cp -RP "$rootfs" "$scratch/root"
rootfs=$scratch/root
: >"$rootfs/dev/null"

# start_container OPTION... [COMMAND...] - sets $pid, the launcher, and $inside,
# the process that runs `sleep 4711`
start_container() {
	start "$container" "$@"
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
	[ "$(grep -cs '^State:	S\|^SigPnd:	0*$\|^ShdPnd:	0*$' \
		"/proc/$1/status")" = 3 ]
}

has_received() {
	quiet "$pid" || ended
}

# send SIGNAL - and wait until the launcher has received it
send() {
	kill -s "$1" "$pid"
	poll 150 has_received || :
	sleep 0.05
}

is_stopped() {
	grep -qs '^State:	T' "/proc/$1/status"
}

parent_of() {
	sed -n 's/^PPid:[[:blank:]]*//p' "/proc/$1/status"
}

# log_terms - a script for the command: it and another process write down each
# TERM that they receive
# shellcheck disable=SC2016 # for the shell inside
log_terms='
	trap "echo TERM >>/terms" TERM
	(
		trap "echo other >>/terms" TERM
		sleep 4711 &
		while :; do wait; done
	) &
	while :; do wait; done'

has_terms() {
	[ -s "$rootfs/terms" ]
}

# In a session of its own: TERM for the launcher's process group must reach
# nothing else.
term_reaches_the_command() {
	rm -f "$rootfs/terms"
	start setsid "$container" "$@" -s "$rootfs" sh -c "$log_terms"
	eventually started
	# SIGCHLD does not always mean that the child has exited.
	command=$(children_of "$pid")
	kill -STOP "$command"
	eventually is_stopped "$command"
	kill -CONT "$command"
	send TERM
	poll 150 has_terms || fail "TERM did not reach the command"
	is "$(cat "$rootfs/terms")" TERM "signals that the command received"
	send TERM
	poll 150 ended || fail "the second TERM did not kill the command"
	ends_with 137
	is "$(cat "$rootfs/terms")" TERM "signals that the command received"
}

has_its_status() {
	start_container -s "$rootfs" sh -c '
		trap "exit 40" TERM
		sleep 4711 & wait'
	send TERM
	poll 150 ended || fail "TERM did not reach the command"
	ends_with 40
}

# may_use_a_timer - only such a program takes longer to check. The names of the
# functions that it calls are in the file.
may_use_a_timer() {
	found=0
	names='u?alarm|setitimer|timer_|timerfd_|.*timedwait|.*sleep'
	names=$names'|(|p|e)poll|p?select|pthread_|thrd_|system'
	grep -qazE "^_*($names)" "$container" || found=$?
	[ $found -ne 1 ]
}

# The caller decides when the command has had enough time. Docker takes 10 seconds
# for enough.
second_term_kills() {
	start_container "$@" -s "$rootfs" sleep 4711
	send TERM
	: >"$T.asserted"
	sleeper || fail "the first TERM killed a command without a handler"
	! may_use_a_timer || ! poll 600 ended ||
		fail "a timer killed the command: only a second TERM may"
	send TERM
	poll 150 ended || fail "the second TERM did not kill the command"
	ends_with 137
}

# press_ctrl_c TIMES - writes the script for the terminal to file 3
press_ctrl_c() {
	# It is late with what it does: a second INT would not be merged.
	kill -STOP "$launcher"
	printf '%s\n' 'send \003' >&3
	eventually has_ints "$1"
	kill -CONT "$launcher"
	poll 150 quiet "$launcher" || fail "Ctrl-C number $1 killed the launcher"
	sleep 0.1
	# It is quiet only if no KILL is pending.
	poll 150 quiet "$init" || fail "Ctrl-C number $1 killed the container"
	is "$(wc -l <"$rootfs/count")" "$1" "INT that the command received"
}

# has_ints NUMBER - or more
has_ints() {
	[ -e "$rootfs/count" ] && [ "$(wc -l <"$rootfs/count")" -ge "$1" ]
}

presses_ctrl_c() {
	eventually sleeper
	init=$(parent_of "$inside")
	launcher=$(parent_of "$init")
	press_ctrl_c 1
	press_ctrl_c 2
	kill -TERM "$launcher"
	poll 150 has_terms ||
		fail "the first TERM, after Ctrl-C, did not reach the command"
	press_ctrl_c 3
	kill -KILL "$init"
	echo wait 137 >&3
}

ctrl_c_comes_once() {
	rm -f "$rootfs/terms"
	{
		presses_ctrl_c 3>&1 >&4 |
			on_terminal "$probes/start" /dev/null \
				"$container" -s "$rootfs" sh -c '
					trap "echo interrupted >>/count" INT
					trap "echo TERM >>/terms" TERM
					sleep 4711 &
					while :; do wait; done'
	} 4>&1
}

gives_the_terminal_back() {
	# shellcheck disable=SC2016 # for the shell inside
	on_terminal "$probes/start" /dev/null sh -c '
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
	on_terminal "$probes/start" /dev/null sh -c '
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
	for code in 7 0 255; do
		run "$container" -s "$rootfs" sh -c "exit $code"
		is "$status" $code "exit status"
		is "$err" "" "stderr"
	done
	run "$container" -s "$rootfs" no-such-command
	is "$status" 127 "exit status for a command that does not exist"
	start_container -s "$rootfs" sleep 4711
	kill -KILL "$inside"
	ends_with 137
}

# A command that exits before its parent does anything else: see late.c.
exits_at_once() {
	"${CC:-cc}" -shared -fPIC -o "$T/late.so" "$here/../1-init/late.c" -ldl
	start env LD_PRELOAD="$T/late.so" "$container" -s "$rootfs" sh -c 'exit 7'
	: >"$T.asserted"
	poll 150 ended || fail "the exit of a command that exits at once is missed"
}

# mask PID NAME - of signals: SigBlk, SigIgn
mask() {
	"$probes/start" /dev/null sed -n "s/^$2:[[:blank:]]*//p" "/proc/$1/status"
}

blocks_nothing() {
	start_container "$@" "$rootfs" sleep 4711
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
	poll 150 ended || fail "$1 did not kill the launcher"
	ends_with "$2"
	eventually gone "$inside"
}

hint='a mask or SIG_IGN is inherited: undo it in the child before exec'
t "-s: the command starts with no signal blocked or ignored" blocks_nothing -s
# Without -s, nothing else can be checked.
[ $failed -eq 0 ] || { done_testing || exit 1; }
hint='the launcher receives TERM, and sends it to its child with kill(2)'
t "TERM of the launcher reaches the command, and no other process" \
	term_reaches_the_command
hint='wait until the command has exited, and exit with its status'
t "after TERM, the exit status is the command's" has_its_status
hint='PID 1 ignores TERM without a handler; only a second TERM becomes KILL'
t "a second TERM kills the command, and no timer does" second_term_kills
hint='the terminal sends INT to its whole foreground group: do not pass it on'
t "each Ctrl-C reaches the command once, and does not kill the launcher" \
	ctrl_c_comes_once
hint='block the signals before fork(2), or look for children before each wait'
t "a command may exit at once" exits_at_once
hint='it is not an error to have no terminal'
t "without a terminal, the exit status is the command's" needs_no_terminal
hint='wait_for_exit() takes the terminal back: call it with -s as well'
t "after a shell in the container, the caller can read from the terminal" \
	gives_the_terminal_back
hint='has the foreground group exited? If not, leave the terminal to it'
t "a launcher in the background does not take the terminal" \
	takes_nothing_in_the_background
hint='keep PR_SET_PDEATHSIG'
t "KILL of the launcher leaves no process" killed_by KILL 137 -s
hint='pass signals on only with -s'
t "without -s, TERM kills the launcher and the command" killed_by TERM 143
t "without -s, INT does as well" killed_by INT 130
t "without -s, the command starts with no signal blocked" blocks_nothing
hint='try it with -U'
t "-U: TERM of the launcher reaches the command" term_reaches_the_command -U
done_testing
