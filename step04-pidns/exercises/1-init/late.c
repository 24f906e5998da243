// SPDX-License-Identifier: MIT
/*
 * late - preloaded into another program, let a process that has children change
 * its signals, or pause, only when a child has exited, or after 5 seconds
 *
 *	$ LD_PRELOAD=./late.so container -i ROOTFS sh -c 'exit 7'
 *
 * A program that changes them after fork(2) may miss the SIGCHLD of a child that
 * exits at once. One that looks, and then calls pause(2), may miss any signal.
 *
 * Read: waitid(2), ld.so(8) on LD_PRELOAD
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void be_late(void)
{
	siginfo_t child = {0};

	for (int i = 0; i < 500 && child.si_pid == 0; i++) {
		if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == -1)
			return; /* There is none. */
		usleep(10000);
	}
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	int (*real)(int, const sigset_t *, sigset_t *);

	*(void **)&real = dlsym(RTLD_NEXT, "sigprocmask");
	be_late();
	return real(how, set, old);
}

int sigaction(int number, const struct sigaction *new, struct sigaction *old)
{
	int (*real)(int, const struct sigaction *, struct sigaction *);

	*(void **)&real = dlsym(RTLD_NEXT, "sigaction");
	be_late();
	return real(number, new, old);
}

sighandler_t signal(int number, sighandler_t handler)
{
	sighandler_t (*real)(int, sighandler_t);

	*(void **)&real = dlsym(RTLD_NEXT, "signal");
	be_late();
	return real(number, handler);
}

int pause(void)
{
	int (*real)(void);

	*(void **)&real = dlsym(RTLD_NEXT, "pause");
	be_late();
	return real();
}
