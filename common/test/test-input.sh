#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-input - bad input: one line on stderr, the right exit status, nothing on
# stdout and nothing left behind. And odd input that is good.
. "$(dirname "$0")/lib.sh"

# copy DIR - the root filesystem, to be spoilt, and without a /proc that is
# mounted there; /marker tells it from others
copy() {
	cp -RPx "$rootfs" "$1"
	echo here >"$1/marker"
}

# name FILE - how to write it as ROOTFS: since step 05 a colon separates layers
name() {
	if [ "$n" -lt 5 ]; then
		echo "$1"
	else
		echo "$1" | sed 's/:/\\:/g'
	fi
}

# Runs COMMAND as root that lacks the capabilities CAP[,CAP...].
without() {
	caps=-$(echo "$1" | sed 's/,/,-/g')
	shift
	setpriv --bounding-set "$caps" --inh-caps "$caps" "$@"
}

# Runs COMMAND as user 1000, who has no capability.
as_a_user() {
	unshare --user --map-user=1000 --map-group=1000 "$@"
}

# Runs COMMAND where no more namespaces of TYPE are to be had.
at_the_limit_of() {
	limit=/proc/sys/user/max_$1_namespaces
	shift
	# shellcheck disable=SC2016 # for the inner shell
	unshare --user --map-root-user sh -ec \
		'echo 0 >"$0"; exec "$@"' "$limit" "$@"
}

# ---- ROOTFS ----

refuses_what_is_no_directory() {
	: >"$T/file"
	mkfifo "$T/fifo"
	ln -s missing "$T/dangling"
	ln -s loop "$T/loop"
	while IFS='|' read -r file reason; do
		for option in -- $user; do
			run "$container" "$option" "$file" sh -c 'echo ran'
			one_line_error 125 "'$file'" "$reason"
		done
	done <<-END
	|No such file or directory
	$T/missing|No such file or directory
	$T/missing/|No such file or directory
	missing|No such file or directory
	$T/dangling|No such file or directory
	$T/loop|Too many levels of symbolic links
	$T/file|Not a directory
	$T/file/|Not a directory
	$T/fifo|Not a directory
	/dev/null|Not a directory
	$T/$(printf %0300d 0)|File name too long
	END
	# What does not fit into a line is cut off.
	run "$container" "$(printf %05000d 0)"
	one_line_error 125
}

refuses_the_unreadable() {
	mkdir -m 0 "$T/closed"
	mkdir "$T/closed/root"
	for file in "$T/closed" "$T/closed/root"; do
		run without dac_override,dac_read_search \
			"$container" "$file" sh -c 'echo ran'
		one_line_error 125 "'$file'" "Permission denied"
	done
}

refuses_the_root() {
	ln -s / "$T/link"
	ln -s ../../../../../../.. "$T/relative"
	mkdir "$T/bind"
	if [ "$n" -lt 5 ]; then
		mount --rbind / "$T/bind"
		# Else the unmounting below reaches what is shared of /.
		mount --make-rprivate "$T/bind"
	fi
	cd /
	for file in / /. // /../ /proc/.. . .. ./ "$T/link" "$T/link/" \
		"$T/relative" /proc/self/root /proc/self/root/. \
		/proc/self/cwd "$T/bind"; do
		[ "$n" -lt 5 ] || [ "$file" != "$T/bind" ] || continue
		for option in -- $user; do
			run "$container" "$option" "$file" sh -c 'echo ran'
			one_line_error 125 "'$file'" "root"
		done
	done
	[ "$n" -ge 5 ] || umount --lazy "$T/bind"
}

# The same directory, by many names.
finds_rootfs() {
	mkdir "$T/a"
	copy "$T/a/root"
	ln -s root "$T/a/link"
	ln -s "$T/a/link" "$T/a/second"
	for option in -- $user; do
		cd "$T/a/root"
		for file in . ./ ../root ../link ../root/../root/ \
			../root/bin/..; do
			run "$container" "$option" "$file" cat /marker
			is "$status $out $err" "0 here " "$file"
		done
		cd ..
		for file in root root/ ./root link link/ link/. second \
			"$T/a/root" "$T/a/root//" "$T//a/./link"; do
			run "$container" "$option" "$file" cat /marker
			is "$status $out $err" "0 here " "$file"
		done
	done
}

takes_any_name() {
	mkdir "$T/a"
	cd "$T/a"
	copy root
	# shellcheck disable=SC2016 # as they are
	set -- 'two words' ' ' 'a:b' ':' 'a,b' 'lowerdir=x,upperdir=y' \
		"it's" '"quoted"' '$HOME' '`id`' '*' '%s%n' '#' '~' -v -- \
		'new
line' "$(printf '\377\200\302')" "$(printf 'bell\007\033[1m')" \
		"$(printf %0255d 0)"
	for name; do
		mv root "./$name"
		for option in -v $user; do
			run "$container" "$option" -- "$(name "$name")" \
				cat /marker
			is "$status $out" "0 here" "$name"
			run "$container" "$option" -- \
				"$(name "$T/a/$name/")" \
				cat /marker
			is "$status $out" "0 here" "$name"
		done
		mv "./$name" root
		run "$container" -- "$(name "$T/$name")" cat /marker
		one_line_error 125
		# No file name writes control characters to a terminal.
		is "$(tr -d '\n\t -~\200-\377' <"$T/err")" "" "$name"
	done
}

refuses_an_empty_rootfs() {
	mkdir "$T/empty"
	run "$container" "$T/empty" /bin/sh
	case $n in
	02 | 03 | 04) one_line_error 125 /proc mkdir ;;
	*) one_line_error 127 "exec /bin/sh" "No such file" ;;
	esac
	is "$(ls -A "$T/empty")" "" "files made in ROOTFS"
}

# A /proc that is a way out of ROOTFS, or no place to mount on.
refuses_a_bad_proc() {
	copy "$T/root"
	mkdir "$T/outside"
	chmod u+w "$T/root"
	for link in "$T/outside" ../outside /proc /outside /bin bin . missing
	do
		rm -rf --one-file-system "$T/root/proc"
		ln -s "$link" "$T/root/proc"
		for option in -- $user; do
			run "$container" "$option" "$T/root" sh -c 'echo ran'
			one_line_error 125 /proc directory
		done
	done
	rm "$T/root/proc"
	for option in -- $user; do
		run "$container" "$option" "$T/root" sh -c 'echo ran'
		one_line_error 125 /proc "No such file or directory" mkdir
	done
	: >"$T/root/proc"
	for option in -- $user; do
		run "$container" "$option" "$T/root" sh -c 'echo ran'
		one_line_error 125 /proc directory
	done
}

# ---- COMMAND ----

# cannot_run STATUS COMMAND PART...
cannot_run() {
	want=$1 command=$2
	shift 2
	for option in -- $user; do
		run "$container" "$option" "$T/root" "$command" argument
		one_line_error "$want" "exec $command" "$@"
	done
}

refuses_a_bad_command() {
	copy "$T/root"
	chmod u+w "$T/root" "$T/root/bin"
	cannot_run 127 missing "No such file or directory"
	cannot_run 127 /missing "No such file or directory"
	cannot_run 127 ./bin/missing "No such file or directory"
	cannot_run 127 "" "No such file or directory"
	cannot_run 127 "two words" "No such file or directory"
	cannot_run 127 -x "No such file or directory"
	# What the host has does not count.
	cp "$(command -v sh)" "$T/outside"
	(
		PATH=$T:$PATH
		cannot_run 127 outside "No such file or directory"
	)
	cannot_run 127 "$T/outside" "No such file or directory"

	cannot_run 126 /bin "Permission denied"
	cannot_run 126 / "Permission denied"
	cannot_run 126 . "Permission denied"
	cannot_run 126 "$(printf %0300d 0)" "File name too long"
	ln -s loop "$T/root/loop"
	cannot_run 126 /loop "Too many levels of symbolic links"
	echo 'echo ran' >"$T/root/bin/plain"
	cannot_run 126 /bin/plain "Permission denied"
	cannot_run 126 plain "Permission denied"
	cannot_run 126 /bin/plain/x "Not a directory"

	printf '#!/missing/interpreter\n' >"$T/root/bin/script"
	chmod +x "$T/root/bin/script"
	cannot_run 127 /bin/script "No such file or directory" interpreter
	cannot_run 127 script "No such file or directory" interpreter
	echo 'echo ran' >"$T/root/bin/script"
	cannot_run 126 /bin/script "Exec format error"
	cannot_run 126 script "Exec format error"
	: >"$T/root/bin/script"
	cannot_run 126 /bin/script "Exec format error"

	name='new
line'
	run "$container" "$T/root" "$name"
	one_line_error 127 'exec new?line'
	run "$container" "$T/root" "$(printf %05000d 0)"
	one_line_error 126
}

# A directory of PATH that is none, and a file there that cannot run.
searches_all_of_path() {
	copy "$T/root"
	mkdir -p "$T/root/usr/local/bin"
	: >"$T/root/usr/local/sbin"
	: >"$T/root/usr/local/bin/program"
	printf '#!/bin/sh\necho ran\n' >"$T/root/bin/program"
	chmod +x "$T/root/bin/program"
	for option in -- $user; do
		run "$container" "$option" "$T/root" program
		is "$status $out $err" "0 ran "
	done
	rm "$T/root/bin/program"
	cannot_run 126 program "Permission denied"
	rm "$T/root/usr/local/bin/program"
	mv "$T/root/bin" "$T/root/programs"
	: >"$T/root/bin"
	cannot_run 127 program "No such file or directory"
}

# A program for the PDP-11: for a Linux that nobody emulates.
refuses_another_machine() {
	copy "$T/root"
	{
		printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000'
		printf '\002\000\101\000\001\000\000\000'
		head -c 4072 /dev/zero
	} >"$T/root/program"
	chmod +x "$T/root/program"
	cannot_run 126 /program "Exec format error" machine
}

# The host's shell, without its libraries and their loader.
refuses_without_a_loader() {
	mkdir "$T/root" "$T/root/proc"
	cp "$(command -v sh)" "$T/root/program"
	! "$T/root/program" -c 'exit 3' || return 1
	run chroot "$T/root" /program -c 'exit 3'
	[ "$status" -ne 3 ] || skip "the host's shell is static"
	cannot_run 127 /program "No such file or directory" loader
}

refuses_noexec() {
	copy "$T/root"
	mkdir -p "$T/root/mnt"
	mount -t tmpfs -o noexec tmpfs "$T/root/mnt"
	printf '#!/bin/sh\necho ran\n' >"$T/root/mnt/script"
	chmod +x "$T/root/mnt/script"
	cannot_run 126 /mnt/script "Permission denied"
	umount "$T/root/mnt"
}

# The caller's PATH names the host's directories, not the container's.
has_its_own_path() {
	# shellcheck disable=SC2016 # for the inner shell
	run env PATH=/nowhere "$container" "$rootfs" sh -c 'echo "$PATH"'
	is "$status" 0
	is "$out" \
		/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	run env -u PATH "$container" "$rootfs" sh -c 'cat /dev/null; echo $?'
	is "$status" 0
	run env -i "$container" "$rootfs" sh -c 'pwd'
	is "$out" /
}

# ---- --hostname ----

refuses_bad_hostnames() {
	long=$(printf %064d 0)
	# shellcheck disable=SC2016 # as they are
	for name in "${long}0" "$long$long$long" '' - -box --user 'a b' a/b \
		a_b ü "$(printf 'a\377')" 'new
line' '%s' '$x'; do
		run "$container" --hostname "$name" "$rootfs" sh -c 'echo ran'
		one_line_error 125 --hostname
		run "$container" "-H$name" "$rootfs" sh -c 'echo ran'
		[ -z "$name" ] || one_line_error 125 --hostname
	done
	for name in "$long" 0 a.b-c BOX.example.org; do
		for option in -- $user; do
			run "$container" "-H$name" "$option" "$rootfs" \
				cat /proc/sys/kernel/hostname
			is "$status" 0
			is "$out" "$name"
		done
	done
}

# ---- Who may ----

tells_a_user_to_use_sudo() {
	run as_a_user "$container" "$rootfs" sh -c 'echo ran'
	one_line_error 125 "Operation not permitted" "not root" sudo
}

runs_for_a_user_with_U() {
	run as_a_user "$container" -U "$rootfs" sh -c 'id -u; id -g'
	is "$status" 0
	is "$out" "0
0"
	is "$err" ""
	# Root inside is the caller, and the host's root is nobody.
	run as_a_user "$container" -U "$rootfs" \
		cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
	# shellcheck disable=SC2086,SC2116 # words
	is "$(echo $out)" "0 1000 1 0 1000 1 deny"
}

names_what_refuses_user_namespaces() {
	# Whoever has no number in this user namespace may not make another.
	run unshare --user "$container" -U "$rootfs" sh -c 'echo ran'
	one_line_error 125 "Operation not permitted" CLONE_NEWUSER \
		kernel.apparmor_restrict_unprivileged_userns
	run at_the_limit_of user "$container" -U "$rootfs" sh -c 'echo ran'
	one_line_error 125 CLONE_NEWUSER "No space left on device" \
		user.max_user_namespaces
	run without setfcap "$container" -U "$rootfs" sh -c 'echo ran'
	one_line_error 125 "Operation not permitted" uid_map
}

stops_at_the_limit_of_namespaces() {
	for type in mnt uts ipc net cgroup pid; do
		# Without a PID namespace step 03 is content.
		[ "$n$type" != 03pid ] || continue
		run at_the_limit_of "$type" \
			"$container" "$rootfs" sh -c 'echo ran'
		one_line_error 125 unshare "No space left on device"
	done
}

# needs CAP PART... - without it nothing is made
needs() {
	cap=$1
	shift
	run without "$cap" "$container" "$rootfs" sh -c 'echo ran'
	one_line_error 125 "Operation not permitted" "$@"
}

needs_capabilities() {
	needs sys_chroot chroot
	case $n in
	02) needs sys_admin "mount /proc" ;;
	03) needs sys_admin unshare ;;
	04) needs sys_admin "unshare CLONE_NEWPID" ;;
	esac
	for cap in chown dac_override fowner fsetid kill mknod net_admin \
		net_raw setfcap setgid setpcap setuid sys_ptrace \
		sys_resource; do
		run without "$cap" "$container" "$rootfs" sh -c 'echo ran'
		is "$status $out $err" "0 ran " "without $cap"
	done
}

for step in $steps; do
	at_step "$step"
	# From step 06 on the network needs the host's root.
	user=''
	case $n in 03 | 04 | 05) user=-U ;; esac

	t "$step: ROOTFS that is no directory" refuses_what_is_no_directory
	t "$step: ROOTFS that may not be entered" refuses_the_unreadable
	t "$step: ROOTFS that is the host's root" refuses_the_root
	t "$step: ROOTFS that is empty" refuses_an_empty_rootfs
	# Later it is the same text, and links take their time to go.
	[ "$n" -ge 6 ] || {
		t "$step: ROOTFS by many paths" finds_rootfs
		t "$step: ROOTFS of any name" takes_any_name
		t "$step: COMMAND that cannot run" refuses_a_bad_command
	}
	t "$step: COMMAND for another machine" refuses_another_machine
	t "$step: COMMAND without its loader" refuses_without_a_loader
	t "$step: COMMAND is looked up by a PATH of its own" has_its_own_path
	t "$step: COMMAND is looked for in all of it" searches_all_of_path
	t "$step: a user is told to use sudo" tells_a_user_to_use_sudo
	case $n in
	01) t "$step: a capability is missing" needs_capabilities ;;
	02 | 03 | 04)
		t "$step: a capability is missing" needs_capabilities
		t "$step: /proc that is no directory" refuses_a_bad_proc
		;;
	esac
	[ "$n" -gt 4 ] || t "$step: COMMAND on a file system without exec" \
		refuses_noexec
	[ "$n" -ge 3 ] || continue
	t "$step: bad host names" refuses_bad_hostnames
	[ -z "$user" ] || t "$step: a user is root with -U" \
		runs_for_a_user_with_U
	t "$step: user namespaces are refused" \
		names_what_refuses_user_namespaces
	t "$step: no more namespaces" stops_at_the_limit_of_namespaces
done
done_testing
