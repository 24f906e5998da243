// SPDX-License-Identifier: MIT
/*
 * readme FILE... - type the console blocks of FILE into bash, and compare
 *
 *	```console
 *	$ make run STEP=04
 *	/ # echo $$
 *	1
 *	/ # exit
 *	```
 *
 * A line that starts with a prompt is typed. The lines that follow it, up to
 * the next prompt or the end of the block, are the output that it has to have:
 * "..." stands for any text in a line, and a line of "..." for any number of
 * lines. The prompt that appears afterwards must be that of the next command.
 * All blocks of a file are typed into one shell; those that start with
 * ```console 2 go to a second one, on a terminal of its own.
 *
 * A block below a line "<!-- not run: REASON -->" is left out. So is one below
 * "<!-- needs: COMMAND... -->" if one of them is missing, where "busybox" is
 * the root filesystem's. A block with a prompt of its shell always needs that.
 *
 * Prints one line a block, as the test library does, and exits with 1 if a
 * block failed.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of lines that fgets(3) has bounded, and of commands that the project wrote.
 * NOLINTBEGIN(clang-analyzer-security.insecureAPI.strcpy,cert-env33-c) */

enum {
	QUIET_MS = 60,
	PATIENCE_MS = 120000
};

/* The first two stand for the same shell: "#" says that the reader has to be
 * root, in the sandbox or with sudo. Here, all is typed in a sandbox. */
static const char *const prompts[] = {"$ ", "# ", "/ # ", "~ # ", "> "};
enum {
	HOST,
	ROOT,
	CONTINUE = 4,
	PROMPTS
};

struct terminal {
	int fd;
	pid_t pid;
	char output[1 << 18]; /* since the last command was typed, with a 0 */
	size_t length;
};

static struct terminal terminals[2];

/* The number of the prompt at the start of LINE, or -1. */
static int prompt_of(const char *line)
{
	for (int i = 0; i < PROMPTS; i++)
		if (strncmp(line, prompts[i], strlen(prompts[i])) == 0)
			return i;
	return -1;
}

/* Removes what only a terminal understands, escape sequences and returns, and
 * the blanks at the end of a line, which nobody sees. */
static void remove_controls(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (from[0] == '\033' && from[1] == '[') {
			from += 2;
			while (*from != '\0' && (*from < '@' || *from > '~'))
				from++;
			if (*from == '\0')
				break;
		} else if (*from != '\r' && *from != '\a') {
			while (*from == '\n' && to > text && to[-1] == ' ')
				to--;
			*to++ = *from;
		}
	}
	*to = '\0';
}

/* The last line, where the prompt is. */
static char *last_line(char *text)
{
	char *newline = strrchr(text, '\n');

	return newline == NULL ? text : newline + 1;
}

/* Reads until the last line is a prompt and nothing follows for a moment.
 * Returns the prompt's number, or -1 if that takes too long. */
static int read_to_prompt(struct terminal *t)
{
	struct pollfd readable = {.fd = t->fd, .events = POLLIN};
	int waited = 0;

	while (waited < PATIENCE_MS) {
		size_t room = sizeof(t->output) - 1 - t->length;
		ssize_t n;
		char *line;

		if (poll(&readable, 1, QUIET_MS) == 0) {
			waited += QUIET_MS;
			remove_controls(t->output);
			t->length = strlen(t->output);
			line = last_line(t->output);
			for (int i = 0; i < PROMPTS; i++)
				if (strcmp(line, prompts[i]) == 0)
					return i;
			continue;
		}
		n = read(t->fd, t->output + t->length, room);
		if (n <= 0)
			return -1;
		t->length += (size_t)n;
		t->output[t->length] = '\0';
	}
	return -1;
}

static void start_terminal(struct terminal *t)
{
	const struct winsize size = {.ws_row = 50, .ws_col = 500};

	t->pid = forkpty(&t->fd, NULL, NULL, &size);
	if (t->pid == -1)
		err(1, "forkpty");
	if (t->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* In the background, a shell has ignored these. */
		signal(SIGINT, SIG_DFL);
		signal(SIGQUIT, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		signal(SIGPIPE, SIG_DFL);
		setenv("PS1", "$ ", 1);
		setenv("TERM", "dumb", 1);
		execlp("bash", "bash", "--norc", "--noprofile", "-i", NULL);
		err(1, "bash");
	}
	fcntl(t->fd, F_SETFD, FD_CLOEXEC);
	if (read_to_prompt(t) != 0)
		errx(1, "bash shows no prompt: %s", t->output);
}

/* Debian's busybox greets the user of an interactive shell; others do
 * not. */
static void remove_greeting(char *text)
{
	const char *start = strstr(text, "\n\nBusyBox v");
	const char *end = strstr(text, "commands.\n\n");

	if (start == text && end != NULL)
		memmove(text, end + 11, strlen(end + 11) + 1);
}

/* Whether LINE is like PATTERN, of LENGTH bytes, where "..." is any text. */
static bool line_matches(const char *pattern, size_t length, const char *line,
			 size_t size)
{
	if (length >= 3 && strncmp(pattern, "...", 3) == 0) {
		for (size_t skip = 0; skip <= size; skip++)
			if (line_matches(pattern + 3, length - 3, line + skip,
					 size - skip))
				return true;
		return false;
	}
	if (length == 0 || size == 0)
		return length == size;
	return *pattern == *line &&
	       line_matches(pattern + 1, length - 1, line + 1, size - 1);
}

static bool text_matches(const char *pattern, const char *text)
{
	size_t length = strcspn(pattern, "\n"), size = strcspn(text, "\n");

	if (*pattern == '\0')
		return *text == '\0';
	if (length == 3 && strncmp(pattern, "...", 3) == 0) {
		if (text_matches(pattern + 4, text))
			return true;
		return *text != '\0' && text_matches(pattern, text + size + 1);
	}
	return *text != '\0' && line_matches(pattern, length, text, size) &&
	       text_matches(pattern + length + 1, text + size + 1);
}

struct command {
	int prompt;
	char typed[4096];     /* ends with a newline; may have several lines */
	char expected[65536]; /* whole lines */
};

/* Returns what is wrong, or NULL. */
static const char *run_command(struct terminal *t, const struct command *c,
			       int *prompt)
{
	char *output = t->output, *next;

	if (*prompt != (c->prompt == ROOT ? HOST : c->prompt))
		return "another prompt is there than the README says";
	for (const char *line = c->typed; *line != '\0';
	     line = strchr(line, '\n') + 1) {
		t->length = 0;
		*t->output = '\0';
		dprintf(t->fd, "%.*s", (int)strcspn(line, "\n") + 1, line);
		*prompt = read_to_prompt(t);
	}
	if (*prompt == -1)
		return "no prompt appears";
	*last_line(t->output) = '\0';
	next = strchr(output, '\n'); /* the first line is the typed one */
	output = next == NULL ? output : next + 1;
	memmove(t->output, output, strlen(output) + 1);
	remove_greeting(t->output);
	return text_matches(c->expected, t->output)
		       ? NULL
		       : "the output is another one";
}

static void print_lines(const char *mark, const char *text)
{
	while (*text != '\0') {
		int length = (int)strcspn(text, "\n");

		printf("# %s%.*s\n", mark, length, text);
		text += length + (text[length] != '\0');
	}
}

/* Types the block that starts after LINE_NUMBER. Returns whether all is
 * well. */
static bool run_block(struct terminal *t, int *prompt, FILE *file, int *number)
{
	static struct command c;
	char line[4096];
	bool first = true, good = true, more = true;
	const char *wrong;
	int start;

	while (more) {
		more = fgets(line, sizeof(line), file) != NULL &&
		       strncmp(line, "```", 3) != 0;
		++*number;
		start = more ? prompt_of(line) : 0;
		if (more && (start == -1 || start == CONTINUE)) {
			if (start == CONTINUE)
				strcat(c.typed, line + 2);
			else
				strcat(c.expected, line);
			continue;
		}
		if (!first && good) {
			wrong = run_command(t, &c, prompt);
			if (wrong != NULL) {
				good = false;
				printf("# %s:\n", wrong);
				print_lines("typed    ", c.typed);
				print_lines("expected ", c.expected);
				print_lines("got      ", t->output);
			}
		}
		first = false;
		c.prompt = start;
		*c.expected = '\0';
		strcpy(c.typed, line + (more ? strlen(prompts[start]) : 0));
	}
	return good;
}

/* Whether the block that starts here types into busybox's shell. */
static bool has_busybox_prompt(FILE *file)
{
	const long start = ftell(file);
	char line[4096];
	bool found = false;
	int prompt;

	while (fgets(line, sizeof(line), file) != NULL &&
	       strncmp(line, "```", 3) != 0) {
		prompt = prompt_of(line);
		found = found || (prompt > ROOT && prompt < CONTINUE);
	}
	fseek(file, start, SEEK_SET);
	return found;
}

/* Returns what is missing of COMMANDS, or NULL. */
static const char *find_missing(char *commands)
{
	static char text[300];
	char test[400];

	for (const char *name = strtok(commands, " "); name != NULL;
	     name = strtok(NULL, " ")) {
		snprintf(test, sizeof(test), "command -v %s >/dev/null",
			 strcmp(name, "busybox") == 0
				 ? "rootfs/tiny-linux/bin/busybox"
				 : name);
		snprintf(text, sizeof(text), "%s is missing", name);
		if (system(test) != 0)
			return text;
	}
	return NULL;
}

/* Returns why the block that starts here is left out, or NULL. */
static const char *why_not(FILE *file, const char *reason, char *needs)
{
	if (*reason != '\0')
		return reason;
	if (has_busybox_prompt(file))
		strcat(needs, " busybox");
	return find_missing(needs);
}

/* Whether LINE is the comment "<!-- KEY: TEXT -->". Copies TEXT. */
static bool read_comment(const char *line, const char *key, char text[256])
{
	const char *end = strstr(line, " -->");
	size_t length = strlen(key);

	if (strncmp(line, "<!-- ", 5) != 0 || end == NULL ||
	    strncmp(line + 5, key, length) != 0)
		return false;
	line += 5 + length;
	snprintf(text, 256, "%.*s", (int)(end - line), line);
	return true;
}

static void stop_terminals(void)
{
	for (int i = 0; i < 2; i++) {
		if (terminals[i].pid == 0)
			continue;
		kill(terminals[i].pid, SIGHUP);
		close(terminals[i].fd);
		waitpid(terminals[i].pid, NULL, 0);
		terminals[i].pid = 0;
	}
}

/* Returns whether all blocks are true. After one that is not, the others are
 * not run: they may count on what it does. */
static bool run_file(const char *name, int *count)
{
	FILE *file = fopen(name, "re");
	char line[4096], reason[256] = "", needs[256 + 16] = "";
	int number = 0, prompt[2] = {0, 0};
	bool good = true;

	if (file == NULL)
		err(1, "%s", name);
	while (good && fgets(line, sizeof(line), file) != NULL) {
		int which = strncmp(line, "```console 2", 12) == 0;
		int start = ++number;
		const char *why;

		if (read_comment(line, "not run: ", reason) ||
		    read_comment(line, "needs: ", needs) || *line == '\n')
			continue;
		if (strncmp(line, "```console", 10) != 0) {
			*reason = *needs = '\0';
			continue;
		}
		why = why_not(file, reason, needs);
		if (why != NULL)
			printf("# %s:%d is not run: %s\n", name, start, why);
		*reason = *needs = '\0';
		if (why != NULL)
			continue;
		if (terminals[which].pid == 0)
			start_terminal(&terminals[which]);
		good = run_block(&terminals[which], &prompt[which], file,
				 &number);
		printf("%s %d - %s:%d\n", good ? "ok" : "not ok", ++*count,
		       name, start);
	}
	fclose(file);
	stop_terminals();
	return good;
}

int main(int argc, char *argv[])
{
	bool good = true;
	int count = 0;

	setlinebuf(stdout);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 1; i < argc; i++)
		good = run_file(argv[i], &count) && good;
	return good ? 0 : 1;
}

/* NOLINTEND(clang-analyzer-security.insecureAPI.strcpy,cert-env33-c) */
