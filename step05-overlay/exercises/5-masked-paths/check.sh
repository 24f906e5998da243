#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 5.5: the kernel's files that Docker hides
# Untouched: masked files that are not empty: got '/proc/interrupts
. "$(dirname "$0")/../../../common/test/lib.sh"

masked="/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys
	/proc/latency_stats /proc/sched_debug /proc/scsi /proc/timer_list
	/proc/timer_stats /sys/firmware /sys/devices/virtual/powercap"
read_only="/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger"

# run_inside [-U] SCRIPT [ARG...] - with sh in a container, which must start
run_inside() {
	with=
	[ "$1" != -U ] || { with=-U && shift; }
	run "$container" ${with:+"$with"} "$rootfs" sh -c "$@"
	isnt "$status" 125 "exit status, 125 if the container cannot start"
	ran= # too long to be printed
}

# In the tests below, the arguments are -U or none.

# shellcheck disable=SC2016,SC2086 # expanded by the inner shell; several words
masks_files() {
	run_inside "$@" 'is_empty() {
		bytes=$(head -c 1 "$1" | wc -c)
		head -c 1 "$1" >/dev/null && [ "$bytes" -eq 0 ]
	}
	for path; do
		[ -e "$path" ] && [ ! -d "$path" ] || continue
		is_empty "$path" || printf "%s " "$path"
		(! is_empty "$path" || echo new >"$path")
		is_empty "$path" || printf "%s " "$path" >&3
	done 3>&2 2>/dev/null' sh $masked
	is "$out" "" "masked files that are not empty"
	is "$err" "" "masked files that are not empty after a write"
}

# shellcheck disable=SC2016,SC2086
masks_directories() {
	run_inside "$@" 'for path; do
		[ ! -d "$path" ] || [ -z "$(ls -A "$path")" ] ||
			printf "%s " "$path"
	done' sh $masked
	is "$out" "" "masked directories that are not empty"
	run_inside "$@" 'for path; do
		[ ! -d "$path" ] || ! touch "$path/new" 2>/dev/null ||
			printf "%s " "$path"
	done' sh $masked
	is "$out" "" "masked directories in which a file can be created"
}

# This setting belongs to the container's own network namespace.
# shellcheck disable=SC2016
refuses_settings() {
	run_inside "$@" 'cd /proc/sys/net/ipv4 && read -r old <ip_default_ttl
		(echo 17 >ip_default_ttl) 2>/dev/null
		read -r new <ip_default_ttl
		[ "$old" = "$new" ] || echo "$old became $new"'
	is "$out" "" "net.ipv4.ip_default_ttl, written inside"
}

# start_inside [-U] - sets $inside, and $mounts, its mounts in /proc and /sys
start_inside() {
	start "$container" "$@" "$rootfs" sleep 4711
	eventually started
	! ended || fail "no container: $(head -n 1 "$T/start.err")"
	mounts=$(awk '$5 ~ "^/(proc|sys)(/|$)" { print $5 }' \
		"/proc/$inside/mountinfo")
}

started() {
	sleeper || ended
}

# mount_at PATH - its options and type, in the mount namespace of $inside
mount_at() {
	awk -v path="$1" '
		$5 == "/" || index(path "/", $5 "/") == 1 {
			if (length($5) >= longest) {
				longest = length($5)
				type = $0
				sub(/.* - /, "", type)
				sub(/ .*/, "", type)
				found = $6 "," type
			}
		}
		END { print found }' "/proc/$inside/mountinfo"
}

# have_option OPTION [-U]
have_option() {
	option=$1
	shift
	start_inside "$@"
	all_have "$option"
}

# all_have OPTION
all_have() {
	option=$1 without=
	for path in $read_only; do
		[ ! -e "/proc/$inside/root$path" ] ||
			includes ",$(mount_at "$path")," ",$option," ||
			without="$without$path "
	done
	is "$without" "" "paths on a mount without '$option' in mountinfo"
}

keep_options() {
	start_inside "$@"
	for flag in nosuid nodev noexec; do
		all_have $flag
	done
}

# A mask would be read-only as well.
can_be_read() {
	have_option proc "$@"
	for path in $read_only; do
		[ -e "/proc/$inside/root$path" ] || continue
		[ ! -d "$path" ] || [ -z "$(ls -A "$path")" ] ||
			isnt "$(ls -A "/proc/$inside/root$path")" "" \
				"what is in $path, which is not masked"
		is "$(awk -v path="$path" '$5 == path { print $4 }' \
			"/proc/$inside/mountinfo")" "${path#/proc}" \
			"what of /proc is mounted on $path"
	done
}

# shellcheck disable=SC2086 # several words
leaves_the_rest() {
	start_inside "$@"
	is "$(for path in $mounts; do
		case " /proc /sys $(echo $masked $read_only) " in
		*" $path "*) ;;
		*) echo "$path" ;;
		esac
	done)" "" "mounts inside that are not in the lists"
	contains "$(mount_at /proc/self)" rw,nosuid,nodev,noexec, \
		"the mount of all of /proc"
	contains "$(mount_at /sys/class)" ro,nosuid,nodev,noexec, \
		"the mount of all of /sys"
	run_inside "$@" 'echo 500 >/proc/self/oom_score_adj
		cat /proc/self/oom_score_adj; ls /sys/class/net'
	is "$status:$out" "0:500
lo" "a file of /proc/self, written inside, and /sys/class/net"
}

for option in '' -U; do
	with=${option:+"$option: "}
	hint='only the paths of the two lists; one that does not exist is no error'
	t "${with}the rest of /proc and /sys is as before" \
		leaves_the_rest ${option:+"$option"}
	hint='mount(2) binds /dev/null over a file; a path may not exist'
	t "${with}masked files are empty" masks_files ${option:+"$option"}
	hint='/dev/null cannot cover a directory: a tmpfs that is read-only can'
	t "${with}masked directories are empty, and stay so" \
		masks_directories ${option:+"$option"}
	hint='bind each read-only path over itself: mask none'
	t "${with}read-only paths can be read" can_be_read ${option:+"$option"}
	hint='MS_BIND creates the mount and ignores MS_RDONLY: MS_REMOUNT sets it'
	t "${with}settings in /proc/sys cannot be changed" \
		refuses_settings ${option:+"$option"}
	t "${with}each read-only path is on a read-only mount" \
		have_option ro ${option:+"$option"}
	hint='MS_REMOUNT sets all flags: repeat those that /proc has'
	t "${with}which is still nosuid, nodev and noexec" \
		keep_options ${option:+"$option"}
done
done_testing
