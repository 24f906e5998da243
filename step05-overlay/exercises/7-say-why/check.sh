#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 5.7: the kernel's own reason
# Untouched: options of the root mount
. "$(dirname "$0")/../../../common/test/lib.sh"

compile lowerdir

# make_layers - in $T, the working directory from now on
make_layers() {
	"$probes/lowerdir" || skip "needs Linux 6.8: overlayfs with lowerdir+"
	cd "$T"
	ln -s "$rootfs" image
	mkdir -p amber/dir violet/dir violet/etc 'a:b,c'
	echo amber | tee amber/file >amber/dir/old
	echo violet | tee violet/file violet/etc/passwd >violet/other
	echo colon >'a:b,c/colon'
	file=a-file$(printf '%050d' 0)
	: >"$file"
}

# In the tests below, the arguments are -U or none.

mounts_each_layer() {
	make_layers
	start "$container" "$@" amber:violet:image sleep 4711
	eventually started
	! ended || fail "it did not start: $(cat "$T/start.err")"
	is "$(awk '$5 == "/"' "/proc/$inside/mountinfo" | tr , '\n' |
		grep -c '^lowerdir+=')" 3 \
		"how often lowerdir+ is in the options of the root mount, in mountinfo"
	is "$(cd "/proc/$inside/root" && cat file other etc/passwd | tr '\n' ' ')" \
		"amber violet violet " "files of the layers"
}

has_no_file_open() {
	make_layers
	start "$container" "$@" amber:image sleep 4711
	eventually started
	is "$(cd "/proc/$inside/fd" && echo *)" "0 1 2" \
		"open files of the command"
}

started() {
	sleeper || ended
}

# names_only LAYER REASON - the last run was refused because of LAYER
names_only() {
	one_line_error 125 "$1" "$2"
	for other in amber violet image; do
		lacks "$err" "$other" "the message, which is about another layer"
	done
}

names_the_missing_layer() {
	make_layers
	for layers in lost:amber:image amber:lost:image amber:violet:lost; do
		run "$container" "$@" "$layers" sh -c 'echo the command runs'
		names_only lost "No such file or directory"
	done
}

says_what_the_kernel_says() {
	make_layers
	for layers in "amber:$file:image" "amber:violet:$file"; do
		run "$container" "$@" "$layers" sh -c 'echo the command runs'
		names_only "$file" "Invalid argument"
		contains "$err" "not a directory" "the message"
	done
}

has_a_colon() {
	make_layers
	run "$container" "$@" 'a\:b,c:amber:image' cat /colon /file
	is "$status:$(echo "$out" | tr '\n' ' ')" "0:colon amber " \
		"status, and the files of a layer whose name has ':' and ','"
	run "$container" "$@" 'amber:lo\:st:image' true
	names_only lo:st "No such file or directory"
}

# Only together are they longer than a page.
has_many() {
	make_layers
	long=$(printf '%0200d' 0) layers=image
	i=10
	while [ $i -lt 50 ]; do
		mkdir "$i$long"
		layers=$layers:$i$long
		i=$((i + 1))
	done
	echo last >"49$long/last"
	run "$container" "$@" "$layers" cat /last
	is "$out" last "a file of the last of 41 layers"
}

# The same directory twice: no parameter is wrong, but the filesystem cannot be
# created.
reports_other_errors() {
	make_layers
	run "$container" "$@" amber:amber:image sh -c 'echo the command runs'
	one_line_error 125 "Too many levels"
	run "$container" "$@" -w "$T/missing" amber:image sh -c 'echo the command runs'
	one_line_error 125 "$T/missing"
	mkdir "$T/wrong"
	: >"$T/wrong/upper"
	run "$container" "$@" -w "$T/wrong" amber:image sh -c 'echo the command runs'
	one_line_error 125
}

writes_as_before() {
	make_layers
	mkdir kept
	run "$container" "$@" -w kept amber:violet:image \
		sh -c 'rm -r /dir && echo new >/new && ls /'
	is "$status" 0 "status of rm -r, of a directory in two layers"
	lacks "$out" dir "what is in / after that"
	is "$(cat kept/upper/new)" new "what was written to DIR/upper"
	run "$container" "$@" amber:violet:image ls /dir
	is "$out" old "the directory, in another container"
}

for option in '' -U; do
	with=${option:+$option: }
	hint='fsconfig with FSCONFIG_SET_STRING, "lowerdir+" and one layer, each time'
	t "${with}each layer is a lowerdir+" mounts_each_layer $option
	hint='look at the result of each fsconfig, and name the value'
	t "${with}a missing layer is named" names_the_missing_layer $option
	hint='read(2) of what fsopen returned, into an array of some hundred bytes'
	t "${with}the kernel's own reason is printed" \
		says_what_the_kernel_says $option
	hint='split at each : without \ before it, and remove the \'
	t "${with}a layer with : in its name" has_a_colon $option
	hint='no buffer for all layers'
	t "${with}41 layers with long names" has_many $option
	hint='FSCONFIG_CMD_CREATE, fsmount and move_mount can fail as well'
	t "${with}other errors have one line, and status 125" \
		reports_other_errors $option
	hint='upperdir, workdir, and with -U the flag userxattr, each with fsconfig'
	t "${with}what is written and deleted goes to -w DIR" writes_as_before $option
	hint='FSOPEN_CLOEXEC and FSMOUNT_CLOEXEC'
	t "${with}the command has no other open file" has_no_file_open $option
done
done_testing
