// SPDX-License-Identifier: MIT
/*
 * calls - for check.sh: try system calls with arguments that have no effect, and
 * print "NAME ERROR" for each: errno(3), or 0
 *
 * Usage: calls [i386]
 *        calls others
 *
 * `calls others` tries all system calls that are not in the list of the exercise,
 * with the argument -1, each in a process of its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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
/* Of i386: mount(2), with bad pointers, and getppid(2) have other numbers. */
static void try_i386(const char *name, long number)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(0L), "c"(0L), "d"(0L), "S"(0L),
			   "D"(0L)
			 : "memory");
	printf("i386-%s %ld\n", name, result < 0 ? -result : 0);
}
#endif

/* What the exercise lists; and what does not return, ends this process, or has
 * an effect even with these arguments. */
static int is_left_out(long number)
{
	static const long left_out[] = {
		SYS_mount,
		SYS_umount2,
		SYS_pivot_root,
		SYS_mount_setattr,
		SYS_fsopen,
		SYS_fsconfig,
		SYS_fsmount,
		SYS_fspick,
		SYS_open_tree,
		SYS_move_mount,
		SYS_unshare,
		SYS_setns,
		SYS_reboot,
		SYS_kexec_load,
		SYS_kexec_file_load,
		SYS_init_module,
		SYS_finit_module,
		SYS_delete_module,
		SYS_keyctl,
		SYS_add_key,
		SYS_request_key,
		SYS_bpf,
		SYS_perf_event_open,
		SYS_open_by_handle_at,
		SYS_swapon,
		SYS_swapoff,
		SYS_clone,
		SYS_clone3,
		SYS_exit,
		SYS_exit_group,
		SYS_rt_sigreturn,
		SYS_vhangup,
		SYS_sync,
#ifdef SYS_fork
		SYS_fork,
		SYS_vfork,
		SYS_pause,
#endif
	};

	for (size_t i = 0; i < sizeof(left_out) / sizeof(*left_out); i++)
		if (left_out[i] == number)
			return 1;
	return 0;
}

/* Prints "NUMBER ERROR", or "NUMBER killed" if the call kills the process. */
static void try_others(void)
{
	for (long number = 0; number < 480; number++) {
		int status;

		if (is_left_out(number))
			continue;
		fflush(stdout);
		if (fork() == 0) {
			char name[32];

			snprintf(name, sizeof(name), "%ld", number);
			alarm(60);
			print(name,
			      syscall(number, -1L, -1L, -1L, -1L, -1L, -1L));
			fflush(stdout);
			_exit(0);
		}
		wait(&status);
		if (status != 0)
			printf("%ld killed\n", number);
	}
}

int main(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "others") == 0) {
		try_others();
		return 0;
	}
#ifdef __x86_64__
	if (argc > 1) {
		try_i386("mount", 21);
		try_i386("getppid", 64);
		return 0;
	}
	print("x32-mount", syscall(X32_BIT | SYS_mount, 0, 0, 0, 0, 0));
	print("x32-getppid", syscall(X32_BIT | SYS_getppid));
	print("x32-execve", syscall(X32_BIT | 520, 0, 0, 0));
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
	print("clone-several",
	      syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | CLONE_THREAD, 0,
		      0, 0, 0));
	TRY(clone3, 0, 0);
	TRY(getppid, 0);
	return 0;
}
