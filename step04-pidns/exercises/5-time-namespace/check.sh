#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 4.5: the container's clocks begin at zero
# Untouched: time namespace of the command
. "$(dirname "$0")/../../../common/test/lib.sh"

compile clocks

needs_time_namespaces() {
	[ -e /proc/self/ns/time ] || skip "needs Linux 5.6 with CONFIG_TIME_NS"
}

# start_by COMMAND... - which runs the launcher; sets $pid, its PID, and $inside,
# that of the command
start_by() {
	needs_time_namespaces
	earliest=$("$probes/clocks")
	start "$@" "$rootfs" sleep 4711
	eventually started_or_ended
	latest=$("$probes/clocks")
	! ended || fail "it did not start: $(cat "$T/start.err")"
}

started_or_ended() {
	sleeper || ended
}

# In each test, the arguments are the launcher, with -U or not.

has_its_own() {
	start_by "$@"
	isnt "$(ns_of "$inside" time)" "$(ns_of self time)" \
		"time namespace of the command"
	is "$(ns_of "$pid" time)" "$(ns_of self time)" \
		"time namespace of the launcher"
	is "$(children_of "$pid")" "$inside" "children of the launcher"
	is "$(sed -n 's/^NSpid:.*[[:blank:]]//p' "/proc/$inside/status")" 1 \
		"PID of the command, inside"
}

# began_at_0 monotonic|boottime - the container's clock was 0 at a time while the
# container was started: its offset is what the host's clock showed then, negative
began_at_0() {
	is "$(awk -v clock="$1" -v times="$earliest $latest" '
		BEGIN { i = clock == "monotonic" ? 1 : 2; split(times, shown, " ") }
		$1 == clock || $1 == (i == 1 ? 1 : 7) {
			began = -$2 - $3 / 1e9
			ok = began > shown[i] - 1 && began < shown[i + 2] + 1
			now = (shown[i + 2] - began) " s"
		}
		END { print ok ? "0 s at the start" : now }
		' "/proc/$inside/timens_offsets")" "0 s at the start" \
		"$1 clock inside"
}

uptime_begins_at_0() {
	start_by "$@"
	began_at_0 boottime
	kill -KILL "$pid"
	before=$("$probes/clocks")
	run "$@" "$rootfs" cat /proc/uptime
	after=$("$probes/clocks")
	is "$status" 0 "status of cat /proc/uptime"
	[ "${out%%.*}" -le $((${after#* } - ${before#* } + 1)) ] ||
		fail "/proc/uptime inside does not begin at 0"
}

monotonic_begins_at_0() {
	start_by "$@"
	began_at_0 monotonic
}

# with_half CLOCK - the launcher sees half of what the other clock shows. Half of
# an uptime is no excuse for this one.
with_half() {
	needs_time_namespaces
	compile clocks.so -shared -fPIC
	awk '{ print $1 / 2, $2 / 2 }' /proc/uptime >"$T/uptime"
	[ "$1" = boottime ] || cat /proc/uptime >"$T/uptime"
	# shellcheck disable=SC2016 # for the inner shell
	start_by unshare --mount sh -c '
		mount --bind "$0" /proc/uptime || exit
		export HALVE="$1" LD_PRELOAD="$2"
		shift 2
		exec "$@"' "$T/uptime" "$1" "$probes/clocks.so" "$container"
}

clocks_are_not_mixed_up() {
	(with_half monotonic && began_at_0 boottime)
	stop_started
	eventually no_sleeper
	with_half boottime
	began_at_0 monotonic
}

no_sleeper() {
	! sleeper
}

for option in '' -U; do
	with=${option:+$option: }
	set -- "$container"
	# An ordinary user has this right only in the new user namespace.
	[ -z "$option" ] ||
		set -- setpriv --bounding-set -sys_admin "$container" -U
	hint='unshare(2) and the offsets after -U, and before fork(2): see the hints'
	t "${with}the command has a time namespace, the launcher the host's" \
		has_its_own "$@"
	hint="subtract: write 'boottime -SECONDS 0' to /proc/self/timens_offsets"
	t "${with}uptime begins at 0" uptime_begins_at_0 "$@"
	hint="another line in the same file: 'monotonic -SECONDS 0'"
	t "${with}CLOCK_MONOTONIC as well" monotonic_begins_at_0 "$@"
done
hint='read CLOCK_BOOTTIME for boottime, and CLOCK_MONOTONIC for monotonic'
t "also on a machine that was suspended: the host's two clocks differ" \
	clocks_are_not_mixed_up
done_testing
