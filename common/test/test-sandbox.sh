#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-sandbox - the disposable machine: what it is like in there, and that
# nothing of it is left. The latter is what the library compares after each test
# anyway: here the machine is the sandbox in which this script runs.
#
# shellcheck disable=SC2016 # the shell in the sandbox expands what is in ''
# shellcheck disable=SC2086 # $powerless is several words
. "$(dirname "$0")/lib.sh"

sandbox=$top/common/tools/sandbox

# Runs a command as root that needs a user namespace for a sandbox, just as an
# ordinary user does: the capability left is what it takes to be mapped at all.
powerless='setpriv --bounding-set=-all,+setfcap --inh-caps=-all'

# ---- The command ----

status_is_the_commands() {
	for code in 0 1 7 125 255; do
		run "$sandbox" sh -c "exit $code"
		is "$status" $code
	done
	run "$sandbox" -- sh -c 'kill -TERM $$'
	is "$status" 143
	run "$sandbox" sh -c 'kill -KILL $$'
	is "$status" 137
	PATH=/usr/bin:/bin
	run "$sandbox" nonesuch
	is "$status" 127
	run "$sandbox" "$top"
	is "$status" 126
	run "$sandbox" exit 3
	is "$status" 127 "status of a command named as a word of the shell"
}

passes_on() {
	run "$sandbox" printf '<%s>' 'a b' '' "it's" '$x' -- '*'
	is "$out" "<a b><><it's><\$x><--><*>" "arguments"
	echo text | run "$sandbox" cat
	is "$(cat "$T/out")" text "standard input"
	run env CI=x WORD='a b' "$sandbox" sh -c 'echo "$CI $WORD"'
	is "$out" "x a b" "environment"
	for dir in / "$top/common" "$T"; do
		cd "$dir"
		run "$sandbox" pwd
		is "$out" "$dir" "working directory"
	done
	run env SHELL=/bin/pwd "$sandbox"
	is "$out" "$T" "without a command"
}

understands() {
	run "$sandbox" --help
	is "$status" 0
	contains "$out" Usage:
	run "$sandbox" --nonesuch true
	one_line_error 125 --nonesuch
}

# ---- The machine ----

namespaces='echo $(readlink /proc/self/ns/mnt /proc/self/ns/net \
	/proc/self/ns/pid /proc/self/ns/uts /proc/self/ns/ipc)'

has_namespaces() {
	run "$@" "$sandbox" sh -c "$namespaces"
	is "$status" 0
	# shellcheck disable=SC2086
	set -- $out
	for ns in $(eval "$namespaces"); do
		isnt "$1" "$ns"
		shift
	done
}

is_root() {
	run $powerless "$sandbox" sh -c 'id -u; mount -t tmpfs tmpfs /mnt'
	is "$status$out" 00
}

is_its_own() {
	: >/run/tmp/file
	"$@" "$sandbox" sh -c '
		hostname
		ls /run | grep -v mount
		echo $TMPDIR
		ls $TMPDIR
		ls /sys/class/net
		cat /proc/sys/net/ipv4/ip_forward
		echo /proc/[0-9]*' >"$T/seen"
	rm /run/tmp/file
	is "$(head -n -1 "$T/seen")" "sandbox
netns
tmp
/run/tmp
eth0
lo
0"
	# Process 1, the command and perhaps what the command runs.
	lacks "$(tail -n 1 "$T/seen")" "/proc/$$ "
	contains "$(tail -n 1 "$T/seen")" "/proc/1 "
}

keeps_the_project_below_run() {
	mkdir -p "$T/a stick/common"
	cp -R "$top/common/tools" "$T/a stick/common"
	cd /
	run "$T/a stick/common/tools/sandbox" ls "$T/a stick/common"
	is "$status$out" 0tools
	cd "$T/a stick/common"
	run "tools/sandbox" tools/sandbox sh -c 'pwd; ls; echo "$0"' tools/sandbox
	is "$out" "$T/a stick/common
tools
tools/sandbox"
	# What is mounted there is seen from there.
	run tools/sandbox sh -c 'mkdir d && mount -t tmpfs tmpfs "$PWD/d" &&
		: >"$PWD/d/file" && ls d'
	is "$out" file
}

is_disposable() {
	cat >"$T/wreck" <<-'WRECK'
		mount -t tmpfs tmpfs /mnt
		mkdir /run/litter
		ip link add veth-a type veth
		ip route add blackhole 192.0.2.0/24
		echo 1 >/proc/sys/net/ipv4/ip_forward
		hostname wreck
		ipcmk --queue
		setsid sleep 4711 &
		"$1" setsid sleep 4712 &
		kill -KILL $$
	WRECK
	cd "$T"
	run "$@" "$sandbox" sh ./wreck "$sandbox"
	is "$status" 137
}

leaves_a_shared_root_alone() {
	unshare --mount --propagation shared sh -c '
		cat /proc/self/mountinfo >"$2/before"
		"$1" sh -c "mount -t tmpfs tmpfs /mnt && umount /dev/shm"
		cat /proc/self/mountinfo >"$2/after"' sh "$sandbox" "$T"
	contains "$(cat "$T/before")" shared:
	is "$(cat "$T/after")" "$(cat "$T/before")"
}

nests() {
	run "$@" "$sandbox" "$sandbox" "$sandbox" \
		sh -c 'hostname; ip route get 198.51.100.1; exit 9'
	is "$status" 9
	contains "$out" sandbox
	contains "$out" "via 203.0.113.1 dev eth0"
}

# ---- The internet ----

answers() {
	run "$@" "$sandbox" "$probes/reach" ping 198.51.100.1
	is "$status" 0
	# From the first moment, of which these two numbers are the condition.
	run "$@" "$sandbox" sh -c 'cd /sys/class/net/eth0
		cat operstate ifindex iflink'
	is "$out" "up
2
203" "state and numbers of eth0"
}

knows_no_private_network() {
	run "$sandbox" sh -c '
		ip addr add 10.200.0.2/32 dev lo
		ip route add 198.51.100.1 via 203.0.113.1 src 10.200.0.2
		"$0" ping 198.51.100.1' "$probes/reach"
	is "$status" 1 "answer to an address that is not translated"
	run "$sandbox" ip -n internet route get 10.200.0.2
	isnt "$status" 0
}

can_be_visited() {
	run "$sandbox" nsenter --net=/run/netns/internet \
		ip -brief -4 address show dev router
	contains "$out" "203.0.113.1/24"
	run "$sandbox" sh -c '
		ip netns exec internet "$0" serve 80 >&2 &
		until "$0" fetch 198.51.100.1 80; do :; done 2>/dev/null' \
		"$probes/reach"
	is "$out" 203.0.113.2
}

has_no_ipv6_noise() {
	run "$sandbox" sh -c '
		ip -6 addr show dev eth0; ip -6 route show dev eth0'
	is "$status$out" 0
}

# ---- Its end ----

# foreign - prints the processes in other PID namespaces than this one
foreign() {
	here=$(ns_of self pid)
	for dir in /proc/[0-9]*; do
		case $(ns_of "${dir#/proc/}" pid 2>/dev/null) in
		"" | "$here") ;;
		*) echo "${dir#/proc/}" ;;
		esac
	done
}

deserted() {
	[ -z "$(foreign)" ]
}

# live - starts a sandbox, and returns when it lives
live() {
	cd "$T"
	start "$@" "$sandbox" sh -c 'trap "" TERM HUP
		setsid sleep 4711 & : >up; sleep 4712'
	eventually [ -e up ]
	isnt "$(foreign)" ""
}

ends_by() {
	signal=$1
	shift
	live "$@"
	kill -s "$signal" "$pid"
	eventually deserted
}

ends_with_unshare() {
	live "$@"
	kill -KILL "$(children_of "$pid")"
	got=0
	wait "$pid" || got=$?
	is "$got" 137 "exit status"
	eventually deserted
}

# ---- The terminal ----

has_job_control() {
	# dash fails to exit where it has no process group to return to.
	command -v bash >/dev/null || skip "there is no bash"
	on_terminal "$sandbox" env PS1='%> ' bash --norc <<-'END'
		expect %>
		send sh -c 'echo o""ne; exec sleep 1000'\r
		expect one
		send \003
		expect %>
		send sh -c 'echo tw""o; kill -STOP $$; echo thr""ee'\r
		expect two
		expect %>
		send fg\r
		expect three
		expect %>
		send exit 5\r
		wait 5
	END
	lacks "$(cat "$T/terminal")" "job control"
}

interrupts() {
	on_terminal "$sandbox" sh -c 'echo ready; exec sleep 1000' <<-'END'
		expect ready
		send \003
		wait 130
	END
	# A command that catches it goes on.
	on_terminal "$sandbox" sh -c 'trap "echo caught; exit 6" INT
		echo ready; read -r line; read -r line' <<-'END'
		expect ready
		send \003
		send \r
		expect caught
		wait 6
	END
}

suspends() {
	on_terminal sh -ic '"$0" sh -c "echo ready; sleep 1; exit 7"
		echo "then $?"; fg; exit' "$sandbox" <<-'END'
		expect ready
		send \032
		expect then 148
		wait 7
	END
}

hangs_up() {
	on_terminal "$sandbox" sh -c 'echo ready; trap "" HUP; sleep 1000' <<-'END'
		expect ready
		close
		wait 129
	END
	eventually deserted
}

# ---- Refusals ----

# with_setting FILE VALUE CMD... - where that is all in /proc/sys/kernel, and
# what is faked is found first
with_setting() {
	export T
	unshare --mount sh -c '
		mount -t tmpfs tmpfs /proc/sys/kernel
		echo "$2" >"/proc/sys/kernel/$1"
		shift 2
		PATH=$T/bin:$PATH exec "$@"' sh "$@"
}

# fake NAME - an executable $T/bin/NAME from standard input
fake() {
	mkdir -p "$T/bin"
	cat >"$T/bin/$1"
	chmod +x "$T/bin/$1"
}

refused_by_limit() {
	# The setting is one of each user namespace.
	run unshare --map-root-user sh -c '
		echo 0 >/proc/sys/user/max_user_namespaces
		exec setpriv --bounding-set=-all "$0" true' "$sandbox"
	one_line_error 125 user.max_user_namespaces=0 \
		"sudo sysctl user.max_user_namespaces=" "sudo $sandbox"
}

refused_by_debian() {
	fake unshare <<-'END'
		#!/bin/sh
		echo "unshare: unshare failed: Operation not permitted" >&2
		exit 1
	END
	run with_setting unprivileged_userns_clone 0 "$sandbox" true
	one_line_error 125 kernel.unprivileged_userns_clone=0 \
		"sudo sysctl kernel.unprivileged_userns_clone=1"
	run with_setting unprivileged_userns_clone 1 "$sandbox" true
	one_line_error 125 "unshare failed: Operation not permitted" \
		"sudo $sandbox"
	# Docker's filter, on Ubuntu too. No tool here can set one up, so this
	# is to say that /proc/self/status has "Seccomp: 2".
	fake grep </dev/null
	run with_setting apparmor_restrict_unprivileged_userns 1 \
		"$sandbox" true
	one_line_error 125 seccomp "docker run --privileged"
}

# Ubuntu: the user namespace is created, but grants nothing.
refused_by_apparmor() {
	fake unshare <<-'END'
		#!/bin/sh
		for arg; do shift; [ "$arg" != mount ] || break; done
		echo "mount: /run: permission denied." >&2
		exit 1
	END
	run with_setting apparmor_restrict_unprivileged_userns 1 \
		"$sandbox" true
	one_line_error 125 kernel.apparmor_restrict_unprivileged_userns=1 \
		"sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0" \
		"sudo $sandbox"
}

# Where nothing is refused, none of the settings matters.
is_not_refused() {
	run with_setting apparmor_restrict_unprivileged_userns 1 \
		"$sandbox" true
	is "$status$err" 0
}

# only_from DIR - runs the sandbox where DIR has all the programs there are
only_from() {
	unshare --mount sh -c '
		mount --bind "$2" /usr/sbin
		mount --bind "$2" /sbin
		PATH=$2 exec /bin/sh "$1" true' sh "$sandbox" "$1"
}

lacks_a_program() {
	mkdir "$T/bin"
	run only_from "$T/bin"
	one_line_error 125 "ip: command not found" iproute2
	fake ip </dev/null
	run only_from "$T/bin"
	one_line_error 125 "unshare: command not found" util-linux
}

lacks_veth() {
	fake ip <<-END
		#!/bin/sh
		case "\$*" in *veth*)
			echo "Error: Unknown device type." >&2
			exit 2
			;;
		esac
		exec $(command -v ip) "\$@"
	END
	# The working directory is what a sandbox sees of this one's /run.
	cd "$T"
	PATH=$T/bin:$PATH
	run "$sandbox" true
	one_line_error 125 "Unknown device type" "modprobe veth"
}

t "the exit status is the command's" status_is_the_commands
t "arguments, input, environment and directory are passed on" passes_on
t "--help helps, an unknown option is refused" understands
t "namespaces are its own" has_namespaces
t "namespaces are its own for who is not root" has_namespaces $powerless
t "the command is root, whoever calls it" is_root
t "/run, /sys, hostname and processes are its own" is_its_own
t "the same for who is not root" is_its_own $powerless
t "a project below /run stays in reach" keeps_the_project_below_run
t "nothing remains, whatever is done in there" is_disposable
t "nothing remains for who is not root" is_disposable $powerless
t "no mount gets out, even if / is shared" leaves_a_shared_root_alone
t "a sandbox in a sandbox" nests
t "a sandbox in a sandbox for who is not root" nests $powerless
t "the internet answers" answers
t "the internet answers who is not root" answers $powerless
t "the internet knows no private network" knows_no_private_network
t "the internet can be visited, and serve" can_be_visited
t "IPv6 makes no noise" has_no_ipv6_noise
for signal in TERM HUP KILL; do
	t "SIG$signal to the sandbox ends all in it" ends_by $signal
done
t "SIGKILL to the sandbox of who is not root" ends_by KILL $powerless
t "SIGKILL to its unshare ends all in it" ends_with_unshare
t "an interactive shell has job control" has_job_control
t "Ctrl-C is for the command" interrupts
t "Ctrl-Z and fg" suspends
t "hanging up ends all" hangs_up
t "refused by user.max_user_namespaces" refused_by_limit
t "refused by kernel.unprivileged_userns_clone or seccomp" refused_by_debian
t "refused by AppArmor" refused_by_apparmor
t "settings that refuse nothing are not in the way" is_not_refused
t "a missing program is named, with its package" lacks_a_program
t "missing veth devices are named" lacks_veth
done_testing
