/* SPDX-License-Identifier: MIT */
/*
 * zeros.c - which frames the owner map says are zero: those an object left, until somebody could
 * have written them.
 */
#include <exos/cap.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <exos/start.h>
#include "disk.h"
#include "guest.h"

#define VA 0x0000200000000000ull

/* How many of the frames are known to be zero? */
static uint64_t known(uint64_t pfn, uint64_t count)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_chunk *chunks = exos_machine_at(m->chunks_off);
	uint64_t zeros = 0;

	for (uint64_t end = pfn + count; pfn < end; pfn++)
		zeros += chunks[pfn / EXO_CHUNK_FRAMES].zeros &&
			 (guest_frame(pfn)->flags & EXO_FRAME_ZERO);
	return zeros;
}

/* Make the first frames a page table, and an end of it. */
static bool made_zero(const struct guest_frames *f)
{
	exo_slot table = guest_retype(f->slot, f->lo, EXO_KIND_PT, 1);

	return expect(table != 0) && expect_eq(exos_cap_drop(table), 0) &&
	       expect_eq(known(f->lo, EXO_FRAMES_PT), EXO_FRAMES_PT);
}

static uint64_t words_not_zero(const struct guest_frames *f)
{
	const uint64_t *words = exos_space_window(f->slot, f->lo, EXO_FRAMES_PT, GUEST_RW, NULL);
	uint64_t others = 0;

	if (!expect(words != NULL))
		return ~0ull;
	for (unsigned i = 0; i < EXO_FRAMES_PT * 512; i++)
		others += words[i] != 0;
	exos_space_window_end((void *)(uintptr_t)words, EXO_FRAMES_PT);
	return others;
}

EXO_TEST(frames_that_were_mapped_are_not_known_to_be_zero, SHORT)
{
	struct guest_frames f;

	must_eq(guest_frames_make(&f, EXO_FRAMES_PT), 0);
	must(made_zero(&f));
	expect_eq(words_not_zero(&f), 0);
	expect_eq(known(f.lo, EXO_FRAMES_PT), 0);
	/* One by one: the first map finds the table, the others are by the shortest way. */
	must(made_zero(&f));
	must_eq(exos_space_prepare(&exos_space_own, VA, EXO_FRAMES_PT), 0);
	for (unsigned i = 0; i < EXO_FRAMES_PT; i++) {
		must_eq(exos_space_map(&exos_space_own, VA + i * EXO_PAGE_SIZE, f.slot, f.lo + i, 1,
				       GUEST_RW), 0);
		expect_eq(known(f.lo, EXO_FRAMES_PT), EXO_FRAMES_PT - 1 - i);
	}
	((volatile uint64_t *)VA)[512 * 2] = 99;
	must_eq(exos_space_unmap(&exos_space_own, VA, EXO_FRAMES_PT), 0);
	must(made_zero(&f));
	expect_eq(words_not_zero(&f), 0);
}

EXO_TEST(frames_of_large_pages_are_not_known_to_be_zero, SHORT)
{
	struct exo_map_op op = { .op = EXO_MAP, .va = VA, .pages = 1,
				 .prot = GUEST_RW | EXO_SIZE_2M };
	struct guest_frames f = { .lo = 0 };
	exo_slot claim;

	must_eq(exos_frame_alloc_aligned(512, 512, &f.lo, &claim), 0);
	must((f.slot = guest_narrow(claim, f.lo, f.lo + 512, GUEST_R_FRAMES)) != 0);
	must(made_zero(&f));
	/* Tables down to level 2, and none of level 1, where the large page goes. */
	must_eq(exos_space_prepare(&exos_space_own, VA + (2 << 20), 1), 0);
	op.slot = f.slot;
	op.pfn = f.lo;
	must_eq(exo_space_update(guest_claim("space"), (uint64_t)&op, 1), 1);
	expect_eq(known(f.lo, 512), 0);
	((volatile uint64_t *)VA)[512 * 2] = 99;
	op.op = EXO_UNMAP;
	op.prot = EXO_SIZE_2M;
	must_eq(exo_space_update(guest_claim("space"), (uint64_t)&op, 1), 1);
	/* What was known before does not come back with what is known anew. */
	f.lo += EXO_FRAMES_PT;
	must(made_zero(&f));
	f.lo -= EXO_FRAMES_PT;
	expect_eq(known(f.lo, 512), EXO_FRAMES_PT);
	must(made_zero(&f));
	expect_eq(words_not_zero(&f), 0);
	expect_eq(exos_cap_drop(f.slot), 0);
}

EXO_TEST(frames_a_disk_wrote_are_not_known_to_be_zero, DISK)
{
	struct guest_frames f;
	struct exo_disk_req read = { .op = EXO_DISK_READ, .block = 8, .tag = 1 };
	struct disk disk;

	must_eq(disk_open(&disk, guest_claim("disk")), 0);
	must_eq(guest_frames_make(&f, EXO_FRAMES_PT), 0);
	must(made_zero(&f));
	read.slot = f.slot;
	read.pfn = f.lo;
	read.count = (uint32_t)(EXO_FRAMES_PT * EXO_PAGE_SIZE / disk_block_bytes());
	disk_put(&disk, &read);
	expect_eq(disk_run(&disk, 1), 1);
	expect_eq(disk_status(&disk, 1), 0);
	expect_eq(known(f.lo, EXO_FRAMES_PT), 0);
	must(made_zero(&f));
	expect_eq(words_not_zero(&f), 0);
	disk_close(&disk);
}
