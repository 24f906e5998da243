#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 2.2: the launcher unmounts its /proc, and nothing else
# Untouched: mounts that are left, after a tmpfs was mounted on /proc
. "$(dirname "$0")/../../../common/test/lib.sh"

# copy_root - sets $root, a copy of the root filesystem, for code that changes it
copy_root() {
	root=$T/root
	trap 'unmount_all; stop_started' EXIT
	cp -RPx "$rootfs" "$root"
}

# mounts - in $root, as the host sees them: their directory in it, and their type
mounts() {
	sed -n "s|^[^/]* [^ ]* $root\(/[^ ]*\) .* - \([^ ]*\) .*|\1 \2|p" \
		/proc/self/mountinfo
}

# The newest first
unmount_all() {
	mounts | sed '1!G;h;$!d' | while read -r point _; do
		umount -l "$root$point" 2>/dev/null || :
	done
}

# contain SCRIPT - run it in the container; it exits with 7
contain() {
	run "$container" "$root" sh -c "$1
		exit 7"
}

unmounts_what_is_below() {
	copy_root
	contain 'mount -t tmpfs tmpfs /proc
		mount -t tmpfs tmpfs /proc'
	is "$(mounts)" "" "mounts that are left, after a tmpfs was mounted on /proc"
	is "$status" 7 "exit status"
}

unmounts_what_was_moved() {
	copy_root
	contain 'mount -o move /proc /mnt'
	is "$(mounts)" "" "mounts that are left, after /proc was moved to /mnt"
	is "$status" 7 "exit status"
}

accepts_unmounting() {
	copy_root
	contain 'umount -l /proc'
	is "$status" 7 "exit status, after the command unmounted /proc"
	is "$(mounts)" "" "mounts that are left"
}

keeps_other_mounts() {
	copy_root
	mount -t tmpfs tmpfs "$root/mnt"
	contain 'umount -l /proc; rmdir /proc; ln -s mnt /proc'
	is "$(mounts)" "/mnt tmpfs" \
		"mounts, after /proc became a link to another mount, on /mnt"
	is "$status" 7 "exit status"
}

# refuses_link TARGET
refuses_link() {
	copy_root
	rmdir "$root/proc"
	ln -s "$1" "$root/proc"
	run "$container" "$root" sh -c 'cat /*/mounts /mounts; echo it runs'
	lacks "$out" "it runs" "the command, with a link to $1 as /proc"
	lacks "$out" " proc " "what is mounted, with a link to $1 as /proc"
	is "$(mounts)" "" "mounts that are left"
	one_line_error 125
}

leaves_files() {
	copy_root
	start sleep 60
	eventually grep -qx sleep "/proc/$pid/comm"
	before=$(ls "/proc/$pid/fd")
	start "$container" "$root" sleep 4711
	eventually sleeper
	sed -i "s/^$pid$/$inside/" "$T.started"
	is "$(ls "/proc/$inside/fd")" "$before" "the command's open files"
	is "$(mounts)" "/proc proc" "the mounts while it runs"
	kill "$inside"
	ends_with 143
}

hint='the name leads to the newest mount; unmount until yours is gone'
t "/proc is unmounted, though the command mounted on top of it" \
	unmounts_what_is_below
hint='the name leads elsewhere now: keep the directory open, and fchdir(2) to it'
t "/proc is unmounted, though the command moved it" unmounts_what_was_moved
hint='EINVAL of umount2(2): it is not mounted. That is no error here'
t "the command may unmount /proc itself" accepts_unmounting
hint='umount2(2) follows symbolic links: what does the name mean now?'
t "no other mount is unmounted" keeps_other_mounts
hint='mount(2) follows links: check with open(2) and O_NOFOLLOW, or lstat(2)'
t "a link to /tmp as /proc is refused" refuses_link tmp
t "a link to / as /proc is refused" refuses_link /
hint='O_CLOEXEC'
t "the command inherits no file that the launcher opened" leaves_files
done_testing
