#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-rootfs.sh - tools/rootfs, and the probes that it adds
# shellcheck disable=SC2016 # expanded by inner shells
. "$(dirname "$0")/lib.sh"

export PROBES="$probes"
tool=$top/common/tools/rootfs

# A root filesystem that is faster to unpack than tiny-linux is to make
small=$scratch/small.tar
mkdir -p "$scratch/small/bin" "$scratch/small/proc"
cp "$probes/peek" "$scratch/small/bin/sh"
tar -cf "$small" -C "$scratch/small" bin proc

# makes OPTION... - run the tool; it has to succeed
makes() {
	run "$tool" "$@"
	is "$status" 0 "exit status"
	is "$err" "" "stderr"
}

# refuses PART OPTION... - it has to fail and leave nothing in $T/made but kept*
refuses() {
	part=$1
	shift
	run "$tool" "$@"
	one_line_error 1 rootfs: "$part"
	is "$(cd "$T" && find made ! -path '*/kept*')" made "left behind"
}

as_a_user() {
	unshare --user --map-user=1000 --map-group=1000 "$@"
}

# inside COMMAND... - in $T/made, without /proc. chroot of uutils 0.0.30 aborts.
inside() {
	"$bin/step01-chroot/container" "$T/made" "$@"
}

makes_tiny_linux() {
	export BUSYBOX="$1"
	[ "$1" ] || command -v busybox >/dev/null || skip "needs busybox"
	makes "$T/made"
	contains "$out" "$2"
	made=$out # it names the tools that this machine does not have
	for name in sh ls cat ps mount umount hostname id ip grep head wc env \
		sleep readlink stat touch mkdir rm uname kill peek reach; do
		case $made in *without*" $name"*) continue ;; esac
		run inside "/usr/sbin/$name" --help
		case $status in 126 | 127) fail "$name does not run" ;; esac
	done
	for name in dev proc sys etc root tmp etc/passwd etc/group etc/hosts; do
		[ -e "$T/made/$name" ] || fail "no /$name"
	done
	is "$(inside id -un)" root
	is "$(find "$T/made" -lname '*..*')" "" "links with .."
	run as_a_user "$tool" "$T/user"
	is "$status" 0 "as an ordinary user"
}

is_left_alone_if_up_to_date() {
	makes --tarball "$small" "$T/made/tiny"
	before=$(stat -c %i "$T/made/tiny")
	chmod 555 "$T/made"
	run as_a_user "$tool" --tarball "$small" "$T/made/tiny"
	contains "$out" "up to date"
	chmod 755 "$T/made"
	makes --tarball "$small" --force "$T/made/tiny"
	isnt "$(stat -c %i "$T/made/tiny")" "$before" "--force"
}

# It moves the old tree away, then the new tree to DIR.
survives_kills() {
	mkdir "$T/bin"
	printf '%s\n' '#!/bin/sh' \
		'case $* in "$KILL_AT"*) kill -KILL $PPID; exit ;; esac' \
		"exec $(command -v mv) \"\$@\"" >"$T/bin/mv"
	chmod +x "$T/bin/mv"
	for part in ./tiny ./.tiny.new; do
		makes --tarball "$small" "$T/made/tiny"
		run env PATH="$T/bin:$PATH" KILL_AT="$part" \
			"$tool" --tarball "$small" --force "$T/made/tiny"
		is "$status" 137
		[ ! -e "$T/made/tiny" ] || is "$part" ./tiny
		makes --tarball "$small" "$T/made/tiny"
		is "$(ls -A "$T/made")" tiny
	done
}

runs_twice_at_once() {
	"$tool" --tarball "$small" "$T/made" >"$T/first" 2>&1 &
	echo $! >>"$T.started"
	makes --tarball "$small" "$T/made"
	wait $!
	is "$(cat "$T/first" "$T/out" | grep -c 'rootfs: built')" 1
	is "$(cat "$T/first" "$T/out" | grep -c 'up to date')" 1
}

# In a directory whose name mountinfo shows in another way
keeps_mounts() {
	dir=$T/$(printf 'a b\\c\nd')
	makes --tarball "$small" "$dir"
	mount -t tmpfs tmpfs "$dir/proc"
	: >"$dir/proc/precious"
	run "$tool" --tarball "$small" --force "$dir"
	precious=$(ls "$dir/proc")
	umount "$dir/proc"
	is "$status" 1
	contains "$err" "is mounted"
	is "$precious" precious
}

keeps_what_it_did_not_make() {
	mkdir -p "$T/made/kept.d"
	: >"$T/made/kept.d/file"
	ln -s kept.d "$T/made/kept"
	refuses "has not built" --force "$T/made/kept.d//"
	refuses "not a directory" "$T/made/kept.d/file"
	refuses "symbolic link" "$T/made/kept"
	refuses "a name" /
	is "$(ls "$T/made/kept")" file
}

# What is easily lost. Only root may set owners, make devices, and set trusted
# attributes, which tar treats as it does capabilities.
unpacks_everything() {
	mkdir -p "$T/tree/bin"
	cp "$probes/peek" "$T/tree/bin/sh"
	chmod 6755 "$T/tree/bin/sh"
	ln "$T/tree/bin/sh" "$T/tree/bin/hard"
	mknod "$T/tree/null" c 1 3 2>/dev/null && is_root=yes || is_root=
	chmod 555 "$T/tree" "$T/tree/bin"
	# An unknown key, as bsdtar has them, causes a warning.
	keys=SCHILY.xattr.trusted.test:=kept,LIBARCHIVE.creationtime:=1
	tar --format=pax --pax-option=$keys \
		--owner=nobody:42 --group=daemon:43 \
		-cf "$T/t.tar" -C "$T/tree" .
	for _ in 1 2; do
		run as_a_user "$tool" --force --tarball "$T/t.tar" "$T/made"
		is "$status" 0 "as an ordinary user"
	done
	modes_are_kept
	makes --force --tarball "$T/t.tar" "$T/made"
	modes_are_kept
	[ "$is_root" ] || return 0
	is "$(stat -c %u:%g "$T/made/bin/sh")" 42:43
	is "$(stat -c %t:%T "$T/made/null")" 1:3
	contains "$(tar --xattrs --xattrs-include='*' -cf - -C "$T/made" bin |
		tr -d '\0')" SCHILY.xattr.trusted.test=kept
}

modes_are_kept() {
	is "$(stat -c '%a %h' "$T/made/bin/sh")" "6755 2"
	is "$(stat -c %a "$T/made")" 555
	inside peek addresses
}

# Chimera Linux has it as tar.
may_use_bsdtar() {
	command -v bsdtar >/dev/null || skip "needs bsdtar"
	mkdir "$T/bin"
	ln -s "$(command -v bsdtar)" "$T/bin/tar"
	cp -R "$scratch/small" "$T/tree"
	mknod "$T/tree/null" c 1 3 2>/dev/null || :
	"$T/bin/tar" -cf "$T/t.tar" -C "$T/tree" .
	for who in as_a_user env; do
		run $who env PATH="$T/bin:$PATH" "$tool" --force \
			--tarball "$T/t.tar" "$T/made"
		is "$status$err" 0 "$who"
		inside peek addresses
	done
}

# from_tar PART [TAR-OPTION...] - a tarball like this has to be refused
from_tar() {
	part=$1
	shift
	tar -P -cf "$T/t.tar" -C "$scratch/small" "$@"
	refuses "$part" --tarball "$T/t.tar" "$T/made/x"
}

explains_what_is_unusable() {
	mkdir -p "$T/made" "$T/image/blobs"
	: >"$T/image/oci-layout"
	from_tar "OCI archive: run podman export" -C "$T/image" .
	: >"$T/image/manifest.json"
	from_tar "docker save: run docker export" -C "$T/image" .
	from_tar "tar -cf file.tar -C 'in' ." --transform 's,^,in/,' bin
	from_tar "no /bin/sh" proc
	refuses "no such file" --tarball "$T/none.tar" "$T/made/x"
	refuses "not look like a tar" --tarball "$0" "$T/made/x"
	head -c 9999 "$small" >"$T/cut.tar"
	refuses "Unexpected EOF" --tarball "$T/cut.tar" "$T/made/x"
	gzip -c "$small" | head -c 9999 >"$T/cut.tar.gz"
	refuses "unexpected end of file" --tarball "$T/cut.tar.gz" "$T/made/x"
	refuses "needs a FILE" --tarball
}

never_writes_outside() {
	mkdir -p "$T/made" "$T/outside" "$T/tree/usr/bin"
	from_tar "'..'" --transform 's,^,../outside/,' bin
	ln -s "$T/outside" "$T/tree/bin"
	ln -s "$T/outside/peek" "$T/tree/usr/bin/peek"
	ln -s "$T/outside/stamp" "$T/tree/.rootfs"
	cp "$probes/peek" "$T/tree/usr/bin/sh"
	tar -cf "$T/t.tar" -C "$T/tree" .
	makes --tarball "$T/t.tar" "$T/made/x"
	[ -x "$T/made/x/usr/bin/escape" ] || fail "no probes"
	is "$(ls -A "$T/outside")" ""
}

# For tar, the last name is also that of a file on another machine.
allows_any_character() {
	cd "$T"
	for name in 'a  b' "it's" '*"\$`' "$(printf 'a\nb')" -C made:x; do
		cp "$small" "./$name.tar"
		makes --tarball "$name.tar" "./made $name"
		[ -x "./made $name/bin/escape" ] || fail "$name: no probes"
	done
}

downloads_alpine() {
	command -v curl >/dev/null || skip "needs curl"
	mkdir "$T/made"
	export ALPINE_URL="file://$small"
	export ALPINE_SHA256=1234
	refuses "SHA-256 is" --alpine "$T/made/x"
	ALPINE_SHA256=$(sha256sum <"$small")
	ALPINE_SHA256=${ALPINE_SHA256%% *}
	makes --alpine "$T/made/kept"
	[ -x "$T/made/kept/bin/escape" ] || fail "no probes"
}

# With LANGUAGE=de, programs print other words than the tools look for.
understand_english() {
	mkdir "$T/bin"
	printf '%s\n' '#!/bin/sh' 'echo "${0##*/} $LC_ALL" >>"$LIST"; exit 1' \
		>"$T/bin/tar"
	chmod +x "$T/bin/tar"
	ln -s tar "$T/bin/ip"
	ln -s tar "$T/bin/iconv"
	export LIST="$T/list" LC_ALL=C.UTF-8 LANGUAGE=de PATH="$T/bin:$PATH"
	run "$tool" --tarball "$small" "$T/made"
	run "$top/common/tools/check-host" --tools
	run "$top/common/tools/inspect"
	is "$(sort -u "$T/list")" "iconv C
ip C
tar C"
}

# ---- The probes ----

# Also without /proc
peek_agrees_with_ip() {
	makes --tarball "$small" "$T/made"
	is "$(inside peek addresses | sort)" \
		"$(ip -o addr | awk '{ print $2, $4 }' | sort)"
	is "$(inside peek interfaces | sort)" "eth0 up
lo up"
	is "$(unshare -n "$probes/peek" interfaces)" "lo down"
}

reach_reaches() {
	reach=$probes/reach
	start nsenter --net=/run/netns/internet "$reach" serve 80
	eventually grep -q listening "$T/start.out"
	is "$("$reach" fetch 198.51.100.1 80)" 203.0.113.2
	is "$("$reach" ping 198.51.100.1)" "reply from 198.51.100.1"
	# The server starts after its client.
	"$reach" fetch 198.51.100.1 82 >"$T/early" &
	nsenter --net=/run/netns/internet "$reach" serve 82 >"$T/serve" &
	echo $! >>"$T.started"
	eventually grep -q 203.0.113.2 "$T/early"
	run "$reach" fetch 198.51.100.1 81
	one_line_error 1 198.51.100.1 refused
	run "$reach" ping 203.0.113.77
	one_line_error 1 "no answer within 2 s"
}

escapes_chroot_not_pivot_root() {
	makes "$T/made"
	is "$(inside escape stat -c %d:%i /)" "$(stat -c %d:%i /)"
	[ -e "$T/made/bin/busybox" ] || skip "its umount needs /proc"
	command -v pivot_root >/dev/null || skip "no pivot_root(8) here"
	run unshare -m sh -ec 'mount --bind "$1" "$1"
		cd "$1"
		pivot_root . .
		umount -l .
		exec escape true' - "$T/made"
	one_line_error 1 "escape: still confined"
}

t "tiny-linux from busybox: its programs run" makes_tiny_linux '' /busybox
t "tiny-linux from this machine's tools: they run" \
	makes_tiny_linux none "this machine's tools"
t "DIR is left alone if it is up to date" is_left_alone_if_up_to_date
t "DIR is whole if the tool is killed" survives_kills
t "two can run at once" runs_twice_at_once
t "mounts in DIR are kept" keeps_mounts
t "files that the tool did not create are kept" keeps_what_it_did_not_make
t "owners, modes, attributes survive unpacking" unpacks_everything
t "tar may be bsdtar" may_use_bsdtar
t "a tarball that is not usable is explained" explains_what_is_unusable
t "no tarball writes outside DIR" never_writes_outside
t "FILE and DIR have any characters" allows_any_character
t "Alpine is used only with the right checksum" downloads_alpine
t "the language of the tools is English" understand_english
t "peek shows the same as ip" peek_agrees_with_ip
t "reach pings, serves and fetches" reach_reaches
t "escape leaves a chroot, not a root of pivot_root" \
	escapes_chroot_not_pivot_root
done_testing
