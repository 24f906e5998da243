// SPDX-License-Identifier: MIT
/*
 * remount - make a directory and all mounts below it read-only, or writable
 *
 *	remount ro /             mount -o remount,bind,ro=recursive /
 *	remount rw DIRECTORY     mount -o remount,bind,rw=recursive DIRECTORY
 *
 * mount(8) has these options since util-linux 2.39. See mount_setattr(2).
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_mount_setattr /* headers older than Linux 5.12 */
#define SYS_mount_setattr 442
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

int main(int argc, char **argv)
{
	struct {
		uint64_t set, clear, propagation, userns;
	} attr = {0};

	if (argc == 3 && strcmp(argv[1], "ro") == 0)
		attr.set = MOUNT_ATTR_RDONLY;
	else if (argc == 3 && strcmp(argv[1], "rw") == 0)
		attr.clear = MOUNT_ATTR_RDONLY;
	else
		errx(2, "usage: remount ro|rw DIRECTORY");

	if (syscall(SYS_mount_setattr, AT_FDCWD, argv[2], AT_RECURSIVE, &attr,
		    sizeof(attr)) == 0)
		return 0;
	if (errno == ENOSYS)
		errx(1, "this kernel has no mount_setattr(2): "
			"it takes Linux 5.12 or later");
	err(1, "%s %s", argv[1], argv[2]);
}
