// SPDX-License-Identifier: MIT
/*
 * pty - run a command on a pseudo-terminal and type what a script says
 *
 *	$ pty sh -c 'echo ready; exec sleep 1000' <<'END'
 *	expect ready
 *	send \003
 *	wait 130
 *	END
 *
 * The lines of the script, which is read from stdin:
 *	send TEXT	types TEXT; \r is Enter, \003 is Ctrl-C
 *	expect PATTERN	waits for a line that matches the shell pattern, or for
 *			a prompt: an unfinished last line that contains it
 *	close		closes the terminal, as a lost connection does
 *	wait STATUS	waits for the exit status; 128+N is signal N
 *
 * The terminal also shows what is typed: type ec"ho" to expect echo. What
 * appears is printed without escape sequences. The exit status is 1 if a line
 * of the script is not fulfilled and nothing appears for 100 seconds.
 *
 * Read: pty(7), forkpty(3), fnmatch(3), pidfd_open(2)
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <fnmatch.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t pid;
static int pidfd;
static int terminal;	    /* the user's side; -1 when it is closed */
static char shown[1 << 20]; /* what appeared on the terminal */
static char *unread = shown, *end = shown;

static void start(char *argv[])
{
	pid = forkpty(&terminal, NULL, NULL, NULL);
	if (pid == -1)
		err(1, "forkpty");
	if (pid == 0) {
		/* A shell ignores them in its background jobs. */
		signal(SIGINT, SIG_DFL);
		signal(SIGQUIT, SIG_DFL);
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd == -1)
		err(1, "pidfd_open");
}

static bool is_readable(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, 100 * 1000) == 1;
}

static void close_terminal(void)
{
	close(terminal);
	terminal = -1;
}

/* Returns false if nothing more appears. */
static bool read_terminal(void)
{
	static bool in_escape;
	char buffer[4096], *old_end = end;
	ssize_t length;

	if (terminal == -1 || !is_readable(terminal))
		return false;
	length = read(terminal, buffer, sizeof(buffer));
	if (length <= 0) { /* EIO: no process has it open */
		close_terminal();
		return false;
	}
	if (length >= shown + sizeof(shown) - end)
		errx(1, "more than %zu bytes appeared", sizeof(shown));
	for (char *c = buffer; c < buffer + length; c++) {
		if (*c == '\033')
			in_escape = true;
		else if (in_escape)
			in_escape = !isalpha((unsigned char)*c);
		else if (*c != '\r')
			*end++ = *c;
	}
	fwrite(old_end, 1, (size_t)(end - old_end), stdout);
	return true;
}

static bool find_line(const char *pattern)
{
	char prompt[4096];

	while (strchr(unread, '\n') != NULL) {
		if (fnmatch(pattern, strsep(&unread, "\n"), 0) == 0)
			return true;
	}
	snprintf(prompt, sizeof(prompt), "*%s*", pattern);
	if (fnmatch(prompt, unread, 0) != 0)
		return false;
	unread = end;
	return true;
}

static void expect(const char *pattern)
{
	while (!find_line(pattern)) {
		if (!read_terminal())
			errx(1, "expected '%s'", pattern);
	}
}

static void send_keys(char *text)
{
	while (*text != '\0') {
		char key = *text++;

		if (key == '\\' && *text == 'r') {
			key = '\r';
			text++;
		} else if (key == '\\') {
			key = (char)strtol(text, &text, 8);
		}
		if (write(terminal, &key, 1) != 1)
			err(1, "write to the terminal");
	}
}

static void wait_for_exit(const char *expected)
{
	int status, got = -1;

	while (read_terminal())
		continue;
	if (is_readable(pidfd) && waitpid(pid, &status, 0) == pid) {
		pid = 0;
		got = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
					  : WEXITSTATUS(status);
	}
	if (got != atoi(expected))
		errx(1, "exit status %d, expected %s", got, expected);
}

static void run_line(char *line)
{
	char *text = strchrnul(line, ' ');

	if (*text != '\0')
		*text++ = '\0';
	if (strcmp(line, "send") == 0)
		send_keys(text);
	else if (strcmp(line, "expect") == 0)
		expect(text);
	else if (strcmp(line, "wait") == 0)
		wait_for_exit(text);
	else if (strcmp(line, "close") == 0)
		close_terminal();
	else
		errx(1, "unknown line of the script: '%s'", line);
}

static void kill_command(void)
{
	if (pid != 0)
		kill(pid, SIGKILL);
}

int main(int argc, char *argv[])
{
	char line[4096];

	if (argc < 2)
		errx(2, "usage: pty COMMAND [ARG...] <SCRIPT");
	start(argv + 1);
	atexit(kill_command);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		run_line(line);
	}
	return 0;
}
