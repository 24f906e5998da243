#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-sandbox - the sandbox, seen from the machine that it must not harm. Here
# that is the sandbox in which this script runs: after each test the library
# checks that nothing in it has changed.
#
# shellcheck disable=SC2016 # the shell in the sandbox expands what is in ''
# shellcheck disable=SC2086 # $powerless is several words
. "$(dirname "$0")/lib.sh"

sandbox=$top/common/tools/sandbox

# Makes root need a user namespace, as an ordinary user does. Only CAP_SETFCAP
# remains: without it, the kernel does not map root.
powerless="$(command -v setpriv) --bounding-set=-all,+setfcap --inh-caps=-all"

# ---- The command ----

passes_on() {
	export WORD="it's" TMPDIR=/nonesuch
	cd "$top/common"
	echo input >"$T/input"
	run "$sandbox" sh -c 'printf "<%s>" "$@" "$WORD" "$PWD" "${TMPDIR-}"
		cat; exit 7' sh 'a b' '' '$x' -- '*' <"$T/input"
	is "$out" "<a b><><\$x><--><*><it's><$top/common><>input"
	is "$status" 7
	run "$sandbox" sh -c 'kill -KILL $$'
	is "$status" 137
	cd tools
	run sh sandbox pwd
	is "$out" "$PWD"
}

has_job_control() {
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
}

gives_the_terminal_back() {
	command -v bash >/dev/null || skip "there is no bash"
	on_terminal sh -c '"$0" env PS1="%> " bash --norc; echo back; read -r x
		echo "<$x>"' "$sandbox" <<-'END'
		expect %>
		send exit\r
		expect back
		send line\r
		expect <line>
		wait 0
	END
}

starts_in_each_shell() {
	for shell in sh bash dash mksh yash 'busybox sh'; do
		command -v "${shell% *}" >/dev/null || continue
		run $shell "$sandbox" sh -c 'exit 7'
		is "$status$err" 7 "$shell"
	done
}

# ---- The machine ----

# protects_files AS... - the file in /mnt could be written outside
protects_files() {
	for dir in /tmp /run /dev/shm; do
		: >$dir/hidden
	done
	run unshare --mount sh -ec 'mount -t tmpfs tmpfs /mnt
		: >/mnt/file
		"$@" sh -c "echo >/mnt/file" 2>/dev/null || :
		[ ! -s /mnt/file ] || echo "/mnt was written"
		"$@" sh -c "ls /tmp/hidden /run/hidden /dev/shm/hidden" 2>/dev/null || :
		exec "$@" cat /proc/self/mountinfo' sh "$@" "$sandbox"
	rm /tmp/hidden /run/hidden /dev/shm/hidden
	is "$status" 0
	is "$(grep -v '^[0-9]* [0-9]' "$T/out")" ""
	is "$(awk '$6 ~ /^rw/ && !/ - (devpts|nsfs|proc|sysfs|tmpfs) / {
		print $5 }' "$T/out" | sort -u)" \
		"$(echo "$top" | sed 's/ /\\040/g')" "writable mounts"
}

# checkout DIRECTORY - a checkout with what the sandbox needs
checkout() {
	mkdir -p "$1/common" "$1/.build"
	cp -R "$top/common/tools" "$1/common"
	cp -R "$top/.build/tools" "$1/.build"
}

keeps_in_sight() {
	checkout "$1/it's a:b,\"c\" \\"
	mkdir "$1/root" "$1/work"
	cd "$1/work"
	ROOTFS=$1/root run "../it's a:b,\"c\" \\/common/tools/sandbox" sh -c '
		pwd; ls ..; : >"$0/new"; : >new' "$1/it's a:b,\"c\" \\"
	[ -e "$1/it's a:b,\"c\" \\/new" ] || fail "the checkout is read-only"
	rm -r "$1"
	is "$out" "$1/work
it's a:b,\"c\" \\
root
work"
	contains "$err" "Read-only file system"
}

# On Ubuntu and Fedora, /etc/resolv.conf leads into /run; on NixOS, so does $PATH.
keeps_run() {
	run "$sandbox" sh -ec 'cp -R /etc /tmp/etc 2>/dev/null || : # has secrets
		mount --bind /tmp/etc /etc
		mkdir -p /run/resolve /run/tools.1/bin
		ln -s tools.1 /run/tools
		ln -sf ../run/resolve/stub.conf /etc/resolv.conf
		echo "nameserver 192.0.2.1" >/run/resolve/stub.conf
		printf "#!/bin/sh\necho found" >/run/tools/bin/our-tool
		chmod +x /run/tools/bin/our-tool
		PATH=/run/tools/bin:$PATH "$@" sh -c "cat /etc/resolv.conf; our-tool"
		' sh "$@" "$sandbox"
	is "$out" "nameserver 192.0.2.1
found"
}

# Root could write to these files, an ordinary user could not.
protects_settings() {
	run "$@" "$sandbox" sh -c 'echo $(ls /dev)
		for file in kernel/core_pattern vm/swappiness ../sysrq-trigger \
			net/ipv4/ip_forward; do
			[ ! -w /proc/sys/$file ] || echo $file
		done'
	is "$out" "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero
net/ipv4/ip_forward"
	# mount(8) makes /sys read-only when it has mounted it.
	run "$@" "$sandbox" unshare --user --map-root-user --net --pid --fork \
		--mount sh -c 'mount -t proc p /proc && mount -t sysfs s /sys'
	is "$status$err" 0 "a user namespace mounts /proc and /sys"
}

has_dev_shm() {
	run "$sandbox" sh -ec 'umount /dev/shm; rmdir /dev/shm
		"$0" stat -fc %T /dev/shm' "$sandbox"
	is "$out$err" tmpfs
}

is_not_mistaken() {
	run "$sandbox" sh -c 'rm /run/cfs-sandbox; ls /run/netns
		. "${0%/*}/lib.sh"; echo mistaken' "$top/common/test/inner.sh"
	is "$out" internet
}

namespaces='readlink /proc/self/ns/cgroup /proc/self/ns/ipc /proc/self/ns/mnt \
	/proc/self/ns/net /proc/self/ns/pid /proc/self/ns/uts'

has_namespaces() {
	run "$@" "$sandbox" sh -c "id -u; hostname; ls /sys/class/net; $namespaces"
	is "$(head -n 4 "$T/out" | xargs)" "0 sandbox eth0 lo"
	is "$({ sed 1,4d "$T/out"; eval "$namespaces"; } | sort | uniq -d)" ""
}

is_disposable() {
	cat >"$T/wreck" <<-'WRECK'
		mount -t tmpfs tmpfs /mnt
		mkdir /run/litter
		ip link add veth-a type veth
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

# start_sandbox AS... - returns when it can be joined, and its command runs
start_sandbox() {
	cd "$top"
	start "$@" "$sandbox" --share sh -c "trap '' TERM HUP; setsid sleep 4711 &
		$namespaces >/tmp/list; mv /tmp/list /tmp/namespaces; sleep 4712"
	eventually "$@" "$sandbox" --join test -e /tmp/namespaces 2>/dev/null
}

# The library finds the processes that are left.
ends_by_signal() {
	for signal in TERM KILL; do
		start_sandbox "$@"
		kill -s $signal "$pid"
		eventually ended
	done
}

has_an_internet() {
	run "$@" "$sandbox" "$probes/reach" ping 198.51.100.1
	is "$status" 0
	run "$@" "$sandbox" sh -c '
		ip addr add 10.200.0.2/32 dev lo
		ip route add 198.51.100.1 via 203.0.113.1 src 10.200.0.2
		"$0" ping 198.51.100.1' "$probes/reach"
	is "$status" 1 "answer to a private address"
}

# Only what make run and make shell have started, not a test's sandbox
joins() {
	start "$@" "$sandbox" sleep 4711
	eventually sleeper
	run "$sandbox" --join true
	one_line_error 125 "no sandbox is running" "make shell"
	start_sandbox "$@"
	run "$@" "$sandbox" --join sh -c \
		"id -u; pwd; cat /tmp/namespaces; $namespaces; exit 7"
	is "$status" 7
	is "$(head -n 2 "$T/out")" "0
$top"
	is "$(sed 1,2d "$T/out" | sort | uniq -u)" "" "not joined"
}

# Root would enter what is still the machine itself.
joins_nothing_half_made() {
	command -v strace >/dev/null || skip "needs strace"
	start strace -fo /dev/null -e inject=sethostname:delay_enter=99000000 \
		"$sandbox" --share true
	eventually has_init
	run "$sandbox" --join true
	one_line_error 125 "no sandbox is running"
}

has_init() {
	grep -qsx 'NSpid:[[:blank:]][0-9]*[[:blank:]]1' /proc/[0-9]*/status
}

prefers_bash() {
	command -v bash >/dev/null || skip "there is no bash"
	echo 'echo "$SHELL ${BASH_VERSION:+bash}"' >"$T/input"
	SHELL=/bin/false run "$sandbox" <"$T/input"
	is "$out" "$(command -v bash) bash"
	run env PATH="$T" /bin/sh "$sandbox" <"$T/input"
	is "${out%% *}" /bin/sh
	contains "$err" "no bash here"
}

# ---- Refusals ----

# in_limits LIMIT AS... - with user.max_LIMIT_namespaces=0
in_limits() {
	run unshare --user --map-root-user --mount-proc --pid --fork sh -c '
		echo 0 >/proc/sys/user/max_"$1"_namespaces
		shift
		exec "$@"' sh "$@" "$sandbox" true
	one_line_error 125 "no $1 namespaces, because user.max_$1_namespaces=0" \
		"sudo sysctl user.max_$1_namespaces="
}

# refused_by SETTING VALUE - where unshare(2) fails, because this is a chroot
refused_by() {
	mkdir "$T/root"
	run unshare --mount sh -c 'mount -t tmpfs tmpfs "/proc/sys/${1%/*}"
		echo "$2" >"/proc/sys/$1"
		mount --rbind / "$3"
		exec chroot "$3" $5 "$4" true' sh "$1" "$2" "$T/root" "$sandbox" \
		"$powerless"
	setting=$(echo "$1" | tr / .)
	one_line_error 125 "$setting=$2" "sudo sysctl $setting="
}

needs_mount_setattr() {
	command -v strace >/dev/null || skip "needs strace"
	run strace -fo /dev/null -e inject=mount_setattr:error=ENOSYS "$sandbox" true
	one_line_error 125 "Linux 5.12 or later"
}

needs_make() {
	checkout "$T"
	rm -r "$T/.build"
	run "$T/common/tools/sandbox" true
	one_line_error 125 "run make first"
}

# ---- make ----

runs_as_typed() {
	mkdir "$T/a:b,c 'd' \$e #f"
	cp -R "$rootfs/." "$T/a:b,c 'd' \$e #f"
	for dir in rootfs/tiny-linux "$T/a:b,c 'd' \$e #f"; do
		run make -s -C "$top" run STEP=04 ROOTFS="$dir" \
			CMD='echo "$$  #$0"'
		is "$status" 0
		contains "$out" "1  #sh"
		is "$err" ""
	done
}

returns_the_status() {
	run make -s -C "$top" run STEP=04 CMD='exit 3'
	is "$status" 2
	contains "$err" "Error 3"
	echo 'exit 3' >"$T/input"
	run make -s -C "$top" run STEP=04 <"$T/input"
	is "$status$err" 0 "after a shell"
}

# all_targets - what make would do, and what a container's shell prints
all_targets() {
	"$@" make -nC "$top" run reset diff STEP=04
	"$@" make -nC "$top" demo check exercise solution rootfs test check-host
	echo echo shell | "$@" make -sC "$top" run STEP=04
}

ignores_the_environment() {
	all_targets env >"$T/before" 2>&1
	all_targets env APPLY=1 CMD='echo wrong' EX=1.1 HINT=1 HOST=i486-linux \
		OPTS=-h PACKET=1 PROBES=/ STEP=01 TARBALL=/ V=1 BIN=/bin \
		ROOTFS=/ BUILD=/tmp >"$T/after" 2>&1
	is "$(diff "$T/before" "$T/after")" ""
	contains "$(cat "$T/after")" shell
	contains "$(MAKEFLAGS=R make -nBC "$top" step01-chroot)" "cc -std"
}

builds_as_the_owner() {
	cp -a "$top/Makefile" "$top/common" "$top/step01-chroot" "$top/.build" "$T"
	rm -f "$T/step01-chroot/container" "$T/.build/probes/peek"
	chown -R 1000:1000 "$T"
	chmod 755 "$scratch"
	run make -C "$T" rootfs step01-chroot
	is "$status" 0
	[ -x "$T/step01-chroot/container" ] || fail "nothing was built"
	is "$(find "$T"/*/ "$T/.build" -user 0)" "" "files of root"
}

t "arguments, input, directory and exit status are passed on" passes_on
t "an interactive shell has job control" has_job_control
t "the terminal is given back" gives_the_terminal_back
t "any shell may be sh" starts_in_each_shell
t "the default is bash, or sh with a warning" prefers_bash
t "--join waits for a complete sandbox" joins_nothing_half_made
for who in "" "$powerless"; do
	as=${who:+ for an ordinary user}
	t "all files but the checkout are read-only$as" protects_files $who
	t "devices and settings of the machine are out of reach$as" \
		protects_settings $who
	t "name servers and tools in /run stay visible$as" keeps_run $who
	t "namespaces are its own$as" has_namespaces $who
	t "nothing remains, whatever the command did$as" is_disposable $who
	t "a signal to the sandbox kills everything in it$as" ends_by_signal $who
	t "the internet answers, except to private addresses$as" \
		has_an_internet $who
	t "--join enters the running sandbox$as" joins $who
done
for dir in /tmp /run /dev/shm; do
	t "checkout and root filesystem may be in $dir" keeps_in_sight $dir/a
done
t "there is a /dev/shm where the machine has none" has_dev_shm
t "ip netns add internet does not make a sandbox" is_not_mistaken
t "the limit of user namespaces is named" in_limits user $powerless
t "so is that of others" in_limits net
t "refused by Debian's kernel" refused_by kernel/unprivileged_userns_clone 0
t "refused by AppArmor" refused_by \
	kernel/apparmor_restrict_unprivileged_userns 1
t "refused by a kernel that is too old" needs_mount_setattr
t "says when make has to run first" needs_make
t "make run passes CMD and ROOTFS on as they were typed" runs_as_typed
t "make prints the status of a command, not of a shell" returns_the_status
t "make ignores its variables in the environment" ignores_the_environment
# An ordinary user's sandbox has one user only.
! grep -q '4294967295$' /proc/self/uid_map ||
	t "files built by root belong to the checkout's owner" builds_as_the_owner
done_testing
