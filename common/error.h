/* SPDX-License-Identifier: MIT */
/*
 * What every step says on stderr: errors, warnings and the trace of -v.
 * Each message is one write(2) of one line; control characters in it become
 * '?', so that a file name cannot forge a second line.
 */
#ifndef ERROR_H
#define ERROR_H

/* The exit statuses that chroot(1) and docker-run(1) give these failures. */
enum {
	EXIT_LAUNCHER = 125,	 /* the launcher itself failed */
	EXIT_NOT_RUNNABLE = 126, /* the command was found, but cannot run */
	EXIT_NOT_FOUND = 127,	 /* the command was not found */
};

/* The side that messages speak for: "host" until the program enters the
 * container and says "container". A string constant, never freed. */
extern const char *role;

/* Prints "container[ROLE]: MESSAGE: REASON", the reason being errno's, and
 * exits with EXIT_LAUNCHER. Whoever lacks a permission and is not root is
 * told to try sudo. */
void die(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* The same for a failure that no errno tells: "container[ROLE]: MESSAGE". */
void diex(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* Prints what die() prints and returns. errno is as it was. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints what diex() prints and returns. */
void warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Turns trace() on: the option -v. */
void trace_on(void);

/* With -v: prints "ROLE + COMMAND", the shell command that does what the next
 * lines of C do. FORMAT knows %s, printed as one word of the shell, quoted
 * where it has to be, %d and %u. errno is as it was. */
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for exec and the words of ARGV, which a NULL ends. */
void trace_exec(char *const argv[]);

#endif
