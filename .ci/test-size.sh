#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-size - the steps are one small program that grows
#
# A step has two budgets: one for all lines, and one for those that are neither
# blank nor only a comment, so that no comment is cut to meet it. The helpers and
# what a step adds are counted without comments, the rest with them.
. "$(dirname "$0")/../common/test/lib.sh"

# step, lines of container.c, without comments, added to the step before, removed,
# and of test.sh
budgets='
01 85 60 - - 150
02 130 95 60 12 150
03 180 135 85 20 150
04 210 155 45 12 150
05 315 235 125 12 150
06 430 325 125 12 150
07 700 555 300 40 300'

# code FILE... - print FILE without comments and blank lines
code() {
	for file; do
		awk 'BEGIN { RS = "\\*/" } { sub(/\/\*.*/, ""); printf "%s", $0 }' \
			"$file" | grep -v '^[[:blank:]]*\(//.*\)\{0,1\}$'
	done
}

# at_most BUDGET LINES [WHAT]
at_most() {
	is "$([ "$2" -le "$1" ] || echo "$2 lines, budget $1")" "" "${3-}"
}

# has_lines BUDGET cat|code FILE...
has_lines() {
	budget=$1
	shift
	lines=$("$@" | wc -l)
	isnt "$lines" 0
	at_most "$budget" "$lines"
}

# grows BEFORE STEP ADDED REMOVED
grows() {
	code "$1/container.c" >"$T/before"
	code "$2/container.c" >"$T/after"
	diff "$T/before" "$T/after" >"$T/diff" || :
	added=$(grep -c '^>' "$T/diff") || :
	removed=$(grep -c '^<' "$T/diff") || :
	isnt "$added" 0 "lines added"
	at_most "$3" "$added" "added"
	at_most "$4" "$removed" "removed"
}

# functions FILE - print the name and the lines of each. clang-format puts the
# braces of functions, and no other, in column 1.
functions() {
	code "$1" | awk '
		/^{/ { start = NR }
		/^}/ && start { print name, NR - start - 1; start = 0 }
		/^[a-z].*\(/ {
			name = $0
			sub(/\(.*/, "", name)
			sub(/.*[ *]/, "", name)
		}'
}

has_short_functions() {
	for file; do
		functions "$file" | sed "s|^|${file##*/} |"
	done >"$T/functions"
	isnt "$(cat "$T/functions")" "" "functions"
	is "$(awk '$3 > ($2 == "main" ? 35 : 40)' "$T/functions")" "" "too long"
}

has_short_lines() {
	for file; do
		expand "$file" | grep -n '.\{81\}' | sed "s|^|${file##*/}:|"
	done >"$T/long"
	is "$(cat "$T/long")" "" "more than 80 columns"
}

# The command stands in README.md, after a prompt. Most are typed in the step's
# directory.
builds_with_one_line() {
	line=$(sed -n 's/^\$ \(cc .*\)/\1/p' "$1/README.md")
	[ -n "$line" ] || skip "README.md has no such line"
	command -v cc >/dev/null || skip "there is no cc"
	cd "$1"
	case $line in *' ../'*) ;; *) cd .. ;; esac
	run sh -c "$(echo "$line" | sed "s|-o [^ ]*|-o \"\$0\"|")" "$T/container"
	is "$status$out$err" 0 "$line"
	run "$T/container" -h
	contains "$out" Usage:
}

# What the steps teach is not hidden in common/, and no program does it for them.
calls_none_of() {
	names=$1
	shift
	is "$(code "$@" | grep -E "(^|[^a-zA-Z0-9_])($names) *\(")" ""
}

taught='mount|umount2?|chroot|pivot_root|unshare|setns|clone3?|fork|waitpid'
taught="$taught|sethostname|exec[vl]p?e?|kill|prctl|syscall"

before=
while read -r number lines budget added removed test_budget; do
	[ -n "$number" ] || continue
	step=$(echo "$top/step$number"-*)
	name=${step##*/}
	t "$name: container.c has at most $lines lines" \
		has_lines "$lines" cat "$step/container.c"
	t "$name: ... $budget without comments" \
		has_lines "$budget" code "$step/container.c"
	t "$name: test.sh has at most $test_budget lines" \
		has_lines "$test_budget" cat "$step/test.sh"
	t "$name: functions are short" has_short_functions "$step/container.c"
	t "$name: builds with one line of cc" builds_with_one_line "$step"
	if [ -n "$before" ]; then
		t "$name: adds few lines and removes fewer" \
			grows "$before" "$step" "$added" "$removed"
	fi
	before=$step
done <<END
$budgets
END
cd "$top/common"
t "error.[ch] have at most 90 lines" has_lines 90 code error.[ch]
t "netlink.[ch] have at most 270 lines" has_lines 270 code netlink.[ch]
t "nftables.[ch] have at most 310 lines" has_lines 310 code nftables.[ch]
t "common: functions are short" has_short_functions ./*.c ./*/*.c
t "common/test has at most 4620 lines" has_lines 4620 cat test/*
t "common/bench has at most 570 lines" has_lines 570 cat bench/*
t "C has 80 columns" has_short_lines ../step*/*.c ./*.[ch] ./*/*.c
t "common does nothing that a step teaches" calls_none_of "$taught" ./*.[ch]
t "the steps run no other program" \
	calls_none_of 'system|popen|posix_spawnp?' ../step*/container.c
done_testing
