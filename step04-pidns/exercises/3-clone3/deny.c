// SPDX-License-Identifier: MIT
/*
 * deny - run a command, for which fork, vfork, clone and unshare do not exist,
 * or with -3 only clone3 does not
 *
 *	$ deny unshare true
 *	unshare: unshare failed: Function not implemented
 *
 * Read: seccomp(2)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned int denied[] = {
	SYS_unshare,
	SYS_clone,
#ifdef SYS_fork /* not on aarch64 */
	SYS_fork,
	SYS_vfork,
#endif
};

enum {
	COUNT = sizeof(denied) / sizeof(denied[0])
};

int main(int argc, char *argv[])
{
	struct sock_filter code[COUNT + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = {.len = COUNT + 3, .filter = code};
	int i;

	if (argc > 1 && strcmp(argv[1], "-3") == 0) {
		for (i = 0; i < COUNT; i++)
			denied[i] = SYS_clone3;
		argc--;
		argv++;
	}
	/* If it is equal, jump to the last instruction. */
	for (i = 0; i < COUNT; i++)
		code[1 + i] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, denied[i],
			(unsigned char)(COUNT - i), 0);
	code[1 + i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						   SECCOMP_RET_ALLOW);
	code[2 + i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						   SECCOMP_RET_ERRNO | ENOSYS);
	if (argc < 2)
		errx(2, "usage: deny [-3] COMMAND [ARG...]");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		err(2, "seccomp");
	execvp(argv[1], argv + 1);
	err(2, "%s", argv[1]);
}
