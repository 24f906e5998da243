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
	[ -n "$inside" ] || fail "the command does not run: \
$(head -n 1 "$T/start.err")"
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

has_no_other_group() {
	start_container -u 1000:100
	is "$(of Groups | tr -d ' ')" "" "the supplementary groups"
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
		run "$container" -u "$argument" "$rootfs" echo 'the command runs'
		one_line_error 125
	done
}

hint='setuid(2), as root, sets all of them; seteuid(2) sets one'
t "the command runs as user 1000" has_user
hint='only root can change groups: setuid(2) comes last'
t "as group 100" has_group
hint='the caller is in the groups 4 and 27: see setgroups(2)'
t "and in no other group" has_no_other_group
hint='a process that may become root again has not given up root'
t "without capabilities" has_no_capabilities
hint='without -u, change neither user nor groups'
t "without -u, it is root" keeps_root
hint='exit with EXIT_LAUNCHER and one line before the command runs'
t "an argument that is not UID:GID is refused" \
	refuses '' 1000 1000: :100 a:b 1000:100x 1000:100:1 -5:100 100:-5
hint='4294967296 in 32 bits is 0, root: compare before you convert to uid_t'
t "a number that is too large is refused, and does not become root" \
	refuses 4294967296:100 1000:4294967296 18446744073709551616:100
hint='setuid(2) and setgid(2) fail with -1: check what they return'
t "4294967295, which is -1, is refused" refuses 4294967295:0 0:4294967295
done_testing
