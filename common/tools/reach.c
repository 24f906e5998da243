/* SPDX-License-Identifier: MIT */
/*
 * reach - test what this process can reach over the network
 *
 * It is for machines and images without ping, nc or curl.
 *
 *     # reach fetch 198.51.100.1 80
 *     203.0.113.2
 *
 * The server there is `reach serve 80`, which sends each client the address
 * that it sees the client use. If this is not the client's own address, the
 * packets went through network address translation.
 *
 * See raw(7), ip(7), tcp(7) and RFC 792.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"Usage: reach ping ADDRESS        wait for the reply to an ICMP echo\n"
	"       reach fetch ADDRESS PORT  print what a TCP server sends\n"
	"       reach serve PORT          send each TCP client its address\n"
	"       reach stray ADDRESS       send packets of no connection\n"
	"\n"
	"IPv4 only. ping and stray need root. ping and fetch wait 2 seconds.\n"
	"Exit status: 0, 1 if there is no answer, 2 for a wrong argument.\n";

/* The sockets' time limit makes recv(2) fail with EAGAIN, and connect(2) with
 * EINPROGRESS. Unlike alarm(2), it never hides an answer that has arrived. */
static void __attribute__((noreturn)) fail(const char *address)
{
	if (errno == EAGAIN || errno == EINPROGRESS)
		errx(1, "no answer within 2 s");
	err(1, "%s", address);
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

static int open_socket(int type, int protocol)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, protocol);

	if (fd == -1)
		err(1, "socket");
	return fd;
}

static void connect_to(int fd, const char *address, const char *port)
{
	const struct sockaddr_in to = parse(address, port);
	const struct timespec moment = {.tv_nsec = 20000000};
	const struct timeval limit = {.tv_sec = 2};
	int tries = 50;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ==
		    -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ==
		    -1)
		err(1, "socket");
	/* A server that was started a moment ago may not listen yet. */
	while (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1) {
		if (errno != ECONNREFUSED || tries-- == 0)
			fail(address);
		nanosleep(&moment, NULL);
	}
}

static void ping(const char *address)
{
	const uint16_t id = (uint16_t)(getpid() & 0x7fff), sequence = 1;
	/* With the checksum, the sum of all 16-bit words is 0xffff. */
	const struct icmphdr request = {
		.type = ICMP_ECHO,
		.checksum = htons(0xffff - (ICMP_ECHO << 8) - id - sequence),
		.un.echo.id = htons(id),
		.un.echo.sequence = htons(sequence),
	};
	struct {
		struct iphdr ip;
		struct icmphdr icmp;
	} reply = {0};
	int on = 1;
	int fd = open_socket(SOCK_RAW, IPPROTO_ICMP);

	/* With this, recv(2) fails at once if the host is unreachable. */
	if (setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) == -1)
		err(1, "IP_RECVERR");
	connect_to(fd, address, "0");
	if (send(fd, &request, sizeof(request), 0) == -1)
		fail(address);
	/* A raw socket also receives the replies to other programs. */
	do {
		if (recv(fd, &reply, sizeof(reply), 0) == -1)
			fail(address);
	} while (reply.icmp.type != ICMP_ECHOREPLY ||
		 reply.icmp.un.echo.id != request.un.echo.id);
	printf("reply from %s\n", address);
}

static void fetch(const char *address, const char *port)
{
	char text[4096];
	ssize_t size;
	int fd = open_socket(SOCK_STREAM, 0);

	connect_to(fd, address, port);
	while ((size = recv(fd, text, sizeof(text), 0)) > 0) {
		fwrite(text, 1, (size_t)size, stdout);
		fflush(stdout);
	}
	if (size == -1)
		fail(address);
}

static void serve(const char *port)
{
	struct sockaddr_in in = parse("0.0.0.0", port);
	char text[INET_ADDRSTRLEN];
	int on = 1;
	int fd = open_socket(SOCK_STREAM, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&in, sizeof(in)) == -1 ||
	    listen(fd, SOMAXCONN) == -1)
		err(1, "port %s", port);
	printf("listening on port %s\n", port);
	fflush(stdout);
	for (;;) {
		socklen_t size = sizeof(in);
		int client = accept4(fd, (struct sockaddr *)&in, &size,
				     SOCK_CLOEXEC);

		if (client == -1)
			err(1, "accept");
		inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
		dprintf(client, "%s\n", text);
		close(client);
	}
}

/* A reply that nobody asked for, and TCP segments that open no connection:
 * without flags, SYN with FIN, and RST. */
static void stray(const char *address)
{
	const struct icmphdr reply = {
		.type = ICMP_ECHOREPLY,
		.checksum = 0xffff,
	};
	const uint8_t flags[] = {0, TH_SYN | TH_FIN, TH_RST};
	int icmp = open_socket(SOCK_RAW, IPPROTO_ICMP);
	int tcp = open_socket(SOCK_RAW, IPPROTO_TCP);

	connect_to(icmp, address, "0");
	connect_to(tcp, address, "0");
	if (send(icmp, &reply, sizeof(reply), 0) == -1)
		err(1, "%s", address);
	for (int i = 0; i < 3; i++) {
		struct tcphdr segment = {.th_off = 5, .th_flags = flags[i]};

		segment.th_dport = htons(80);
		if (send(tcp, &segment, sizeof(segment), 0) == -1)
			err(1, "%s", address);
	}
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	signal(SIGPIPE, SIG_IGN);
	if (strcmp(verb, "--help") == 0) {
		printf("%s", help);
	} else if (strcmp(verb, "ping") == 0 && argc == 3) {
		ping(argv[2]);
	} else if (strcmp(verb, "fetch") == 0 && argc == 4) {
		fetch(argv[2], argv[3]);
	} else if (strcmp(verb, "serve") == 0 && argc == 3) {
		serve(argv[2]);
	} else if (strcmp(verb, "stray") == 0 && argc == 3) {
		stray(argv[2]);
	} else {
		errx(2, "see reach --help");
	}
	return fflush(stdout) == EOF;
}
