/* SPDX-License-Identifier: MIT */
/*
 * base_util_test.c - base/util.h: rounding, ranges and checked arithmetic at their edges.
 */
#include <base/util.h>
#include "test.h"

#define MAX UINT64_MAX

TEST(min_and_max)
{
	CHECK(min_u64(0, MAX) == 0 && min_u64(MAX, 0) == 0);
	CHECK(max_u64(0, MAX) == MAX && max_u64(MAX, 0) == MAX);
}

TEST(rounding)
{
	CHECK_EQ(round_down(4097, 4096), 4096);
	CHECK_EQ(round_down(4096, 4096), 4096);
	CHECK_EQ(round_up(4097, 4096), 8192);
	CHECK_EQ(round_up(4096, 4096), 4096);
	CHECK_EQ(round_up(0, 4096), 0);
	CHECK(round_down(MAX, 4096) == MAX - 4095);
}

TEST(ranges_never_wrap)
{
	CHECK(range_fits(0, 0, 0) && range_fits(10, 0, 10) && range_fits(0, 10, 10));
	CHECK(!range_fits(11, 0, 10) && !range_fits(1, 10, 10) && !range_fits(10, 1, 10));
	CHECK(!range_fits(MAX, 2, 10) && !range_fits(2, MAX, 10) && !range_fits(MAX, MAX, 10));
	CHECK(range_fits(0, MAX, MAX) && range_fits(MAX, 0, MAX) && !range_fits(1, MAX, MAX));
}

TEST(checked_sum_and_product)
{
	uint64_t out = 0;

	CHECK(add_u64(MAX - 1, 1, &out) && out == MAX);
	CHECK(!add_u64(MAX, 1, &out) && !add_u64(MAX, MAX, &out));
	CHECK(mul_u64(1ul << 32, (1ul << 32) - 1, &out) && out == ((1ul << 32) - 1) << 32);
	CHECK(!mul_u64(1ul << 32, 1ul << 32, &out) && !mul_u64(MAX, 2, &out));
	CHECK(mul_u64(MAX, 0, &out) && out == 0);
}

TEST(container_is_found)
{
	struct pair { int a; int b; } p = { 1, 2 };
	int array[7];

	CHECK(container_of(&p.b, struct pair, b) == &p);
	CHECK_EQ(ARRAY_LEN(array), 7);
}

TEST_MAIN
