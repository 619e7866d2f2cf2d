/* SPDX-License-Identifier: MIT */
/*
 * udp_echo.c - a protocol of one's own in 60 lines: UDP datagrams to port 7 return to their sender.
 *
 * No network stack is in it.  The claim names the packets of one UDP port by their bytes; they land
 * in our ring, are turned round where they lie, and leave from there.
 */
#include <exos/console.h>
#include <exos/event.h>
#include <exos/start.h>
#include <net/config.h>
#include <net/error.h>
#include <net/packets.h>

enum { FRAMES = 128, IP = 14, UDP = 34 };       /* data area; where headers begin (no options) */

static void swap(uint8_t *a, uint8_t *b, size_t bytes)
{
	for (uint8_t byte; bytes-- > 0; a++, b++)
		byte = *a, *a = *b, *b = byte;
}

/* To the sender, from us.  IPv4's checksum stays: a sum does not depend on the order. */
static void turn_round(uint8_t *packet)
{
	swap(packet, packet + 6, 6);
	swap(packet + IP + 12, packet + IP + 16, 4);
	swap(packet + UDP, packet + UDP + 2, 2);
	packet[UDP + 6] = packet[UDP + 7] = 0;  /* no checksum (RFC 768): it may be unfinished */
}

int main(int argc, char **argv)
{
	const struct exos_grant *gate = exos_grant("net-gate", 0);
	const struct net_flow flow = { .family = 4, .protocol = NET_UDP, .local_port = 7 };
	static uint32_t buffer[EXO_PACKETS];    /* what each part of the send ring is sent from */
	static struct net_ring ring;
	struct net_claim claim;
	struct exo_rx rx;
	int error = net_claim_get(gate != NULL ? gate->slot : 0, &flow, 0, &claim);

	if (error >= 0)
		error = net_ring_open(&ring, claim.nic, FRAMES, exos_event_alloc(),
				      NET_RING_JOINED);
	if (error < 0)
		return printf("no claim or ring: %s\n", net_error_text(error)), 1;
	net_ring_post_all(&ring, FRAMES * EXO_PAGE_SIZE);
	printf("%s: answers\n", argc > 0 ? argv[0] : "");
	ring.page->tx_wake = 1;                 /* post the event for what was sent as well */
	for (uint32_t done = 0;; exos_event_wait(ring.event, 0)) {
		for (; done != net_ring_done(&ring); done++)
			net_ring_post(&ring, buffer[done % EXO_PACKETS]);
		while (net_ring_room(&ring) > 0 && net_ring_take(&ring, &rx)) {
			turn_round(ring.data + rx.offset);
			buffer[net_ring_next(&ring)] = rx.offset;
			net_ring_put_data(&ring, rx.offset, rx.bytes);
		}
		net_ring_show(&ring);
		net_ring_flush(&ring);
	}
}
