#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 05: layers, of which only the topmost is written to, and a
# root that is the only one there is
. "$(dirname "$0")/../common/test/lib.sh"

# As systemd leaves it on most machines: what is mounted anywhere appears in
# each mount namespace that does not keep its mounts to itself.
mount --make-rshared /

# Every test runs twice, with $option empty and -U.

# In a list of layers a colon separates.
escaped() {
	printf '%s\n' "$1" | sed 's/:/\\:/g'
}
lowest=$(escaped "$rootfs")

# run_container ARG... - what run does, with the container
run_container() {
	run "$container" ${option:+"$option"} "$@"
}

# hold ARG... - starts a container that does nothing until it is killed. Sets
# $pid, its launcher, $inside, its process 1, and $root, where this side sees
# its root.
hold() {
	holding=$((${holding-0} + 1))
	# shellcheck disable=SC2016 # for that shell
	start sh -c 'out=$1; shift; exec "$@" >"$out"' sh "$T/held.$holding" \
		"$container" ${option:+"$option"} "$@" \
		sh -c 'echo ready; exec sleep 60'
	eventually grep -qs ready "$T/held.$holding"
	inside=$(children_of "$pid")
	root=/proc/$inside/root
}

# let_go PID - of a process that hold started
let_go() {
	kill -KILL "$1"
	wait "$pid" || :
	eventually is_gone "$inside"
}

is_gone() {
	[ ! -e "/proc/$1" ]
}

# with_mount SCRIPT CMD... - runs CMD where SCRIPT has mounted something
with_mount() {
	# shellcheck disable=SC2016 # for that shell
	unshare --mount sh -c 'eval "$1"; shift; exec "$@"' sh "$@"
}

# Sets $layers, a list of two in $T and the root filesystem.
make_layers() {
	mkdir -p "$T/top/etc" "$T/base/etc" "$T/base/tree/in/side" \
		"$T/base/empty" "$T/base/moved/sub"
	(
		cd "$T/base"
		for file in kept appended truncated deleted shut linked; do
			echo "in base" >"etc/$file"
		done
		echo "in base" >tree/in/side/file
		echo "in base" >moved/sub/file
		ln -s kept etc/link
		ln etc/kept etc/kept-too
		mkfifo etc/fifo
		chmod 4751 etc/shut
		touch -d '2001-02-03 04:05:06.7' etc/kept moved
	)
	echo "in top" >"$T/top/etc/top"
	echo "in top" >"$T/top/etc/kept"
	# An attribute, where there can be one: user.note=written.
	tar -C "$T/base" --format=pax --pax-option=SCHILY.xattr.user.note:=x \
		-cf "$T/attributed.tar" etc/linked
	tar -C "$T/base" --xattrs -xf "$T/attributed.tar" 2>/dev/null || :
	layers=$(escaped "$T/top"):$(escaped "$T/base"):$lowest
}

# Each kind of change that a layer must not see, from here: the tools of the
# root filesystem are few.
change_everything() {
	cd "$root"
	echo new >new
	echo more >>etc/appended
	: >etc/truncated
	rm etc/deleted etc/kept
	chmod 600 etc/shut
	chmod 700 etc moved
	ln etc/linked etc/linked-too
	touch -d 2020-02-02 etc/top
	rm etc/fifo
	echo "no fifo" >etc/fifo
	mkdir -p dir/dir
	rmdir empty
	if [ -n "$opaque" ]; then
		mv moved elsewhere
		rm -r tree
		mkdir -p tree empty
	fi
	cd "$T"
}

# sum_of DIR... - of all that there is to know about what is below, but for the
# times of access: contents, names, modes, owners, the other times, attributes
sum_of() {
	for dir; do
		tar -C "$dir" --sort=name --format=pax --xattrs \
			--xattrs-include='*' \
			--pax-option='delete=atime,exthdr.name=%d/%f' \
			-cf - . | sha256sum
	done
}

# An overlay marks a directory that hides the one below it with an attribute,
# trusted.overlay.opaque. Only the host's root may set such; in a user namespace
# it is user.overlay.opaque, which tmpfs can hold since Linux 6.6.
tmpfs_holds_user_attributes() {
	# shellcheck disable=SC2016 # for that shell
	unshare --user --map-root-user --mount sh -ec '
		mount -t tmpfs tmpfs "$1"
		cd "$1"
		mkdir -p lower/dir upper work merged
		mount -t overlay -o \
			lowerdir=lower,upperdir=upper,workdir=work,userxattr \
			overlay merged
		rmdir merged/dir
		mkdir merged/dir' sh "$scratch" 2>/dev/null
}

in_user_namespace() {
	[ "$option" = -U ] || ! grep -q 4294967295 /proc/self/uid_map
}

# attribute_of DIR - the one that makes it opaque
attribute_of() {
	tar -C "$1" --format=pax --xattrs --xattrs-include='*' --no-recursion \
		-cf - . | grep -a -o '[a-z]*\.overlay\.opaque=.' || :
}

# ---- Layers ----

merges_layers() {
	make_layers
	mkdir "$T/base/etc/both" "$T/top/etc/both"
	: >"$T/base/etc/both/below"
	: >"$T/top/etc/both/above"
	hold "$layers"
	is "$(cat "$root/etc/kept")" "in top" "a file of both layers"
	is "$(cat "$root/etc/shut")" "in base" "a file of the lower one"
	is "$(ls "$root/etc/both")" "above
below" "a directory of both"
	[ -x "$root/bin/sh" ] || fail "the lowest layer is not there"
	let_go "$inside"

	# Topmost first.
	run_container "$(escaped "$T/base"):$(escaped "$T/top"):$lowest" \
		cat /etc/kept
	is "$out" "in base"
}

takes_any_name() {
	bytes=$(printf '\377\376\200')
	long=$(printf '%0255d' 0)
	mkdir "$T/layers" "$T/writable"
	# shellcheck disable=SC2016 # a name
	for name in ' ' 'a b' ':' 'a:b' '::' ',' 'a,b' 'x,upperdir=y' 'a\b' \
		'a\:b' 'a\,b' '\\a' "it's" 'a"b' '*' '~' '$HOME' '%s%n' '=' \
		-x '#' "$bytes" 'naïve' 'two
lines' "$long" "$long/$long/$long"; do
		mkdir -p "$T/layers/$name" "$T/writable/$name"
		printf 'of %s\n' "$name" >"$T/layers/$name/name"
		run_container -w "$T/writable/$name" \
			"$(escaped "$T/layers/$name"):$lowest" \
			sh -c 'cat /name; echo ran >/file'
		is "$err" "" "stderr for '$name'"
		is "$out" "of $name"
		is "$(cat "$T/writable/$name/upper/file")" ran "in '$name'"
	done

	# A backslash at a name's end would make the colon one of the name.
	mkdir "$T/layers/end\\"
	echo end >"$T/layers/end\\/name"
	run_container "$(escaped "$T")/layers/end\\/:$lowest" cat /name
	is "$out" end
}

follows_paths() {
	make_layers
	ln -s base "$T/link"
	ln -s "$rootfs" "$T/root"
	cd "$T/top"
	for list in "../link:../root" "./../base/:../root/" \
		"$(escaped "$T")/link/../base:../root" "etc/../../link:../root"
	do
		run_container "$list" cat /etc/shut
		is "$err" ""
		is "$out" "in base" "$list"
	done
	cd "$T/link"
	run_container ".:../root" cat /etc/shut
	is "$out" "in base" .
	run_container -w ../top ".:../root" sh -c 'echo new >/etc/kept'
	is "$err" ""
	is "$(cat "$T/top/upper/etc/kept")" new
}

# With names of 300 bytes. The kernel takes a page, 4096 bytes, of options.
takes_many_layers() {
	long=$T/$(printf '%0250d' 0)
	name=$(escaped "$long")
	list=$lowest
	made=1
	for count in 64 100 200; do
		set --
		while [ "$made" -lt "$count" ]; do
			set -- "$@" "$long/$made/only.$made"
			list=$name/$made:$list
			made=$((made + 1))
		done
		mkdir -p "$@"
		hold "$list"
		set -- "$root"/only.*
		is $# $((count - 1)) "directories of $count layers"
		let_go "$inside"
	done

	mkdir "$T/one"
	run_container "$(escaped "$T/one"):$list" true
	one_line_error 125 "more than 200 layers"
	# shellcheck disable=SC2016 # for that shell
	run sh -c 'ulimit -n 64; exec "$@"' sh "$container" \
		${option:+"$option"} "$list" true
	one_line_error 125 "layer '$long/" "Too many open files"
}

# An overlay at $T/merged of $1:base, as there is in a container of Docker.
overlay_below() {
	make_layers
	mkdir -p "$T/upper" "$T/work" "$T/merged" "$T/again"
	attributes=
	! in_user_namespace || attributes=,userxattr
	mount="cd '$T'; mount -t overlay -o \
		lowerdir=top:base,upperdir=upper,workdir=work$attributes \
		overlay merged"
}

takes_a_layer_on_an_overlay() {
	overlay_below
	run with_mount "$mount" "$container" ${option:+"$option"} \
		"$(escaped "$T/merged"):$lowest" sh -c 'cat /etc/kept; : >/etc/new'
	is "$err" ""
	is "$out" "in top"
	is "$(ls -A "$T/upper")" "" "the lower overlay's upper layer"
}

# The kernel's limit is two. Where the project itself lies on an overlay, that
# is one of them.
refuses_a_layer_on_two_overlays() {
	overlay_below
	run with_mount "$mount; mount -t overlay -o lowerdir=merged:base/empty \
		overlay again" "$container" ${option:+"$option"} \
		"$(escaped "$T/again"):$(escaped "$T/base/moved")" true
	one_line_error 125 "layer '$T/again'"
}

takes_read_only_media() {
	make_layers
	run with_mount "mount --bind '$T/top' '$T/top'
		mount -o remount,bind,ro '$T/top'
		mount --rbind '$rootfs' '$rootfs'
		mount -o remount,bind,ro '$rootfs'" \
		"$container" ${option:+"$option"} "$layers" \
		sh -c 'cat /etc/kept; echo new >/etc/kept; cat /etc/kept'
	is "$err" ""
	is "$out" "in top
new"
	mkdir "$T/cdrom"
	run with_mount "mount -t tmpfs -o ro tmpfs '$T/cdrom'" \
		"$container" ${option:+"$option"} \
		"$(escaped "$T/cdrom"):$lowest" \
		sh -c 'echo new >/file; cat /file'
	is "$err" ""
	is "$out" new
}

# ---- What is written ----

# leaves_the_layers CHANGE KILLED - whatever is changed and however it ends
leaves_the_layers() {
	make_layers
	before=$(sum_of "$T/top" "$T/base" "$rootfs")
	hold "$layers"
	"$1"
	case $2 in
	launcher) let_go "$pid" ;;
	*) let_go "$inside" ;;
	esac
	is "$(sum_of "$T/top" "$T/base" "$rootfs")" "$before" \
		"what the layers hold"
}

leaves_the_layers_at_exit() {
	make_layers
	before=$(sum_of "$T/top" "$T/base" "$rootfs")
	run_container "$layers" sh -c 'echo new >/etc/kept; : >/file
		rm /etc/shut'
	is "$status" 0
	is "$(sum_of "$T/top" "$T/base" "$rootfs")" "$before" \
		"what the layers hold"
}

forgets() {
	make_layers
	for change in 'echo new >/etc/kept' ': >/file' 'rm /etc/kept'; do
		run_container "$layers" sh -c "$change"
		is "$status" 0
		run_container "$layers" sh -c 'cat /etc/kept; ls /file'
		is "$out" "in top" "after '$change'"
	done
}

# Where the mount points come from, too.
makes_mount_points() {
	cp -RPx "$rootfs" "$T/root"
	rmdir "$T/root/dev" "$T/root/proc" "$T/root/sys"
	before=$(sum_of "$T/root")
	run_container "$(escaped "$T/root")" peek pid
	is "$err" ""
	is "$out" 1
	is "$(sum_of "$T/root")" "$before" "what the layer holds"
}

keeps_what_is_written() {
	make_layers
	mkdir "$T/dir"
	before=$(sum_of "$T/top" "$T/base")
	run_container -w "$T/dir" "$layers" \
		sh -c 'echo new >/etc/kept; : >/file; rm /etc/shut'
	is "$err" ""
	is "$(ls "$T/dir")" "upper
work"
	is "$(stat -c %a:%u:%g "$T/dir/upper")" 755:0:0
	run_container --writable "$T/dir" "$layers" \
		sh -c 'cat /etc/kept; ls /file; ls /etc/shut; echo 2 >>/file'
	contains "$err" /etc/shut
	is "$out" "new
/file"
	is "$(cat "$T/dir/upper/file")" 2
	is "$(sum_of "$T/top" "$T/base")" "$before" "what the layers hold"
	run_container "$layers" sh -c 'cat /etc/kept /etc/shut'
	is "$out" "in top
in base" "without -w"
}

has_one_writer() {
	mkdir "$T/dir" "$T/other"
	ln -s dir "$T/link"
	hold -w "$T/dir" "$lowest"
	for name in "$T/dir" "$T/link/."; do
		run_container -w "$name" "$lowest" sh -c ': >/second'
		one_line_error 125 "--writable '$T/dir'" "another container"
	done
	[ ! -e "$T/dir/upper/second" ] || fail "it has run"
	is "$(cat "$root/proc/1/comm")" sleep "the first, then"
	run_container -w "$T/other" "$lowest" true
	is "$err" "" "with another directory"
	let_go "$inside"
	run_container -w "$T/dir" "$lowest" true
	is "$err" "" "after its end"

	hold -w "$T/dir" "$lowest"
	kill -KILL "$pid"
	wait "$pid" || :
	run_container -w "$T/dir" "$lowest" true
	is "$err" "" "after its launcher was killed"
	eventually is_gone "$inside"
}

# What the lesson shows. A whiteout is a device with the number 0/0.
writes_to_the_upper_layer() {
	make_layers
	mkdir "$T/dir"
	upper=$T/dir/upper
	hold -w "$T/dir" "$layers"
	is "$(ls -A "$upper")" "" "the upper layer before"

	echo new >"$root/etc/new"
	is "$(ls -A "$upper/etc")" new "after a write"

	echo more >>"$root/etc/appended"
	is "$(cat "$upper/etc/appended")" "in base
more" "what was copied up"
	is "$(cat "$T/base/etc/appended")" "in base"
	chmod 600 "$root/etc/shut"
	is "$(stat -c %a "$upper/etc/shut" "$T/base/etc/shut")" "600
4751" "modes above and below"

	rm "$root/etc/kept"
	is "$(stat -c '%F %t/%T' "$upper/etc/kept")" \
		"character special file 0/0" "what stands for a deleted file"
	[ ! -e "$root/etc/kept" ] || fail "the deleted file is there"

	if [ -n "$opaque" ]; then
		rm -r "$root/tree"
		is "$(stat -c '%F %t/%T' "$upper/tree")" \
			"character special file 0/0" "for a directory"
		mkdir "$root/tree"
		is "$(stat -c %F "$upper/tree")" directory "one made again"
		prefix=trusted
		! in_user_namespace || prefix=user
		is "$(attribute_of "$upper/tree")" "$prefix.overlay.opaque=y"
		is "$(attribute_of "$upper/etc")" "" "of a directory that merges"
		is "$(ls -A "$root/tree")" "" "the directory made anew"
	fi
	let_go "$inside"

	# An image's layers are made so: this one's upper is the next one's
	# topmost lower layer.
	run_container "$(escaped "$upper"):$layers" \
		sh -c 'cat /etc/new /etc/appended; ls -A /tree; ls /etc/kept'
	is "$out" "new
in base
more$([ -n "$opaque" ] || printf '\nin')"
	contains "$err" /etc/kept
}

# Without the attribute, the kernel has only EIO to say.
cannot_be_opaque() {
	make_layers
	mkdir "$T/dir"
	run_container -w "$T/dir" "$layers" rm -r /tree
	isnt "$status" 0
	contains "$err" "Input/output error"
	run_container -w "$T/dir" "$layers" sh -c \
		'rm -r /etc; rmdir /empty; mkdir /dir; : >/dir/file; rm -r /dir
		ls /empty /dir /etc/link'
	lacks "$out" / "what is left"
}

keeps_containers_apart() {
	make_layers
	hold "$layers"
	one=$pid one_inside=$inside one_root=$root
	hold "$layers"
	echo one >"$one_root/etc/kept"
	echo two >"$root/etc/kept"
	: >"$one_root/only-one"
	rm "$root/etc/shut"
	is "$(cat "$one_root/etc/kept" "$root/etc/kept" "$T/top/etc/kept")" \
		"one
two
in top"
	[ ! -e "$root/only-one" ] || fail "the second sees the first's file"
	is "$(cat "$one_root/etc/shut")" "in base" "what the second deleted"
	let_go "$inside"
	is "$(cat "$one_root/etc/kept")" one "after the second's end"
	pid=$one inside=$one_inside
	let_go "$inside"
}

# The first fills what it has. The small tmpfs is gone with with_mount.
runs_out_of_space() {
	mkdir "$T/small"
	run with_mount "mount -t tmpfs -o size=256k tmpfs '$T/small'" \
		"$container" ${option:+"$option"} -w "$T/small" "$lowest" \
		sh -c 'cat /dev/zero >/big && echo unlimited
		rm /big; echo small >/small; cat /small'
	is "$out" small
	contains "$err" "No space left on device"
	echo enough >"$T/file"

	run with_mount "mount -t tmpfs -o nr_inodes=2 tmpfs '$T/small'" \
		"$container" ${option:+"$option"} -w "$T/small" "$lowest" true
	one_line_error 125 "$T/small" "No space left on device"
}

# ---- The root ----

cannot_be_climbed_out_of() {
	echo secret >"$T/file"
	run_container "$lowest" escape cat "$T/file"
	isnt "$status" 0
	contains "$err" "still confined"
	is "$out" ""
	# shellcheck disable=SC2016 # for the shell inside
	run_container "$lowest" sh -c 'cd ../../../..; cat "./$1"' sh "$T/file"
	isnt "$status" 0
	is "$out" ""
}

# A directory that the caller has open, and the one where the caller is.
has_no_directory_of_the_host() {
	echo secret >"$T/file"
	cd "$T"
	# shellcheck disable=SC2016 # for these shells
	run sh -c 'exec "$@" 3</ 9<.' sh "$container" ${option:+"$option"} \
		"$lowest" sh -c 'cat /proc/self/fd/3"$1" /proc/self/fd/9/file \
		file ./file ../file "/proc/self/cwd$1" "/proc/1/cwd$1"
		peek fds; pwd' sh "$T/file"
	is "$out" "0 1 2
/"
	hold "$lowest" 9<.
	is "$(stat -L -c %d:%i "/proc/$inside/cwd")" \
		"$(stat -L -c %d:%i "$root")" "its working directory"
	for fd in "/proc/$inside/fd"/*; do
		[ ! -d "$fd" ] || fail "it has a directory open: $fd"
	done
	let_go "$inside"
}

# Its namespace holds nothing but what it is made of, not even what is hidden.
has_only_its_own_mounts() {
	make_layers
	hold "$layers"
	mounts=$(cat "/proc/$inside/mountinfo")
	is "$(echo "$mounts" | sed 's/^[^ ]* [^ ]* [^ ]* [^ ]* \([^ ]* [^ ]*\).* - \([^ ]*\) .*/\1 \2/
		s/^\(\/dev\/[a-z]*\) .*devtmpfs$/\1 device/
		s/^\(\/dev\/[fntuz][a-oq-z]*\|\/dev\/random\) [^ ]* [^ ]*$/\1 device/' |
		LC_ALL=C sort)" "/ rw,relatime overlay
/dev rw,nosuid,noexec,relatime tmpfs
/dev/full device
/dev/null device
/dev/pts rw,nosuid,noexec,relatime devpts
/dev/random device
/dev/shm rw,nosuid,nodev,noexec,relatime tmpfs
/dev/tty device
/dev/urandom device
/dev/zero device
/proc rw,nosuid,nodev,noexec,relatime proc
/sys ro,nosuid,nodev,noexec,relatime sysfs"
	lacks "$mounts" "$T" "a path of the host"
	lacks "$mounts" "$rootfs" "a path of the host"
	lacks "$mounts" shared: "a mount tied to others"
	lacks "$mounts" master: "a mount tied to others"
	let_go "$inside"
}

has_only_its_layers_files() {
	make_layers
	: >"$T/top/z"
	hold "$layers"
	is "$(ls -A "$root")" "$({
		ls -A "$rootfs"
		ls -A "$T/base"
		ls -A "$T/top"
		printf '%s\n' dev proc sys
	} | sort -u)"
	let_go "$inside"
}

leaves_the_hosts_mounts() {
	mkdir "$T/dir"
	contains "$(cat /proc/self/mountinfo)" shared:
	before=$(cat /proc/self/mountinfo)
	hold -w "$T/dir" "$lowest"
	is "$(cat /proc/self/mountinfo)" "$before" "while it runs"
	is "$(cat "/proc/$pid/mountinfo")" "$before" "for its launcher"
	isnt "$(ns_of "$inside" mnt)" "$(ns_of self mnt)"
	let_go "$pid"
	is "$(cat /proc/self/mountinfo)" "$before" "after it was killed"
}

ignores_the_callers_umask() {
	mkdir "$T/dir"
	umask 077
	hold -w "$T/dir" "$lowest"
	cd "$root"
	is "$(stat -c '%a %n' . dev dev/pts dev/shm dev/null dev/pts/ptmx)" \
		"755 .
755 dev
755 dev/pts
1777 dev/shm
666 dev/null
666 dev/pts/ptmx"
	cd "$T"
	let_go "$inside"
}

# ---- /dev, /sys and /proc ----

has_devices() {
	hold "$lowest"
	cd "$root/dev"
	is "$(ls)" "fd
full
null
ptmx
pts
random
shm
stderr
stdin
stdout
tty
urandom
zero"
	is "$(stat -c '%n %t:%T %a' null zero full random urandom tty)" \
		"null 1:3 666
zero 1:5 666
full 1:7 666
random 1:8 666
urandom 1:9 666
tty 5:0 666"
	cd "$T"
	let_go "$inside"

	run_container "$lowest" sh -c 'set -e
		echo gone >/dev/null
		cat /dev/null
		head -c 1000 /dev/zero | wc -c
		head -c 1000 /dev/urandom | wc -c
		head -c 10 /dev/random | wc -c
		echo piped | cat /dev/stdin
		echo piped | cat /dev/fd/0
		(echo out >/dev/stdout) | cat
		(echo err >/dev/stderr) 2>&1 | cat
		echo shared >/dev/shm/file
		cat /dev/shm/file
		! echo full 2>/dev/null >/dev/full'
	is "$err" ""
	is "$(tr '\n' ' ' <"$T/out")" "1000 1000 10 piped piped out err shared "
	run_container "$lowest" sh -c 'cat /etc/passwd >/dev/full'
	isnt "$status" 0
	contains "$err" "No space left on device"
}

# The first one has the number 0, whatever terminals the host has.
has_its_own_terminals() {
	run_container "$lowest" sh -c 'ls /dev/pts; exec 3<>/dev/ptmx
		ls /dev/pts; exec 3>&-; ls /dev/pts'
	is "$err" ""
	is "$out" "ptmx
0
ptmx
ptmx"
}

controls_jobs() {
	# What is typed is also shown, so these ask for what is not typed.
	cat >"$T/typed" <<-'END'
		send sh -c 'echo a$((1+1))b; read x; echo got:$x'\r
		expect a2b
		send \032
		expect topped
		send fg\r
		expect sh -c
		send this\r
		expect got:this
		send sh -c 'echo c$((1+1))d; exec sleep 61'\r
		expect c2d
		send \003
		send echo e$((1+1))f $? >/dev/tty\r
		expect e2f 130
	END
	run sh -c '"$@" <"$0"' "$T/typed" "$probes/pty" "$container" \
		${option:+"$option"} "$lowest"
	is "$status" 0
	lacks "$out" "job control"
}

redirects() {
	# shellcheck disable=SC2016 # for the shell inside
	run_container "$lowest" sh -c '
		echo one >file && echo two >>file
		while read -r line; do echo "<$line>"; done <file
		cat <<-END | head -n 1
		here $(cat file | wc -l)
		END
		ls /none 2>errors || [ -s errors ] && echo "$? errors"
		sleep 0 & wait $! && echo waited'
	is "$err" ""
	is "$(tr '\n' ' ' <"$T/out")" "<one> <two> here 2 0 errors waited "
}

shows_its_own_sys() {
	[ -e /sys/class/net/eth0 ] || fail "the sandbox has no eth0"
	hold "$lowest"
	is "$(ls "$root/sys/class/net")" lo
	let_go "$inside"
	run_container "$lowest" sh -c 'echo 1 >/sys/class/net/lo/mtu'
	isnt "$status" 0
	contains "$err" "Read-only file system"
}

shows_its_own_proc() {
	run_container "$lowest" sh -c 'peek processes; cat /proc/1/comm
		cat /proc/sys/kernel/hostname; readlink /proc/self/ns/pid'
	is "$err" ""
	is "$(echo "$out" | head -n 3)" "2
sh
container"
	[ ! -e "$rootfs/bin/ps" ] || run_container "$lowest" sh -c 'ps; :'
	lacks "$out" "[kthreadd]"
}

# ---- -U ----

is_root_inside() {
	make_layers
	hold "$layers"
	read -r first outside count <"/proc/$inside/uid_map"
	[ "$option" != -U ] || is "$first $outside $count" "0 $(id -u) 1"
	is "$(stat -c %u:%g "$root" "$root/dev/pts" "$root/dev/shm" |
		sort -u)" 0:0
	let_go "$inside"
	run_container "$layers" sh -c 'id -u; echo new >/etc/kept
		: >/dev/shm/file; : >/file; rm /etc/shut; cat /etc/kept'
	is "$err" ""
	is "$out" "0
new"
}

deletes_directories() {
	make_layers
	run_container "$layers" sh -c 'set -e
		rm -r /tree /etc /empty
		mkdir /tree /empty
		echo new >/tree/file
		ls -A /tree
		rm -r /tree
		mkdir /tree
		ls -A /tree /empty'
	is "$err" ""
	is "$(tr '\n' ' ' <"$T/out")" "file /empty:  /tree: "
}

# ---- -v ----

# tree DIR - what is there, but for what was mounted or is as old as the mount
tree() {
	(cd "$1" && find . -mindepth 1 \
		\( -path ./dev -o -path ./proc -o -path ./sys \) -prune -o \
		-printf '%P %y %m %U:%G %s %T@ %l\n' | LC_ALL=C sort)
}

# mounts - mountinfo's lines, without numbers and sources: of the overlay's
# options some name a layer as they name no other's
mounts() {
	sed 's/^[^ ]* [^ ]* [^ ]* //; s/ - \([^ ]*\).*/ \1/' | LC_ALL=C sort
}

# replays ARG... - what the lines of -v mount, mount(8) does, too
replays() {
	hold -v "$@"
	tree "$root" >"$T/made"
	mounts <"/proc/$inside/mountinfo" >>"$T/made"
	let_go "$inside"

	{
		sed -n 's/^[a-z]* *+ //; /^pivot_root/q; /^unshare/!p' \
			"$T/start.err"
		declare_functions
		echo 'tree /tmp/merged'
		echo 'sed -n "s: /tmp/merged : / :p; s: /tmp/merged/: /:p" \
			/proc/self/mountinfo | mounts'
	} >"$T/script"
	# mount(8) has, since 2.39, a new way, that takes 255 bytes a value.
	LIBMOUNT_FORCE_MOUNT2=always
	export LIBMOUNT_FORCE_MOUNT2
	# shellcheck disable=SC2046 # words
	run unshare $(sed -n 's/^[a-z]* *+ unshare//p' "$T/start.err") \
		sh -e "$T/script"
	is "$err" ""
	diff "$T/made" "$T/out" ||
		fail "different (< by the program, > by these lines)
$(cat "$T/script")"
}

declare_functions() {
	sed -n '/^tree() {/,/^}/p; /^mounts() {/,/^}/p' "$step_dir/test.sh"
}

prints_what_mount_takes() {
	make_layers
	cp -RPx "$T/base" "$T/a b,c\\d:e'f"
	replays "$(escaped "$T/a b,c\\d:e'f"):$layers"
	contains "$(cat "$T/start.err")" "mount -t overlay overlay -o "
}

prints_what_mount_takes_with_writable() {
	make_layers
	mkdir "$T/dir"
	run_container -w "$T/dir" "$layers" \
		sh -c 'echo kept >/etc/kept; rm /etc/shut /etc/link; : >/new'
	is "$err" ""
	replays -w "$T/dir" "$layers"
	contains "$(cat "$T/made")" "new f"
	lacks "$(cat "$T/made")" "etc/shut"
}

# ---- Bad input and faults ----

refuses_bad_layers() {
	make_layers
	base=$(escaped "$T/base")
	before=$(sum_of "$T/top" "$T/base" "$rootfs")
	cd "$T"
	ln -s base link
	run_container "$base:$T/none:$lowest" true
	one_line_error 125 "layer '$T/none'" "No such file or directory"
	run_container none true
	one_line_error 125 "layer 'none'" "No such file or directory"
	run_container "base/etc/kept:$lowest" true
	one_line_error 125 "layer 'base/etc/kept'" "Not a directory"
	run_container "$lowest:base/etc/fifo" true
	one_line_error 125 "layer 'base/etc/fifo'" "Not a directory"
	for list in '' : ":$lowest" "$lowest:" "base::$lowest"; do
		run_container "$list" true
		one_line_error 125 "layer ''" "No such file or directory"
	done
	for list in "base:base:$lowest" "base:$lowest:link" "base:top:./base/."
	do
		run_container "$list" true
		one_line_error 125 "'$T/base'" overlap
	done
	for list in "base:base/etc:$lowest" "link/etc:top:base:$lowest"; do
		run_container "$list" true
		one_line_error 125 "'$T/base'" "'$T/base/etc'" overlap
	done
	# One name may begin as the other does.
	mkdir bas
	run_container "base:bas:$lowest" true
	is "$err" ""
	run_container "base:/" true
	one_line_error 125 "layer '/' is the host's own root"
	# Root that may not read everything.
	mkdir -m 0 shut
	run setpriv --bounding-set=-dac_override,-dac_read_search \
		"$container" ${option:+"$option"} "base:shut:$lowest" true
	one_line_error 125 "layer 'shut'" "Permission denied"
	is "$(sum_of "$T/top" "$T/base" "$rootfs")" "$before" \
		"what the layers hold"
}

# What neither the names nor a file's kind tell, only the kernel.
refuses_what_the_kernel_refuses() {
	make_layers
	mkdir "$T/again"
	run with_mount "mount --bind '$T/base' '$T/again'" \
		"$container" ${option:+"$option"} \
		"$(escaped "$T/base"):$(escaped "$T/again"):$lowest" true
	one_line_error 125 "'$T/again'"
	run_container "/proc:$lowest" true
	one_line_error 125 "'/proc'"
}

refuses_bad_mount_points() {
	make_layers
	ln -s "$T/base" "$T/top/sys"
	run_container "$(escaped "$T/top"):$(escaped "$T/base")" true
	one_line_error 125 /sys "not a directory"
	rm "$T/top/sys"
	: >"$T/top/dev"
	run_container "$layers" true
	one_line_error 125 /dev "not a directory"
}

refuses_bad_writables() {
	make_layers
	cd "$T"
	mkdir -p dir/layer file
	mkdir -m 555 shut
	: >file/upper
	before=$(sum_of top base dir shut)
	run_container -w none "$lowest" true
	one_line_error 125 "--writable 'none'" "No such file or directory"
	run_container -w '' "$lowest" true
	one_line_error 125 "--writable ''" "No such file or directory"
	run_container -w base/etc/kept "$lowest" true
	one_line_error 125 "--writable 'base/etc/kept'" "Not a directory"
	run_container -w base "$layers" true
	one_line_error 125 "'$T/base'" overlap
	run_container -w base/etc "$layers" true
	one_line_error 125 "'$T/base/etc'" "'$T/base'" overlap
	run_container -w dir "dir/layer:$lowest" true
	one_line_error 125 "'$T/dir'" "'$T/dir/layer'" overlap
	run_container -w / "$lowest" true
	one_line_error 125 "'/'"
	run_container -w file "$lowest" true
	one_line_error 125 "$T/file" upper
	run_container -w /proc "$lowest" true
	one_line_error 125 /proc
	run_container -w /sys "$lowest" true
	one_line_error 125 /sys
	# With -U, it is root inside that makes the directories.
	if [ -z "$option" ]; then
		run setpriv --bounding-set=-dac_override,-dac_read_search \
			"$container" -w shut "$lowest" true
		one_line_error 125 "$T/shut" "Permission denied"
	fi
	is "$(sum_of top base dir shut)" "$before" "what was refused"
}

refuses_writables_that_cannot_be() {
	overlay_below
	mkdir "$T/dir" "$T/dir/upper" "$T/dir/work"
	run with_mount "mount --bind '$T/dir' '$T/dir'
		mount -o remount,bind,ro '$T/dir'" \
		"$container" ${option:+"$option"} -w "$T/dir" "$lowest" true
	one_line_error 125 "$T/dir" "Read-only file system"
	run with_mount "mount -t tmpfs -o ro tmpfs '$T/dir'" \
		"$container" ${option:+"$option"} -w "$T/dir" "$lowest" true
	one_line_error 125 "$T/dir" "Read-only file system"
	run with_mount "$mount" \
		"$container" ${option:+"$option"} -w "$T/merged" "$lowest" true
	one_line_error 125 "'$T/merged'" overlay
	run with_mount "mount -t tmpfs tmpfs '$T/dir/work'" \
		"$container" ${option:+"$option"} -w "$T/dir" "$lowest" true
	one_line_error 125 "$T/dir"
}

for option in '' -U; do
	opaque=yes
	! in_user_namespace || tmpfs_holds_user_attributes || opaque=
	with=${option:+"$option: "}
	t "${with}the topmost layer is seen, directories are merged" \
		merges_layers
	t "${with}layers and DIR have any name" takes_any_name
	t "${with}layers are relative, or links" follows_paths
	t "${with}64, 100, 200 layers, and no more" takes_many_layers
	t "${with}a layer lies on an overlay" takes_a_layer_on_an_overlay
	t "${with}no layer lies on an overlay on an overlay" \
		refuses_a_layer_on_two_overlays
	t "${with}layers lie on read-only media" takes_read_only_media

	t "${with}the layers stay as they are" leaves_the_layers_at_exit
	t "${with}so they do when the command is killed" \
		leaves_the_layers change_everything command
	t "${with}so they do when the launcher is killed" \
		leaves_the_layers change_everything launcher
	t "${with}the container forgets" forgets
	t "${with}mount points are made, but not in a layer" makes_mount_points
	t "${with}-w keeps what is written" keeps_what_is_written
	t "${with}-w has one writer" has_one_writer
	t "${with}write, copy-up, whiteout, opaque directory" \
		writes_to_the_upper_layer
	t "${with}containers that share layers are apart" keeps_containers_apart
	t "${with}without space, only the command fails" runs_out_of_space

	t "${with}the root cannot be climbed out of" cannot_be_climbed_out_of
	t "${with}no directory of the host is left open" \
		has_no_directory_of_the_host
	t "${with}no mount of the host is left" has_only_its_own_mounts
	t "${with}no directory for the old root is left" \
		has_only_its_layers_files
	t "${with}the host's mounts stay as they are" leaves_the_hosts_mounts
	t "${with}the caller's umask counts for nothing" \
		ignores_the_callers_umask

	t "${with}/dev has what programs need" has_devices
	t "${with}/dev/pts has the container's terminals" has_its_own_terminals
	t "${with}a shell controls its jobs" controls_jobs
	t "${with}a shell redirects" redirects
	t "${with}/sys shows the container's network and is read-only" \
		shows_its_own_sys
	t "${with}/proc shows the container's processes" shows_its_own_proc
	t "${with}root inside may write everywhere" is_root_inside
	if [ -n "$opaque" ]; then
		t "${with}directories of layers are deleted" deletes_directories
	else
		t "${with}leak: on this kernel, directories of layers stay" \
			cannot_be_opaque
	fi

	t "${with}the lines of -v make the same tree" prints_what_mount_takes
	t "${with}so do the lines of -v -w" prints_what_mount_takes_with_writable

	t "${with}layers that cannot be are refused" refuses_bad_layers
	t "${with}so are those that the kernel cannot take" \
		refuses_what_the_kernel_refuses
	t "${with}mount points that are none are refused" \
		refuses_bad_mount_points
	t "${with}a DIR that cannot be is refused" refuses_bad_writables
	t "${with}so is a DIR where an upper layer cannot be" \
		refuses_writables_that_cannot_be
done
done_testing
