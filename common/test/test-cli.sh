#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-cli - the command line, the same at every step, and what -v prints:
# shell commands that make the same container. They are typed to see it.
. "$(dirname "$0")/lib.sh"

# The options of step $n, one a line, as --help writes them.
options() {
	printf '%s\n' --help --verbose --version
	[ "$n" -lt 3 ] || printf '%s\n' --user --hostname
	[ "$n" -lt 5 ] || printf '%s\n' --writable
	[ "$n" -ne 6 ] || printf '%s\n' --address --gateway
	[ "$n" -lt 7 ] || printf '%s\n' --bridge --subnet --clean-host
}

prints_help() {
	for option in --help -h --hel; do
		[ "$n" -lt 3 ] || [ "$option" != --h ] || continue
		run "$container" "$option"
		is "$status" 0 "status of $option"
		is "$err" "" "stderr of $option"
	done
	contains "$out" 'container [OPTIONS] ROOTFS [COMMAND [ARG...]]'
	is "$(grep -oe '--[a-z][a-z-]*' "$T/out" | LC_ALL=C sort -u)" \
		"$(options | LC_ALL=C sort)" "options in --help"
	for part in /bin/sh 125 126 127 'make rootfs'; do
		contains "$out" "$part"
	done
	is "$(grep -c '.\{81\}' "$T/out")" 0 "lines longer than 80 columns"
}

prints_version() {
	run "$container" --version
	is "$status" 0
	is "$err" ""
	is "$out" "containers-from-scratch 1.0"
}

# What follows --help and --version is not looked at, what precedes them is.
first_option_counts() {
	run "$container" --version --bogus
	is "$status" 0
	run "$container" --bogus --version
	one_line_error 125 "--bogus"
}

refuses_bad_options() {
	run "$container"
	one_line_error 125 ROOTFS --help
	run "$container" -v
	one_line_error 125 ROOTFS --help
	run "$container" --
	one_line_error 125 ROOTFS --help
	for word in --bogus -x -vx --help=yes --verbose= --ver -é '-
'; do
		run "$container" "$word" "$rootfs" sh -c 'echo ran'
		one_line_error 125 "$(printf %s "$word" | tr '\n' '?')" --help
	done
	[ "$n" -ge 3 ] || return 0
	run "$container" --h "$rootfs" # --help or --hostname?
	one_line_error 125 --h --help
	options | while read -r option; do
		case $option in
		--help | --user | --verbose | --version | --clean-host)
			continue
			;;
		esac
		run "$container" "$option"
		one_line_error 125 "$option" --help
		run "$container" "$rootfs" "$option"
		is "$status" 127 "$option as COMMAND"
	done
	run "$container" -v -H
	one_line_error 125 -H --help
}

# Options end at ROOTFS or at `--`: what follows is the command's.
ends_options() {
	run "$container" "$rootfs" sh -c 'printf "<%s>" "$@"' sh \
		-v --help -- --version ''
	is "$out" "<-v><--help><--><--version><>"
	is "$err" ""
	run "$container" -- "$rootfs" sh -c 'printf "<%s>" "$@"' sh -v --
	is "$out" "<-v><-->"
	is "$err" ""
	# After `--` the first word is ROOTFS, whatever it looks like.
	run "$container" -- -v
	one_line_error 125 "'-v'"
	for word in -v -h --version --; do
		run "$container" "$rootfs" "$word"
		one_line_error 127 "exec $word"
	done
	POSIXLY_CORRECT=1 run "$container" "$rootfs" sh -c 'echo $#' sh -v
	is "$out" 1
}

runs_a_shell() {
	run sh -c 'echo "echo \$0 \$#" | "$@"' sh "$container" "$rootfs"
	is "$status" 0
	is "$out" "/bin/sh 0"
	is "$err" ""
}

takes_the_hostname() {
	set -- 'hostname 2>&- || cat /proc/sys/kernel/hostname'
	run "$container" "$rootfs" sh -c "$1"
	is "$out" container
	for option in -Hbox --hostname=box "--hostname box" "--host box" \
		"-vH box" "-H bad -H box"; do
		# shellcheck disable=SC2086 # words
		run "$container" $option "$rootfs" sh -c "$1"
		is "$status" 0 "$option"
		is "$out" box "$option"
	done
}

# The lines that -v promises for `container -v ARG... ROOTFS sleep 4711`.
promised() {
	user=''
	inside="unshare --mount --uts --ipc --net --cgroup"
	proc="mount -t proc -o nosuid,nodev,noexec proc proc"
	hostname=container
	for option; do
		case $option in
		-U) user="unshare --user --map-root-user" ;;
		box) hostname=box ;;
		esac
	done
	[ "$n" != 03 ] || [ -z "$user" ] || proc="mount --rbind /proc proc"
	echo "host      + cd $rootfs"
	[ -z "$user" ] || echo "host      + $user"
	case $n in
	02) echo "host      + $proc" ;;
	04) echo "host      + unshare --pid --fork --kill-child" ;;
	esac
	case $n in 03 | 04)
		echo "container + $inside"
		echo "container + mount --make-rprivate /"
		echo "container + hostname $hostname"
		echo "container + $proc"
		;;
	esac
	echo "container + chroot ."
	echo "container + exec sleep 0"
	[ "$n" != 02 ] || echo "host      + umount -l proc"
}

prints_the_promised_lines() {
	run "$container" -v "$@" "$rootfs" sleep 0
	is "$status" 0
	is "$out" ""
	is "$err" "$(promised "$@")"
	run "$container" "$@" "$rootfs" sleep 0
	is "$err" "" "stderr without -v"
}

# Every line is 'host' or 'container', padded, and a command.
prints_sides() {
	run "$container" -v "$rootfs" sleep 0
	is "$status" 0
	is "$(grep -vc '^\(host     \|container\) + [^ ]' "$T/err")" 0 \
		"lines without a side"
	isnt "$(wc -l <"$T/err")" 0
}

# What is printed can be pasted into a shell: it reads the same words.
quotes_words() {
	name="$T/it's a \"\$HOME\"; #*~, naïve"
	ln -s "$rootfs" "$name"
	# shellcheck disable=SC1003,SC2016 # as they are
	set -- sh -c : '' ' ' "it's" "''" '"' '\' '$HOME' '*' '~' '#' -n 'a;b' \
		'`' '!' '{a,b}' 'é' '%s' '(' '<' '|' '&' '?' '[x]' =
	run "$container" -v "$name" "$@"
	is "$status" 0

	if [ "$n" -lt 5 ]; then
		line=$(sed -n 's/^host      + cd /cd /p' "$T/err")
		is "$(eval "$line" && pwd -P)" "$rootfs"
	fi
	line=$(sed -n 's/^container + exec //p' "$T/err")
	want=$(printf '<%s>' "$@")
	eval "set -- $line"
	is "$(printf '<%s>' "$@")" "$want"
	# A plain word stays as it is.
	run "$container" -v "$rootfs" sh -c : a-b_c.d/e:f,g=h@i%j+k
	contains "$err" " exec sh -c : a-b_c.d/e:f,g=h@i%j+k"
}

# script TRACE - the lines as one shell script. After unshare and chroot a new
# shell reads the lines, until exec ends chroot's.
script() {
	after='' lines=''
	sed '1!G; h; $!d' "$1" | sed 's/^[a-z]* *+ //' >"$T/backwards"
	while IFS= read -r line; do
		case $line in
		'exec '*) after=$lines lines=$line ;;
		'chroot .')
			lines="$line /bin/sh -ec $(quoted "$lines")"
			lines="$lines || status=\$?
$after"
			;;
		unshare*) lines="$line sh -ec $(quoted "$lines")" ;;
		*) lines="$line
$lines" ;;
		esac
	done <"$T/backwards"
	echo "$lines"
}

quoted() {
	printf '%s\n' "$1" | sed "s/'/'\\\\''/g; 1s/^/'/; \$s/\$/'/"
}

# state PID - all that the kernel says about the container PID runs in, but for
# numbers that are new each time
state() {
	for file in /proc/self/ns/*; do
		type=${file##*/} whose=host
		[ "$(ns_of "$1" "$type")" = "$(ns_of self "$type")" ] ||
			whose=other
		echo "namespace $type: $whose"
	done
	echo "hostname: $(nsenter --target "$1" --uts hostname)"
	echo "root: $(stat -L -c %d:%i "/proc/$1/root")"
	echo "cwd: $(stat -L -c %d:%i "/proc/$1/cwd")"
	grep -e Uid -e Gid -e Groups -e Cap -e NoNewPrivs "/proc/$1/status"
	echo "nested: $(grep NSpid "/proc/$1/status" | wc -w)"
	cat "/proc/$1/uid_map" "/proc/$1/gid_map" "/proc/$1/setgroups"
	# All of the namespace's mounts, not those below the root alone.
	nsenter --target "$1" --mount cat /proc/self/mountinfo |
		sed 's/^[0-9]* [0-9]* \(0:[0-9]* \)*//; s/\([a-z]\):[0-9]*/\1/'
	echo "interfaces:"
	nsenter --target "$1" --net ip -oneline addr
	nsenter --target "$1" --net ip route
}

# replays OPTION... - what the C made and what its trace makes are the same
replays() {
	start "$container" -v "$@" "$rootfs" sleep 4711
	eventually sleeper
	state "$inside" >"$T/made"
	kill -KILL "$inside"
	wait "$pid" || status=$?
	is "$status" 137

	script "$T/start.err" >"$T/script"
	start sh -ec "$(cat "$T/script")"
	eventually sleeper
	state "$inside" >"$T/replayed"
	kill -KILL "$inside"
	wait "$pid" || :
	diff "$T/made" "$T/replayed" ||
		fail "different (< by the program, > by these lines)
$(cat "$T/script")"
}

# A root filesystem of our own: step 07 has a word to say about another's.
cp -RPx "$rootfs" "$scratch/rootfs"
rootfs=$scratch/rootfs

for step in $steps; do
	at_step "$step"

	t "$step: --help" prints_help
	t "$step: --version" prints_version
	t "$step: the first of several options counts" first_option_counts
	t "$step: bad options" refuses_bad_options
	t "$step: options end at ROOTFS or --" ends_options
	t "$step: COMMAND defaults to /bin/sh" runs_a_shell
	t "$step: -v tells the sides" prints_sides
	t "$step: -v quotes what a shell would change" quotes_words
	[ "$n" -lt 3 ] || t "$step: --hostname" takes_the_hostname
	case $n in 01 | 02 | 03 | 04)
		t "$step: -v prints the promised lines" \
			prints_the_promised_lines
		t "$step: the lines of -v make the same container" replays
		;;
	esac
	case $n in 03 | 04)
		t "$step: -v -U -H prints the promised lines" \
			prints_the_promised_lines -U -H box
		t "$step: the lines of -v -U -H make the same container" \
			replays -U -H box
		;;
	esac
done
done_testing
