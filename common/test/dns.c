/* SPDX-License-Identifier: MIT */
/*
 * dns - the smallest name server there can be, and a client for it
 *
 *     $ dns serve 198.51.100.1 &      dns ask www.example.test
 *                                     192.0.2.80
 *
 * The server knows that one name. The client asks the first server that
 * /etc/resolv.conf names, as a resolver would, but needs no library for it: it
 * runs in any root filesystem when it is linked statically.
 *
 * RFC 1035 section 4, resolv.conf(5)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT   53
#define HEADER 12

/* A message: a header of 6 numbers of 2 bytes (ID, flags and the counts of four
 * sections), then one question, and in the answer one record after it. */
static const unsigned char query[HEADER] = {0, 7, 1, 0, 0, 1};
static const unsigned char question[] = "\3www\7example\4test\0\0\1\0\1";
static const unsigned char record[] = "\300\14\0\1\0\1\0\0\0\1\0\4\300\0\2\120";

#define QUESTION_SIZE (sizeof(question) - 1)
#define RECORD_SIZE   (sizeof(record) - 1)

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		err(1, "socket");
	return fd;
}

static struct sockaddr_in parse(const char *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(PORT)};

	if (inet_pton(AF_INET, address, &in.sin_addr) != 1)
		errx(2, "%s: not an IPv4 address", address);
	return in;
}

static void serve(const char *address)
{
	struct sockaddr_in in = parse(address);
	unsigned char message[512];
	int fd = open_socket();

	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) == -1)
		err(1, "bind %s", address);
	puts("listening");
	fflush(stdout);
	for (;;) {
		socklen_t length = sizeof(in);
		ssize_t size =
			recvfrom(fd, message, sizeof(message) - RECORD_SIZE, 0,
				 (struct sockaddr *)&in, &length);
		size_t end = (size_t)size;

		if (size < HEADER)
			continue;
		message[2] |= 0x80; /* an answer */
		if (end >= HEADER + QUESTION_SIZE &&
		    memcmp(message + HEADER, question, QUESTION_SIZE) == 0) {
			message[7] = 1; /* record */
			end = HEADER + QUESTION_SIZE;
			memcpy(message + end, record, RECORD_SIZE);
			end += RECORD_SIZE;
		} else {
			message[3] = 3; /* no such name */
		}
		sendto(fd, message, end, 0, (struct sockaddr *)&in, length);
	}
}

static struct sockaddr_in find_server(void)
{
	FILE *file = fopen("/etc/resolv.conf", "re");
	char line[256], address[64] = "none";

	if (file == NULL)
		err(1, "/etc/resolv.conf");
	while (fgets(line, sizeof(line), file) != NULL &&
	       sscanf(line, "nameserver %63s", address) != 1)
		continue;
	fclose(file);
	return parse(address);
}

static void ask(const char *name)
{
	struct sockaddr_in server = find_server();
	unsigned char message[512];
	char text[INET_ADDRSTRLEN];
	size_t end = HEADER;
	ssize_t size;
	const struct timeval patience = {.tv_sec = 2};
	int fd = open_socket();

	memcpy(message, query, HEADER);
	/* "www.example.test": each part behind its length, then the root. */
	while (*name != '\0' && strlen(name) < 200) {
		size_t length = strcspn(name, ".");

		message[end++] = (unsigned char)length;
		memcpy(message + end, name, length);
		end += length;
		name += length + (name[length] == '.');
	}
	memcpy(message + end, "\0\0\1\0\1", 5); /* an address, please */
	end += 5;
	/* Not alarm(2): process 1 is deaf to signals. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) == -1 ||
	    connect(fd, (struct sockaddr *)&server, sizeof(server)) == -1 ||
	    send(fd, message, end, 0) == -1)
		err(1, "%s", inet_ntoa(server.sin_addr));
	size = recv(fd, message, sizeof(message), 0);
	if (size == -1)
		err(1, "%s", inet_ntoa(server.sin_addr));
	if ((message[3] & 0xf) != 0 || size < (ssize_t)end + 16)
		errx(1, "no such name");
	inet_ntop(AF_INET, message + size - 4, text, sizeof(text));
	puts(text);
}

int main(int argc, char *argv[])
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "ask") == 0)
		ask(argv[2]);
	else
		errx(2, "usage: dns serve ADDRESS, or dns ask NAME");
	return 0;
}
