#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 3.5: the container inherits no open file
# Untouched: of the host
. "$(dirname "$0")/../../../common/test/lib.sh"

# In bash, because other shells cannot open files with numbers above 9
hides_a_directory() {
	echo secret >"$T/secret"
	# shellcheck disable=SC2016 # expanded by the inner shell
	run bash -c 'exec 9<"$0"; exec "$@"' "$T" "$container" "$rootfs" \
		cat /proc/self/fd/9/secret
	ran='(exec 9<DIRECTORY; ./container ROOTFS cat /proc/self/fd/9/secret)'
	lacks "$out" secret "file 9 of the host, read inside"
	is "$status" 1 "status of cat"
}

# closes WHAT SCRIPT [OPTION...] - all files that SCRIPT, for bash, has opened. Before
# that, bash closes what the caller of this test has left open.
closes() {
	what=$1 script=$2
	shift 2
	# shellcheck disable=SC2016 # expanded by the inner shell
	start bash -c 'for file in /proc/$$/fd/*; do
			[ "${file##*/}" -le 2 ] || eval "exec ${file##*/}<&-"
		done
		'"$script"'
		exec "$@"' bash "$container" "$@" "$rootfs" sleep 4711
	eventually sleeper
	sed -i "s/^$pid$/$inside/" "$T.started"
	# shellcheck disable=SC2012 # numbers
	is "$(ls "/proc/$inside/fd" | sort -n | tr '\n' ' ')" "0 1 2 " \
		"open files of the command, after the caller opened $what"
}

# Root may raise the limit, other users only up to the hard limit.
closes_all_numbers() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	closes '3 40 1000 1023 1024 65535 65536 and the highest number' '
		ulimit -n 1048576 2>&- || ulimit -n "$(ulimit -H -n)"
		limit=$(ulimit -n)
		for number in 3 40 1000 1023 1024 65535 65536 $((limit - 1)); do
			[ $number -ge $limit ] || eval "exec $number</"
		done' "$@"
}

closes_all_types() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	closes '3, a file, 4, a pipe, 5, a device, and 6, a socket' \
		'exec 3<"$BASH" 4< <(:) 5</dev/zero
		{ exec 6<>/dev/udp/127.0.0.1/9; } 2>&- || :'
}

keeps_standard_files() {
	run sh -c 'echo in | "$@"' sh "$container" "$@" "$rootfs" \
		sh -c 'cat; echo err >&2'
	ran="echo in | ./container $* ROOTFS sh -c 'cat; echo err >&2'"
	is "$out:$err" in:err "stdout:stderr of the command"
}

hint='0, 1 and 2 are for the command'
t "stdin, stdout and stderr are open inside" keeps_standard_files
hint='which system call closes a range of files?'
t "no directory of the host is open inside" hides_a_directory
hint='the caller may use any number, up to the limit of ulimit -n'
t "whatever its number is" closes_all_numbers
hint='a socket or a pipe is a way to the host as well'
t "whatever type of file it is" closes_all_types
hint='close them with -U and without it'
t "-U: no file of the host is open" closes_all_numbers -U
done_testing
