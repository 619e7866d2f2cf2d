/* SPDX-License-Identifier: MIT */
/*
 * ring.c - the rings themselves: no kernel call but the kick, which is a pointer.
 *
 * Indices run freely; what the kernel writes is read with acquire order, what it reads is written
 * with release order.  The kernel's indices are believed only within what was given to it.
 */
#include <base/string.h>
#include <net/packets.h>

static uint32_t kernel_index(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

bool net_ring_post(struct net_ring *ring, uint32_t offset)
{
	struct exo_rx *entry = &ring->rx[ring->rx_put % EXO_PACKETS];

	/* An entry is free when what the kernel wrote there has been taken. */
	if (ring->rx_put - ring->rx_taken >= EXO_PACKETS ||
	    ring->data_bytes < EXO_PACKET_BYTES || offset > ring->data_bytes - EXO_PACKET_BYTES)
		return false;
	entry->offset = offset;
	ring->rx_put++;
	return true;
}

void net_ring_show(struct net_ring *ring)
{
	__atomic_store_n(&ring->page->rx_posted, ring->rx_put, __ATOMIC_RELEASE);
}

uint32_t net_ring_post_all(struct net_ring *ring, uint32_t bytes)
{
	uint32_t count = 0;

	while ((count + 1) * EXO_PACKET_BYTES <= bytes &&
	       net_ring_post(ring, count * EXO_PACKET_BYTES))
		count++;
	net_ring_show(ring);
	return count;
}

bool net_ring_filled(const struct net_ring *ring)
{
	return kernel_index(&ring->page->rx_done) != ring->rx_taken;
}

bool net_ring_take(struct net_ring *ring, struct exo_rx *out)
{
	if (ring->rx_taken == ring->rx_put || !net_ring_filled(ring))
		return false;
	*out = ring->rx[ring->rx_taken % EXO_PACKETS];
	ring->rx_taken++;
	return true;
}

uint32_t net_ring_done(const struct net_ring *ring)
{
	return kernel_index(&ring->page->tx_done);
}

uint32_t net_ring_room(const struct net_ring *ring)
{
	uint32_t out = ring->tx_put - net_ring_done(ring);

	return out < EXO_PACKETS ? EXO_PACKETS - out : 0;
}

bool net_ring_put(struct net_ring *ring, const struct exo_tx *part, uint32_t parts)
{
	if (parts == 0 || parts > EXO_PACKET_PARTS || parts > net_ring_room(ring))
		return false;
	for (uint32_t i = 0; i < parts; i++) {
		struct exo_tx *entry = &ring->tx[(ring->tx_put + i) % EXO_PACKETS];

		*entry = part[i];
		entry->flags &= (uint16_t)~EXO_TX_MORE;
		if (i + 1 < parts)
			entry->flags |= EXO_TX_MORE;
	}
	ring->tx_put += parts;
	return true;
}

bool net_ring_put_data(struct net_ring *ring, uint32_t offset, uint32_t bytes)
{
	struct exo_tx part = { .at = offset, .bytes = bytes };

	return net_ring_put(ring, &part, 1);
}

int64_t net_ring_flush(struct net_ring *ring)
{
	if (ring->page->tx_tail == ring->tx_put)
		return 0;
	__atomic_store_n(&ring->page->tx_tail, ring->tx_put, __ATOMIC_RELEASE);
	return ring->kick(ring);
}
