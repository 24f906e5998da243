#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 1.1: a file of the host, read from within a chroot
# Untouched: escape.c does not exist
. "$(dirname "$0")/../../../common/test/lib.sh"

# in_chroot MODE COMMAND... - in the container, whose root directory is $root. It
# has the program as /escape, the host's libraries, and a file $file of its own;
# it is writable if MODE is rw, read-only if MODE is ro. $T/before and $T/after
# list its files: a directory has a new time if a file in it came or went.
in_chroot() {
	mkdir -p "$root"
	# shellcheck disable=SC2016 # expanded by the inner shell
	run unshare --mount sh -c '
		container=$0 escape=$1 root=$2 file=$3 lists=$4 mode=$5
		shift 5
		list() {
			find "$root" -xdev -printf "/%P %T@\n" | sort
		}
		# -c: otherwise it looks up each part of a long path
		mount -c -t tmpfs tmpfs "$root"
		cp "$escape" "$root/escape"
		mkdir -p "$root${file%/*}"
		echo inside >"$root$file"
		for dir in usr bin lib lib32 lib64; do
			[ ! -d /$dir ] || mkdir "$root/$dir"
		done
		find "$root" -type d -exec touch -d @0 {} + || exit
		for dir in usr bin lib lib32 lib64; do
			[ ! -d /$dir ] || mount -c --rbind /$dir "$root/$dir"
		done
		mount -c -o "remount,bind,$mode" "$root" || exit
		list >"$lists/before"
		status=0
		"$container" "$root" "$@" || status=$?
		list >"$lists/after"
		exit $status' \
		"$container" "${container%/*}/escape" "$root" "$file" "$T" "$@"
	shift
	ran="container ROOTFS $*"
}

# escapes MODE [DIRECTORIES] - so many above the container's root directory
escapes() {
	file="$T/it's a file"
	root=$T$(printf '/d%.0s' $(seq "${2:-2}"))/root
	echo secret >"$file"
	in_chroot "$1" /escape "$file"
}

reads_a_file() {
	escapes "$@"
	is "$out" secret "the contents of the file"
	is "$status" 0 "exit status"
}

creates_nothing() {
	escapes rw
	is "$(diff "$T/before" "$T/after" | sed -n 's/^> \(.*\) .*/\1/p')" "" \
		"directories and files that it has changed"
}

# The root directories of two filesystems have the same inode number.
passes_a_mount() {
	mkdir "$T/d"
	mount -t tmpfs tmpfs "$T/d"
	trap 'umount -l "$T/d"' EXIT
	reads_a_file ro 1
}

# A line may be long, the last one may have no end, and there may be null bytes.
reads_everything() {
	file=$T/file root=$T/small/root
	{
		seq 400000
		seq -s ' ' 20000
		printf 'null: \0, and no newline'
	} >"$file"
	in_chroot ro /escape "$file"
	cp "$T/out" "$T/printed"
	sed -i '4,$d' "$T/out"
	is "$(wc -c <"$T/printed")" "$(wc -c <"$file")" "bytes printed"
	is "$(cmp "$T/printed" "$file")" "" "difference"
}

# There is one inside.
fails_without_a_file() {
	file=$T/file root=$T/small/root
	in_chroot ro /escape "$file"
	isnt "$status" 0 "exit status"
	is "$out" "" "stdout"
}

# The file that it would find is not that of the host.
fails_without_a_capability() {
	file=$T/file root=$T/small/root
	echo secret >"$file"
	in_chroot ro setpriv --bounding-set=-sys_chroot /escape "$file"
	lacks "$out" inside "what it prints, if it may not call chroot(2)"
	[ "$out" = secret ] || isnt "$status" 0 "exit status"
}

hint='a second chroot, without chdir, leaves the working directory outside'
t "it prints a file of the host" reads_a_file rw
hint='mkdir(2) fails here. Which directory does every root have?'
t "its root may be read-only" reads_a_file ro
hint='create nothing, even if you may. Which directory does every root have?'
t "it creates nothing in its root" creates_nothing
hint='how often do you go up? Until when?'
t "its root may lie far below the host's" reads_a_file ro 2000
hint='"." and ".." are the same directory only if st_dev and st_ino are the same'
t "filesystems may be mounted in between" passes_a_mount
hint='read to the end of the file; "%s" ends at a null byte'
t "it prints all of the file" reads_everything
hint='check what open(2) or fopen(3) returns: FILE is a file of the host'
t "it fails if there is no such file" fails_without_a_file
hint='check what chroot(2) returns: if it fails, FILE is a file of the container'
t "it fails if chroot(2) does" fails_without_a_capability
done_testing
