/* SPDX-License-Identifier: MIT */
/*
 * dns.c - an example of a program for the kernel: DNS answers go to the claim's second ring, other
 * UDP packets to the first, everything else is dropped.
 */
#define FIRST  1      /* rings, from 1 on (exo/prog.h) */
#define SECOND 2

unsigned long decide(const unsigned char *packet, unsigned long length)
{
	if (length < 42 || packet[12] != 8 || packet[13] != 0 || packet[14] != 0x45)
		return 0;
	if (packet[23] != 17)
		return 0;
	return packet[34] == 0 && packet[35] == 53 ? SECOND : FIRST;
}
