#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-text - the READMEs are about this source: their C is in it, and what they
# name, count and link to exists. Run it after a change of either.
. "$(dirname "$0")/../common/test/lib.sh"

leaves_out_few() {
	is "$([ "$(grep -c . "$scratch/not-run")" -le 8 ] || echo "too many")" ""
	is "$(grep -v 'not run: [a-z].* -->$' "$scratch/not-run")" "" \
		"without a reason"
}

# has_no_other_blocks README... - a command in a block of another kind would
# never be run
has_no_other_blocks() {
	# shellcheck disable=SC2016 # no command
	is "$(awk '/^[> ]*```/ { block = !block }
		/^ *```/ && block && !/^```(c|text|console( 2)?)$/ {
			print FILENAME ":" FNR ": " $0
		}' "$@")" ""
}

# zsh and tcsh take a comment for arguments, and fish a ( for a substitution.
fits_any_shell() {
	is "$(grep -nE '^\$ (\(|.*[[:blank:]]#)' "$@")" ""
}

# ---- What they quote, name and count ----

# quotes_its_source README - every block of C, up to a line of dots, is in the
# step's container.c or in common/
quotes_its_source() {
	cat "${1%/*}/container.c" common/*.[ch] >"$T/source"
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
	' "$T/source" "$1"
	is "$out" ""
}

# words README - what stands between backticks outside blocks, one a line
words() {
	awk '/^[> ]*```/ { block = !block; next } !block' "$1" | tr '\n' ' ' |
		grep -o '`[^`]*`' | tr -d '`'
}

names_what_exists() {
	for readme in $readmes; do
		words "$readme" | grep -o '\bmake [a-z][a-z-]*' | while read -r _ it; do
			grep -q "^$it:" Makefile || echo "$readme: make $it"
		done
		words "$readme" | grep -x '[a-z][a-z0-9_]*()' | while read -r it; do
			grep -qw "${it%()}" step*/*.c common/*.[ch] common/tools/*.c ||
				echo "$readme: $it"
		done
		words "$readme" | grep -o '^\(sudo \)\{0,1\}\(common\|step0\)[^ ]*/[^ ]*' |
			sed 's/^sudo //' | while read -r it; do
			[ -e "$it" ] || echo "$readme: $it"
		done
	done >"$T/unknown"
	is "$(cat "$T/unknown")" ""
}

# The table in README.md, without its head, has the systems of .ci/run.
names_the_systems() {
	sed -En "/^	(system|booted) /{
		s/^[^'\"]*.//
		s/['\"]( [a-z].*)?\$//p
	}" .ci/run | sort >"$T/run"
	sed -n '/^## Where it is tried/,/^## Changing/s/^| \(Debian.*\)|$/\1/p' \
		README.md | tr '|' '\n' | sed 's/^ *//; s/ *$//' | sort >"$T/table"
	is "$(diff "$T/run" "$T/table")" ""
	isnt "$(cat "$T/run")" ""
}

# states_sizes README... - as in "`+84 -28` lines". Each step's README has its
# own, and the table in README.md those of all steps.
states_sizes() {
	before=/dev/null
	for step in $steps; do
		diff "$before" "$step/container.c" >"$T/diff" || :
		size="+$(grep -c '^>' "$T/diff")"
		[ $before = /dev/null ] ||
			size="$size -$(grep -c '^<' "$T/diff")"
		n=${step#step}
		is "$(sed -n "s/^|.* \[${n%%-*}\] .* \(+[-+0-9 ]*[0-9]\) *|$/\1/p" \
			README.md)" "$size" "$step in README.md"
		[ $before = /dev/null ] ||
			is "$(grep -o '`+[0-9]* -[0-9]*`' "$step/README.md" | sort -u)" \
				"\`$size\`" "$step/README.md"
		before=$step/container.c
	done
	# A number of lines that no test counts is soon wrong.
	is "$(grep -n '\b[0-9][0-9]* lines' $readmes)" ""
}

# names_every_function_and_constant STEP - each that the step's code uses stands
# in its lesson or in an earlier one
names_every_function_and_constant() {
	for lesson in step*/README.md; do
		cat "$lesson"
		[ "${lesson%/*}" != "$1" ] || break
	done >"$T/lessons"
	awk 'BEGIN { RS = "\\*/" } { sub(/\/\*.*/, ""); printf "%s", $0 }' \
		"$1/container.c" | sed 's/"[^"]*"//g; /^#include/d; s|//.*||' |
		grep -v '_GNU_SOURCE\|EXIT_SUCCESS' >"$T/code"
	{
		sed -n 's/^[a-z].*[ *]\([a-z0-9_]*\)(.*)$/\1/p' "$T/code"
		grep -o '\b[A-Z][A-Z0-9_]\{3,\}\b' "$T/code"
	} | sort -u >"$T/names"
	isnt "$(cat "$T/names")" ''
	is "$(while read -r name; do
		grep -qw -e "$name" "$T/lessons" || echo "$name"
	done <"$T/names" | xargs)" '' "not in a lesson"
}

# Words that readers stumbled over, also if they are on two lines. "Read-only file
# system" is what the C library says.
odd_english='\bmend(s|ed|ing)?\b|\banew\b|\bfor ever\b|need not be|outside of|takes root'
odd_english="$odd_english|whoever|goes with the|\\bany more\\b|sees to it|in vain"
odd_english="$odd_english|\\bfile systems?\\b|root file system|[^-]\\bhost names?\\b"
odd_english="$odd_english|\\b(it|this|that|which) is no ([^l]|l[^o])"
odd_english="$odd_english|\\bby (sudo|ip|iptables|nft|mount|unshare|nsenter)\\b"
odd_english="$odd_english|\\bby (one|a single) [a-z0-9]+\\("
odd_english="$odd_english|\\b(has|is|are|knows|exists?|works?) (it |them )?since [0-9L]"

# reads_well - each line is searched together with the one before it
reads_well() {
	command -v git >/dev/null && git rev-parse >/dev/null 2>&1 || skip "needs git"
	git ls-files -- '*.c' '*.h' '*.md' '*.sh' Makefile common findings \
		':!.ci' >"$T/files"
	xargs awk 'FNR == 1 { last = "" }
		{ sub(/^[[:blank:]]*[*#>\/]*[[:blank:]]*/, "") }
		{ print FILENAME ":" FNR ": " last " " $0; last = $0 }' \
		<"$T/files" | sed 's/Read-only file system//g' >"$T/text"
	isnt "$(cat "$T/text")" ''
	is "$(grep -iE "$odd_english" "$T/text")" ''
	# A sentence has a subject, not a clause in its place.
	is "$(grep '\.md:.*\([.]\|- \) \{0,1\}\(What\|Who\) [^?.]*[.]' "$T/text")" ''
}

# headings README - as they stand in a link
headings() {
	sed -n 's/^##* //p' "$1" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9_\n-'
}

has_no_broken_link() {
	for readme in $readmes; do
		# [text](link), and [text] with a line "[text]: link"
		{
			sed -n 's/^\[[^]]*\]: //p' "$readme"
			grep -o '](\([^)]*\))' "$readme" | sed 's/](\(.*\))/\1/'
		} | grep -v '^http' >"$T/links" || :
		while read -r link; do
			file=${link%%#*}
			file=$(dirname "$readme")/${file:-${readme##*/}}
			case $link in
			*#*) headings "$file" | grep -qxF -e "${link#*#}" ;;
			*) [ -e "$file" ] ;;
			esac || echo "$readme: $link"
		done <"$T/links"
	done >"$T/broken"
	is "$(cat "$T/broken")" ""
}

# Pages of packages that may not be installed; chroot(1) is chroot(8) on Debian.
not_here="bridge(8) nft(8) iptables(8) docker-run(1) chroot(1)"

# names_real_pages - each name(N) is a manual page
names_real_pages() {
	# shellcheck disable=SC2086 # words
	grep -oh '\b[a-zA-Z_][a-zA-Z0-9_.-]*([1-8])' $readmes step*/container.c \
		common/*.h | sort -u >"$T/pages"
	while read -r page; do
		section=${page##*(}
		man -w "${section%)}" "${page%(*}" >"$T/page" 2>&1 ||
			case " $not_here " in
			*" $page "*) ;;
			*) echo "$page" ;;
			esac
	done <"$T/pages" >"$T/missing"
	is "$(cat "$T/missing")" ""
}

# What the README asks for, and what every system has
everywhere=' awk bash cat cc chmod cut diff echo fold grep head id ip ipcmk
ipcrm kill ls lsns make mkdir mount nsenter rm rmdir sed sleep tar test touch tty
umount unshare '

# names_its_programs README - a console block that types another program names
# it: <!-- needs: ps -->. The first word of a command is a program if this
# machine has one of that name.
names_its_programs() {
	awk -v quote="'" '
	/^<!-- needs: / { needs = $0; next }
	/^<!-- not run: / { left_out = 1; next }
	/^```console/ { block = !left_out; next }
	/^```/ { block = left_out = 0; needs = ""; next }
	block && /^[$#>] / {
		sub(/^[$#>] /, "")
		sub(/[ \t]#[ \t].*/, "")
		gsub("[|;&(){}`\"!" quote "]", "\n")
		n = split($0, commands, "\n")
		for (i = 1; i <= n; i++) {
			split(commands[i], words, " ")
			for (k = 1; words[k] ~ /^(sudo|if|then|else|until|while|do|exec|[A-Za-z_]+=.*)$/; k++)
				continue
			if (words[k] ~ /^[a-z][a-z0-9_.-]*$/ &&
			    index(needs, " " words[k] " ") == 0)
				print words[k], FILENAME ":" FNR
		}
	}
	!block && NF { needs = "" }' "$1" >"$T/words"
	while read -r word line; do
		# shellcheck disable=SC2140 # brackets, not quotes
		case $everywhere in
		*[" $newline"]"$word"[" $newline"]*) ;;
		*)
			case $(command -v "$word") in
			/*) echo "$line: $word" ;;
			esac
			;;
		esac
	done <"$T/words" >"$T/unnamed"
	is "$(cat "$T/unnamed")" ""
}

# fits README LINES COLUMNS
fits() {
	lines=$(grep -vc '^<!--' "$1")
	is "$([ "$lines" -le "$2" ] || echo "$lines lines")" "" "too long"
	# In the C locale, a character is a byte: count the first of each.
	is "$(expand "$1" | tr -d '\200-\277' | grep -n ".\{$(($3 + 1))\}")" "" \
		"too wide"
}

newline='
'
cd "$top"
readmes=$(echo README.md step[0-9]*/README.md)
# shellcheck disable=SC2086 # words
grep -n '<!-- not run:' $readmes | sed 's/^/# /' >"$scratch/not-run" || :
cat "$scratch/not-run"
t "a handful of blocks is not run, for a reason" leaves_out_few
# shellcheck disable=SC2086
t "all blocks are console, C or text" has_no_other_blocks $readmes
# shellcheck disable=SC2086
t "what a reader types is for any shell" fits_any_shell $readmes
for step in $steps; do
	t "$step: the C of its README is that of the source" \
		quotes_its_source "$step/README.md"
done
for step in $steps; do
	t "$step: a lesson names every function and constant" \
		names_every_function_and_constant "$step"
done
for readme in $readmes; do
	t "$readme: each block names the programs that it needs" \
		names_its_programs "$readme"
done
t "the targets, functions and files that they name exist" names_what_exists
t "the systems are those of .ci/run" names_the_systems
t "the sizes that they state are true" states_sizes
t "no word stands there that readers stumbled over" reads_well
tasks=$(echo step*/exercises/*/README.md)
readmes="$readmes $tasks"
t "no link is broken" has_no_broken_link
command -v man >/dev/null && man -w 2 chroot >"$scratch/man" 2>&1 &&
	t "the manual pages exist" names_real_pages
t "README.md: fits" fits README.md 320 100
for step in $steps; do
	lines=300
	case $step in step07*) lines=420 ;; esac
	t "$step: README.md fits" fits "$step/README.md" $lines 80
done
for task in $tasks; do
	t "$task fits" fits "$task" 80 80
done
done_testing
