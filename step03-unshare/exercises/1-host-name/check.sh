#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 3.1: a host name that resolves, and an unchanged image
# Untouched: no container with the name web-1
. "$(dirname "$0")/../../../common/test/lib.sh"

# start_container OPTION... - sets $pid, the launcher, and $inside, which is
# killed when the test ends
start_container() {
	start "$container" "$@" "$rootfs" sleep 4711
	eventually runs_or_ended
	[ -n "$inside" ] || fail "no container with the name $2: \
$(head -n 1 "$T/start.err")"
	sed -i "s/^$pid$/$inside/" "$T.started"
}

runs_or_ended() {
	sleeper || ended
}

# with_copy COMMAND... - with a copy of the image: wrong code may change it
with_copy() {
	cp -RP "$rootfs" "$T/root"
	rootfs=$T/root
	"$@"
}

# image - the state of all its files: contents, times, links
image() {
	find "$rootfs" -printf '%p %y %m %s %T@ %C@ %l\n' | sort
	cat "$rootfs/etc/hosts"
}

# address_of NAME - as $rootfs/etc/hosts, which run has printed, gives it
address_of() {
	awk -v name="$1" '{ sub(/#.*/, "") }
		{ for (i = 2; i <= NF; i++) if ($i == name) print $1 }' "$T/out"
}

has_the_name() {
	host=$(uname -n)
	start_container -H web-1 "$@"
	is "$(nsenter --target "$inside" --uts uname -n)" web-1 \
		"the container's host name"
	is "$(uname -n)" "$host" "the host's own name"
}

resolves() {
	name=$1
	shift
	run "$container" -H "$name" "$@" "$rootfs" cat /etc/hosts
	is "$status" 0 "exit status"
	is "$(address_of "$name")" 127.0.1.1 "the address of $name"
	is "$(address_of localhost | head -n 1)" 127.0.0.1 \
		"the address of localhost"
}

keeps_the_image() {
	image >"$T/before"
	start_container -H web-1 "$@"
	image >"$T/during"
	kill "$inside"
	eventually ended
	image >"$T/after"
	for time in during after; do
		is "$(diff "$T/before" "$T/$time")" "" \
			"the image's files that changed, seen $time the run"
	done
}

works_read_only() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	run unshare --mount sh -c '
		mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" &&
		exec "$@"' "$rootfs" "$container" -H web-1 "$rootfs" cat /etc/hosts
	is "$(address_of web-1)" 127.0.1.1 "the address in a read-only image"
}

follows_the_link_inside() {
	rm "$rootfs/etc/hosts"
	ln -s /etc/hostname "$rootfs/etc/hosts"
	resolves web-1 "$@"
}

accepts_longest() {
	long=$(printf %064d 0)
	run "$container" -H "$long" "$rootfs" uname -n
	is "$out" "$long" "the host name"
}

shows_other_files() {
	run "$container" -H web-1 "$rootfs" ls -A / /etc /tmp
	is "$out" "$(chroot "$rootfs" ls -A / /etc /tmp)" "the files inside"
}

# refuses NAME
refuses() {
	run "$container" -H "$1" "$rootfs" echo 'the command runs'
	one_line_error 125
}

keeps_the_default() {
	run "$container" "$rootfs" sh -c 'uname -n; cat /etc/hosts'
	is "$out" "container
$(cat "$rootfs/etc/hosts")" "host name and /etc/hosts"
}

for option in '' -U; do
	with=${option:+$option: }
	hint='sethostname(2), after unshare(2): it is the name of the UTS namespace'
	t "${with}-H web-1 is the name in the container, not on the host" \
		with_copy has_the_name $option
	hint='does a file of your own cover /etc/hosts, with a line for NAME?'
	t "${with}its /etc/hosts has NAME and localhost" \
		with_copy resolves web-1.example.org $option
	hint='do not write to the image: bind a file of a tmpfs to /etc/hosts'
	t "${with}the image's files do not change" with_copy keeps_the_image $option
	hint='/etc/hosts in the image is a link here. Where do you resolve it?'
	t "${with}a link in the image is resolved inside" \
		with_copy follows_the_link_inside $option
done
hint='mount a single file over /etc/hosts, not a directory over /etc'
t "no other file of the image is covered" with_copy shows_other_files
hint='nothing in the image may be written or created, not even for a moment'
t "it works with a read-only image" with_copy works_read_only
hint='HOST_NAME_MAX is 64, without the terminating null byte'
t "NAME may have 64 characters" with_copy accepts_longest
hint='do not cut NAME: exit with 125. What does sethostname(2) say about it?'
t "NAME with 65 characters is refused, not cut" \
	with_copy refuses "$(printf %065d 0)"
hint='sethostname(2) accepts an empty name'
t "an empty NAME is refused" with_copy refuses ''
hint='the kernel accepts any bytes, but /etc/hosts has words and lines'
t "NAME with a blank is refused" with_copy refuses 'a b'
t "NAME with a newline is refused" with_copy refuses 'a
198.51.100.1 b'
hint='without -H, the host name is container, and the file is the image'\''s'
t "without -H, nothing changes" with_copy keeps_the_default
done_testing
