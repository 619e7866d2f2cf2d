/* SPDX-License-Identifier: MIT */
/*
 * bytes.h - numbers as they stand in packets: most significant byte first, at any address.
 */
#ifndef LIBNET_BYTES_H
#define LIBNET_BYTES_H

#include <stdint.h>

static inline uint16_t load_be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t load_be32(const uint8_t *at)
{
	return (uint32_t)load_be16(at) << 16 | load_be16(at + 2);
}

static inline void store_be16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

#endif
