/* SPDX-License-Identifier: MIT */
/*
 * libexos_pool_test.c - the frame pool against a model of one byte a frame.
 *
 * Each random step does the same to both and compares; the model decides what must be refused.
 */
// sources: libexos/pool.c
// includes: exo/base/include exo/include libexos libexos/include
#include "pool.h"
#include "test.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define LO     1000u
#define FRAMES 9000u            /* more than one word of words: 141 words */

static struct pool pool;
static uint64_t memory[512];
static uint8_t model[FRAMES];   /* 1: free */
static uint64_t seed = 12345;

static uint64_t next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void start(uint64_t frames)
{
	pool_init(&pool, LO, LO + frames, memory);
	memset(model, 1, frames);
}

static bool model_all(uint64_t at, uint64_t count, uint8_t value)
{
	for (uint64_t i = 0; i < count; i++)
		if (model[at + i] != value)
			return false;
	return true;
}

/* The place the pool must choose, or -1. */
static long model_place(uint64_t frames, uint64_t count, uint64_t align, bool high)
{
	long best = -1;

	for (uint64_t at = 0; at + count <= frames; at++)
		if ((LO + at) % align == 0 && model_all(at, count, 1)) {
			best = (long)at;
			if (!high)
				break;
		}
	return best;
}

static uint64_t model_free(uint64_t frames)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < frames; i++)
		n += model[i];
	return n;
}

TEST(pool_words_hold_every_size)
{
	CHECK_EQ(pool_words(1), 2);
	CHECK_EQ(pool_words(64), 2);
	CHECK_EQ(pool_words(65), 3);
	CHECK_EQ(pool_words(64 * 64), 65);
	CHECK_EQ(pool_words(64 * 64 + 1), 67);
}

TEST(pool_hands_out_each_frame_once)
{
	uint64_t pfn, count = 0;

	start(FRAMES);
	while (pool_take(&pool, 1, 1, false, &pfn)) {
		REQUIRE(pfn == LO + count);
		count++;
	}
	CHECK_EQ(count, FRAMES);
	CHECK_EQ(pool.free, 0);
	CHECK(!pool_take(&pool, 1, 1, true, &pfn));
	CHECK(pool_give(&pool, LO + FRAMES - 1, 1));
	CHECK(pool_take(&pool, 1, 1, false, &pfn) && pfn == LO + FRAMES - 1);
}

TEST(pool_refuses_double_free_and_strangers)
{
	uint64_t pfn;

	start(200);
	CHECK(!pool_give(&pool, LO, 1));
	CHECK(pool_take(&pool, 10, 1, false, &pfn) && pfn == LO);
	CHECK(!pool_give(&pool, LO + 5, 6));    /* the sixth is free */
	CHECK_EQ(pool.free, 190);
	CHECK(!pool_give(&pool, LO, 0));
	CHECK(!pool_give(&pool, LO + 200, 0));
	CHECK(!pool_give(&pool, LO - 1, 2));
	CHECK(!pool_give(&pool, LO + 199, 2));
	CHECK(!pool_give(&pool, LO, UINT64_MAX));
	CHECK(pool_give(&pool, LO, 10));
	CHECK(!pool_give(&pool, LO, 10));
	CHECK_EQ(pool_longest(&pool), 200);
}

TEST(pool_take_at_is_exact)
{
	start(300);
	CHECK(pool_take_at(&pool, LO + 60, 10));
	CHECK(!pool_take_at(&pool, LO + 69, 1));
	CHECK(!pool_take_at(&pool, LO + 50, 11));
	CHECK(pool_take_at(&pool, LO + 50, 10));
	CHECK(!pool_take_at(&pool, LO + 299, 2));
	CHECK_EQ(pool_longest(&pool), 230);
}

static void step(uint64_t frames)
{
	static const uint64_t counts[] = { 1, 1, 1, 2, 4, 4, 63, 64, 65, 130, 500 };
	uint64_t count = counts[next() % (sizeof(counts) / sizeof(counts[0]))];
	uint64_t align = 1ul << next() % 4 * (next() % 2), at = next() % frames, pfn = 0;
	bool high = next() % 4 == 0;

	if (next() % 2) {
		long place = model_place(frames, count, align, high);

		CHECK_EQ(pool_take(&pool, count, align, high, &pfn), place >= 0);
		if (place < 0)
			return;
		CHECK_EQ(pfn, LO + (uint64_t)place);
		memset(model + place, 0, count);
		return;
	}
	count = count > frames - at ? frames - at : count;
	CHECK_EQ(pool_give(&pool, LO + at, count), model_all(at, count, 0));
	if (model_all(at, count, 0))
		memset(model + at, 1, count);
}

TEST(pool_agrees_with_the_model)
{
	static const uint64_t sizes[] = { 1, 63, 64, 65, 700, 4096, 5000 };

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		start(sizes[i]);
		for (int n = 0; n < 2000; n++)
			step(sizes[i]);
		CHECK_EQ(pool.free, model_free(sizes[i]));
	}
}

TEST_MAIN
