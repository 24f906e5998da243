#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-fds - what the command has open: the caller's stdin, stdout and stderr as
# they are, or /dev/null for those that are closed, and nothing else
. "$(dirname "$0")/lib.sh"

# The numbers of its open files
open_files() {
	# shellcheck disable=SC2012 # numbers
	ls "/proc/$inside/fd" | sort -n | tr '\n' ' '
}

# Files, directories and both ends of a pipe; bash knows numbers above 9.
gets_no_other_file() {
	shell=sh last=9
	if command -v bash >/dev/null; then
		shell=bash last=20
	fi
	mkfifo "$T/fifo"
	opened=
	for fd in $(seq 3 "$last"); do
		case $((fd % 4)) in
		0) opened="$opened $fd</" ;;
		1) opened="$opened $fd>>\"\$0/file\"" ;;
		2) opened="$opened $fd<>\"\$0/fifo\"" ;;
		3) opened="$opened $fd</proc" ;;
		esac
	done
	start "$shell" -c "exec \"\$@\" $opened" "$T" \
		"$container" "$@" "$rootfs" sleep 4711
	eventually sleeper
	is "$(open_files)" "0 1 2 "
	isnt "$(find "/proc/$pid/fd" -name "$last")" "" "the launcher's"
	kill -KILL "$inside"
	wait "$pid" || :
	# The same, seen from inside; ls has the directory open.
	run "$shell" -c "exec \"\$@\" $opened" "$T" \
		"$container" "$@" "$rootfs" ls /proc/self/fd
	is "$out" "0
1
2
3"
}

# What the caller left open is closed for the command, not for the caller.
leaves_the_files_of_its_caller() {
	# shellcheck disable=SC2016 # for the inner shell
	run sh -c 'exec 5>"$0"; "$@"; echo here >&5' "$T/file" \
		"$container" "$rootfs" sh -c :
	is "$status" 0
	is "$(cat "$T/file")" here
}

# lacking STREAMS CMD... - runs it with these closed: of stdin, stdout, stderr
lacking() {
	streams=$1
	shift
	case $streams in *stdin*) exec <&- ;; esac
	case $streams in *stdout*) exec >&- ;; esac
	case $streams in *stderr*) exec 2>&- ;; esac
	exec "$@"
}

fills_closed_streams() {
	for streams in stdin stdout stderr stdin,stdout stdin,stderr \
		stdout,stderr stdin,stdout,stderr; do
		: >"$T/in"
		(lacking "$streams" "$container" "$@" "$rootfs" sleep 4711) \
			<"$T/in" >"$T/out" 2>"$T/err" &
		pid=$!
		echo "$pid" >>"$T.started"
		eventually sleeper
		is "$(open_files)" "0 1 2 " "without $streams"
		i=0
		for stream in stdin:in stdout:out stderr:err; do
			case ,$streams, in
			*,${stream%:*},*) want=/dev/null ;;
			*) want=$T/${stream#*:} ;;
			esac
			is "$(readlink "/proc/$inside/fd/$i")" "$want" \
				"${stream%:*} without $streams"
			i=$((i + 1))
		done
		kill -KILL "$inside"
		wait "$pid" || :
		is "$(cat "$T/out" "$T/err")" ""

		# A shell can work with that: it reads nothing and writes.
		status=0
		(lacking "$streams" "$container" "$@" "$rootfs" sh -c \
			'read -r x || echo out; echo err >&2; exit 7') \
			<"$T/in" >"$T/out" 2>"$T/err" || status=$?
		is "$status" 7 "without $streams"
		out="out " err="err "
		case $streams in *stdout*) out= ;; esac
		case $streams in *stderr*) err= ;; esac
		is "$(cat "$T/out" "$T/err" | tr '\n' ' ')" "$out$err" \
			"without $streams"
	done
}

# No stderr is no reason for another status, and no message goes elsewhere.
fails_without_stderr() {
	for streams in stderr stdout,stderr stdin,stdout,stderr; do
		: >"$T/in"
		for want in 125:/missing 127:"$rootfs"; do
			status=0
			(
				lacking "$streams" \
					"$container" -v "${want#*:}" /missing
			) <"$T/in" >"$T/out" 2>"$T/err" || status=$?
			is "$status" "${want%%:*}" "without $streams"
			is "$(cat "$T/in" "$T/out" "$T/err")" ""
		done
	done
	# Nor is one that cannot be written to.
	status=0
	"$container" -v "$rootfs" sh -c 'exit 7' 2>/dev/full || status=$?
	is "$status" 7
	status=0
	"$container" /missing 2>/dev/full || status=$?
	is "$status" 125
}

flags() {
	grep flags "/proc/$1/fdinfo/$2"
}

# The same open files, with their flags and positions.
passes_streams_on() {
	echo 'first
second
third' >"$T/in"
	echo before >"$T/out"
	(
		read -r _
		# shellcheck disable=SC2016 # for the inner shell
		"$container" "$@" "$rootfs" sh -c \
			'read -r line; echo "got $line"; echo "error" >&2'
		echo after
	) <"$T/in" >>"$T/out" 2>"$T/err"
	is "$(cat "$T/out")" "before
got second
after"
	is "$(cat "$T/err")" error

	(exec "$container" "$@" "$rootfs" sleep 4711) \
		<>"$T/in" >>"$T/out" 2>&1 &
	pid=$!
	echo "$pid" >>"$T.started"
	eventually sleeper
	is "$(readlink "/proc/$inside/fd/0")" "$T/in"
	is "$(readlink "/proc/$inside/fd/1")" "$T/out"
	is "$(readlink "/proc/$inside/fd/2")" "$T/out"
	is "$(flags "$inside" 0)" "$(flags self 0 <>"$T/in")"
	is "$(flags "$inside" 1)" "$(flags self 3 3>>"$T/out")"
	kill -KILL "$inside"
	wait "$pid" || :
}

# A reader of the container's output sees its end: the launcher keeps no copy
# that outlives the command, nor does it close what it waits beside.
works_in_a_pipeline() {
	out=$(echo hello | "$container" "$@" "$rootfs" sh -c 'cat; echo end' |
		cat)
	is "$out" "hello
end"
	# The reader has gone away: the writer hears of it, as outside.
	out=$("$container" "$@" "$rootfs" sh -c \
		'while echo y; do :; done' 2>/dev/null | head -n 1)
	is "$out" y
}

# A root filesystem of our own: step 07 has a word to say about another's.
cp -RPx "$rootfs" "$scratch/rootfs"
rootfs=$scratch/rootfs

for step in $steps; do
	at_step "$step"

	t "$step: streams pass through" passes_streams_on
	t "$step: in a pipeline" works_in_a_pipeline
	t "$step: nobody hears its messages" fails_without_stderr
	[ "$n" -ge 4 ] || continue
	t "$step: no other files" gets_no_other_file
	t "$step: the caller's files" leaves_the_files_of_its_caller
	t "$step: closed streams are /dev/null" fills_closed_streams
	case $n in 04 | 05)
		t "$step: no other files, -U" gets_no_other_file -U
		t "$step: closed streams are /dev/null, -U" \
			fills_closed_streams -U
		;;
	esac
done
done_testing
