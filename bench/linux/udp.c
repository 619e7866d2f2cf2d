/* SPDX-License-Identifier: MIT */
/*
 * udp.c - the job of ../udp.c on Linux: an echo server on UDP port 7 of 10.0.2.15.
 *
 * The peer (bench/peer.py) times it; its link address is entered by hand, for it answers no ARP.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linux.h"

#define PORT 7

static struct sockaddr_in address(const char *text)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	inet_pton(AF_INET, text, &a.sin_addr);
	return a;
}

static int card_set(int handle)
{
	static const uint8_t peer[6] = { 2, 0, 0, 0, 0, 1 };
	struct ifreq card = { .ifr_name = "eth0" };
	struct arpreq neighbour = { .arp_flags = ATF_COM | ATF_PERM, .arp_dev = "eth0" };
	struct sockaddr_in own = address("10.0.2.15"), mask = address("255.255.255.0");
	struct sockaddr_in other = address("10.0.2.2");

	memcpy(&card.ifr_addr, &own, sizeof(own));
	if (ioctl(handle, SIOCSIFADDR, &card))
		return -1;
	memcpy(&card.ifr_netmask, &mask, sizeof(mask));
	if (ioctl(handle, SIOCSIFNETMASK, &card))
		return -1;
	card.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(handle, SIOCSIFFLAGS, &card))
		return -1;
	memcpy(&neighbour.arp_pa, &other, sizeof(other));
	memcpy(neighbour.arp_ha.sa_data, peer, sizeof(peer));
	neighbour.arp_ha.sa_family = ARPHRD_ETHER;
	return ioctl(handle, SIOCSARP, &neighbour);
}

int linux_card_start(void)
{
	int handle = socket(AF_INET, SOCK_DGRAM, 0), err = card_set(handle);

	close(handle);
	return err;
}

unsigned linux_udp(uint32_t answers)
{
	int handle = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in own = address("0.0.0.0"), from;
	char packet[2048];

	own.sin_port = htons(PORT);
	if (linux_card_start() || bind(handle, (struct sockaddr *)&own, sizeof(own))) {
		printf("bench: udp_echo failed: %m\n");
		return 1;
	}
	for (uint32_t i = 0; i < answers; i++) {
		socklen_t bytes = sizeof(from);
		ssize_t n = recvfrom(handle, packet, sizeof(packet), 0, (struct sockaddr *)&from,
				     &bytes);

		if (n < 0 || sendto(handle, packet, (size_t)n, 0, (struct sockaddr *)&from,
				    bytes) != n)
			return 1;
	}
	close(handle);
	return 0;
}
