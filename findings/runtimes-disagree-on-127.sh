#!/bin/sh
# SPDX-License-Identifier: MIT
#
# runtimes-disagree-on-127 - a command that does not exist gives the exit status
# 1 in runc, crun and bubblewrap, the same as a command that ran and returned 1
#
# Debian 12: runc 1.1.5, crun 1.8.1, bubblewrap 0.8.0. POSIX shells, chroot(1),
# unshare(1), docker run and podman run return 127 for a missing command and 126
# for one that cannot be executed. The three runtimes return 1 for both, so a
# script cannot tell whether its command failed or never started. For a script
# whose interpreter is missing, docker run passes on what runc returns, which is
# 1 in runc 1.1.15 and 255 in runc 1.3.6, and podman run 5.4 returns 1.

packages='runc=1.1.5+ds1-1+deb12u1 crun=1.8.1-1+deb12u1
	libyajl2=2.1.0-3+deb12u2 libseccomp2=2.5.4-1+deb12u1
	bubblewrap=0.8.0-2+deb12u1 busybox-static=1:1.35.0-4+deb12u1+b1'

expected='        returns-7 missing not-executable no-interpreter
unshare 7 127 126 127
bwrap 7 1 1 1
runc 7 1 1 1
crun 7 1 1 1'

status_of() {
	status=0
	"$@" >/dev/null 2>&1 </dev/null || status=$?
	printf ' %s' $status
}

# bundle COMMAND - for runc and crun, without a network namespace of its own
bundle() {
	sed "s,\"sh\",\"$1\",; s,\"terminal\": true,\"terminal\": false,
		s,\"path\": \"rootfs\",\"path\": \"/run/rootfs\",
		/\"type\": \"network\"/d" spec.json >config.json
}

try() {
	cd /run
	umount -R /sys/fs/cgroup 2>/dev/null || :
	mount -t cgroup2 -o ro cgroup2 /sys/fs/cgroup # they create no cgroup
	mkdir -p rootfs/bin rootfs/proc rootfs/sys rootfs/dev bin
	cp "$tree/bin/busybox" rootfs/bin/
	ln -s busybox rootfs/bin/sh
	printf '#!/bin/sh\nexit 7\n' >rootfs/bin/returns-7
	printf '#!/missing\n' >rootfs/bin/no-interpreter
	chmod +x rootfs/bin/returns-7 rootfs/bin/no-interpreter
	touch rootfs/bin/not-executable
	runc spec --rootless
	mv config.json spec.json
	commands='returns-7 missing not-executable no-interpreter'
	echo "        $commands"
	printf unshare
	for command in $commands; do
		status_of unshare --root rootfs "/bin/$command"
	done
	printf '\nbwrap'
	for command in $commands; do
		status_of bwrap --bind rootfs / "/bin/$command"
	done
	printf '\nrunc'
	for command in $commands; do
		bundle "/bin/$command"
		status_of runc --rootless=true --root /run/runc run example
	done
	printf '\ncrun'
	for command in $commands; do
		bundle "/bin/$command"
		status_of crun --cgroup-manager=disabled --root /run/crun run example
	done
	echo
}

. "$(dirname "$0")/setup"
