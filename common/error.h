/* SPDX-License-Identifier: MIT */
/*
 * must(): one statement for a system call, the shell command that does the
 * same, the trace of -v and the error message.
 *
 *	must(sethostname(name, strlen(name)), "hostname %s", name);
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

/* Why the next call may fail, added to its error message. must() resets it to
 * "". */
extern const char *hint;

/* RESULT is what a system call returned. If it is -1, prints COMMAND and the
 * reason, errno(3), to stderr and exits with EXIT_LAUNCHER. Otherwise returns
 * RESULT, and with -v prints COMMAND first. */
int must(int result, const char *command, ...)
	__attribute__((format(printf, 2, 3)));

/* With -v prints "exec" and the words of ARGV, which ends with NULL. */
void trace_exec(char *const argv[]);

#endif
