#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 1.3: a root filesystem with one program
# Untouched: make-root does not exist
. "$(dirname "$0")/../../../common/test/lib.sh"

# make_root NAME - for the program NAME, as $root; sets $program. A small file system
# stops a script that copies too much.
make_root() {
	program=$(command -v "$1")
	root=$T/small/root
	mkdir "$T/small"
	mount -t tmpfs -o size=64m tmpfs "$T/small"
	trap 'umount -l "$T/small"' EXIT
	run sh "${container%/*}/make-root" "$root" "$program"
	sed -i '4,$d' "$T/err"
	lacks "$(cat "$T/err")" 'No space left' "it copies more than 64 MB"
	is "$status" 0 "exit status of make-root"
}

contains_little() {
	make_root ls
	is "$(find "$root" -type f | sed -n '41{p;q;}')" "" "file number 41"
	is "$(grep -F " $root" /proc/self/mountinfo)" "" "mounts"
}

# exists_in_root PATH - with links followed as they are when $root is the root
exists_in_root() {
	path=$1
	for _ in 1 2 3 4 5 6 7 8; do
		[ -L "$root$path" ] || break
		target=$(readlink "$root$path")
		case $target in
		/*) path=$target ;;
		*) path=${path%/*}/$target ;;
		esac
	done
	[ ! -L "$root$path" ] && [ -e "$root$path" ]
}

contains_no_link() {
	make_root bash
	find "$root" -type l | while read -r link; do
		exists_in_root "${link#"$root"}" ||
			echo "${link#"$root"} -> $(readlink "$link")"
	done >"$T/links"
	is "$(head -n 3 "$T/links")" "" "links to the host"
}

# The line of ldd without "=>", if it is not that of the kernel's vdso.
contains_the_loader() {
	make_root ls
	loader=$(ldd "$program" | sed -n 's/^[[:blank:]]*\(\/[^ ]*\) (.*/\1/p')
	is "$(exists_in_root "$loader" || echo missing)" "" "the loader $loader"
}

# runs NAME ARG... - in its own root filesystem, moved away from where it was made
runs() {
	make_root "$1"
	shift
	mv "$root" "$root.moved"
	run "$container" "$root.moved" "$program" "$@"
	is "$status" 0 "exit status of $program in its root filesystem"
}

fails_without_program() {
	run sh "${container%/*}/make-root" "$T/root" /nonexistent/program
	isnt "$status" 0 "exit status of make-root"
}

hint='copy the files that PROGRAM needs, not their directories'
t "it contains few files, and no mount" contains_little
hint='cp -L copies the file to which a link leads'
t "no link in it leads to a file of the host" contains_no_link
hint='does ldd list the loader? It is the line without =>'
t "it contains the loader" contains_the_loader
hint='the loader looks for a library by the path and name that ldd prints'
t "ls finds its libraries" runs ls /
hint='ldd also lists the libraries that a library needs'
t "ip finds the libraries of its libraries" runs ip -V
t "sort runs as well" runs sort --version
hint='set -e; and ldd fails if there is no such program'
t "without such a program, make-root fails" fails_without_program
done_testing
