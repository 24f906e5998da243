// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

bool verbose;
const char *side = "host";
const char *hint = "";
char kernel_reason[128];

int must(int result, const char *command, ...)
{
	char line[8192];
	int error = errno;
	va_list args;

	va_start(args, command);
	vsnprintf(line, sizeof(line), command, args);
	va_end(args);
	if (result == -1) {
		if (error == EPERM && *hint == '\0' && geteuid() != 0)
			hint = "try sudo";
		line[strcspn(line, "\n")] = '\0'; /* of a batch of commands */
		errx(EXIT_LAUNCHER, "%s: %s%s%s%s%s", line, strerror(error),
		     *kernel_reason == '\0' ? "" : ": ", kernel_reason,
		     *hint == '\0' ? "" : ": ", hint);
	}
	kernel_reason[0] = '\0';
	trace("%s", line);
	return result;
}

void trace(const char *command, ...)
{
	char line[8192];
	sighandler_t on_pipe;
	va_list args;

	va_start(args, command);
	vsnprintf(line, sizeof(line), command, args);
	va_end(args);
	if (!verbose)
		return;
	/* After -v 2>&1 | head, the launcher still has to clean up. */
	on_pipe = signal(SIGPIPE, SIG_IGN);
	fprintf(stderr, "%-9s + %s\n", side, line);
	signal(SIGPIPE, on_pipe);
}

void trace_exec(char *const argv[])
{
	if (!verbose)
		return;
	fprintf(stderr, "%-9s + exec", side);
	for (; *argv != NULL; argv++)
		fprintf(stderr, " %s", quote(*argv));
	fputc('\n', stderr);
}

const char *quote(const char *word)
{
	static char quoted[8192];
	char *end = stpcpy(quoted, "'");

	if (*word != '\0' && !strpbrk(word, " \t\n\"'\\$`&|;<>(){}*?[]~#!"))
		return word;
	for (; *word != '\0' && end < quoted + sizeof(quoted) - 8; word++) {
		if (*word == '\'')
			end = stpcpy(end, "'\\''");
		else
			*end++ = *word;
	}
	stpcpy(end, "'");
	return quoted;
}
