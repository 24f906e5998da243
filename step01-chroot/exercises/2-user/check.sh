#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 1.2: the command runs as another user and group
# Untouched: the command does not run
. "$(dirname "$0")/../../../common/test/lib.sh"

need_root() {
	setpriv --groups 4,27 true 2>/dev/null ||
		skip "needs root: this sandbox has only one user"
}

# start_container OPTION... - with a caller who is in the groups 4 and 27
start_container() {
	need_root
	start setpriv --groups 4,27 "$container" "$@" "$rootfs" sleep 4711
	eventually runs_or_ended
	[ -n "$inside" ] || {
		reason=$(head -n 1 "$T/start.err")
		case $reason in
		*chroot*) hint='chroot(2) needs root: change the user after it' ;;
		esac
		fail "the command does not run: $reason"
	}
}

runs_or_ended() {
	sleeper || ended
}

# of NAME - what /proc/PID/status of the command says, without tabs
of() {
	sed -n "s/^$1:[[:blank:]]*//p" "/proc/$inside/status" | tr '\t' ' '
}

has_user() {
	start_container -u 1000:100
	is "$(of Uid)" "1000 1000 1000 1000" "the user IDs"
}

has_group() {
	start_container -u 1000:100
	is "$(of Gid)" "100 100 100 100" "the group IDs"
}

# has_both UID GID [ARGUMENT]
has_both() {
	start_container -u "${3:-$1:$2}"
	is "$(of Uid)/$(of Gid)" "$1 $1 $1 $1/$2 $2 $2 $2" \
		"the user IDs/the group IDs"
}

has_the_largest() {
	need_root
	setpriv --reuid=4294967294 --clear-groups true 2>/dev/null ||
		skip "this sandbox has no user 4294967294"
	has_both 4294967294 4294967294
}

# The group itself may be in the list, as with setgroups(1, &gid).
has_no_other_group() {
	start_container -u "$1:$2"
	is "$(of Groups | tr ' ' '\n' | grep -vx "$2" | tr -d '\n')" "" \
		"supplementary groups other than $2"
}

has_no_capabilities() {
	start_container -u 1000:100
	for set in CapEff CapPrm; do
		is "$(of $set)" 0000000000000000 "$set"
	done
}

keeps_root() {
	start_container
	is "$(of Uid)/$(of Gid)/$(of Groups)" "0 0 0 0/0 0 0 0/4 27 " \
		"user, group and groups without -u"
}

refuses() {
	need_root
	for argument; do
		run "$container" -u "$argument" "$rootfs" sh -c 'echo it runs'
		one_line_error 125
	done
}

# fails UID-MAP GID-MAP allow|deny - -u 1000:100 in a user namespace that has only
# the IDs of the maps, and where setgroups(2) is allowed or denied. A process
# outside has to write that: the shell inside stops until it is done.
fails() {
	need_root
	unshare --user true 2>/dev/null || skip "needs user namespaces"
	# shellcheck disable=SC2016 # expanded by the inner shell
	start setpriv --groups 4,27 unshare --user \
		sh -c 'kill -STOP $$; exec "$@"' sh \
		"$container" -u 1000:100 "$rootfs" sh -c 'echo it runs'
	eventually grep -qs '^State:	T' "/proc/$pid/status"
	echo "$3" >"/proc/$pid/setgroups"
	echo "$1" >"/proc/$pid/uid_map"
	echo "$2" >"/proc/$pid/gid_map"
	kill -CONT "$pid"
	eventually ended
	run result_of_started
	ran="container -u 1000:100 ROOTFS sh -c 'echo it runs'"
	one_line_error 125
}

result_of_started() {
	cat "$T/start.out"
	cat "$T/start.err" >&2
	wait "$pid"
}

hint='setuid(2), as root, sets all of them; seteuid(2) sets one'
t "the command runs as user 1000" has_user
hint='only root can change groups: setuid(2) comes last'
t "as group 100" has_group
hint='the caller is in the groups 4 and 27: see setgroups(2)'
t "and in no other group" has_no_other_group 1000 100
hint='a process that may become root again has not given up root'
t "without capabilities" has_no_capabilities
hint='0 is an ID like any other: it does not mean that -u is missing'
t "-u 0:100 is group 100, and user 0" has_both 0 100
t "-u 0:100 is in no other group" has_no_other_group 0 100
t "-u 0:0 is in no other group" has_no_other_group 0 0
t "-u 1000:0 is user 1000, and group 0" has_both 1000 0
hint='an ID has 32 bits, without a sign'
t "4294967294 is the largest ID" has_the_largest
hint='the third argument of strtoul(3) is the base: 10'
t "010:0100 is user 10 and group 100" has_both 10 100 010:0100
hint='without -u, change neither user nor groups'
t "without -u, it is root" keeps_root
hint='exit with EXIT_LAUNCHER and one line before the command runs'
t "an argument that is not UID:GID is refused" \
	refuses '' 1000 1000: :100 a:b 1000:100x 1000:100:1 1000::100 1000:100:
hint='digits only: strtoul(3) skips blanks, and accepts a sign and 0x'
t "a sign, a blank or 0x is refused" \
	refuses -5:100 100:-5 +5:100 100:+5 ' 5:100' '100: 5' '5 :100' '100:5 ' \
	0x10:100 100:0x10 '	5:100'
hint='4294967296 in 32 bits is 0, root: compare before you convert to uid_t'
t "a number that is too large is refused, and does not become root" \
	refuses 4294967296:100 1000:4294967296 18446744073709551616:100 \
	1000:18446744073709551616 99999999999999999999:100
hint='setuid(2) and setgid(2) take -1 for "no change"'
t "4294967295, which is -1, is refused" refuses 4294967295:0 0:4294967295
hint='check what setgroups(2) returns'
t "if setgroups(2) fails, the command does not run" \
	fails '0 0 2000' '0 0 2000' deny
hint='check what setgid(2) returns'
t "if setgid(2) fails, the command does not run" \
	fails '0 0 2000' '0 0 1' allow
hint='check what setuid(2) returns'
t "if setuid(2) fails, the command does not run" \
	fails '0 0 1' '0 0 2000' allow
done_testing
