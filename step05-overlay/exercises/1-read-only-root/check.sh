#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 5.1: a root that nobody can write, and a /tmp
# Untouched: no container with -r
. "$(dirname "$0")/../../../common/test/lib.sh"

# start_container OPTION... - sets $pid, the launcher, and $inside
start_container() {
	start "$container" "$@" "$rootfs" sleep 4711
	eventually runs_or_ended
	[ -n "$inside" ] ||
		fail "no container with $1: $(head -n 1 "$T/start.err")"
}

runs_or_ended() {
	sleeper || ended
}

is_read_only() {
	start_container -r "$@"
	# As the container sees it, from outside
	for path in new etc/new; do
		(: >"/proc/$inside/root/$path") 2>/dev/null &&
			fail "/$path: could be written"
	done
	run "$container" -r "$@" "$rootfs" rm /etc/hosts
	isnt "$status" 0 "status of rm /etc/hosts"
	run "$container" -r "$@" "$rootfs:$rootfs/etc" touch /new
	isnt "$status" 0 "status of touch /new, with two layers"
}

stays_read_only() {
	for how in remount,rw remount,bind,rw; do
		run "$container" -r "$@" "$rootfs" sh -c "
			mount -o $how / 2>/dev/null; echo changed >/new; cat /new"
		lacks "$out" changed "written after mount -o $how /"
	done
}

has_tmp() {
	start_container -r "$@"
	is "$(stat -c %a "/proc/$inside/root/tmp")" 1777 "the mode of /tmp"
	is "$(ls -A "/proc/$inside/root/tmp")" "" "what is in /tmp"
	mount=$(awk '$5 == "/tmp"' "/proc/$inside/mountinfo")
	for word in tmpfs nosuid nodev; do
		contains "$mount" $word "the mount on /tmp"
	done
	run "$container" -r "$@" "$rootfs" sh -c 'echo new >/tmp/new; cat /tmp/new'
	is "$out" new "what was written to /tmp"
	[ ! -e "$rootfs/tmp/new" ] || fail "the file is in the image's /tmp"
}

keeps_the_rest() {
	run "$container" -r "$rootfs" sh -c 'echo gone >/dev/null
		[ -e /proc/self ] && [ -d /sys/class ]'
	is "$status" 0 "status of a command that uses /dev, /proc and /sys"
	run "$container" "$rootfs" sh -c 'echo new >/new; cat /new'
	is "$out" new "what was written without -r"
}

for option in '' -U; do
	with=${option:+$option: }
	hint='without upperdir, overlayfs wants two lower layers'
	t "${with}with -r, nothing in the root can be written" \
		is_read_only $option
	hint='a flag can be taken back: leave out upperdir'
	t "${with}root in the container cannot change that" \
		stays_read_only $option
	hint='see mount_dev(): options and flags'
	t "${with}/tmp is a tmpfs in which everybody can write" has_tmp $option
done
hint='only -r changes anything, and only in the root and in /tmp'
t "all else is as before" keeps_the_rest
done_testing
