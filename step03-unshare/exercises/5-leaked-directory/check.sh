#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 3.5: the container inherits no open directory
# Untouched: of the host
. "$(dirname "$0")/../../../common/test/lib.sh"

# inherits NUMBER... - with "$T" open as these
inherits() {
	echo secret >"$T/secret"
	for number; do
		# Not every shell can open files with numbers above 9.
		run bash -c "exec $number<\"\$0\"; exec \"\$@\"" "$T" "$container" \
			"$rootfs" cat "/proc/self/fd/$number/secret"
		lacks "$out" secret "file $number of the host, read inside"
		is "$status" 1 "status of cat"
	done
}

keeps_standard_files() {
	run sh -c 'echo in | "$@"' sh "$container" "$rootfs" \
		sh -c 'cat; echo err >&2'
	is "$out:$err" in:err
}

hint='which system call closes a range of files?'
t "no directory of the host is open inside" inherits 9
hint='the caller may use any number, up to the limit of ulimit -n'
t "whatever its number is" inherits 3 40 1000
hint='0, 1 and 2 are for the command'
t "stdin, stdout and stderr are" keeps_standard_files
done_testing
