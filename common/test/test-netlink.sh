#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-netlink.sh - what common/netlink.h promises
. "$(dirname "$0")/lib.sh"

unit=$probes/netlink-test

# holds TEST - of netlink-test.c, in a network namespace of its own
holds() {
	run unshare --net "$unit" "$1"
	is "$status$out$err" 0 "status, stdout and stderr"
}

reads_a_long_list() {
	seq 0 249 | sed 's/.*/addr add 10.0.&.1\/32 dev lo/' >"$T/commands"
	sed 's/10\.0/10.1/; p; s/10\.1/10.2/; p; s/10\.2/10.3/' \
		"$T/commands" >"$T/more"
	# shellcheck disable=SC2016 # for the inner shell
	run unshare --net sh -c 'cat "$1" "$2" | ip -batch - && exec "$3" dump' \
		sh "$T/commands" "$T/more" "$unit"
	is "$status$out$err" 0 "status, stdout and stderr"
}

exits_cleanly() {
	for test in endless_messages endless_attributes; do
		run "$unit" "$test"
		one_line_error 125 'netlink request is too long'
	done
}

t "the example is 60 bytes, and these" holds example
t "a refusal has its errno and the kernel's words" holds refusal
t "a list of many messages and datagrams is read" reads_a_long_list
t "the reply to an earlier request is skipped" holds stale
t "a truncated reply is an error" holds truncated
t "an oversized reply is an error" holds oversized
t "an attribute with a wrong length is none" holds bad_attribute
t "a request that is too long ends the program" exits_cleanly
done_testing
