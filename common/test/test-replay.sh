#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-replay.sh - the commands that -v prints, typed, do what the program did
#
# They are typed into two shells, as a reader does it in two terminals. The first
# one becomes the container when unshare(1) or chroot(1) start a shell in it. The
# second one stays on the host.
. "$(dirname "$0")/lib.sh"

# state PID - what the kernel shows in the namespaces of this process, without
# the numbers and the random MAC addresses
state() {
	sed 's/^[0-9]* [0-9]* [0-9:]* //' "/proc/$1/mountinfo"
	cat "/proc/$1/root/etc/resolv.conf" 2>/dev/null || :
	nsenter --target "$1" --net --uts sh -c '
		ip -j link; ip -j -4 addr; ip -j -4 route show table all
		ip -o -d link | grep -o " \(veth\|bridge\|bridge_slave\) "
		! command -v nft >/dev/null || nft -j list ruleset
		hostname; grep -rs "" /proc/sys/net/ipv4' |
		sed 's/"\(ifindex\|link_index\|link_netnsid\|handle\)": *[0-9]*//g
			s/"address":"02:42/"02:42/g; s/"address":"[^"]*"//g'
}

state_is() {
	state "$1" >"$T/now"
	cmp -s "$T/now" "$2"
}

# open_shell NAME - its input is the pipe $T/NAME. unshare(1) starts login shells:
# without HOME=/, they would read the caller's profile.
open_shell() {
	mkfifo "$T/$1"
	start env HOME=/ SHELL="$(command -v bash)" sh -c \
		"exec bash <'$T/$1' >'$T/$1.out' 2>&1 5>'$T/results'"
}

# type_in NAME COMMAND - and waits until the shell, or a new one, is ready
type_in() {
	printf '%s\necho $? >&5\n' "$2" >"$T/$1"
	read -r result <&5
	[ "$result" = 0 ] || fail "$2: $(cat "$T/$1.out")"
}

# innermost PID - the shell that a shell started that... PID started
innermost() {
	child=$(children_of "$1")
	if [ "$child" ]; then innermost "$child"; else echo "$1"; fi
}

# type_command SIDE COMMAND
type_command() {
	case $1-$2 in
	*-wait*) ;;
	# Those of a container that has just exited may be gone already.
	*-*"ip link del group"*) type_in "$shell" "$2 || :" ;;
	# The rule that was typed has another number than that of the program.
	*-"nft delete rule"*)
		handle=$(nft -a list chain ip filter FORWARD |
			sed -n 's/.*containers-from-scratch.*# handle //p' |
			head -n 1)
		type_in "$shell" "${2% *} $handle" ;;
	*-exec\ sleep*)
		echo "$2" >"$T/first"
		eventually sleeper
		eventually state_is $$ "$T/host"
		eventually state_is "$inside" "$T/container"
		kill -KILL "$inside" ;;
	host-*) type_in "$shell" "CONTAINER_PID=$(innermost "$first"); $2" ;;
	*) type_in first "$2" ;;
	esac
	[ "$2" != "unshare --pid --fork" ] || shell=second
}

# replay STEP [-U]
replay() {
	command -v bash >/dev/null || skip "no bash here"
	cd "$T" && ln -s "$rootfs" layer
	state $$ >"$T/before"
	start "$bin/$1/container" -v ${2-} layer sleep 4711
	eventually sleeper
	state $$ >"$T/host"
	state "$inside" >"$T/container"
	kill -KILL "$inside"
	ends_with 137
	eventually state_is $$ "$T/before"

	{ cat "$T/start.err" && echo "host      + wait"; } >"$T/trace"
	for word in $(sed -n 's/^[a-z]* *+ \([a-z_]*\) .*/\1/p' "$T/trace"); do
		command -v "$word" >/dev/null || skip "$word is not installed"
	done
	mkfifo "$T/results"
	exec 5<>"$T/results"
	open_shell second
	open_shell first
	first=$pid shell=first side=host command=wait
	exec 3>"$T/first" 4>"$T/second"
	while IFS= read -r line; do
		case $line in
		host*" + "* | "container + "*)
			type_command "$side" "$command"
			side=${line%% *} command=${line#* + } ;;
		*) command=$(printf '%s\n%s' "$command" "$line") ;;
		esac
	done <"$T/trace"
}

# As on a machine with Docker, which has a chain FORWARD.
replay_beside_docker() {
	command -v nft >/dev/null || skip "no nft here"
	nft add table ip filter
	nft 'add chain ip filter FORWARD { type filter hook forward priority 0; }'
	replay step07-bridge-nat
	nft delete table ip filter
}

t "step 02: the printed commands do the same" replay step02-proc
t "step 05: the printed commands do the same" replay step05-overlay
t "step 06: the printed commands do the same" replay step06-veth
t "step 06: so they do with -U" replay step06-veth -U
t "step 07: the printed commands do the same" replay_beside_docker
done_testing
