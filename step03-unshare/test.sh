#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 03: mounts, host name, IPC objects, network and cgroup root
# of its own, with -U also users; no mount that the host would have to undo.
# Only its processes are still the host's.
. "$(dirname "$0")/../common/test/lib.sh"

# start_container LAUNCHER... - starts a container that waits, as $command
start_container() {
	start "$@" "$rootfs" sh -c 'echo ready; exec sleep 60'
	eventually grep -q ready "$T/start.out"
	command=$(children_of "$pid")
}

# Runs what follows as user 1000, who has no capability, on a machine whose
# user 0 the test is.
as_a_user() {
	unshare --user --map-user=1000 --map-group=1000 "$@"
}

# The mounts on ROOTFS's /proc in the mount namespace of PID.
proc_mounts() {
	# The kernel writes a blank as \040.
	point=$(echo "$rootfs/proc" | sed 's/ /\\040/g')
	nsenter --target "$1" --mount cat /proc/self/mountinfo |
		grep -F " $point " || :
}

# ---- What the step gives ----

has_namespaces_of_its_own() {
	start_container "$container"
	for type in cgroup ipc mnt net uts; do
		host=$(ns_of self "$type")
		isnt "$(ns_of "$command" "$type")" "$host" "$type"
		is "$(ns_of "$pid" "$type")" "$host" "the launcher's $type"
	done
	is "$(ns_of "$command" user)" "$(ns_of self user)" user
	start_container "$container" -U
	for type in cgroup ipc mnt net uts user; do
		host=$(ns_of self "$type")
		isnt "$(ns_of "$command" "$type")" "$host" "$type, with -U"
	done
}

has_a_host_name() {
	host=$(uname -n)
	start_container "$container"
	is "$(nsenter --target "$command" --uts uname -n)" container
	start_container "$container" -H a.b-1
	is "$(nsenter --target "$command" --uts uname -n)" a.b-1
	run "$container" -U --hostname=you "$rootfs" peek hostname
	is "$out" you
	is "$(uname -n)" "$host" "the host's name"
}

# $1: -U or empty
hides_its_mount() {
	# A host whose mounts are all shared, as systemd makes them.
	start unshare --mount --propagation shared \
		sh -c 'echo ready; exec sleep 60'
	eventually grep -q ready "$T/start.out"
	host=$pid
	contains "$(cat "/proc/$host/mountinfo")" shared:
	start_container nsenter --target "$host" --mount "$container" ${1:+"$1"}
	contains "$(proc_mounts "$command")" " - proc " "mounts inside"
	is "$(proc_mounts "$host")" "" "mounts on the host"
	tied=$(nsenter --target "$command" --mount cat /proc/self/mountinfo |
		grep -c -e ' shared:' -e ' master:' || :)
	is "$tied" 0 "mounts inside that are tied to the host's"

	kill -KILL "$pid"
	wait "$pid" || :
	is "$(proc_mounts "$host")" "" "mounts after the launcher was killed"
	kill -KILL "$command" "$host"
}

has_only_a_loopback_that_is_down() {
	start_container "$container"
	run nsenter --target "$command" --net ip -j link
	# Some kernels give every namespace a few tunnels, which are down, too.
	unshare --net ip -j link >"$T/fresh"
	is "$(grep -o '"ifname":"[^"]*"' "$T/out")" \
		"$(grep -o '"ifname":"[^"]*"' "$T/fresh")"
	contains "$out" '"ifname":"lo"'
	lacks "$out" '"UP"'
	is "$(nsenter --target "$command" --net ip -oneline addr)" "" addresses
	is "$(nsenter --target "$command" --net ip -oneline route)" "" routes
}

sees_no_ipc_object() {
	id=$(ipcmk --shmem 4096 | grep -o '[0-9]*$')
	host=$(grep -c . /proc/sysvipc/shm)
	run "$container" "$rootfs" cat /proc/sysvipc/shm
	ipcrm --shmem-id "$id"
	is "$host" 2 "lines for the host: a heading and an object"
	is "$(wc -l <"$T/out")" 1 "lines for the container"
}

# ---- With -U ----

maps_root_to_the_caller() {
	run as_a_user "$container" -U "$rootfs" peek uid
	is "$out" 0 "user ID inside"
	for map in uid-map gid-map; do
		run as_a_user "$container" -U "$rootfs" peek "$map"
		is "$(tr -s ' ' <"$T/out")" "0 1000 1" "$map"
	done
	run as_a_user "$container" -U "$rootfs" cat /proc/self/setgroups
	is "$out" deny setgroups
}

files_inside_are_the_callers() {
	cp -RPx "$rootfs" "$T/root"
	run as_a_user "$container" -U "$T/root" sh -c \
		': >/file; stat -c %u:%g /file'
	is "$out" 0:0 "owner, inside"
	run as_a_user stat -c %u:%g "$T/root/file"
	is "$out" 1000:1000 "owner, for the caller"
}

names_the_setting_that_refuses() {
	# shellcheck disable=SC2016 # for the inner shell
	run unshare --user --map-root-user sh -c '
		echo 0 >/proc/sys/user/max_user_namespaces
		exec "$@"' sh "$container" -U "$rootfs" true
	one_line_error 125 "unshare CLONE_NEWUSER" user.max_user_namespaces
	run as_a_user "$container" "$rootfs" true
	one_line_error 125 unshare "try sudo"
}

# ---- What it leaks ----

# $1: -U or empty
sees_the_hosts_processes() {
	start sleep 60
	host=$pid
	# shellcheck disable=SC2016 # for the shell inside
	run "$container" ${1:+"$1"} "$rootfs" \
		sh -c 'cat "/proc/$0/stat"; kill -KILL "$0"' "$host"
	is "$(cut -d ' ' -f 1 "$T/out")" "$host"
	ended=0
	wait "$host" || ended=$?
	is "$ended" 137 "status of a process of the host"
	start_container "$container" ${1:+"$1"}
	is "$(ns_of "$command" pid)" "$(ns_of self pid)" "PID namespace"
}

# $1: -U or empty
outlives_its_launcher() {
	start_container "$container" ${1:+"$1"}
	kill -KILL "$pid"
	wait "$pid" || :
	left=$(ns_of "$command" pid)
	kill -KILL "$command"
	is "$left" "$(ns_of self pid)" "PID namespace of what is left"
}

t "it has five namespaces of its own, six with -U" has_namespaces_of_its_own
t "it has a host name, the host keeps its" has_a_host_name
t "the host never sees its mount, though / is shared" hides_its_mount ''
t "-U: the host never sees its mount" hides_its_mount -U
t "it has no network but a loopback that is down" \
	has_only_a_loopback_that_is_down
t "it sees none of the host's IPC objects" sees_no_ipc_object
t "-U: root inside is the caller outside" maps_root_to_the_caller
t "-U: its files are the caller's" files_inside_are_the_callers
t "-U: a refusal names the setting" names_the_setting_that_refuses
t "leak: the host's processes are in its reach" sees_the_hosts_processes ''
t "-U: leak: the host's processes are in its reach" \
	sees_the_hosts_processes -U
t "leak: it outlives its launcher" outlives_its_launcher ''
t "-U: leak: it outlives its launcher" outlives_its_launcher -U
done_testing
