// SPDX-License-Identifier: MIT
/*
 * connect6 ADDRESS - for check.sh: does ADDRESS answer within five seconds?
 *
 * It connects to a port at which nobody listens: a refusal is an answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

int main(int argc, char *argv[])
{
	const struct timeval limit = {.tv_sec = 5};
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
				  .sin6_port = htons(9)};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (argc != 2 || inet_pton(AF_INET6, argv[1], &to.sin6_addr) != 1)
		return 2;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ||
	    errno == ECONNREFUSED)
		puts("answer");
	else
		puts(errno == EINPROGRESS ? "no answer" : strerror(errno));
	return 0;
}
