#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 4.4: limits of a cgroup
# Untouched: it did not start
. "$(dirname "$0")/../../../common/test/lib.sh"

# The sandbox's own /sys has none. Every cgroup but the root has a type. If it
# has a process itself, it cannot enable controllers for others.
cgroups=/sys/fs/cgroup
mount -t cgroup2 cgroup2 $cgroups 2>/dev/null || :

has_controllers() {
	[ -w $cgroups/cgroup.procs ] && [ ! -e $cgroups/cgroup.type ] || return
	for name in pids memory cpu; do
		grep -qw $name $cgroups/cgroup.controllers || return
	done
}

needs_controllers() {
	has_controllers ||
		skip "needs cgroup v2 with controllers, and root in the root cgroup"
}

# remove_left - what a launcher leaves that was killed
remove_left() {
	! has_controllers || rmdir $cgroups/container-[0-9]* 2>/dev/null || :
}

# disable_controllers - the launcher enables those that it needs, even if no other
# one has done so before. Those that the machine itself has enabled stay.
enabled=$(cat $cgroups/cgroup.subtree_control 2>/dev/null || :)
disable_controllers() {
	[ -n "$enabled" ] || ! has_controllers ||
		echo "-pids -memory -cpu" 2>/dev/null \
			>$cgroups/cgroup.subtree_control || :
}

clean_up() {
	remove_left
	disable_controllers
}

remove_left
# The shell opens /dev/null for a command with &.
cp -RP "$rootfs" "$scratch/root"
rootfs=$scratch/root
: >"$rootfs/dev/null"

# start_container OPTION... COMMAND... - sets $pid, the launcher, $own, its cgroup,
# and $inside, the process that runs `sleep 4711`
start_container() {
	needs_controllers
	start "$container" "$@"
	own=$cgroups/container-$pid
	eventually started
	! ended || fail "it did not start: $(cat "$T/start.err")"
}

started() {
	sleeper || ended
}

# processes - of the container
processes() {
	namespace=$(ns_of "$inside" pid)
	for process in /proc/[0-9]*; do
		[ "$(ns_of "${process#/proc/}" pid 2>/dev/null)" != "$namespace" ] ||
			echo "${process#/proc/}"
	done
}

# cgroup_of PID
cgroup_of() {
	sed -n 's/^0:://p' "/proc/$1/cgroup"
}

# lies_in_its_cgroup - all processes of the container, and not the launcher
lies_in_its_cgroup() {
	start_container -p 50 "$rootfs" sh -c '
		sleep 4712 & sleep 4712 & exec sleep 4711'
	for process in $(processes); do
		is "$(cgroup_of "$process")" "/container-$pid" \
			"cgroup of '$(tr '\0' ' ' <"/proc/$process/cmdline")'"
	done
	isnt "$(cgroup_of "$pid")" "/container-$pid" "cgroup of the launcher"
}

# The launcher is held where it opens a file of the new cgroup: what starts before
# is outside, or without a limit. See hold.c of exercise 4.3.
begins_there() {
	needs_controllers
	"${CC:-cc}" -shared -fPIC -o "$T/hold.so" "$here/../3-clone3/hold.c"
	start env HOLD=open LD_PRELOAD="$T/hold.so" \
		"$container" -p 50 "$rootfs" sleep 4711
	own=$cgroups/container-$pid
	poll 100 started || echo go >>"$T/start.err"
	eventually started
	! ended || fail "it did not start: $(cat "$T/start.err")"
	is "$(cgroup_of "$inside")" "/container-$pid" \
		"cgroup of the command at its start"
	is "$(cat "$own/pids.max")" 50 "pids.max when the command starts"
}

# number FILE KEY
number() {
	sed -n "s/^$2 //p" "$own/$1"
}

reached_its_limit() {
	[ "$(number pids.events max)" -gt 0 ]
}

# A shell exits if fork(2) fails; another one waits and tries again.
limits_processes() {
	# shellcheck disable=SC2016 # for the shell inside
	start_container -p 6 "$rootfs" sh -c '
		(i=0; while [ $i -lt 20 ]; do sleep 4711 & i=$((i + 1)); done)
		exec sleep 4712'
	is "$(cat "$own/pids.max")" 6 "pids.max"
	is "$(cat "$own/memory.max")" max "memory.max, without -m"
	[ ! -e "$own/memory.swap.max" ] ||
		is "$(cat "$own/memory.swap.max")" max "memory.swap.max, without -m"
	eventually reached_its_limit
	count=$(processes | wc -l)
	[ "$count" -le 6 ] || fail "$count processes, the limit is 6"
}

# grows OPTION... - a shell that needs 64 MiB
grows() {
	needs_controllers
	# shellcheck disable=SC2016 # for the shell inside
	start "$container" "$@" "$rootfs" sh -c '
		text=0123456789abcdef i=0
		while [ $i -lt 22 ]; do
			text=$text$text i=$((i + 1))
		done
		exit 7'
}

limits_memory() {
	needs_controllers
	disable_controllers
	start_container -m 33554432 "$rootfs" sleep 4711
	is "$(cat "$own/memory.max")" 33554432 "memory.max"
	# A kernel without swap has no such file.
	[ ! -e "$own/memory.swap.max" ] ||
		is "$(cat "$own/memory.swap.max")" 0 "memory.swap.max"
	is "$(cat "$own/pids.max")" max "pids.max, without -p"
	is "$(cat "$own/cpu.max")" "max 100000" "cpu.max, without -c"
	grows -m 16M
	ends_with 137
	grows -m 1G
	ends_with 7
}

was_throttled() {
	[ "$(number cpu.stat nr_throttled)" -gt 0 ]
}

limits_cpu() {
	needs_controllers
	disable_controllers
	start_container -c 20 "$rootfs" sh -c 'sleep 4711 & while :; do :; done'
	is "$(cat "$own/cpu.max")" "20000 100000" "cpu.max"
	eventually was_throttled
}

limits_all_three() {
	start_container -c 150 -m 64M -p 9 "$rootfs" sleep 4711
	is "$(cd "$own" && cat pids.max memory.max cpu.max | tr '\n' ' ')" \
		"9 67108864 150000 100000 " "pids.max, memory.max and cpu.max"
}

is_its_own_root() {
	needs_controllers
	run "$container" -p 50 "$rootfs" cat /proc/self/cgroup
	contains "$out" 0:: "/proc/self/cgroup, inside"
	is "$(sed -n 's/^0:://p' "$T/out")" / "its cgroup, as it sees it"
}

# removed_after WHAT STATUS OPTION... ROOTFS COMMAND...
removed_after() {
	what=$1 expected=$2
	shift 2
	start "$container" "$@"
	own=$cgroups/container-$pid
	ends_with "$expected"
	removed "after $what"
}

removed() {
	[ ! -e "$own" ] || fail "$own is left $1"
}

leaves_no_directory() {
	start_container -p 50 "$rootfs" sh -c '(sleep 4712 &); exec sleep 4711'
	is "$(cat "$own/pids.max")" 50 "pids.max"
	kill -KILL "$(children_of "$pid")"
	ends_with 137
	removed "after the command was killed"
	removed_after "the command has exited" 7 -p 50 "$rootfs" sh -c 'exit 7'
	removed_after "a command that does not exist" 127 -m 64M "$rootfs" none
	removed_after "a ROOTFS that does not exist" 125 -p 50 "$T/none" true
	for limit in -p -m -c; do
		removed_after "$limit x, which the kernel refuses" 125 \
			-p 50 $limit x "$rootfs" true
	done
}

# The shell creates what a killed launcher with its PID may have left.
takes_no_limit_over() {
	needs_controllers
	# shellcheck disable=SC2016 # for the inner shell
	start sh -c '
		own=$1/container-$$
		shift
		echo "+pids +memory +cpu" >"${own%/*}/cgroup.subtree_control"
		mkdir "$own" && echo 1 >"$own/pids.max" && exec "$@"' \
		sh $cgroups "$container" -m 64M "$rootfs" sleep 4711
	own=$cgroups/container-$pid
	eventually started
	! ended || fail "it did not start: $(cat "$T/start.err")"
	is "$(cat "$own/pids.max")" max "pids.max, without -p"
}

has_none_without_option() {
	start_container "$rootfs" sleep 4711
	[ ! -e "$own" ] || fail "$own exists"
	is "$(cgroup_of "$inside")" "$(cgroup_of self)" "cgroup of the command"
}

hint='enable controllers in the parent; the child enters before exec, by itself'
t "-p: every process of the container is in its cgroup" lies_in_its_cgroup
# Without -p, or without controllers, nothing else can be checked.
[ $passed -eq 1 ] || {
	clean_up
	done_testing || exit
	exit
}
hint='set the limits, move the process, then exec: a pipe can tell the child when'
t "the command does not start before its cgroup is complete" begins_there
hint='write N to pids.max'
t "-p 6: a fork bomb has 6 processes" limits_processes
hint='write memory.max, and memory.swap.max, or the rest is swapped out'
t "-m 16M: a shell that needs 64 MiB is killed" limits_memory
hint='cpu.max is "QUOTA PERIOD", both in microseconds'
t "-c 20: a busy loop gets 20 percent of one CPU" limits_cpu
hint='each of the three options writes its own file'
t "-p, -m and -c together: the cgroup has all three limits" limits_all_three
hint='the root of a cgroup namespace is the cgroup at the time of unshare(2)'
t "the container sees its cgroup as the root" is_its_own_root
hint='call rmdir(2) when no process is left in it, after the wait, and on errors'
t "the launcher leaves no directory" leaves_no_directory
hint='mkdir(2) fails with EEXIST if a killed launcher has left the directory'
t "a directory that a killed launcher left does not matter" takes_no_limit_over
hint='create a cgroup only with -p, -m or -c'
t "without an option, there is no new cgroup" has_none_without_option
clean_up
done_testing
