#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-rootfs - tools/rootfs, and the probes that it puts into what it makes
# shellcheck disable=SC2317 # the functions are called by t
# shellcheck disable=SC2016 # for the inner shells
# shellcheck source=common/test/lib.sh
. "$(dirname "$0")/lib.sh"

export PROBES="$probes"
tool=$top/common/tools/rootfs

# Where it does not matter of what a root is made: this is faster to unpack
# than tiny-linux is to make.
small=$(mktemp -d)
mkdir "$small/bin" "$small/proc"
cp "$probes/peek" "$small/bin/sh"
tar -cf "$small/tar" -C "$small" bin proc
small=$small/tar

# makes OPTION... - runs the tool, which has to succeed
makes() {
	run "$tool" "$@"
	is "$status" 0 "exit status"
	is "$err" "" "stderr"
}

# refuses PART OPTION... - runs it, which has to fail with a line that has PART
refuses() {
	part=$1
	shift
	run "$tool" "$@"
	one_line_error 1 rootfs: "$part"
}

# only NAME... - nothing else is in $T/made
only() {
	is "$(ls -A "$T/made")" "$(printf '%s\n' "$@")" "what was made"
}

# Runs COMMAND as user 1000, who has no capability.
as_a_user() {
	unshare --user --map-user=1000 --map-group=1000 "$@"
}

# inside COMMAND... - runs it in $T/made/tiny, without /proc
inside() {
	chroot "$T/made/tiny" "$@"
}

# ---- tiny-linux ----

# chroot(1), and the loader, have 126 and 127 for a program that cannot run.
every_tool_runs() {
	for name in sh ls cat ps mount umount hostname id ip ping grep head wc \
		sleep env readlink stat touch mkdir rm uname kill; do
		case $out in *without*" $name"*) continue ;; esac
		status=0
		inside "/bin/$name" --help >"$T/help" 2>&1 || status=$?
		case $status in
		126 | 127) fail "$name: $status: $(head -n 1 "$T/help")" ;;
		esac
	done
	is "$(inside id -un)" root
	contains "$(inside ls -ld /)" " root "
	is "$(inside hostname)" "$(uname -n)"
	contains "$(inside ip addr show lo)" 127.0.0.1
	contains "$(inside cat /etc/os-release)" ID=tiny-linux
	is "$(inside stat -c %a /tmp)" 1777
	for dir in proc sys dev etc root run var usr; do
		[ -d "$T/made/tiny/$dir" ] || fail "no /$dir"
	done
	is "$(inside /bin/peek uid)" 0
	contains "$(inside /usr/bin/reach --help)" Usage
	[ -x "$T/made/tiny/bin/escape" ] || fail "no /bin/escape"
}

makes_it_from_busybox() {
	command -v busybox >/dev/null || skip "no busybox"
	makes "$T/made/tiny"
	contains "$out" busybox
	contains "$out" "make alpine"
	only tiny
	is "$(readlink "$T/made/tiny/bin/ls")" busybox
	every_tool_runs
}

makes_it_from_the_tools() {
	export BUSYBOX=none
	makes "$T/made/tiny"
	contains "$out" "this machine's tools"
	contains "$out" "make alpine"
	only tiny
	[ ! -e "$T/made/tiny/bin/busybox" ] || fail "it has busybox"
	every_tool_runs
}

makes_it_as_a_user() {
	mkdir "$T/made"
	for BUSYBOX in '' none; do
		export BUSYBOX
		run as_a_user "$tool" "$T/made/tiny"
		is "$status" 0
		is "$err" ""
		is "$(inside id -un)" root
	done
}

does_nothing_when_up_to_date() {
	makes --tarball "$small" "$T/made/tiny"
	before=$(stat -c %i "$T/made/tiny")
	makes --tarball "$small" "$T/made/tiny"
	contains "$out" "up to date"
	is "$(stat -c %i "$T/made/tiny")" "$before"
	# Not even what takes permission to write.
	chmod 555 "$T/made"
	run as_a_user "$tool" --tarball "$small" "$T/made/tiny"
	contains "$out" "up to date"
	run as_a_user "$tool" --tarball "$small" --force "$T/made/tiny"
	one_line_error 1 "not writable"
	chmod 755 "$T/made"
	only tiny

	makes --tarball "$small" --force "$T/made/tiny"
	isnt "$(stat -c %i "$T/made/tiny")" "$before"
	before=$(stat -c %i "$T/made/tiny")
	cp -R "$probes" "$T/probes"
	printf '#!/bin/sh\n' >"$T/probes/reach"
	PROBES=$T/probes
	makes --tarball "$small" "$T/made/tiny"
	isnt "$(stat -c %i "$T/made/tiny")" "$before" "with another probe"
}

# survives_kill COMMAND NTH - killed where it calls COMMAND for the Nth time
survives_kill() {
	command=$1 nth=$2
	mkdir -p "$T/bin"
	rm -f "$T/calls"
	cat >"$T/bin/$command" <<-END
	#!/bin/sh
	echo >>"$T/calls"
	[ \$(wc -l <"$T/calls") -ne $nth ] || { kill -KILL \$PPID; exit; }
	exec $(command -v "$command") "\$@"
	END
	chmod +x "$T/bin/$command"
	run env PATH="$T/bin:$PATH" \
		"$tool" --tarball "$small" --force "$T/made/tiny"
	is "$status" 137 "killed at $command"
	# Its child may live a little longer, and has the lock, too.
	flock "$T/made" true
	[ -d "$T/made/.tiny.rootfs" ] || fail "killed too early or too late"
	[ ! -e "$T/made/tiny" ] || is "$(inside /bin/peek uid)" 0
	rm "$T/bin/$command"

	makes --tarball "$small" "$T/made/tiny"
	only tiny
	is "$(inside /bin/peek uid)" 0
}

survives_being_killed() {
	survives_kill cp 1
	survives_kill cp 3
	survives_kill mv 1
	survives_kill mv 2
}

waits_for_another_run() {
	mkdir "$T/made"
	exec 8<"$T/made"
	flock 8
	"$tool" --tarball "$small" "$T/made/tiny" >"$T/one" 2>&1 &
	one=$!
	"$tool" --tarball "$small" "$T/made/tiny" >"$T/two" 2>&1 &
	two=$!
	eventually grep -q waiting "$T/one"
	eventually grep -q waiting "$T/two"
	is "$(ls -A "$T/made")" ""
	flock -u 8
	wait "$one"
	wait "$two"
	is "$(cat "$T/one" "$T/two" | grep -c 'rootfs: made')" 1
	is "$(cat "$T/one" "$T/two" | grep -c 'up to date')" 1
	only tiny
}

# ---- What it must not touch ----

leaves_mounts_alone() {
	for name in tiny 'with a space'; do
		makes --tarball "$small" "$T/made/$name"
		mount -t tmpfs tmpfs "$T/made/$name/proc"
		: >"$T/made/$name/proc/precious"
		refuses "umount '$T/made/$name/proc'" -f "$T/made/$name"
		[ -e "$T/made/$name/proc/precious" ] || fail "it is gone"
		inside /bin/peek uid
		umount "$T/made/$name/proc"
		makes --tarball "$small" -f "$T/made/$name"
	done
	mkdir -p "$T/made/.tiny.rootfs/new"
	mount -t tmpfs tmpfs "$T/made/.tiny.rootfs/new"
	: >"$T/made/.tiny.rootfs/new/precious"
	refuses "umount '$T/made/.tiny.rootfs/new'" "$T/made/tiny"
	[ -e "$T/made/.tiny.rootfs/new/precious" ] || fail "it is gone"
	umount "$T/made/.tiny.rootfs/new"
	makes --tarball "$small" "$T/made/tiny"
	only tiny 'with a space'
}

leaves_what_it_did_not_make() {
	mkdir -p "$T/made/mine" "$T/made/empty"
	: >"$T/made/mine/precious"
	: >"$T/made/file"
	ln -s nowhere "$T/made/link"
	refuses "was not made by" "$T/made/mine"
	refuses "was not made by" --force "$T/made/mine/"
	refuses "not a directory" "$T/made/file"
	refuses "not a directory" "$T/made/link"
	refuses "/: name another" /
	refuses "no such option" --frobnicate
	refuses "one DIR" "$T/made/one" "$T/made/two"
	PROBES=$T refuses "run make" "$T/made/one"
	only empty file link mine
	[ -e "$T/made/mine/precious" ] || fail "it is gone"
	makes --tarball "$small" "$T/made/empty"
}

follows_a_link_to_a_directory() {
	makes --tarball "$small" "$T/made/tiny"
	ln -s tiny "$T/made/link"
	makes --tarball "$small" -f "$T/made/link"
	is "$(readlink "$T/made/link")" tiny
	only link tiny
}

# ---- Tarballs ----

# tarball FILE - one that has what an ordinary user has a hard time with
tarball() {
	rm -rf "$T/tree"
	mkdir -p "$T/tree/bin" "$T/tree/etc" "$T/tree/dev"
	cp "$probes/peek" "$T/tree/bin/sh"
	chmod 4755 "$T/tree/bin/sh"
	ln "$T/tree/bin/sh" "$T/tree/bin/hard"
	ln -s sh "$T/tree/bin/soft"
	ln -s /etc/shadow "$T/tree/etc/absolute"
	mkdir "$T/tree/closed"
	: >"$T/tree/closed/file"
	chmod 555 "$T/tree/closed"
	tar -cf "$1" --owner=42 --group=42 -C "$T/tree" .
	# A device node, from the header of an empty file.
	: >"$T/tree/dev/null"
	tar --format=ustar -b 1 -cf "$T/node" -C "$T/tree" ./dev/null
	put() {
		printf '%b' "$2" |
			dd of="$T/node" bs=1 seek="$1" conv=notrunc 2>/dev/null
	}
	put 156 3
	put 329 0000001
	put 337 0000003
	put 148 '        '
	sum=$(od -An -v -tu1 -N512 "$T/node" | tr -s ' ' '\n' |
		awk '{ sum += $1 } END { printf "%06o", sum }')
	put 148 "$sum\\0"
	tar -Af "$1" "$T/node"
	contains "$(tar -tvf "$1")" 'crw'
}

was_unpacked() {
	is "$(stat -c %a "$T/made/$1/bin/sh")" 4755
	is "$(stat -c %i "$T/made/$1/bin/sh")" \
		"$(stat -c %i "$T/made/$1/bin/hard")"
	is "$(readlink "$T/made/$1/bin/soft")" sh
	is "$(readlink "$T/made/$1/etc/absolute")" /etc/shadow
	[ -e "$T/made/$1/closed/file" ] || fail "no file"
	is "$(chroot "$T/made/$1" /bin/peek uid)" 0
	[ -x "$T/made/$1/bin/escape" ] || fail "no /bin/escape"
}

unpacks_a_tarball() {
	tarball "$T/some.tar"
	makes --tarball "$T/some.tar" "$T/made/root"
	was_unpacked root
	if mknod "$T/null" c 1 3 2>/dev/null; then
		is "$(stat -c '%F %t:%T' "$T/made/root/dev/null")" \
			"character special file 1:3"
		is "$(stat -c %u "$T/made/root/bin/hard")" 42
	fi
	run as_a_user "$tool" --tarball "$T/some.tar" "$T/made/user"
	is "$status" 0
	is "$err" ""
	contains "$out" "without device nodes"
	was_unpacked user
	[ ! -e "$T/made/user/dev/null" ] || fail "a user made a device node"
	run as_a_user "$tool" --tarball "$T/some.tar" "$T/made/user"
	contains "$out" "up to date"
	: >"$T/tree/etc/more"
	tar -rf "$T/some.tar" -C "$T/tree" ./etc/more
	run as_a_user "$tool" --tarball "$T/some.tar" "$T/made/user"
	is "$err" ""
	[ -e "$T/made/user/etc/more" ] || fail "not unpacked anew"
	only root user
}

unpacks_what_is_compressed() {
	tarball "$T/some.tar"
	for packer in gzip xz zstd; do
		command -v "$packer" >/dev/null || continue
		"$packer" -q -c "$T/some.tar" >"$T/some.$packer"
		run "$tool" --tarball "$T/some.$packer" "$T/made/$packer"
		is "$status" 0
		was_unpacked "$packer"
	done
}

refuses_bad_tarballs() {
	mkdir -p "$T/tree/bin" "$T/made" "$T/outside"
	cp "$probes/peek" "$T/tree/bin/sh"
	tar -cf "$T/good.tar" -C "$T/tree" ./bin/sh

	cp "$T/good.tar" "$T/up.tar"
	tar -P -rf "$T/up.tar" --transform 's,^,a/../../,' -C "$T/tree" bin/sh
	refuses outside --tarball "$T/up.tar" "$T/made/x"
	cp "$T/good.tar" "$T/root.tar"
	tar -P -rf "$T/root.tar" "$T/tree/bin/sh"
	refuses outside --tarball "$T/root.tar" "$T/made/x"
	# A link that leads out, and then a file behind the link.
	cp "$T/good.tar" "$T/link.tar"
	ln -s "$T/outside" "$T/link"
	tar -rf "$T/link.tar" -C "$T" link
	rm "$T/link"
	mkdir "$T/link"
	: >"$T/link/file"
	tar -rf "$T/link.tar" -C "$T" link/file
	refuses "not whole" --tarball "$T/link.tar" "$T/made/x"

	head -c 700 "$T/good.tar" >"$T/cut.tar"
	refuses "cannot be read" --tarball "$T/cut.tar" "$T/made/x"
	refuses "cannot be read" --tarball "$0" "$T/made/x"
	refuses "not a file" --tarball "$T/none.tar" "$T/made/x"
	refuses "which FILE" --tarball
	tar -cf "$T/other.tar" -C "$T" outside
	refuses "no /bin/sh" --tarball "$T/other.tar" "$T/made/x"
	: >"$T/manifest.json"
	tar -cf "$T/save.tar" -C "$T" manifest.json
	refuses "docker export" --tarball "$T/save.tar" "$T/made/x"
	is "$(ls -A "$T/made" "$T/outside")" "$T/made:

$T/outside:" "left behind"
}

# From out here, these links lead to this machine's files.
adds_probes_behind_no_link() {
	mkdir -p "$T/tree/usr/bin" "$T/outside"
	cp "$probes/peek" "$T/tree/usr/bin/sh"
	ln -s /usr/bin "$T/tree/bin"
	ln -s "$T/outside/peek" "$T/tree/usr/bin/peek"
	ln -s "$T/outside/mark" "$T/tree/.rootfs"
	tar -cf "$T/some.tar" -C "$T/tree" .
	makes --tarball "$T/some.tar" "$T/made/x"
	is "$(ls -A "$T/outside")" ""
	is "$(chroot "$T/made/x" /bin/peek uid)" 0
	[ -f "$T/made/x/usr/bin/escape" ] || fail "no /usr/bin/escape"

	rm "$T/tree/usr/bin"/*
	rmdir "$T/tree/usr/bin"
	ln -s "$T/outside" "$T/tree/usr/bin"
	cp "$probes/peek" "$T/outside/sh"
	tar -cf "$T/some.tar" -C "$T/tree" .
	refuses "lead out" --tarball "$T/some.tar" "$T/made/x"
	is "$(ls -A "$T/outside")" sh
}

downloads_alpine() {
	mkdir "$T/made"
	tarball "$T/alpine.tar"
	export ALPINE_URL="file://$T/alpine.tar"
	case $(uname -m) in
	x86_64 | aarch64) refuses SHA-256 --alpine "$T/made/alpine" ;;
	*) refuses ALPINE_SHA256 --alpine "$T/made/alpine" ;;
	esac
	sum=$(sha256sum <"$T/alpine.tar")
	export ALPINE_SHA256="${sum%% *}"
	makes --alpine "$T/made/alpine"
	was_unpacked alpine
	echo spoilt >>"$T/alpine.tar"
	makes --alpine "$T/made/alpine"
	contains "$out" "up to date"
	refuses SHA-256 --alpine -f "$T/made/alpine"
	was_unpacked alpine
	rm "$T/alpine.tar"
	refuses alpine.tar --alpine "$T/made/other"
	only alpine
}

# ---- peek ----

peek() {
	"$probes/peek" "$@"
}

peek_agrees_with_the_kernel() {
	is "$(peek root)" "$(stat -c %d:%i /)"
	is "$(peek hostname)" "$(cat /proc/sys/kernel/hostname)"
	is "$(peek uid)" "$(id -u)"
	is "$(as_a_user "$probes/peek" uid)" 1000
	is "$(sh -c 'echo $$; exec "$0" pid' "$probes/peek" | uniq | wc -l)" 1
	for kind in uid gid; do
		is "$(peek "$kind-map")" \
			"$(sed 's/^ *//' "/proc/self/${kind}_map")"
	done
	is "$(peek cgroup)" "$(cat /proc/self/cgroup)"
	for type in cgroup ipc mnt net pid user uts; do
		is "$(peek "ns-$type")" "$(ns_of self "$type")" "$type"
	done
	# ls has one more, for the directory: the first that is free.
	# shellcheck disable=SC2012 # numbers
	is "$(peek fds 3<&- 5</dev/null)" "$(ls /proc/self/fd 3<&- 5</dev/null |
		sort -n | grep -v -x 3 | paste -s -d ' ')"
	contains "$(peek fds 5</dev/null)" ' 5'
	is "$(unshare -p -f --mount-proc "$probes/peek" pid processes)" "pid: 1
processes: 1"
}

peek_knows_capabilities() {
	number=0
	want=
	set -- "$(sed -n 's/CapEff:\t/0x/p' /proc/self/status)"
	for name in $(setpriv --list-caps); do
		[ $(($1 >> number & 1)) -eq 0 ] || want="$want $name"
		number=$((number + 1))
	done
	is " $(peek capabilities)" "$want"
	is "$(setpriv --inh-caps -all --bounding-set -all,+chown,+setfcap \
		"$probes/peek" capabilities)" "chown setfcap"
	is "$(as_a_user "$probes/peek" capabilities)" none
}

peek_sees_mounts() {
	mkdir "$T/a mount"
	mount -t tmpfs -o nosuid,ro tmpfs "$T/a mount"
	mount --make-shared "$T/a mount"
	peek mounts >"$T/got"
	awk '{ for (i = 7; $i != "-"; i++); print $5, $(i + 1), $6 }' \
		/proc/self/mountinfo >"$T/want"
	umount "$T/a mount"
	is "$(cat "$T/got")" "$(cat "$T/want")"
	contains "$(cat "$T/got")" '/a\040mount tmpfs ro,nosuid'
}

peek_sees_the_network() {
	is "$(peek addresses | sort)" \
		"$(ip -o addr | awk '{ print $2, $4 }' | sort)"
	is "$(peek interfaces | sort)" "eth0 up
lo up"
	is "$(peek routes)" "default via 203.0.113.1 dev eth0
203.0.113.0/24 dev eth0"
	# The kernel takes up to a second to tell this end.
	ip -n internet link set router down
	eventually eth0_is no-carrier
	ip -n internet link set router up
	eventually eth0_is up
	is "$(unshare -n "$probes/peek" interfaces addresses routes)" \
		"interfaces: lo down
addresses: none
routes: none"
	is "$(unshare -n sh -c 'ip link set lo up
		ip route add blackhole 10.0.0.0/8; exec "$0" routes' \
		"$probes/peek")" "10.0.0.0/8 unreachable"
	is "$(ip -j link | tr , '\n' | grep -c ifname)" \
		"$(peek interfaces | wc -l)"
}

eth0_is() {
	peek interfaces | grep -q -x "eth0 $1"
}

peek_does_without_proc() {
	makes --tarball "$small" "$T/made/tiny"
	run inside /bin/peek
	is "$status" 0
	is "$err" ""
	is "$(inside /bin/peek root)" "$(stat -c %d:%i "$T/made/tiny")"
	for name in uid-map gid-map cgroup ns-mnt ns-pid processes mounts; do
		contains "$out" "$name: unknown (/proc is not mounted)"
	done
	for name in hostname uid capabilities interfaces addresses routes; do
		is "$(inside /bin/peek "$name")" "$(peek "$name")"
	done
	rmdir "$T/made/tiny/proc"
	is "$(inside /bin/peek mounts)" "unknown (/proc is not mounted)"
}

peek_refuses() {
	run peek pid nonsense
	one_line_error 2 peek: nonsense
	run peek --help
	is "$status" 0
	peek | sed 's/:.*//' | uniq >"$T/shown"
	while read -r name; do
		contains "$out" "  $name "
	done <"$T/shown"
	status=0
	peek >/dev/full 2>"$T/err" || status=$?
	is "$status" 1
}

# ---- reach and escape ----

reach_reaches() {
	reach=$probes/reach
	start nsenter --net=/run/netns/internet "$reach" serve 80
	is "$("$reach" ping 198.51.100.1)" "reply from 198.51.100.1"
	# That took a capability, or a group that is allowed to; now the other.
	run unshare -n sh -ec 'ip link set lo up
		"$0" ping 127.0.0.1
		! setpriv --bounding-set -all --inh-caps -all \
			"$0" ping 127.0.0.1 2>/dev/null
		echo 0 0 >/proc/sys/net/ipv4/ping_group_range
		exec setpriv --bounding-set -all --inh-caps -all \
			"$0" ping 127.0.0.1' "$reach"
	is "$out" "reply from 127.0.0.1
reply from 127.0.0.1"
	eventually grep -q listening "$T/start.out"
	is "$("$reach" fetch 198.51.100.1 80)" 203.0.113.2
	run "$reach" fetch 198.51.100.1 81
	one_line_error 1 198.51.100.1 refused
	run unshare -n "$reach" ping 198.51.100.1
	one_line_error 1 198.51.100.1 unreachable
	run "$reach" ping nonsense
	one_line_error 2 nonsense
	run "$reach" fetch 198.51.100.1 0x50
	one_line_error 2 0x50
	run "$reach" ping 203.0.113.77
	one_line_error 1 "within 2 s"
}

escape_escapes_a_chroot() {
	makes --tarball "$small" "$T/made/tiny"
	is "$(inside /bin/peek root)" "$(stat -c %d:%i "$T/made/tiny")"
	is "$(inside /bin/escape "$probes/peek" root)" "$(stat -c %d:%i /)"
	is "$(echo pwd | inside /bin/escape)" /
	before=$(ls -lAR "$T/made/tiny")
	mount --bind -o ro "$T/made/tiny" "$T/made/tiny"
	mount -o remount,bind,ro "$T/made/tiny"
	got=$(inside /bin/escape "$probes/peek" root) || :
	umount "$T/made/tiny"
	is "$got" "$(stat -c %d:%i /)" "from a read-only root"
	is "$(ls -lAR "$T/made/tiny")" "$before" "left behind"
	run inside /bin/escape /no/such/program
	one_line_error 1 escape: /no/such/program
	run as_a_user "$probes/escape" true
	one_line_error 1 escape: chroot
}

escape_stays_in_a_pivoted_root() {
	makes "$T/made/tiny"
	run unshare -m sh -ec 'mount --bind "$1" "$1"
		cd "$1"
		mount -t proc proc proc
		pivot_root . .
		umount -l .
		exec /bin/escape /bin/peek root' - "$T/made/tiny"
	one_line_error 1 "escape: still confined"
	run "$probes/escape" true
	one_line_error 1 "escape: still confined"
}

t "tiny-linux from busybox: every tool runs in it" makes_it_from_busybox
t "tiny-linux from the tools: every tool runs in it" makes_it_from_the_tools
t "tiny-linux as an ordinary user" makes_it_as_a_user
t "what is up to date is left alone" does_nothing_when_up_to_date
t "killed anywhere, it leaves nothing half-made" survives_being_killed
t "two runs take turns" waits_for_another_run
t "what is mounted in DIR is not removed" leaves_mounts_alone
t "what it did not make is not removed" leaves_what_it_did_not_make
t "a link to DIR stays" follows_a_link_to_a_directory
t "a tarball, as root and as an ordinary user" unpacks_a_tarball
t "compressed tarballs" unpacks_what_is_compressed
t "bad tarballs are refused and leave nothing" refuses_bad_tarballs
t "the probes are put behind no link" adds_probes_behind_no_link
t "Alpine's checksum is verified" downloads_alpine
t "peek agrees with the kernel" peek_agrees_with_the_kernel
t "peek names the capabilities" peek_knows_capabilities
t "peek lists mounts" peek_sees_mounts
t "peek lists interfaces, addresses and routes" peek_sees_the_network
t "peek does without /proc" peek_does_without_proc
t "peek refuses what it does not know" peek_refuses
t "reach pings, serves and fetches" reach_reaches
t "escape climbs out of a chroot" escape_escapes_a_chroot
t "escape stays in a root entered by pivot_root" escape_stays_in_a_pivoted_root
done_testing
