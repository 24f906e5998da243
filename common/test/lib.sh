# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# lib.sh - the test library. A test script begins with
#
#	. "$(dirname "$0")/../common/test/lib.sh"
#
# calls `t DESCRIPTION FUNCTION [ARG...]` for each test and ends with
# done_testing. It prints TAP, the Test Anything Protocol.
#
# A script runs in a sandbox (common/tools/sandbox) with a clean environment.
# Each test must leave the sandbox as it was: if common/test/snapshot.c prints
# something else after the test than before, the test fails.
set -eu

here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd)
top=$here
until [ -e "$top/common/test/lib.sh" ] || [ -z "$top" ]; do
	top=${top%/*}
done
[ -n "${CLEAN_ENV-}" ] || exec sh "$top/common/test/clean-env" sh "$0" "$@"
# This file exists only in a sandbox.
[ -e /run/cfs-sandbox ] || exec sh "$top/common/tools/sandbox" sh "$0" "$@"

# $scratch has a directory $T for each test, and beside it the files T.log,
# T.failed and so on. It disappears with the sandbox: to remove it here would
# also remove what a test has left mounted in it.
scratch=$(mktemp -d)
ln -s "$top/rootfs/tiny-linux" "$scratch/tiny-linux"
mkfifo "$scratch/started"

# shellcheck disable=SC2034 # used by the tests
rootfs=$top/rootfs/tiny-linux
probes=${PROBES:-$top/.build/probes}
# BIN=.build/asan tests the programs below that directory.
bin=${BIN:-$top}
case $bin in .) bin=$top ;; [!/]*) bin=$top/$bin ;; esac
# shellcheck disable=SC2034
steps=$(cd "$top" && echo step[0-9][0-9]-*)

# at_step STEP - one of $steps; sets $container, its program, $n, its number, and
# $rootfs. From step 05 on, a ':' or ',' in ROOTFS has a meaning, but the path of
# the checkout may contain them.
at_step() {
	n=${1#step}
	n=${n%%-*}
	# shellcheck disable=SC2034
	container=$bin/$1/container rootfs=$top/rootfs/tiny-linux
	# shellcheck disable=SC2034
	[ "$n" -lt 5 ] || rootfs=$scratch/tiny-linux
}

# A step's own script tests that step.
case ${here#"$top"/} in
step[0-9][0-9]-*) at_step "$(expr "${here#"$top"}" : '/\([^/]*\)')" ;;
esac

count=0 passed=0 failed=0 skipped=0
grace=100 # how often to look whether a killed process has disappeared
settle=100 # and whether the machine is as it was
trap 'report_early_exit $?' EXIT

# t DESCRIPTION FUNCTION [ARG...] - run one test, in a subshell with set -e. The
# check of an exercise, which sets $hint, ends with the first test that fails.
t() {
	[ -z "${hint-}" ] || [ $failed -eq 0 ] || return 0
	description=$1
	shift
	count=$((count + 1))
	T=$scratch/$count
	mkdir "$T"
	[ -z "${hint-}" ] || { settle=20 patience=5 && echo "# next: $description"; }
	[ -e "$scratch/before" ] || "$probes/snapshot" >"$scratch/before"
	set +e
	(
		trap 'stop_started' EXIT
		set -e
		"$@"
		[ -e "$T.asserted" ] || fail "the test asserts nothing"
	) >"$T.log" 2>&1 </dev/null
	test_status=$?
	set -e
	[ $test_status -eq 0 ] || [ -e "$T.failed" ] ||
		log_failure "a command failed with status $test_status"
	# A check ends with the first failure.
	[ -n "${hint-}" ] && [ -e "$T.failed" ] ||
		poll $settle is_unchanged || report_changes
	[ ! -e "$T.skipped" ] || [ "${CI-}" != true ] ||
		log_failure "with CI=true no test may be skipped"

	if [ -e "$T.failed" ]; then
		failed=$((failed + 1))
		echo "not ok $count - $description"
		# No control characters: a terminal obeys them.
		tr -c '\n\t -~' '?' <"$T.log" | sed 's/^/# /'
	elif [ -e "$T.skipped" ]; then
		skipped=$((skipped + 1))
		echo "ok $count - $description # SKIP $(cat "$T.skipped")"
	else
		passed=$((passed + 1))
		echo "ok $count - $description"
	fi
}

# done_testing - print the number of tests and the result; the last line of a script
done_testing() {
	trap - EXIT
	echo "1..$count"
	echo "$passed passed, $failed failed, $skipped skipped" |
		sed 's/, 0 skipped//'
	[ $failed -eq 0 ]
}

report_early_exit() {
	echo "Bail out! $0 exited with status $1 before done_testing"
	exit 1
}

log_failure() {
	: >"$T.failed"
	echo "$1" >>"$T.log"
}

is_unchanged() {
	"$probes/snapshot" "$scratch/before" >"$T.after"
}

# The next test starts from what it finds then, without the processes that this
# test left.
report_changes() {
	log_failure "the test changed the machine (< before, > after):"
	diff "$scratch/before" "$T.after" | grep '^[<>]' >"$T.diff"
	# One link has 150 settings. They come last.
	head -n 30 "$T.diff" >>"$T.log"
	sed -n 's/^> process \([0-9]*\) .*/\1/p' "$T.diff" | while read -r left; do
		kill -KILL "$left" 2>/dev/null && poll $grace has_disappeared "$left"
	done || :
	rm "$scratch/before"
}

# poll TRIES COMMAND... - until COMMAND succeeds, for TRIES times 0.02 seconds; after
# the first ten it tries less often. It counts and does not look at the clock:
# this also works on a slow or stopped machine.
poll() {
	tries=$1 turn=0
	shift
	until "$@"; do
		turn=$((turn + 1)) pause=0.02 cost=1
		[ $turn -le 10 ] || pause=0.1 cost=5
		tries=$((tries - cost))
		[ $tries -gt 0 ] || return 1
		sleep $pause
	done
}

has_disappeared() {
	! kill -0 "$1" 2>/dev/null
}

# ---- For use in a test ----

# run COMMAND... - sets $status, $out and $err (also in $T/out and $T/err)
run() {
	ran=$*
	status=0
	"$@" >"$T/out" 2>"$T/err" || status=$?
	out='' err=''
	[ ! -s "$T/out" ] || out=$(cat "$T/out")
	[ ! -s "$T/err" ] || err=$(cat "$T/err")
}

# on_terminal COMMAND... - on a terminal, with a script of common/test/pty.c on
# stdin. What appears there is in $T/terminal.
on_terminal() {
	: >"$T.asserted"
	"$probes/pty" "$@" >"$T/terminal" 2>"$T/pty.err" ||
		fail "$(cat "$T/pty.err"); this appeared:
$(cat "$T/terminal")"
}

# start COMMAND... - in the background, until the test ends; sets $pid. The
# output is in $T/start.out and $T/start.err.
start() {
	"$probes/start" "$scratch/started" "$@" \
		</dev/null >"$T/start.out" 2>"$T/start.err" &
	pid=$!
	echo "$pid" >>"$T.started"
	# EOF comes when the signals are as they should be, and COMMAND is running.
	read -r _ <"$scratch/started" || :
}

# stop_started - also what a test itself has added to $T.started
stop_started() {
	[ -e "$T.started" ] || return 0
	while read -r pid; do
		kill -TERM "$pid" 2>/dev/null || continue
		poll $grace has_disappeared "$pid" ||
			kill -KILL "$pid" 2>/dev/null || :
	done <"$T.started"
}

# fail MESSAGE - ends the test, even in a subshell or a pipe. The check of an
# exercise has set $hint.
fail() {
	: >"$T.failed"
	echo "$1"
	if [ -n "${ran-}" ]; then
		echo "after: $ran"
		echo "status: $status"
		awk '{ print "stdout: " $0 }' "$T/out"
		awk '{ print "stderr: " $0 }' "$T/err"
	fi
	[ -z "${hint-}" ] || echo "hint: $hint"
	exit 1
}

# skip REASON - ends the test, which needs something that this machine lacks
skip() {
	echo "${1:?a test may be skipped only with a reason}" >"$T.skipped"
	exit 0
}

# is GOT EXPECTED [WHAT]. The others have the same arguments.
is() { check "$1" "'$2'" "${3-}" [ "$1" = "$2" ]; }
isnt() { check "$1" "something else" "${3-}" [ "$1" != "$2" ]; }
contains() { check "$1" "'$2' in it" "${3-}" includes "$1" "$2"; }
lacks() { check "$1" "no '$2' in it" "${3-}" excludes "$1" "$2"; }

# check GOT EXPECTED WHAT CONDITION...
check() {
	: >"$T.asserted"
	message="${3:+$3: }got '$1', expected $2"
	shift 3
	"$@" || fail "$message"
}

includes() {
	case $1 in *"$2"*) ;; *) return 1 ;; esac
}

excludes() {
	! includes "$@"
}

# one_line_error STATUS PART... - the last run exited with STATUS, wrote nothing
# to stdout, and to stderr one line with every PART
one_line_error() {
	is "$status" "$1" "exit status"
	is "$out" "" "stdout"
	is "$(wc -l <"$T/err")" 1 "lines on stderr"
	shift
	for part; do
		contains "$err" "$part" "stderr"
	done
}

# eventually COMMAND... - waits until it succeeds, about $patience seconds
patience=10
eventually() {
	: >"$T.asserted"
	poll $((patience * 50)) "$@" || fail "not after $patience seconds: $*"
}

# compile NAME [OPTION...] - builds $probes/NAME from NAME.c beside the script,
# unless an earlier check has built it. NAME may end in .so.
compile() {
	program=$probes/$1 source=$here/${1%.so}.c
	shift
	# shellcheck disable=SC3013 # every sh has -nt
	[ ! "$program" -nt "$source" ] || return 0
	# Another check may do the same at this moment.
	new=$program.${scratch##*/}
	# shellcheck disable=SC2086 # several words
	${CC:-cc} "$@" -o "$new" "$source" && mv "$new" "$program"
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

# sleeper - sets $inside to the process that runs `sleep 4711`
sleeper() {
	inside=
	for dir in /proc/[0-9]*; do
		# The shells drop the NUL bytes between the arguments.
		command=
		read -r command 2>/dev/null <"$dir/cmdline" || :
		case $command in sleep*4711) inside=${dir#/proc/} ;; esac
	done
	[ -n "$inside" ]
}

# ended [PID] - has it, or the command that start started, exited?
ended() {
	stat=
	read -r stat 2>/dev/null <"/proc/${1:-$pid}/stat" || :
	case ${stat##*) } in '' | Z*) ;; *) return 1 ;; esac
}

# ends_with STATUS - so does the command that start started
ends_with() {
	eventually ended
	got=0
	wait "$pid" || got=$?
	is "$got" "$1" "exit status"
}
