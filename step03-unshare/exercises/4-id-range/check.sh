#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 3.4: a user namespace with a range of IDs
# Untouched: no container with a range of IDs
. "$(dirname "$0")/../../../common/test/lib.sh"

# with_ranges SUBUID SUBGID COMMAND... - for user 1000, called reader, in group 1005,
# whose files these are. $as_reader are the words that run a command as this user.
with_ranges() {
	can_map
	printf '%s\n' "$1" >"$T/subuid"
	printf '%s\n' "$2" >"$T/subgid"
	echo 'reader:x:1000:1005::/:/bin/sh' >"$T/passwd"
	echo 'readers:x:1005:' >"$T/group"
	cp "$container" "$T/container"
	container=$T/container
	cp -RP "$rootfs" "$T/root"
	rootfs=$T/root
	chown -R 1000:1005 "$rootfs"
	chmod 755 "$scratch" "$T" "$container"
	cat >"$T/as-reader" <<-END
		set -e
		for file in passwd group subuid subgid; do
			mount --bind "$T/\$file" "/etc/\$file"
		done
		PATH=\$PATH:/usr/sbin:/sbin exec setpriv --reuid=1000 \\
			--regid=1005 --clear-groups "\$@"
	END
	as_reader="unshare --mount sh $T/as-reader"
	shift 2
	"$@"
}

# The tests need the real newuidmap, which is set-user-ID root, and IDs.
can_map() {
	for program in newuidmap newgidmap; do
		command -v $program >/dev/null ||
			skip "needs $program: install uidmap or shadow-utils"
	done
	for file in /etc/subuid /etc/subgid; do
		[ -e $file ] || skip "needs $file"
	done
	setpriv --reuid=29999 --regid=44999 --clear-groups true 2>/dev/null ||
		skip "needs root: a user's sandbox has only one user ID"
}

# start_container OPTION... - as reader; sets $pid, the launcher, and $inside,
# which is killed when the test ends
start_container() {
	# shellcheck disable=SC2086 # words
	start $as_reader "$container" "$@" "$rootfs" sleep 4711
	eventually runs_or_ended
	[ -n "$inside" ] || {
		reason=$(head -n 1 "$T/start.err")
		explain
		fail "no container with a range of IDs: $reason"
	}
	sed -i "s/^$pid$/$inside/" "$T.started"
}

explain() {
	case $reason in
	newuidmap:*'Invalid argument')
		hint='two ranges overlap: 0 is the caller, so yours begins at 1' ;;
	newgidmap:*'not allowed')
		hint='groups have ranges of their own, in /etc/subgid' ;;
	*'not permitted'*)
		hint='to map IDs of others needs CAP_SETUID in the parent namespace:
a process there runs newuidmap, after unshare(2)' ;;
	esac
}

runs_or_ended() {
	sleeper || ended
}

# map uid|gid - of the container: "0 1000 1, 1 20000 10000"
map() {
	awk '{ printf "%s%s %s %s", (NR > 1 ? ", " : ""), $1, $2, $3 }' \
		"/proc/$inside/${1}_map"
}

# Whether the command waits for the map is the next test.
maps() {
	start_container -R
	poll 50 is_mapped || :
	is "$(map uid)" "0 1000 1, 1 $1" "uid_map"
	is "$(map gid)" "0 1005 1, 1 $2" "gid_map"
}

is_mapped() {
	[ -n "$(map uid)" ] && [ -n "$(map gid)" ]
}

maps_one() {
	start_container -U
	is "$(map uid)" "0 1000 1" "uid_map"
	is "$(map gid)" "0 1005 1" "gid_map"
}

chowns() {
	# shellcheck disable=SC2086 # words
	run $as_reader "$container" -R "$rootfs" sh -c \
		'touch /file && chown 1000:33 /file && ls -n /file'
	is "$status" 0 "exit status"
	is "$(stat -c %u:%g "$rootfs/file")" 20999:40032 \
		"owner of the file, seen from the host"
}

# The real programs, but slower.
waits() {
	mkdir "$T/slow"
	for program in newuidmap newgidmap; do
		printf '#!/bin/sh\nsleep 0.2\nexec %s "$@"\n' \
			"$(command -v $program)" >"$T/slow/$program"
		chmod 755 "$T/slow" "$T/slow/$program"
	done
	PATH=$T/slow:$PATH
	# shellcheck disable=SC2086 # words
	run $as_reader "$container" -R "$rootfs" sh -c 'id -u; id -g'
	is "$out" "0
0" "user and group when the command starts"
}

# The reason is in the message, which newuidmap may print.
refuses() {
	# shellcheck disable=SC2086 # words
	run $as_reader "$container" -R "$rootfs" sh -c 'echo it runs'
	is "$status" 125 "exit status"
	is "$out" "" "stdout"
	isnt "$err" "" "stderr"
}

# fails PROGRAM COMMAND - like one that is not permitted to map the IDs
fails() {
	mkdir "$T/failing"
	printf '#!/bin/sh\necho "%s: not allowed" >&2\n%s\n' "$1" "$2" \
		>"$T/failing/$1"
	chmod 755 "$T/failing" "$T/failing/$1"
	PATH=$T/failing:$PATH
	refuses
}

lacks_programs() {
	as_reader="$as_reader env PATH=/nonexistent"
	refuses
}

has_large_numbers() {
	setpriv --reuid=3000000000 --clear-groups true 2>/dev/null ||
		skip "this sandbox has no user 3000000000"
	with_ranges reader:3000000000:100000 reader:3000000000:100000 \
		maps "3000000000 100000" "3000000000 100000"
}

uids=reader:20000:10000 gids=reader:40000:5000
hint='a process outside runs newuidmap PID 0 UID 1 1 START COUNT'
t "user 0 is the caller, and the caller's ranges begin at ID 1" \
	with_ranges $uids $gids maps "20000 10000" "40000 5000"
hint='wait for newuidmap and newgidmap before you start the command'
t "the command starts after the IDs are mapped" \
	with_ranges $uids $gids waits
hint='the first line that begins with the name or the user ID of the caller'
t "the ranges may be those of a user ID, after those of others" \
	with_ranges "daemon:10000:100
reader2:11000:100
read:12000:100
10001:13000:100
100:14000:100
1000:20000:1000
1000:30000:1000" "10000:10000:100
readers:11000:100
1005:12000:100
reader:40000:70" maps "20000 1000" "40000 70"
hint='ID n inside is START + n - 1 outside'
t "a file of user 1000 and group 33 is START + 999 and + 32 outside" \
	with_ranges $uids $gids chowns
hint='without a range, do not start the command; exit with EXIT_LAUNCHER'
t "without a range of users: 125" with_ranges daemon:10000:100 $gids refuses
t "without a range of groups: 125" with_ranges $uids daemon:10000:100 refuses
hint='check WEXITSTATUS: if it is not 0, the IDs are not mapped'
t "if newuidmap fails: 125" with_ranges $uids $gids fails newuidmap 'exit 1'
t "if newgidmap fails: 125" with_ranges $uids $gids fails newgidmap 'exit 1'
hint='check WIFEXITED: a program that was killed has no exit status'
t "if newgidmap is killed: 125" \
	with_ranges $uids $gids fails newgidmap 'kill -KILL $$'
hint='if exec fails, the child has to exit with a status other than 0'
t "if newuidmap is not found: 125" with_ranges $uids $gids lacks_programs
hint='an ID has 32 bits, without a sign'
t "a range may begin at 3000000000" has_large_numbers
hint='-U needs neither a range nor newuidmap'
t "-U still maps one ID" with_ranges $uids $gids maps_one
done_testing
