// SPDX-License-Identifier: MIT
/*
 * lowerdir - exits with 0 if the kernel's overlayfs knows lowerdir+: Linux 6.8
 *
 * Before 6.5, any parameter is accepted, and is wrong only when the filesystem
 * is created.
 */
#define _GNU_SOURCE
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static long set(long fs, const char *key)
{
	return syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, "/", 0);
}

int main(void)
{
	long fs = syscall(SYS_fsopen, "overlay", 0);

	return set(fs, "lowerdir+") != 0 || set(fs, "none-such") == 0;
}
