#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-tour - the demonstration shows every step, and fails if a step fails
. "$(dirname "$0")/lib.sh"

shows_every_step() {
	run "$top/common/tools/tour" rootfs/tiny-linux
	is "$status" 0
	is "$err" ""
	for step in $steps; do
		contains "$out" "--- $step"
		contains "$out" "# $step/container "
	done
	is "$(grep -c '.\{81\}' "$T/out")" 0 "lines of more than 80 columns"
}

# A star marks what a step changes.
measures_the_table() {
	run "$top/common/tools/tour" rootfs/tiny-linux
	contains "$out" "processes it sees      all    none*  all*   all    own*   own    own    own"
	contains "$out" "root can climb out     -      yes    yes    yes    yes    no*    no     no"
	contains "$out" "its mounts on the host -      0      1*     0*     0      0      0      0"
	contains "$out" "reaches a sibling      -      yes    yes    no*    no     no     no     yes*"
	contains "$out" "writes to the image    -      kept   kept   kept   kept   gone*  gone   gone"
}

goes_slowly_through_a_step() {
	run "$top/common/tools/tour" rootfs/tiny-linux 06
	is "$status" 0
	contains "$out" "veth-host"
	contains "$err" "host      + ip link add veth-host"
	lacks "$(sed -n '/afterwards/,$p' "$T/out")" "veth-host"
	run "$top/common/tools/tour" rootfs/tiny-linux 07
	contains "$(sed -n '/while/,/afterwards/p' "$T/out")" "
cbr0-2@"
}

# A tree in which each step prints its arguments, and only step 05 refuses escape.
make_tree() {
	mkdir -p "$T/tree/common/tools"
	cp "$top/common/tools/tour" "$T/tree/common/tools/"
	for step in $steps; do
		mkdir "$T/tree/$step"
		cat >"$T/tree/$step/container" <<-'SCRIPT'
			#!/bin/sh
			echo "ran $0 $*"
			printf '\n\n\n\n'
			case $0-$* in step05-*escape*) exit 1 ;; esac
		SCRIPT
		chmod +x "$T/tree/$step/container"
	done
}

runs_what_it_prints() {
	make_tree
	run "$T/tree/common/tools/tour" "$rootfs"
	is "$status" 0
	word=$(sed -n 's/^# step07.*container \(.*\) reach.*/\1/p' "$T/out")
	command="step07-bridge-nat/container $word reach ping 198.51.100.1"
	contains "$out" "# $command
ran step07-bridge-nat/container $rootfs reach ping 198.51.100.1"
}

fails_with_a_step() {
	make_tree
	echo 'exit 125' >"$T/tree/step05-overlay/container"
	run "$T/tree/common/tools/tour" "$rootfs"
	is "$status" 1
	contains "$err" "step05-overlay/container"
	# escape has to fail in step 05.
	echo 'exit 0' >"$T/tree/step05-overlay/container"
	run "$T/tree/common/tools/tour" "$rootfs"
	is "$status" 1
	contains "$err" escape
}

refuses_other_directories() {
	run "$top/common/tools/tour" "$T"
	one_line_error 1 "$T" make
	run "$top/common/tools/tour" --bogus
	one_line_error 1 --bogus --help
}

t "it shows every step at work" shows_every_step
t "its table is measured, and marks what changes" measures_the_table
t "it goes slowly through one step" goes_slowly_through_a_step
t "it runs what it prints" runs_what_it_prints
t "it fails if a step fails" fails_with_a_step
t "it refuses a directory that is no root filesystem" refuses_other_directories
done_testing
