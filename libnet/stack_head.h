/* SPDX-License-Identifier: MIT */
/*
 * stack_head.h - the headers of a TCP segment: Ethernet, IPv4 without options or IPv6 without
 * extensions, TCP.
 *
 * Invariant: who got a struct stack_head from stack_head_read may read and write [0, bytes) of that
 * packet.  The other functions look at packets with headers of the same kind and length.
 */
#ifndef LIBNET_STACK_HEAD_H
#define LIBNET_STACK_HEAD_H

#include <stdbool.h>
#include <stdint.h>

struct stack_head {
	uint32_t tcp;           /* offset of the TCP header */
	uint32_t bytes;         /* before the payload */
};

/* Find the headers in the first `bytes` of a packet; false: it has others, or not all of them. */
bool stack_head_read(const uint8_t *h, uint32_t bytes, struct stack_head *head);

bool stack_head_is_six(const uint8_t *h);

/* Flags: ACK and perhaps PSH, no other. */
bool stack_head_plain(const uint8_t *h, const struct stack_head *head);

/* Do two segments belong together, if their sequence numbers follow each other?  All must be equal
 * but lengths, sums, identification, PSH, window and sequence number. */
bool stack_head_same(const uint8_t *a, const uint8_t *b, const struct stack_head *head);
bool stack_head_window_same(const uint8_t *a, const uint8_t *b, const struct stack_head *head);

uint32_t stack_head_sequence(const uint8_t *h, const struct stack_head *head);

/* Bytes of the packet as its IP header has it, link header included; or make it say so. */
uint32_t stack_head_length(const uint8_t *h, const struct stack_head *head);
void stack_head_length_set(uint8_t *h, const struct stack_head *head, uint32_t bytes);

/* The checksum of the IPv4 header: is it right, or make it so.  IPv6 has none. */
bool stack_head_sound(const uint8_t *h, const struct stack_head *head);
void stack_head_sum(uint8_t *h, const struct stack_head *head);

/* The sum of the pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1) into TCP's checksum,
 * for a device that adds the rest; bytes: of the whole packet. */
void stack_head_pseudo(uint8_t *h, const struct stack_head *head, uint32_t bytes);

/* Offset of the checksum in the TCP header. */
#define STACK_HEAD_SUM 16u

/* What the later of two segments says: PSH is kept, the window is the newer one. */
void stack_head_latest(uint8_t *h, const uint8_t *later, const struct stack_head *head);

#endif
