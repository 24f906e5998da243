#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh - exercise 5.4: a layer in the format of overlayfs and of images
# Untouched: step05-overlay/layer.c does not exist
. "$(dirname "$0")/../../../common/test/lib.sh"
layer=${container%/*}/layer

# The layer below, and what a container changes in it
cd "$scratch"
ln -s "$rootfs" image
mkdir -p base/app/again/sub base/app/gone base/app/merged base/app/file
echo old | tee base/app/kept base/app/deleted base/app/changed \
	base/app/again/old base/app/again/sub/old base/app/gone/old \
	base/app/merged/one base/app/merged/two 'base/app/a name' \
	>base/app/file/old
echo old | tee base/top base/app/.hidden >base/.hidden
mkdir base/app/many
(cd base/app/many && seq 400 | xargs touch)
longest=$(printf '%0251d' 0) # .wh. before it makes 255 bytes
: >"base/app/$longest"
changes="cd /app && rm deleted 'a name' merged/one .hidden ../.hidden ../top &&
	rm $longest && echo new >.whale && echo new >a.wh.name &&
	echo more >>changed && rm -r gone again file && mkdir again &&
	echo new >again/new && echo new >merged/new && echo new >file &&
	ln -s kept link && chmod 700 merged && rm many/*"

# list DIRECTORY - all files in its app: types, modes, owners, links, contents
list() (
	cd "$1"
	find app top .hidden -printf '%p %y %m %U:%G %l\n' 2>/dev/null | sort
	find app -type f -exec cksum {} + | sort
)

# seen_inside [-U] LAYERS - the same of what a container sees
seen_inside() {
	start "$container" "$@" sleep 4711
	eventually sleeper
	list "/proc/$inside/root"
	stop_started
	eventually has_disappeared "$inside"
}

# write_upper [-U] - run a container that changes /app, and move its upper layer
# to $T/new. What it saw is in $T/inside.
write_upper() {
	run "$container" "$@" -w "$T" base:image sh -c "$changes"
	! includes "$err" "Input/output error" ||
		skip "needs Linux 6.6, for user.* attributes in a tmpfs"
	is "$status" 0 "exit status of a container that changes files"
	seen_inside "$@" "$T/upper:base:image" >"$T/inside"
	mv "$T/upper" "$T/new"
}

# apply LAYER ROOT - as the image specification says: first the markers,
# then what replaces something else
apply() {
	find "$1" -name .wh..wh..opq -printf '%P\n' | while read -r marker; do
		find "$2/${marker%/*}" -mindepth 1 -delete
	done
	(cd "$1" && find . -name '.wh.*' ! -name .wh..wh..opq) |
		sed 's|/\.wh\.\([^/]*\)$|/\1|' | remove_in "$2"
	(cd "$1" && find . ! -name '.wh.*' ! -type d) | remove_in "$2"
	tar -C "$1" --exclude='.wh.*' -cf - . | tar -C "$2" -xpf -
}

# remove_in DIRECTORY - the files on stdin, one a line
remove_in() (
	cd "$1"
	xargs -d '\n' rm -rf --
)

# copy_base - to $T/base. cp of uutils 0.0.30 changes modes.
copy_base() {
	mkdir "$T/base"
	tar -C base -cf - . | tar -C "$T/base" -xpf -
}

# devices NAME... - what they are: type, major and minor number
devices() {
	stat -c '%n %F %t:%T' "$@" 2>/dev/null || : # not in a user namespace
}

packs_whiteouts() {
	write_upper
	cd "$T/new/app"
	mknod null c 1 3 2>/dev/null || :
	mknod minor c 0 1 2>/dev/null || :
	mknod major c 5 0 2>/dev/null || :
	mknod block b 0 0 2>/dev/null || :
	mkfifo fifo
	before=$(devices null minor major block fifo)
	files=$(find . -type f -printf '%p %i %m %T@\n' | sort)
	run "$layer" pack "$T/new"
	is "$status:$err" 0: "exit status and stderr of layer pack"
	for name in deleted gone 'a name' merged/one .hidden ../.hidden ../top \
		"$longest"; do
		marker=$(echo "$name" | sed 's|[^/]*$|.wh.&|')
		is "$(stat -c '%F' "$marker" 2>&1)" "regular empty file" \
			"the marker for the deleted $name"
	done
	is "$(devices null minor major block fifo)" "$before" \
		"devices that are not whiteouts, and a FIFO"
	rm -f null minor major
	is "$(find "$T/new" -type c)" "" "character devices in the layer"
	is "$(find many | wc -l)" 401 "markers for 400 deleted files, and many"
	is "$(find . -type f ! -name '.wh.*' -printf '%p %i %m %T@\n' | sort)" \
		"$files" "inodes, modes and times of other files"
}

# add_other_value - a directory whose attribute is not y, if tar knows attributes
add_other_value() {
	mkdir -p "$T/pax/app/other"
	for prefix in trusted user; do
		tar -C "$T/pax" --format=pax -cf - app/other \
			--pax-option="SCHILY.xattr.$prefix.overlay.opaque:=x" |
			tar -C "$T/new" --xattrs --xattrs-include='*' -xf -
	done 2>/dev/null || :
}

# The arguments are -U or none.
packs_opaque_directories() {
	write_upper "$@"
	add_other_value
	run "$layer" pack "$T/new"
	is "$(cd "$T/new" && find . -name .wh..wh..opq)" \
		./app/again/.wh..wh..opq "markers of opaque directories"
	# In the format of overlayfs, the packed directory is not opaque.
	start "$container" "$@" "$T/new:base:image" sleep 4711
	eventually sleeper
	is "$(cat "/proc/$inside/root/app/again/old" 2>&1)" old \
		"a lower file in a directory that still has its attribute"
}

packs_all() {
	write_upper
	is "$("$layer" pack "$T/new" 2>&1)" "" "what layer pack prints"
	copy_base
	apply "$T/new" "$T/base"
	is "$(list "$T/base" | diff - "$T/inside")" "" \
		"the image (<), compared with what the container sees (>)"
}

# refuses COMMAND NAME [DIRECTORY] - if a file of this name is in the layer, which is
# NAME/, a directory, NAME@, a link, or NAME%, a whiteout
refuses() {
	name=${2%[/@%]} path=$T/outer/new/${3-z/dir}/${2%[/@%]}
	rm -rf "$T/outer"
	mkdir -p "$T/outer/new/a" "$T/outer/new/z/dir"
	mknod "$T/outer/new/a/whiteout" c 0 0
	: >"$T/outer/new/a/.wh.deleted"
	[ "$1" = unpack ] || rm "$T/outer/new/a/.wh.deleted"
	case $2 in
	*/) mkdir "$path" ;;
	*@) ln -s nowhere "$path" ;;
	*%) mknod "$path" c 0 0 ;;
	*) : >"$path" ;;
	esac
	before=$(cd "$T/outer" && find . -printf '%p %y\n' | sort)
	run "$layer" "$1" "$T/outer/new"
	isnt "$status" 0 "exit status of layer $1 if there is a file $2"
	contains "$err" "$name" "stderr of layer $1"
	is "$(cd "$T/outer" && find . -printf '%p %y\n' | sort)" "$before" \
		"the layer, which must not be changed"
}

refuses_markers() {
	refuses pack .wh.passwd
	refuses pack .wh..wh..opq
	refuses pack .wh.
	refuses pack .wh.x .
	refuses pack .wh.directory/
	refuses pack .wh.link@
	refuses pack .wh.whiteout%
}

# It is below DIR that names matter.
names_below() {
	mkdir -p "$T/.wh.layer/a"
	mknod "$T/.wh.layer/a/deleted" c 0 0
	for command in pack unpack; do
		run "$layer" $command "$T/.wh.layer"
		is "$status:$err" 0: "exit status and stderr of layer $command"
	done
	is "$(stat -c %F:%t:%T "$T/.wh.layer/a/deleted" 2>&1)" \
		"character special file:0:0" "a whiteout, packed and unpacked"
}

# A mount that is read-only, and a directory that does not exist
reports_errors() {
	mkdir -p "$T/new/a"
	mknod "$T/new/a/deleted" c 0 0
	: >"$T/new/a/.wh.old"
	for command in pack unpack; do
		run "$layer" $command "$T/none"
		isnt "$status" 0 "exit status of layer $command none"
		contains "$err" none "stderr of layer $command none"
	done
	rm "$T/new/a/.wh.old"
	fails_on_read_only pack
	: >"$T/new/a/.wh.old"
	rm "$T/new/a/deleted"
	fails_on_read_only unpack
	rm "$T/new/a/.wh.old"
	mknod "$T/new/a/${longest}0" c 0 0
	run "$layer" pack "$T/new"
	isnt "$status" 0 "exit status of layer pack if .wh.NAME is too long a name"
	contains "$err" "too long" "stderr of layer pack"
}

fails_on_read_only() {
	# shellcheck disable=SC2016 # for the inner shell
	run unshare --mount sh -c '
		mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" &&
		exec "$2" "$3" "$1"' sh "$T/new" "$layer" "$1"
	isnt "$status" 0 "exit status of layer $1 on a read-only mount"
	contains "$err" "Read-only file system" "stderr of layer $1"
}

# An image's layer, as tar(1) unpacks it
image_layer() {
	mkdir -p "$T/oci/app/again" "$T/oci/app/merged" "$T/oci/app/many"
	: >"$T/oci/app/.wh.deleted"
	: >"$T/oci/app/.wh.a name"
	: >"$T/oci/app/.wh.gone"
	: >"$T/oci/app/.wh..hidden"
	: >"$T/oci/.wh..hidden"
	: >"$T/oci/.wh.top"
	: >"$T/oci/app/.wh.$longest"
	echo new | tee "$T/oci/app/.whale" >"$T/oci/app/a.wh.name"
	: >"$T/oci/app/again/.wh..wh..opq"
	: >"$T/oci/app/merged/.wh.one"
	(cd "$T/oci/app/many" && seq 400 | sed 's|^|.wh.|' | xargs touch)
	echo new | tee "$T/oci/app/again/new" >"$T/oci/app/merged/new"
	copy_base
}

unpacks() {
	apply "$T/oci" "$T/base"
	run ${1:+unshare} ${1:+-r} "$layer" unpack "$T/oci"
	! includes "$err" "not supported" ||
		skip "needs Linux 6.6, for user.* attributes in a tmpfs"
	is "$status:$err" 0: "exit status and stderr of layer unpack"
	seen_inside "$@" "$T/oci:base:image" >"$T/inside"
	is "$(list "$T/base" | diff - "$T/inside")" "" \
		"the image (<), compared with what the container sees (>)"
}

# The arguments are -U, to unpack in a user namespace, or none.
unpacks_all() {
	image_layer
	unpacks "$@"
}

unpacks_replaced() {
	image_layer
	: >"$T/oci/app/.wh.file"
	: >"$T/oci/app/.wh.kept"
	mkdir "$T/oci/app/file"
	echo new | tee "$T/oci/app/kept" >"$T/oci/app/file/new"
	unpacks
}

# In the new layer, the link NAME is beside .wh.NAME. The directory to which it leads
# is not opaque afterwards: pack finds nothing.
keeps_link() {
	mkdir -p "$T/links/new" "$T/links/outside"
	ln -s ../outside "$T/links/new/link"
	: >"$T/links/new/.wh.link"
	run "$layer" unpack "$T/links/new"
	is "$status:$err" 0: "exit status and stderr of layer unpack"
	is "$(readlink "$T/links/new/link")" ../outside "the link beside .wh.link"
	run "$layer" pack "$T/links/outside"
	is "$(ls -A "$T/links/outside")" "" \
		"markers in the directory to which a link beside .wh.link leads"
}

# follows_no_links COMMAND - a link in the layer leads to $T/outside
follows_no_links() {
	mkdir "$T/$1" "$T/$1/new" "$T/$1/outside"
	mknod "$T/$1/outside/whiteout" c 0 0
	: >"$T/$1/outside/.wh.deleted"
	ln -s ../outside "$T/$1/new/link"
	run "$layer" "$1" "$T/$1/new"
	is "$status:$err" 0: "exit status and stderr of layer $1"
	is "$(ls -A "$T/$1/outside")" ".wh.deleted
whiteout" "files outside the layer, after layer $1"
}

follows_none() {
	follows_no_links pack
	follows_no_links unpack
	keeps_link
}

refuses_bad_markers() {
	refuses unpack .wh...
	refuses unpack .wh..
	refuses unpack .wh.
	refuses unpack .wh... .
}

hint='a whiteout is a character device 0, 0; other devices are just files'
t "pack: a deleted file NAME becomes an empty file .wh.NAME" packs_whiteouts
hint='trusted.overlay.opaque, or user.overlay.opaque: getxattr(2), value "y"'
t "pack: an opaque directory gets .wh..wh..opq, and no other one" \
	packs_opaque_directories
t "pack: the same for a layer of a container with -U" \
	packs_opaque_directories -U
hint='only whiteouts and opaque directories change'
t "pack: the image has what the container sees" packs_all
hint='look at all names first, then change the first file'
t "pack: a file .wh.NAME that the container wrote is refused" refuses_markers
hint='mknod(2) with S_IFCHR and device 0; setxattr(2) on the directory'
t "unpack: the container sees what the image has" unpacks_all
hint='setxattr(2) fails with EPERM for trusted.*: then write user.*'
t "unpack: the same in a user namespace" unpacks_all -U
hint='.wh.NAME is about lower layers: beside a new directory NAME, make it opaque'
t "unpack: .wh.NAME does not hide a new NAME in the same layer" unpacks_replaced
hint='without its prefix, .wh... is the name of the directory above'
t "unpack: .wh. .wh.. and .wh... are refused" refuses_bad_markers
hint='use FTW_PHYS, lstat(2) and lsetxattr(2): a link is a file like any other'
t "a symbolic link in the layer is not followed" follows_none
hint='DIR itself is not a file of the layer, so its name does not matter'
t "DIR itself may have any name" names_below
hint='check the result of each call, and call err(3) with the path'
t "an error has a message, and a status other than 0" reports_errors
done_testing
