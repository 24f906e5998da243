// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

const char *role = "host";
static bool tracing;

/* A line under construction. One write() of it all keeps the launcher's lines
 * and the container's apart; what does not fit is cut off. */
struct line {
	size_t length;
	char text[4096 + 1];
};

static void add_v(struct line *line, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
static void add(struct line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void print_message(const char *format, va_list args, int error)
	__attribute__((format(printf, 1, 0)));

static void add_v(struct line *line, const char *format, va_list args)
{
	size_t room = sizeof(line->text) - 1 - line->length;
	int n = vsnprintf(line->text + line->length, room, format, args);

	if (n > 0)
		line->length += (size_t)n < room ? (size_t)n : room - 1;
}

static void add(struct line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_v(line, format, args);
	va_end(args);
}

static void print(struct line *line)
{
	for (size_t i = 0; i < line->length; i++) {
		unsigned char c = (unsigned char)line->text[i];

		if (c < ' ' || c == 0x7f)
			line->text[i] = '?';
	}
	line->text[line->length++] = '\n';
	/* There is nobody to tell that stderr cannot be written to. */
	if (write(STDERR_FILENO, line->text, line->length) == -1)
		return;
}

static void print_message(const char *format, va_list args, int error)
{
	struct line line = {0};

	add(&line, "container[%s]: ", role);
	add_v(&line, format, args);
	if (error != 0)
		add(&line, ": %s", strerror(error));
	if (error == EPERM && geteuid() != 0)
		add(&line, " (not root: try sudo)");
	print(&line);
}

void die(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	print_message(format, args, error);
	va_end(args);
	exit(EXIT_LAUNCHER);
}

void diex(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_message(format, args, 0);
	va_end(args);
	exit(EXIT_LAUNCHER);
}

void warn(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	print_message(format, args, error);
	va_end(args);
	errno = error;
}

void trace_on(void)
{
	tracing = true;
}

/* Quotes a word the way sh(1) reads it: 'it'\''s'. */
static void add_word(struct line *line, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";

	if (*word != '\0' && word[strspn(word, plain)] == '\0') {
		add(line, "%s", word);
		return;
	}
	add(line, "'");
	for (; *word != '\0'; word++)
		add(line, *word == '\'' ? "'\\''" : "%c", *word);
	add(line, "'");
}

void trace_exec(char *const argv[])
{
	struct line line = {0};

	if (!tracing)
		return;
	add(&line, "%-9s + exec", role);
	for (; *argv != NULL; argv++) {
		add(&line, " ");
		add_word(&line, *argv);
	}
	print(&line);
}

void trace(const char *format, ...)
{
	int error = errno;
	struct line line = {0};
	va_list args;

	if (!tracing)
		return;
	add(&line, "%-9s + ", role);
	va_start(args, format);
	for (; *format != '\0'; format++) {
		if (*format != '%')
			add(&line, "%c", *format);
		else if (*++format == 's')
			add_word(&line, va_arg(args, const char *));
		else if (*format == 'd')
			add(&line, "%d", va_arg(args, int));
		else
			add(&line, "%u", va_arg(args, unsigned int));
	}
	va_end(args);
	print(&line);
	errno = error;
}
