#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 4.5: the container's clocks begin at zero
# Untouched: time namespace of the command
. "$(dirname "$0")/../../../common/test/lib.sh"
patience=3

needs_time_namespaces() {
	[ -e /proc/self/ns/time ] || skip "needs Linux 5.6 with CONFIG_TIME_NS"
}

# start_container [-U] - sets $pid, the launcher, and $inside, the command
start_container() {
	needs_time_namespaces
	start "$container" "$@" "$rootfs" sleep 4711
	eventually started_or_ended
	! ended || fail "it did not start: $(cat "$T/start.err")"
}

started_or_ended() {
	sleeper || ended
}

# In each test, the arguments are -U or none.

has_its_own() {
	start_container "$@"
	isnt "$(ns_of "$inside" time)" "$(ns_of self time)" \
		"time namespace of the command"
	is "$(ns_of "$pid" time)" "$(ns_of self time)" \
		"time namespace of the launcher"
}

seconds_up() {
	cut -d . -f 1 /proc/uptime
}

# small SECONDS WHAT - on a slow machine, a container needs a while to start
small() {
	: >"$T.asserted"
	[ "$1" -le 10 ] || fail "$2: $1 s, and the host's is $(seconds_up) s"
}

uptime_begins_at_0() {
	needs_time_namespaces
	run "$container" "$@" "$rootfs" cat /proc/uptime
	is "$status" 0 "status of cat /proc/uptime"
	small "${out%%.*}" "uptime inside"
}

monotonic_begins_at_0() {
	start_container "$@"
	offset=$(awk '/^monotonic/ { print $2 }' "/proc/$inside/timens_offsets")
	contains "$offset" "-" "seconds that the kernel adds to CLOCK_MONOTONIC"
}

for option in '' -U; do
	with=${option:+$option: }
	hint='unshare(2) and the offsets before fork(2): they are for the next child'
	t "${with}the command has a time namespace, the launcher the host's" \
		has_its_own $option
	hint="subtract: write 'boottime -SECONDS 0' to /proc/self/timens_offsets"
	t "${with}uptime begins at 0" uptime_begins_at_0 $option
	hint="another line in the same file: 'monotonic -SECONDS 0'"
	t "${with}CLOCK_MONOTONIC as well" monotonic_begins_at_0 $option
done
done_testing
