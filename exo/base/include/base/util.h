/* SPDX-License-Identifier: MIT */
/*
 * util.h - small things every part needs: array length, minimum, rounding, checked arithmetic.
 */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Number of elements; does not compile for a pointer. */
#define ARRAY_LEN(a) \
	(sizeof(a) / sizeof((a)[0]) + \
	 0 * sizeof(char[1 - 2 * __builtin_types_compatible_p(__typeof__(a), __typeof__(&(a)[0]))]))

#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

static inline uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }
static inline uint64_t max_u64(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Round to a multiple of `to`, a power of two. round_up wraps for values above 2^64 - to. */
static inline uint64_t round_down(uint64_t v, uint64_t to) { return v & ~(to - 1); }
static inline uint64_t round_up(uint64_t v, uint64_t to) { return (v + to - 1) & ~(to - 1); }

/* Is [off, off + len) inside [0, limit)?  Safe for all values. */
static inline bool range_fits(uint64_t off, uint64_t len, uint64_t limit)
{
	return off <= limit && len <= limit - off;
}

/* Sum and product; false on overflow, with *out undefined. */
static inline bool add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}
static inline bool mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

#endif
