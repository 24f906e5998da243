#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-readme - the READMEs are true: their commands give their output, their C is
# in the source, their links lead somewhere
. "$(dirname "$0")/lib.sh"

# types_its_blocks README - in a copy, for some of them build, or write to ROOTFS
types_its_blocks() {
	mkdir "$T/copy"
	tar -C "$top" --exclude ./.git --exclude ./.build/asan -cf - . |
		tar -C "$T/copy" -xf -
	cd "$T/copy"
	PATH=$PATH:/usr/sbin:/sbin run "$probes/readme" "$1"
	is "$status" 0
	contains "$out" "ok 1"
}

# quotes_its_source README - every block of C, up to a line of dots, is in the
# step's container.c or in common/.
quotes_its_source() {
	cat "$top/${1%/*}/container.c" "$top"/common/*.[ch] >"$T/source"
	run awk '
	FNR == NR { source = source $0 "\n"; next }
	/^```c$/ { block = 1; text = ""; next }
	block && (/^```$/ || /^[ \t]*\.\.\.$/) {
		if (index(source, "\n" text) == 0)
			printf "not in the source:\n%s", text
		text = ""
		count++
		block = block && !/^```$/
		next
	}
	block { text = text $0 "\n" }
	END { if (count == 0) print "no C is quoted" }
	' "$T/source" "$top/$1"
	is "$out" ""
}

has_no_broken_link() {
	cd "$top"
	for readme; do
		grep -o '](\([^)]*\))' "$readme" | sed 's/](\(.*\))/\1/' |
			grep -v -e '^http' -e '^#' >"$T/links" || continue
		while read -r link; do
			[ -e "$(dirname "$readme")/${link%#*}" ] ||
				echo "$readme: $link"
		done <"$T/links"
	done >"$T/broken"
	is "$(cat "$T/broken")" ""
}

# names_real_pages README... - each name(N) is a manual page
names_real_pages() {
	cd "$top"
	man -w 2 chroot >"$T/page" 2>&1 || skip "the manual pages are not installed"
	grep -oh '\b[a-z_][a-z0-9_.-]*([1-8])' "$@" step*/container.c common/*.h |
		sort -u | sed 's/(\(.\))/ \1/' | while read -r name section; do
		man -w "$section" "$name" >"$T/page" 2>&1 ||
			echo "$name($section)"
	done >"$T/missing"
	# shellcheck disable=SC2086 # words
	is "$(grep -vxF -e "$(printf '%s\n' $not_here)" "$T/missing")" ""
}

# Pages of packages that may not be installed, and of newer man-pages.
not_here="bridge(8) nft(8) iptables(8) docker-run(1) brctl(8) PR_SET_PDEATHSIG(2const)"

has_short_lines() {
	cd "$top"
	is "$(expand README.md step*/README.md | grep -c '.\{101\}')" 0 \
		"lines of more than 100 columns"
	for readme in step0[1-4]*/README.md; do
		[ "$(wc -l <"$readme")" -le 200 ] || fail "$readme is too long"
	done
	for readme in step0[5-7]*/README.md; do
		[ "$(wc -l <"$readme")" -le 300 ] || fail "$readme is too long"
	done
}

cd "$top"
for readme in README.md step*/README.md; do
	t "$readme: what it types gives what it shows" types_its_blocks "$readme"
	[ "$readme" = README.md ] ||
		t "$readme: its C is that of the source" quotes_its_source "$readme"
done
t "no link is broken" has_no_broken_link README.md step*/README.md
t "the manual pages exist" names_real_pages README.md step*/README.md
t "no README is too long" has_short_lines
done_testing
