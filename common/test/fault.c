/* SPDX-License-Identifier: MIT */
/*
 * fault - have one system call fail, or the process die in it
 *
 *     $ fault host sendto 3 ENOMEM container rootfs/tiny-linux
 *     container[host]: ip link add veth-host: netlink request: Cannot ...
 *
 * What `strace --inject` does, but strace counts launcher and container alike,
 * so it never gets to the calls of the second.
 *
 * ptrace(2), syscall(2)
 */
#define _GNU_SOURCE
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
	"Usage: fault SIDE CALL N FAULT PROGRAM [ARG...]\n"
	"Runs PROGRAM and has the Nth system call CALL of one SIDE fail: host\n"
	"is PROGRAM's process, container its first child until that executes\n"
	"another program. CALL can be 'any'. FAULT is ENOMEM or the like, or\n"
	"KILL; or sh:COMMAND, which runs before the call, and then that does\n"
	"not fail. The status is PROGRAM's, 128+n if signal n ended it, or 99\n"
	"if it ended without an Nth CALL.\n";

enum {
	NOT_REACHED = 99,
	ANY = -1,
};

struct name {
	const char *name;
	int number;
};

static const struct name calls[] = {
	{"any", ANY},
	{"bind", SYS_bind},
	{"clone", SYS_clone},
	{"openat", SYS_openat},
	{"prctl", SYS_prctl},
	{"read", SYS_read},
	{"recvfrom", SYS_recvfrom},
	{"rt_sigtimedwait", SYS_rt_sigtimedwait},
	{"sendto", SYS_sendto},
	{"setsockopt", SYS_setsockopt},
	{"socket", SYS_socket},
	{"socketpair", SYS_socketpair},
	{"unshare", SYS_unshare},
	{"wait4", SYS_wait4},
	{"write", SYS_write},
	{NULL, 0},
};

static const struct name faults[] = {
	{"EINTR", EINTR},   {"EMFILE", EMFILE}, {"ENOBUFS", ENOBUFS},
	{"ENODEV", ENODEV}, {"ENOMEM", ENOMEM}, {"ENOSPC", ENOSPC},
	{"EPERM", EPERM},   {"KILL", 0},	{NULL, 0},
};

struct plan {
	bool inside; /* SIDE is container */
	int call;
	long left;	     /* calls until the one that fails */
	int error;	     /* 0: be killed */
	const char *command; /* instead; or NULL */
	bool failing;
	bool executed;	 /* PROGRAM has: what was before does not count */
	bool entered[2]; /* in a call: host, container */
};

static int look_up(const struct name *names, const char *name)
{
	while (names->name != NULL && strcmp(names->name, name) != 0)
		names++;
	if (names->name == NULL)
		errx(2, "%s: unknown: see fault --help", name);
	return names->number;
}

/* The call that a stopped process is about to make, or has made. */
static int get_call(pid_t pid)
{
#if defined(__x86_64__)
	return (int)ptrace(PTRACE_PEEKUSER, pid,
			   offsetof(struct user, regs.orig_rax), NULL);
#elif defined(__aarch64__)
	int call = 0;
	struct iovec value = {&call, sizeof(call)};

	ptrace(PTRACE_GETREGSET, pid, NT_ARM_SYSTEM_CALL, &value);
	return call;
#else
#error "fault knows no registers but x86-64's and aarch64's"
#endif
}

/* It makes no call. */
static void skip_call(pid_t pid)
{
#if defined(__x86_64__)
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), -1L);
#else
	int call = -1;
	struct iovec value = {&call, sizeof(call)};

	ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &value);
#endif
}

static void set_result(pid_t pid, long result)
{
#if defined(__x86_64__)
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), result);
#else
	struct user_regs_struct registers;
	struct iovec value = {&registers, sizeof(registers)};

	ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &value);
	registers.regs[0] = (unsigned long)result;
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &value);
#endif
}

static void at_entry(struct plan *plan, pid_t pid)
{
	if (plan->call != ANY && plan->call != get_call(pid))
		return;
	if (plan->left == 0 || --plan->left > 0)
		return;
	if (plan->command != NULL) {
		/* NOLINTNEXTLINE(cert-env33-c): the test's own command */
		if (system(plan->command) != 0)
			errx(2, "failed: %s", plan->command);
		return;
	}
	if (plan->error == 0) {
		kill(pid, SIGKILL);
		return;
	}
	skip_call(pid);
	plan->failing = true;
}

static void at_exit(struct plan *plan, pid_t pid)
{
	if (plan->failing)
		set_result(pid, -plan->error);
	plan->failing = false;
}

static void start(char *argv[])
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
		err(2, "ptrace");
	raise(SIGSTOP);
	execvp(*argv, argv);
	err(2, "%s", *argv);
}

/* A process has stopped before or after a call: of one side, that counts. */
static void at_call(struct plan *plan, pid_t pid, bool inside)
{
	plan->entered[inside] = !plan->entered[inside];
	if (!plan->executed || inside != plan->inside)
		return;
	if (plan->entered[inside])
		at_entry(plan, pid);
	else
		at_exit(plan, pid);
}

/* Returns the exit status. Waits for all, so that the container's end is its
 * own, and not due to this process's. */
static int run(struct plan *plan, pid_t host)
{
	pid_t pid, container = -1;
	int status, result = 2;

	while ((pid = waitpid(-1, &status, __WALL)) != -1) {
		bool inside = pid == container;
		long request = PTRACE_SYSCALL, sig = 0;

		if (pid == host && WIFEXITED(status))
			result = WEXITSTATUS(status);
		if (pid == host && WIFSIGNALED(status))
			result = 128 + WTERMSIG(status);
		if (!WIFSTOPPED(status))
			continue;
		if (pid != host && container == -1) {
			container = pid; /* its first stop: it was forked */
		} else if (status >> 16 == PTRACE_EVENT_EXEC) {
			plan->executed = true;
			if (inside)
				request = PTRACE_DETACH;
		} else if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			at_call(plan, pid, inside);
		} else if (status >> 16 == 0) {
			sig = WSTOPSIG(status);
		}
		ptrace(request, pid, NULL, sig);
	}
	return plan->left > 0 ? NOT_REACHED : result;
}

int main(int argc, char *argv[])
{
	struct plan plan = {0};
	pid_t pid;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		printf("%s", help);
		return 0;
	}
	if (argc < 6)
		errx(2, "see fault --help");
	plan.inside = strcmp(argv[1], "container") == 0;
	plan.call = look_up(calls, argv[2]);
	plan.left = strtol(argv[3], NULL, 10);
	if (strncmp(argv[4], "sh:", 3) == 0)
		plan.command = argv[4] + 3;
	else
		plan.error = look_up(faults, argv[4]);

	pid = fork();
	if (pid == -1)
		err(2, "fork");
	if (pid == 0)
		start(argv + 5);
	if (waitpid(pid, NULL, WUNTRACED) == -1 ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
			   PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE |
			   PTRACE_O_TRACEVFORK) == -1)
		err(2, "ptrace");
	ptrace(PTRACE_SYSCALL, pid, NULL, 0L);
	return run(&plan, pid);
}
