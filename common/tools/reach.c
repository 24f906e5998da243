/* SPDX-License-Identifier: MIT */
/*
 * reach - find out what this process can reach over the network
 *
 * peek only looks, reach sends: on a machine that has no ping, nc or curl.
 *
 *     # reach fetch 198.51.100.1 80
 *     203.0.113.2
 *
 * The server was a `reach serve 80`, which tells each client what address it
 * sees it come from: where that is another than the client's own, there was
 * address translation on the way.
 *
 * icmp(7), raw(7), tcp(7), RFC 792
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char help[] =
	"Usage: reach ping ADDRESS        wait for a reply to an ICMP echo\n"
	"       reach fetch ADDRESS PORT  print what a TCP server says\n"
	"       reach serve PORT          tell each TCP client its address\n"
	"IPv4 only. ping and fetch give up after two seconds. The status is "
	"0,\n"
	"1 for no answer, or 2 for arguments that make no sense.\n";

static void give_up(int number)
{
	static const char message[] = "reach: no answer within 2 s\n";

	(void)number;
	(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
	_exit(1);
}

/* Bounds all of what follows, however many calls it waits in. */
static void start_clock(void)
{
	const struct sigaction action = {.sa_handler = give_up};

	if (sigaction(SIGALRM, &action, NULL) == -1)
		err(1, "sigaction");
	alarm(2);
}

static struct sockaddr_in parse(const char *address, const char *port)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	char *end;
	unsigned long number = strtoul(port, &end, 10);

	if (inet_pton(AF_INET, address, &in.sin_addr) != 1)
		errx(2, "%s: not an IPv4 address", address);
	if (end == port || *end || number > UINT16_MAX)
		errx(2, "%s: not a port", port);
	in.sin_port = htons((uint16_t)number);
	return in;
}

static void connect_to(int fd, const char *address, const char *port)
{
	const struct sockaddr_in to = parse(address, port);

	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1)
		err(1, "%s", address);
}

/* A group in net.ipv4.ping_group_range may open an ICMP socket of the first
 * kind, for which the kernel sorts out the replies; CAP_NET_RAW may open the
 * second, which gets whole packets, those for others too. */
static int open_icmp(bool *raw)
{
	int on = 1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

	*raw = fd == -1;
	if (*raw)
		fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	if (fd == -1)
		err(1, "no ICMP socket");
	/* "Unreachable" shall end recv(2) at once. */
	if (setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) == -1)
		err(1, "IP_RECVERR");
	return fd;
}

static void ping(const char *address)
{
	const uint16_t id = (uint16_t)(getpid() & 0x7fff), sequence = 1;
	/* The checksum completes the sum of all 16-bit words to 0xffff. */
	const struct icmphdr request = {
		.type = ICMP_ECHO,
		.checksum = htons(0xffff - (ICMP_ECHO << 8) - id - sequence),
		.un.echo.id = htons(id),
		.un.echo.sequence = htons(sequence),
	};
	struct icmphdr reply;
	char packet[1500] = "";
	bool raw;
	int fd = open_icmp(&raw);

	connect_to(fd, address, "0");
	if (send(fd, &request, sizeof(request), 0) == -1)
		err(1, "%s", address);
	for (;;) {
		ssize_t size = recv(fd, packet, sizeof(packet), 0);
		size_t skip;

		if (size == -1)
			err(1, "%s", address);
		/* An IP header begins with its length, in words of 4 bytes. */
		skip = raw ? (packet[0] & 0xf) * 4U : 0;
		if ((size_t)size < skip + sizeof(reply))
			continue;
		memcpy(&reply, packet + skip, sizeof(reply));
		if (reply.type == ICMP_ECHOREPLY &&
		    (!raw || reply.un.echo.id == request.un.echo.id))
			break;
	}
	printf("reply from %s\n", address);
}

static void fetch(const char *address, const char *port)
{
	char text[4096];
	ssize_t size;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		err(1, "socket");
	connect_to(fd, address, port);
	while ((size = recv(fd, text, sizeof(text), 0)) > 0) {
		fwrite(text, 1, (size_t)size, stdout);
		fflush(stdout);
	}
	if (size == -1)
		err(1, "%s", address);
}

static void serve(const char *port)
{
	struct sockaddr_in in = parse("0.0.0.0", port);
	char text[INET_ADDRSTRLEN];
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&in, sizeof(in)) == -1 ||
	    listen(fd, SOMAXCONN) == -1)
		err(1, "port %s", port);
	printf("listening on port %s\n", port);
	fflush(stdout);
	for (;;) {
		socklen_t size = sizeof(in);
		int client = accept4(fd, (struct sockaddr *)&in, &size,
				     SOCK_CLOEXEC);

		if (client == -1 && errno == ECONNABORTED)
			continue;
		if (client == -1)
			err(1, "accept");
		inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
		dprintf(client, "%s\n", text);
		close(client);
	}
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (strcmp(verb, "-h") == 0 || strcmp(verb, "--help") == 0) {
		printf("%s", help);
	} else if (strcmp(verb, "ping") == 0 && argc == 3) {
		start_clock();
		ping(argv[2]);
	} else if (strcmp(verb, "fetch") == 0 && argc == 4) {
		start_clock();
		fetch(argv[2], argv[3]);
	} else if (strcmp(verb, "serve") == 0 && argc == 3) {
		/* A client that has gone is no reason to end. */
		signal(SIGPIPE, SIG_IGN);
		serve(argv[2]);
	} else {
		errx(2, "see reach --help");
	}
	return fflush(stdout) == EOF;
}
