/* SPDX-License-Identifier: MIT */
/*
 * boot_range_test.c - ranges from memory maps: fixed cases, and random maps against a model that
 * keeps one kind a page.
 */
// sources: uefi/range.c
// includes: uefi
#include "range.h"
#include "test.h"

#include <stdlib.h>

#define PAGES 300u
#define DESCRIPTORS 40u
#define SPANS 8u
#define STEP 48u                /* bytes from one descriptor to the next, as OVMF has it */

static struct exo_boot_range store[2 * (DESCRIPTORS + SPANS) + 4];

static struct range_list list_new(void)
{
	return (struct range_list){ .at = store,
				    .room = range_room(DESCRIPTORS, SPANS) };
}

static void descriptor_put(char *map, unsigned i, uint32_t type, uint64_t pfn, uint64_t pages)
{
	struct range_descriptor d = { .type = type, .physical_start = pfn << 12, .pages = pages };

	memcpy(map + i * STEP, &d, sizeof(d));
}

/* Sorted, apart, not empty, joined where kinds are equal. */
static void list_check(const struct range_list *l, int merged)
{
	for (uint32_t i = 0; i < l->count; i++) {
		CHECK(l->at[i].lo < l->at[i].hi);
		CHECK(l->at[i].kind != 0);
		if (i == 0)
			continue;
		CHECK(l->at[i - 1].hi <= l->at[i].lo);
		if (merged && l->at[i - 1].hi == l->at[i].lo)
			CHECK(l->at[i - 1].kind != l->at[i].kind);
	}
}

static uint32_t kind_at(const struct range_list *l, uint64_t pfn)
{
	for (uint32_t i = 0; i < l->count; i++)
		if (pfn >= l->at[i].lo && pfn < l->at[i].hi)
			return l->at[i].kind;
	return 0;
}

TEST(unsorted_map_becomes_sorted_and_merged)
{
	struct range_list l = list_new();
	char map[5 * STEP];

	descriptor_put(map, 0, RANGE_EFI_FREE, 100, 50);
	descriptor_put(map, 1, RANGE_EFI_BOOT_DATA, 50, 50);
	descriptor_put(map, 2, RANGE_EFI_LOADER_CODE, 150, 10);
	descriptor_put(map, 3, RANGE_EFI_MMIO, 200, 10);
	descriptor_put(map, 4, RANGE_EFI_RUNTIME_DATA, 170, 5);
	REQUIRE(range_lay_map(&l, map, sizeof(map), STEP));
	range_merge(&l);
	list_check(&l, 1);
	REQUIRE(l.count == 3);
	CHECK_EQ(l.at[0].kind, EXO_BOOT_FIRMWARE);      /* page 0 */
	CHECK_EQ(l.at[1].lo, 50);
	CHECK_EQ(l.at[1].hi, 160);
	CHECK_EQ(l.at[1].kind, EXO_BOOT_FREE);
	CHECK_EQ(l.at[2].lo, 170);
	CHECK_EQ(kind_at(&l, 205), 0);
}

TEST(page_zero_is_never_free)
{
	struct range_list l = list_new();
	char map[STEP];

	descriptor_put(map, 0, RANGE_EFI_FREE, 0, 160);
	REQUIRE(range_lay_map(&l, map, sizeof(map), STEP));
	CHECK(kind_at(&l, 0) != EXO_BOOT_FREE);
	CHECK_EQ(kind_at(&l, 1), EXO_BOOT_FREE);
}

TEST(spans_split_what_they_lie_in)
{
	struct range_list l = list_new();

	REQUIRE(range_lay(&l, 10, 100, EXO_BOOT_FREE));
	REQUIRE(range_lay(&l, 20, 30, EXO_BOOT_ARCHIVE));
	REQUIRE(range_lay(&l, 30, 36, EXO_BOOT_KEPT));
	REQUIRE(range_lay(&l, 40, 41, EXO_BOOT_INIT));
	REQUIRE(range_lay(&l, 25, 25, EXO_BOOT_INIT));  /* empty: nothing */
	range_merge(&l);
	list_check(&l, 1);
	CHECK_EQ(l.count, 6);
	CHECK_EQ(kind_at(&l, 19), EXO_BOOT_FREE);
	CHECK_EQ(kind_at(&l, 20), EXO_BOOT_ARCHIVE);
	CHECK_EQ(kind_at(&l, 35), EXO_BOOT_KEPT);
	CHECK_EQ(kind_at(&l, 36), EXO_BOOT_FREE);
	CHECK_EQ(kind_at(&l, 40), EXO_BOOT_INIT);
	CHECK_EQ(kind_at(&l, 99), EXO_BOOT_FREE);
}

TEST(sizes_that_wrap_are_cut)
{
	struct range_list l = list_new();
	char map[2 * STEP];

	descriptor_put(map, 0, RANGE_EFI_FREE, 16, UINT64_MAX);
	descriptor_put(map, 1, RANGE_EFI_RESERVED, (UINT64_MAX >> 12), 5);
	REQUIRE(range_lay_map(&l, map, sizeof(map), STEP));
	range_merge(&l);
	list_check(&l, 1);
	CHECK_EQ(kind_at(&l, 1000), EXO_BOOT_FREE);
}

TEST(full_list_refuses_and_keeps_what_it_has)
{
	struct range_list l = { .at = store, .room = 3 };

	CHECK(range_lay(&l, 10, 20, EXO_BOOT_FREE));
	CHECK(range_lay(&l, 12, 13, EXO_BOOT_KEPT) || l.count == 1);
	CHECK(!range_lay(&l, 15, 16, EXO_BOOT_KEPT));
	CHECK_EQ(kind_at(&l, 15), EXO_BOOT_FREE);
}

TEST(descriptors_too_small_are_refused)
{
	struct range_list l = list_new();
	char map[STEP] = { 0 };

	CHECK(!range_lay_map(&l, map, sizeof(map), 32));
	CHECK(!range_lay_map(&l, map, sizeof(map), 0));
}

/* The model: kind of each page, by the precedence that range.h promises. */
static unsigned strength(uint32_t kind)
{
	return kind == EXO_BOOT_FIRMWARE ? 3 : kind == EXO_BOOT_ACPI ? 2 : kind == EXO_BOOT_FREE;
}

static uint32_t model_kind(uint32_t type)
{
	static const uint32_t kinds[16] = {
		[RANGE_EFI_RESERVED] = EXO_BOOT_FIRMWARE, [RANGE_EFI_LOADER_CODE] = EXO_BOOT_FREE,
		[RANGE_EFI_LOADER_DATA] = EXO_BOOT_FREE, [RANGE_EFI_BOOT_CODE] = EXO_BOOT_FREE,
		[RANGE_EFI_BOOT_DATA] = EXO_BOOT_FREE, [RANGE_EFI_RUNTIME_CODE] = EXO_BOOT_FIRMWARE,
		[RANGE_EFI_RUNTIME_DATA] = EXO_BOOT_FIRMWARE, [RANGE_EFI_FREE] = EXO_BOOT_FREE,
		[RANGE_EFI_UNUSABLE] = EXO_BOOT_FIRMWARE, [RANGE_EFI_ACPI_RECLAIM] = EXO_BOOT_ACPI,
		[RANGE_EFI_ACPI_NVS] = EXO_BOOT_ACPI, [RANGE_EFI_MMIO] = 0,
		[RANGE_EFI_MMIO_PORTS] = 0, [RANGE_EFI_PAL] = EXO_BOOT_FIRMWARE,
		[RANGE_EFI_PERSISTENT] = EXO_BOOT_FIRMWARE, [15] = EXO_BOOT_FIRMWARE,
	};

	return kinds[type];
}

static void random_round(unsigned seed)
{
	struct range_list l = list_new();
	char map[DESCRIPTORS * STEP];
	uint32_t model[PAGES] = { 0 };

	srand(seed);
	for (unsigned i = 0; i < DESCRIPTORS; i++) {
		uint32_t type = (uint32_t)rand() % 16, lo = (uint32_t)rand() % PAGES;
		uint32_t pages = (uint32_t)rand() % 40;

		descriptor_put(map, i, type, lo, pages);
		for (uint32_t p = lo; p < lo + pages && p < PAGES; p++)
			if (strength(model_kind(type)) > strength(model[p]))
				model[p] = model_kind(type);
	}
	model[0] = EXO_BOOT_FIRMWARE;
	REQUIRE(range_lay_map(&l, map, sizeof(map), STEP));
	for (unsigned i = 0; i < SPANS; i++) {
		uint32_t lo = (uint32_t)rand() % PAGES, hi = lo + (uint32_t)rand() % 20;

		REQUIRE(range_lay(&l, lo, hi, EXO_BOOT_KEPT));
		for (uint32_t p = lo; p < hi && p < PAGES; p++)
			model[p] = EXO_BOOT_KEPT;
	}
	list_check(&l, 0);
	range_merge(&l);
	list_check(&l, 1);
	for (uint32_t p = 0; p < PAGES; p++)
		if (kind_at(&l, p) != model[p])
			test_fail("seed %u page %u: kind %u, the model says %u", seed, p,
				  kind_at(&l, p), model[p]);
}

TEST(random_maps_equal_the_model)
{
	for (unsigned seed = 1; seed <= 2000; seed++)
		random_round(seed);
}

TEST_MAIN
