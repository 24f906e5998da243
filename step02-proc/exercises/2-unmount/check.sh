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
	cp -RP "$rootfs" "$root"
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
	ran="container ROOTFS sh -c '$1; exit 7'"
}

# leaves MOUNTS SCRIPT - these are there after SCRIPT has run in the container
leaves() {
	[ -n "${root-}" ] || copy_root
	contain "$2"
	is "$(mounts)" "$1" "mounts that are left"
	is "$status" 7 "exit status"
}

unmounts_what_is_below() {
	copy_root
	contain 'for n in 1 2 3 4 5 6 7 8 9; do mount -t tmpfs tmpfs /proc; done'
	is "$(mounts)" "" "mounts that are left, after a tmpfs was mounted on /proc"
	is "$status" 7 "exit status"
}

# Something was mounted there before, and it may have the same type.
keeps_older_mounts() {
	copy_root
	mount -t tmpfs tmpfs "$root/proc"
	mount -t proc proc "$root/proc"
	leaves '/proc tmpfs
/proc proc' true
}

keeps_other_mounts() {
	copy_root
	mount -t tmpfs tmpfs "$root/mnt"
	leaves '/mnt tmpfs' 'umount -l /proc; rmdir /proc; ln -s mnt /proc'
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

runs_or_ended() {
	sleeper || ended
}

is_visible() {
	copy_root
	start "$container" "$root" sleep 4711
	eventually runs_or_ended
	[ -n "$inside" ] ||
		fail "the command does not run: $(head -n 1 "$T/start.err")"
	is "$(mounts)" "/proc proc" "the mounts while it runs, as the host sees them"
	kill "$inside"
	ends_with 143
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
	kill "$inside"
	ends_with 143
}

hint='a mount namespace is the subject of step 03: use none'
t "the host sees the mount while the command runs" is_visible
hint='the name leads to the newest mount; unmount until yours is gone'
t "/proc is unmounted, though the command mounted on top of it" \
	unmounts_what_is_below
hint='MNT_DETACH also detaches what is mounted below'
t "/proc is unmounted, though the command mounted something in it" \
	leaves '' 'mount -t tmpfs tmpfs /proc/sys'
hint='the name leads elsewhere now: keep the directory open, and fchdir(2) to it'
t "/proc is unmounted, though the command moved it" \
	leaves '' 'mount -o move /proc /mnt'
t "it is unmounted there, though something is mounted on top of it" \
	leaves '' 'mount -o move /proc /mnt; mount -t tmpfs tmpfs /mnt'
hint='umount2(2) fails with EINVAL if it is not mounted: that is not an error here'
t "the command may unmount /proc itself" leaves '' 'umount -l /proc'
hint='umount2(2) follows symbolic links: what does the name mean now?'
t "no other mount is unmounted: /proc is a link" keeps_other_mounts
hint='a mount that is there now may not be yours'
t "no other mount is unmounted: /proc is one of the command" \
	leaves '/proc tmpfs' 'umount -l /proc; mount -t tmpfs tmpfs /proc'
t "no other mount is unmounted: /proc was moved, and is another now" \
	leaves '/proc tmpfs' \
	'mount -o move /proc /mnt; mount -t tmpfs tmpfs /proc'
t "no other mount is unmounted: a bind mount of /proc" \
	leaves '/mnt proc' 'mount -o bind /proc /mnt'
t "no other mount is unmounted: two that were there before" keeps_older_mounts
hint='mount(2) follows links: check with open(2) and O_NOFOLLOW, or lstat(2),
      before it'
t "a link to /tmp as /proc is refused" refuses_link tmp
t "a link to / as /proc is refused" refuses_link /
hint='open files with O_CLOEXEC'
t "the command inherits no file that the launcher opened" leaves_files
done_testing
