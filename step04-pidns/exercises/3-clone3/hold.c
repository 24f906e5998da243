// SPDX-License-Identifier: MIT
/*
 * hold - preloaded into a launcher, hold it or its child in a function until
 * something is written to the file that is its stderr, at most 10 seconds
 *
 *	$ HOLD=prctl LD_PRELOAD=./hold.so container -U ROOTFS true 2>FILE
 *
 * With HOLD=prctl, this is prctl(2) with PR_SET_PDEATHSIG: a parent that dies
 * before it sends no signal. With HOLD=open, it is open(2) of a file of another
 * process, for instance its uid_map, or of a new cgroup (exercise 4.4): the
 * command must not start before they are written.
 *
 * Read: prctl(2), ld.so(8) on LD_PRELOAD
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void hold(const char *where)
{
	const char *function = getenv("HOLD");
	struct stat file = {0};

	if (function == NULL || strcmp(function, where) != 0)
		return;
	for (int i = 0; i < 500 && file.st_size == 0; i++) {
		usleep(20000);
		fstat(STDERR_FILENO, &file);
	}
}

int prctl(int option, ...)
{
	unsigned long value[4];
	va_list values;

	va_start(values, option);
	for (int i = 0; i < 4; i++)
		value[i] = va_arg(values, unsigned long);
	va_end(values);
	if (option == PR_SET_PDEATHSIG)
		hold("prctl");
	return (int)syscall(SYS_prctl, option, value[0], value[1], value[2],
			    value[3]);
}

int open(const char *path, int flags, ...)
{
	va_list values;
	int mode;

	va_start(values, flags);
	mode = va_arg(values, int);
	va_end(values);
	if ((strncmp(path, "/proc/", 6) == 0 && isdigit(path[6])) ||
	    strstr(path, "/container-") != NULL)
		hold("open");
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
