#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 3.2: a command in a running container
# Untouched: enter.c does not exist
. "$(dirname "$0")/../../../common/test/lib.sh"

enter=${container%/*}/enter

# start_container COMMAND... - one that runs `sleep 4711`; sets $inside, which
# is killed when the test ends: then its launcher exits
start_container() {
	start "$@" sleep 4711
	eventually sleeper
	sed -i "s/^$pid$/$inside/" "$T.started"
}

# start_with_pid [OPTION...] - a container as in step 04. PID 1 is the second
# unshare, because sleep as PID 1 would ignore SIGTERM.
start_with_pid() {
	start_container unshare "$@" --pid --fork \
		unshare --fork --mount --uts --ipc --net --cgroup \
		--root="$rootfs" --mount-proc
}

# enter_it [COMMAND...] - runs `sleep 4712` in the container; sets $entered. COMMAND
# runs enter.
enter_it() {
	start "$@" "$enter" "$inside" sleep 4712
	eventually has_entered
	[ -n "$entered" ] || fail "the command did not start: \
$(head -n 1 "$T/start.err")"
	sed -i "s/^$pid$/$entered/" "$T.started"
}

has_entered() {
	entered=
	for dir in /proc/[0-9]*; do
		[ "$(tr '\0' ' ' 2>/dev/null <"$dir/cmdline")" != \
			"sleep 4712 " ] || entered=${dir#/proc/}
	done
	[ -n "$entered" ] || ended
}

shares_namespaces() {
	"$@"
	enter_it
	for type in mnt uts ipc net cgroup pid user; do
		is "$(ns_of "$entered" $type)" "$(ns_of "$inside" $type)" \
			"the command's $type namespace"
	done
}

# directory PID cwd|root - its device and inode
directory() {
	stat -L -c %d:%i "/proc/$1/$2"
}

shares_the_root() {
	"$@"
	enter_it
	for link in root cwd; do
		is "$(directory "$entered" $link)" \
			"$(directory "$inside" root)" "the command's $link"
	done
}

# ids PID - all of its user and group IDs, seen from outside
ids() {
	grep '^[UG]id:' "/proc/$1/status" | tr '\t' ' '
}

# The sandbox of an ordinary user has one user ID: then this cannot differ.
is_user_0() {
	set -- unshare --user --map-root-user --mount
	! setpriv --reuid=1000 --clear-groups true 2>/dev/null ||
		set -- setpriv --reuid=1000 --regid=1000 --clear-groups "$@"
	start_container "$@"
	enter_it
	is "$(ids "$entered")" "$(ids "$inside")" "user and group, outside"
}

# As in an ordinary user's sandbox: there, setgroups(2) is denied.
keeps_groups_where_it_must() {
	# shellcheck disable=SC2016 # for the inner shell
	run unshare --user --map-root-user --mount --uts --ipc --net --cgroup \
		--pid --fork --mount-proc sh -c '
		"$1" "$2" sh -c "echo \$\$; exec sleep 4711" >"$4" &
		until [ -s "$4" ]; do sleep 0.02; done
		"$3" "$(cat "$4")" echo entered' \
		sh "$container" "$rootfs" "$enter" "$T/pid"
	ran='./enter PID echo entered, in a user namespace that denies setgroups(2)'
	is "$out" entered "stdout"
}

# drops_groups OPTION... - of a caller who is in the groups 4 and 27
drops_groups() {
	setpriv --groups 4,27 true 2>/dev/null ||
		skip "needs root: this sandbox has only one user"
	start_container "$container" "$@" "$rootfs"
	enter_it setpriv --groups 4,27
	groups=$(sed -n 's/^Groups:[[:blank:]]*//p' "/proc/$entered/status")
	is "${groups% }" "" "the command's supplementary groups"
}

leaves_the_environment() {
	start_container "$container" "$rootfs"
	enter_it env SECRET=host PATH="/host:$PATH" HOME=/host TERM=vt100
	is "$(tr '\0' '\n' <"/proc/$entered/environ" | sort)" "HOME=/root
PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
TERM=vt100" "the command's environment"
}

# has_defaults - with a caller's environment that lacks TERM and programs
has_defaults() {
	start_container "$container" "$rootfs"
	# shellcheck disable=SC2016 # for the shell inside
	run env -u TERM PATH=/host "$enter" "$inside" sh -c 'echo "$TERM"'
	is "$out" dumb "TERM, if the caller has none"
}

keeps_standard_files() {
	start_container "$container" "$rootfs"
	run sh -c 'echo in | "$@"' sh "$enter" "$inside" sh -c 'cat; echo err >&2'
	ran="echo in | ./enter PID sh -c 'cat; echo err >&2'"
	is "$out:$err" in:err "stdout:stderr of the command"
}

leaves_files() {
	start_container "$container" "$rootfs"
	files=$(ls "/proc/$inside/fd")
	enter_it
	is "$(ls "/proc/$entered/fd")" "$files" "the command's open files"
}

# exits STATUS COMMAND... - in the container that runs
exits() {
	expected=$1
	shift
	run "$enter" "$inside" "$@"
	is "$status" "$expected" "exit status after $*"
}

passes_the_status_on() {
	start_container "$container" "$rootfs"
	exits 0 true
	exits 7 sh -c 'exit 7'
	hint='WIFSIGNALED(): the status is 128 and the number of the signal'
	exits 137 sh -c 'kill -KILL $$'
	hint='127 if errno is ENOENT, else 126: see run_command() in container.c'
	exits 127 /nonexistent
	exits 126 /etc/passwd
}

# refuses ARG...
refuses() {
	run "$enter" "$@"
	one_line_error 125
}

# refuses_to_run COMMAND... - COMMAND runs enter
refuses_to_run() {
	run "$@" "$enter" "$inside" sh -c 'echo it runs'
	ran="$* ./enter PID sh -c 'echo it runs'"
	one_line_error 125
}

needs_capabilities() {
	start_container "$container" "$rootfs"
	refuses_to_run setpriv --bounding-set=-sys_admin
	refuses_to_run setpriv --bounding-set=-sys_chroot
}

# needs_root OPTION... - of unshare, for a user namespace that lacks an ID 0
needs_root() {
	start_container unshare --user "$@" --mount
	refuses_to_run
}

# The process has exited, and the shell has waited for it.
refuses_wrong_arguments() {
	refuses
	refuses 1
	refuses self true
	sh -c : &
	wait $!
	refuses $! true
}

hint='call setns(2) for each of them; enter mnt last, or open everything first'
t "the command is in the container's namespaces" \
	shares_namespaces start_container "$container" "$rootfs"
hint='enter the user namespace too, with the others or after them: before, you
      would lose the right to enter those that belong to the host'
t "-U: it is, in the user namespace as well" \
	shares_namespaces start_container "$container" -U "$rootfs"
hint='setns(2) changes the PID namespace of your next child: fork(2) after it'
t "with a PID namespace: it is, in this one as well" \
	shares_namespaces start_with_pid
t "-U and with a PID namespace: it is in all of them" \
	shares_namespaces start_with_pid --user --map-root-user
hint='/proc/PID/root leads there; chroot(2) leaves the working directory'
t "its root and working directory are the container's root" \
	shares_the_root start_container "$container" "$rootfs"
t "-U: its root and working directory are the container's root" \
	shares_the_root start_container "$container" -U "$rootfs"
t "with a PID namespace: they are as well" shares_the_root start_with_pid
hint='setns(2) does not change IDs: call setgid(2), then setuid(2)'
t "in a user namespace, it is user and group 0" is_user_0
hint='call setgroups(2) before setns(2): a user namespace may deny it'
t "it is in none of the groups of the caller" drops_groups
t "-U: it is in none of the groups of the caller" drops_groups -U
hint='EPERM from setgroups(2) is not an error here: the caller may not drop groups'
t "it runs where the kernel does not allow to drop the groups" \
	keeps_groups_where_it_must
hint='use clearenv(3): see run_command() in container.c'
t "its environment is PATH, HOME and TERM, as in run_command()" \
	leaves_the_environment
t "its program is found in this PATH; TERM is dumb if the caller has none" \
	has_defaults
hint='0, 1 and 2 are those of the caller'
t "it has the stdin, stdout and stderr of the caller" keeps_standard_files
hint='open files with O_CLOEXEC'
t "it inherits no file that enter has opened" leaves_files
hint='waitpid(2): see wait_for_exit() in container.c'
t "its exit status is passed on, or 128+N, 127, 126" passes_the_status_on
hint='check what setns(2) and chroot(2) return'
t "125, if a call is not permitted" needs_capabilities
hint='check what setuid(2) returns'
t "125, if the user namespace has no user 0" needs_root --map-user=5 --map-group=0
hint='check what setgid(2) returns'
t "125, if the user namespace has no group 0" needs_root --map-user=0 --map-group=5
hint='exit with EXIT_LAUNCHER, and print one line to stderr'
t "125, if there is no such process or an argument is missing" \
	refuses_wrong_arguments
done_testing
