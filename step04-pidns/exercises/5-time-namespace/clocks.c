// SPDX-License-Identifier: MIT
/*
 * clocks - print CLOCK_MONOTONIC and CLOCK_BOOTTIME, in seconds; preloaded into
 * another program, let it see half of what one of them shows
 *
 *	$ clocks
 *	7345 7345
 *	$ HALVE=boottime LD_PRELOAD=./clocks.so clocks
 *	7345 3672
 *
 * The two differ on a machine that was suspended. Few test machines were. The
 * other clocks follow CLOCK_BOOTTIME, because they are not CLOCK_MONOTONIC.
 *
 * Read: clock_gettime(2), ld.so(8) on LD_PRELOAD
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
	const char *halved = getenv("HALVE"), *name = "boottime";
	int result = (int)syscall(SYS_clock_gettime, clock, now);

	if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)
		name = "monotonic";
	if (halved != NULL && strcmp(halved, name) == 0)
		now->tv_sec /= 2;
	return result;
}

int main(void)
{
	struct timespec monotonic, boottime;

	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	clock_gettime(CLOCK_BOOTTIME, &boottime);
	printf("%lld %lld\n", (long long)monotonic.tv_sec,
	       (long long)boottime.tv_sec);
	return 0;
}
