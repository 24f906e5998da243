#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-input - bad input: one line with the command that failed and the kernel's
# reason, the right exit status, and nothing left behind
. "$(dirname "$0")/lib.sh"

# Runs a command as user 1000, without any capability.
as_user="unshare --user --map-user=1000 --map-group=1000"

# Before step 05, the launcher enters ROOTFS; since then, overlayfs does.
refused_rootfs() {
	if [ "$n" -lt 5 ]; then
		one_line_error 125 "container: cd " "$1" ": $2"
	else
		one_line_error 125 "container: mount -t overlay" "$1" "$2"
	fi
}

refuses_rootfs() {
	run "$container" "$T/missing" true
	refused_rootfs "$T/missing" "No such file or directory"
	: >"$T/file"
	run "$container" "$T/file" true
	if [ "$n" -lt 5 ]; then
		refused_rootfs "$T/file" "Not a directory"
	else
		refused_rootfs "$T/file" ""
		run "$container" "$rootfs:$T/missing" true
		refused_rootfs "$T/missing" "No such file or directory"
	fi
}

refuses_unreadable_rootfs() {
	mkdir -m 0 "$T/closed"
	caps=-dac_override,-dac_read_search
	run setpriv --bounding-set $caps --inh-caps $caps \
		"$container" "$T/closed/root" true
	refused_rootfs "$T/closed/root" "Permission denied"
}

# No /proc, no /bin/sh; step 07 would warn that there is no /etc.
refuses_an_empty_rootfs() {
	mkdir -p "$T/empty/etc"
	run "$container" "$T/empty"
	case $n in
	02 | 03 | 04) one_line_error 125 "container: mount -t proc" "No such" ;;
	*) one_line_error 127 "container: exec /bin/sh: No such file" ;;
	esac
	is "$(ls -A "$T/empty")" etc "files in ROOTFS"
}

# cannot_run STATUS COMMAND REASON
cannot_run() {
	run "$container" "$T/root" "$2"
	one_line_error "$1" "container: exec $2: $3"
}

refuses_commands() {
	mkdir "$T/root" # which cp of uutils does not
	cp -RP "$rootfs/." "$T/root"
	cannot_run 127 missing "No such file or directory"
	cannot_run 127 "$T/root/bin/sh" "No such file or directory"
	cannot_run 126 /etc "Permission denied"
	printf '#!/missing\n' >"$T/root/script"
	chmod +x "$T/root/script"
	cannot_run 127 /script "No such file or directory"
}

# For a PDP-11, which no Linux machine emulates. libc may try the shell then.
refuses_a_foreign_program() {
	mkdir "$T/root"
	cp -RP "$rootfs/." "$T/root"
	{
		printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000'
		printf '\002\000\101\000\001\000\000\000'
		head -c 4072 /dev/zero
	} >"$T/root/program"
	chmod +x "$T/root/program"
	run "$container" "$T/root" /program
	isnt "$status" 0
	isnt "$err" ""
}

tells_a_user_to_use_sudo() {
	run $as_user "$container" "$rootfs" true
	one_line_error 125 "container: " "Operation not permitted: try sudo"
}

runs_for_a_user() {
	run $as_user "$container" -U "$rootfs" id -u
	is "$status $out $err" "0 0 " "status, stdout and stderr"
}

# Some kernels add tunnels to every network namespace.
connects_a_user_to_lo_alone() {
	start $as_user "$container" -U "$rootfs" sleep 4711
	eventually sleeper
	is "$(sed 's/:.*//' "/proc/$inside/net/dev")" \
		"$(unshare --net sed 's/:.*//' /proc/self/net/dev)" interfaces
	contains "$(grep 127.0.0.1 "/proc/$inside/net/fib_trie")" 127.0.0.1
	lacks "$(cat "/proc/$inside/net/fib_trie")" 10.
}

# User namespaces can be nested 33 deep.
refuses_another_user_namespace() {
	cat >"$T/nest" <<-'END'
		! unshare --user --map-root-user true 2>/dev/null ||
			exec unshare --user --map-root-user sh "$0" "$@"
		exec "$@"
	END
	run sh "$T/nest" "$container" -U "$rootfs" true
	one_line_error 125 "container: unshare --user" \
		"No space left on device"
}

for step in $steps; do
	at_step "$step"
	t "$step: ROOTFS is missing, or a file" refuses_rootfs
	t "$step: ROOTFS is unreadable" refuses_unreadable_rootfs
	t "$step: ROOTFS is empty" refuses_an_empty_rootfs
	t "$step: COMMAND is missing, or cannot be run" refuses_commands
	t "$step: COMMAND is for another machine" refuses_a_foreign_program
	t "$step: an ordinary user is told to use sudo" \
		tells_a_user_to_use_sudo
	[ "$n" -ge 3 ] || continue
	t "$step: an ordinary user can run it with -U" runs_for_a_user
	t "$step: user namespaces are refused" \
		refuses_another_user_namespace
	[ "$n" -ge 6 ] || continue
	t "$step: with -U there is no network but lo" \
		connects_a_user_to_lo_alone
done
done_testing
