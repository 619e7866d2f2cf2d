/* SPDX-License-Identifier: MIT */
/*
 * boot_paging_test.c - the first page tables, walked as the processor does.
 *
 * Host memory is the pool: its addresses stand in the tables as physical ones.
 */
// sources: uefi/paging.c
// includes: uefi
#include "paging.h"
#include "test.h"

#include <exo/cap.h>

#include <stdlib.h>

#define GIB (1ul << 30)
#define ADDRESS 0x000ffffffffff000ul
#define NONE UINT64_MAX

struct found {
	uint64_t pa;            /* NONE: not mapped */
	uint64_t rights;        /* PAGING_WRITE and PAGING_NX of the last entry */
	int level;
};

static struct found walk(uint64_t pml4, uint64_t va)
{
	uint64_t table = pml4;

	for (int level = 4; level >= 1; level--) {
		int shift = 12 + 9 * (level - 1);
		uint64_t e = ((uint64_t *)table)[va >> shift & 511];

		if (!(e & 1))
			break;
		if (level == 1 || (e & 1 << 7))
			return (struct found){ (e & ADDRESS) + (va & ((1ul << shift) - 1)),
					       e & (PAGING_WRITE | PAGING_NX), level };
		table = e & ADDRESS;
	}
	return (struct found){ NONE, 0, 0 };
}

static struct paging p;

static bool build(const struct exo_boot_range *r, uint32_t n, bool giga)
{
	uint64_t pages = paging_need(r, n, 20, giga);
	void *pool = aligned_alloc(4096, pages * 4096);

	if (!pool)
		return false;
	memset(pool, 0xff, pages * 4096);
	paging_begin(&p, (uint64_t)pool, pages, giga);
	return paging_direct(&p, r, n);
}

static void direct_is(uint64_t pa, int level)
{
	struct found f = walk(p.pool, EXO_DIRECT_VA + pa);

	if (level == 0 ? f.pa != NONE : f.pa != pa || f.level != level ||
	    f.rights != (PAGING_WRITE | PAGING_NX))
		test_fail("0x%lx is mapped to 0x%lx, level %d, rights 0x%lx; expected level %d",
			  pa, f.pa, f.level, f.rights, level);
}

static const struct exo_boot_range ram[] = {
	{ 0x0, 0xa0, EXO_BOOT_FREE, 0 },
	{ 0x100, 0x80000, EXO_BOOT_FREE, 0 },
	{ 0xfffc0, 0x100000, EXO_BOOT_FIRMWARE, 0 },
	{ 4 * GIB >> 12, (7 * GIB >> 12) + 5, EXO_BOOT_FREE, 0 },
	{ (9 * GIB >> 12) + 0x300, (9 * GIB >> 12) + 0x500, EXO_BOOT_KEPT, 0 },
	{ 600 * GIB >> 12, (600 * GIB >> 12) + 1, EXO_BOOT_ACPI, 0 },
	{ 800 * GIB >> 12, 801 * GIB >> 12, EXO_BOOT_FIRMWARE, 0 },
};

static void check_all(int big)
{
	for (uint64_t pa = 0; pa < 4 * GIB; pa += 0x1ff000)
		direct_is(pa, 2);
	direct_is(4 * GIB, big);
	direct_is(7 * GIB - 1, big);
	direct_is(7 * GIB + 0x4fff, 2);
	direct_is(7 * GIB + 0x200000, 0);
	direct_is(9 * GIB, 0);
	direct_is(9 * GIB + 0x300000, 2);
	direct_is(9 * GIB + 0x4fffff, 2);
	direct_is(9 * GIB + 0x600000, 0);
	direct_is(600 * GIB, 2);
	direct_is(800 * GIB, 0);
	CHECK(p.used <= p.pages);
}

TEST(direct_map_with_2_mib_pages)
{
	REQUIRE(build(ram, sizeof(ram) / sizeof(ram[0]), false));
	check_all(2);
	free((void *)p.pool);
}

TEST(direct_map_with_1_gib_pages)
{
	REQUIRE(build(ram, sizeof(ram) / sizeof(ram[0]), true));
	check_all(3);
	free((void *)p.pool);
}

TEST(neighbours_in_one_gib_share_its_tables)
{
	static const struct exo_boot_range r[] = {
		{ 5 * GIB >> 12, (5 * GIB >> 12) + 1, EXO_BOOT_KEPT, 0 },
		{ (5 * GIB >> 12) + 1, 8 * GIB >> 12, EXO_BOOT_FREE, 0 },
	};

	REQUIRE(build(r, 2, true));
	direct_is(5 * GIB, 2);
	direct_is(5 * GIB + 0x3ff000, 2);
	direct_is(6 * GIB, 3);
	free((void *)p.pool);
	REQUIRE(build(r, 2, false));
	direct_is(8 * GIB - 1, 2);
	free((void *)p.pool);
}

TEST(kernel_pages_have_their_rights)
{
	REQUIRE(build(ram, 3, false));
	CHECK(paging_page(&p, EXO_KERNEL_VA, 0x5000, 0));
	CHECK(paging_page(&p, EXO_KERNEL_VA + 0x1000, 0x9000, PAGING_NX | PAGING_WRITE));
	CHECK(paging_page(&p, 0x7000, 0x7000, 0));
	CHECK_EQ(walk(p.pool, EXO_KERNEL_VA + 5).pa, 0x5005);
	CHECK_EQ(walk(p.pool, EXO_KERNEL_VA).rights, 0);
	CHECK_EQ(walk(p.pool, EXO_KERNEL_VA + 0x1000).rights, PAGING_NX | PAGING_WRITE);
	CHECK_EQ(walk(p.pool, 0x7123).pa, 0x7123);
	CHECK_EQ(walk(p.pool, EXO_KERNEL_VA + 0x2000).pa, NONE);
	CHECK_EQ(walk(p.pool, 0x8000).pa, NONE);
	free((void *)p.pool);
}

TEST(an_empty_pool_is_reported)
{
	void *pool = aligned_alloc(4096, 3 * 4096);

	REQUIRE(pool != NULL);
	paging_begin(&p, (uint64_t)pool, 3, false);
	CHECK(!paging_direct(&p, ram, 1));
	CHECK(!paging_page(&p, EXO_KERNEL_VA, 0x5000, 0));
	free(pool);
}

/* Random memory: every page of it is reached, and paging_need was enough. */
TEST(random_memory_fits_the_pool)
{
	srand(1);
	for (int round = 0; round < 60; round++) {
		struct exo_boot_range r[12];
		uint64_t at = 1;

		for (unsigned i = 0; i < 12; i++) {
			r[i].lo = at + (uint64_t)rand() % 0x80000;
			r[i].hi = at = r[i].lo + 1 + (uint64_t)rand() % 0x80000;
			r[i].kind = 1 + (unsigned)rand() % 5;
			r[i].spare = 0;
		}
		REQUIRE(build(r, 12, round & 1));
		CHECK(p.used <= p.pages);
		for (unsigned i = 0; i < 12; i++) {
			CHECK_EQ(walk(p.pool, EXO_DIRECT_VA + (r[i].lo << 12)).pa, r[i].lo << 12);
			CHECK_EQ(walk(p.pool, EXO_DIRECT_VA + (r[i].hi << 12) - 1).pa,
				 (r[i].hi << 12) - 1);
		}
		for (uint32_t i = 0; i < 20; i++)
			CHECK(paging_page(&p, EXO_KERNEL_VA + 4096 * i, 0, 0));
		CHECK(paging_page(&p, 0x1234000, 0, 0));
		free((void *)p.pool);
	}
}

TEST_MAIN
