// SPDX-License-Identifier: MIT
/*
 * signal-at N MOUNT-POINT COMMAND [ARG...] - send COMMAND the signal TERM at
 * one certain moment
 *
 * The moment is the Nth time that COMMAND enters or leaves a system call, from
 * 0, while something is mounted on MOUNT-POINT. Prints "sent", unless COMMAND
 * exits before; then its own exit status, or 128+N if signal N killed it.
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

static bool is_mounted(const char *point)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	if (file == NULL)
		err(2, "/proc/self/mountinfo");
	while (!found && getline(&line, &size, file) != -1)
		found = strstr(line, point) != NULL;
	free(line);
	fclose(file);
	return found;
}

/* TERM comes when COMMAND runs again. */
static void send_term(pid_t pid)
{
	puts("sent");
	fflush(stdout);
	kill(pid, SIGTERM);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

int main(int argc, char *argv[])
{
	int status, left;
	bool sent = false;
	pid_t pid;

	if (argc < 4)
		errx(2, "Usage: signal-at N MOUNT-POINT COMMAND [ARG...]");
	left = atoi(argv[1]);
	pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
			err(2, "ptrace");
		raise(SIGSTOP);
		execvp(argv[3], argv + 3);
		err(2, "%s", argv[3]);
	}
	/* Wrong code may signal its whole process group. */
	signal(SIGTERM, SIG_IGN);
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		int number = WSTOPSIG(status);
		bool is_call = number == (SIGTRAP | 0x80);

		if (is_call && is_mounted(argv[2]) && left-- == 0) {
			send_term(pid);
			sent = true;
		} else if (!sent) {
			if (is_call || number == SIGTRAP)
				number = 0; /* no signal: exec, for example */
			ptrace(PTRACE_SYSCALL, pid, NULL, number);
		}
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}
