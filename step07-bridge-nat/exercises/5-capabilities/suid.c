// SPDX-License-Identifier: MIT
/*
 * suid - for check.sh: installed as a set-user-ID file of root, `suid drop`
 * becomes user 1000, executes itself and prints its effective user
 */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	if (argc == 2) {
		if (setuid(1000) == -1)
			return 1;
		execl(argv[0], argv[0], (char *)NULL);
		return 1;
	}
	printf("%u\n", geteuid());
	return 0;
}
