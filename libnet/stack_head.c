/* SPDX-License-Identifier: MIT */
/*
 * stack_head.c - the headers of a TCP segment, read and rewritten where they stand.
 */
#include "stack_head.h"

#include <base/string.h>
#include <net/pattern.h>

#include "bytes.h"
#include "pattern.h"

enum {                          /* offsets in the packet and the TCP header (RFC 791, 8200, 9293) */
	IP4_BYTES = 16, IP4_ID = 18, IP4_SUM = 24,
	IP6_BYTES = 18,
	TCP_SEQUENCE = 4, TCP_ACK_NUMBER = 8, TCP_WORDS = 12, TCP_FLAGS = 13, TCP_WINDOW = 14,
	TCP_URGENT = 18, TCP_HEADER = 20,
	FLAG_PSH = 0x08, FLAG_ACK = 0x10,
	IP4_PLAIN = 0x45,       /* version 4, no options */
};

bool stack_head_is_six(const uint8_t *h)
{
	return h[PATTERN_TYPE] == NET_ETHERTYPE_IPV6 >> 8;
}

/* The offset of the TCP header; 0: there is none, or it is hidden behind options. */
static uint32_t tcp_find(const uint8_t *h)
{
	switch (load_be16(h + PATTERN_TYPE)) {
	case NET_ETHERTYPE_IPV4:
		if (h[PATTERN_IP] != IP4_PLAIN || h[PATTERN_IP4_PROTOCOL] != NET_TCP)
			return 0;
		return load_be16(h + PATTERN_IP4_FRAGMENT) & PATTERN_IP4_FRAGMENT_BITS ?
		       0 : PATTERN_IP4_PORTS;
	case NET_ETHERTYPE_IPV6:
		return h[PATTERN_IP6_NEXT] == NET_TCP ? PATTERN_IP6_PORTS : 0;
	default:
		return 0;
	}
}

bool stack_head_read(const uint8_t *h, uint32_t bytes, struct stack_head *head)
{
	if (bytes < PATTERN_IP4_PORTS + TCP_HEADER)
		return false;
	head->tcp = tcp_find(h);
	if (!head->tcp || bytes < head->tcp + TCP_HEADER)
		return false;
	head->bytes = head->tcp + (h[head->tcp + TCP_WORDS] >> 4) * 4u;
	return head->bytes >= head->tcp + TCP_HEADER && head->bytes <= bytes;
}

bool stack_head_plain(const uint8_t *h, const struct stack_head *head)
{
	return (h[head->tcp + TCP_FLAGS] & ~FLAG_PSH) == FLAG_ACK;
}

static bool same(const uint8_t *a, const uint8_t *b, uint32_t from, uint32_t to)
{
	return memcmp(a + from, b + from, to - from) == 0;
}

static bool ip_same(const uint8_t *a, const uint8_t *b, uint32_t tcp)
{
	if (stack_head_is_six(a))
		return same(a, b, 0, IP6_BYTES) && same(a, b, IP6_BYTES + 2, tcp);
	return same(a, b, 0, IP4_BYTES) && same(a, b, IP4_ID + 2, IP4_SUM) &&
	       same(a, b, IP4_SUM + 2, tcp);
}

bool stack_head_same(const uint8_t *a, const uint8_t *b, const struct stack_head *head)
{
	uint32_t tcp = head->tcp;

	return same(a, b, tcp, tcp + TCP_SEQUENCE) &&
	       same(a, b, tcp + TCP_ACK_NUMBER, tcp + TCP_FLAGS) &&
	       same(a, b, tcp + TCP_URGENT, head->bytes) && ip_same(a, b, tcp);
}

bool stack_head_window_same(const uint8_t *a, const uint8_t *b, const struct stack_head *head)
{
	return same(a, b, head->tcp + TCP_WINDOW, head->tcp + STACK_HEAD_SUM);
}

uint32_t stack_head_sequence(const uint8_t *h, const struct stack_head *head)
{
	return load_be32(h + head->tcp + TCP_SEQUENCE);
}

uint32_t stack_head_length(const uint8_t *h, const struct stack_head *head)
{
	return stack_head_is_six(h) ? load_be16(h + IP6_BYTES) + head->tcp :
				      load_be16(h + IP4_BYTES) + PATTERN_IP;
}

void stack_head_length_set(uint8_t *h, const struct stack_head *head, uint32_t bytes)
{
	if (stack_head_is_six(h))
		store_be16(h + IP6_BYTES, (uint16_t)(bytes - head->tcp));
	else
		store_be16(h + IP4_BYTES, (uint16_t)(bytes - PATTERN_IP));
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

bool stack_head_sound(const uint8_t *h, const struct stack_head *head)
{
	return stack_head_is_six(h) ||
	       sum_fold(sum_words(h + PATTERN_IP, head->tcp - PATTERN_IP)) == 0xffff;
}

void stack_head_sum(uint8_t *h, const struct stack_head *head)
{
	if (stack_head_is_six(h))
		return;
	store_be16(h + IP4_SUM, 0);
	store_be16(h + IP4_SUM,
		   (uint16_t)~sum_fold(sum_words(h + PATTERN_IP, head->tcp - PATTERN_IP)));
}

void stack_head_pseudo(uint8_t *h, const struct stack_head *head, uint32_t bytes)
{
	bool six = stack_head_is_six(h);
	uint32_t sum = sum_words(h + (six ? PATTERN_IP6_SOURCE : PATTERN_IP4_SOURCE), six ? 32 : 8);

	store_be16(h + head->tcp + STACK_HEAD_SUM,
		   sum_fold(sum + NET_TCP + (bytes - head->tcp)));
}

void stack_head_latest(uint8_t *h, const uint8_t *later, const struct stack_head *head)
{
	h[head->tcp + TCP_FLAGS] |= later[head->tcp + TCP_FLAGS] & FLAG_PSH;
	memcpy(h + head->tcp + TCP_WINDOW, later + head->tcp + TCP_WINDOW, 2);
}
