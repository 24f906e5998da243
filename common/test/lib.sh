# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# The test library: every test script sources it,
#
#	. "$(dirname "$0")/../common/test/lib.sh"
#
# calls `t DESCRIPTION FUNCTION [ARG...]` for each of its tests and ends with
# done_testing. What it prints is TAP, the Test Anything Protocol.
#
# A test script runs in a sandbox (common/tools/sandbox), and every test has to
# leave that machine as it found it: common/test/snapshot before and after the
# test must be equal, or the test fails. What a script prepares there for all of
# its tests it prepares before the first.
set -eu

# The project's root, and the step in whose directory the test lies.
here=$(cd "$(dirname "$0")" && pwd -P)
top=$here
until [ -e "$top/common/test/lib.sh" ] || [ -z "$top" ]; do
	top=${top%/*}
done

# /run/netns/internet exists in a sandbox and nowhere else.
if [ ! -e /run/netns/internet ]; then
	exec "$top/common/tools/sandbox" sh "$0" "$@"
fi

# shellcheck disable=SC2034 # for the tests
{
	rootfs=$top/rootfs/tiny-linux
	probes=${PROBES:-$top/.build/probes}
	# BIN=.build/asan tests the programs that were built there.
	bin=${BIN:-$top}
	case $bin in /*) ;; *) bin=$top/$bin ;; esac
	step_dir=
	container=
	steps=$(cd "$top" && echo step[0-9][0-9]-*)
	case ${here#"$top"/} in step[0-9][0-9]-*)
		step_dir=${here#"$top"/}
		step_dir=$top/${step_dir%%/*}
		container=$bin/${step_dir##*/}/container
		;;
	esac
}

# Each test has its own directory $T in here, and beside it T.log, T.after and
# the like. Nothing of it is removed: it lies in the sandbox's tmpfs, and a
# recursive removal would follow a mount that a test has left there.
scratch=$(mktemp -d)
count=0 passed=0 failed=0 skipped=0
trap 'died $?' EXIT

# t DESCRIPTION FUNCTION [ARG...] - runs one test in a subshell under set -e
t() {
	description=$1
	shift
	count=$((count + 1))
	T=$scratch/$count
	mkdir "$T"
	# A test that passed has left all as it was before it.
	[ -e "$scratch/before" ] || "$top/common/test/snapshot" >"$scratch/before"
	set +e
	(
		trap 'stop_started' EXIT
		set -e
		"$@"
		[ -e "$T.asserted" ] || fail "the test asserts nothing"
	) >"$T.log" 2>&1 </dev/null
	ended=$?
	set -e
	[ $ended -eq 0 ] || [ -e "$T.failed" ] ||
		echo "a command of the test failed with status $ended" >>"$T.log"
	[ $ended -eq 0 ] || : >"$T.failed"
	unchanged || {
		: >"$T.failed"
		rm "$scratch/before"
	}
	if [ -e "$T.skipped" ] && [ "${CI-}" = true ]; then
		echo "nothing may be skipped when CI=true" >>"$T.log"
		: >"$T.failed"
	fi

	if [ -e "$T.failed" ]; then
		failed=$((failed + 1))
		echo "not ok $count - $description"
		sed 's/^/# /' "$T.log"
	elif [ -e "$T.skipped" ]; then
		skipped=$((skipped + 1))
		echo "ok $count - $description # SKIP $(cat "$T.skipped")"
	else
		passed=$((passed + 1))
		echo "ok $count - $description"
	fi
}

# done_testing - the last line of a test script: the plan and the tally
done_testing() {
	trap - EXIT
	echo "1..$count"
	tally="$passed passed, $failed failed"
	[ $skipped -eq 0 ] || tally="$tally, $skipped skipped"
	echo "$tally"
	[ $failed -eq 0 ] || exit 1
	exit 0
}

# died STATUS - a script that ends without done_testing has failed
died() {
	echo "Bail out! $0 ended with status $1 before done_testing"
	exit 1
}

# unchanged - compares the machine with what it was before the test. Processes
# that were killed are given some time to be gone, with what they held.
grace=40 # times 50 ms
unchanged() {
	tries=0
	while :; do
		"$top/common/test/snapshot" >"$T.after"
		! cmp -s "$scratch/before" "$T.after" || return 0
		tries=$((tries + 1))
		[ $tries -lt $grace ] || break
		sleep 0.05
	done
	echo "the test has changed the machine (< before, > after):" >>"$T.log"
	diff "$scratch/before" "$T.after" | grep '^[<>]' >"$T.diff"
	# A link alone brings 150 settings, which come last.
	head -n 30 "$T.diff" >>"$T.log"
	# The next test shall not see these processes go away.
	for left in $(sed -n 's/^> process \([0-9]*\) .*/\1/p' "$T.diff"); do
		kill -KILL "$left" 2>/dev/null || continue
		tries=0
		while kill -0 "$left" 2>/dev/null && [ $tries -lt $grace ]; do
			tries=$((tries + 1))
			sleep 0.05
		done
	done
	return 1
}

# ---- Inside a test ----

# run CMD... - sets $status, $out and $err (the files $T/out and $T/err)
run() {
	ran=$*
	status=0
	"$@" >"$T/out" 2>"$T/err" || status=$?
	out=$(cat "$T/out")
	err=$(cat "$T/err")
}

# on_terminal PROGRAM [ARG...] - runs it on a terminal and does there what the
# lines of standard input say: see common/test/pty.c
on_terminal() {
	: >"$T.asserted"
	"$probes/pty" "$@" >"$T/terminal" 2>"$T/pty.err" ||
		fail "$(cat "$T/pty.err"); all that appeared:
$(cat "$T/terminal")"
}

# start PROGRAM [ARG...] - runs it in the background, sets $pid. Its output goes
# to $T/start.out, its errors to $T/start.err; it ends with the test.
start() {
	# A shell without job control has its background jobs ignore INT and
	# QUIT, and they do so until env runs: the pipe tells when it has.
	mkfifo "$T.up"
	# shellcheck disable=SC2016 # for the other shell
	env --default-signal=INT,QUIT \
		sh -c ': >"$0"; exec "$@"' "$T.up" "$@" \
		</dev/null >"$T/start.out" 2>"$T/start.err" &
	pid=$!
	echo "$pid" >>"$T.started"
	: <"$T.up"
	rm "$T.up"
}

stop_started() {
	[ -e "$T.started" ] || return 0
	while read -r pid; do
		kill -TERM "$pid" 2>/dev/null || continue
		tries=0
		while [ $tries -lt $grace ] && kill -0 "$pid" 2>/dev/null; do
			tries=$((tries + 1))
			sleep 0.05
		done
		kill -KILL "$pid" 2>/dev/null || :
	done <"$T.started"
}

# fail MESSAGE - ends the test, in a subshell or pipe of it, too
fail() {
	: >"$T.failed"
	echo "$1"
	if [ -n "${ran-}" ]; then
		echo "after: $ran"
		echo "status: $status"
		sed 's/^/stdout: /' "$T/out"
		sed 's/^/stderr: /' "$T/err"
	fi
	exit 1
}

# skip REASON - ends the test: it cannot run here
skip() {
	echo "$1" >"$T.skipped"
	exit 0
}

# is GOT WANT [WHAT]
is() {
	: >"$T.asserted"
	[ "$1" = "$2" ] || fail "${3:+$3: }got '$1', want '$2'"
}

# isnt GOT UNWANTED [WHAT]
isnt() {
	: >"$T.asserted"
	[ "$1" != "$2" ] || fail "${3:+$3: }got '$1', want anything else"
}

# contains TEXT PART [WHAT]
contains() {
	: >"$T.asserted"
	case $1 in
	*"$2"*) ;;
	*) fail "${3:+$3: }got '$1', want '$2' in it" ;;
	esac
}

# lacks TEXT PART [WHAT]
lacks() {
	: >"$T.asserted"
	case $1 in
	*"$2"*) fail "${3:+$3: }got '$1', want no '$2' in it" ;;
	esac
}

# one_line_error STATUS PART... - the last run failed as a tool should: with
# STATUS, nothing on stdout and one line on stderr, which contains every PART
one_line_error() {
	is "$status" "$1" "exit status"
	is "$out" "" "stdout"
	is "$(wc -l <"$T/err")" 1 "lines on stderr"
	shift
	for part; do
		contains "$err" "$part" "stderr"
	done
}

# eventually CMD... - waits until CMD succeeds, for so many seconds at most
patience=10
eventually() {
	: >"$T.asserted"
	deadline=$(($(date +%s) + patience))
	until "$@"; do
		[ "$(date +%s)" -le $deadline ] ||
			fail "not within $patience seconds: $*"
		sleep 0.02
	done
}

# ns_of PID TYPE - the inode of a namespace: mnt, net, pid, uts, ipc, user...
ns_of() {
	ns=$(readlink "/proc/$1/ns/$2") || return
	ns=${ns#*[}
	echo "${ns%]}"
}

# children_of PID - one a line
children_of() {
	cat /proc/[0-9]*/stat 2>/dev/null |
		sed -n "s/^\([0-9]*\) (.*) [A-Za-z] $1 .*/\1/p"
}

# at_step STEP - one of $steps: sets $n, its number, and $container
at_step() {
	n=${1#step}
	n=${n%%-*}
	# shellcheck disable=SC2034 # for the tests
	container=$bin/$1/container
}

# sleeper - sets $inside to the process that runs `sleep 4711`
sleeper() {
	inside=
	for dir in /proc/[0-9]*; do
		[ "$(tr '\0' ' ' 2>/dev/null <"$dir/cmdline")" != \
			"sleep 4711 " ] || inside=${dir#/proc/}
	done
	[ -n "$inside" ]
}

# ended - what start started has: wait might wait for ever
ended() {
	! grep -qs '^State:	[^Z]' "/proc/$pid/status"
}

# ends_with STATUS - what start started
ends_with() {
	eventually ended
	got=0
	wait "$pid" || got=$?
	is "$got" "$1" "exit status"
}
