#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-lib - the test library, the runner and pty: no mistake may pass
#
# shellcheck disable=SC2016 # the inner script expands what is in ''
. "$(dirname "$0")/lib.sh"

# inner SCRIPT - run SCRIPT as a test script, in a new sandbox
inner() {
	run env CI= "$top/common/tools/sandbox" sh -c '. "${0%/*}/lib.sh"
		grace=10
		'"$1" "$top/common/test/inner.sh"
}

# Each line has the result of a test and what the test does.
has_results() {
	while read -r result test; do
		echo "t '$result $test' eval '$test'"
	done >"$T/tests" <<-'END'
		ok is "" ""
		not is a b
		ok isnt a b
		not isnt a a
		ok contains "a*b c" "*b"
		not contains abc "*"
		ok lacks abc "*"
		not lacks abc b
		ok run sh -c "echo 1; echo 2 >&2; exit 3"; is "$status$out$err" 312
		ok run sh -c "echo no way >&2; exit 9"; one_line_error 9 no way
		not run sh -c "echo no way >&2; exit 9"; one_line_error 9 no wax
		not run sh -c "echo no way >&2; exit 8"; one_line_error 9 no way
		not run sh -c "echo x; echo no >&2; exit 9"; one_line_error 9 no
		not run sh -c "echo no >&2; echo >&2; exit 9"; one_line_error 9 no
		not (is 1 2) || :
		not echo | while read -r x; do is 1 2; done || :
		not if is 1 2; then :; fi; rm -f "$T.failed"
		not is 1 1; false; is 1 1
		not :
		not run false
		not skip
		ok start sh -c "sleep 0.1; : >$T/file"; eventually [ -e $T/file ]
		not patience=0; eventually false
		ok start sh -c "trap \"\" TERM; exec sleep 4711"; is 1 1
		not start sleep 4711; is 1 2
		ok start sleep 4711; kill -INT $pid; ends_with 130
		not start sleep 4711; kill -INT $pid; ends_with 0
		ok start sleep 4711; eventually sleeper; is $inside $pid
		ok start sleep 4711; is $(ns_of $pid net) $(ns_of self net)
		ok start unshare -f sleep 4711; eventually sleeper; is_parent
		ok setsid sleep 0.05 & is 1 1
	END
	inner 'is_parent() {
			is "$(children_of "$pid")" "$inside"
			kill "$inside"
		}
		'"$(cat "$T/tests"); done_testing"
	right='^(ok [0-9]+ - ok|not ok [0-9]+ - not) '
	# Without is(), which this test is about.
	[ "$(grep -cE "$right" "$T/out")" -eq "$(wc -l <"$T/tests")" ] ||
		fail "a wrong result"
	is "$status" 1
}

shows_why() {
	inner 'fails() {
			run sh -c "echo >&2; printf \"\033[6n\"; exit 3"
			is 1 2 where
		}
		t "the name" fails; done_testing'
	is "$(grep -v '^# after: ' "$T/out")" "not ok 1 - the name
# where: got '1', expected '2'
# status: 3
# stdout: ?[6n
# stderr: 
1..1
0 passed, 1 failed"
}

skips() {
	inner 't name skip "no reason"; done_testing'
	is "$status/$out" "0/ok 1 - name # SKIP no reason
1..1
0 passed, 0 failed, 1 skipped"
	inner 'CI=true; t name skip "no reason"; done_testing'
	contains "$status/$out" "1/not ok 1 - name"
}

# Each line has what a test does and the difference that is then reported.
finds_changes() {
	cat >"$T/changes" <<-'END'
		mount -t tmpfs tmpfs /mnt           | > mount 0:
		umount /sys                         | < mount 0:
		ip link set eth0 alias changed      | > link 0* 20=changed
		ip addr add 192.0.2.1/32 dev lo     | > address 0* 1=c0000201
		ip route add blackhole 192.0.2.0/24 | > route 0* 1=c0000200
		ip rule add to 192.0.2.0/24         | > rule 0* 1=c0000200
		: >/run/file                        | > /run/file
		: >/dev/shm/file-of-test-lib        | > /dev/shm/file
		chmod 700 /run                      | > /run mode 40700
		hostname new                        | > hostname new
		echo 9 >/proc/sys/net/ipv4/ip_default_ttl | > */ip_default_ttl 9
		setsid sleep 4711 &                 | > process
		ipcmk --queue                       | > ipc msg
	END
	! command -v nft || cat >>"$T/changes" <<-'END'
		nft add table ip new                | > nft table 02 1=new
		nft add chain ip new one            | > nft chain 02 1=new 3=one
		nft add rule ip new one counter drop | > nft rule * counter
	END
	inner "change() { is 1 1; $(sed 's/ *|.*//' "$T/changes")
		}
		t change change
		rm -f /dev/shm/file-of-test-lib
		t 'not blamed for it' is 1 1
		done_testing"
	sed 's/.*| //' "$T/changes" | while read -r fact; do
		grep -q "^# $(echo "$fact" | sed 's/\*/.*/g')" "$T/out" ||
			fail "not found: $fact"
	done
	contains "$out" "ok 2 - not blamed for it
1..2
1 passed, 1 failed"
}

# As systemd does with /run/user/1000 of the machine, which the sandbox covers.
# As if a container of Docker exits
ignores_the_machines_mounts() {
	mount -t tmpfs tmpfs /mnt
	mkfifo /mnt/begun /mnt/gone
	mkdir /mnt/disk
	mount -t tmpfs tmpfs /mnt/disk
	{ : </mnt/begun && umount /mnt/disk && rmdir /mnt/disk &&
		: >/mnt/gone; } &
	inner "t unmount eval 'is 1 1; : >/mnt/begun; : </mnt/gone'
		done_testing"
	umount /mnt
	is "$status" 0
}

exits_early() {
	inner "t name is 1 1; $1"
	is "$status" 1
	contains "$out" "ok 1 - name
Bail out!"
}

# finds SCRIPT BIN CONTAINER - the program that SCRIPT of the project tests
finds() {
	run env BIN="$2" sh -c '. "$1/common/test/lib.sh"; trap - EXIT
		echo "$top <${container-}>"' "$top/$1" "$top"
	is "$out" "$top <$3>"
}

finds_container() {
	finds common/test/x.sh '' ''
	for bin in "$top" /elsewhere; do
		finds step04-pidns/test.sh "$bin" "$bin/step04-pidns/container"
	done
	finds step04-pidns/test.sh build "$top/build/step04-pidns/container"
}

types_on_terminal() {
	on_terminal sh -c 'printf "\033[6n/one: "; read -r x; echo "got one"
		exec sleep 60' <<-'END'
		expect /one:
		send one\r
		expect got o?e
		send \003
		wait 130
	END
	is "$(cat "$T/terminal")" "/one: one
got one
^C"
	while read -r line; do
		echo "$line" >"$T/script"
		run "$probes/pty" printf 'one two\n' <"$T/script"
		is "$status" 1 "$line"
	done <<-'END'
		expect three
		wait 1
		exit
	END
}

# ---- The runner ----

# runner JOBS PATIENCE SCRIPT...
runner() {
	cd "$T"
	jobs=$1 patience=$2
	shift 2
	# busybox's env would start its own sh.
	CI='' JOBS=$jobs PATIENCE=$patience run sh "$top/common/test/run" "$@"
}

names_failures() {
	printf 'echo "%s"\n' 'ok 1 - one' 'ok 2 - two # SKIP reason' \
		'1 passed, 0 failed, 1 skipped' >"$T/a"
	printf 'echo "%s"\n' 'not ok 1 - one' 'ok 2 - two' '1 passed, 1 failed' \
		>"$T/b"
	echo 'exit 1' >>"$T/b"
	printf 'echo "ok 1 - one \033[6n"; kill -KILL $$' >"$T/killed"
	echo 'echo 1 passed, 0 failed; exit 3' >"$T/exits"
	: >"$T/empty"
	runner 1 20 a
	is "$status/$out" "0/# a
ok 1 - one
ok 2 - two # SKIP reason
1 passed, 0 failed, 1 skipped
1 passed, 0 failed, 1 skipped"
	runner 1 20 a b killed exits empty
	is "$status" 1
	is "$(tail -n 5 "$T/out")" "failed: b: 1 - one
failed: killed: - the script exited with status 137
failed: exits: - the script exited with status 3
failed: empty: - the script exited with status 0
3 passed, 4 failed, 1 skipped"
	lacks "$out" "$(printf '\033')"
}

runs_jobs() {
	mkfifo "$T/fifo"
	echo 'cat fifo' >"$T/reader"
	echo 'echo 1 passed, 0 failed | tee fifo' >"$T/writer"
	runner 2 20 reader writer
	is "$status" 0
	runner 1 1 reader
	contains "$out" "exited with status 143"
	contains "$out" "no test ended in 1 s"
}

kills_scripts() {
	mkfifo "$T/fifo"
	echo 'echo >fifo; sleep 4711' >"$T/slow"
	cd "$T"
	start sh "$top/common/test/run" slow
	read -r _ <"$T/fifo"
	kill -INT "$pid"
	ends_with 1
}

# The path is hard to quote, and the environment confuses shells and tools.
runs_anywhere() {
	copy="$T/it's \"one\" = a \$clone"
	mkdir -p "$copy/.build" "$copy/common"
	cp -r "$top/common/test" "$top/common/tools" "$copy/common"
	cp -r "$top/.build/probes" "$top/.build/tools" "$copy/.build"
	cat >"$copy/common/test/test-x.sh" <<-'END'
		. "$(dirname "$0")/lib.sh"
		t environment lacks "$(env)" odd
		typing() {
			printf '%s\n' 'expect ready#' 'send exit 3\r' 'wait 3' |
				on_terminal env PS1='ready# ' sh -i
		}
		t typing typing
		done_testing
	END
	cd "$copy"
	run env -u HOME -u CLEAN_ENV PS1='\w odd' TMPDIR=/odd CDPATH=/:/odd ENV=/odd \
		BASH_ENV=/odd LANG=odd LD_PRELOAD=libm.so.6 GREP_OPTIONS=-odd \
		setsid common/test/run common/test/test-x.sh
	is "$status" 0
}

needs_room() {
	mkdir "$T/full"
	run unshare --mount sh -c 'mount -t tmpfs -o size=16k t "$1"
		TMPDIR=$1 exec sh "$0"' "$top/common/test/run" "$T/full"
	one_line_error 1 "there is no room for the logs in $T/full"
}

t "each assertion passes, or fails as it should" has_results
t "a failed test shows why, and no control characters" shows_why
t "a skipped test passes, but fails with CI=true" skips
t "each change of the machine fails the test that made it" finds_changes
t "a mount that the machine removes fails no test" ignores_the_machines_mounts
t "a script that exits early fails" exits_early 'exit 0'
t "a script without done_testing fails" exits_early ''
t "a script finds the program that it tests" finds_container
t "pty types, and waits for whole lines" types_on_terminal
t "the runner adds up, and names what failed" names_failures
t "the runner runs JOBS scripts at a time, for PATIENCE seconds" runs_jobs
t "the runner's scripts do not outlive it" kills_scripts
t "the runner says when there is no room for its logs" needs_room
t "the suite runs in any directory and environment" runs_anywhere
done_testing
