#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-terminal - at a terminal: job control outside and inside, Ctrl-C, Ctrl-Z,
# and whose terminal it is afterwards
. "$(dirname "$0")/lib.sh"

# at_terminal SESSION COMMAND... - runs COMMAND on a terminal. SESSION is a
# function that types and looks at the processes in between. What is typed is
# shown, too: it has quotes in it where only what is printed is expected.
at_terminal() {
	session=$1
	shift
	# Who runs the tests in the background ignores Ctrl-C: the default again.
	(
		trap '[ $? -eq 0 ] || : >"$T.failed"' EXIT
		"$session"
	) 3>&1 >&2 | on_terminal env --default-signal "$@"
}

# in_shell SESSION - in an interactive $shell, whose prompt is "outer: "
in_shell() {
	case $shell in
	bash) set -- "$1" bash --norc --noprofile --noediting -i ;;
	*) set -- "$1" "$shell" -i ;;
	esac
	unset PS1
	at_terminal "$@"
}

# The lines of pty.c's script; they go ahead of what happens on the terminal.
type_keys() {
	printf 'send %s\n' "$1" >&3
}

type_line() {
	type_keys "${1-}\r"
}

expect() {
	printf 'expect %s\n' "$1" >&3
}

hang_up() {
	echo close >&3
}

log_in() {
	type_line "PS1='out''er: '"
	expect 'outer: '
}

# log_out STATUS - the shell has the terminal back, and STATUS of its last job
log_out() {
	expect 'outer: '
	type_line "echo st''atus \$?"
	expect "status $1"
	type_line 'exit 6'
	echo "wait 6" >&3
}

# shows PATTERN - the terminal, as far as something there was expected
shows() {
	grep -q "$1" "$T/terminal"
}

# launched WORD... - sets $pid to the launcher with these arguments and $inside
# to its child
launched() {
	pid='' inside=''
	for dir in /proc/[0-9]*; do
		[ "$(tr '\0' ' ' 2>/dev/null <"$dir/cmdline")" = \
			"$container $* " ] || continue
		# The child has them, too, until it executes the command.
		children=$(children_of "${dir#/proc/}")
		[ -n "$children" ] || continue
		pid=${dir#/proc/} inside=$children
	done
	[ -n "$pid" ]
}

# running WORD... - sets $worker to the process with these arguments
running() {
	worker=
	for dir in /proc/[0-9]*; do
		[ "$(tr '\0' ' ' 2>/dev/null <"$dir/cmdline")" != "$* " ] ||
			worker=${dir#/proc/}
	done
	[ -n "$worker" ]
}

# in_state STATE PID... - S: sleeps, T: is stopped
in_state() {
	state=$1
	shift
	for process; do
		grep -qs "^State:	$state" "/proc/$process/status" ||
			return 1
	done
}

# stat_of PID - PARENT GROUP SESSION TERMINAL FOREGROUND and so on
stat_of() {
	sed 's/.*) [A-Z] //' "/proc/$1/stat"
}

in_foreground() {
	# shellcheck disable=SC2046 # words
	set -- $(stat_of "$1")
	[ "$2" = "$5" ]
}

no_signal_waits() {
	grep -q '^ShdPnd:	0*$' "/proc/$pid/status"
}

# Or a zombie, whose parent has not asked for its status yet
gone() {
	for process; do
		[ ! -e "/proc/$process" ] || in_state Z "$process" || return 1
	done
}

# ---- An interactive shell in the container ----

# dash gives the terminal back to the group that it was started in. That one has
# no number in the container's PID namespace, so dash complains and fails.
wants_another_shell_than_dash() {
	[ -e "$rootfs/bin/busybox" ] ||
		skip "the shell in ROOTFS may be dash, which cannot do this"
}

shell_inside() {
	wants_another_shell_than_dash
	log_in
	type_line "$container $rootfs"
	expect '# '
	type_line "echo in''side \$\$"
	expect 'inside 1'
	type_line 'sleep 4711'
	eventually running sleep 4711
	eventually in_foreground "$worker"
	launched "$rootfs"
	type_keys '\032'
	expect topped # Stopped, say some shells, and some: stopped
	eventually in_state T "$worker"
	eventually in_foreground "$inside"
	in_state S "$pid" "$inside" || fail "the launcher stops, too"
	type_line fg
	eventually in_state S "$worker"
	eventually in_foreground "$worker"
	type_keys '\003'
	type_line "echo st''ill \$\$"
	expect 'still 1'
	type_line 'exit 5'
	log_out "$(exit_status 5)"
}

# exit_status N - of an interactive shell inside, where that can be told: dash
# wants to give the terminal back to the launcher's process group, which it
# cannot see from its PID namespace, and makes an error of that.
exit_status() {
	[ ! -e "$rootfs/bin/busybox" ] || echo "$1"
}

# The shell inside made its own process group the foreground. With that gone,
# a script, which has no job control, could not read.
script() {
	cat <<-END
	$container $rootfs
	echo "status \$?"
	read -r line
	echo "line <\$line>"
	read -r stat </proc/\$\$/stat
	set -- \${stat##*) }
	echo "foreground \$((\$3 == \$6))"
	END
}

script_after_shell() {
	wants_another_shell_than_dash
	expect '# '
	type_line 'exit 3'
	expect "status $(exit_status 3)"
	type_line 'a word'
	expect 'line <a word>'
	expect 'foreground 1'
	echo 'wait 0' >&3
}

script_after_killed_shell() {
	expect '# '
	type_line "echo in''side"
	expect inside
	eventually shows inside
	launched "$rootfs"
	in_foreground "$inside"
	kill -KILL "$inside"
	expect 'status 137'
	type_line 'a word'
	expect 'line <a word>'
	expect 'foreground 1'
	echo 'wait 0' >&3
}

# ---- Ctrl-Z, fg and bg for commands that know nothing of jobs ----

stop_and_continue() {
	set -- "$rootfs" sh -c 'sleep 4711; exit 9'
	[ -z "$user" ] || set -- "$user" "$@"
	log_in
	type_line "$container $user $rootfs sh -c 'sleep 4711; exit 9'"
	eventually running sleep 4711
	launched "$@"
	for how in bg fg; do
		eventually in_foreground "$worker"
		type_keys '\032'
		expect topped
		eventually in_state T "$pid" "$inside" "$worker"
		expect 'outer: '
		type_line jobs
		expect topped
		type_line "$how"
		eventually in_state S "$pid" "$inside" "$worker"
		[ "$how" = fg ] || type_line fg
	done
	eventually in_foreground "$worker"
	kill -KILL "$worker"
	expect sleep
	log_out 9
}

stop_a_reader() {
	wants_another_shell_than_dash
	log_in
	type_line "$container $rootfs cat"
	type_line one
	expect one
	expect one
	type_keys '\032'
	expect topped
	expect 'outer: '
	type_line "echo be''tween"
	expect between
	type_line fg
	expect cat
	type_line two
	expect two
	expect two
	type_keys '\004'
	log_out 0
}

# Whoever reads in the background is stopped. PID 1 would not be and would try
# again and again, were it not for its launcher.
read_in_background() {
	log_in
	type_line "$container $rootfs cat &"
	eventually launched "$rootfs" cat
	eventually in_state T "$pid" "$inside"
	# shellcheck disable=SC2046 # words
	set -- $(stat_of "$inside")
	[ $((${11} + ${12})) -le 20 ] || fail "CPU time: ${11} + ${12}"
	type_line ""
	expect topped
	type_line fg
	eventually in_state S "$inside"
	type_line one
	expect one
	expect one
	type_keys '\004'
	log_out 0
}

# A container that ends in the background leaves the terminal to the shell.
end_in_background() {
	log_in
	type_line "$container $rootfs cat /missing 2>&1 & wait"
	expect missing
	expect 'outer: '
	type_line 'read -r a b c d group f g foreground rest </proc/$$/stat'
	type_line "echo is''it \$((group == foreground))"
	expect 'isit 1'
	type_line :
	expect 'outer: '
	log_out 0
}

# ---- Ctrl-C and Ctrl-\ ----

# The terminal sends them to the command, too, and there they count.
interrupt_a_handler() {
	cat >"$T/command" <<-'END'
	trap 'echo interrupted' INT
	trap 'echo quitting; exit 5' QUIT
	echo ready
	while :; do read -r x || :; done
	END
	log_in
	type_line "$container $rootfs sh -c \"\$(cat $T/command)\""
	expect ready
	# With Enter, for a shell that gets the signal just before it reads.
	for key in 003:interrupted 003:interrupted 034:quitting; do
		type_keys "\\${key%:*}"
		type_line ""
		expect "${key#*:}"
	done
	log_out 5
}

# PID 1 without a handler is deaf to them; the launcher is as well.
interrupt_process_1() {
	log_in
	type_line "$container $rootfs sleep 4711"
	eventually running sleep 4711
	launched "$rootfs" sleep 4711
	type_keys '\003'
	expect '^C'
	eventually shows '\^C'
	type_keys '\034'
	expect "^\\"
	eventually shows "\\^\\\\"
	eventually no_signal_waits
	in_state S "$pid" "$inside" || fail "Ctrl-C has ended something"
	kill -TERM "$pid"
	eventually no_signal_waits
	kill -TERM "$pid"
	log_out 137
}

interrupt_a_child() {
	log_in
	type_line "$container $rootfs sh -c 'trap : INT; sleep 4711; exit 9'"
	eventually running sleep 4711
	type_keys '\003'
	log_out 9
}

# In steps 02 and 03 the command dies of them.
interrupt() {
	log_in
	type_line "$container $rootfs sleep 4711"
	eventually running sleep 4711
	type_keys '\003'
	log_out 130
}

quit() {
	log_in
	type_line "$container $rootfs sleep 4711"
	eventually running sleep 4711
	type_keys '\034'
	log_out 131
}

# ---- Nobody could continue it, so it goes on ----

stop_without_a_shell() {
	type_line one
	expect one
	expect one
	type_keys '\032'
	type_line two
	expect two
	expect two
	type_keys '\004'
	echo 'wait 0' >&3
}

# ---- The terminal goes away ----

lose_the_terminal() {
	log_in
	type_line "$container $rootfs $command"
	# shellcheck disable=SC2086 # words
	eventually launched "$rootfs" $command
	eventually in_foreground "$inside"
	# shellcheck disable=SC2086 # words
	[ -z "$command" ] || eventually running $command
	hang_up
	eventually gone "$inside" "$pid"
}

lose_the_terminal_without_a_shell() {
	expect '# '
	eventually shows '# '
	launched "$rootfs"
	hang_up
	eventually gone "$inside" "$pid"
}

lose_it_with() {
	command=$*
	in_shell lose_the_terminal
}

stop_with() {
	user=$1
	in_shell stop_and_continue
}

shells="sh"
! command -v bash >/dev/null || shells="sh bash"
for step in $steps; do
	at_step "$step"

	[ "$n" -ge 2 ] || continue
	# From step 04 on it is the same text, which test-growth.sh holds.
	case $n in
	02 | 03 | 04) in="$shells" ;;
	*) in="sh" ;;
	esac
	for shell in $in; do
		s="$step in $shell"
		t "$s: Ctrl-Z, bg, fg" stop_with ''
		case $n in 02 | 03)
			t "$s: Ctrl-C" in_shell interrupt
			t "$s: Ctrl-\\" in_shell quit
			;;
		esac
		[ "$n" -ge 4 ] || continue
		t "$s: a shell inside" in_shell shell_inside
		[ "$n" -eq 4 ] || continue
		t "$s: Ctrl-Z, bg, fg with -U" stop_with -U
		t "$s: Ctrl-Z for who reads" in_shell stop_a_reader
		t "$s: who reads in the background" in_shell read_in_background
		t "$s: the end in the background" in_shell end_in_background
		t "$s: Ctrl-C with a handler" in_shell interrupt_a_handler
		t "$s: Ctrl-C without one" in_shell interrupt_process_1
		t "$s: Ctrl-C for a child" in_shell interrupt_a_child
		t "$s: hang-up of a shell inside" lose_it_with
		t "$s: hang-up of who reads" lose_it_with cat
	done
	[ "$n" -ge 4 ] || continue
	t "$step: a script reads after a shell inside" \
		at_terminal script_after_shell sh -c "$(script)"
	[ "$n" -eq 4 ] || continue
	t "$step: a script reads after a shell inside was killed" \
		at_terminal script_after_killed_shell sh -c "$(script)"
	t "$step: Ctrl-Z without a shell outside" \
		at_terminal stop_without_a_shell "$container" "$rootfs" cat
	t "$step: hang-up without a shell outside" \
		at_terminal lose_the_terminal_without_a_shell \
		"$container" "$rootfs"
done
done_testing
