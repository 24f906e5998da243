#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 1.1: a file of the host, read from within a chroot
# Untouched: escape.c does not exist
. "$(dirname "$0")/../../../common/test/lib.sh"

# in_chroot DIR COMMAND... - in the container, whose root DIR has the program as
# /escape, and the host's libraries. It is read-only.
in_chroot() {
	mkdir -p "$1"
	# shellcheck disable=SC2016 # expanded by the inner shell
	run unshare --mount sh -c '
		container=$0 escape=$1 root=$2
		shift 2
		mount -t tmpfs tmpfs "$root"
		cp "$escape" "$root/escape"
		for dir in usr bin lib lib32 lib64; do
			[ -d /$dir ] || continue
			mkdir "$root/$dir" && mount --rbind /$dir "$root/$dir"
		done
		mount -o remount,ro "$root"
		exec "$container" "$root" "$@"' \
		"$container" "${container%/*}/escape" "$@"
	ran="container $*"
}

reads_a_file() {
	echo secret >"$T/file"
	in_chroot "$T/root" cat "$T/file"
	isnt "$status" 0 "the status of cat, which stays inside"
	in_chroot "$T/root" /escape "$T/file"
	is "$out" secret "the contents of the file"
	is "$status" 0 "exit status"
}

climbs_far() {
	echo secret >"$T/file"
	in_chroot "$T$(printf '/d%.0s' $(seq 50))" /escape "$T/file"
	is "$out" secret "the contents of the file, 50 directories up"
}

fails_without_a_file() {
	in_chroot "$T/root" /escape "$T/none"
	isnt "$status" 0 "exit status"
}

hint='a second chroot, without chdir, leaves the working directory outside'
t "it prints a file of the host" reads_a_file
hint='how often do you go up? Until where?'
t "its root may lie far below the host's" climbs_far
hint='check what open(2) or fopen(3) returns'
t "it fails if there is no such file" fails_without_a_file
done_testing
