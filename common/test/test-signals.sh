#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-signals - whatever signal ends the launcher or the command, and whenever:
# what the step promises to clean up is clean
. "$(dirname "$0")/lib.sh"

# begin [OPTION...] - `sleep 4711` in a container, running
begin() {
	start "$container" "$@" "$rootfs" sleep 4711
	eventually sleeper
}

# with_null - a shell opens /dev/null for what it runs in the background
with_null() {
	cp -RPx "$rootfs" "$T/root"
	rootfs=$T/root
	[ -e "$rootfs/dev/null" ] || : >"$rootfs/dev/null"
}

# mounted DIR
mounted() {
	grep -q " $1 " /proc/self/mountinfo
}

gone() {
	for process; do
		[ ! -e "/proc/$process" ] || return 1
	done
}

# gone_all WORD - no process has WORD among its arguments
gone_all() {
	! grep -qs "$1" /proc/[0-9]*/cmdline
}

# in_namespace TYPE INODE - prints the processes that are in that namespace
in_namespace() {
	for dir in /proc/[0-9]*; do
		case $(readlink "$dir/ns/$1") in
		*"$2"*) echo "${dir#/proc/}" ;;
		esac
	done 2>/dev/null
}

# sleepers N - so many processes run `sleep 4711` in one PID namespace
sleepers() {
	sleeper || return 1
	[ "$(in_namespace pid "$(ns_of "$inside" pid)" | wc -l)" -eq "$1" ]
}

empty() {
	[ -z "$(in_namespace "$@")" ]
}

# The launcher has taken all the signals that were sent to it.
no_signal_waits() {
	grep -q '^ShdPnd:	0*$' "/proc/$pid/status"
}

# ---- Steps 02 and 03: the launcher hands on all it gets ----

hands_signals_on() {
	for signal in HUP INT QUIT USR1 USR2 ALRM TERM; do
		begin
		[ "$n" != 02 ] || mounted "$rootfs/proc"
		kill -s "$signal" "$pid"
		case $signal in
		HUP) ends_with 129 ;;
		INT) ends_with 130 ;;
		QUIT) ends_with 131 ;;
		USR1) ends_with 138 ;;
		USR2) ends_with 140 ;;
		ALRM) ends_with 142 ;;
		TERM) ends_with 143 ;;
		esac
		gone "$inside" || fail "the command outlives SIG$signal"
		! mounted "$rootfs/proc" || fail "/proc outlives SIG$signal"
		is "$(cat "$T/start.out" "$T/start.err")" ""
	done
}

survives_the_command() {
	with_null
	begin
	kill -KILL "$inside"
	ends_with 137
	! mounted "$rootfs/proc" || fail "/proc is left behind"
	# A command that leaves a process behind, in /proc.
	run "$container" "$rootfs" sh -c 'cd /proc && sleep 4711 & exit 5'
	is "$status $err" "5 "
	! mounted "$rootfs/proc" || fail "/proc is left behind"
	[ "$n" -ge 4 ] || {
		eventually sleeper
		kill -KILL "$inside"
		eventually gone "$inside"
	}
}

# A signal at any moment of the start: $work turns of a loop are 0 to some
# milliseconds.
ends_at_any_moment() {
	work=0
	while [ "$work" -lt 20000 ]; do
		work=$((work + work / 8 + 1))
		"$container" "$rootfs" sleep 4711 >>"$T/out" 2>&1 &
		pid=$!
		i=0
		while [ "$i" -lt "$work" ]; do
			i=$((i + 1))
		done
		kill -TERM "$pid"
		ends_with 143
		gone_all 4711 || fail "the command is left behind"
	done
	is "$(cat "$T/out")" ""
}

# The lesson of step 02: nobody cleans up after SIGKILL.
leaves_a_mount_when_killed() {
	begin
	kill -KILL "$pid"
	ends_with 137
	mounted "$rootfs/proc" || fail "who has unmounted /proc?"
	kill -0 "$inside"
	kill -KILL "$inside"
	eventually gone "$inside"
	umount "$rootfs/proc"
	! mounted "$rootfs/proc" || fail "umount does not mend it"
}

# Since step 03, also when the host's mounts are shared, as systemd has them:
# what is mounted inside appears on no other machine's mount table.
keeps_mounts_to_itself() {
	mkdir "$T/disk"
	mount -t tmpfs tmpfs "$T/disk"
	mount --make-shared "$T/disk"
	mount --make-shared /
	cp -RPx "$rootfs" "$T/disk/root"
	begin_in "$T/disk/root" "$@"
	mounts=$(cut -d ' ' -f 3- /proc/self/mountinfo)
	lacks "$mounts" "$T/disk/root"
	kill -KILL "$pid"
	ends_with 137
	is "$(cut -d ' ' -f 3- /proc/self/mountinfo)" "$mounts"
	if [ "$n" = 03 ]; then
		kill -0 "$inside"
		kill -KILL "$inside"
	fi
	eventually gone "$inside"
	umount "$T/disk"
	mount --make-private /
}

begin_in() {
	rootfs=$1
	shift
	begin "$@"
}

# ---- Step 04: PID 1 ----

# The host's view: another PID namespace, in which the command is number 1.
is_process_1() {
	begin "$@"
	set -- "$(ns_of self pid)" "$(ns_of "$inside" pid)"
	isnt "$1" "$2" "PID namespace"
	is "$(ns_of "$pid" pid)" "$1" "the launcher's PID namespace"
	is "$(in_namespace pid "$2")" "$inside" "processes in the container"
	is "$(grep NSpid: "/proc/$inside/status" | tr '\t' ' ')" \
		"NSpid: $inside 1"
	is "$(children_of "$pid")" "$inside"
	kill -KILL "$inside"
	ends_with 137
}

# The command's view.
sees_its_own() {
	# shellcheck disable=SC2016 # for the inner shell
	run "$container" "$@" "$rootfs" sh -c 'echo $$ $PPID /proc/[0-9]*'
	is "$out" "1 0 /proc/1"
	# shellcheck disable=SC2016
	run "$container" "$@" "$rootfs" sh -c \
		'kill -0 "$0" 2>&- || echo none' $$
	is "$out" none
}

# PID 1 is who gets the orphans, and who has to ask for their exit status.
takes_everything_along() {
	with_null
	run "$container" "$rootfs" sh -c 'sleep 4711 & sleep 4711 & exit 3'
	is "$status $err" "3 "
	gone_all 4711 || fail "an orphan outlives PID 1"

	start "$container" "$rootfs" sh -c 'sleep 0 & exec sleep 4711'
	eventually sleeper
	eventually zombie
	kill -KILL "$inside"
	ends_with 137
}

zombie() {
	child=$(children_of "$inside")
	[ -n "$child" ] && grep -q '^State:	Z' "/proc/$child/status"
}

# A shell with a handler for each signal; it prints their names.
# shellcheck disable=SC2016 # for the shell inside
handler='for s in TERM HUP USR1 USR2 INT QUIT; do trap "echo $s" $s; done
	sleep 4711 & echo ready; while :; do wait $!; done'

printed() {
	[ "$(tr '\n' ' ' <"$T/start.out")" = "$* " ]
}

forwards_signals() {
	with_null
	start "$container" "$@" "$rootfs" sh -c "$handler"
	eventually printed ready
	kill -HUP "$pid"
	eventually printed ready HUP
	kill -USR1 "$pid"
	eventually printed ready HUP USR1
	kill -USR2 "$pid"
	eventually printed ready HUP USR1 USR2
	# These two come from a terminal, which sends them to all.
	kill -INT "$pid"
	kill -QUIT "$pid"
	eventually no_signal_waits
	kill -TERM "$pid"
	eventually printed ready HUP USR1 USR2 TERM
	kill -TERM "$pid"
	ends_with 137
	printed ready HUP USR1 USR2 TERM || fail "$(cat "$T/start.out")"
	gone_all 4711 || fail "left behind"
}

kills_at_the_second_term() {
	begin
	for signal in INT QUIT HUP USR1 USR2 TERM; do
		kill -s "$signal" "$pid"
		eventually no_signal_waits
		gone "$inside" && fail "SIG$signal has ended PID 1"
	done
	kill -TERM "$pid"
	ends_with 137
	gone "$inside" || fail "left behind"
}

# Stopped or not: SIGKILL is for all.
ends_with_the_launcher() {
	with_null
	start "$container" "$@" "$rootfs" sh -c \
		'(sleep 4711 & exec sleep 4711) & sleep 4711 & exec sleep 4711'
	eventually sleepers 4
	pidns=$(ns_of "$inside" pid) netns=$(ns_of "$inside" net)
	isnt "$pidns" "$(ns_of self pid)"
	kill -KILL "$pid"
	ends_with 137
	eventually empty pid "$pidns"
	empty net "$netns" || fail "left in the network namespace"

	begin "$@"
	pidns=$(ns_of "$inside" pid)
	kill -STOP "$pid" "$inside"
	kill -KILL "$pid"
	ends_with 137
	eventually empty pid "$pidns"
}

# The launcher dies at any moment of the start: the container dies with it.
has_no_window() {
	work=0
	while [ "$work" -lt 40000 ]; do
		work=$((work + work / 12 + 1))
		"$container" "$@" "$rootfs" sleep 4711 >>"$T/out" 2>&1 &
		pid=$!
		i=0
		while [ "$i" -lt "$work" ]; do
			i=$((i + 1))
		done
		kill -KILL "$pid"
		wait "$pid" || :
	done
	eventually gone_all 4711
	is "$(cat "$T/out")" ""
}

# The same at each of its system calls. And at the one moment that counts: its
# child has not yet, or has just asked for a signal when the launcher dies.
has_no_window_at_any_call() {
	command -v strace >/dev/null || skip "no strace"
	# The leak checker of an instrumented program cannot work under strace.
	export ASAN_OPTIONS=detect_leaks=0
	# All its calls up to sigwait(), which is where it stays.
	strace -o "$T/calls" "$container" "$@" "$rootfs" sleep 0
	sed '1d; s/(.*//; /^rt_sigtimedwait/q' "$T/calls" |
		awk '{ print $1, ++count[$1] }' >"$T/points"
	contains "$(cat "$T/points")" "rt_sigtimedwait 1"
	while read -r name count; do
		got=0
		strace -o "$T/trace" -e trace="$name" \
			-e inject="$name:signal=KILL:when=$count" \
			"$container" "$@" "$rootfs" sleep 4711 || got=$?
		is "$got" 137 "killed at $name $count"
	done <"$T/points" 2>"$T/killed"
	eventually gone_all 4711

	for delay in delay_enter delay_exit; do
		rm -f "$T/trace"
		start strace -f -o "$T/trace" -e trace=prctl \
			-e "inject=prctl:$delay=300000" \
			"$container" "$@" "$rootfs" sleep 4711
		eventually grep -q PR_SET_PDEATHSIG "$T/trace"
		kill -KILL "$(children_of "$pid")"
		eventually gone_all 4711
	done
}

for step in $steps; do
	at_step "$step"

	case $n in 02 | 03)
		t "$step: signals to the launcher end the command" \
			hands_signals_on
		t "$step: SIGTERM at any moment" ends_at_any_moment
		;;
	esac
	[ "$n" -lt 2 ] || t "$step: the command is killed" survives_the_command
	[ "$n" != 02 ] || t "$step: SIGKILL leaves a mount, umount mends it" \
		leaves_a_mount_when_killed
	[ "$n" -ge 3 ] || continue
	# From step 06 on a launcher that is killed leaves links behind, and
	# the network needs the host's root.
	case $n in 03 | 04 | 05)
		t "$step: mounts do not leak from it" keeps_mounts_to_itself
		t "$step: mounts do not leak from it, -U" \
			keeps_mounts_to_itself -U
		;;
	esac
	[ "$n" -ge 4 ] || continue
	t "$step: the command is PID 1" is_process_1
	t "$step: it sees its own processes" sees_its_own
	t "$step: orphans and zombies end with PID 1" takes_everything_along
	t "$step: TERM, HUP, USR1 and USR2 are forwarded" forwards_signals
	t "$step: the second TERM kills" kills_at_the_second_term
	case $n in 04 | 05)
		t "$step: the command is PID 1, -U" is_process_1 -U
		t "$step: it sees its own processes, -U" sees_its_own -U
		t "$step: signals are forwarded, -U" forwards_signals -U
		t "$step: SIGKILL of the launcher ends all" \
			ends_with_the_launcher
		t "$step: the same, -U" ends_with_the_launcher -U
		t "$step: SIGKILL at any moment ends all" has_no_window
		t "$step: the same, -U" has_no_window -U
		t "$step: SIGKILL at any system call ends all" \
			has_no_window_at_any_call
		t "$step: the same, -U" has_no_window_at_any_call -U
		;;
	esac
done
done_testing
