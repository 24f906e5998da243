/* SPDX-License-Identifier: MIT */
/*
 * pty - sit at a terminal and type
 *
 *     $ pty sh -c 'echo ready; exec sleep 1000' <<'END'
 *     expect ready
 *     send \003
 *     wait 130
 *     END
 *
 * pty(7), forkpty(3), pidfd_open(2)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
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

static const char help[] =
	"Usage: pty COMMAND [ARG...] <SCRIPT\n"
	"Runs COMMAND on a terminal of its own and prints what appears there,\n"
	"while it obeys the lines of SCRIPT:\n"
	"    send TEXT     type TEXT: \\r is Enter, \\003 is Ctrl-C\n"
	"    expect TEXT   wait for TEXT, after what was last expected; mind\n"
	"                  that the terminal shows what is typed, too\n"
	"    close         hang up\n"
	"    wait STATUS   wait for COMMAND's exit status, 128+n for signal n\n"
	"At the end of SCRIPT, COMMAND is killed. The status is 0, or 1 if\n"
	"something else happens, or nothing for ten seconds.\n";

enum {
	PATIENCE_MS = 10 * 1000
};

struct session {
	int terminal; /* the user's end of it; -1 after the hang-up */
	pid_t pid;
	int pidfd;	     /* readable when the command has ended */
	char shown[1 << 20]; /* what has appeared on the terminal */
	size_t length;
	size_t seen; /* up to where expect has read it */
};

/* Runs the command as the leader of a new session, whose controlling terminal
 * is a new one. */
static void start(struct session *s, char *argv[])
{
	s->pid = forkpty(&s->terminal, NULL, NULL, NULL);
	if (s->pid == -1)
		err(1, "forkpty");
	if (s->pid == 0) {
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	s->pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0);
	if (s->pidfd == -1)
		err(1, "pidfd_open");
}

static void hang_up(struct session *s)
{
	close(s->terminal);
	s->terminal = -1;
}

/* Takes what has appeared on the terminal. */
static void watch(struct session *s)
{
	char *end = s->shown + s->length;
	ssize_t n = read(s->terminal, end, sizeof(s->shown) - s->length);

	if (n == -1 && errno == EIO) { /* no process has it open any more */
		hang_up(s);
		return;
	}
	if (n <= 0)
		err(1, "read from the terminal");
	s->length += (size_t)n;
	if (write(STDOUT_FILENO, end, (size_t)n) != n)
		err(1, "write");
}

/* Types text, in which \r or an octal number stands for a key. */
static void send_keys(struct session *s, char *text)
{
	while (*text) {
		char c = *text++;

		if (c == '\\' && *text == 'r') {
			c = '\r';
			text++;
		} else if (c == '\\') {
			c = (char)strtol(text, &text, 8);
		}
		if (write(s->terminal, &c, 1) != 1)
			err(1, "write to the terminal");
	}
}

static bool expect(struct session *s, const char *text)
{
	struct pollfd fd = {.fd = s->terminal, .events = POLLIN};
	char *found;

	while (!(found = memmem(s->shown + s->seen, s->length - s->seen, text,
				strlen(text)))) {
		if (s->terminal == -1 || poll(&fd, 1, PATIENCE_MS) != 1) {
			warnx("wanted '%s', got '%.*s'", text,
			      (int)(s->length - s->seen), s->shown + s->seen);
			return false;
		}
		watch(s);
	}
	s->seen = (size_t)(found - s->shown) + strlen(text);
	return true;
}

static bool wait_for_command(struct session *s, const char *wanted)
{
	struct pollfd fds[2];
	char got[] = "none";
	int status;

	do { /* to the end of what it writes, else it could not end */
		fds[0] = (struct pollfd){s->terminal, POLLIN, 0};
		fds[1] = (struct pollfd){s->pidfd, POLLIN, 0};
		if (poll(fds, 2, PATIENCE_MS) == -1)
			err(1, "poll");
		if (fds[0].revents)
			watch(s);
	} while (fds[0].revents);
	if (fds[1].revents) {
		if (waitpid(s->pid, &status, 0) == -1)
			err(1, "waitpid");
		s->pid = 0;
		snprintf(got, sizeof(got), "%d",
			 WIFSIGNALED(status) ? 128 + WTERMSIG(status)
					     : WEXITSTATUS(status));
	}
	if (strcmp(got, wanted) != 0)
		warnx("wanted exit status %s, got %s", wanted, got);
	return strcmp(got, wanted) == 0;
}

/* Obeys one line of the script. Returns false if it is not fulfilled. */
static bool obey(struct session *s, char *line)
{
	char *word = strsep(&line, " ");
	char *text = line;

	if (strcmp(word, "close") == 0)
		return hang_up(s), true;
	if (text && strcmp(word, "send") == 0)
		return send_keys(s, text), true;
	if (text && strcmp(word, "expect") == 0)
		return expect(s, text);
	if (text && strcmp(word, "wait") == 0)
		return wait_for_command(s, text);
	warnx("not a line of a script: '%s'", word);
	return false;
}

int main(int argc, char *argv[])
{
	static struct session s;
	char line[4096];
	bool ok = true;

	if (argc < 2 || argv[1][0] == '-') {
		fputs(help, stderr);
		return 2;
	}
	start(&s, argv + 1);
	while (ok && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		ok = obey(&s, line);
	}
	if (s.pid)
		kill(s.pid, SIGKILL);
	return ok ? 0 : 1;
}
