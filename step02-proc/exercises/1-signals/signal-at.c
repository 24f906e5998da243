// SPDX-License-Identifier: MIT
/*
 * signal-at MOMENT SIGNAL MOUNT-POINT COMMAND [ARG...] - send COMMAND a signal,
 * given by its number, at one certain moment
 *
 * The moment N, from 0, is the Nth time that COMMAND enters or leaves a system
 * call while something is mounted on MOUNT-POINT. The moment "fork" is when it has
 * a child that has not run yet: the child waits until it has been sent a signal,
 * for a second at most. Prints "sent", unless COMMAND exits before; then its own
 * exit status, or 128+N if signal N killed it.
 *
 * Read: ptrace(2)
 */
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static bool contains(const char *path, const char *text)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	if (file == NULL)
		err(2, "%s", path);
	while (!found && getline(&line, &size, file) != -1)
		found = strstr(line, text) != NULL;
	free(line);
	fclose(file);
	return found;
}

/* The signal comes when COMMAND runs again. */
static void send_signal(pid_t pid, int number)
{
	puts("sent");
	fflush(stdout);
	kill(pid, number);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

/* A signal that is sent to a stopped process is pending. */
static void hold_until_signal(pid_t pid, int number)
{
	char path[64], pending[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	snprintf(pending, sizeof(pending), "ShdPnd:\t%016llx",
		 1ULL << (number - 1));
	for (int i = 0; i < 100 && !contains(path, pending); i++)
		usleep(10000);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

static pid_t start(char *command[])
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
			err(2, "ptrace");
		raise(SIGSTOP);
		execvp(command[0], command);
		err(2, "%s", command[0]);
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK |
		       PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	return pid;
}

/* PTRACE_O_TRACEFORK stops a new child before its first instruction. */
static pid_t stopped_child(pid_t pid)
{
	unsigned long child = 0;

	ptrace(PTRACE_GETEVENTMSG, pid, NULL, &child);
	waitpid((pid_t)child, NULL, __WALL);
	return (pid_t)child;
}

int main(int argc, char *argv[])
{
	int status, left, number;
	bool at_fork;
	pid_t pid, child = 0;

	if (argc < 5)
		errx(2,
		     "Usage: signal-at MOMENT SIGNAL MOUNT-POINT COMMAND...");
	at_fork = strcmp(argv[1], "fork") == 0;
	left = atoi(argv[1]);
	number = atoi(argv[2]);
	pid = start(argv + 4);
	/* Wrong code may signal its whole process group. */
	signal(number, SIG_IGN);
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		int signal_number = WSTOPSIG(status);
		bool is_call = signal_number == (SIGTRAP | 0x80);
		bool is_fork = status >> 16 != 0;

		if (is_fork)
			child = stopped_child(pid);
		if (contains("/proc/self/mountinfo", argv[3]) &&
		    (at_fork ? child > 0 : is_call && left-- == 0)) {
			send_signal(pid, number);
			if (is_fork)
				hold_until_signal(child, number);
			continue;
		}
		if (is_fork)
			ptrace(PTRACE_DETACH, child, NULL, NULL);
		if (is_call || signal_number == SIGTRAP)
			signal_number = 0; /* no signal: exec, for example */
		ptrace(PTRACE_SYSCALL, pid, NULL, signal_number);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}
