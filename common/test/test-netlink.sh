#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-netlink - what common/netlink.[ch] tells the kernel and reads from it
# shellcheck disable=SC2317 # the functions are called by t
# shellcheck source=common/test/lib.sh
. "$(dirname "$0")/lib.sh"

# built PROGRAM - prints its path. `make` may have built it; if not, the
# compiler is here, and the sanitizers with it.
built() {
	if [ -x "${probes%/probes}/common/test/$1" ]; then
		echo "${probes%/probes}/common/test/$1"
		return
	fi
	for checks in -fsanitize=address,undefined -O1; do
		! "${CC:-cc}" -std=c11 -g "$checks" -I"$top/common" \
			-o "$scratch/$1" "$top/common/test/$1.c" \
			"$top/common/netlink.c" "$top/common/error.c" \
			2>"$scratch/cc" || break
	done
	[ -x "$scratch/$1" ] || cat "$scratch/cc" >&2
	echo "$scratch/$1"
}

unit=$(built netlink-test)
fuzz=$(built netlink-fuzz)

need() {
	command -v "$1" >/dev/null || skip "no $1 here"
}

# silent COMMAND... - must succeed within 20 seconds and say nothing
silent() {
	run timeout 20 "$@"
	is "$out$err" ""
	is "$status" 0 "exit status"
}

# units NAME... - tests of netlink-test.c
units() {
	for name; do
		silent "$unit" "$name"
	done
}

# The tests that ask the real kernel have a network namespace of their own.
units_in_netns() {
	for name; do
		silent unshare --net "$unit" "$name"
	done
}

reads_a_long_list() {
	seq 1000 | awk '{ printf("addr add 10.%d.%d.1/32 dev lo\n",
		$1 / 256, $1 % 256) }' >"$T/commands"
	# shellcheck disable=SC2016 # for the inner shell
	silent unshare --net sh -c \
		'ip -batch "$1" && exec "$2" thousand-addresses' \
		sh "$T/commands" "$unit"
}

is_not_permitted() {
	silent setpriv --bounding-set=-all --inh-caps=-all \
		"$unit" unprivileged
}

# ---- The same bytes as ip(8) ----

# sent_by COMMAND... - what it sends by netlink, in hexadecimal
sent_by() {
	strace -qq -e trace=sendmsg -e write=all -o "$T/trace" "$@" >&2 ||
		return
	sed -n 's/^ | [0-9a-f]*  \(.\{48\}\).*/\1/p' "$T/trace" | tr -d ' \n'
}

# same_bytes NAME COMMAND... - its last message is what netlink-test.c builds
# by that name. The four bytes of its sequence number are any.
same_bytes() {
	name=$1
	shift
	theirs=$(sent_by "$@")
	ours=$("$unit" emit "$name" | sed 's/^\(.\{16\}\).\{8\}/\1......../')
	printf '%s' "$theirs" | grep -q "$ours$" ||
		fail "$*: got $theirs, want $ours"
}

# decoded HEX - one attribute a line, sorted. The descriptor of the network
# namespace (28, in the peer) is any.
decoded() {
	echo "$1" | "$unit" decode |
		sed 's/^\(\.18\.2\.1\.28\) .*/\1 fd/' | sort
}

# ip(8) has the attributes in another order, does not flag nests and leaves the
# final zero of "veth" out: the kernel reads the same in both.
same_link() {
	theirs=$(sent_by "$@")
	theirs=$(decoded "$theirs")
	is "$(decoded "$("$unit" emit add-link)")" "$theirs" "$*"
	contains "$theirs" ".18.2.1.3 76 65 74 68 2d 63 6f 6e 74 61 69 6e 65 72"
}

sends_what_ip_sends() {
	need strace
	strace -o "$T/trace" true 2>/dev/null ||
		skip "strace may not trace here"
	ip netns add other
	same_link ip -n other link add veth-host type veth \
		peer name veth-container netns /proc/self/ns/net
	ip -n other link del veth-host
	ip -n other link add veth-host index 3 type veth \
		peer name veth-container
	same_bytes add-address ip -n other addr add 10.200.0.2/24 dev veth-host
	same_bytes set-up ip -n other link set veth-host up
	same_bytes add-route ip -n other route add default via 10.200.0.1
	ip netns del other
}

replays_the_corpus() {
	silent "$fuzz" "$top"/common/test/corpus/netlink/*
}

t 'requests are the bytes that they have to be' \
	units golden drawing padding several
t 'a request that does not fit ends the program' units overflow
t 'ip(8) sends the same' sends_what_ip_sends
t 'acknowledgements, refusals, the kernel'"'"'s words and offsets' \
	units acknowledged refused words offset offset-of-nest messages
t 'answers cut short, too long, too late, or to others are none' \
	units truncated lying-length late oversized
t 'whoever else writes to the socket is not heard' units foreign spoofed
t 'no answer, an endless one, a signal while waiting' \
	units silent endless interrupted closed
t 'lists: their end, their failure, their change' \
	units list list-fails list-changes list-is-malformed
t 'batches: every acknowledgement, the first failure' \
	units batch batch-fails batch-fails-late unacknowledged
t 'attributes are not read over their end' units attributes
t 'sockets, and the real kernel'"'"'s answers' \
	units_in_netns sockets stops-reading kernel-is-silent refusals
t 'a list of many datagrams' reads_a_long_list
t 'without CAP_NET_ADMIN: not permitted' is_not_permitted
t 'the answers that the fuzzer found are harmless' replays_the_corpus

done_testing
