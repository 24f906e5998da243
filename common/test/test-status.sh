#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-status - the command line, the exit status, and what the command inherits
# from the caller: the same in every step
. "$(dirname "$0")/lib.sh"

prints_usage() {
	run "$container" -h
	is "$status" 0 "status of -h"
	is "$err" "" "stderr of -h"
	contains "$out" "Usage: container [OPTION...]"
	usage=$out
	for option in '' -v -x -vx --help -- -H; do
		# shellcheck disable=SC2086 # empty: no argument at all
		run "$container" $option
		is "$status" 125 "status of '$option'"
		is "$out" "" "stdout of '$option'"
		contains "$err" "$usage" "stderr of '$option'"
	done
}

separates_options() {
	for separator in '' --; do
		# shellcheck disable=SC2016,SC2086 # for the shell inside
		run "$container" $separator "$rootfs" \
			sh -c 'printf "<%s>" "$@"' sh -v -- -x ''
		is "$out" "<-v><--><-x><>"
		is "$err" ""
	done
}

runs_a_shell() {
	# shellcheck disable=SC2016 # for the shell inside
	echo 'echo $0' >"$T/in"
	run sh -c '"$@" <"$0"' "$T/in" "$container" "$rootfs"
	is "$out" /bin/sh
}

# -v prints lines for a shell, each with the side on which it takes effect.
traces() {
	run "$container" -v "$rootfs" sh -c 'echo out'
	is "$out" out
	contains "$err" " + exec sh -c 'echo out'"
	sed '/<<END$/,/^END$/d; /^host      + /d; /^container + /d' \
		"$T/err" >"$T/rest"
	is "$(cat "$T/rest")" "" "lines that name no side"
}

# What -v prints after exec, typed into a shell, is the command again.
quotes() {
	# shellcheck disable=SC2016 # for the shell inside
	set -- sh -c 'printf "<%s>" "$@"' sh '' "it's" 'a  b' '$$' '*' '\' '"' a=b
	run "$container" -v "$rootfs" "$@"
	typed=$(sed -n 's/^[a-z]* *+ exec //p' "$T/err")
	expected=$out
	run sh -c "$typed"
	is "$out" "$expected" "$typed"
}

keeps_exit_statuses() {
	for number; do
		status=0
		"$container" "$rootfs" sh -c "exit $number" || status=$?
		is "$status" "$number"
	done
}

# PID 1 can only be killed from outside: KILL is for every step.
adds_128_to_signals() {
	for signal in KILL:137 TERM:143 HUP:129 USR1:138; do
		[ "$n" -lt 4 ] || [ "$signal" = KILL:137 ] || continue
		start "$container" "$rootfs" sleep 4711
		eventually sleeper
		kill -s "${signal%:*}" "$inside"
		ends_with "${signal#*:}"
	done
}

# `env` prints the environment that the launcher made, unlike a shell's.
has_a_clean_environment() {
	run env -i TERM=vt100 PATH=/odd HOME=/odd TMPDIR=/odd "A=b c" \
		"$container" "$rootfs" env
	is "$out" "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
HOME=/root
TERM=vt100"
	run env -i "$container" "$rootfs" env
	contains "$out" TERM=dumb
}

changes_to_home() {
	run "$container" "$rootfs" sh -c 'cd; pwd'
	is "$out" /root
	is "$err" ""
}

# fd 9 is a directory of the host: /proc/self/fd/9/.. would lead to its root.
# shellcheck disable=SC2094 # fd 8 is only open
closes_other_files() {
	(
		exec 7</ 8>"$T/file" 9</proc
		start "$container" "$rootfs" sleep 4711
		eventually sleeper
		# shellcheck disable=SC2012 # numbers
		is "$(ls "/proc/$inside/fd" | tr '\n' ' ')" "0 1 2 "
		kill -KILL "$inside"
		eventually ended
		# Inside, too: ls itself opens 3.
		run "$container" "$rootfs" ls /proc/self/fd
		is "$out" "0
1
2
3"
	)
}

passes_stdio() {
	out=$(echo hello | "$container" "$rootfs" \
		sh -c 'read -r line; echo "$line"; echo error >&2' 2>"$T/err")
	is "$out" hello
	is "$(cat "$T/err")" error
}

for step in $steps; do
	at_step "$step"
	numbers="0 1 125 126 127 128 255"
	[ "$n" != 04 ] || numbers=$(seq 0 255) # wait_for_exit() is the same

	t "$step: -h and wrong options print the usage" prints_usage
	t "$step: options end at ROOTFS" separates_options
	t "$step: COMMAND is /bin/sh by default" runs_a_shell
	t "$step: -v prints shell commands" traces
	t "$step: ... with the command's words quoted" quotes
	# shellcheck disable=SC2086 # words
	t "$step: the exit status is the command's" \
		keeps_exit_statuses $numbers
	t "$step: ... or 128+N after signal N" adds_128_to_signals
	t "$step: stdin, stdout and stderr are the caller's" passes_stdio
	t "$step: the environment is PATH, HOME and TERM" \
		has_a_clean_environment
	t "$step: cd goes to /root" changes_to_home
	[ "$n" -ge 4 ] || continue
	t "$step: other open files are closed" closes_other_files
done
done_testing
