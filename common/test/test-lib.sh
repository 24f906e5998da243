#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-lib - the test library and the runner: what is wrong must not pass
#
# shellcheck disable=SC2016 # the inner script expands what is in ''
. "$(dirname "$0")/lib.sh"

# inner SCRIPT - runs SCRIPT as a test script, in a sandbox of its own
inner() {
	run "$top/common/tools/sandbox" sh -c ". '$top/common/test/lib.sh'
		CI=
		$1
		done_testing" "$top/common/test/inner.sh"
}

# passes CMD... and fails_with PART CMD... - the outcome of a test that is CMD
passes() {
	inner "it() { $*; }; t 'a name' it"
	is "$out" "ok 1 - a name
1..1
1 passed, 0 failed"
	is "$status" 0
}

fails_with() {
	part=$1
	shift
	inner "grace=4; it() { $*; }; t 'a name' it"
	contains "$out" "not ok 1 - a name"
	contains "$out" "# $part"
	contains "$out" "1..1
0 passed, 1 failed"
	is "$status" 1
}

is_compares() {
	passes is a a
	passes is "'' ''"
	fails_with "got 'a', want 'b'" is a b
	fails_with "where: got '', want '*'" is "'' '*' where"
	passes isnt a b
	fails_with "where: got 'a', want anything else" isnt a a where
	passes contains "'a*b c' '*b'"
	fails_with "where: got 'abc', want '*' in it" contains "abc '*' where"
	passes lacks "abc '*'"
	fails_with "where: got 'abc', want no 'b' in it" lacks abc b where
}

run_keeps() {
	passes 'run sh -c "echo one; echo two >&2; exit 3"
		is "$status/$out/$err" 3/one/two
		is "$(cat "$T/out")" one
		run true
		is "$status$out$err" 0'
	# and a failing assertion shows it
	fails_with 'status: 3
# stdout: one
# stderr: two' 'run sh -c "echo one; echo two >&2; exit 3"; is 1 2'
}

judges_errors() {
	passes 'run sh -c "echo tool: no way >&2; exit 9"
		one_line_error 9 tool way'
	for tool in 'exit 9' 'echo way >&2; exit 8' 'echo wy >&2; exit 9' \
		'echo x; echo way >&2; exit 9' \
		'echo way >&2; echo way >&2; exit 9'; do
		fails_with '' "run sh -c '$tool'; one_line_error 9 way"
	done
}

ends_at_a_failure() {
	# an assertion's, wherever it stands
	fails_with got 'is 1 2; rm -f "$T.failed"; echo went on'
	lacks "$out" "went on"
	fails_with got '(is 1 2) || :'
	fails_with got 'echo x | while read -r x; do is 1 2; done || :'
	fails_with got 'if is 1 2; then :; fi'
	# a command's, where set -e counts it
	fails_with "a command of the test failed with status 1" \
		'is 1 1; false; is 2 2'
}

demands_an_assertion() {
	fails_with "the test asserts nothing" :
	fails_with "the test asserts nothing" 'run false'
}

eventually_waits() {
	passes 'start sh -c "sleep 0.3; : >$T/file"; eventually [ -e "$T/file" ]'
	fails_with 'not within 1 seconds: false' 'patience=1; eventually false'
}

ends_what_was_started() {
	passes 'start sleep 4711; kill -0 "$pid"; is 1 1'
	passes 'start echo word; wait "$pid"; is "$(cat "$T/start.out")" word'
	passes 'start sh -c "trap : TERM; while :; do sleep 1; done"; is 1 1'
	fails_with got 'start sleep 4711; is 1 2'
	lacks "$out" changed
	# Signals are as usual, though it runs in the background.
	passes 'start sleep 4711; kill -INT "$pid"; status=0
		wait "$pid" || status=$?; is $status 130'
}

finds_what_is_left() {
	cat >"$T/left" <<-'LEFT'
		> mount 0:       | mount -t tmpfs tmpfs /mnt
		< mount 0:       | umount /sys
		> 3: veth        | ip link add veth-a type veth
		> 2: eth0        | ip link set eth0 alias changed
		> 1: lo    inet  | ip addr add 192.0.2.1/32 dev lo
		> blackhole      | ip route add blackhole 192.0.2.0/24
		< default        | ip route del default
		> 32765:         | ip rule add to 192.0.2.0/24 blackhole
		> run /run/l     | : >/run/litter
		> run /run d     | chmod 700 /run
		> sysctl kernel/ | hostname new
		> process        | setsid sleep 4711 &
		> ipc msg:       | ipcmk --queue
	LEFT
	fails_with "the test has changed the machine (< before, > after):" \
		"is 1 1
		$(sed 's/.*| //' "$T/left")"
	sed 's/ *|.*//' "$T/left" >"$T/facts"
	while read -r fact; do
		contains "$out" "
# $fact"
	done <"$T/facts"
	fails_with "> sysctl net/ipv4/conf/eth0/forwarding:1" \
		'is 1 1; echo 1 >/proc/sys/net/ipv4/conf/eth0/forwarding'
}

finds_rules() {
	command -v nft || skip "there is no nft"
	fails_with "> nft" 'is 1 1; nft add table ip litter'
}

# A module that is loaded brings settings, and is no change that a test made.
passes_over_modules() {
	inner 'settings=/proc/sys/net/netfilter
		mount -t tmpfs tmpfs $settings
		mkdir $settings/nf_log
		load() {
			is 1 1
			for name in nf_conntrack_max nf_flowtable_tcp_timeout \
				nf_hooks_lwtunnel nf_log/2 nf_log_all_netns; do
				echo 1 >$settings/$name
			done
		}
		t load load'
	is "$out" "ok 1 - load
1..1
1 passed, 0 failed"
}

one_leak_is_one_failure() {
	inner 'grace=4; leak() { is 1 1; setsid sleep 4711 & }
		none() { ! grep -qxs sleep /proc/[0-9]*/comm; }
		neat() { eventually none; }
		t first leak
		t second neat'
	contains "$out" "
ok 2 - second
1..2
1 passed, 1 failed"
}

waits_for_the_dying() {
	# What is killed holds on for a while, but not for good.
	passes 'is 1 1; setsid sleep 0.5 & :'
}

skips() {
	inner 'it() { skip "no reason"; }; t "a name" it'
	is "$status" 0
	is "$out" "ok 1 - a name # SKIP no reason
1..1
0 passed, 0 failed, 1 skipped"
	inner 'CI=true; it() { skip "no reason"; }; t "a name" it'
	is "$status" 1
	contains "$out" "not ok 1 - a name"
	contains "$out" "0 passed, 1 failed"
}

dies() {
	run "$top/common/tools/sandbox" sh -c ". '$top/common/test/lib.sh'
		it() { is 1 1; }; t one it
		$1" "$top/common/test/inner.sh"
	is "$status" 1
	contains "$out" "ok 1 - one
Bail out!"
}

knows_processes() {
	start sh -c 'sleep 4711 & exec sleep 4712'
	eventually has_child "$pid"
	child=$(children_of "$pid")
	is "$(tr '\0' ' ' <"/proc/$child/cmdline")" "sleep 4711 "
	is "$(children_of "$child")" ""
	kill "$child"
	is "net:[$(ns_of "$pid" net)]" "$(readlink /proc/self/ns/net)"
}

has_child() {
	[ -n "$(children_of "$1")" ]
}

# finds BIN SCRIPT STEP CONTAINER
finds() {
	run env BIN="$1" "$top/common/tools/sandbox" sh -c ". '$top/common/test/lib.sh'
		trap - EXIT
		echo \"\$top \$rootfs <\$step_dir> <\$container>\"" "$top/$2"
	is "$out" "$top $top/rootfs/tiny-linux <$3> <$4>"
}

finds_its_place() {
	finds '' common/test/x.sh '' ''
	finds '' step04-pidns/test.sh \
		"$top/step04-pidns" "$top/step04-pidns/container"
	finds .build/asan step04-pidns/test.sh \
		"$top/step04-pidns" "$top/.build/asan/step04-pidns/container"
	finds /elsewhere step04-pidns/test.sh \
		"$top/step04-pidns" /elsewhere/step04-pidns/container
}

# ---- The runner ----

# test_script NAME - from standard input
test_script() {
	{ echo "echo ok 1 - $1" && cat; } >"$T/$1"
}

runner() {
	cd "$T"
	run env CI= "$top/common/test/run" "$@"
}

adds_up() {
	test_script ./one <<-'END'
		echo "ok 2 - skipped # SKIP why"
		echo 1..2
		echo "1 passed, 0 failed, 1 skipped"
	END
	test_script ./two <<-'END'
		echo "not ok 2 - this"
		echo 1..2
		echo "1 passed, 1 failed"
		exit 1
	END
	runner ./one
	is "$status" 0
	is "$out" "# ./one
ok 1 - ./one
ok 2 - skipped # SKIP why
1..2
1 passed, 0 failed, 1 skipped
1 passed, 0 failed, 1 skipped"
	runner ./one ./two ./one
	is "$status" 1
	is "$(tail -n 1 "$T/out")" "3 passed, 1 failed, 2 skipped"
}

# Each has something to say before and after the next one's.
keeps_apart() {
	for name in a b c d e; do
		test_script ./$name <<-END
			sleep 0.2
			echo ok 2 - ./$name
			echo 1..2
			echo "2 passed, 0 failed"
		END
		printf '# ./%s\nok 1 - ./%s\nok 2 - ./%s\n' $name $name $name
	done >"$T/want"
	export JOBS=3
	runner ./a ./b ./c ./d ./e
	is "$(grep './' "$T/out" | paste - - - | sort | tr '\t' '\n')" \
		"$(cat "$T/want")"
	is "$(tail -n 1 "$T/out")" "10 passed, 0 failed"
}

# Two that wait for each other, and two that must not meet.
runs_several() {
	mkfifo "$T/meeting"
	for name in reader writer; do
		way='<'
		[ $name = reader ] || way='>'
		test_script ./$name <<-END
			: ${way}meeting
			echo 1..1
			echo "1 passed, 0 failed"
		END
	done
	export JOBS=2 PATIENCE=20
	runner ./reader ./writer
	is "$status" 0
	for name in a b; do
		test_script ./$name <<-END
			mkdir up && sleep 0.2 && rmdir up || exit
			echo 1..1
			echo "1 passed, 0 failed"
		END
	done
	export JOBS=1
	runner ./a ./b
	is "$status" 0
}

counts_the_dead() {
	echo 'echo ok 1 - x; kill -KILL $$' | test_script ./killed
	echo 'echo 1..1; echo "1 passed, 0 failed"; echo more' |
		test_script ./chatty
	echo 'echo 1..2; echo "2 passed, 0 failed"' | test_script ./boastful
	: >"$T/empty"
	for script in killed chatty boastful empty; do
		runner ./$script
		is "$status" 1 $script
		contains "$out" "not ok - ./$script ended too early" $script
		contains "$(tail -n 1 "$T/out")" " 1 failed" $script
	done
}

ends_with_its_scripts() {
	test_script ./slow <<-'END'
		: >up
		sleep 4711
	END
	cd "$T"
	start env CI= "$top/common/test/run" ./slow
	eventually [ -e up ]
	kill -INT "$pid"
	got=0
	wait "$pid" || got=$?
	is "$got" 1 "exit status"
}

t "is, isnt, contains, lacks" is_compares
t "run keeps status and output, and a failure shows them" run_keeps
t "one_line_error" judges_errors
t "a failure ends the test and fails it" ends_at_a_failure
t "a test that asserts nothing fails" demands_an_assertion
t "eventually waits, but not for ever" eventually_waits
t "what was started ends with the test" ends_what_was_started
t "what is left on the machine fails the test and is shown" finds_what_is_left
t "a rule, too" finds_rules
t "but not the settings of a module" passes_over_modules
t "the test after one that left a process is not to blame" \
	one_leak_is_one_failure
t "the dying are waited for" waits_for_the_dying
t "skip; with CI=true it fails" skips
t "a script that ends early says so" dies 'exit 0'
t "a script that falls off its end says so" dies ''
t "a script in which a command fails says so" dies 'false; done_testing'
t "ns_of, children_of" knows_processes
t "a script knows its place" finds_its_place
t "the runner adds up" adds_up
t "the runner keeps the scripts' output apart" keeps_apart
t "the runner runs several at once" runs_several
t "the runner counts a script that dies" counts_the_dead
t "the runner's end is the scripts' end" ends_with_its_scripts
done_testing
