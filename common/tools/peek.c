/* SPDX-License-Identifier: MIT */
/*
 * peek - print the network interfaces and IP addresses of this process
 *
 * For images without ip(8): it is linked statically if possible, and does not
 * need /proc.
 *
 *     # peek interfaces
 *     lo up
 *     eth0 up
 *
 * See getifaddrs(3) and netdevice(7).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const char help[] =
	"Usage: peek interfaces   each up, down or no-carrier\n"
	"       peek addresses    IPv4 and IPv6\n";

static void print_interface(const struct ifaddrs *entry)
{
	const char *state = "no-carrier";

	if (!(entry->ifa_flags & IFF_UP))
		state = "down";
	else if (entry->ifa_flags & IFF_RUNNING)
		state = "up";
	printf("%s %s\n", entry->ifa_name, state);
}

static void print_address(const struct ifaddrs *entry)
{
	int family = entry->ifa_addr->sa_family;
	size_t offset = family == AF_INET
				? offsetof(struct sockaddr_in, sin_addr)
				: offsetof(struct sockaddr_in6, sin6_addr);
	int size = family == AF_INET ? 4 : 16;
	const unsigned char *mask =
		(unsigned char *)entry->ifa_netmask + offset;
	char text[INET6_ADDRSTRLEN];
	int length = 0;

	inet_ntop(family, (char *)entry->ifa_addr + offset, text, sizeof(text));
	for (int i = 0; i < size; i++)
		length += __builtin_popcount(mask[i]);
	printf("%s %s/%d\n", entry->ifa_name, text, length);
}

/* The list has an entry for each interface, and one for each IP address. */
static void print_all(bool addresses)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) == -1)
		err(1, "getifaddrs");
	for (struct ifaddrs *entry = all; entry; entry = entry->ifa_next) {
		int family = entry->ifa_addr ? entry->ifa_addr->sa_family : 0;
		bool is_address = family == AF_INET || family == AF_INET6;

		if (addresses && is_address)
			print_address(entry);
		else if (!addresses && !is_address)
			print_interface(entry);
	}
	freeifaddrs(all);
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "--help") == 0)
		printf("%s", help);
	else if (strcmp(what, "interfaces") == 0)
		print_all(false);
	else if (strcmp(what, "addresses") == 0)
		print_all(true);
	else
		errx(2, "see peek --help");
	return fflush(stdout) == EOF;
}
