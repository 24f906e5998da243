#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 03: its own mounts, hostname, IPC objects, network and cgroup
# root, and with -U its own users. The processes are still the host's.
. "$(dirname "$0")/../common/test/lib.sh"

# Runs a command as user 1000, without any capability.
as_user="unshare --user --map-user=1000 --map-group=1000"

# start_container LAUNCHER... - sets $pid, the launcher, and $inside. At the
# end of the test, kills $inside: a killed launcher would leave it behind.
start_container() {
	start "$@" "$rootfs" sleep 4711
	eventually sleeper
	sed -i "s/^$pid$/$inside/" "$T.started"
}

has_own_namespaces() {
	for type in cgroup ipc mnt net uts ${1:+user}; do
		isnt "$(ns_of "$inside" "$type")" "$(ns_of self "$type")" "$type"
	done
}

creates_namespaces() {
	start_container "$container"
	has_own_namespaces
	is "$(ns_of "$inside" user)" "$(ns_of self user)" user
	kill "$inside"
	ends_with 143
	start_container "$container" -U
	has_own_namespaces -U
}

sets_the_host_name() {
	host=$(uname -n)
	start_container "$container"
	is "$(nsenter --target "$inside" --uts uname -n)" container
	is "$(uname -n)" "$host" "the host's name"
}

mounts_proc() {
	run "$container" "$rootfs" cat /proc/self/mounts
	is "$out" "proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0"
}

# Some kernels add tunnels to every network namespace.
has_only_lo() {
	run "$container" "$rootfs" cat /proc/net/dev
	is "$out" "$(unshare --net cat /proc/net/dev)" "interfaces"
	start_container "$container"
	is "$(nsenter --target "$inside" --net ip -oneline addr)" "" addresses
}

hides_ipc_objects() {
	id=$(ipcmk --shmem 4096 | sed 's/.* //')
	run "$container" "$rootfs" cat /proc/sysvipc/shm
	host=$(wc -l </proc/sysvipc/shm)
	ipcrm --shmem-id "$id"
	is "$host" 2 "lines for the host: a heading and an object"
	is "$(wc -l <"$T/out")" 1 "lines for the container"
}

# ---- With -U ----

maps_the_user() {
	# shellcheck disable=SC2086 # words
	start_container $as_user "$container" -U
	for map in uid_map gid_map; do
		is "$(nsenter --target "$inside" --user --preserve-credentials \
			cat "/proc/$inside/$map" | tr -s ' ')" " 0 1000 1" $map
	done
	is "$(cat "/proc/$inside/setgroups")" deny setgroups
}

owns_files_as_the_caller() {
	cp -RP "$rootfs" "$T/root"
	run $as_user "$container" -U "$T/root" \
		sh -c 'echo >/file; stat -c %u:%g /file'
	is "$out" 0:0 "owner, inside"
	is "$($as_user stat -c %u:%g "$T/root/file")" 1000:1000 "owner, outside"
}

# AppArmor lets unshare(2) succeed, and refuses what follows.
names_the_cause() {
	command -v strace || skip 'strace is not installed'
	for file in setgroups uid_map gid_map; do
		run strace -o "$T/strace" -P /proc/self/$file \
			-e inject=openat:error=EACCES "$container" -U "$rootfs" true
		is "$status" 125
		contains "$err" "/proc/self/$file: Permission denied: are user"
	done
}

# ---- Leaks ----

kills_host_processes() {
	start sleep 60
	run "$container" "$@" "$rootfs" sh -c "kill -KILL $pid"
	ends_with 137
}

outlives_the_launcher() {
	for signal in KILL TERM HUP; do
		start_container "$container" "$@"
		kill -s $signal "$pid"
		eventually ended
		kill "$inside" || fail "SIG$signal kills the command"
		poll $grace has_disappeared "$inside"
	done
}

escapes() {
	echo secret >"$T/file"
	run "$container" -U "$rootfs" escape cat "$T/file"
	is "$out" secret
}

t "it has five namespaces, with -U six" creates_namespaces
t "it has its own hostname, and the host keeps its own" sets_the_host_name
t "its only mount is /proc" mounts_proc
t "it has no network interface but lo, which is down" has_only_lo
t "it sees none of the host's IPC objects" hides_ipc_objects
t "-U: root inside is the caller outside" maps_the_user
t "-U: where it is refused, the message says so" names_the_cause
t "-U: its files belong to the caller" owns_files_as_the_caller
for option in '' -U; do
	t "${option:+$option: }leak: it can kill processes of the host" \
		kills_host_processes $option
	t "${option:+$option: }leak: it outlives its launcher" \
		outlives_the_launcher $option
done
t "-U: leak: it can escape from the chroot" escapes
done_testing
