#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 1.3: a root filesystem with one program
# Untouched: make-root does not exist
. "$(dirname "$0")/../../../common/test/lib.sh"
# shellcheck disable=SC3045 # every sh has it
ulimit -S -f unlimited # some libraries are large
ls -A /tmp >"$scratch/tmp"

# make_root PROGRAM [DIR] - for a program of this machine, as $root; sets $program. A
# small filesystem stops a script that copies too much.
make_root() {
	program=$(command -v "$1") || skip "needs $1"
	ldd "$program" >"$T/libraries" 2>&1 ||
		skip "needs a dynamically linked $1"
	mkdir "$T/small"
	mount -t tmpfs -o size=64m tmpfs "$T/small"
	trap 'umount -l "$T/small"' EXIT
	root=$T/small/${2:-root}
	run_script "$root" "$program"
	lacks "$err" 'No space left' "it copies more than 64 MB"
	is "$status" 0 "exit status of make-root"
}

# run_script ARG... - by the shell that its first line names, with $limits
limits=
run_script() {
	cp "${container%/*}/make-root" "$T/make-root"
	chmod +x "$T/make-root"
	# shellcheck disable=SC2086 # words
	run $limits "$T/make-root" "$@"
	sed -i '4,$d' "$T/err"
}

# The names of the files that it needs, and those to which they are links.
needed() {
	{
		echo "$program"
		grep -o '/[^ ]*' "$T/libraries"
	} | while read -r path; do
		basename "$path"
		basename "$(realpath "$path")"
	done
}

contains_nothing_else() {
	make_root ls
	needed >"$T/needed"
	find "$root" ! -type d ! -type l ! -path '*/etc/ld.so.*' >"$T/files"
	is "$(sed 's|.*/||' "$T/files" | grep -vxFf "$T/needed" | head -n 3)" "" \
		"files that $program does not need"
	is "$(grep -F " $root" /proc/self/mountinfo)" "" "mounts"
}

# A script may use a temporary file, but must remove it.
leaves_nothing_else() {
	mkdir "$T/cwd"
	cd "$T/cwd"
	make_root ls
	ls -A /tmp | diff "$scratch/tmp" - | sed -n 's/^> //p' >"$T/new"
	find . "$T/small" -mindepth 1 -maxdepth 1 ! -name root >>"$T/new"
	is "$(head -n 3 "$T/new")" "" "files that it left outside DIR"
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
	loader=$(sed -n 's/^[[:blank:]]*\(\/[^ ]*\) (.*/\1/p' "$T/libraries")
	is "$(exists_in_root "$loader" || echo missing)" "" "the loader $loader"
}

# To root, a file is executable if it is to anyone.
keeps_the_modes() {
	contains_the_loader
	for file in "$program" "$loader"; do
		exists_in_root "$file" || fail "$file is missing"
		[ -x "$root$path" ] || fail "$file is not executable: its mode is \
$(stat -c %A "$root$path")"
	done
}

# runs PROGRAM ARG... - in its own root filesystem, moved away from where it was made
runs() {
	make_root "$1"
	shift
	runs_in_root "$@"
}

runs_in_root() {
	mv "$root" "$root.moved"
	run "$container" "$root.moved" "$program" "$@"
	is "$status" 0 "exit status of $program in its root filesystem"
}

# A program with a blank in its path, in a directory with a blank
copes_with_blanks() {
	cp "$container" "$T/my program"
	make_root "$T/my program" "my root"
	runs_in_root -h
}

copes_with_a_relative_directory() {
	program=$container root=$T/root
	cd "$T"
	run_script root "$program"
	is "$status" 0 "exit status of make-root"
	runs_in_root -h
}

copes_with_a_link() {
	ln -s . "$T/here"
	ln -s "$container" "$T/link"
	make_root "$T/here/link"
	runs_in_root -h
}

fails_without_program() {
	run_script "$T/root" /nonexistent/program
	isnt "$status" 0 "exit status of make-root"
}

# The largest library is not the last one that ldd names, but the C library.
fails_without_a_library() {
	ldd "$container" >"$T/libraries" 2>&1 ||
		skip "needs a dynamically linked program"
	largest=$(grep -o '/[^ ]*' "$T/libraries" | while read -r path; do
		stat -L -c %s "$path"
	done | sort -n | tail -n 1)
	limits="prlimit --core=0 --fsize=$((largest - 1))"
	run_script "$T/root" "$container"
	isnt "$status" 0 "exit status of make-root, if a library is too large"
}

hint='copy the files that PROGRAM needs, not their directories'
t "it contains nothing that ls does not need, and no mount" \
	contains_nothing_else
hint='remove your temporary files'
t "it creates nothing outside DIR" leaves_nothing_else
hint='cp -L copies the file to which a link leads'
t "no link in it leads to a file of the host" contains_no_link
hint='does ldd list the loader? It is the line without =>'
t "it contains the loader" contains_the_loader
hint='cp gives the copy the mode of the file, cat FILE >COPY does not'
t "the program and the loader are executable" keeps_the_modes
hint='the loader looks for a library by the path and name that ldd prints'
t "ls finds its libraries" runs ls /
hint='ldd also lists the libraries that a library needs'
t "ip finds the libraries of its libraries" runs ip -V
t "sort runs as well" runs sort --version
hint='write variables in quotes: otherwise, a blank in one makes two words'
t "DIR and PROGRAM may contain blanks" copes_with_blanks
hint='is DIR still the same after cd?'
t "DIR may be relative" copes_with_a_relative_directory
hint='PROGRAM must not be a link to a file that is not there'
t "PROGRAM may be a symbolic link" copes_with_a_link
hint='use set -e: ldd fails if there is no such program'
t "without such a program, make-root fails" fails_without_program
hint='use set -e; in a pipe, only the status of the last command counts'
t "if a file cannot be copied, make-root fails" fails_without_a_library
done_testing
