#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-tour - the demonstration: what it prints is what happens
. "$(dirname "$0")/lib.sh"

cd "$top"

# The commands that the last run printed.
commands() {
	sed -n 's/^# //p' "$T/out"
}

shows_every_step() {
	run common/tools/tour rootfs/tiny-linux
	is "$status" 0
	is "$err" ""
	for step in step[0-9][0-9]-*/; do
		[ -e "$step/container.c" ] || continue
		contains "$out" "--- ${step%/}"
		contains "$(commands)" "${step}container "
	done
	# A warning of step 07 tells of this machine, in one line however long.
	is "$(grep -v '^container\[' "$T/out" | grep -c '.\{80\}' || :)" 0 \
		"lines of 80 columns or more"
}

# Its output is that of the commands in it, as a reader gets it.
shows_what_it_runs() {
	run common/tools/tour rootfs/tiny-linux
	commands >"$T/commands"
	sed -n '/^# /,/^$/ { s/^processes: .*/processes: N/p; t; /^$/!p; }' \
		"$T/out" >"$T/shown"
	while read -r command; do
		echo "# $command"
		sh -c "$command" 2>&1 </dev/null |
			sed 's/^processes: .*/processes: N/'
	done <"$T/commands" >"$T/typed"
	isnt "$(wc -l <"$T/commands")" 0 "number of commands"
	is "$(cat "$T/shown")" "$(cat "$T/typed")"
}

fails_with_a_step() {
	mkdir -p "$T/tree/common/tools" "$T/tree/step01-a" "$T/tree/step05-b"
	cp common/tools/tour "$T/tree/common/tools/"
	program=$T/tree/step01-a/container
	printf '#!/bin/sh\necho works\n' >"$program"
	chmod +x "$program"
	run "$T/tree/common/tools/tour" "$rootfs"
	is "$status" 0
	contains "$out" works

	printf '#!/bin/sh\nexit 125\n' >"$program"
	run "$T/tree/common/tools/tour" "$rootfs"
	is "$status" 1
	contains "$err" "step01-a/container"

	# escape has to fail, as itself and no other way.
	mv "$program" "$T/tree/step05-b/"
	for code in 0 125; do
		echo "case \$* in *escape*) exit $code; esac" \
			>"$T/tree/step05-b/container"
		run "$T/tree/common/tools/tour" "$rootfs"
		is "$status" 1 "after escape's status $code"
		contains "$err" escape
	done
}

refuses_what_is_no_rootfs() {
	run common/tools/tour "$T"
	one_line_error 1 "$T" make
	run common/tools/tour --bogus
	one_line_error 1 --bogus --help
	run common/tools/tour --help
	is "$status" 0
	contains "$out" Usage:
}

t "it shows every step at work" shows_every_step
t "what it shows is what its commands print" shows_what_it_runs
t "it fails if a step does" fails_with_a_step
t "it refuses what is no root filesystem" refuses_what_is_no_rootfs
done_testing
