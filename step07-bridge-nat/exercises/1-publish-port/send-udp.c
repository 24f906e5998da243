// SPDX-License-Identifier: MIT
/* send-udp ADDRESS PORT - for check.sh: send one UDP packet */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char *argv[])
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc != 3 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons((unsigned short)atoi(argv[2]));
	return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1;
}
