/* SPDX-License-Identifier: MIT */
/*
 * capture.c - from the ring of a share to lines and the store.
 *
 * Invariant: each buffer is with the kernel, or being looked at; none is held longer.
 */
#include "capture.h"

#include <base/util.h>
#include <exo/errors.h>
#include <exos/console.h>
#include <exos/event.h>
#include <exos/time.h>

#include "decode.h"

#define NS_A_SECOND 1000000000ull
/* A buffer for each entry of the ring: half a megabyte. */
#define RING_FRAMES ((uint32_t)(EXO_PACKETS * EXO_PACKET_BYTES / EXO_PAGE_SIZE))

static void line_print(struct capture *c, uint64_t now_ns, const struct exo_rx *rx,
		       const void *packet)
{
	uint64_t ns = now_ns - c->begun_ns;
	char line[DECODE_LINE];

	decode_line(packet, rx->bytes, rx->length, line, sizeof(line));
	printf("%lu.%06lu %s %s\n", (unsigned long)(ns / NS_A_SECOND),
	       (unsigned long)(ns % NS_A_SECOND / 1000), rx->flags & EXO_RX_SENT ? "out" : "in ",
	       line);
}

static void packet_take(struct capture *c, const struct exo_rx *rx)
{
	const void *packet = c->ring.data + rx->offset;
	uint64_t now_ns = exos_ns();

	if (own_packet(packet, rx->bytes, rx->flags & EXO_RX_SENT) || capture_full(c))
		return;
	c->seen++;
	store_add(&c->store, now_ns, packet, (uint32_t)min_u64(rx->bytes, c->snap), rx->length);
	if (!c->quiet)
		line_print(c, now_ns, rx, packet);
}

void capture_drain(struct capture *c)
{
	struct exo_rx rx;

	/* Printing may wait, and handlers run in waits. */
	if (c->inside)
		return;
	c->inside = true;
	while (net_ring_take(&c->ring, &rx)) {
		packet_take(c, &rx);
		net_ring_post(&c->ring, rx.offset);
		net_ring_show(&c->ring);
	}
	c->inside = false;
}

static void on_packets(uint32_t entry, uint32_t posts, void *argument)
{
	(void)entry;
	(void)posts;
	capture_drain(argument);
}

int capture_start(struct capture *c, const struct net_flow *flow)
{
	uint32_t event = exos_event_alloc();
	int error = event != 0 ? 0 : -EXO_E_ROOM;

	if (error >= 0)
		error = net_claim_get(c->gate, flow, NET_CLAIM_SHARE, &c->claim);
	if (error < 0)
		return error;
	/* Packets are to be seen as they were on the wire: while this runs the card joins none. */
	error = net_ring_open(&c->ring, c->claim.nic, RING_FRAMES, event, 0);
	if (error < 0) {
		net_claim_release(c->gate, &c->claim);
		return error;
	}
	c->begun_ns = exos_ns();
	exos_event_handle(event, on_packets, c);
	net_ring_post_all(&c->ring, RING_FRAMES * EXO_PAGE_SIZE);
	return 0;
}

bool capture_full(const struct capture *c)
{
	return c->wanted != 0 && c->seen >= c->wanted;
}

void capture_stop(struct capture *c)
{
	exos_event_handle(c->ring.event, NULL, NULL);
	net_ring_close(&c->ring);
	net_claim_release(c->gate, &c->claim);
}
