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

/* The first `count` bits set, those behind them in their last word clear. */
static void bits_fill(uint64_t *word, uint64_t count)
{
	for (; count >= 64; count -= 64)
		*word++ = ~0ul;
	if (count)
		*word = (1ul << count) - 1;
}

void pool_init(struct pool *pool, uint64_t lo, uint64_t hi, uint64_t *memory)
{
	uint64_t words = words_of(hi - lo);

	*pool = (struct pool){
		.lo = lo, .hi = hi, .bits = memory, .words = memory + words, .free = hi - lo,
	};
	bits_fill(pool->bits, hi - lo);
	bits_fill(pool->words, words);
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

/* Set or clear bits of one word, and the word's own bit. */
static void word_set(struct pool *pool, uint64_t w, uint64_t mask, bool set)
{
	uint64_t word = set ? pool->bits[w] | mask : pool->bits[w] & ~mask;

	pool->bits[w] = word;
	if (word)
		pool->words[w / 64] |= 1ul << w % 64;
	else
		pool->words[w / 64] &= ~(1ul << w % 64);
}

/* Set or clear bits [bit, bit + count): the ends, and whole words between. */
static void bits_set(struct pool *pool, uint64_t bit, uint64_t count, bool set)
{
	uint64_t w = bit / 64, head = min_u64(count, 64 - bit % 64);

	word_set(pool, w++, span(bit % 64, head), set);
	for (count -= head; count >= 64; count -= 64)
		word_set(pool, w++, ~0ul, set);
	if (count)
		word_set(pool, w, span(0, count), set);
}

/* Are bits [bit, bit + count) all set, or all clear? */
static bool bits_all(const struct pool *pool, uint64_t bit, uint64_t count, bool set)
{
	uint64_t w = bit / 64, head = min_u64(count, 64 - bit % 64);
	uint64_t flip = set ? ~0ul : 0, odd;

	odd = (pool->bits[w++] ^ flip) & span(bit % 64, head);
	for (count -= head; count >= 64 && !odd; count -= 64)
		odd = pool->bits[w++] ^ flip;
	if (count && !odd)
		odd = (pool->bits[w] ^ flip) & span(0, min_u64(count, 64));
	return !odd;
}

static bool inside(const struct pool *pool, uint64_t pfn, uint64_t count)
{
	return count && pfn >= pool->lo && range_fits(pfn - pool->lo, count, pool->hi - pool->lo);
}

static void take(struct pool *pool, uint64_t bit, uint64_t count)
{
	bits_set(pool, bit, count, false);
	pool->free -= count;
	if (bit / 64 == pool->hint)
		while (pool->hint < words_of(pool->hi - pool->lo) && !pool->bits[pool->hint])
			pool->hint++;
}

uint64_t pool_take_some(struct pool *pool, uint64_t most, uint64_t *pfn)
{
	uint64_t bit = next_free(pool, pool->hint * 64), count;

	if (bit == NONE)
		return 0;
	count = next_taken(pool, bit, min_u64(bit + most, pool->hi - pool->lo)) - bit;
	pool->hint = bit / 64;
	take(pool, bit, count);
	*pfn = pool->lo + bit;
	return count;
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
		return pool_take_some(pool, 1, pfn) == 1;
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
