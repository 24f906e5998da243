// SPDX-License-Identifier: MIT
/*
 * calls - for check.sh: try system calls with arguments that have no effect, and
 * print "NAME ERROR" for each: errno(3), or 0
 *
 * Usage: calls [i386]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define X32_BIT 0x40000000

#define TRY(name, ...) print(#name, syscall(SYS_##name, __VA_ARGS__))

/* CLONE_THREAD alone is an error. */
#define TRY_CLONE(flag)                                                        \
	print("clone-" #flag,                                                  \
	      syscall(SYS_clone, CLONE_##flag | CLONE_THREAD, 0, 0, 0, 0))

static void print(const char *name, long result)
{
	printf("%s %d\n", name, result == -1 ? errno : 0);
}

#ifdef __x86_64__
/* mount(2) of i386, where it has the number 21, with bad pointers */
static void try_i386(void)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(21L), "b"(0L), "c"(0L), "d"(0L), "S"(0L), "D"(0L)
			 : "memory");
	printf("i386-mount %ld\n", -result);
}
#endif

int main(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
#ifdef __x86_64__
	if (argc > 1) {
		try_i386();
		return 0;
	}
	print("x32-mount", syscall(X32_BIT | SYS_mount, 0, 0, 0, 0, 0));
#endif
	TRY(mount, 0, 0, 0, 0, 0);
	TRY(umount2, "/nonexistent", 0);
	TRY(pivot_root, 0, 0);
	TRY(mount_setattr, -1, 0, 0, 0, 0);
	TRY(fsopen, 0, 0);
	TRY(fsconfig, -1, 0, 0, 0, 0);
	TRY(fsmount, -1, 0, 0);
	TRY(fspick, -1, 0, 0);
	TRY(move_mount, -1, 0, -1, 0, 0);
	TRY(open_tree, -1, 0, 0);
	TRY(unshare, 0);
	TRY(setns, -1, 0);
	TRY(reboot, 0, 0, 0, 0);
	TRY(kexec_load, 0, 0, 0, -1L);
	TRY(kexec_file_load, -1, -1, 0, 0, -1L);
	TRY(init_module, 0, 0, 0);
	TRY(finit_module, -1, 0, 0);
	TRY(delete_module, 0, 0);
	TRY(keyctl, -1, 0, 0, 0, 0);
	TRY(add_key, 0, 0, 0, 0, 0);
	TRY(request_key, 0, 0, 0, 0);
	TRY(bpf, -1, 0, 0);
	TRY(perf_event_open, 0, 0, -1, -1, 0);
	TRY(open_by_handle_at, -1, 0, 0);
	TRY(swapon, 0, 0);
	TRY(swapoff, 0);
	TRY_CLONE(NEWNS);
	TRY_CLONE(NEWUTS);
	TRY_CLONE(NEWIPC);
	TRY_CLONE(NEWNET);
	TRY_CLONE(NEWCGROUP);
	TRY_CLONE(NEWPID);
	TRY_CLONE(NEWUSER);
	TRY(clone3, 0, 0);
	TRY(getppid, 0);
	return 0;
}
