#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-nftables - common/nftables.[ch] does what nft(8) does
. "$(dirname "$0")/lib.sh"

unit=$probes/nftables-test

# unit COMMAND... - runs it, and it must succeed without a message
unit() {
	run "$unit" "$@"
	is "$status$err" 0 "$*"
}

# rules - the words for what `unit add` does
rules() {
	cat <<-'END'
	add table ip box
	add chain ip box nat { type nat hook postrouting priority srcnat; }
	add chain ip box raw { type filter hook prerouting priority raw; }
	add rule ip box nat ip saddr 10.200.0.0/24 oifname != cbr0 masquerade
	add rule ip box raw iifname != lo drop
	add rule ip box raw ct direction reply accept
	insert rule ip box raw iifname fifteen-bytes-x accept comment "a comment"
	END
}

# list [OPTION...] - all rules without their handles, which count on
list() {
	nft "$@" list ruleset | sed 's/"handle": [0-9]*//g; s/^ip box .*//'
}

need_nft() {
	command -v nft || skip 'no nft here'
}

adds_what_nft_adds() {
	need_nft
	rules | nft -f -
	list -j >"$T/json"
	list --debug=netlink >"$T/expressions"
	nft flush ruleset
	for time in first second; do
		unit add
		is "$(list -j)" "$(cat "$T/json")" "the $time time"
		is "$(list --debug=netlink)" "$(cat "$T/expressions")"
	done
	unit remove
	is "$(list)" ''
}

does_all_or_nothing() {
	need_nft
	run "$unit" fail
	one_line_error 125 'No such file or directory'
	is "$(list)" ''
	rules | nft -f -
	before=$(list)
	run "$unit" fail
	one_line_error 125 'No such file or directory'
	is "$(list)" "$before"
	unit remove
}

deletes_by_comment() {
	unit add
	for other in 'another comment' 'a comment ' ' a comment' 'a comm' ment; do
		unit delete "$other"
		is "$out" '' "$other"
	done
	unit delete 'a comment'
	is "$out" found
	unit delete 'a comment'
	is "$out" ''
	! command -v nft || is "$(list -j | grep -o '{"rule"' | wc -l)" 3
	unit remove
	unit delete 'a comment' # of a chain that does not exist
	is "$out" ''
	run "$unit" remove
	one_line_error 125 'No such file or directory'
}

t "tables, chains and rules are those of nft, and not added twice" adds_what_nft_adds
t "a batch changes all or nothing" does_all_or_nothing
t "rules are found and deleted by their comment" deletes_by_comment
done_testing
