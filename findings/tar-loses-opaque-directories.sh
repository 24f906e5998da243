#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tar-loses-opaque-directories - `tar --xattrs` on both sides loses the
# attribute of overlayfs that hides a deleted directory; bsdtar without an
# option keeps it
#
# Debian 12: GNU tar 1.34, bsdtar 3.6.2 (libarchive). A directory that was
# deleted and created again has trusted.overlay.opaque in the upper layer. With
# --xattrs alone, even as root, GNU tar unpacks only the attributes that begin
# with user., and returns 0. In a container on the copy, the deleted file is
# back. Unpacking requires --xattrs-include='*' as well; for creating, --xattrs
# is enough. tar --xattrs also drops the attribute from an archive of bsdtar.

needs=root
packages='tar=1.34+dfsg-1.2+deb12u1 libarchive-tools=3.6.2-1+deb12u5
	libarchive13=3.6.2-1+deb12u5'

expected='original:
--xattrs on both sides: deleted
and --xattrs-include, unpacking:
bsdtar on both sides:
bsdtar, unpacked by tar --xattrs: deleted'

# show NAME - what is in the directory, in a container on this upper layer
show() {
	mount -t overlay -o "lowerdir=$1:lower" overlay merged
	echo "$2:$(find merged/dir -type f -printf ' %f')"
	umount merged
}

try() {
	cd /run
	mkdir -p lower/dir upper work merged a b c d
	touch lower/dir/deleted
	mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work \
		overlay merged
	rm -r merged/dir
	mkdir merged/dir
	umount merged
	show upper original
	tar -C upper --xattrs -cf gnu.tar .
	tar -C a --xattrs -xf gnu.tar && show a '--xattrs on both sides'
	tar -C b --xattrs --xattrs-include='*' -xf gnu.tar &&
		show b 'and --xattrs-include, unpacking'
	bsdtar -C upper -cf bsd.tar .
	bsdtar -C c -xpf bsd.tar && show c 'bsdtar on both sides'
	tar -C d --xattrs -xf bsd.tar 2>/dev/null &&
		show d 'bsdtar, unpacked by tar --xattrs'
}

. "$(dirname "$0")/setup"
