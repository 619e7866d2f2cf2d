/* SPDX-License-Identifier: MIT */
/*
 * stack_merge.c - TCP segments that follow each other go to the card as one packet, which it cuts.
 *
 * lwIP makes each segment and keeps it for retransmission, as ever; what it gives out in one turn
 * is put together here.  A packet on a ring costs the kernel and the card as much as dozens of
 * segments in it.  On the wire are the same bytes, but for IPv4's identification, and PSH, which
 * stands in the last segment only.
 *
 * Invariant: all segments of a packet have the headers of the first but for lengths, sums, the
 * identification, PSH, and sequence numbers, which are consecutive; all but the last have equal
 * payload.
 */
#include <base/string.h>
#include <base/util.h>
#include <lwip/pbuf.h>

#include "bytes.h"
#include "pattern.h"
#include "stack_packet.h"
#include "stack_parts.h"

enum {                          /* offsets in the packet and the TCP header (RFC 791, 8200, 9293) */
	IP4_BYTES = 16, IP4_ID = 18, IP4_SUM = 24,
	IP6_BYTES = 18, IP6_HEADER = 40,
	TCP_SEQUENCE = 4, TCP_ACK_NUMBER = 8, TCP_WORDS = 12, TCP_FLAGS = 13, TCP_WINDOW = 14,
	TCP_SUM = 16, TCP_URGENT = 18, TCP_HEADER = 20,
	FLAG_PSH = 0x08, FLAG_ACK = 0x10,
	IP4_PLAIN = 0x45,       /* version 4, no options */
	SEGMENT_LEAST = 64,     /* payload bytes: what the kernel lets a card cut */
};

static bool is_six(const uint8_t *h)
{
	return h[PATTERN_TYPE] == NET_ETHERTYPE_IPV6 >> 8;
}

/* The offset of the TCP header, if the packet has one that is not hidden behind options; else 0. */
static uint32_t tcp_find(const uint8_t *h, uint32_t bytes)
{
	if (bytes < PATTERN_IP4_PORTS + TCP_HEADER)
		return 0;
	if (!is_six(h)) {
		bool fragment = load_be16(h + PATTERN_IP4_FRAGMENT) & PATTERN_IP4_FRAGMENT_BITS;

		return h[PATTERN_TYPE] == NET_ETHERTYPE_IPV4 >> 8 && h[PATTERN_IP] == IP4_PLAIN &&
		       h[PATTERN_IP4_PROTOCOL] == NET_TCP && !fragment ? PATTERN_IP4_PORTS : 0;
	}
	return bytes >= PATTERN_IP6_PORTS + TCP_HEADER && h[PATTERN_IP6_NEXT] == NET_TCP ?
	       PATTERN_IP6_PORTS : 0;
}

/* The bytes before the payload, if `bytes` of the packet have them all; else 0. */
static uint32_t head_bytes(const uint8_t *h, uint32_t bytes, uint32_t tcp)
{
	uint32_t head = tcp ? tcp + (h[tcp + TCP_WORDS] >> 4) * 4u : 0;

	return head <= bytes ? head : 0;
}

static bool flags_plain(const uint8_t *h, uint32_t tcp)
{
	return (h[tcp + TCP_FLAGS] & ~FLAG_PSH) == FLAG_ACK;
}

void stack_merge_begin(struct stack_ring *ring, struct stack_packet *k, const struct pbuf *p)
{
	const struct net_stack_config *config = &ring->stack->config;
	const uint8_t *h = p->payload;

	k->tcp = tcp_find(h, p->len);
	k->head = head_bytes(h, p->len, k->tcp);
	if (!k->head || !(is_six(h) ? config->segment6 : config->segment4) ||
	    !flags_plain(h, k->tcp) || k->bytes - k->head < SEGMENT_LEAST)
		k->head = 0;
	else
		k->first = k->bytes - k->head;
}

static bool same(const uint8_t *a, const uint8_t *b, uint32_t from, uint32_t to)
{
	return memcmp(a + from, b + from, to - from) == 0;
}

/* Do two packets differ in nothing but what the invariant allows? */
static bool head_same(const uint8_t *a, const uint8_t *b, uint32_t tcp, uint32_t head)
{
	bool ip = is_six(a) ? same(a, b, 0, IP6_BYTES) && same(a, b, IP6_BYTES + 2, tcp) :
		  same(a, b, 0, IP4_BYTES) && same(a, b, IP4_ID + 2, IP4_SUM) &&
		  same(a, b, IP4_SUM + 2, tcp);

	return ip && same(a, b, tcp, tcp + TCP_SEQUENCE) &&
	       same(a, b, tcp + TCP_ACK_NUMBER, tcp + TCP_FLAGS) &&
	       same(a, b, tcp + TCP_WINDOW, tcp + TCP_SUM) && same(a, b, tcp + TCP_URGENT, head);
}

bool stack_merge(struct stack_ring *ring, struct stack_packet *k, const struct pbuf *p)
{
	uint8_t *h = ring->ring.data + k->part[0].at;
	const uint8_t *next = p->payload;
	uint32_t payload = p->tot_len - k->head, had = k->bytes - k->head;

	if (!k->parts || !k->head || k->last || p->len < k->head || payload == 0 ||
	    payload > k->first || payload > STACK_PACKET_MAX - k->bytes)
		return false;
	if (!head_same(h, next, k->tcp, k->head) || !flags_plain(next, k->tcp) ||
	    load_be32(next + k->tcp + TCP_SEQUENCE) !=
		    load_be32(h + k->tcp + TCP_SEQUENCE) + had)
		return false;
	if (!stack_packet_add(ring, k, p, k->head))
		return false;
	h[k->tcp + TCP_FLAGS] |= next[k->tcp + TCP_FLAGS] & FLAG_PSH;
	k->last = payload < k->first;
	ring->stack->stats.merged_out++;
	return true;
}

static uint32_t sum_words(const uint8_t *bytes, uint32_t count)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < count; i += 2)
		sum += load_be16(bytes + i);
	return sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/*
 * Leave the TCP checksum to the device: it wants the sum of the pseudo header (RFC 9293 section
 * 3.1, RFC 8200 section 8.1) in the checksum's place.
 */
static void sum_leave(struct stack_packet *k, uint8_t *h, uint32_t tcp)
{
	bool six = is_six(h);
	uint32_t sum = sum_words(h + (six ? PATTERN_IP6_SOURCE : PATTERN_IP4_SOURCE), six ? 32 : 8);

	store_be16(h + tcp + TCP_SUM, sum_fold(sum + NET_TCP + (k->bytes - tcp)));
	k->part[0].flags |= EXO_TX_CHECKSUM;
	k->part[0].checksum_start = (uint16_t)tcp;
	k->part[0].checksum_offset = TCP_SUM;
}

/* Lengths of the whole packet, and what the card needs to know to cut it. */
static void cut_leave(struct stack_packet *k, uint8_t *h)
{
	k->part[0].segment = (uint16_t)k->first;
	k->part[0].header = (uint16_t)k->head;
	if (is_six(h)) {
		k->part[0].flags |= EXO_TX_SEGMENT6;
		store_be16(h + IP6_BYTES, (uint16_t)(k->bytes - PATTERN_IP - IP6_HEADER));
		return;
	}
	k->part[0].flags |= EXO_TX_SEGMENT4;
	store_be16(h + IP4_BYTES, (uint16_t)(k->bytes - PATTERN_IP));
	store_be16(h + IP4_SUM, 0);
	store_be16(h + IP4_SUM, (uint16_t)~sum_fold(sum_words(h + PATTERN_IP, k->tcp - PATTERN_IP)));
}

void stack_merge_end(struct stack_ring *ring, struct stack_packet *k)
{
	uint8_t *h = ring->ring.data + k->part[0].at;
	uint32_t tcp = k->head ? k->tcp : tcp_find(h, k->part[0].bytes);

	if (k->head && k->bytes - k->head > k->first)
		cut_leave(k, h);
	if (tcp && ring->stack->config.checksum)
		sum_leave(k, h, tcp);
}
