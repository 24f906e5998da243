#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 5.2: directories of the host in the container
# Untouched: no container with -m
. "$(dirname "$0")/../../../common/test/lib.sh"

# make_source - $T/src, with a file, and a mount below; unmounted at the end
make_source() {
	mkdir -p "$T/src/sub" "$T/other" "$T/layer/real"
	echo data >"$T/src/file"
	mount -t tmpfs tmpfs "$T/src/sub"
	trap 'umount "$T/src/sub"; stop_started' EXIT
	echo below >"$T/src/sub/file"
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

# cannot_write FILE
cannot_write() {
	make_source
	run "$container" $options -m "$T/src:/mnt:ro" "$rootfs" \
		sh -c "cat ${1%/*}/file; echo new >$1"
	isnt "$out" "" "what is read in ${1%/*}, with ro"
	isnt "$status" 0 "status of writing $1, with ro"
	is "$(find "$T/src" -name new)" "" "new files in SRC, with ro"
}

has_several() {
	make_source
	cd "$T"
	run "$container" $options -m src:/mnt:ro -m other:/srv-new "$rootfs" \
		sh -c 'cat /mnt/file; echo new >/srv-new/new'
	is "$out" data "the file in the first"
	is "$(cat "$T/other/new")" new "the file in the second"
}

# A link in the image, to a directory that only the container has, or also the
# host
resolves_links_inside() {
	make_source
	ln -s /real "$T/layer/link"
	run "$container" $options -m "$T/src:/link" "$T/layer:$rootfs" \
		cat /real/file
	is "$out" data "the file in the directory to which the link leads"
	ln -s "../../../../../..$T/other" "$T/layer/out"
	run "$container" $options -m "$T/src:/out" "$T/layer:$rootfs" true
	is "$status" 125 "status for a link to what only the host has"
}

stays_inside() {
	make_source
	before=$(cat /proc/self/mountinfo)
	start "$container" $options -m "$T/src:/mnt" "$rootfs" sleep 4711
	eventually sleeper
	is "$(cat /proc/self/mountinfo)" "$before" "the host's mounts"
	is "$(ls "/proc/$inside/fd" | tr '\n' ' ')" "0 1 2 " \
		"open files of the command"
	contains "$(cut -d ' ' -f 5 "/proc/$inside/mountinfo")" /mnt/sub \
		"the container's mounts"
	kill -KILL "$pid"
	eventually has_disappeared "$inside"
}

refuses() {
	make_source
	cd "$T"
	for argument; do
		run "$container" -m "$argument" "$rootfs" echo 'the command runs'
		one_line_error 125
	done
}

for options in '' -U; do
	with=${options:+$options: }
	hint='a bind mount, made before pivot_root(2) and moved after it'
	t "${with}with -m, SRC is seen at DST" starts
	hint='a bind mount without MS_REC or AT_RECURSIVE leaves out what is below'
	t "${with}what is written there is in SRC" writes_to_the_source
	hint='mount(2) ignores MS_RDONLY when it makes a bind mount'
	t "${with}with ro, it cannot be written" cannot_write /mnt/new
	hint='MS_REMOUNT changes one mount; mount_setattr(2) can change all below'
	t "${with}with ro, a mount below cannot be written either" \
		cannot_write /mnt/sub/new
	hint='find DST after pivot_root(2): then no link leads to the host'
	t "${with}a link in the image is resolved inside" resolves_links_inside
	hint='SRC is found before chdir(2)'
	t "${with}there may be several, and relative ones" has_several
	hint='O_CLOEXEC, or for open_tree: OPEN_TREE_CLOEXEC'
	t "${with}the host sees no mount, and the command no file of the host" \
		stays_inside
done
hint='exit with EXIT_LAUNCHER and one line before the command runs'
t "wrong arguments are refused" refuses src src: src:mnt src:/mnt:rx none:/mnt
done_testing
