#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 5.2: directories of the host in the container
# Untouched: no container with -m
. "$(dirname "$0")/../../../common/test/lib.sh"

# The host: two mounts, src and one below, shared as with systemd, and with flags
# that are locked in a user namespace, as those of a host's /tmp are. Each test
# leaves them as they were.
host=$scratch/host
mkdir -p "$host/src" "$host/other" /dev/shm/source
mount -t tmpfs -o nosuid,nodev tmpfs "$host/src"
mount --make-shared "$host/src"
mkdir "$host/src/a disk"
mount -t tmpfs -o nosuid,nodev tmpfs "$host/src/a disk"
echo data | tee "$host/src/file" "$host/src/a disk/file" "$host/a-file" \
	>/dev/shm/source/file

starts() {
	run "$container" $options -m "$host/src:/mnt" "$rootfs" cat /mnt/file
	is "$status:$out" 0:data "no container with -m: $(head -n 1 "$T/err")"
}

writes_to_the_source() {
	run "$container" $options -m "$host/src:/mnt" "$rootfs" \
		sh -c 'echo new >/mnt/new; echo new >"/mnt/a disk/new"'
	is "$(cat "$host/src/new")" new "the new file in SRC"
	is "$(cat "$host/src/a disk/new")" new "the new file in a mount below SRC"
	rm "$host/src/new" "$host/src/a disk/new"
}

# cannot_write FILE - but the host can
cannot_write() {
	run "$container" $options -m "$host/src:/mnt:ro" "$rootfs" \
		sh -c "cat '${1%/*}/file'; echo new >'$1'"
	is "$out" data "what is read in ${1%/*}, with ro"
	isnt "$status" 0 "status of writing $1, with ro"
	is "$(find "$host/src" -name new)" "" "new files in SRC, with ro"
	echo later 2>/dev/null >"$host/src${1#/mnt}" || :
	is "$(cat "$host/src${1#/mnt}")" later \
		"what the host then writes to SRC${1#/mnt}"
	rm "$host/src${1#/mnt}"
}

# Resolved in the container, or refused
follows_no_link_to_the_host() {
	mkdir -p "$T/layer/real" "$T/other"
	ln -s /real "$T/layer/inside"
	ln -s "../../../../../..$T/other" "$T/layer/outside"
	ln -s "$T/other" "$T/layer/absolute"
	ln -s "$T/other/new" "$T/layer/dangling"
	for target in /inside /outside /outside/new /absolute /absolute/new \
		/dangling "/real/../../../../../../..$T/other/new"; do
		run "$container" $options -m "$host/src:$target" "$T/layer:$rootfs" \
			cat "$target/file"
		[ "$status" = 125 ] || is "$status:$out" 0:data \
			"the volume on $target, a link in the image"
		is "$(ls -A "$T/other")" "" "what was created on the host"
	done
}

has_several() {
	cd "$host"
	run "$container" $options -m src:/mnt:ro -m other:/mnt2 \
		-m /dev/shm/source:/dev/shm -m src:/again "$rootfs" \
		sh -c 'cat /mnt/file /dev/shm/file; echo new >/mnt2/new
			(echo new >/mnt/one) 2>/dev/null || echo refused
			echo new >/again/two'
	is "$out" "$(printf 'data\ndata\nrefused')" \
		"the files in src and /dev/shm/source, and writing with ro"
	[ -e other/new ] ||
		hint='ro holds for this volume alone: not for all, nor for /mnt2 if DST is /mnt'
	is "$(cat other/new 2>&1)" new "the new file in the directory other"
	is "$(cat src/two)" new "the new file in src, the second time"
	rm other/new src/two
	[ ! -e "$rootfs/again" ] || fail "/again was created in the image"
}

has_sixteen() {
	run_with 16
	is "$status:$(echo "$out" | tr -d ' ')" 0:16 "files in 16 volumes"
	run_with 40
	[ "$status:$(echo "$out" | tr -d ' ')" = 0:40 ] || {
		is "$status" 125 "exit status if not all of 40 volumes are mounted"
		one_line_error 125
	}
}

# run_with NUMBER - of volumes
run_with() {
	set -- "$1" "$rootfs" sh -c 'cat /v*/file | wc -l'
	i=0
	while [ $i -lt "$1" ]; do
		i=$((i + 1)) number=$1
		shift
		set -- "$number" -m "$host/src:/v$i" "$@"
	done
	shift
	run "$container" $options "$@"
}

stays_inside() {
	before=$(cat /proc/self/mountinfo)
	start "$container" $options -m "$host/src:/mnt" -m "$host/src:/mnt2:ro" \
		"$rootfs" sleep 4711
	eventually sleeper
	is "$(cat /proc/self/mountinfo)" "$before" "the host's mounts"
	mounts=$(awk '$5 ~ "^/mnt" { print $5, $7 }' "/proc/$inside/mountinfo")
	contains "$mounts" "/mnt/a\\040disk " "the volumes' mounts"
	lacks "$mounts" shared: "the volumes' mounts"
	is "$(ls "/proc/$inside/fd" | tr '\n' ' ')" "0 1 2 " \
		"open files of the command"
	kill -KILL "$pid"
	eventually has_disappeared "$inside"
}

# refuses ARGUMENT... - each between two that are right
refuses() {
	cd "$host"
	for argument; do
		run "$container" $options -m src:/srv -m "$argument" \
			-m src:/home "$rootfs" sh -c 'echo the command runs'
		is "$status" 125 "exit status with -m '$argument'"
		one_line_error 125
	done
}

for options in '' -U; do
	with=${options:+$options: }
	hint='find SRC before pivot_root(2), and mount it after that'
	t "${with}with -m, SRC is seen at DST" starts
	hint='a bind mount without MS_REC or AT_RECURSIVE leaves out what is below'
	t "${with}what is written there is in SRC" writes_to_the_source
	hint='MS_REMOUNT with MS_BIND, and -U: with the flags that the mount has already'
	t "${with}with ro, only the host can write it" cannot_write /mnt/new
	hint='MS_REMOUNT changes one mount; mount_setattr(2) can change all below'
	t "${with}with ro, the same is true of a mount below" \
		cannot_write "/mnt/a disk/new"
	hint='exit with EXIT_LAUNCHER and one line before the command runs'
	t "${with}a volume that cannot be mounted is refused" refuses none:/mnt \
		src:/etc/hosts:ro a-file:/mnt
	hint='SRC:/DST or SRC:/DST:ro, and nothing else: :ro may be empty or go on'
	t "${with}wrong arguments are refused" refuses src src: src:mnt src:/mnt:rx \
		src:/mnt: src:/mnt:r src:/mnt:rox src:/mnt:ro: src:/mnt:ro:ro \
		src::ro :/mnt ''
	hint='find and create DST after pivot_root(2): then no link leads out'
	t "${with}no link in the image leads to the host" \
		follows_no_link_to_the_host
	hint='create DST; find SRC before chdir(2), and before the tmpfs on /dev/shm'
	t "${with}there may be several, relative ones and in /dev/shm" has_several
	hint='at least 16 times -m; a fixed array has to be checked'
	t "${with}there may be 16, and of more, all or an error" has_sixteen
	hint='no mount of the tree may be shared: MS_PRIVATE or MS_SLAVE; OPEN_TREE_CLOEXEC'
	t "${with}host and container share no mounts and no open files" \
		stays_inside
done
done_testing
