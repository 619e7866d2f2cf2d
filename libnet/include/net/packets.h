/* SPDX-License-Identifier: MIT */
/*
 * packets.h - the application's side of packet rings (exo/nic.h): making, posting, taking, sending.
 *
 * Knows no protocol.  One thread uses a ring.  Buffers and packets are named by their offset in
 * the ring's data area, which is mapped at ring->data for reading and writing.
 *
 * Invariant: posted - done <= EXO_PACKETS and put - done <= EXO_PACKETS, as the kernel demands.
 */
#ifndef NET_PACKETS_H
#define NET_PACKETS_H

#include <exo/nic.h>
#include <exo/types.h>
#include <stdbool.h>
#include <stdint.h>

struct net_ring {
	struct exo_packets_page *page;
	struct exo_rx *rx;              /* EXO_PACKETS entries */
	struct exo_tx *tx;              /* EXO_PACKETS entries */
	uint8_t *data;                  /* the data area */
	uint32_t data_bytes;
	uint32_t rx_put;                /* buffers posted, shown to the kernel or not yet */
	uint32_t rx_taken;              /* filled buffers that were taken */
	uint32_t tx_put;                /* parts written, shown or not yet */
	uint32_t event;                 /* entry of the event ring; 0: none */
	uint32_t frames;                /* of the data area */
	exo_slot slot;                  /* PACKETS claim */
	uint64_t pfn;                   /* first frame of the object */
	/* Tells the kernel of new parts: exo_nic_kick; replaceable for tests. */
	int64_t (*kick)(struct net_ring *ring);
	void *context;                  /* for a replaced kick */
};

#define NET_RING_JOINED 0x1u    /* takes packets in several buffers: see net_ring_take */

/*
 * Make rings with a data area of `frames` frames (1 to EXO_PACKET_DATA_MAX) from the program's
 * memory, and bind them to the NIC claim `nic`.  event: entry of the event ring (exos_event_alloc)
 * that is posted for packets, or 0: polling.  flags: NET_RING_JOINED, or 0: then the card joins no
 * packets for anybody while this ring is bound.  No buffer is posted yet.  0 or -EXO_E_*.
 */
int net_ring_open(struct net_ring *ring, exo_slot nic, uint32_t frames, uint32_t event,
		  uint32_t flags);

/* End the rings: no access of the device survives; frames and addresses are free again. */
void net_ring_close(struct net_ring *ring);

/* --- receiving --- */

/*
 * Post the buffer at `offset`, EXO_PACKET_BYTES long; false: 256 are posted already.  The kernel
 * sees it after net_ring_show.
 */
bool net_ring_post(struct net_ring *ring, uint32_t offset);
void net_ring_show(struct net_ring *ring);

/* Post buffers 0, 1, ... of [0, bytes) of the data area, as many as fit; how many. Shows them. */
uint32_t net_ring_post_all(struct net_ring *ring, uint32_t bytes);

/*
 * The next filled buffer, or false.  The copy in *out counts; its bytes stand at
 * ring->data + out->offset and the buffer is the caller's until it posts it again.  A packet with
 * EXO_RX_MORE goes on in the next buffer, which can be taken at once.  Up to EXO_PACKET_BUFFERS may
 * belong together, and a packet for which not so many are posted is dropped.
 */
bool net_ring_take(struct net_ring *ring, struct exo_rx *out);

/* --- sending --- */

/* Parts that can be put now. */
uint32_t net_ring_room(const struct net_ring *ring);

/* Where (modulo EXO_PACKETS) the next part will stand, to tie a buffer to it. */
static inline uint32_t net_ring_next(const struct net_ring *ring)
{
	return ring->tx_put % EXO_PACKETS;
}

/*
 * Put one packet of `parts` parts (1 to EXO_PACKET_PARTS); EXO_TX_MORE is set here, all else as
 * the caller wrote it.  false: no room, nothing was put.  Sent by the next net_ring_flush.
 */
bool net_ring_put(struct net_ring *ring, const struct exo_tx *part, uint32_t parts);

/* Put a packet that is one piece of the data area, without any offload. */
bool net_ring_put_data(struct net_ring *ring, uint32_t offset, uint32_t bytes);

/* Show what was put and kick, if anything was put since the last time.  >= 0 or -EXO_E_*. */
int64_t net_ring_flush(struct net_ring *ring);

/* Parts that are done, ever (free-running, in the order they were put). */
uint32_t net_ring_done(const struct net_ring *ring);

/* --- waiting --- */

/*
 * Wait until a filled buffer can be taken or the deadline (TSC, 0: none) has passed: true if one
 * can.  Needs an event.
 */
bool net_ring_wait(struct net_ring *ring, uint64_t deadline_tsc);

/* Is there a filled buffer? */
bool net_ring_filled(const struct net_ring *ring);

#endif
