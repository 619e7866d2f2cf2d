/* SPDX-License-Identifier: MIT */
/*
 * stack_out.c - sent packets: from lwIP's pbuf chains into parts on a ring.
 *
 * Headers and small pieces are copied into the ring's own data area; large payload in registered
 * memory is named where it is, and its pbuf kept until the device has read it.  Never waits: no
 * room is ERR_MEM, and TCP tries again.
 */
#include "stack_parts.h"

#include <base/string.h>
#include <exos/time.h>
#include <netif/ethernet.h>
#include <net/lwip.h>

#include "pattern.h"

#define LEND_BYTES 512u         /* below this, copying is cheaper than pinning a frame */
#define TCP_HEADER 20u
#define TCP_SUM    16u          /* the checksum, from the TCP header */

/* A packet in the making. */
struct build {
	struct stack_ring *ring;
	uint32_t room;          /* parts that may be used */
	uint32_t parts;
	uint32_t space;         /* bytes left in the buffer of the last part; 0: it was lent */
	struct exo_tx part[EXO_PACKET_PARTS];
	struct pbuf *lent[EXO_PACKET_PARTS];
};

/* The offset of the buffer that belongs to the n-th part of the packet. */
static uint32_t buffer_offset(const struct stack_ring *ring, uint32_t n)
{
	return ring->send_base +
	       (ring->ring.tx_put + n) % ring->send_buffers * EXO_PACKET_BYTES;
}

static uint32_t parts_room(struct stack_ring *ring)
{
	uint32_t out = ring->ring.tx_put - ring->freed;
	uint32_t room = out < ring->send_buffers ? ring->send_buffers - out : 0;

	return room < EXO_PACKET_PARTS ? room : EXO_PACKET_PARTS;
}

static struct exo_tx *part_next(struct build *b)
{
	struct exo_tx *part;

	if (b->parts == b->room)
		return NULL;
	part = &b->part[b->parts];
	memset(part, 0, sizeof *part);
	b->lent[b->parts++] = NULL;
	b->space = 0;
	return part;
}

static bool add_copy(struct build *b, const uint8_t *bytes, uint32_t count)
{
	struct exo_tx *part = b->parts ? &b->part[b->parts - 1] : NULL;

	if (count > b->space) {
		part = part_next(b);
		if (!part || count > EXO_PACKET_BYTES)
			return false;
		part->at = buffer_offset(b->ring, b->parts - 1);
		b->space = EXO_PACKET_BYTES;
	}
	memcpy(b->ring->ring.data + part->at + part->bytes, bytes, count);
	part->bytes += count;
	b->space -= count;
	b->ring->stack->stats.copied_out_bytes += count;
	return true;
}

/* By what stands behind it; where nothing in one piece does, it is copied. */
static bool add_lent(struct build *b, struct pbuf *p, const struct stack_range *range)
{
	struct exo_tx *part = part_next(b);

	if (!part)
		return false;
	if (!stack_range_place(range, p->payload, p->len, part)) {
		b->parts--;
		return add_copy(b, p->payload, p->len);
	}
	part->bytes = p->len;
	b->lent[b->parts - 1] = p;
	return true;
}

static bool build(struct build *b, struct net_stack *stack, struct pbuf *packet)
{
	for (struct pbuf *p = packet; p; p = p->next) {
		const struct stack_range *range = NULL;

		if (p->len == 0)
			continue;
		/* The header goes first, and always from the ring's own memory. */
		if (p != packet && p->len >= LEND_BYTES && stack->ranges)
			range = stack_range_find(stack, p->payload, p->len);
		if (range ? !add_lent(b, p, range) : !add_copy(b, p->payload, p->len))
			return false;
	}
	return b->parts > 0;
}

static uint32_t sum_bytes(const uint8_t *bytes, uint32_t count)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < count; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return sum;
}

/*
 * Leave the TCP checksum to the device: it wants the sum of the pseudo header (RFC 9293 section
 * 3.1, RFC 8200 section 8.1) in the checksum's place.  header: the first part's bytes.
 */
static void offload(struct exo_tx *part, uint8_t *header, uint32_t total)
{
	bool six = header[PATTERN_TYPE] == NET_ETHERTYPE_IPV6 >> 8;
	uint32_t start = six ? PATTERN_IP6_PORTS : PATTERN_IP4_PORTS;
	uint8_t protocol = header[six ? PATTERN_IP6_NEXT : PATTERN_IP4_PROTOCOL];
	uint32_t sum;

	if (protocol != NET_TCP || part->bytes < start + TCP_HEADER)
		return;
	sum = sum_bytes(header + (six ? PATTERN_IP6_SOURCE : PATTERN_IP4_SOURCE), six ? 32 : 8);
	sum += NET_TCP + (total - start);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	header[start + TCP_SUM] = (uint8_t)(sum >> 8);
	header[start + TCP_SUM + 1] = (uint8_t)sum;
	part->flags |= EXO_TX_CHECKSUM;
	part->checksum_start = (uint16_t)start;
	part->checksum_offset = TCP_SUM;
}

/* Put the packet on the ring; what was lent is held until its part is done. */
static bool commit(struct build *b)
{
	struct stack_ring *ring = b->ring;
	uint32_t first = ring->ring.tx_put;
	struct net_stack_stats *stats = &ring->stack->stats;

	if (!net_ring_put(&ring->ring, b->part, b->parts))
		return false;
	for (uint32_t i = 0; i < b->parts; i++) {
		ring->lent[(first + i) % EXO_PACKETS] = b->lent[i];
		if (!b->lent[i])
			continue;
		pbuf_ref(b->lent[i]);
		stats->lent_out_bytes += b->part[i].bytes;
	}
	stats->sent++;
	return true;
}

/* The ring that may send what begins with these bytes, or NULL. */
static struct stack_ring *ring_choose(struct net_stack *stack, struct pbuf *packet)
{
	uint8_t header[EXO_NIC_HEADER];
	struct stack_ring *r = stack->rings;
	u16_t got;

	if (r && r->wide)
		return r;
	got = pbuf_copy_partial(packet, header, sizeof header, 0);
	memset(header + got, 0, sizeof header - got);
	while (r && !stack_ring_sends(r, header))
		r = r->next;
	return r;
}

err_t stack_transmit(struct netif *netif, struct pbuf *packet)
{
	struct net_stack *stack = netif->state;
	struct build b = { .ring = ring_choose(stack, packet) };

	if (!b.ring) {
		stack->stats.no_ring++;
		return ERR_RTE;
	}
	stack_ring_reclaim(b.ring);
	b.room = parts_room(b.ring);
	if (!build(&b, stack, packet))
		goto full;
	if (stack->config.checksum)
		offload(&b.part[0], b.ring->ring.data + b.part[0].at, packet->tot_len);
	if (commit(&b))
		return ERR_OK;
full:
	stack->stats.full++;
	b.ring->full = true;
	/* Be told of room again. */
	__atomic_store_n(&b.ring->ring.page->tx_wake, 1, __ATOMIC_RELAXED);
	return ERR_MEM;
}

/* netcfg is asked for a link address that nobody knows, ten times a second at most. */
#define ASK_NS (100ul * 1000000)

static bool ask(struct net_stack *stack, const struct net_addr *to, uint8_t mac[6])
{
	struct net_addr hop = neighbours_hop(&stack->neighbours, to);
	uint64_t now = exos_ns();

	if (!stack->config.gate || !hop.family || now - stack->neighbours.asked_ns < ASK_NS)
		return false;
	stack->neighbours.asked_ns = now;
	stack->stats.gate_calls++;
	return net_resolve(stack->config.gate, &hop, mac) == 0;
}

static err_t output(struct net_stack *stack, struct pbuf *packet, const struct net_addr *to,
		    unsigned type)
{
	struct eth_addr mac;

	if (!neighbours_find(&stack->neighbours, to, exos_ns(), mac.addr) &&
	    !ask(stack, to, mac.addr)) {
		stack->stats.no_neighbour++;
		/* Dropped, as ARP does when it is still asking: TCP sends again. */
		return ERR_OK;
	}
	return ethernet_output(&stack->netif, packet, (struct eth_addr *)stack->netif.hwaddr, &mac,
			       (u16_t)type);
}

err_t stack_output4(struct netif *netif, struct pbuf *packet, const ip4_addr_t *to)
{
	struct net_addr addr = { .family = 4 };
	struct eth_addr group = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

	memcpy(addr.byte, to, 4);
	if (!ip4_addr_isbroadcast(to, netif) && !net_addr_multicast(&addr))
		return output(netif->state, packet, &addr, NET_ETHERTYPE_IPV4);
	/* RFC 1112 section 6.4. */
	if (!ip4_addr_isbroadcast(to, netif))
		group = (struct eth_addr){ { 0x01, 0x00, 0x5e, addr.byte[1] & 0x7f, addr.byte[2],
					     addr.byte[3] } };
	return ethernet_output(netif, packet, (struct eth_addr *)netif->hwaddr, &group,
			       NET_ETHERTYPE_IPV4);
}

err_t stack_output6(struct netif *netif, struct pbuf *packet, const ip6_addr_t *to)
{
	struct net_addr addr = { .family = 6 };
	struct eth_addr group = { { 0x33, 0x33 } };

	memcpy(addr.byte, to->addr, 16);
	if (!net_addr_multicast(&addr))
		return output(netif->state, packet, &addr, NET_ETHERTYPE_IPV6);
	/* RFC 2464 section 7. */
	memcpy(group.addr + 2, addr.byte + 12, 4);
	return ethernet_output(netif, packet, (struct eth_addr *)netif->hwaddr, &group,
			       NET_ETHERTYPE_IPV6);
}
