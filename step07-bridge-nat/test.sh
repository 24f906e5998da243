#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - step 07: many containers on a bridge, and the internet
. "$(dirname "$0")/../common/test/lib.sh"

# What the machine that the sandbox runs on has it do is another story: see
# "br_netfilter". The setting is each network namespace's own.
bridged=/proc/sys/net/bridge/bridge-nf-call-iptables
[ ! -e $bridged ] || echo 0 >$bridged

# In a list of layers a colon separates.
rootfs=$(printf '%s\n' "$rootfs" | sed 's/:/\\:/g')

# In an image of another owner, who has no number in an ordinary user's sandbox,
# nobody can write: with this layer on top they can in /etc.
if [ ! -O "$top/rootfs/tiny-linux/etc" ]; then
	mkdir -p "$scratch/owner/etc"
	rootfs=$scratch/owner:$rootfs
fi

conf=/proc/sys/net/ipv4/conf
ours='containers-from-scratch '

has() {
	command -v "$1" >/dev/null
}

# compile NAME - common/test/NAME.c to $scratch/NAME
compile() {
	[ -x "$scratch/$1" ] || "${CC:-cc}" -std=c11 -O -static \
		-o "$scratch/$1" "$top/common/test/$1.c" 2>"$scratch/cc" ||
		"${CC:-cc}" -std=c11 -O -o "$scratch/$1" \
			"$top/common/test/$1.c"
}

on_internet() {
	nsenter --net=/run/netns/internet "$@"
}

# serve_internet PORT - a server on the internet that tells who asked it
serve_internet() {
	start nsenter --net=/run/netns/internet "$probes/reach" serve "$1"
	eventually grep -q listening "$T/start.out"
}

# live NAME SCRIPT [OPTION...] - a container that runs SCRIPT and then stays,
# until it gets TERM. $T/NAME has what it prints, $T/NAME.err its errors.
live() {
	name=$1
	script="trap 'exit 0' TERM; peek addresses; $2
		echo ready; sleep 1000 & wait"
	shift 2
	rm -f "$T/$name" # of an earlier one
	"$container" "$@" "$rootfs" sh -c "$script" \
		>"$T/$name" 2>"$T/$name.err" </dev/null &
	echo $! >"$T/$name.pid"
	echo $! >>"$T.started"
	eventually is_up "$name"
}

# live_server NAME [OPTION...] - a container that serves on port 80
live_server() {
	server=$1
	shift
	live "$server" 'reach serve 80 &' "$@"
	eventually grep -q listening "$T/$server"
}

is_up() {
	grep -q ready "$T/$1" || kill -0 "$(cat "$T/$1.pid")" 2>/dev/null ||
		fail "$1: $(cat "$T/$1.err")"
	grep -q ready "$T/$1"
}

# leave NAME... - and no word about it
leave() {
	for name; do
		kill -TERM "$(cat "$T/$name.pid")"
		wait "$(cat "$T/$name.pid")" || :
		is "$(cat "$T/$name.err")" '' "$name: stderr"
	done
}

# killed NAME... - so that it undoes nothing
killed() {
	for name; do
		kill -KILL "$(cat "$T/$name.pid")"
		wait "$(cat "$T/$name.pid")" || :
	done
}

# address NAME
address() {
	sed -n 's/^eth0 \([0-9.]*\)\/.*/\1/p' "$T/$1"
}

# inside NAME CMD... - runs CMD of this side in that container's network
inside() {
	launcher=$(cat "$T/$1.pid")
	shift
	nsenter --net="/proc/$(children_of "$launcher")/ns/net" "$@"
}

# in_new [OPTION...] -- SCRIPT - runs SCRIPT in a container of its own
in_new() {
	options=
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	# shellcheck disable=SC2086 # none of them has blanks
	run "$container" $options "$rootfs" sh -c "$2"
}

# silently - the last run did its work without a word on stderr
silently() {
	is "$status$err" 0
}

# exists LINK...
exists() {
	for link; do
		[ -e "/sys/class/net/$link" ] || return
	done
}

is_gone() {
	! exists "$1"
}

alias_of() {
	cat "/sys/class/net/$1/ifalias"
}

mac_of() {
	cat "/sys/class/net/$1/address"
}

# ports BRIDGE
ports() {
	for port in "/sys/class/net/$1/brif"/*; do
		[ ! -e "$port" ] || printf '%s ' "${port##*/}"
	done
}

# forwarding - the links of which it is on
forwarding() {
	grep -l 1 "$conf"/*/forwarding | sed "s|$conf/\(.*\)/forwarding|\1|" |
		tr '\n' ' '
}

# tables - all there are; empty where there is no nft to ask
tables() {
	! has nft || nft list tables | grep -v '^#' | tr '\n' ' '
}

# note, is_unchanged - of the machine in between
note() {
	"$top/common/test/snapshot" | grep -v ^process >"$T/noted"
}

is_unchanged() {
	"$top/common/test/snapshot" | grep -v ^process >"$T/now"
	diff "$T/noted" "$T/now" || fail "the machine has changed"
}

clean_host() {
	run "$container" --clean-host
	silently
}

# What a killed container holds is gone a moment after it.
cleans_host() {
	"$container" --clean-host >"$T/cleaned"
	is_gone "${1-cbr0}"
}

# ---- What it gives ----

has_an_address() {
	in_new -- 'peek interfaces addresses routes
		cat /sys/class/net/eth0/address /sys/class/net/eth0/mtu'
	silently
	is "$(echo "$out" | grep -v ::)" 'interfaces: lo up
interfaces: eth0 up
addresses: lo 127.0.0.1/8
addresses: eth0 10.200.0.2/24
routes: default via 10.200.0.1 dev eth0
routes: 10.200.0.0/24 dev eth0
02:42:0a:c8:00:02
1500'
}

reaches_all() {
	serve_internet 8080
	live_server one
	live two 'reach ping 10.200.0.1
		reach ping 10.200.0.2
		reach ping 203.0.113.2
		reach ping 198.51.100.1
		reach fetch 198.51.100.1 8080'
	is "$(sed -n '/^reply/,/^[0-9]/p' "$T/two")" 'reply from 10.200.0.1
reply from 10.200.0.2
reply from 203.0.113.2
reply from 198.51.100.1
203.0.113.2' "what the second reaches; last, what the internet's server saw"
	# and all that on the first packet: there is no second within the two
	# seconds that reach waits
	echo 60000 >/proc/sys/net/ipv4/neigh/cbr0/retrans_time_ms
	run "$probes/reach" ping 10.200.0.2
	silently
	leave one two
}

# The article's experiment: a server in one container, fetched from another by
# its address and not at all from the internet's side.
article() {
	live_server server
	in_new -- 'reach fetch 10.200.0.2 80'
	silently
	is "$out" 10.200.0.3 "what the server saw"
	run "$probes/reach" fetch 10.200.0.2 80
	is "$status$err$out" 010.200.0.1 "from the host"

	# Even who knows the way and sends the packets here gets no answer,
	on_internet ip route add 10.200.0.0/24 via 203.0.113.2
	run timeout 0.5 nsenter --net=/run/netns/internet \
		"$probes/reach" fetch 10.200.0.2 80
	is "$status$out" 124 "from the internet"
	# which is due to the last rule.
	if has nft; then
		nft -a list chain ip cbr0 forward |
			sed -n 's/.*drop # handle //p' >"$T/handle"
		nft delete rule ip cbr0 forward handle "$(cat "$T/handle")"
		run on_internet "$probes/reach" fetch 10.200.0.2 80
		is "$status$err$out" 0203.0.113.1
	fi
	on_internet ip route del 10.200.0.0/24
	leave server
}

follows_replies() {
	# The internet knows no way to 10.200.0.0/24, so only what answers comes.
	serve_internet 8080
	live one 'reach fetch 198.51.100.1 8080'
	contains "$(cat "$T/one")" 203.0.113.2
	leave one
}

looks_as_told() {
	live one ''
	is "$(mac_of cbr0)" 02:42:0a:c8:00:01
	is "$(alias_of cbr0)" "${ours}10.200.0.0/24 eth0"
	is "$(ports cbr0)" 'cbr0-2 '
	contains "$(ip -oneline -4 addr show cbr0)" 'inet 10.200.0.1/24 '
	contains "$(ip -oneline link show cbr0)" ',UP'
	# the other end came into being where it is
	lacks "$(ip -oneline link show)" ' eth0@cbr0'
	! has nft || is "$(nft list table ip cbr0)" 'table ip cbr0 {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 10.200.0.0/24 oifname != "cbr0" masquerade
	}

	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname "cbr0" accept
		oifname "cbr0" ct state established,related accept
		oifname "cbr0" drop
	}
}'
	leave one
}

forwards_two_links() {
	live one ''
	is "$(forwarding)" 'cbr0 eth0 '
	is "$(cat /proc/sys/net/ipv4/ip_forward)" 0
	leave one
	is "$(forwarding)" ''
}

first_in_last_out() {
	for order in 'one two' 'two one'; do
		live one ''
		live two ''
		live three ''
		is "$(ports cbr0)" 'cbr0-2 cbr0-3 cbr0-4 '
		leave three
		for name in $order; do
			is "$(forwarding)" 'cbr0 eth0 '
			exists cbr0 || fail 'cbr0 has gone before its last port'
			leave "$name"
		done
		is "$(forwarding)$(tables)" ''
		! exists cbr0 || fail 'cbr0 has stayed'
	done
}

# Where the host's side is not ready when the command starts, the first packet
# is lost, and the next is sent a second later: that was so in one of three.
loses_nothing() {
	late=0
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		run timeout 0.9 "$container" "$rootfs" reach ping 10.200.0.1
		[ "$status" -eq 0 ] || late=$((late + 1))
		is "$err" ''
	done
	# A busy machine can be late by itself.
	[ "$late" -le 2 ] || fail "$late of 20 took a second"
}

# ---- Options ----

takes_a_bridge_and_a_subnet() {
	for option in '-b br0.1 -s 172.20.1.8/29 172.20.1.10 172.20.1.9' \
		'--bridge b_-br7 --subnet 192.168.0.0/16 192.168.0.2 192.168.0.1' \
		'-b br10x -s 100.64.128.0/17 100.64.128.2 100.64.128.1'; do
		# shellcheck disable=SC2086 # several words
		set -- $option
		live one "reach ping $6; reach ping 198.51.100.1" "$1" "$2" "$3" "$4"
		is "$(address one)" "$5"
		contains "$(cat "$T/one")" "reply from $6
reply from 198.51.100.1"
		is "$(alias_of "$2")" "$ours$4 eth0"
		is "$(ports "$2")" "$2-2 "
		# Who saves all the rules, as administrators do, can load them.
		! has nft || nft list ruleset | nft --check --file -
		leave one
	done
}

has_two_bridges() {
	serve_internet 8080
	for first in one two; do
		live_server one
		live two '' -b br1 -s 10.201.0.0/24
		is "$(forwarding)" 'br1 cbr0 eth0 '
		# They do not let each other in.
		run inside two timeout 0.5 "$probes/reach" fetch 10.200.0.2 80
		is "$status$out" 124 'from one bridge to the other'
		# Whoever leaves first leaves the other the internet.
		leave "$first"
		case $first in
		one) other=two ;;
		two) other=one ;;
		esac
		run inside "$other" "$probes/reach" fetch 198.51.100.1 8080
		is "$status$err$out" 0203.0.113.2 "the $other one, now alone"
		leave "$other"
		is "$(forwarding)$(tables)" ''
	done
}

fills_the_subnet() {
	for name in 2 3 4 5 6; do
		live "$name" '' -s 10.9.8.0/29
	done
	in_new -s 10.9.8.0/29 -- 'echo in'
	one_line_error 125 10.9.8.0/29 full 5
	is "$(ports cbr0)" 'cbr0-2 cbr0-3 cbr0-4 cbr0-5 cbr0-6 '
	leave 4
	in_new -s 10.9.8.0/29 -- 'peek addresses'
	silently
	contains "$out" 'eth0 10.9.8.4/29'
	leave 2 3 5 6
}

# Who was talked to under an address is talked to at once under the same again.
reuses_addresses() {
	live one ''
	for name in two three; do
		live "$name" 'reach ping 10.200.0.2; reach ping 10.200.0.1'
		is "$(address "$name")" 10.200.0.3
		run inside one "$probes/reach" ping 10.200.0.3
		silently
		run "$probes/reach" ping 10.200.0.3
		silently
		leave "$name"
	done
	leave one
}

keeps_its_mac() {
	live one ''
	mac=$(mac_of cbr0)
	for name in two three four; do
		live "$name" ''
		is "$(mac_of cbr0)" "$mac"
	done
	run inside four "$probes/reach" ping 198.51.100.1
	# Left to itself, the bridge would have that of the first and then another.
	for name in one two three; do
		leave "$name"
		is "$(mac_of cbr0)" "$mac"
		run inside four "$probes/reach" ping 198.51.100.1
		silently
	done
	leave four
}

suits_the_mtu() {
	ip link set eth0 mtu 1380
	in_new -- 'cat /sys/class/net/eth0/mtu; reach ping 198.51.100.1'
	silently
	is "$out" '1380
reply from 198.51.100.1'
	ip link set eth0 mtu 1500
}

# ---- Many ----

# crowd COUNT SCRIPT - as many containers at the same moment. Each runs SCRIPT,
# says "ready" and stays until disperse.
crowd() {
	rm -rf "$T/crowd"
	mkdir "$T/crowd"
	mkfifo "$T/crowd/gate"
	crowd=$1
	pids=
	i=0
	while [ "$i" -lt "$crowd" ]; do
		i=$((i + 1))
		# Opening the gate for reading waits until it is opened.
		"$container" "$rootfs" sh -c "$2
			echo ready; read -r _" <"$T/crowd/gate" \
			>"$T/crowd/$i.out" 2>"$T/crowd/$i.err" &
		pids="$pids $!"
		echo $! >>"$T.started"
	done
	exec 9>"$T/crowd/gate"
	eventually all_ready
	cat "$T"/crowd/*.out >"$T/crowd/outs"
	is "$(cat "$T"/crowd/*.err)" '' "what $crowd containers complain of"
}

all_ready() {
	[ "$(cat "$T"/crowd/*.out | grep -c ready)" -eq "$crowd" ]
}

# disperse - by killing every other one
disperse() {
	i=0
	for pid in $pids; do
		i=$((i + 1))
		[ $((i % 2)) -eq 0 ] || kill -KILL "$pid"
	done
	exec 9>&-
	for pid in $pids; do
		wait "$pid" || :
	done
	is "$(cat "$T"/crowd/*.err)" '' "what $crowd containers complain of"
	rm "$T.started"
}

has_no_address_twice() {
	rounds=$1
	while [ "$rounds" -gt 0 ]; do
		rounds=$((rounds - 1))
		crowd "$2" 'peek addresses'
		sed -n 's/^eth0 \(10[^/]*\).*/\1/p' "$T/crowd/outs" |
			sort >"$T/addresses"
		is "$(wc -l <"$T/addresses")" "$2" "addresses"
		is "$(uniq -d "$T/addresses")" '' "addresses that two have"
		is "$(ports cbr0 | wc -w)" "$2" "ports"
		disperse
	done
	eventually cleans_host
}

# Each of eight is the first in or the last out at times.
come_and_go() {
	pids=
	for worker in 1 2 3 4 5 6 7 8; do
		for _ in 1 2 3 4 5 6 7 8; do
			"$container" "$rootfs" reach ping 10.200.0.1 || echo bad
		done >"$T/out.$worker" 2>&1 &
		pids="$pids $!"
		echo $! >>"$T.started"
	done
	# shellcheck disable=SC2086 # words
	wait $pids
	rm "$T.started"
	is "$(sort "$T"/out.* | uniq -c | tr -s ' ')" \
		' 64 reply from 10.200.0.1'
	! exists cbr0 || fail 'cbr0 has stayed'
}

# In the article's subnet, so the last number is below 255.
many_reach_all() {
	# shellcheck disable=SC2016 # for that shell
	crowd "$1" 'all=$(peek addresses)
		mine=${all#*eth0 10.200.0.}
		mine=${mine%%/*}
		# Those to come are not there yet.
		until reach ping 10.200.0.$((mine == 2 ? '"$1"' : mine - 1)); do
			sleep 0.1
		done 2>/dev/null
		reach ping 10.200.0.1
		reach ping 198.51.100.1'
	is "$(grep -c 'reply from 10.200.0.1$' "$T/crowd/outs")" "$1" "gateway"
	is "$(grep -c 'reply from 198.51.100.1$' "$T/crowd/outs")" "$1" "internet"
	is "$(grep -c 'reply' "$T/crowd/outs")" $(($1 * 3)) "with siblings"
	disperse
	eventually cleans_host
}

# ---- What SIGKILL leaves ----

leaves_what_clean_host_removes() {
	live one ''
	live two '' -b br1 -s 10.201.0.0/24
	killed one two
	eventually has_no_ports cbr0 br1
	is "$(forwarding)" 'br1 cbr0 eth0 '
	clean_host
	is "$(echo "$out" | sort)" 'br1: removed, with its rules and its forwarding
cbr0: removed, with its rules and its forwarding'
	is "$(forwarding)$(tables)" ''
	clean_host
	is "$out" 'there is nothing to clean'
}

has_no_ports() {
	for bridge; do
		[ -z "$(ports "$bridge")" ] || return
	done
}

leaves_what_the_next_removes() {
	serve_internet 8080
	live one ''
	killed one
	# whether its port is gone by now or not
	in_new -- 'reach fetch 198.51.100.1 8080'
	is "$status$err$out" 0203.0.113.2
	# It leaves the bridge, if the port of the dead one is still there.
	eventually cleans_host
	live one ''
	killed one
	eventually has_no_ports cbr0
	in_new -- 'reach fetch 198.51.100.1 8080'
	is "$status$err$out" 0203.0.113.2
	! exists cbr0 || fail "cbr0 has stayed"
	live one ''
	killed one
	eventually has_no_ports cbr0
	in_new -s 10.201.0.0/24 -- 'reach fetch 198.51.100.1 8080'
	is "$status$err$out" 0203.0.113.2 "in another subnet"
	! exists cbr0 || fail "cbr0 has stayed"
}

spares_what_lives() {
	live one ''
	clean_host
	contains "$out" 'cbr0: left'
	run inside one "$probes/reach" ping 198.51.100.1
	silently
	leave one
}

spares_what_is_foreign() {
	ip link add br-lan type bridge
	ip link set br-lan alias "not $ours"
	ip link add cbr0-lan type veth peer name lan-cbr0
	ip link add br-dead address 02:42:0a:c9:00:01 type bridge
	! has nft || nft 'add table ip br-lan; add table ip cbr0'
	note
	clean_host
	is "$out" 'there is nothing to clean'
	is_unchanged
	ip link del br-lan
	ip link del br-dead
	ip link del cbr0-lan
	! has nft || nft 'delete table ip br-lan; delete table ip cbr0'
}

# locks N PATTERN - so many lines of the kernel's list of locks match
locks() {
	[ "$(grep -c -e "$2" /proc/locks)" -eq "$1" ]
}

# Two bridges that are made at the same time: one finds the other's route.
shares_no_subnet() {
	start flock --no-fork /proc/self/ns/net sleep 4711
	eventually locks 1 FLOCK
	holder=$pid
	for name in br1 br2; do
		"$container" -b $name "$rootfs" sh -c \
			'trap "exit 0" TERM; sleep 1000 & wait' \
			2>"$T/$name.err" </dev/null &
		echo $! >>"$T.started"
	done
	eventually locks 2 '-> FLOCK'
	kill "$holder"
	eventually grep -q 'routes 10.200.0.0/24 to br[12] already' \
		"$T/br1.err" "$T/br2.err"
	is "$(cat "$T/br1.err" "$T/br2.err" | wc -l)" 1
}

# ---- Among others ----

# docker - the rules that dockerd 20.10 makes, and its setting: see meets_dockerd
docker() {
	has iptables-nft-restore || skip 'no iptables-nft here'
	iptables-nft-restore <"$top/common/test/docker.rules"
	echo 1 >/proc/sys/net/ipv4/ip_forward
}

# without_docker - what docker did
without_docker() {
	nft flush ruleset
	echo 0 >/proc/sys/net/ipv4/ip_forward
}

rules() {
	nft --stateless list ruleset
}

lives_with_docker() {
	docker
	rules >"$T/dockers"
	serve_internet 8080
	live one 'reach fetch 198.51.100.1 8080'
	contains "$(cat "$T/one")" 203.0.113.2
	is "$(rules | grep -c 'comment "cbr0" accept\|accept comment "cbr0"')" 2
	# once, whoever comes, and whoever saves and restores them
	iptables-nft-save >"$T/saved"
	iptables-nft-restore <"$T/saved"
	live two 'reach fetch 198.51.100.1 8080'
	contains "$(cat "$T/two")" 203.0.113.2
	is "$(rules | grep -c cbr0)" 7 "lines of ours"
	# What comes in uncalled is dropped by ours.
	on_internet ip route add 10.200.0.0/24 via 203.0.113.2
	run timeout 0.5 nsenter --net=/run/netns/internet \
		"$probes/reach" ping 10.200.0.2
	is "$status" 124
	on_internet ip route del 10.200.0.0/24
	leave one two
	is "$(rules)" "$(cat "$T/dockers")" "Docker's rules"
	is "$(cat "$conf/eth0/forwarding")" 1
	without_docker
}

meets_docker_later() {
	serve_internet 8080
	live one ''
	docker
	rules | sed '/^table ip cbr0/,/^}/d' >"$T/dockers"
	live two 'reach fetch 198.51.100.1 8080'
	contains "$(cat "$T/two")" 203.0.113.2
	run inside one "$probes/reach" fetch 198.51.100.1 8080
	is "$status$err$out" 0203.0.113.2
	leave one two
	is "$(rules)" "$(cat "$T/dockers")" "Docker's rules"
	is "$(cat "$conf/eth0/forwarding")" 1 "forwarding, for Docker"
	without_docker
}

# Docker itself. It wants /etc/docker, directories of its own, and to load
# br_netfilter, which would stay.
meets_dockerd() {
	mkdir "$T/etc" "$T/work"
	# shellcheck disable=SC2016 # for that shell
	start setpriv --bounding-set=-sys_module --inh-caps=-sys_module \
		unshare --mount sh -euc '
		mount -t overlay overlay \
			-o lowerdir=/etc,upperdir="$1/etc",workdir="$1/work" /etc
		exec dockerd --data-root "$1/data" --exec-root "$1/exec" \
			-p "$1/pid" -H "unix://$1/socket" --storage-driver vfs
		' sh "$T"
	dockerd=$pid
	patience=60
	eventually grep -q 'API listen' "$T/start.err"
	rules >"$T/dockers"
	contains "$(cat "$T/dockers")" DOCKER-USER
	# Those of the version that docker.rules names are these.
	case $(dockerd --version) in *' 20.10.'*)
		is "$(iptables-nft-save | grep -v '^#')" \
			"$(grep -v '^#' "$top/common/test/docker.rules")"
		;;
	esac
	live one 'reach ping 198.51.100.1'
	contains "$(cat "$T/one")" 'reply from 198.51.100.1'
	leave one
	is "$(rules)" "$(cat "$T/dockers")" "Docker's rules"
	kill -TERM "$dockerd"
	wait "$dockerd" || :
	rmdir /run/docker/plugins /run/docker
	ip link del docker0
	without_docker
}

# warned CHAIN - the container is not helped by our rules, and that is said,
# with a command that helps
warned() {
	serve_internet 8080
	in_new -- 'echo in; reach fetch 198.51.100.1 8080 2>/dev/null'
	is "$(wc -l <"$T/err")" 1 "lines on stderr"
	contains "$err" "$1"
	isnt "$status" 0 "reaching the internet"
	contains "$out" in
	sh -c "${err#*to allow it: }"
	in_new -- 'reach fetch 198.51.100.1 8080'
	is "$status$err$out" 0203.0.113.2
}

warns_of_a_reject() {
	has nft || skip 'no nft here'
	nft 'add table inet wall
		add chain inet wall pass { type filter hook forward priority 10; }
		add rule inet wall pass ct state established,related accept
		add rule inet wall pass reject with icmpx admin-prohibited'
	warned 'chain inet wall pass'
	nft flush ruleset
}

warns_of_a_policy() {
	has iptables-nft || skip 'no iptables-nft here'
	iptables-nft -P FORWARD DROP
	warned 'chain ip filter FORWARD'
	nft flush ruleset
}

survives_a_flush() {
	has nft || skip 'no nft here'
	serve_internet 8080
	live one ''
	nft list table ip cbr0 >"$T/ours"
	nft flush ruleset
	run inside one timeout 0.5 "$probes/reach" fetch 198.51.100.1 8080
	is "$status$out" 124 "without rules"
	live two ''
	is "$(nft list table ip cbr0)" "$(cat "$T/ours")"
	run inside one "$probes/reach" fetch 198.51.100.1 8080
	is "$status$err$out" 0203.0.113.2 "with rules again"
	nft flush ruleset
	leave one two
}

keeps_foreign_rules() {
	has nft || skip 'no nft here'
	nft 'add table ip cbr00
		add table inet cbr0
		add table ip nat
		add chain ip nat postrouting { type nat hook postrouting priority 0; }
		add rule ip nat postrouting oifname eth7 masquerade'
	rules >"$T/foreign"
	in_new -- 'reach ping 198.51.100.1'
	silently
	is "$(rules)" "$(cat "$T/foreign")"
	nft flush ruleset
}

sees_br_netfilter() {
	if [ ! -e "$bridged" ]; then
		in_new -- 'reach ping 198.51.100.1'
		silently
		return
	fi
	echo 1 >"$bridged"
	live one ''
	in_new -- 'reach ping 10.200.0.2; reach ping 198.51.100.1'
	is "$status$err" 0 "it is said once"
	is "$(cat "$bridged")" 1 "somebody else's setting"
	is "$(wc -l <"$T/one.err")" 1 "lines on stderr"
	contains "$(cat "$T/one.err")" bridge-nf-call-iptables
	: >"$T/one.err"
	leave one
	echo 0 >"$bridged"
}

needs_no_default_route() {
	live two ''
	ip route del default
	for router in '' 'ip -6 route add default dev eth0'; do
		$router
		in_new -- 'echo in; reach ping 10.200.0.1; reach ping 10.200.0.2'
		is "$status" 0
		is "$(wc -l <"$T/err")" 1 "lines on stderr"
		contains "$err" 'no IPv4 default route'
		contains "$out" 'reply from 10.200.0.2'
	done
	leave two
	in_new -- 'echo in; reach ping 10.200.0.1'
	is "$(forwarding)" ''
	ip -6 route del default
	ip route add default via 203.0.113.1
}

# A second way to the internet, by another router and address.
connect_again() {
	ip link add wan2 type veth peer name router2 netns internet
	on_internet ip addr add 192.0.2.1/24 dev router2
	on_internet ip link set router2 up
	ip addr add 192.0.2.2/24 dev wan2
	ip link set wan2 up
	eventually grep -q up /sys/class/net/wan2/operstate
}

has_two_uplinks() {
	connect_again
	ip route add default via 192.0.2.1 metric 100
	serve_internet 8080
	in_new -- 'reach fetch 198.51.100.1 8080'
	is "$status$err$out" 0203.0.113.2 "by the better one"
	ip route add 198.51.100.1/32 via 192.0.2.1
	echo 1 >"$conf/wan2/forwarding"
	in_new -- 'reach fetch 198.51.100.1 8080'
	is "$status$err$out" 0192.0.2.2 "by a route of its own"
	is "$(cat "$conf/wan2/forwarding")" 1 "what was on before"
	ip link del wan2
}

changes_the_uplink() {
	connect_again
	serve_internet 8080
	live one ''
	ip route replace default via 192.0.2.1
	live two ''
	is "$(alias_of cbr0)" "${ours}10.200.0.0/24 eth0 wan2"
	for name in one two; do
		run inside "$name" "$probes/reach" fetch 198.51.100.1 8080
		is "$status$err$out" 0192.0.2.2 "$name"
	done
	leave one two
	is "$(forwarding)" ''
	# One that is gone needs nothing restored.
	live one ''
	ip link del wan2
	leave one
	is "$(forwarding)" ''
	ip route add default via 203.0.113.1
}

suits_strict_filters() {
	for link in all default eth0; do
		echo 1 >"$conf/$link/rp_filter"
	done
	serve_internet 8080
	live one 'reach fetch 198.51.100.1 8080'
	contains "$(cat "$T/one")" 203.0.113.2
	in_new -- 'reach ping 10.200.0.2'
	silently
	leave one
	for link in all default eth0; do
		echo 0 >"$conf/$link/rp_filter"
	done
}

refuses_overlaps() {
	ip link add tun0 type veth peer name tun1
	ip link set tun0 up
	for route in 10.200.0.0/24 10.200.0.128/25 10.200.0.7/32 10.0.0.0/8 \
		10.200.0.0/16; do
		ip route add "$route" dev tun0
		in_new -- 'echo in'
		one_line_error 125 "${route%/*}" tun0 --subnet
		in_new -s 192.168.7.0/24 -- 'reach ping 192.168.7.1'
		silently
		ip route del "$route" dev tun0
	done
	ip route add blackhole 10.200.0.0/24
	in_new -- 'echo in'
	one_line_error 125 10.200.0.0/24 --subnet
	ip route del blackhole 10.200.0.0/24
	# So a VPN takes all there is, and it is no overlap.
	ip route add 0.0.0.0/1 via 203.0.113.1
	ip route add 128.0.0.0/1 via 203.0.113.1
	in_new -- 'reach ping 198.51.100.1'
	silently
	ip route del 0.0.0.0/1
	ip route del 128.0.0.0/1
	ip link del tun0
}

refuses_overlaps_of_its_own() {
	live one ''
	in_new -b br1 -- 'echo in'
	one_line_error 125 10.200.0.0/24 cbr0 --subnet
	in_new -s 10.202.0.0/24 -- 'echo in'
	one_line_error 125 cbr0 10.200.0.0/24 --bridge
	in_new -s 10.200.0.0/25 -- 'echo in'
	one_line_error 125 10.200.0.0/24
	in_new -s 10.200.0.0/2 -- 'echo in'
	one_line_error 125 --subnet
	leave one
	# The longest that there are, which differ in their last letters.
	live one '' -s 192.168.100.128/25
	for subnet in 192.168.100.128/26 192.168.100.128/29; do
		in_new -s $subnet -- 'echo in'
		one_line_error 125 192.168.100.128/25 --bridge
	done
	leave one
	! exists br1 || fail "br1 was made"
}

# ---- DNS ----

# with_resolv_conf TEXT UPSTREAM SCRIPT [ROOTFS] - runs SCRIPT in a container
# of a host with these files; a text of - is no file
with_resolv_conf() {
	mkdir -p "$T/etc" "$T/work" /run/systemd/resolve
	printf '%b' "$1" >"$T/resolv.conf"
	[ "$2" = - ] || printf '%b' "$2" >/run/systemd/resolve/resolv.conf
	# shellcheck disable=SC2016 # for that shell
	run unshare --mount sh -euc '
		if [ "$2" = - ]; then
			mount -t overlay overlay \
				-o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/work" /etc
			rm -f /etc/resolv.conf
		else
			mount --bind "$1/resolv.conf" /etc/resolv.conf
		fi
		exec "$3" "$4" sh -c "$5"
		' sh "$T" "$1" "$container" "${4:-$rootfs}" "$3"
	rm -rf /run/systemd
}

gets_resolv_conf() {
	sum=$(cat "$top"/rootfs/tiny-linux/etc/* | cksum)
	real='# by hand\nsearch example.test\nnameserver 198.51.100.1\n'
	loop='nameserver 127.0.0.53\noptions edns0\n'
	show='cat /etc/resolv.conf; ls -l /etc/resolv.conf'
	for case in "$real|-|198.51.100.1" "$real|$loop|198.51.100.1" \
		"$loop|nameserver 192.0.2.1\n|192.0.2.1" \
		"nameserver\t127.0.0.1\n|nameserver 192.0.2.1\n|192.0.2.1" \
		"nameserver ::1\n|nameserver 192.0.2.1\n|192.0.2.1" \
		"-|nameserver 192.0.2.1\n|192.0.2.1"; do
		host=${case%%|*}
		upstream=${case%|*}
		with_resolv_conf "$host" "${upstream#*|}" "$show"
		silently
		is "$(echo "$out" | sed -n 's/^nameserver //p')" "${case##*|}" "$case"
		contains "$out" '-rw-r--r--'
	done
	with_resolv_conf "$real" - 'cat /etc/resolv.conf'
	is "$out" "$(printf '%b' "$real")" "the host's file"
	is "$(cat "$top"/rootfs/tiny-linux/etc/* | cksum)" "$sum" "the image's files"
}

has_no_resolver() {
	for case in "nameserver 127.0.0.53\n|-" \
		"nameserver 127.0.0.53\n|nameserver ::1\n" "|-" '-|-'; do
		with_resolv_conf "${case%|*}" "${case#*|}" 'echo in'
		is "$status$out" 0in
		is "$(wc -l <"$T/err")" 1 "lines on stderr"
		contains "$err" resolv.conf
	done
}

keeps_the_images_resolv_conf() {
	mkdir -p "$T/layer/etc"
	image=$T/layer:$rootfs
	server='nameserver 198.51.100.1\n'
	echo "the image's" >"$T/layer/etc/resolv.conf"
	with_resolv_conf "$server" - 'cat /etc/resolv.conf' "$image"
	is "$status$out" '0nameserver 198.51.100.1'
	is "$(cat "$T/layer/etc/resolv.conf")" "the image's"

	# As in images of systemd, and as an attack: it is not followed.
	echo "the host's" >"$T/target"
	for link in ../run/systemd/resolve/stub-resolv.conf "$T/target" \
		../../../../../../../"$T/target"; do
		ln -sf "$link" "$T/layer/etc/resolv.conf"
		with_resolv_conf "$server" - 'cat /etc/resolv.conf' "$image"
		is "$status$out" '0nameserver 198.51.100.1'
		is "$(readlink "$T/layer/etc/resolv.conf")" "$link"
	done
	is "$(cat "$T/target")" "the host's"

	# One that is a directory, and an /etc that is not one
	rm "$T/layer/etc/resolv.conf"
	mkdir "$T/layer/etc/resolv.conf"
	with_resolv_conf "$server" - 'echo in' "$image"
	is "$status$out" 0in
	is "$(wc -l <"$T/err")" 1 "lines on stderr"
	contains "$err" etc/resolv.conf
	rmdir "$T/layer/etc/resolv.conf" "$T/layer/etc"
	ln -s "$T" "$T/layer/etc"
	with_resolv_conf "$server" - 'echo in' "$image"
	one_line_error 125 etc
}

# as_a_user CMD... - as root over what is root's, and over nothing else, as in
# an ordinary user's sandbox
as_a_user() {
	# shellcheck disable=SC2016 # for that shell
	run unshare --user --map-root-user --net sh -euc '
		[ ! -e "$1" ] || echo 0 >"$1"
		shift
		ip link add wan up type bridge
		ip route add default dev wan
		exec "$@"' sh "$bridged" "$@"
}

# An ordinary user cannot make an image of another's, but finds a layer for one.
knows_images_of_others() {
	theirs=$T/layer
	mkdir -p "$theirs/etc"
	chown 1000 "$theirs/etc" 2>/dev/null || theirs=/usr/local
	[ -d "$theirs/etc" ] || skip "no $theirs/etc"
	as_a_user "$container" "$theirs:$rootfs" sh -c 'echo in'
	is "$status$out" 0in
	is "$(wc -l <"$T/err")" 1 "lines on stderr"
	contains "$err" 'cp /etc/resolv.conf etc/resolv.conf (the container will find no names'
	contains "$err" ': Permission denied'
	# This is what it says.
	contains "$err" "another user's? Take a copy of it: cp -r"
	mkdir "$T/copy"
	cp -r "$theirs/etc" "$T/copy"
	as_a_user "$container" "$T/copy:$rootfs" cat /etc/resolv.conf
	silently
	is "$out" "$(cat /etc/resolv.conf)"
}

resolves_names() {
	compile dns
	mkdir -p "$T/layer/bin"
	cp "$scratch/dns" "$T/layer/bin"
	image=$T/layer:$rootfs
	start nsenter --net=/run/netns/internet "$scratch/dns" serve 198.51.100.1
	eventually grep -q listening "$T/start.out"
	server='nameserver 198.51.100.1\n'
	for case in "$server|-" "nameserver 127.0.0.53\n|$server"; do
		with_resolv_conf "${case%|*}" "${case#*|}" \
			'dns ask www.example.test; dns ask no.example.test' "$image"
		is "$status$out" 1192.0.2.80
		contains "$err" 'no such name'
	done
	# by the image's own resolver, too
	if [ -e "$top/rootfs/tiny-linux/bin/nslookup" ]; then
		with_resolv_conf "$server" - 'nslookup -type=a www.example.test'
		contains "$out" 192.0.2.80
	fi
}

# ---- Bad input and faults ----

refuses_names() {
	# "-254" and "-65534" have to fit behind it, and nft has words of its own.
	for name in '' 0br0 .br0 -br0 'a br0' 'a/br0' 'a%dbr0' 'a:br0' \
		"$(printf '\303\244br0')" eight-bytbr0 sixteen-bytesbr0 \
		br x0 ip inet bridge accept drop comment ip6 icmpv6 rt0; do
		run "$container" --bridge="$name" "$rootfs" true
		one_line_error 125 --bridge
	done
	run "$container" -b six-bytbr0 -s 10.0.0.0/16 "$rootfs" true
	one_line_error 125 six-bytbr0 9
	in_new -b elevenbybr0 -- 'reach ping 198.51.100.1'
	silently
	in_new -b nine-bbr0 -s 10.96.0.0/16 -- 'reach ping 198.51.100.1'
	silently
}

refuses_subnets() {
	for subnet in '' 10.200.0.0 10.200.0/24 10.200.0.0/ 10.200.0.0/024 \
		10.200.0.0/24x 10.200.0.0/-1 10.200.0.256/24 fe80::/64 \
		' 10.200.0.0/24' 10.200.0.0/33 10.200.0.0/30 10.200.0.0/15 \
		10.0.0.0/8 0.0.0.0/0 10.200.0.1/24 10.200.1.0/16 10.0.0.4/29 \
		127.0.0.0/24 0.0.0.0/24 224.0.0.0/24 255.255.255.248/29; do
		run "$container" --subnet="$subnet" "$rootfs" true
		one_line_error 125 "--subnet '$subnet'"
	done
}

refuses_taken_names() {
	for link in 'type veth peer name other' 'type bridge' \
		'address 02:42:0a:c8:00:01 type bridge'; do
		# shellcheck disable=SC2086 # several words
		ip link add cbr0 $link
		note
		in_new -- 'echo in'
		one_line_error 125 cbr0 --bridge
		is_unchanged
		ip link del cbr0
	done
	ip link property add dev eth0 altname cbr0
	in_new -- 'echo in'
	one_line_error 125 cbr0 --bridge
	ip link property del dev eth0 altname cbr0
	# A lease that somebody has is passed over.
	ip link add cbr0-2 type bridge
	in_new -- 'peek addresses'
	silently
	contains "$out" 10.200.0.3/24
	ip link del cbr0-2
}

needs_capabilities() {
	for capability in net_admin sys_admin; do
		run setpriv --bounding-set="-$capability" \
			"$container" "$rootfs" true
		one_line_error 125 'Operation not permitted'
	done
	run "$container" -U "$rootfs" true
	one_line_error 125 'Operation not permitted' -U
	live one ''
	killed one
	eventually has_no_ports cbr0
	run setpriv --bounding-set=-net_admin "$container" --clean-host
	eventually cleans_host
	isnt "$status" 0
}

needs_sysctl() {
	run unshare --mount sh -euc 'mount --bind /proc/sys /proc/sys
		mount -o remount,bind,ro /proc/sys
		exec "$@"' sh "$container" "$rootfs" true
	one_line_error 125 sysctl forwarding 'Read-only file system'
}

# reading_nothing CMD... - where it cannot be read whether the host forwards,
# and few files can be open at a time
reading_nothing() {
	# shellcheck disable=SC2016 # for that shell
	unshare --mount sh -euc '
		mount --bind /proc/1/mem /proc/sys/net/ipv4/conf/all/forwarding
		exec prlimit --nofile=8 "$@"' sh "$@"
}

goes_on_when_sysctl_fails() {
	for n in 1 2 3; do
		ip link add "cbr$n" type bridge
		ip link set "cbr$n" alias "${ours}10.20$n.0.0/24 cbr$n"
	done
	run reading_nothing "$container" --clean-host
	is "$status$out" '125cbr1: could not be removed
cbr2: could not be removed
cbr3: could not be removed'
	is "$(grep -c 'sysctl.*all/forwarding: Input/output error' \
		"$T/err")" 3 "$err"
	run "$container" --clean-host
	silently
}

# Commands that do not start and images that do not fit, after the bridge was
# made and at the same time.
leaves_nothing_when_it_fails() {
	mkdir -p "$T/layer"
	: >"$T/layer/proc"
	image=$T/layer:$rootfs
	for try in 1 2 3 4 5 6; do
		run "$container" "$rootfs" no-such-command
		one_line_error 127 no-such-command
		is "$(forwarding)$(tables)" '' "try $try"
		run "$container" "$image" true
		one_line_error 125 /proc
		is "$(forwarding)$(tables)" '' "try $try"
	done
}


# faulty SIDE CALL N FAULT - sets $status to 99 where there is no Nth CALL
faulty() {
	status=0
	ran="fault $*"
	: >"$T.asserted"
	timeout 10 "$probes/fault" "$@" "$container" "$rootfs" true \
		>"$T/out" 2>"$T/err" || status=$?
	[ "$status" -ne 99 ] || return 0
	points=$((points + 1))
	err=$(cat "$T/err")
	out=$(cat "$T/out")
}

# begin_faults - whatever the test before this one has left
begin_faults() {
	"$container" --clean-host >/dev/null
	echo 0 >"$conf/eth0/forwarding"
	points=0 residues=0 status=0
}

# is_clean - after cleaning, where something has stayed
is_clean() {
	if exists cbr0; then
		residues=$((residues + 1))
		eventually cleans_host
	fi
	is "$(cat "$conf/eth0/forwarding")$(tables)" 0
}

survives_kill() {
	begin_faults
	n=1
	while [ "$status" -ne 99 ]; do
		faulty host any "$n" KILL
		is_clean
		n=$((n + stride))
	done
	isnt "$points" 0
	isnt "$residues" 0
}

survives_errors() {
	begin_faults
	for call in $2; do
		n=$(((points + $$) % stride + 1)) status=0
		while [ "$status" -ne 99 ]; do
			case $((n % 4)) in
			0) error=EPERM ;;
			1) error=ENOMEM ;;
			2) error=EMFILE ;;
			3) error=ENOSPC ;;
			esac
			faulty "$1" "$call" "$n" "$error"
			judge "$call" "$n"
			n=$((n + stride))
		done
	done
	isnt "$points" 0
}

# judge CALL N - a line and 125, or it did not matter
judge() {
	case $status in
	99) return ;;
	# These two are the dynamic loader's.
	127) contains "$err" "error while loading shared libraries" ;;
	125) is "$(wc -l <"$T/err")" 1 "$ran: lines on stderr" ;;
	0) [ "$(wc -l <"$T/err")" -le 1 ] || fail "$ran" ;;
	*) fail "$ran" ;;
	esac
	is_clean
}

# The journal has 255 bytes; a change that finds no room there is not made.
needs_room_for_the_journal() {
	live one ''
	echo 0 >"$conf/eth0/forwarding"
	full="${ours}10.200.0.0/24 $(seq -s ' ' 1001 1043)"
	ip link set cbr0 alias "$full"
	run "$container" "$rootfs" echo in
	one_line_error 125 'ip link set cbr0 alias ... eth0' 'out of range'
	is "$(cat "$conf/eth0/forwarding")$(alias_of cbr0)" "0$full"
	ip link set cbr0 alias "${ours}10.200.0.0/24 eth0"
	leave one
}

# The links that are asked for first are the uplink and the bridge.
survives_links_that_go() {
	begin_faults
	for n in 1 2 3 4; do
		faulty host sendto "$n" ENODEV
		judge sendto "$n"
	done
}

# What cannot be asked is not taken for an answer: a container that runs reaches
# the internet.
says_what_it_cannot_ask() {
	docker
	begin_faults
	echo 1 >"$conf/eth0/forwarding"
	for call in sendto recvfrom; do
		n=1 status=0
		while [ "$status" -ne 99 ]; do
			run timeout 10 "$probes/fault" host $call "$n" ENOMEM \
				"$container" "$rootfs" reach ping 198.51.100.1
			case $status in
			0 | 99) ;;
			*) one_line_error 125 'Cannot allocate memory' ;;
			esac
			n=$((n + 1))
		done
		isnt "$n" 2
	done
	eventually cleans_host
	without_docker
}

cleans_host_or_says_why() {
	begin_faults
	for call in sendto recvfrom; do
		n=1 status=0
		while [ "$status" -ne 99 ]; do
			exists cbr0 || ip link add cbr0 type bridge
			ip link set cbr0 alias "${ours}10.200.0.0/24"
			run timeout 10 "$probes/fault" host $call "$n" ENOMEM \
				"$container" --clean-host
			case $status in
			0) is_gone cbr0 || fail "cbr0 has stayed" ;;
			99) ;;
			*) contains "$status$err" '125container[host]' ;;
			esac
			n=$((n + 1))
		done
	done
	is "$(tables)" ''
}

survives_interrupts() {
	begin_faults
	for call in recvfrom sendto; do
		for side in host container; do
			n=1 status=0
			while [ "$status" -ne 99 ]; do
				faulty "$side" "$call" "$n" EINTR
				[ "$status" -eq 99 ] || is "$status$err" 0
				is_clean
				n=$((n + 2 * stride))
			done
		done
	done
	is "$residues" 0
}

# ---- What -v prints ----

# state - the network as the kernel has it, but for what counts up
state() {
	{
		ip -json -details link show
		ip -json addr show
		ip -json route show table all
		forwarding
	} | sed 's/"\(ifindex\|link_index\|link_netnsid\)":[0-9]*,//g
		s/"gc_timer":[0-9.]*,//g; s/"valid_life_time":[0-9]*//g
		s/"address":"33:33[^"]*"//g; s/,{"type":"multicast"[^}]*}//g' |
		tr '{' '\n' | grep -v '"fe80:\|"ff00:\|inet6' |
		sed 's/[],]*$//' # which depends on whether more lines followed
	! has nft || nft -j list ruleset | sed 's/"handle": [0-9]*//g'
}

# replay SIDE FILE - runs the lines of FILE that have to do with the network
replay() {
	sed -n "s/^$1 *+ \(ip\|sysctl\|nft\) /\1 /p" "$2" |
		sed 's/ netns [0-9]*$/ netns replayed/' >"$T/lines"
	grep -q . "$T/lines" || fail "no lines of $1"
	has nft || sed -i '/^nft /d' "$T/lines"
	# There is not always a sysctl(8).
	sed -i "s|^sysctl -w \(.*\)=\([01]\)|echo \2 >/proc/sys/\1|" "$T/lines"
	if [ "$1" = container ]; then
		ip netns exec replayed sh -eu "$T/lines"
	else
		sh -eu "$T/lines"
	fi
}

prints_what_it_does() {
	live one '' -v
	eventually settled cbr0
	state >"$T/host.c"
	inside one ip -json addr show dev eth0 | only_v4 >"$T/inside.c"
	inside one ip -json route show >>"$T/inside.c"
	cp "$T/one.err" "$T/begin"
	kill -TERM "$(cat "$T/one.pid")"
	wait "$(cat "$T/one.pid")" || :
	! exists cbr0 || fail 'cbr0 has stayed'
	tail -n "+$(($(wc -l <"$T/begin") + 1))" "$T/one.err" >"$T/end"

	ip netns add replayed
	replay host "$T/begin"
	replay container "$T/begin"
	eventually settled cbr0
	state >"$T/host.sh"
	ip -netns replayed -json addr show dev eth0 | only_v4 >"$T/inside.sh"
	ip -netns replayed -json route show >>"$T/inside.sh"
	diff "$T/host.c" "$T/host.sh" || fail "C and shell made different things"
	diff "$T/inside.c" "$T/inside.sh" || fail "inside, too"
	run ip netns exec replayed "$probes/reach" ping 198.51.100.1
	[ ! -s "$T/nft" ] || silently
	# The lines of the end undo those of the beginning.
	replay host "$T/end"
	ip netns del replayed
	rmdir /run/netns/replayed 2>/dev/null || :
}

settled() {
	grep -q up "/sys/class/net/$1/operstate"
}

only_v4() {
	sed 's/"\(ifindex\|link_index\|link_netnsid\)":[0-9]*,//g' |
		tr '{' '\n' | grep -v inet6 | sed 's/[],]*$//'
}

# cpu_time - sets $ticks to what this shell's children have taken, in 10 ms
cpu_time() {
	read -r ticks <"/proc/$$/stat"
	# shellcheck disable=SC2086 # words: what follows "PID (NAME) "
	set -- ${ticks##*) }
	ticks=$((${14} + ${15}))
}

# How much of the same there is. On an emulated machine these take half a second
# of the CPU, elsewhere 20 to 70 ms, however much else there is to do.
"$container" "$rootfs" true # loads what modules it takes
cpu_time
cost=$ticks
for _ in 1 2 3 4 5 6 7 8 9 10; do
	"$container" "$rootfs" true
done
cpu_time
cost=$((ticks - cost))
emulated=
[ $cost -lt 20 ] || emulated=1
echo "# ten containers take ${cost}0 ms of the CPU here"
rounds=3 many=20 stride=5
if [ "$emulated" ]; then
	rounds=1 many=10
elif [ "${CI-}" = true ] && [ "${BIN:-.}" = . ]; then
	rounds=20 many=50 stride=1
fi

# also DESCRIPTION FUNCTION [ARG...] - a test that an emulated machine would take
# too long for, and that another kernel should not matter to
also() {
	[ "$emulated" ] || t "$@"
}

t "a container has an address and a route" has_an_address
t "it reaches host, siblings and internet, which sees the host" reaches_all
t "a server is reached by siblings, not from outside" article
t "what answers comes in" follows_replies
t "bridge, port and rules look as they should" looks_as_told
also "the first packet arrives" loses_nothing
t "only two links forward" forwards_two_links
t "the first in makes it, the last out removes it" first_in_last_out
t "bridge and subnet can be chosen" takes_a_bridge_and_a_subnet
t "two bridges do not disturb each other" has_two_bridges
t "a subnet can be full" fills_the_subnet
t "an address that is used again is reached at once" reuses_addresses
t "the bridge keeps its MAC" keeps_its_mac
t "packets are as large as the uplink takes" suits_the_mtu
t "no address twice: $rounds times $many, half killed" \
	has_no_address_twice $rounds $many
also "$((many * 4)) reach gateway, sibling and internet" \
	many_reach_all $((many * 4))
also "bridges come and go" come_and_go
t "clean-host removes what the killed leave" leaves_what_clean_host_removes
t "so does the next container" leaves_what_the_next_removes
t "clean-host spares what is in use" spares_what_lives
t "clean-host spares what is not ours" spares_what_is_foreign
t "Docker's rules let it pass and stay as they are" lives_with_docker
t "so they do when they come later" meets_docker_later
# Not in a user namespace, where it finds no group docker.
if has dockerd && grep -q 4294967295 /proc/self/uid_map; then
	also "dockerd itself does, too" meets_dockerd
fi
t "a chain that rejects is named, and what helps" warns_of_a_reject
t "so is a policy" warns_of_a_policy
t "flushed rules come back with the next container" survives_a_flush
t "rules of others stay" keeps_foreign_rules
t "br_netfilter is named" sees_br_netfilter
t "it does without a default route" needs_no_default_route
t "it goes by the best of two uplinks" has_two_uplinks
t "it follows another uplink" changes_the_uplink
t "it suits strict reverse path filters" suits_strict_filters
t "a subnet that the host routes elsewhere is refused" refuses_overlaps
t "so is one of another bridge" refuses_overlaps_of_its_own
t "of two bridges at once one gets the subnet" shares_no_subnet
t "resolv.conf is the host's, or its upstream" gets_resolv_conf
t "a host without resolver is told" has_no_resolver
t "the image's resolv.conf is not written" keeps_the_images_resolv_conf
t "an image of another user is named" knows_images_of_others
t "names are resolved" resolves_names
t "bad names of bridges" refuses_names
t "bad subnets" refuses_subnets
t "taken names of links" refuses_taken_names
t "missing capabilities" needs_capabilities
t "a read-only /proc/sys" needs_sysctl
t "forwarding that cannot be read" goes_on_when_sysctl_fails
t "a journal that is full" needs_room_for_the_journal
t "what fails inside leaves nothing outside" leaves_nothing_when_it_fails
also "SIGKILL at any time leaves what clean-host removes" survives_kill
host_calls='socket setsockopt sendto recvfrom openat read write socketpair
	clone unshare'
also "errors of system calls on the host" survives_errors host "$host_calls"
also "errors of system calls inside" survives_errors container \
	'socket setsockopt sendto recvfrom read write unshare prctl'
also "links that go meanwhile" survives_links_that_go
also "errors of look-ups, with Docker" says_what_it_cannot_ask
also "errors of system calls of clean-host" cleans_host_or_says_why
also "interrupted system calls" survives_interrupts
t "-v prints commands that do the same" prints_what_it_does
done_testing
