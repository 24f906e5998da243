#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 5.2: directories of the host in the container
# Untouched: no container with -m
. "$(dirname "$0")/../../../common/test/lib.sh"

# make_source - two mounts, $T/src and one below, shared as on a host with systemd
make_source() {
	mkdir -p "$T/src" "$T/other" "$T/layer/real" /dev/shm/source
	mount -t tmpfs tmpfs "$T/src"
	mount --make-shared "$T/src"
	mkdir "$T/src/sub"
	mount -t tmpfs tmpfs "$T/src/sub"
	trap 'stop_started; remove_source' EXIT
	for directory in "$T/src" "$T/src/sub" /dev/shm/source; do
		echo data >"$directory/file"
	done
}

remove_source() {
	umount "$T/src/sub"
	umount "$T/src"
	rm -r /dev/shm/source
}

starts() {
	make_source
	run "$container" $options -m "$T/src:/mnt" "$rootfs" cat /mnt/file
	is "$status:$out" 0:data "no container with -m: $(head -n 1 "$T/err")"
}

writes_to_the_source() {
	make_source
	run "$container" $options -m "$T/src:/mnt" "$rootfs" \
		sh -c 'echo new >/mnt/new; echo new >/mnt/sub/new'
	is "$(cat "$T/src/new")" new "the new file in SRC"
	is "$(cat "$T/src/sub/new")" new "the new file in a mount below SRC"
}

# cannot_write FILE - but the host can
cannot_write() {
	make_source
	run "$container" $options -m "$T/src:/mnt:ro" "$rootfs" \
		sh -c "cat ${1%/*}/file; echo new >$1"
	is "$out" data "what is read in ${1%/*}, with ro"
	isnt "$status" 0 "status of writing $1, with ro"
	is "$(find "$T/src" -name new)" "" "new files in SRC, with ro"
	echo later 2>/dev/null >"$T/src${1#/mnt}" || :
	is "$(cat "$T/src${1#/mnt}")" later \
		"what the host then writes to SRC${1#/mnt}"
}

# Resolved in the container, or refused
follows_no_link_to_the_host() {
	make_source
	ln -s /real "$T/layer/inside"
	ln -s "../../../../../..$T/other" "$T/layer/outside"
	ln -s "$T/other" "$T/layer/absolute"
	ln -s "$T/other/new" "$T/layer/dangling"
	for target in /inside /outside /outside/new /absolute /absolute/new \
		/dangling "/real/../../../../../../..$T/other/new"; do
		run "$container" $options -m "$T/src:$target" "$T/layer:$rootfs" \
			cat "$target/file"
		[ "$status" = 125 ] || is "$status:$out" 0:data \
			"the volume on $target, a link in the image"
		is "$(ls -A "$T/other")" "" "what was created on the host"
	done
}

has_several() {
	make_source
	cd "$T"
	run "$container" $options -m src:/mnt:ro -m other:/new \
		-m /dev/shm/source:/srv -m src:/again "$rootfs" \
		sh -c 'cat /mnt/file /srv/file; echo new >/new/new
			(echo new >/mnt/one) 2>/dev/null || echo refused
			echo new >/again/two'
	is "$out" "$(printf 'data\ndata\nrefused')" \
		"the files in src and /dev/shm/source, and writing with ro"
	is "$(cat "$T/other/new")" new "the new file in the directory other"
	is "$(cat "$T/src/two")" new "the new file in src, the second time"
	[ ! -e "$rootfs/again" ] || fail "/again was created in the image"
}

has_sixteen() {
	make_source
	set -- "$rootfs" sh -c 'cat /v*/file | wc -l'
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
		set -- -m "$T/src:/v$i" "$@"
	done
	run "$container" $options "$@"
	is "$(echo "$out" | tr -d ' ')" 16 "files in 16 volumes"
}

stays_inside() {
	make_source
	before=$(cat /proc/self/mountinfo)
	start "$container" $options -m "$T/src:/mnt" "$rootfs" sleep 4711
	eventually sleeper
	is "$(cat /proc/self/mountinfo)" "$before" "the host's mounts"
	mounts=$(awk '$5 ~ "^/mnt" { print $5, $7 }' "/proc/$inside/mountinfo")
	contains "$mounts" "/mnt/sub " "the volume's mounts"
	lacks "$mounts" shared: "the volume's mounts"
	is "$(ls "/proc/$inside/fd" | tr '\n' ' ')" "0 1 2 " \
		"open files of the command"
	kill -KILL "$pid"
	eventually has_disappeared "$inside"
}

# refuses ARGUMENT... - each alone, and after one that is right
refuses() {
	make_source
	: >"$T/a-file"
	cd "$T"
	for argument; do
		run "$container" $options -m src:/srv -m "$argument" "$rootfs" \
			sh -c 'echo the command runs'
		one_line_error 125
	done
}

for options in '' -U; do
	with=${options:+$options: }
	hint='find SRC before pivot_root(2), and mount it after that'
	t "${with}with -m, SRC is seen at DST" starts
	hint='a bind mount without MS_REC or AT_RECURSIVE leaves out what is below'
	t "${with}what is written there is in SRC" writes_to_the_source
	hint='mount(2) on MS_REMOUNT and MS_BIND: a flag of a mount, or of a filesystem?'
	t "${with}with ro, only the host can write it" cannot_write /mnt/new
	hint='MS_REMOUNT changes one mount; mount_setattr(2) can change all below'
	t "${with}with ro, the same is true of a mount below" \
		cannot_write /mnt/sub/new
	hint='exit with EXIT_LAUNCHER and one line before the command runs'
	t "${with}a volume that cannot be mounted is refused" refuses none:/mnt \
		src:/etc/hosts:ro a-file:/mnt
	t "${with}wrong arguments are refused" refuses src src: src:mnt src:/mnt:rx \
		src:/mnt: src:/mnt:r src:/mnt:rox src:/mnt:ro: src:/mnt:ro:ro \
		src::ro :/mnt ''
	hint='find and create DST after pivot_root(2): then no link leads out'
	t "${with}no link in the image leads to the host" \
		follows_no_link_to_the_host
	hint='create DST; find SRC before chdir(2), and before the tmpfs on /dev/shm'
	t "${with}there may be several, relative ones and in /dev/shm" has_several
	hint='at least 16 times -m'
	t "${with}there may be 16" has_sixteen
	hint='no mount of the tree may be shared: MS_PRIVATE or MS_SLAVE; OPEN_TREE_CLOEXEC'
	t "${with}host and container share no mounts and no open files" \
		stays_inside
done
done_testing
