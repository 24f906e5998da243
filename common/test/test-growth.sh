#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-growth - the steps are one program that grows: each is the one before and
# little else is changed; and it stays small enough to be read
. "$(dirname "$0")/lib.sh"

# limits STEP - how many lines STEP may add to the one before and take away, its
# header comment included. Only what the new primitive replaces is taken away.
limits() {
	case ${1##*/} in
	step02-*) echo 100 10 ;;
	step03-*) echo 120 30 ;;
	step04-*) echo 120 25 ;;
	step05-*) echo 350 30 ;;
	step06-*) echo 450 20 ;;
	step07-*) echo 750 130 ;; # and takes away step 06's fixed pair
	*) echo 120 30 ;;
	esac
}

# growth BEFORE STEP - sets $added and $removed as make diff shows them
growth() {
	diff "$1/container.c" "$2/container.c" >"$T/diff" || :
	added=$(grep -c '^>' "$T/diff") || :
	removed=$(grep -c '^<' "$T/diff") || :
}

grows_within_limits() {
	growth "$@"
	# shellcheck disable=SC2046 # words
	set -- $(limits "$2")
	[ "$added" -le "$1" ] || fail "$added lines more, want at most $1"
	[ "$removed" -le "$2" ] || fail "$removed lines less, want at most $2
$(grep '^<' "$T/diff" | head -n 40)"
	isnt "$added" 0
}

# In the README: `+84 -8` lines
states_its_growth() {
	growth "$@"
	[ -e "$2/README.md" ] || skip "no README.md yet"
	# shellcheck disable=SC2016 # no commands
	stated=$(grep -o '`+[0-9]* -[0-9]*`' "$2/README.md" | head -n 1)
	is "$stated" "\`+$added -$removed\`" "the size of the diff in README.md"
}

# functions FILE... - prints FILE NAME LINES of each, the lines within { and }.
# clang-format has put the braces of a function, and no other, in column 1.
functions() {
	awk '
	/^{/ { start = FNR }
	/^}/ && start { print FILENAME, name, FNR - start - 1; start = 0 }
	/^[a-z].*\(/ {
		name = $0
		sub(/\(.*/, "", name)
		sub(/.*[ *]/, "", name)
	}
	' "$@"
}

has_short_functions() {
	functions "$@" >"$T/functions"
	isnt "$(wc -l <"$T/functions")" 0 "functions"
	is "$(awk '$3 > 40' "$T/functions")" "" "longer than 40 lines"
	is "$(awk '$2 == "main" && $3 > 30' "$T/functions")" "" \
		"longer than 30 lines"
}

# main() comes last, and before it container_main(): the outline at the end.
ends_with_main() {
	is "$(functions "$1" | tail -n 1 | cut -d ' ' -f 2)" main
	contains "$(functions "$1")" " container_main "
}

has_short_lines() {
	for file; do
		expand "$file" | grep -n '.\{81\}' | sed "s|^|$file:|"
	done >"$T/long"
	is "$(cat "$T/long")" "" "longer than 80 columns"
}

# By a reader who has never seen a netlink message.
is_read_in_one_sitting() {
	lines=$(cat "$top"/common/netlink.[ch] | wc -l)
	isnt "$lines" 0
	[ "$lines" -lt 300 ] || fail "they have $lines lines"
}

# calls NAMES FILE... - prints the lines that call one of NAMES, words separated
# by |. In a comment mount(2) is a page of the manual.
calls() {
	names=$1
	shift
	grep -HnE "(^|[^a-zA-Z0-9_])($names) *\(" "$@" |
		grep -vE "($names)\([1-9]\)" || :
}

# What the steps teach stands in the steps, bare.
teaches_in_the_steps() {
	taught='mount|umount2?|chroot|pivot_root|unshare|setns|clone3?|v?fork'
	taught="$taught|sethostname|waitpid|exec[vl]p?e?|kill|prctl|syscall"
	is "$(calls "$taught" "$@")" "" "the helpers call"
}

# In C: no other program is called to do it.
runs_only_the_command() {
	is "$(calls 'system|popen|posix_spawnp?|wordexp' "$@")" "" "calls"
	is "$(calls 'exec[vl]p?e?|fexecve|execveat' "$@" |
		grep -vE 'execv\((command\[0\]|file), command\);$')" "" "calls"
	# Duplicated as each step is complete: no step includes another's code.
	is "$(grep -Hn '#include "' "$@" |
		grep -vE '"(error|netlink|nftables)\.h"')" "" "includes"
}

layout='.ci
.clang-format
.clang-tidy
.editorconfig
.gitignore
LICENSE
Makefile
README.md
common
step01-chroot
step02-proc
step03-unshare
step04-pidns
step05-overlay
step06-veth
step07-bridge-nat'

has_no_other_entry() {
	command -v git >/dev/null || skip "no git"
	git -c safe.directory='*' -C "$top" ls-files >"$T/files" ||
		skip "no git repository"
	cut -d / -f 1 "$T/files" | LC_ALL=C sort -u >"$T/entries"
	is "$(grep -vxF "$layout" "$T/entries")" "" "not in the layout"
}

before=
for source in "$top"/step*/container.c; do
	step=${source%/container.c}
	if [ -n "$before" ]; then
		t "${step##*/}: the growth is within its limits" \
			grows_within_limits "$before" "$step"
		t "${step##*/}: README.md states the growth" \
			states_its_growth "$before" "$step"
	fi
	t "${step##*/}: functions are short" has_short_functions "$source"
	t "${step##*/}: main() is the end" ends_with_main "$source"
	before=$step
done
t "common: functions are short" has_short_functions \
	"$top"/common/*.c "$top"/common/tools/*.c
t "common: netlink.[ch] have less than 300 lines" is_read_in_one_sitting
t "C has 80 columns" has_short_lines "$top"/step*/container.c \
	"$top"/common/*.[ch] "$top"/common/*/*.c
t "common does nothing that a step teaches" teaches_in_the_steps \
	"$top"/common/*.[ch]
t "the steps run no program but the command" runs_only_the_command \
	"$top"/step*/container.c
t "the layout of the project" has_no_other_entry
done_testing
