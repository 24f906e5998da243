#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 1.3: a root filesystem with one program
# Untouched: make-root does not exist
. "$(dirname "$0")/../../../common/test/lib.sh"

# make_root NAME - for the program NAME, as $T/root; sets $program
make_root() {
	program=$(command -v "$1")
	run sh "${container%/*}/make-root" "$T/root" "$program"
	is "$status" 0 "exit status of make-root"
}

# runs NAME ARG... - in its own root filesystem, moved away from where it was made
runs() {
	make_root "$1"
	shift
	mv "$T/root" "$T/moved"
	run "$container" "$T/moved" "$program" "$@"
	is "$status" 0 "exit status of $program in its root filesystem"
}

contains_little() {
	make_root ls
	is "$(find "$T/root" -type f | sed '41q' | sed -n 41p)" "" "file number 41"
	is "$(find "$T/root" -type d ! -perm -u+rwx)" "" "closed directories"
}

contains_no_link() {
	make_root bash
	is "$(find "$T/root" -type l -lname '/*')" "" "links to the host"
	is "$(grep -F "$T/root" /proc/self/mountinfo)" "" "mounts"
}

fails_without_program() {
	run sh "${container%/*}/make-root" "$T/root" /nonexistent/program
	isnt "$status" 0 "exit status of make-root"
}

hint='does ldd list the loader? It is the line without =>'
t "ls runs in its root filesystem" runs ls /
hint='copy files, not directories'
t "it contains only what the program needs" contains_little
hint='the loader looks for a library at the path that ldd prints'
t "sort runs, with what its libraries need" runs sort --version
hint='ldd lists the libraries of libraries, too'
t "ip runs, which has many libraries" runs ip -V
hint='cp -L copies the file to which a link leads'
t "nothing in it is a link to the host" contains_no_link
hint='set -e; and ldd fails for a program that is not there'
t "without such a program, make-root fails" fails_without_program
done_testing
