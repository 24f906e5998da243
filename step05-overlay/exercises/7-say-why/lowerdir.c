// SPDX-License-Identifier: MIT
/*
 * lowerdir - exits with 0 if the kernel's overlayfs knows lowerdir+: Linux 6.8
 */
#define _GNU_SOURCE
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	long fs = syscall(SYS_fsopen, "overlay", 0);

	return syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "lowerdir+", "/",
		       0) != 0;
}
