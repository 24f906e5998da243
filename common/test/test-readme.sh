#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-readme - the READMEs are true: their commands have the output that they
# show, their C is in the source, and what they name, count and link to exists
. "$(dirname "$0")/lib.sh"

# ---- Console blocks ----

# type_all KIND - type the console blocks of all READMEs, at the same time. KIND
# says what the root filesystem is made of.
type_all() {
	copy=$scratch/$1
	mkdir "$copy"
	tar -C "$top" --exclude .build/asan -cf - README.md Makefile LICENSE \
		common step[0-9]* .build rootfs/tiny-linux | tar -C "$copy" -xf -
	BUSYBOX=
	if [ "$1" = own-tools ]; then
		BUSYBOX=none "$copy/common/tools/rootfs" --force >"$copy.rootfs"
		BUSYBOX=none
	fi
	for readme in $readmes; do
		type_one "$readme" "$copy-${readme%%-*}" &
	done
	wait
	rm -rf "$copy"
}

# type_one README DIR - some of the READMEs build, or write to ROOTFS: each is
# typed in a copy of the checkout, and in a sandbox of its own. A niced process
# looks different in ps, and is late. The second time, the steps are built.
type_one() {
	cp -a "$copy" "$2"
	case $1$kinds in
	step*" $kind") PATH=$scratch/bin:$PATH ;;
	esac
	(cd "$2" && HOME=/root BUSYBOX=$BUSYBOX nice -n 19 \
		common/tools/sandbox .build/probes/readme "$1") >"$2.log" 2>&1 ||
		echo "exit status $?" >>"$2.log"
	rm -rf "$2"
}

# shows_its_output README KIND
shows_its_output() {
	log=$scratch/$2-${1%%-*}.log
	contains "$(cat "$log")" "ok 1 - "
	is "$(grep -v -e '^ok ' -e '^# .* is not run: ' "$log")" ""
	# Nobody would notice a block that is never run.
	[ "$2${CI-}" != busyboxtrue ] ||
		lacks "$(cat "$log")" "is missing"
}

cd "$top"
readmes=$(echo README.md step[0-9]*/README.md)
# With the root filesystem that the reader has, and in CI with both kinds
kinds="busybox own-tools"
[ "${CI-}" = true ] || kinds=busybox
[ -e "$rootfs/bin/busybox" ] || kinds=own-tools
# The blocks run the programs that make builds, not those of BIN.
[ "$bin" = "$top" ] || kinds=
command -v bash >/dev/null || {
	kinds= && t "the READMEs' commands" skip "there is no bash"
}

mkdir "$scratch/bin"
printf '#!/bin/sh\n' >"$scratch/bin/cc"
chmod +x "$scratch/bin/cc"
for kind in $kinds; do
	type_all $kind
	for readme in $readmes; do
		t "$readme: its commands print what it shows ($kind)" \
			shows_its_output "$readme" $kind
	done
done
done_testing
