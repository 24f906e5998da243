// SPDX-License-Identifier: MIT
/*
 * send-frames MAC - for check.sh: send 1000 Ethernet frames by eth0 to MAC
 *
 * They have a type that no protocol uses: 0x88b5 is for experiments.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char *argv[])
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(0x88b5),
				 .sll_ifindex = (int)if_nametoindex("eth0"),
				 .sll_halen = 6};
	unsigned char *mac = to.sll_addr;
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0);

	if (argc != 2 ||
	    sscanf(argv[1], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1],
		   &mac[2], &mac[3], &mac[4], &mac[5]) != 6)
		return 2;
	for (int i = 0; i < 1000; i++)
		if (sendto(fd, "frame", 5, 0, (struct sockaddr *)&to,
			   sizeof(to)) == -1)
			return 1;
	return 0;
}
