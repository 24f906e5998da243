#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-status - the exit status is the command's, whatever signals the caller
# of the launcher ignores or blocks
. "$(dirname "$0")/lib.sh"

# returns STATUS CMD... - CMD's exit status is STATUS
returns() {
	want=$1 got=0
	shift
	"$@" || got=$?
	is "$got" "$want" "exit status of $*"
}

keeps_statuses() {
	for i; do
		returns "$i" "$container" "$rootfs" sh -c "exit $i"
	done
}

# Not for PID 1, whom a signal that it has no handler for does not reach.
adds_128_to_signals() {
	prlimit --core=0 --pid $$
	for i in 1 2 6 9 10 11 12 13 14 15 24 40 64; do
		run env --default-signal "$container" "$rootfs" \
			sh -c "kill -$i \$\$"
		is "$status" $((128 + i))
	done
}

# A crash ends PID 1, too. A program whose code starts at address 0: header and
# program header of a 64-bit little-endian ELF file, with this machine's number.
reports_a_crash() {
	prlimit --core=0 --pid $$
	cp -RPx "$rootfs" "$T/root"
	{
		printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000'
		printf '\002\000'
		dd if="$(command -v env)" bs=1 skip=18 count=2 2>/dev/null
		printf '\001\000\000\000\000\000\000\000\000\000\000\000'
		printf '\100\000\000\000\000\000\000\000\000\000\000\000'
		printf '\000\000\000\000\000\000\000\000\100\000\070\000'
		printf '\001\000\000\000\000\000\000\000'
		head -c 56 /dev/zero
	} >"$T/root/crash"
	chmod +x "$T/root/crash"
	run "$T/root/crash"
	[ "$status" -eq 139 ] || skip "this machine's programs look different"
	run "$container" "$T/root" /crash
	is "$status" 139
}

# mask PID NAME - of signals: SigIgn, SigBlk or ShdPnd
mask() {
	sed -n "s/^$2:	//p" "/proc/$1/status"
}

# The launcher has taken all that was sent to it.
no_signal_waits() {
	[ "$(mask "$pid" ShdPnd)" = 0000000000000000 ]
}

# A launcher may have other children: what was started before it in the shell
# that it replaced. Their end is not the command's.
knows_its_child() {
	run sh -c 'exit 3 & exit 4 & exec "$@"' sh \
		"$container" "$rootfs" sh -c 'exit 7'
	is "$status" 7
	start sh -c 'sleep 1234 & exec "$@"' sh \
		"$container" "$rootfs" sleep 4711
	eventually sleeper
	for child in $(children_of "$pid"); do
		[ "$child" = "$inside" ] || kill -KILL "$child"
	done
	eventually no_signal_waits
	kill -0 "$inside"
	kill -KILL "$inside"
	ends_with 137
}

survives_signals_of_its_caller() {
	for how in ignore block; do
		for signals in CHLD CHLD,TERM,INT,HUP,USR1; do
			run timeout -s KILL 10 env "--$how-signal=$signals" \
				"$container" "$rootfs" sh -c 'exit 7'
			is "$status" 7 "$how $signals"
		done
	done
}

# What nohup(1) does to a command has to reach it.
passes_on_ignored_signals() {
	start env --default-signal --ignore-signal=HUP,USR2 \
		"$container" "$rootfs" sleep 4711
	eventually sleeper
	# Who started this may have had others ignored that env cannot name.
	is "$(mask "$inside" SigIgn)" "$(env --default-signal \
		--ignore-signal=HUP,USR2 \
		sed -n 's/^SigIgn:[[:space:]]*//p' /proc/self/status)"
	[ "$n" -gt 1 ] || return 0
	kill -HUP "$pid"
	kill -USR2 "$pid"
	eventually no_signal_waits
	kill -0 "$inside"
	kill -KILL "$inside"
	ends_with 137
}

# A caller that blocks signals is no reason for the command to be deaf.
unblocks_signals() {
	start env --block-signal=HUP,TERM,INT,CHLD "$container" "$rootfs" \
		sleep 4711
	eventually sleeper
	is "$(mask "$inside" SigBlk)" 0000000000000000
	kill -TERM "$pid"
	if [ "$n" -ge 4 ]; then
		eventually no_signal_waits
		kill -TERM "$pid"
		ends_with 137
	else
		ends_with 143
	fi
}

for step in $steps; do
	at_step "$step"

	# shellcheck disable=SC2046 # numbers
	case $n in
	04) t "$step: all exit statuses" keeps_statuses $(seq 0 255) ;;
	*) t "$step: exit statuses" keeps_statuses \
		0 1 2 124 125 126 127 128 137 143 255 ;;
	esac
	[ "$n" -ge 4 ] || t "$step: 128+n for signal n" adds_128_to_signals
	t "$step: 139 for a crash" reports_a_crash
	t "$step: the caller ignores or blocks signals" \
		survives_signals_of_its_caller
	t "$step: ignored signals stay ignored" passes_on_ignored_signals
	[ "$n" -ge 2 ] || continue
	t "$step: blocked signals do not stay blocked" unblocks_signals
	t "$step: other children are not the command" knows_its_child
done
done_testing
