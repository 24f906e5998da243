#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 3.1: a hostname that resolves, and an unchanged image
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
	cat "$rootfs/etc/hosts" "$rootfs/etc/hostname"
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
		"the container's hostname"
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

# The image's own file has another one.
has_one_address() {
	echo '198.51.100.7 web-1' >>"$rootfs/etc/hosts"
	resolves web-1
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

# Each has its own name in /etc/hosts, while the other one runs as well.
works_twice() {
	start_container -H "$1"
	resolves "$2"
	run nsenter --target "$inside" --mount --root cat /etc/hosts
	is "$(address_of "$1")" 127.0.1.1 "the address of $1 in the first container"
	is "$(address_of "$2")" "" "the address of $2 in the first container"
}

# host_files - those in the directories for temporary files
host_files() {
	find /tmp /run /dev/shm -path "$scratch" -prune -o -print | sort
}

leaves_no_file_on_the_host() {
	host_files >"$T/files"
	run "$container" -H web-1 "$rootfs" true
	is "$(host_files | diff "$T/files" -)" "" "files that are left on the host"
}

works_read_only() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	run unshare --mount sh -c '
		mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" &&
		exec "$@"' "$rootfs" "$container" -H web-1 "$rootfs" cat /etc/hosts
	is "$(address_of web-1)" 127.0.1.1 "the address in a read-only image"
}

# link_hosts COMMAND... - as if /etc/hosts of the image were a relative link to an
# absolute one
link_hosts() {
	rm "$rootfs/etc/hosts"
	ln -s link "$rootfs/etc/hosts"
	ln -s /etc/hostname "$rootfs/etc/link"
	"$@"
}

# accepts NAME... - as hostname, and in /etc/hosts
accepts() {
	for name; do
		resolves "$name"
		run "$container" -H "$name" "$rootfs" uname -n
		is "$out" "$name" "the hostname"
	done
}

# Each directory of the image has a file, which a mount would hide. Without -U,
# /proc is one.
shows_other_files() {
	for dir in "$rootfs" "$rootfs"/*; do
		[ ! -d "$dir" ] || [ -L "$dir" ] || : >"$dir/here"
	done
	[ $# -gt 0 ] || rm "$rootfs/proc/here"
	list='ls -d /here /*/here; ls -A /etc'
	run "$container" -H web-1 "$@" "$rootfs" sh -c "$list"
	is "$out" "$(unshare --root="$rootfs" sh -c "$list")" "the files inside"
}

# refuses NAME
refuses() {
	run "$container" -H "$1" "$rootfs" sh -c 'echo it runs'
	one_line_error 125
}

# refuses_each NAME...
refuses_each() {
	for name; do
		refuses "$name"
	done
}

keeps_the_default() {
	run "$container" "$rootfs" sh -c 'uname -n; cat /etc/hosts'
	is "$out" "container
$(cat "$rootfs/etc/hosts")" "hostname and /etc/hosts"
}

for option in '' -U; do
	with=${option:+$option: }
	hint='sethostname(2), after unshare(2): it is the name of the UTS namespace'
	t "${with}-H web-1 is the name in the container, not on the host" \
		with_copy has_the_name $option
	hint='does a file of your own cover /etc/hosts, with a line for NAME?'
	t "${with}its /etc/hosts has NAME and localhost" \
		with_copy resolves "host-$$.example.org" $option
	hint='do not write to the image: bind a file of a tmpfs to /etc/hosts'
	t "${with}the image's files do not change" with_copy keeps_the_image $option
	hint='/etc/hosts in the image is a link here. Where do you resolve it?'
	t "${with}a link in the image is resolved inside" \
		with_copy link_hosts resolves web-1 $option
	hint='neither the link nor the file that it leads to is yours'
	t "${with}the image does not change if /etc/hosts is a link" \
		with_copy link_hosts keeps_the_image $option
done
hint='if you copy lines of the image'\''s file, leave out those with NAME'
t "NAME has no other address, though the image's file has one" \
	with_copy has_one_address
hint='mount a single file over /etc/hosts, not a directory over another one'
t "no other file of the image is covered" with_copy shows_other_files
t "-U: no other file of the image is covered" with_copy shows_other_files -U
hint='nothing in the image may be written or created, not even for a moment'
t "it works with a read-only image" with_copy works_read_only
hint='each container needs a file of its own'
t "two containers have different names at the same time" \
	with_copy works_twice "a$$.example" "b$$"
hint='a tmpfs in the container'\''s mount namespace disappears with it'
t "no file is left on the host" with_copy leaves_no_file_on_the_host
hint='allow letters, digits, - and .'
t "NAME may have one character, and any of these" \
	with_copy accepts x -. .. ABCDEFGHIJKLMNOPQRSTUVWXYZ a-z.0-9 \
	abcdefghijklmnopqrstuvwxyz 0123456789
hint='HOST_NAME_MAX is 64, without the terminating null byte'
t "NAME may have 64 characters" with_copy accepts "$(printf %064d 0)"
hint='do not cut NAME: exit with 125. What does sethostname(2) say about it?'
t "NAME with 65 characters is refused, not cut" \
	with_copy refuses_each "$(printf %065d 0)" "$(printf %01000d 0)"
hint='sethostname(2) accepts an empty name'
t "an empty NAME is refused" with_copy refuses ''
hint='the kernel accepts any bytes, but /etc/hosts has words and lines'
t "NAME with a blank is refused" with_copy refuses 'a b'
t "NAME with a newline is refused" with_copy refuses_each 'a
198.51.100.1 b' 'a
'
hint='name what is allowed, not what is forbidden: # begins a comment'
t "NAME with another character is refused" with_copy refuses_each \
	'a#b' '#' a/b a_b a:b 'a	b' a@b "a'b" 'a%sb' 'a!' 'a"' 'a$' 'a&' 'a(' \
	'a)' 'a*' 'a+' a, 'a;' 'a<' 'a=' 'a>' 'a?' 'a[' 'a\' 'a]' 'a^' 'a`' \
	'a{' 'a|' 'a}' 'a~' "$(printf 'a\351b')" "$(printf 'a\001')" \
	"$(printf 'a\177')"
hint='without -H, the hostname is container, and the file is the image'\''s'
t "without -H, nothing changes" with_copy keeps_the_default
done_testing
