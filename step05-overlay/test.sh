#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 05: a root of layers, and no way out of it
. "$(dirname "$0")/../common/test/lib.sh"

# As on a host with systemd: what is mounted appears in other mount namespaces.
mount --make-rshared /

# The layers of all tests
cd "$scratch"
ln -s "$rootfs" image
mkdir -p base/dir/sub top
echo base | tee base/kept base/deleted base/dir/file >base/dir/sub/file
echo top >top/kept

run_container() { run "$container" ${option:+"$option"} "$@"; }

sum_of() { # contents, names, owners, modes, times and attributes
	tar --sort=name --format=pax --pax-option=exthdr.name=x,delete=atime \
		--xattrs --xattrs-include='*' -cPf - "$@" | sha256sum
}

leaves_layers() {
	before=$(sum_of image/. base top)
	run_container top:base:image sh -ec 'cat /kept; echo new >/kept
		echo more >>/dir/file; cat /dir/file; rm /deleted; mkdir -p /a/b
		chmod 700 /dir; mv /dir/sub/file /moved; touch /etc; ls /dir/*'
	is "$out$err" "$(printf '%s\n' top base more /dir/file '' /dir/sub:)"
	is "$(sum_of image/. base top)" "$before" "the layers"
}

keeps_writes() {
	run_container -w "$T" base:image sh -c 'echo new >/kept; rm /deleted'
	is "$(cat "$T/upper/kept")" new "$err"
	run_container -w "$T" base:image sh -c 'cat /kept; [ ! -e /deleted ]'
	is "$status:$out" 0:new "$err"
	before=$(sum_of "$T/upper")
	run_container -w "$T" base:image true
	is "$(sum_of "$T/upper")" "$before" "if nothing is written"
}

finds_layers() {
	for i in $(seq 60); do mkdir -p "layers/$i/n/$i"; done
	mkdir -p "$T/a:b,c\\d e'f/n/odd" "a:b,c\\d e'f"
	list=layers/$(seq -s :layers/ 60):$T/"a\:b\,c\\\\d e'f"
	run_container -w "a:b,c\\d e'f" "$list:image" ls /n
	is "$(echo "$out" | wc -l)" 61 "$err"
	# The kernel reads 4095 bytes. Neither a layer nor upper may be cut off.
	for n in $(seq 3900 10 4100); do
		list=image:.$(printf "%${n}s" | tr ' ' /)top
		run_container "$list" cp kept new
		[ "$status" = 0 ] || one_line_error 125 "mount -t overlay"
	done
}

deletes_directories() {
	run_container base:image sh -c 'grep -c userxattr /proc/self/mountinfo
		rm -r /dir && mkdir /dir && ls /dir'
	# With -U, a tmpfs cannot mark a directory as deleted before Linux 6.6.
	[ "$userns" = 0 ] || printf '6.6\n%s' "$(uname -r)" | sort -CV ||
		err=${err#*: Input/output error}
	is "$out$err" "$userns" "userxattr and errors"
}

confines() {
	echo secret >"$T/secret"
	run_container image escape cat "$T/secret"
	is "$status:$out" 1: "$err"
	at_step step04-pidns
	run_container image escape cat "$T/secret"
	is "$out" secret "in step 04"
}

has_devices() {
	umask 077
	run_container image sh -ec 'cd /dev; echo *; stat -c "%t:%T %a" \
		null zero full random urandom tty shm; echo gone >null
		cat zero random urandom | head -c 9 | wc -c; echo in | cat stdin
		(echo out >stdout) | cat; (echo err >stderr) 2>&1 | cat fd/0
		umask; exec 3<>ptmx; ls pts /sys/class/net; ps >&2 || :
		echo >full || echo full; true >/sys/class/net/lo/mtu || echo ro'
	lacks "$err" "$container" "what ps shows"
	is "$(echo "$out" | tr '\n' ' ')" "fd full null ptmx pts random shm \
stderr stdin stdout tty urandom zero 1:3 666 1:5 666 1:7 666 1:8 666 1:9 666 \
5:0 666 0:0 1777 9 in out err 0022 /sys/class/net: lo  pts: 0 ptmx \
full ro "
}

controls_jobs() { # what is typed is shown too: expect what is not typed
	printf '%s\n' "send sh -c 'echo a\$((1+1))b; read x; echo is:\$x'\\r" \
		'expect *a2b' 'send \032' 'expect *topped*' 'send fg\r' \
		'expect *sh -c*' 'send this\r' 'expect *is:this' |
		on_terminal "$container" ${option:+"$option"} image
}

leaves_no_mount() {
	before=$(cat /proc/self/mountinfo)
	start "$container" ${option:+"$option"} image sh -c 'echo up; sleep 60'
	eventually grep -qs up "$T/start.out"
	is "$(cat /proc/self/mountinfo)" "$before"
	kill -KILL "$pid" # t compares after it
}

refuses_bad_input() {
	run_container top:none:image true
	one_line_error 125 none "No such file or directory"
	mkdir "$T/up" "$T/wk" "$T/host" "$T/top"
	run unshare --mount sh -c "mount -t overlay -o userxattr,\
lowerdir=top,upperdir=$T/up,workdir=$T/wk o $T/host; \"\$@\"" sh \
		"$container" ${option:+"$option"} -w "$T/host" image true
	one_line_error 125 "mount -t overlay" "Invalid argument"
	for link in proc dev sys; do
		for target in "$T/host" "../../../..$T/host" none; do
			ln -sfn "$target" "$T/top/$link"
			run_container "$T/top:image" true
			one_line_error 125 "$link" "Not a directory"
		done
		rm "$T/top/$link"
	done
	is "$(ls -A "$T/host")" "" "what the links led to"
}

runs_the_host() {
	mkdir -p "$T/deb/DEBIAN" "$T/top"
	printf '%s\n' 'Package: small' 'Version: 1' 'Architecture: all' \
		'Maintainer: x' 'Description: x' >"$T/deb/DEBIAN/control"
	dpkg-deb -b "$T/deb" "$T/top/deb" || echo "no Debian"
	run_container "$T/top:/" sh -ec '[ ! -e deb ] || dpkg -i deb
		! command -v script || script -qec tty /dev/null | grep pts/0'
	is "$status" 0 "$err"
}

for option in '' -U; do
	userns=1 with=${option:+"$option: "}
	[ "$option" ] || ! grep -q 4294967295 /proc/self/uid_map || userns=0
	t "${with}the layers stay as they are, bit for bit" leaves_layers
	t "${with}-w keeps what is written, and nothing else" keeps_writes
	t "${with}60 layers, with any name, anywhere" finds_layers
	t "${with}a directory of a layer can be deleted" deletes_directories
	t "${with}the root cannot be escaped, as in step 04" confines
	t "${with}/dev, /sys and ps are the container's" has_devices
	t "${with}a shell controls its jobs" controls_jobs
	t "${with}no mount appears on the host" leaves_no_mount
	t "${with}bad layers, DIR and links are refused" refuses_bad_input
	[ $userns = 1 ] || t "dpkg runs in the host's root" runs_the_host
done
done_testing
