/* SPDX-License-Identifier: MIT */
/*
 * wire.h - reading packet bytes that may be cut off anywhere.
 *
 * Invariant: nobody reads behind `bytes`; whoever reads at n has asked for n and more before.
 */
#ifndef CAPTURE_WIRE_H
#define CAPTURE_WIRE_H

#include <stdint.h>

/* A part of a packet: what was captured of it, and how long it was. */
struct wire {
	const uint8_t *at;
	uint32_t bytes;         /* captured */
	uint32_t length;        /* on the wire; at least `bytes` */
};

static inline uint16_t wire_16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t wire_32(const uint8_t *at)
{
	return (uint32_t)wire_16(at) << 16 | wire_16(at + 2);
}

/* What follows the first `skip` bytes, of which at least as many were captured. */
static inline struct wire wire_rest(const struct wire *w, uint32_t skip)
{
	return (struct wire){ w->at + skip, w->bytes - skip, w->length - skip };
}

/* No more than `length` bytes of it: the padding of short Ethernet frames is left off. */
static inline struct wire wire_cut(const struct wire *w, uint32_t length)
{
	struct wire cut = *w;

	if (cut.length > length)
		cut.length = length;
	if (cut.bytes > cut.length)
		cut.bytes = cut.length;
	return cut;
}

#endif
