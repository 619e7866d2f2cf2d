/* SPDX-License-Identifier: MIT */
/*
 * packets.c - packet rings from the kernel: made of own frames, mapped, bound, waited for, ended.
 *
 * Invariant: a failed open leaves frames, slots and addresses as they were.
 */
#include <base/string.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <exos/time.h>
#include <net/packets.h>

/* Frames that the owner may map: those behind the kernel's own. */
#define SHARED_FRAMES (EXO_PACKETS_DATA - EXO_PACKETS_PAGE)

static int64_t ring_kick(struct net_ring *ring)
{
	return exo_nic_kick(ring->slot);
}

/* Map all shared frames in one run, and say where what stands. */
static int ring_map(struct net_ring *ring)
{
	uint8_t *base;
	int err = 0;

	base = exos_space_window(ring->slot, ring->pfn + EXO_PACKETS_PAGE,
				 SHARED_FRAMES + ring->frames, EXO_R_READ | EXO_R_WRITE, &err);
	if (!base)
		return err;
	ring->page = (struct exo_packets_page *)base;
	ring->rx = (struct exo_rx *)(base + (EXO_PACKETS_RX - EXO_PACKETS_PAGE) * EXO_PAGE_SIZE);
	ring->tx = (struct exo_tx *)(base + (EXO_PACKETS_TX - EXO_PACKETS_PAGE) * EXO_PAGE_SIZE);
	ring->data = base + SHARED_FRAMES * EXO_PAGE_SIZE;
	ring->data_bytes = ring->frames * (uint32_t)EXO_PAGE_SIZE;
	/*
	 * The frames may have been the firmware's.  An emulator watches each write to a page from
	 * which code was run until all of that code is overwritten: packets never do that.
	 */
	memset(ring->data, 0, ring->data_bytes);
	return 0;
}

static void ring_unmap(struct net_ring *ring)
{
	exos_space_window_end(ring->page, SHARED_FRAMES + ring->frames);
}

int net_ring_open(struct net_ring *ring, exo_slot nic, uint32_t frames, uint32_t event,
		  uint32_t flags)
{
	exo_slot memory;
	int64_t err;

	memset(ring, 0, sizeof *ring);
	if (frames == 0 || frames > EXO_PACKET_DATA_MAX || flags & ~NET_RING_JOINED)
		return -EXO_E_ARG;
	ring->frames = frames;
	ring->event = event;
	ring->kick = ring_kick;
	err = exos_frame_alloc(EXO_FRAMES_PACKETS + frames, &ring->pfn, &memory);
	if (err < 0)
		return (int)err;
	err = exos_cap_retype(memory, ring->pfn, EXO_KIND_PACKETS, frames, &ring->slot);
	if (err < 0)
		goto free_frames;
	err = ring_map(ring);
	if (err < 0)
		goto end_object;
	ring->page->rx_joined = flags & NET_RING_JOINED;
	err = exo_nic_bind(ring->slot, nic, event);
	if (err >= 0)
		return 0;
	ring_unmap(ring);
end_object:
	exos_cap_end(ring->slot);
free_frames:
	exos_frame_free(ring->pfn, EXO_FRAMES_PACKETS + frames);
	return (int)err;
}

void net_ring_close(struct net_ring *ring)
{
	ring_unmap(ring);
	exos_cap_end(ring->slot);
	exos_frame_free(ring->pfn, EXO_FRAMES_PACKETS + ring->frames);
	memset(ring, 0, sizeof *ring);
}

bool net_ring_wait(struct net_ring *ring, uint64_t deadline_tsc)
{
	while (!net_ring_filled(ring)) {
		if (deadline_tsc && exos_tsc() >= deadline_tsc)
			return false;
		exos_event_wait(ring->event, deadline_tsc);
	}
	return true;
}
