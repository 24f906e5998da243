#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 5.6: a terminal of its own
# Untouched: no    the container cannot type at your terminal
. "$(dirname "$0")/../../../common/test/lib.sh"

# type.c types at every terminal that it can reach.
mkdir "$scratch/layer"
compile type -static 2>/dev/null || compile type
cp "$probes/type" "$scratch/layer"
layers=$scratch/layer:$rootfs

# at_terminal SHELL-COMMAND [-U] - on a terminal, by a shell with the launcher
# and its option as arguments; its PID is in $T/caller. The script is for pty.c.
at_terminal() {
	rm -f "$T/caller"
	# shellcheck disable=SC2016 # expanded by the inner shell
	script='echo $$ >"$0"; '$1
	shift
	on_terminal "$probes/start" /dev/null sh -c "$script" "$T/caller" \
		"$container" "$@"
}

# drive SCRIPT ARGUMENTS-OF-AT-TERMINAL... - the function SCRIPT looks from
# outside, and prints lines for pty.c by say
drive() {
	script_of=$1
	shift
	{ "$script_of" 3>&1 >&4 | at_terminal "$@"; } 4>&1
	[ ! -e "$T.failed" ] || exit 1
}

say() {
	printf '%s\n' "$@" >&3
}

# end_by SIGNAL PID STATUS
end_by() {
	kill -s "$1" "$2"
	say "wait $3"
}

# has_not_typed REDIRECTION [-U] - the caller reads a line after the container
# has exited, and must get its own
has_not_typed() {
	redirection=$1
	shift
	printf '%s\n' 'expect ready' 'send yours\r' 'expect the caller got: yours' |
		at_terminal "\"\$@\" $layers /type 'not yours' $redirection
			stty sane; echo ready
			read -r line; echo \"the caller got: \$line\"" "$@"
}

# stat_field NUMBER PID - counted after the name; see proc_pid_stat(5)
stat_field() {
	sed 's/.*) //' "/proc/$2/stat" | cut -d ' ' -f "$1"
}

session() {
	stat_field 4 "$1"
}

# Its number can be that of another terminal in another /dev/pts; 0 is none.
terminal() {
	stat_field 5 "$1"
}

is_in_another_session() {
	eventually sleeper
	isnt "$(session "$inside")" "$(session "$(cat "$T/caller")")" \
		"the command's session, which is yours, with your terminal"
	end_by KILL "$inside" 137
}

cannot_type() {
	has_not_typed "" "$@"
	drive is_in_another_session "exec \"\$@\" $layers sleep 4711" "$@"
}

cannot_type_elsewhere() {
	for redirection in "</dev/null" "</dev/null >/dev/null" \
		">/dev/null 2>&1" "</dev/null >/dev/null 2>&1"; do
		has_not_typed "$redirection" "$@"
	done
}

# is_from_inside FD - of the command
is_from_inside() {
	is "$(stat -L -c %d "/proc/$inside/fd/$1")" \
		"$(stat -c %d "/proc/$inside/root/dev/pts")" \
		"the device of file $1, and that of /dev/pts inside"
}

has_its_files() {
	eventually sleeper
	isnt "$(terminal "$inside")" 0 "the command's controlling terminal, 0 is none"
	for fd in 0 1 2; do
		is_from_inside $fd
	done
	is "$(cd "/proc/$inside/fd" && stat -L -c %i 0 1 2 | uniq | wc -l)" 1 \
		"how many terminals files 0, 1 and 2 are"
	is "$(cd "/proc/$inside/fd" && echo *)" "0 1 2" "open files of the command"
	end_by KILL "$inside" 137
}

# Without a terminal among 0, 1 and 2, there is none at all.
has_no_other() {
	printf '%s\n' 'expect none' 'wait 0' |
		at_terminal "\"\$@\" $layers sh -c '
			(: </dev/tty) 2>/dev/null || exit 9' \
			</dev/null >/dev/null 2>&1 || [ \$? -ne 9 ] || echo none" "$@"
}

has_its_own() {
	drive has_its_files "exec \"\$@\" $layers sleep 4711" "$@"
	printf '%s\n' 'expect /dev/*' 'wait 0' |
		at_terminal "exec \"\$@\" $layers tty" "$@"
}

interrupts() {
	printf '%s\n' 'expect ready' 'send \003' 'expect *interrupted' 'wait 5' |
		at_terminal "exec \"\$@\" $layers sh -c '
			trap \"echo interrupted; exit 5\" INT
			echo ready; read line'"
}

# are_off SETTING... - of the caller's terminal
are_off() {
	stty -a <"/proc/$(cat "$T/caller")/fd/1" >"$T/settings"
	for setting; do
		grep -q -- "-$setting\\>" "$T/settings" || return
	done
}

becomes_raw() {
	poll 50 are_off icanon echo isig ||
		fail "your terminal is not in raw mode: see its settings with stty -a"
}

is_raw() {
	eventually sleeper
	becomes_raw
	end_by KILL "$inside" 137
}

relays_keys() {
	drive is_raw "exec \"\$@\" $layers sleep 4711"
	printf '%s\n' 'expect ready' 'send word\r' 'expect got word' 'wait 0' |
		at_terminal "exec \"\$@\" $layers sh -c '
			echo ready; read -r line; echo got \$line'"
	is "$(grep -c '^word' "$T/terminal")" 1 "how often a typed line appears"
}

# stays_as_it_is - your terminal, which is stdout but not stdin. A line was typed
# before the launcher started.
stays_as_it_is() {
	say 'expect ready' 'send go\ryours\r'
	eventually sleeper
	is_from_inside 1
	becomes_size 33 77
	stty rows 44 cols 88 <"/proc/$(cat "$T/caller")/fd/1"
	becomes_size 44 88
	! are_off icanon || fail "your terminal is in raw mode, but it is not stdin"
	kill -KILL "$inside"
	# The terminal may show what is typed before or after what the caller prints.
	say 'expect ended' 'send another\r' 'expect *the caller got: yours*'
}

# What is typed is for the process that reads from your terminal.
leaves_stdin() {
	drive stays_as_it_is "stty rows 33 cols 77; echo ready; read -r go
		\"\$@\" $layers sleep 4711 </dev/null
		echo ended; read -r line; echo \"the caller got: \$line\""
	printf '%s\n' 'expect got piped' 'wait 4' |
		at_terminal "echo piped | \"\$@\" $layers sh -c '
			read -r line; echo got \$line; exit 4'"
}

# restores STATUS COMMAND [SCRIPT] - your settings, after it has exited
restores() {
	{
		"${3-:}"
		say 'expect settings: as before' "expect status: $1"
	} 3>&1 >&4 | at_terminal "before=\$(stty -g); status=0
		\"\$@\" $layers $2 || status=\$?
		[ \"\$(stty -g)\" != \"\$before\" ] || echo settings: as before
		[ \"\$(stty -g)\" = \"\$before\" ] || echo settings: changed
		echo status: \$status"
} 4>&1

kills_container() {
	eventually sleeper
	becomes_raw
	kill -KILL "$inside"
}

terminates_launcher() {
	eventually sleeper
	becomes_raw
	kill -TERM "$(children_of "$(cat "$T/caller")")"
}

restores_settings() {
	restores 7 "sh -c 'exit 7'"
	restores 127 no-such-command
	restores 137 "sleep 4711" kills_container
	restores 143 "sleep 4711" terminates_launcher
	layers=none
	restores 125 true
}

# others_inside - processes in the PID namespace of $inside, but not itself
others_inside() {
	for dir in /proc/[0-9]*; do
		[ "$dir" = "/proc/$inside" ] || [ "$(ns_of "$inside" pid)" != \
			"$(ns_of "${dir#/proc/}" pid 2>/dev/null)" ] ||
			tr '\0' ' ' <"$dir/cmdline"
	done
}

is_alone() {
	eventually sleeper
	becomes_raw
	is "$(others_inside)" "" "processes inside, besides the command"
	end_by KILL "$inside" 137
}

shows_no_relay() {
	drive is_alone "exec \"\$@\" $layers sleep 4711" "$@"
}

# It sends much before it reads what is typed.
copies_both_ways() {
	i=0
	{
		echo 'expect ready'
		while [ $i -lt 150 ]; do
			i=$((i + 1))
			printf '%s\n' "send line $i ........................\r"
		done
		printf '%s\n' 'send end\r' 'expect got 151 lines' 'wait 0'
	} | at_terminal "exec \"\$@\" $layers sh -c '
		echo ready; head -c 200000 /dev/zero | tr \"\\\\0\" x; echo
		n=1; while read -r line && [ \"\$line\" != end ]; do
			n=\$((n + 1)); done; echo got \$n lines'"
}

# becomes_size ROWS COLUMNS - inside
becomes_size() {
	poll 50 inner_size_is "$1 $2" ||
		fail "rows and columns inside: $(inner_size), expected $1 $2"
}

inner_size() {
	{ stty size <"/proc/$inside/fd/1"; } 2>/dev/null
}

inner_size_is() {
	[ "$(inner_size)" = "$1" ]
}

# Twice, because a handler can be reset; and bytes are still copied after that.
changes_size() {
	eventually sleeper
	becomes_size 33 77
	becomes_raw
	for size in 44:88 22:66; do
		stty rows ${size%:*} cols ${size#*:} \
			<"/proc/$(cat "$T/caller")/fd/0"
		becomes_size ${size%:*} ${size#*:}
	done
	say 'send word\r' 'expect got word' 'wait 3'
}

has_window_size() {
	drive changes_size "stty rows 33 cols 77; exec \"\$@\" $layers sh -c '
		sleep 4711 & read -r line; echo got \$line; exit 3'"
}

loses_nothing() {
	printf '%s\n' 'expect the end' 'wait 7' |
		at_terminal "exec \"\$@\" $layers sh -c '
			head -c 200000 /dev/zero | tr \"\\\\0\" x
			echo; echo the end; exit 7'"
	is "$(tr -cd x <"$T/terminal" | wc -c)" 200000 "bytes of 200000 that appeared"
}

keeps_files() {
	run sh -c 'echo in | "$@"' sh "$container" "$rootfs" \
		sh -c 'cat; echo err >&2; exit 7'
	is "$status:$out:$err" 7:in:err "status, stdout and stderr without a terminal"
	ran=
	printf '%s\n' 'expect out' 'wait 7' |
		at_terminal "exec \"\$@\" $layers sh -c '
			echo out; echo err >&2; exit 7' 2>$T/err"
	is "$(cat "$T/err")" err "a file that is stderr"
	printf '%s\n' 'send word\r' 'wait 7' |
		at_terminal "exec \"\$@\" $layers sh -c '
			read -r line; echo got \$line; exit 7' >$T/out"
	is "$(cat "$T/out")" "got word" "a file that is stdout"
	start "$container" "$rootfs" sleep 4711
	eventually sleeper
	is "$(cd "/proc/$inside/fd" && echo *)" "0 1 2" \
		"open files of a command without a terminal"
}

# promise - one test, if those before it passed: a wrong program may wait long
promise() {
	[ $failed -gt 0 ] || t "$@"
}

hint='setsid(2) leaves your session; open a new terminal from /dev/ptmx inside'
promise "the container cannot type at your terminal" cannot_type
hint='replace those of 0, 1 and 2 that are a terminal; always leave the session'
promise "even if stdin, stdout or stderr is redirected" cannot_type_elsewhere
hint='after setsid(2), ioctl TIOCSCTTY; the terminal is from /dev/pts inside'
promise "the command has a terminal of the container's /dev/pts" has_its_own
hint='your terminal is in raw mode meanwhile: cfmakeraw(3), tcsetattr(3)'
promise "what is typed is echoed once, by the container's terminal" relays_keys
hint='the session leader needs a controlling terminal: setsid(2), TIOCSCTTY'
promise "Ctrl-C is a signal for the container's foreground job" interrupts
hint='read until EIO, even after the command has exited'
promise "all output appears, and the exit status is the command's" loses_nothing
hint='tcsetattr(3) with the settings from before: after EIO, and for TERM'
promise "your settings are restored, however the container ends" restores_settings
hint='after unshare(2), all children of the launcher are in the new PID namespace'
promise "no process of the launcher can be seen inside" shows_no_relay
hint='neither direction waits for the other one: poll(2)'
promise "keys wait until the command reads them, output does not" copies_both_ways
hint='TIOCGWINSZ, TIOCSWINSZ: before the command starts, and for SIGWINCH'
promise "it has the size of your window, also a new size" has_window_size
hint='isatty(3) for each of 0, 1 and 2: without any, open no new terminal'
promise "without a terminal, the command has none" has_no_other
hint='copy from stdin, and change settings, only if stdin is your terminal'
promise "if stdin is not your terminal, it stays stdin" leaves_stdin
hint='isatty(3) for each of 0, 1 and 2; without a terminal, no open file is left'
promise "pipes and files stay stdin, stdout and stderr" keeps_files
hint='try it with -U'
promise "-U: the container cannot type at your terminal" cannot_type -U
promise "-U: the command has a terminal of the container's /dev/pts" has_its_own -U
done_testing
