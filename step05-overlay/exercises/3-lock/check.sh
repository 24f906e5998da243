#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 5.3: one container at a time writes to a directory
# Untouched: the exit status of a second container
. "$(dirname "$0")/../../../common/test/lib.sh"

# start_first OPTION... - with -w $T/dir; sets $pid, the launcher, and $inside
start_first() {
	mkdir "$T/dir"
	start "$container" "$@" -w "$T/dir" "$rootfs" sleep 4711
	eventually sleeper
}

# start_second DIR OPTION... - as run does, but a launcher that waits is killed
start_second() {
	first=${pid-} dir=$1 status=0
	shift
	start "$container" "$@" -w "$dir" "$rootfs" \
		sh -c 'echo the command runs'
	(poll 250 ended) || # in a subshell, since start_succeeds() is polled, too
		fail "a second container with the same directory waits"
	wait "$pid" || status=$?
	mv "$T/start.out" "$T/out"
	mv "$T/start.err" "$T/err"
	ran="container $* -w $dir"
	out=$(cat "$T/out") err=$(cat "$T/err") pid=$first
}

is_refused() {
	is "$status" 125 "the exit status of a second container"
	one_line_error 125 "$1"
}

# The refused one must not break the lock of the first one: so once more.
refuses_a_second() {
	start_first "$@"
	ln -s dir "$T/link"
	mkdir "$T/bound"
	trap 'stop_started; umount -l "$T/bound"' EXIT
	mount --bind "$T/dir" "$T/bound"
	cd "$T"
	for name in "$T/dir" dir ./dir/ "$T/link" "$T/bound" "$T/dir"; do
		start_second "$name" "$@"
		is_refused "$name"
	done
	is "$(ended && echo exited)" "" "the first container"
	echo new >"/proc/$inside/root/new"
	is "$(ls "$T/dir/upper")" new "what the first container has written"
}

allows_others() {
	start_first
	mkdir "$T/other"
	start_second "$T/other"
	is "$status" 0 "exit status with another directory"
	for without in first second; do
		start "$container" "$rootfs" sleep 4712
		run "$container" "$rootfs" true
		is "$status" 0 "exit status of the $without container without -w"
	done
	start_second "$T/none"
	one_line_error 125 "$T/none"
	[ ! -e "$T/none" ] || fail "it created DIR"
}

# Two filesystems number their files alike: a pair of new directories may have
# the same inode number.
allows_the_same_number() {
	mkdir "$T/one" "$T/two"
	trap 'stop_started; umount -l "$T/one" "$T/two"' EXIT
	mount -t tmpfs tmpfs "$T/one"
	mount -t tmpfs tmpfs "$T/two"
	start "$container" -w "$T/one" "$rootfs" sleep 4711
	eventually sleeper
	start_second "$T/two"
	is "$status" 0 "exit status with a directory of another filesystem"
}

allows_the_next() {
	mkdir "$T/dir"
	for try in first second third; do
		start_second "$T/dir"
		is "$status" 0 "exit status of the $try container"
	done
	run "$container" -w "$T/dir" "$rootfs" no-such-command
	is "$status" 127 "exit status of a command that does not exist"
	start_second "$T/dir"
	is "$status" 0 "exit status of the next container"
}

# killed SIGNAL - then the next one can start
killed() {
	start_first
	kill "-$1" "$pid"
	eventually ended
	eventually has_disappeared "$inside"
	poll 25 start_succeeds ||
		fail "the next one cannot start: $(head -n 1 "$T/err")"
}

start_succeeds() {
	start_second "$T/dir"
	[ "$status" = 0 ]
}

leaves_no_file() {
	start_first
	is "$(ls -A "$T/dir" | tr '\n' ' ')" "upper work " "what is in DIR"
	start_second "$T/dir"
	is "$(ls -A "$T/dir" | tr '\n' ' ')" "upper work " \
		"what is in DIR after the second"
	kill -KILL "$pid"
	eventually ended
	is "$(ls -A "$T/dir" | tr '\n' ' ')" "upper work " "what is in DIR afterwards"
}

keeps_no_file_open() {
	start_first "$@"
	is "$(ls "/proc/$inside/fd" | tr '\n' ' ')" "0 1 2 " "open files of the command"
}

for option in '' -U; do
	with=${option:+$option: }
	hint='which system call locks an open directory without waiting? Not its path'
	t "${with}a second container with the same directory is refused" \
		refuses_a_second $option
done
hint='lock the directory, not something that all containers share'
t "other containers can start" allows_others
hint='an inode number is unique only in its filesystem: compare st_dev as well'
t "a directory of another filesystem is another one" allows_the_same_number
hint='the launcher holds the lock, and nobody after it'
t "when the first has exited, the next one can start" allows_the_next
hint='a lock that only the launcher removes stays when it is killed'
t "or when its launcher was killed by KILL" killed KILL
t "or by TERM" killed TERM
hint='the directory itself can be locked: open it before fork(2)'
t "there is no lock file" leaves_no_file
hint='O_CLOEXEC: an open directory is a way out of the container'
t "the command has no open file of the host" keeps_no_file_open
t "-U: the command has no open file of the host" keeps_no_file_open -U
done_testing
