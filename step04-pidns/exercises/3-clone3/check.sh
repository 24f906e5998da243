#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 4.3: the container with a single clone3(2)
# Untouched: unshare --pid --fork: Function not implemented
. "$(dirname "$0")/../../../common/test/lib.sh"

# start_container [-U] - sets $pid, the launcher, and $inside, the command
start_container() {
	start "$container" "$@" "$rootfs" sleep 4711
	eventually started
	! ended || fail "it did not start: $(cat "$T/start.err")"
}

started() {
	sleeper || ended
}

gone() {
	[ ! -e "/proc/$1" ]
}

# In each test, the arguments are -U or none.

needs_only_clone3() {
	compile deny
	# shellcheck disable=SC2016 # for the shell inside
	run "$probes/deny" "$container" "$@" "$rootfs" sh -c 'echo $$'
	is "$status" 0 "exit status without fork, clone and unshare"
	is "$out" 1 "PID of the command"
}

# A launcher that ignores the result would run the command on the host.
reports_an_error() {
	compile deny
	run "$probes/deny" -3 "$container" "$@" "$rootfs" echo 'the command runs'
	one_line_error 125 "Function not implemented"
}

# namespaces_of PID TYPE... - one a line, with its type
namespaces_of() {
	directory=/proc/$1/ns
	shift
	(cd "$directory" && readlink "$@")
}

has_namespaces() {
	start_container "$@"
	outside=$(namespaces_of self mnt uts ipc net cgroup pid ${1:+user})
	for namespace in $(namespaces_of "$inside" mnt uts ipc net cgroup pid \
		${1:+user}); do
		excludes "$outside" "$namespace" ||
			fail "the command's ${namespace%%:*} namespace is the host's"
	done
	[ -n "${1-}" ] || is "$(ns_of "$inside" user)" "$(ns_of self user)" \
		"the command's user namespace"
}

# A process that has called unshare(2) with CLONE_NEWPID shows it in
# pid_for_children.
launcher_stays_outside() {
	start_container "$@"
	set -- mnt uts ipc net cgroup pid pid_for_children user
	is "$(namespaces_of "$pid" "$@" | xargs)" \
		"$(namespaces_of self "$@" | xargs)" "the launcher's namespaces"
	is "$(children_of "$pid")" "$inside" "children of the launcher"
	is "$(sed -n 's/^NSpid://p' "/proc/$inside/status")" "	$inside	1" \
		"PIDs of the command, on the host and inside"
}

# exec(3) sets the exit_signal to SIGCHLD. So without it, wait(2) fails if it is
# called before exec, or if exec fails.
has_status() {
	run "$container" "$@" "$rootfs" no-such-command
	lacks "$err" "No child processes" "stderr"
	is "$status" 127 "exit status for a command that does not exist"
	start "$container" "$@" "$rootfs" sh -c 'exit 7'
	ends_with 7
	start_container "$@"
	kill -KILL "$inside"
	ends_with 137
}

# What is easily deleted together with unshare(2)
has_the_rest() {
	run "$container" "$@" "$rootfs" sh -c '
		cat /proc/sys/kernel/hostname
		echo /proc/[0-9]*
		ls /proc/self/fd' 7</etc
	is "$(echo "$out" | tr '\n' ' ')" "container /proc/1 0 1 2 3 " \
		"hostname, processes and open files of ls, inside"
	run "$container" "$@" "$scratch/none" true
	one_line_error 125 none
}

# systemd makes the host's mounts shared. Here, those of the launcher are.
hides_mounts() {
	# shellcheck disable=SC2016 # for the shell inside
	start unshare --mount sh -c 'mount --make-rshared / && exec "$@"' \
		sh "$container" "$rootfs" sleep 4711
	eventually started
	grep -q ' shared:' "/proc/$pid/mountinfo"
	is "$(grep -o '[^ ]*/tiny-linux/proc ' "/proc/$pid/mountinfo")" "" \
		"the container's mounts that the host sees"
}

# The launcher may also write the maps, as long as the child waits for them.
waits_for_maps() {
	compile hold.so -shared -fPIC
	start env HOLD=open LD_PRELOAD="$probes/hold.so" \
		"$container" -U "$rootfs" sleep 4711
	poll 100 started || release
	eventually started
	! ended || fail "it did not start: $(cat "$T/start.err")"
	isnt "$(file_of uid_map)" "" "uid_map when the command starts"
}

# Who is user 1000, of group 1005
maps_a_user() {
	setpriv --reuid=1000 --regid=1005 --clear-groups true 2>/dev/null ||
		skip "needs root: this sandbox has only one user"
	cp -RP "$rootfs" "$T/root"
	cp "$container" "$T/container"
	chmod 755 "$scratch" "$T" "$T/container"
	rootfs=$T/root container=$T/container
	start setpriv --reuid=1000 --regid=1005 --clear-groups \
		"$container" -U "$rootfs" sleep 4711
	eventually started
	! ended || fail "it did not start: $(cat "$T/start.err")"
	is "$(file_of uid_map)" " 0 1000 1" "uid_map, for user 1000"
	is "$(file_of gid_map)" " 0 1005 1" "gid_map, for group 1005"
}

# file_of NAME - of the command, with single blanks
file_of() {
	tr -s ' ' <"/proc/$inside/$1"
}

is_root_inside() {
	start_container -U
	is "$(file_of uid_map)" " 0 $(id -u) 1" "uid_map"
	is "$(file_of gid_map)" " 0 $(id -g) 1" "gid_map"
	is "$(file_of setgroups)" deny "setgroups"
	isnt "$(sed -n 's/^CapEff:[[:blank:]]*//p' "/proc/$inside/status")" \
		0000000000000000 "capabilities of the command"
}

dies_with_launcher() {
	start_container "$@"
	kill -KILL "$pid"
	ends_with 137
	eventually gone "$inside"
}

# release - what hold.c holds
release() {
	echo go >>"$T/start.err"
}

# The launcher dies just after clone3(2): see hold.c.
has_no_window() {
	compile hold.so -shared -fPIC
	start env HOLD=prctl LD_PRELOAD="$probes/hold.so" \
		"$container" "$@" "$rootfs" sleep 4711
	eventually has_child
	! ended || fail "it did not start: $(cat "$T/start.err")"
	kill -KILL "$pid"
	ends_with 137
	release
	poll 150 gone "$child" ||
		fail "the container outlives a launcher that dies just after clone3(2)"
}

has_child() {
	child=$(children_of "$pid")
	[ -n "$child" ] || ended
}

for option in '' -U; do
	with=${option:+$option: }
	hint='wait(2) finds only children with exit_signal SIGCHLD'
	[ -z "$option" ] || {
		hint='read geteuid(2) and getegid(2) before clone3; write the maps before exec'
		t "-U: the command does not start before it is mapped" waits_for_maps
	}
	t "${with}the exit status is the command's" has_status $option
	hint='PR_SET_PDEATHSIG in the child, as before'
	t "${with}nothing outlives the launcher" dies_with_launcher $option
	if [ -z "$option" ]; then
		hint='what else did the function do that called unshare(2)?'
		t "the host does not see the container's mounts" hides_mounts
	else
		hint='0 is only your own ID: geteuid(2) for uid_map, getegid(2) for gid_map'
		t "-U: the command is root, and only it is mapped" is_root_inside
		t "-U: the maps are those of the caller, who may not be root" maps_a_user
	fi
	hint='a single clone3(2) replaces unshare(2) and fork(2): all flags in one call'
	t "${with}the container needs no fork, clone or unshare" \
		needs_only_clone3 $option
	hint='all six flags of the step, and CLONE_NEWUSER with -U only'
	t "${with}the command has its own namespaces" has_namespaces $option
	hint='only the child enters namespaces'
	t "${with}the launcher stays outside, and has one child: PID 1" \
		launcher_stays_outside $option
	hint='a result of -1 is an error: see must()'
	t "${with}if clone3(2) fails, the command does not run" \
		reports_an_error $option
	hint='the child still sets the hostname, enters the root and mounts /proc'
	t "${with}all else is as before" has_the_rest $option
done
hint='a launcher that died before prctl(2) sends no signal: keep the pipe'
t "nothing outlives a launcher that dies just after clone3(2)" has_no_window
done_testing
