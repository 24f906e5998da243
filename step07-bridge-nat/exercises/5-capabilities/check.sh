#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 7.5: the capabilities of a Docker container
# Untouched: no container with -c
. "$(dirname "$0")/../../../common/test/lib.sh"

# start_container OPTION... - by a caller with inheritable and ambient
# capabilities; sets $inside
start_container() {
	start setpriv --inh-caps +sys_admin --ambient-caps +sys_admin \
		"$container" "$@" "$rootfs" sleep 4711
	eventually runs_or_ended
	[ -n "$inside" ] ||
		fail "no container with $1: $(head -n 1 "$T/start.err")"
}

runs_or_ended() {
	sleeper || ended
}

# of NAME - what the kernel says about the command
of() {
	sed -n "s/^$1:[[:blank:]]*//p" "/proc/$inside/status"
}

# has VALUE SET... - in the container with these options
has() {
	value=$1
	shift
	start_container -c $options
	for set; do
		case $(of "$set") in
		"$value") ;;
		*a80425fb) hint='drop the newer ones, too: PR_CAPBSET_READ fails after the last' ;;
		esac
		is "$(of "$set")" "$value" "$set"
	done
}

refuses_mount() {
	run "$container" $options -c "$rootfs" mount -t tmpfs tmpfs /mnt
	isnt "$status" 0 "status of mount"
}

ignores_suid() {
	setpriv --reuid=1000 true 2>/dev/null ||
		skip "needs root: this sandbox has only one user"
	mkdir -p "$T/layer"
	compile suid -static 2>/dev/null || skip "needs a static C library"
	cp "$probes/suid" "$T/layer"
	chmod 4755 "$T/layer/suid"
	run "$container" "$T/layer:$rootfs" /suid drop
	is "$out" 0 "the user of a set-user-ID file without -c"
	run "$container" -c "$T/layer:$rootfs" /suid drop
	is "$out" 1000 "the user of a set-user-ID file"
}

reaches_the_internet() {
	run "$container" -c "$rootfs" reach ping 198.51.100.1
	is "$out" "reply from 198.51.100.1" "the container asks the internet"
}

# fails_closed CAPABILITY - without it, a set cannot be changed
fails_closed() {
	run setpriv --bounding-set "-$1" "$container" -c "$rootfs" \
		sh -c 'grep Cap /proc/self/status'
	is "$status" 125 "exit status of a launcher without CAP_$1"
	one_line_error 125
}

# A launcher without CHOWN cannot have the 14, and capset(2) may fail: then no
# command runs with what it was to take away.
is_not_ignored() {
	run setpriv --bounding-set -chown --inh-caps +sys_admin "$container" \
		-c "$rootfs" grep CapInh /proc/self/status
	if [ "$status" = 125 ]; then
		one_line_error 125
	else
		is "$(echo "$out" | xargs)" "CapInh: 0000000000000000" \
			"in a container whose capset(2) may have failed"
	fi
}

# The same capabilities as a child of this caller that is not in a container
keeps_all() {
	setpriv --inh-caps +sys_admin --ambient-caps +sys_admin \
		grep -e ^Cap -e ^NoNewPrivs /proc/self/status >"$T/outside"
	start_container
	is "$(grep -e ^Cap -e ^NoNewPrivs "/proc/$inside/status" | xargs)" \
		"$(xargs <"$T/outside")" "capabilities without -c"
}

# The command's children, and what they execute
passes_on() {
	run "$container" -c "$rootfs" sh -c \
		'sh -c "grep -e CapBnd -e CapEff -e NoNew /proc/self/status"'
	docker=00000000a80425fb
	is "$(xargs <"$T/out")" "CapEff: $docker CapBnd: $docker NoNewPrivs: 1" \
		"in a child of the command"
}

for options in '' -U; do
	with=${options:+$options: }
	hint='execve(2) gives root what the bounding set allows'
	t "${with}the bounding set is Docker's" has 00000000a80425fb CapBnd
	hint='when is the set-up over? What does execve(2) do then?'
	t "${with}so are the permitted and the effective set" \
		has 00000000a80425fb CapPrm CapEff
	hint='the caller of this container has inheritable and ambient ones'
	t "${with}nothing is inheritable or ambient" \
		has 0000000000000000 CapInh CapAmb
	hint='PR_SET_NO_NEW_PRIVS of prctl(2), also with -U'
	t "${with}no_new_privs is set" has 1 NoNewPrivs
	hint='CAP_SYS_ADMIN is not in the list'
	t "${with}root cannot mount" refuses_mount
done
options=
hint='only with -c'
t "without -c, nothing changes" keeps_all
hint='PR_SET_NO_NEW_PRIVS of prctl(2)'
t "a set-user-ID file has no effect" ignores_suid
hint='the bounding set and no_new_privs are inherited'
t "children of the command have no more" passes_on
hint='drop them when the set-up is over'
t "the network is as before" reaches_the_internet
hint='check the result of every call, with must()'
t "if the sets cannot be changed, the command does not run" \
	fails_closed setpcap
t "nor if capset(2) fails" is_not_ignored
done_testing
