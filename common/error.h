/* SPDX-License-Identifier: MIT */
/*
 * must(): a system call, the shell command that does the same, the trace of -v
 * and the error message, all in one statement.
 *
 *	must(sethostname(name, strlen(name)), "hostname %s", quote(name));
 *
 * With -v this prints "container + hostname box"; if the call fails, it prints
 * "container: hostname box: Operation not permitted: try sudo".
 */
#ifndef ERROR_H
#define ERROR_H

#include <stdbool.h>

/* Exit statuses, the same as those of chroot(1) and docker-run(1). */
enum {
	EXIT_LAUNCHER = 125,	 /* the container could not be created */
	EXIT_NOT_RUNNABLE = 126, /* the command exists, but cannot be run */
	EXIT_NOT_FOUND = 127,	 /* the command does not exist */
};

/* -v: print each command. */
extern bool verbose;

/* "host" or "container": the side on which the next commands take effect. */
extern const char *side;

/* Why the next calls may fail: added to their error messages until the caller
 * sets it to "" again. */
extern const char *hint;

/* The kernel's own explanation of the last error, if it gave one: see
 * nl_send(). must() adds it to the error message. */
extern char kernel_reason[128];

/* RESULT is what a system call returned. If it is -1, prints COMMAND, the
 * reason, kernel_reason and hint to stderr, and exits with EXIT_LAUNCHER.
 * Otherwise returns RESULT, and with -v prints COMMAND. */
int must(int result, const char *command, ...)
	__attribute__((format(printf, 2, 3)));

/* With -v, prints COMMAND as must() does. */
void trace(const char *command, ...) __attribute__((format(printf, 1, 2)));

/* With -v, prints "exec" and the quoted words of ARGV, which ends with NULL. */
void trace_exec(char *const argv[]);

/* Returns WORD as one types it in a shell, in quotes if it needs them, and then
 * cut at 8 KiB. The result is valid until the next call. */
const char *quote(const char *word);

#endif
