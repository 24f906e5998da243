#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-inspect - what inspect prints is JSON, and agrees with the kernel
. "$(dirname "$0")/lib.sh"

inspect=$top/common/tools/inspect

# inspect_step STEP [OPTION...] LAYERS [COMMAND...] - with sleep as the last
# command; sets $inside
inspect_step() {
	at_step "$1"
	shift
	start "$container" "$@" sleep 4711
	eventually sleeper
	run "$inspect"
	is "$status:$err" 0: "exit status, stderr"
}

# value PATH - from the JSON in $T/out, for example 0.State.Pid
value() {
	if command -v jq >/dev/null; then
		# shellcheck disable=SC2016 # for jq
		jq -r --arg path "$1" 'getpath($path / "." |
			map(tonumber? // .))' "$T/out"
	else
		python3 -c 'import json, sys
it = json.load(open(sys.argv[1], encoding="utf-8"))
for key in sys.argv[2].split("."):
    it = it[int(key) if isinstance(it, list) else key]
sys.stdout.buffer.write(str(it).encode() + b"\n")' "$T/out" "$1"
	fi
}

needs_parser() {
	command -v jq >/dev/null || command -v python3 >/dev/null ||
		skip "there is neither jq nor python3"
}

finds_none() {
	run "$inspect"
	is "$status:$out:$err" "0:[
]:"
}

# tells_what_is_shared STEP [OPTION]
tells_what_is_shared() {
	inspect_step "$@" "$scratch/tiny-linux"
	contains "$out" "\"Name\": \"/$1\""
	contains "$out" "\"State\": { \"Pid\": $inside }"
	for pair in pid:PidMode ipc:IpcMode uts:UTSMode cgroup:CgroupnsMode \
		user:UsernsMode net:NetworkMode; do
		contains "$out" "\"${pair#*:}\": \""
		case $(ns_of "$inside" "${pair%:*}") in
		"$(ns_of self "${pair%:*}")") assertion=contains ;;
		*) assertion=lacks ;;
		esac
		$assertion "$out" "\"${pair#*:}\": \"host\""
	done
	contains "$out" "\"Hostname\": \"$(nsenter --target "$inside" --uts \
		cat /proc/sys/kernel/hostname)\","
	# In steps 02 and 03, it would survive the launcher.
	kill -KILL "$inside"
	ends_with 137
}

# describes_network STEP NETWORK LINK
describes_network() {
	inspect_step "$1" "$scratch/tiny-linux"
	mac=$(nsenter --target "$inside" --net ip -oneline link show "$3" |
		sed 's/.*link.ether \([^ ]*\).*/\1/')
	for field in "NetworkMode\": \"$2" "Gateway\": \"10.200.0.1" \
		"IPAddress\": \"10.200.0.2" "MacAddress\": \"$mac" \
		"SandboxKey\": \"/proc/$inside/ns/net"; do
		contains "$out" "\"$field\""
	done
	contains "$out" "\"$2\": {"
}

# Names that are not written as they are in mountinfo, in lowerdir, and in JSON
describes_layers() {
	needs_parser
	mkdir -p "$T/a b:\"c\",d\\e" "$T/upper layer"
	layers="$T/a b\:\"c\"\,d\\\\e:$scratch/tiny-linux"
	# shellcheck disable=SC2016 # for the inner shell
	inspect_step step05-overlay -w "$T/upper layer" "$layers" \
		sh -c 'echo >/new; exec "$@"' sh
	is "$(value 0.GraphDriver.Data.LowerDir)" "$layers"
	ls "$(value 0.GraphDriver.Data.UpperDir)/new"
	ls "$(value 0.GraphDriver.Data.MergedDir)/new"
	is "$(value 0.Mounts.1.Type) $(value 0.Mounts.1.Source)" "bind /dev/null"
}

# Here beside another container
quotes_arguments() {
	needs_parser
	start "$bin/step05-overlay/container" "$scratch/tiny-linux" \
		sh -c 'echo; exec sleep 4712'
	eventually test -s "$T/start.out"
	odd=$(printf 'a "quote" \\ \t\n\001 \303\251')
	start "$bin/step06-veth/container" "$scratch/tiny-linux" \
		sh -c 'sleep 4711; :' "$odd" "$(printf '\377<')"
	eventually sleeper
	run "$inspect"
	is "$(value 0.Name)" /step05-overlay
	is "$(value 1.Config.Cmd.3)" "$odd"
	is "$(value 1.Config.Cmd.4)" "<" "what is not UTF-8"
}

works_for_a_user() {
	# shellcheck disable=SC2016 # for the inner shell
	run unshare --user --map-user=1000 --map-group=1000 sh -c '
		"$0" -U "$1" sleep 4711 &
		n=500
		until "$2" 2>&1 | grep -qF "[\"sleep\"" || [ $((n -= 1)) -eq 0 ]; do
			sleep 0.02
		done
		"$2"; kill $!' \
		"$bin/step05-overlay/container" "$scratch/tiny-linux" "$inspect"
	is "$err" ""
	contains "$out" '"Hostname": "container"'
	contains "$out" '"UsernsMode": "private"'
	contains "$out" '"none": {'
}

# It must not be left out without a word.
says_why_not() {
	inspect_step step05-overlay "$scratch/tiny-linux"
	run setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$inspect"
	contains "$err" "Operation not permitted"
}

# First from outside, as on the machine, then from a second terminal. Seen from
# there, the launcher's parent has no PID.
looks_into_a_sandbox() {
	cd "$top"
	start common/tools/sandbox --share "$bin/step07-bridge-nat/container" \
		rootfs/tiny-linux sleep 4712
	eventually common/tools/sandbox --join ip link show cbr0-2
	start common/tools/sandbox --join "$bin/step05-overlay/container" \
		rootfs/tiny-linux sleep 4711
	eventually sleeper
	run "$inspect"
	contains "$out" '"NetworkMode": "cbr0"' "$err"
	contains "$out" '"IPAddress": "10.200.0.2"'
	run common/tools/sandbox --join "$inspect"
	lacks "$out" '"PidMode": "host"' "$err"
	lacks "$out" '"UsernsMode": "private"'
}

t "no container runs: an empty list" finds_none
for step in $steps; do
	case $step in step01*) continue ;; esac
	t "$step: namespaces shared with the host" tells_what_is_shared "$step"
done
t "-U: namespaces shared with the host" tells_what_is_shared step05-overlay -U
t "the network of step 06" describes_network step06-veth veth-host veth-container
t "the network of step 07" describes_network step07-bridge-nat cbr0 eth0
t "layers and mounts, with odd names" describes_layers
t "arguments, with odd characters" quotes_arguments
t "an ordinary user can inspect a container of -U" works_for_a_user
t "a container that may not be looked into" says_why_not
t "containers in a sandbox, from outside and in a second terminal" \
	looks_into_a_sandbox
done_testing
