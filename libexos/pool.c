/* SPDX-License-Identifier: MIT */
/*
 * pool.c - free frames of one range, one bit a frame, and above it one bit a word.
 *
 * Invariant: bit n of `words` is set exactly if bits[n] is not 0; bits outside the range are 0;
 * `free` is the number of set bits.
 */
#include "pool.h"

#include <base/util.h>

#define NONE (~0ul)

static uint64_t words_of(uint64_t bits)
{
	return (bits + 63) / 64;
}

uint64_t pool_words(uint64_t frames)
{
	return words_of(frames) + words_of(words_of(frames));
}

void pool_init(struct pool *pool, uint64_t lo, uint64_t hi, uint64_t *memory)
{
	uint64_t words = words_of(hi - lo);

	*pool = (struct pool){ .lo = lo, .hi = hi, .bits = memory, .words = memory + words };
	for (uint64_t i = 0; i < pool_words(hi - lo); i++)
		memory[i] = 0;
	pool_give(pool, lo, hi - lo);
}

/* Bits [from, from + n) of a word, n at least 1, from + n at most 64. */
static uint64_t span(uint64_t from, uint64_t n)
{
	return (n == 64 ? ~0ul : (1ul << n) - 1) << from;
}

/* The first set bit at or after `bit`, or NONE. */
static uint64_t next_free(const struct pool *pool, uint64_t bit)
{
	uint64_t frames = pool->hi - pool->lo, w = bit / 64, part, s;

	if (bit >= frames)
		return NONE;
	part = pool->bits[w] & ~0ul << bit % 64;
	if (part)
		return w * 64 + (uint64_t)__builtin_ctzll(part);
	w++;
	for (s = w / 64; s < words_of(words_of(frames)); s++, w = s * 64) {
		part = pool->words[s] & ~0ul << w % 64;
		if (part) {
			w = s * 64 + (uint64_t)__builtin_ctzll(part);
			return w * 64 + (uint64_t)__builtin_ctzll(pool->bits[w]);
		}
	}
	return NONE;
}

/* The first clear bit at or after `bit`, at most `limit`. */
static uint64_t next_taken(const struct pool *pool, uint64_t bit, uint64_t limit)
{
	while (bit < limit) {
		uint64_t part = ~pool->bits[bit / 64] & ~0ul << bit % 64;

		bit = round_down(bit, 64);
		if (part)
			return min_u64(limit, bit + (uint64_t)__builtin_ctzll(part));
		bit += 64;
	}
	return limit;
}

/* Set or clear bits [bit, bit + count). */
static void bits_set(struct pool *pool, uint64_t bit, uint64_t count, bool set)
{
	while (count) {
		uint64_t n = min_u64(count, 64 - bit % 64), w = bit / 64;
		uint64_t mask = span(bit % 64, n);

		if (set)
			pool->bits[w] |= mask;
		else
			pool->bits[w] &= ~mask;
		if (pool->bits[w])
			pool->words[w / 64] |= 1ul << w % 64;
		else
			pool->words[w / 64] &= ~(1ul << w % 64);
		bit += n;
		count -= n;
	}
}

/* Are bits [bit, bit + count) all set, or all clear? */
static bool bits_all(const struct pool *pool, uint64_t bit, uint64_t count, bool set)
{
	while (count) {
		uint64_t n = min_u64(count, 64 - bit % 64);
		uint64_t mask = span(bit % 64, n), part = pool->bits[bit / 64] & mask;

		if (part != (set ? mask : 0))
			return false;
		bit += n;
		count -= n;
	}
	return true;
}

static bool inside(const struct pool *pool, uint64_t pfn, uint64_t count)
{
	return pfn >= pool->lo && range_fits(pfn - pool->lo, count, pool->hi - pool->lo);
}

static void take(struct pool *pool, uint64_t bit, uint64_t count)
{
	bits_set(pool, bit, count, false);
	pool->free -= count;
	if (bit / 64 == pool->hint)
		while (pool->hint < words_of(pool->hi - pool->lo) && !pool->bits[pool->hint])
			pool->hint++;
}

/* One frame, from the bottom: the path of every demand-zero page. */
static bool take_one(struct pool *pool, uint64_t *pfn)
{
	uint64_t bit = next_free(pool, pool->hint * 64);

	if (bit == NONE)
		return false;
	pool->hint = bit / 64;
	take(pool, bit, 1);
	*pfn = pool->lo + bit;
	return true;
}

/* The place for an aligned run within the free run [bit, end), or NONE. */
static uint64_t run_place(const struct pool *pool, uint64_t bit, uint64_t end, uint64_t count,
			  uint64_t align, bool high)
{
	uint64_t lo = pool->lo + bit, hi = pool->lo + end, at;

	if (hi - lo < count)
		return NONE;
	at = high ? round_down(hi - count, align) : round_up(lo, align);
	if (at < lo || at > hi - count)
		return NONE;
	return at - pool->lo;
}

bool pool_take(struct pool *pool, uint64_t count, uint64_t align, bool high, uint64_t *pfn)
{
	uint64_t frames = pool->hi - pool->lo, best = NONE, bit, end;

	if (count == 0 || count > pool->free)
		return false;
	if (count == 1 && align == 1 && !high)
		return take_one(pool, pfn);
	for (bit = next_free(pool, pool->hint * 64); bit != NONE; bit = next_free(pool, end)) {
		uint64_t place;

		end = next_taken(pool, bit, frames);
		place = run_place(pool, bit, end, count, align, high);
		if (place != NONE)
			best = place;
		if (best != NONE && !high)
			break;
	}
	if (best == NONE)
		return false;
	take(pool, best, count);
	*pfn = pool->lo + best;
	return true;
}

bool pool_take_at(struct pool *pool, uint64_t pfn, uint64_t count)
{
	if (!inside(pool, pfn, count) || !bits_all(pool, pfn - pool->lo, count, true))
		return false;
	take(pool, pfn - pool->lo, count);
	return true;
}

bool pool_give(struct pool *pool, uint64_t pfn, uint64_t count)
{
	if (!inside(pool, pfn, count) || !bits_all(pool, pfn - pool->lo, count, false))
		return false;
	bits_set(pool, pfn - pool->lo, count, true);
	pool->free += count;
	pool->hint = min_u64(pool->hint, (pfn - pool->lo) / 64);
	return true;
}

uint64_t pool_longest(const struct pool *pool)
{
	uint64_t longest = 0, bit, end;

	for (bit = next_free(pool, 0); bit != NONE; bit = next_free(pool, end)) {
		end = next_taken(pool, bit, pool->hi - pool->lo);
		longest = max_u64(longest, end - bit);
	}
	return longest;
}
