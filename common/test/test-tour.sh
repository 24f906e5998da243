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

# A star marks what a step changes. The output is that of the test before.
measures_the_table() {
	out=$(cat "$scratch/1/out")
	contains "$out" "processes it sees      all    none*  all*   all    own*   own    own    own"
	contains "$out" "root can climb out     -      yes    yes    yes    yes    no*    no     no"
	contains "$out" "mounts on the host     -      0      1*     0*     0      0      0      0"
	contains "$out" "reaches a sibling      -      yes    yes    no*    no     no     no     yes*"
	contains "$out" "image keeps writes     -      yes    yes    yes    yes    no*    no     no"
}

# walk STEP - it succeeds, and explains each command. The devices and the links
# of /dev are explained once, and so are the parts of a batch for nft.
walk() {
	run "$top/common/tools/tour" rootfs/tiny-linux "$1"
	is "$status" 0
	is "$err" ""
	contains "$out" "The host is as it was before."
	is "$(awk '
		/^(host|container) *\+ (touch|mount --bind|ln -s|mkdir -p|test) / { next }
		/^(host|container) *\+ / { if (line) print line; line = $0; next }
		{ line = "" }' "$T/out")" "" "not explained"
}

walks_through_each_step() {
	for step in 01 02 03 04 05; do
		walk $step
	done
}

# What the step before has is left out.
ends_with_a_packet() {
	walk 06
	contains "$out" "(commands of the step before: "
	lacks "$out" "pivot_root"
	contains "$out" "
reply from 10.200.0.1"
	contains "$out" "
reply from 10.200.0.2"
	walk 07
	contains "$out" "
reply from 10.200.0.3"
	contains "$out" "# reach fetch 198.51.100.1 80
203.0.113.2"
	contains "$(sed -n '/--- The container/,/exits/p' "$T/out")" "
cbr0-2@"
	lacks "$(sed -n '/afterwards/,$p' "$T/out")" "cbr0"
}

# In a terminal, it waits, and says for what.
waits_for_enter() {
	on_terminal "$top/common/tools/tour" rootfs/tiny-linux 01 <<-'END'
		expect Enter
		send \r
		expect *Go to the new root*
		expect Enter
		send \r
		expect *--- The container*
		expect Enter
		send \r
		expect *as it was before*
		wait 0
	END
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
t "its table is measured, and marks the changes" measures_the_table
t "it walks through each step" walks_through_each_step
t "it shows the new commands, and ends with a packet" ends_with_a_packet
t "in a terminal, it waits for Enter" waits_for_enter
t "it runs what it prints" runs_what_it_prints
t "it fails if a step fails" fails_with_a_step
t "it refuses a directory that is not a root filesystem" refuses_other_directories
done_testing
