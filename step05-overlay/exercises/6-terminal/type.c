// SPDX-License-Identifier: MIT
/*
 * type - type a line at each terminal that this process can reach
 *
 *	$ type 'echo typed by a program'
 *
 * The line appears as if it came from the keyboard: the next program that reads
 * from the terminal gets it. Read: TIOCSTI(2const), or tty_ioctl(4)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>

static void type_line(int fd, const char *text)
{
	for (; *text != '\0'; text++)
		ioctl(fd, TIOCSTI, text);
	ioctl(fd, TIOCSTI, "\n");
}

int main(int argc, char *argv[])
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (argc != 2) {
		fputs("usage: type LINE\n", stderr);
		return 2;
	}
	type_line(fd, argv[1]);
	for (fd = 0; fd < 3; fd++)
		type_line(fd, argv[1]);
	return 0;
}
