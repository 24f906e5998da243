// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <ctype.h>
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

/* A line is put together in memory first: one write() of it all keeps the
 * launcher's lines and the container's apart. */
static void print(char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (iscntrl((unsigned char)line[i]))
			line[i] = '?';
	line[length] = '\n'; /* in place of the 0 that ended it */
	/* There is nobody to tell that stderr cannot be written to. */
	if (write(STDERR_FILENO, line, length + 1) == -1)
		return;
}

static void print_message(const char *format, va_list args, int error)
	__attribute__((format(printf, 1, 0)));

static void print_message(const char *format, va_list args, int error)
{
	char *line;
	size_t length;
	FILE *stream = open_memstream(&line, &length);

	if (stream == NULL)
		return;
	fprintf(stream, "container[%s]: ", role);
	vfprintf(stream, format, args);
	if (error != 0)
		fprintf(stream, ": %s", strerror(error));
	if (error == EPERM && geteuid() != 0)
		fprintf(stream, " (not root: try sudo)");
	fclose(stream);
	print(line, length);
	free(line);
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

void warnx(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_message(format, args, 0);
	va_end(args);
}

void trace_on(void)
{
	tracing = true;
}

/* Quotes a word the way sh(1) reads it: 'it'\''s'. */
static void put_word(const char *word, FILE *stream)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";

	if (*word != '\0' && word[strspn(word, plain)] == '\0') {
		fputs(word, stream);
		return;
	}
	fputc('\'', stream);
	for (; *word != '\0'; word++)
		if (*word == '\'')
			fputs("'\\''", stream);
		else
			fputc(*word, stream);
	fputc('\'', stream);
}

void trace(const char *format, ...)
{
	int error = errno;
	char *line;
	size_t length;
	FILE *stream = tracing ? open_memstream(&line, &length) : NULL;
	va_list args;

	if (stream == NULL)
		return;
	fprintf(stream, "%-9s + ", role);
	va_start(args, format);
	for (; *format != '\0'; format++)
		if (*format != '%')
			fputc(*format, stream);
		else if (*++format == 's')
			put_word(va_arg(args, const char *), stream);
		else if (*format == 'd')
			fprintf(stream, "%d", va_arg(args, int));
		else
			fprintf(stream, "%u", va_arg(args, unsigned int));
	va_end(args);
	fclose(stream);
	print(line, length);
	free(line);
	errno = error;
}

void trace_exec(char *const argv[])
{
	char *line;
	size_t length;
	FILE *stream = tracing ? open_memstream(&line, &length) : NULL;

	if (stream == NULL)
		return;
	fprintf(stream, "%-9s + exec", role);
	for (; *argv != NULL; argv++) {
		fputc(' ', stream);
		put_word(*argv, stream);
	}
	fclose(stream);
	print(line, length);
	free(line);
}
