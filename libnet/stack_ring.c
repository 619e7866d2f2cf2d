/* SPDX-License-Identifier: MIT */
/*
 * stack_ring.c - the rings of the stack: making, choosing, taking sent parts back, ending.
 *
 * A ring that is removed while lwIP or the program holds some of its buffers leaves the list at
 * once and ends with the last of them.
 */
#include "stack_parts.h"

#include <base/string.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/heap.h>
#include <exos/time.h>
#include <net/error.h>

#define PAGE_BUFFERS (EXO_PAGE_SIZE / EXO_PACKET_BYTES)
#define DRAIN_NS      (20ul * 1000000)  /* that a removed ring waits for what it sent last */
#define DRAIN_STEP_NS (50ul * 1000)

/* The post is noticed by the program's waking; the rings are looked at in each turn. */
static void ring_event(uint32_t entry, uint32_t posts, void *argument)
{
	(void)entry;
	(void)posts;
	(void)argument;
}

static void ring_free(struct stack_ring *ring)
{
	net_ring_close(&ring->ring);
	free(ring->buffer);
	free(ring);
}

/* lwIP frees a pbuf that is one of our buffers: post it again. */
static void buffer_freed(struct pbuf *pbuf)
{
	struct stack_buffer *buffer = (struct stack_buffer *)pbuf;
	struct stack_ring *ring = buffer->ring;

	ring->held--;
	if (!ring->gone) {
		net_ring_post(&ring->ring, buffer->offset);
		net_ring_show(&ring->ring);
	} else if (ring->held == 0) {
		ring_free(ring);
	}
}

/* Half of the data area for each direction. */
static int ring_buffers(struct stack_ring *ring, uint32_t frames)
{
	ring->receive_buffers = frames * (uint32_t)PAGE_BUFFERS / 2;
	ring->send_base = ring->receive_buffers * EXO_PACKET_BYTES;
	ring->send_bytes = frames * (uint32_t)EXO_PAGE_SIZE - ring->send_base;
	ring->buffer = calloc(ring->receive_buffers, sizeof *ring->buffer);
	if (!ring->buffer)
		return -NET_E_NOMEM;
	for (uint32_t i = 0; i < ring->receive_buffers; i++) {
		ring->buffer[i].pbuf.custom_free_function = buffer_freed;
		ring->buffer[i].ring = ring;
		ring->buffer[i].offset = i * EXO_PACKET_BYTES;
	}
	return 0;
}

static int ring_flow(struct stack_ring *ring, const struct net_flow *flow)
{
	struct exo_nic_spec spec;
	int err;

	ring->wide = !flow;
	if (!flow)
		return 0;
	memset(&spec, 0, sizeof spec);
	err = net_pattern_flow(&spec, flow, NULL);
	ring->send = spec.send;
	ring->flow = *flow;
	return err;
}

static int ring_open(struct stack_ring *ring, exo_slot nic, uint32_t frames)
{
	uint32_t event = exos_event_alloc();
	int err;

	if (!event)
		return -EXO_E_ROOM;
	/* One that has not enough buffers for a joined packet would never get the largest. */
	err = net_ring_open(&ring->ring, nic, frames, event,
			    ring->receive_buffers < EXO_PACKET_BUFFERS ? 0 : NET_RING_JOINED);
	if (err < 0) {
		exos_event_free(event);
		return err;
	}
	exos_event_handle(event, ring_event, NULL);
	net_ring_post_all(&ring->ring, ring->send_base);
	return 0;
}

/* The last in the list: packets go out by the first ring that may send them. */
static void ring_enter(struct net_stack *stack, struct stack_ring *ring)
{
	struct stack_ring **at = &stack->rings;

	while (*at)
		at = &(*at)->next;
	*at = ring;
	ring->number = ++stack->numbers;
}

int net_stack_add(struct net_stack *stack, exo_slot nic, const struct net_flow *flow,
		  uint32_t frames, uint32_t *number)
{
	struct stack_ring *ring;
	int err;

	if (frames < 2 || frames > EXO_PACKET_DATA_MAX)
		return -EXO_E_ARG;
	ring = calloc(1, sizeof *ring);
	if (!ring)
		return -NET_E_NOMEM;
	ring->stack = stack;
	err = ring_flow(ring, flow);
	if (err >= 0)
		err = ring_buffers(ring, frames);
	if (err >= 0)
		err = ring_open(ring, nic, frames);
	if (err < 0) {
		free(ring->buffer);
		free(ring);
		return err;
	}
	ring_enter(stack, ring);
	if (number)
		*number = ring->number;
	return 0;
}

int net_stack_claim(struct net_stack *stack, const struct net_flow *flow, uint32_t frames,
		    uint32_t *number, struct net_claim *claim)
{
	struct net_claim got;
	struct stack_ring *ring;
	uint32_t made;
	int err = net_claim_get(stack->config.gate, flow, 0, &got);

	stack->stats.gate_calls++;
	if (err < 0)
		return err;
	err = net_stack_add(stack, got.nic, &got.flow, frames, &made);
	if (err < 0) {
		net_claim_release(stack->config.gate, &got);
		return err;
	}
	for (ring = stack->rings; ring->number != made; ring = ring->next)
		;
	ring->claimed = true;
	ring->claim = got;
	if (number)
		*number = made;
	if (claim)
		*claim = got;
	return 0;
}

void stack_ring_reclaim(struct stack_ring *ring)
{
	uint32_t done = net_ring_done(&ring->ring);

	for (; ring->freed != done; ring->freed++)
		ring->send_used -= ring->taken[ring->freed % EXO_PACKETS];
}

bool stack_ring_drain(struct stack_ring *ring, uint64_t ns)
{
	uint64_t end = exos_deadline(ns);

	stack_packet_commit(ring, &ring->packet);
	net_ring_flush(&ring->ring);
	for (stack_ring_reclaim(ring); ring->freed != ring->ring.tx_put; stack_ring_reclaim(ring)) {
		if (exos_tsc() >= end)
			return false;
		exos_sleep(DRAIN_STEP_NS);
	}
	return true;
}

/* End a ring that has left the list. */
void stack_ring_end(struct stack_ring *ring)
{
	struct net_stack *stack = ring->stack;

	exos_event_free(ring->ring.event);
	/* Without its claim the ring is bound no more: nothing is sent or received from here on. */
	if (ring->claimed) {
		net_claim_release(stack->config.gate, &ring->claim);
		stack->stats.gate_calls++;
	}
	ring->gone = true;
	if (ring->held == 0)
		ring_free(ring);
}

void net_stack_remove(struct net_stack *stack, uint32_t number)
{
	for (struct stack_ring **at = &stack->rings; *at; at = &(*at)->next) {
		struct stack_ring *ring = *at;

		if (ring->number != number)
			continue;
		*at = ring->next;
		/* The last words of a connection still go out. */
		stack_ring_drain(ring, DRAIN_NS);
		stack_ring_end(ring);
		return;
	}
}

bool stack_ring_sends(const struct stack_ring *ring, const void *header)
{
	return ring->wide || net_pattern_match(&ring->send, header);
}

static bool same_or_any(const struct net_addr *have, const struct net_addr *want)
{
	return have->family == 0 || net_addr_equal(have, want);
}

/* The ring whose flow covers a local port (or echo identifier) of a protocol, or NULL. */
struct stack_ring *stack_ring_for(struct net_stack *stack, const struct net_flow *flow)
{
	for (struct stack_ring *r = stack->rings; r; r = r->next) {
		const struct net_flow *f = &r->flow;
		uint16_t mask = f->local_mask ? f->local_mask : f->local_port ? 0xffff : 0;

		if (r->wide)
			return r;
		if ((f->protocol && f->protocol != flow->protocol) ||
		    (flow->local_port & mask) != f->local_port || f->remote_port)
			continue;
		if (f->local.family ? f->local.family != flow->family : f->family &&
		    f->family != flow->family)
			continue;
		if (f->echo == flow->echo && same_or_any(&f->remote, &flow->remote))
			return r;
	}
	return NULL;
}
