#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-exercise - make exercises, exercise, check, solution and reset, in a tree
# with git and in one without. common/test/exercises tests the exercises.
. "$(dirname "$0")/lib.sh"

step=step03-unshare
theirs=$step/exercises/5-leaked-directory/solution.patch

# make_tree - in $T/tree, without git, and go there
make_tree() {
	mkdir "$T/tree"
	tar -C "$top" --exclude .build/asan --exclude .build/yours --exclude \
		'.build/exercises.*' -cf - Makefile common step[0-9]* .build \
		rootfs/tiny-linux | tar -C "$T/tree" -xf -
	rm -rf "$T/tree/.build/original"
	cd "$T/tree"
	make -s .build/original
}

# run_make ARG... - without the output of the compiler
run_make() { run make -s --no-print-directory CFLAGS=-O0 "$@"; }

# Solutions are patches.
needs_patch() {
	command -v patch >/dev/null || command -v git >/dev/null ||
		skip "needs patch or git"
}

lists_what_is_solved() {
	needs_patch
	make_tree
	run_make exercises
	is "$(echo "$out" | grep -c '^[EMH], [0-9]* min [1-7]\.[1-9] ')" \
		"$(ls -d step*/exercises/* | wc -l)" "exercises"
	lacks "$out" solved "in an untouched tree"
	run_make solution EX=3.5 APPLY=1
	run_make exercises
	is "$(echo "$out" | grep -c solved)" 1 "exercises with a state"
	contains "$(echo "$out" | grep solved)" " 3.5 "
}

shows_a_task() {
	run_make exercise EX=3.5
	contains "$out" "# 3.5 "
	contains "$out" "## Task"
	lacks "$out" "Hint 1" "hints"
	run_make exercise EX=3.5 HINT=2
	contains "$out" close_range
	lacks "$out" "Hint 1"
	run_make exercise EX=3.5 HINT=3
	contains "$err" HINT=2
	for wrong in '' 3 3.9 9.1 '*' 'x;y'; do
		run common/tools/exercise show "$wrong"
		one_line_error 2 "make exercises"
	done
}

says_what_is_wrong() {
	make_tree
	cp -R $step step03-copy
	run_make check EX=3.5
	# No error of make follows the verdict.
	is "$status:$err:$(echo "$out" | tail -n 1)" "0::not solved"
	contains "$out" "no    no directory of the host is open inside
      file 9 of the host, read inside: got 'secret'"
	contains "$out" "      after: container "
	contains "$out" "      hint: which system call"
	sed -i 's/parse_options(argc, argv);/parse_options(argc argv);/' \
		$step/container.c
	run_make check EX=3.5
	is "$(echo "$out" | tail -n 2)" "$step/container.c does not compile
not solved"
	run common/tools/exercise check 3.5 step03-copy
	is "$status" 1
	contains "$out" "got 'secret'"
	run_make reset STEP=3
	contains "$out" "$step/container.c is restored"
	run_make run STEP=04 CMD='echo works'
	is "$out" works "another step"
	rm $step/container.c
	run_make check EX=3.5
	contains "$out" "$step/container.c does not exist"
}

# hangs STATEMENT - so does the container
hangs() {
	sed -i "s/^\tparse_options(argc, argv);/&\n\tfor (;;)\n\t\t$1;/" \
		$step/container.c
}

# The shell that runs the test would wait forever, too.
ends_what_hangs() {
	make_tree
	cp $step/container.c "$T/original"
	hangs 'pause()'
	PATIENCE=2 run_make check EX=3.5
	contains "$out" "no    stdin, stdout and stderr are open inside
      killed: nothing has happened for 2 seconds
      if this machine is slow: make check EX=3.5 PATIENCE=10
not solved"
	cp "$T/original" $step/container.c
	hangs 'alarm(1)'
	PATIENCE=1 run_make check EX=3.5
	contains "$out" "killed: a process has used 2 seconds of CPU time"
}

# It takes longer than it may wait, and cannot write a file of 100 MB.
goes_on_while_it_works() {
	needs_patch
	make_tree
	make -s solution EX=3.5 APPLY=1
	cat >$step/exercises/5-leaked-directory/check.sh <<-'CHECK'
	. "$(dirname "$0")/../../../common/test/lib.sh"
	works() {
		is "$(dd if=/dev/zero bs=1M count=100 2>"$T/err" >"$T/out" ||
			echo refused)" refused
		timeout 1.2 sh -c 'while :; do :; done' || :
	}
	hint='none'
	t one works
	t two works
	done_testing
	CHECK
	PATIENCE=1 run_make check EX=3.5
	contains "$out" "ok    two
solved"
}

leaves_nothing_after_ctrl_c() {
	make_tree
	hangs 'execlp("sleep", "sleep", "4711", (char *)NULL)'
	{
		eventually sleeper
		echo 'send \003'
		# As long as the terminal is open: its end would kill them, too.
		eventually nothing_left
		printf '%s\n' 'send \r' 'wait 0'
	} | on_terminal sh -c 'trap : INT
		make -s check EX=3.5 PATIENCE=100
		read -r line'
}

nothing_left() {
	! grep -qs tools/exercise /proc/[0-9]*/cmdline
}

says_what_it_lacks() {
	make_tree
	CC=no-such-compiler run common/tools/exercise check 3.5
	is "$status:$(echo "$out" | tail -n 2)" \
		"77:no-such-compiler: command not found: install gcc
not run"
	printf 'echo "sandbox: refused" >&2\nexit 125\n' >common/tools/sandbox
	run common/tools/exercise check 3.5
	is "$status:$(echo "$out" | tail -n 2)" "77:sandbox: refused
not run"
}

# work_is_kept GIT - GIT is "" in a tree without it
work_is_kept() {
	needs_patch
	make_tree
	[ -z "$1" ] || {
		command -v git >/dev/null || skip "needs git"
		rm -rf .build/original
		git init -q
		git add Makefile common step*
		git -c user.name=x -c user.email=x@x commit -qm x
	}
	cp $step/container.c "$T/original"
	run_make reset STEP=3
	contains "$out" "nothing to restore"
	run_make solution EX=3.5
	is "$out" "$(cat $theirs)"
	for number in 1 2 3; do
		echo "/* $number */" >>$step/container.c
		cp $step/container.c "$T/mine"
		[ -z "$1" ] || git -c user.name=x -c user.email=x@x commit -qam mine
		if [ $number = 2 ]; then
			run_make solution EX=3.5 APPLY=1
			contains "$(cat $step/container.c)" close_range
		fi
		run_make reset STEP=3
		contains "$out" ".build/yours/"
		run cmp $step/container.c "$T/original"
		is "$status" 0 "$out"
		cat .build/yours/*/* >"$T/yours"
		contains "$(cat "$T/yours")" "/* $number */"
	done
	run_make solution EX=3.5 APPLY=1
	run_make check EX=3.5
	is "$status:$(echo "$out" | tail -n 1)" 0:solved
	run_make reset STEP=9
	one_line_error 2 "STEP=04"
	run_make clean
	run_make reset STEP=step03-unshare
	run cmp $step/container.c "$T/original"
	is "$status" 0 "$out"
}

cd "$top"
t "make exercises marks the solved ones" lists_what_is_solved
t "make exercise shows a task, and hints one by one" shows_a_task
t "make check says what is wrong" says_what_is_wrong
t "make check kills a program that hangs" ends_what_hangs
t "make check goes on while it works" goes_on_while_it_works
t "Ctrl-C ends make check, and leaves no process" leaves_nothing_after_ctrl_c
t "a machine that cannot check is told why" says_what_it_lacks
t "a participant's work is never lost, with git" work_is_kept git
t "or without" work_is_kept ''
done_testing
