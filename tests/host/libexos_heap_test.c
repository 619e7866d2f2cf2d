/* SPDX-License-Identifier: MIT */
/*
 * libexos_heap_test.c - the heap engine: contents kept, blocks disjoint, misuse noticed.
 *
 * Every block is filled with a pattern of its own and compared before it is given back.
 */
// sources: libexos/heap.c
// includes: exo/base/include exo/include libexos/include
#include <exos/heap.h>

#include "test.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define BYTES (4u << 20)
#define LIVE  600u

static jmp_buf broken_to;
static bool broken_expected;
static size_t released;
static char *memory;
static struct exos_heap heap;

static void broken(const char *what, const void *block)
{
	(void)block;
	if (broken_expected)
		longjmp(broken_to, 1);
	test_fail("broken: %s", what);
	exit(1);
}

static void release(void *address, size_t bytes)
{
	released += bytes;
	memset(address, 0x77, bytes);
}

static const struct exos_heap_ops ops = { broken, release };

static void start(size_t bytes)
{
	free(memory);
	memory = malloc(bytes);
	exos_heap_init(&heap, memory, bytes, &ops);
	released = 0;
}

/* Does this call end in broken()? */
static bool is_noticed(void *block)
{
	bool noticed = true;

	broken_expected = true;
	if (!setjmp(broken_to)) {
		exos_heap_free(&heap, block);
		noticed = false;
	}
	broken_expected = false;
	return noticed;
}

TEST(heap_blocks_are_aligned_and_large_enough)
{
	start(BYTES);
	for (size_t bytes = 0; bytes < 3000; bytes += 7) {
		char *p = exos_heap_alloc(&heap, bytes);

		REQUIRE(p && (uintptr_t)p % 16 == 0);
		CHECK(exos_heap_size(&heap, p) >= bytes);
		memset(p, 1, bytes);
	}
	CHECK_EQ(exos_heap_check(&heap), 0);
}

TEST(heap_is_empty_again_after_all_frees)
{
	void *p[100];

	start(BYTES);
	for (int i = 0; i < 100; i++)
		p[i] = exos_heap_alloc(&heap, (size_t)(i * 37));
	for (int i = 0; i < 100; i += 2)
		exos_heap_free(&heap, p[i]);
	CHECK_EQ(exos_heap_check(&heap), 0);
	for (int i = 99; i > 0; i -= 2)
		exos_heap_free(&heap, p[i]);
	CHECK_EQ(heap.used_bytes, 0);
	CHECK_EQ(heap.blocks, 0);
	CHECK(heap.top == heap.base);
	CHECK_EQ(heap.bins_used, 0);
	exos_heap_free(&heap, NULL);
}

TEST(heap_says_no_when_full_and_goes_on)
{
	void *big, *small;

	start(65536);
	CHECK(!exos_heap_alloc(&heap, 65536));
	CHECK(!exos_heap_alloc(&heap, SIZE_MAX));
	CHECK(!exos_heap_alloc(&heap, SIZE_MAX - 20));
	big = exos_heap_alloc(&heap, 60000);
	REQUIRE(big);
	CHECK(!exos_heap_alloc(&heap, 6000));
	small = exos_heap_alloc(&heap, 100);
	CHECK(small);
	CHECK(!exos_heap_resize(&heap, small, 60000));
	exos_heap_free(&heap, big);
	CHECK(exos_heap_alloc(&heap, 50000));
	CHECK_EQ(exos_heap_check(&heap), 0);
}

TEST(heap_resize_keeps_contents)
{
	unsigned char *p, *q, *r;

	start(BYTES);
	p = exos_heap_alloc(&heap, 100);
	memset(p, 0x5a, 100);
	r = exos_heap_resize(&heap, p, 5000);   /* last block: grows in place */
	CHECK(r == p);
	q = exos_heap_alloc(&heap, 10);
	r = exos_heap_resize(&heap, p, 9000);   /* now it must move */
	REQUIRE(r && r != p);
	for (int i = 0; i < 100; i++)
		REQUIRE(r[i] == 0x5a);
	p = exos_heap_resize(&heap, r, 20);
	CHECK(p == r && exos_heap_size(&heap, p) < 64);
	CHECK_EQ(exos_heap_check(&heap), 0);
	exos_heap_free(&heap, p);
	exos_heap_free(&heap, q);
	CHECK_EQ(heap.used_bytes, 0);
}

TEST(heap_notices_double_free_and_strangers)
{
	char *p, *q;
	char other[64] __attribute__((aligned(16))) = { 0 };

	start(BYTES);
	p = exos_heap_alloc(&heap, 100);
	q = exos_heap_alloc(&heap, 100);
	exos_heap_alloc(&heap, 100);
	CHECK(is_noticed(p + 16));
	CHECK(is_noticed(p + 1));
	CHECK(is_noticed(other + 16));
	exos_heap_free(&heap, p);
	CHECK(is_noticed(p));
	exos_heap_free(&heap, q);               /* joins p: q's tag is inside a free block */
	CHECK(is_noticed(q));
	CHECK(is_noticed(p));
}

TEST(heap_notices_a_tag_written_over)
{
	char *p, *q;

	start(BYTES);
	p = exos_heap_alloc(&heap, 32);
	q = exos_heap_alloc(&heap, 32);
	memset(p, 0xff, 40);                    /* eight bytes too many */
	CHECK(is_noticed(q));
	CHECK(!is_noticed(p));
}

TEST(heap_gives_back_pages_above_top)
{
	char *p;

	start(BYTES);
	p = exos_heap_alloc(&heap, 1 << 20);
	memset(p, 3, 1 << 20);
	CHECK_EQ(released, 0);
	exos_heap_free(&heap, p);
	CHECK(released >= (1 << 20) - 4096 && released <= (1 << 20) + 4096);
	p = exos_heap_alloc(&heap, 1 << 20);
	memset(p, 4, 1 << 20);
	CHECK_EQ(exos_heap_check(&heap), 0);
}

static struct {
	unsigned char *p;
	size_t bytes;
	unsigned char fill;
} live[LIVE];

static bool live_sound(unsigned i)
{
	for (size_t k = 0; k < live[i].bytes; k++)
		if (live[i].p[k] != live[i].fill)
			return false;
	return true;
}

static void live_step(unsigned i, unsigned n)
{
	size_t bytes = (size_t)rand() % (rand() % 8 ? 300 : 20000);
	void *p;

	if (live[i].p)
		REQUIRE(live_sound(i));
	if (live[i].p && rand() % 2) {
		exos_heap_free(&heap, live[i].p);
		live[i].p = NULL;
		return;
	}
	p = exos_heap_resize(&heap, live[i].p, bytes);
	if (!p)
		return;
	live[i].p = p;
	live[i].bytes = bytes;
	live[i].fill = (unsigned char)(n * 7 + 1);
	memset(p, live[i].fill, bytes);
}

static void random_run(int junk)
{
	start(BYTES);
	heap.junk = junk;
	memset(live, 0, sizeof(live));
	for (unsigned n = 0; n < 40000; n++) {
		live_step((unsigned)rand() % LIVE, n);
		if (n % 2000 == 0)
			CHECK_EQ(exos_heap_check(&heap), 0);
	}
	for (unsigned i = 0; i < LIVE; i++)
		exos_heap_free(&heap, live[i].p);
	CHECK_EQ(heap.used_bytes, 0);
	CHECK(heap.top == heap.base);
}

TEST(heap_random_use_keeps_every_block)
{
	srand(1);
	random_run(0);
}

TEST(heap_random_use_with_junk)
{
	srand(2);
	random_run(1);
}

TEST_MAIN
