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
	: >"$T.asserted"
}

has_several_layers() {
	mkdir -p "$T/one/etc" "$T/two"
	echo one | tee "$T/one/file" >"$T/one/etc/file"
	echo two | tee "$T/two/file" >"$T/two/other"
	cd "$T"
	# shellcheck disable=SC2016 # for the shell inside
	run "$container" -r "$@" "one:two:$rootfs" sh -c '
		cat /file /etc/file /other
		refused() {
			("$@") 2>/dev/null || echo refused
		}
		write() {
			echo new >"$1"
		}
		refused write /file
		refused write /new
		refused rm /other
		refused chmod 600 /other
		refused mkdir /etc/new
		echo new >/tmp/new && cat /tmp/new'
	is "$(echo "$out" | uniq -c | tr -s '\n ' ' ')" \
		" 2 one 1 two 5 refused 1 new " \
		"files of three layers, five changes to them, and a file in /tmp"
}

stays_read_only() {
	for how in remount,rw remount,bind,rw; do
		run "$container" -r "$@" "$rootfs" sh -c "
			mount -t tmpfs tmpfs /dev/shm && echo mount works
			mount -o $how / 2>/dev/null; echo changed >/new; cat /new"
		lacks "$out" changed "written after mount -o $how /"
		contains "$out" works "stdout"
	done
}

has_tmp() {
	start_container -r "$@"
	is "$(stat -c %a "/proc/$inside/root/tmp")" 1777 "the mode of /tmp"
	is "$(ls -A "/proc/$inside/root/tmp")" "" "what is in /tmp"
	mount=$(awk '$5 == "/tmp" { print $6, $0 }' "/proc/$inside/mountinfo")
	for word in nosuid nodev; do
		contains ",${mount%% *}," ",$word," "the options of the mount on /tmp"
	done
	contains "$mount" " - tmpfs " "the mount on /tmp"
	is "$(awk -v device="$(echo "$mount" | cut -d ' ' -f 4)" '$3 == device' \
		/proc/self/mountinfo)" "" "the host's mounts of the same tmpfs"
	run "$container" -r "$@" "$rootfs" sh -c 'echo new >/tmp/new; cat /tmp/new
		! cat /new 2>/dev/null || echo it is in / as well'
	is "$out" new "what was written to /tmp"
	[ ! -e "$rootfs/tmp/new" ] || fail "the file is in the image's /tmp"
}

# other_mounts - of $inside, with their options, but not / and /tmp
other_mounts() {
	awk '$5 != "/" && $5 != "/tmp" { print $5, $6 }' \
		"/proc/$inside/mountinfo" | sort
}

keeps_the_rest() {
	start_container "$@"
	mounts=$(other_mounts)
	stop_started
	eventually has_disappeared "$inside"
	start_container -r "$@"
	is "$(other_mounts)" "$mounts" "mounts other than / and /tmp"
	run "$container" -r "$@" "$rootfs" sh -c '
		echo gone >/dev/null; echo 500 >/proc/self/oom_score_adj
		echo new >/dev/shm/new; cat /proc/self/oom_score_adj /dev/shm/new'
	is "$(echo "$out" | tr '\n' ' ')" "500 new " \
		"what was written to /proc and /dev"
}

writes_without_option() {
	run "$container" "$@" "$rootfs" sh -c '
		echo new >/new; cat /new; grep -c " /tmp " /proc/self/mountinfo'
	is "$(echo "$out" | tr '\n' ' ')" "new 0 " \
		"what was written without -r, and the mounts on /tmp"
	run "$container" "$@" -w "$T" "$rootfs" sh -c 'echo kept >/new'
	is "$(cat "$T/upper/new" 2>&1)" kept \
		"what was written with -w and without -r, in DIR/upper"
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
	hint='an empty layer must not hide the others, nor change their order'
	t "${with}several layers are seen" has_several_layers $option
	hint='only -r changes anything, and only in the root and in /tmp'
	t "${with}/dev, /sys and /proc are as before" keeps_the_rest $option
	t "${with}without -r, the root is as before" writes_without_option $option
done
done_testing
