/* SPDX-License-Identifier: MIT */
/*
 * disk.c - reading through a ring: what is read, in how many kicks, and what is refused.
 */
#include <base/util.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "disk.h"

#define PER_PAGE (EXO_PAGE_SIZE / disk_block_bytes())

static struct exo_disk_req read_of(const struct guest_frames *f, uint64_t page, uint64_t block,
				   uint32_t count,
				   uint64_t tag)
{
	return (struct exo_disk_req){ .slot = f->slot, .pfn = f->lo + page, .block = block,
				     .count = count,
				      .tag = tag, .op = EXO_DISK_READ };
}

/* Read one page and compare it: the rightful act that goes beside each refused one. */
static void read_works(struct disk *disk, const struct guest_frames *f, uint64_t block)
{
	struct exo_disk_req req = read_of(f, 0, block, PER_PAGE, 4242);
	uint64_t *words = exos_space_window(f->slot, f->lo, 1, EXO_R_READ, NULL);

	must(words != NULL);
	disk_put(disk, &req);
	expect_eq(disk_run(disk, 1), 1);
	expect_eq(disk_status(disk, 4242), 0);
	expect_eq(disk_wrong(words, 512, block), 0);
	exos_space_window_end(words, 1);
}

EXO_TEST(blocks_are_read_into_own_frames, DISK)
{
	struct disk disk;
	struct guest_frames f;
	uint64_t *words;

	must_eq(disk_open(&disk, guest_claim("disk")), 0);
	must_eq(guest_frames_make(&f, 64), 0);
	words = exos_space_window(f.slot, f.lo, 64, GUEST_RW, NULL);
	must(words != NULL);
	for (unsigned i = 0; i < 64 * 512; i++)
		words[i] = 1;
	/* A page, the largest request, a single block in the middle of a page. */
	struct exo_disk_req req[3] = {
		read_of(&f, 0, 800, PER_PAGE, 1),
		read_of(&f, 0, 1600, EXO_DISK_MAX_BYTES / disk_block_bytes(), 2),
		read_of(&f, 5, 77, 1, 3),
	};
	disk_put(&disk, &req[0]);
	expect_eq(disk_run(&disk, 1), 1);
	expect_eq(disk_status(&disk, 1), 0);
	expect_eq(disk_wrong(words, 512, 800), 0);
	expect_eq(words[512], 1);
	disk_put(&disk, &req[1]);
	expect_eq(disk_run(&disk, 1), 1);
	expect_eq(disk_wrong(words, 64 * 512, 1600), 0);
	req[2].offset = disk_block_bytes() < EXO_PAGE_SIZE ? disk_block_bytes() : 0;
	disk_put(&disk, &req[2]);
	expect_eq(disk_run(&disk, 1), 1);
	expect_eq(disk_wrong(words + 5 * 512 + req[2].offset / 8, disk_block_bytes() / 8, 77), 0);
	if (req[2].offset)
		expect_eq(disk_wrong(words + 5 * 512, req[2].offset / 8, 1600 + 5 * PER_PAGE), 0);
	expect_eq(guest_frame(f.lo)->pins, 0);
	exos_space_window_end(words, 64);
	disk_close(&disk);
}

/*
 * Submit 32 reads of 64 pages to the same frames in one kick; how often we looked before all were
 * done.
 */
static uint64_t batch_turns(struct disk *disk, const struct guest_frames *f)
{
	uint64_t kicks = disk->cq->kicks, turns = 0;
	uint32_t done = disk->cq->cq_tail;

	for (unsigned i = 0; i < 32; i++) {
		struct exo_disk_req req = read_of(f, 0, i * 1024, 64 * PER_PAGE, i);

		disk_put(disk, &req);
	}
	expect_eq(exo_disk_kick(disk->ring), 32);
	expect_eq(disk->cq->kicks, kicks + 1);
	while (__atomic_load_n(&disk->cq->cq_tail, __ATOMIC_ACQUIRE) - done < 32 &&
	       turns < 4000000000ull)
		turns++;
	expect_eq(disk->cq->cq_tail - done, 32);
	expect_eq(disk->cq->kicks, kicks + 1);
	for (unsigned i = 0; i < 32; i++)
		expect_eq(disk_status(disk, i), 0);
	disk->cq->cq_head = disk->cq->cq_tail;
	return turns;
}

EXO_TEST(a_batch_of_32_is_one_kick, DISK)
{
	struct disk disk;
	struct guest_frames f;
	uint64_t turns = 0;

	must_eq(disk_open(&disk, guest_claim("disk")), 0);
	must_eq(guest_frames_make(&f, 64), 0);
	/* The call does not wait: we run on while the disk, which is a slow one, works. */
	for (unsigned round = 0; round < 10 && !turns; round++)
		turns = batch_turns(&disk, &f);
	expect(turns > 0);
	read_works(&disk, &f, 31 * 1024);
	disk_close(&disk);
}

/* Each changes a good request into one that must be refused. */
static void lie_about_frames(struct exo_disk_req *r, unsigned n, const struct guest_frames *f,
			     exo_slot reader)
{
	switch (n) {
	case 0: r->slot = 0; break;
	case 1: r->slot = f->slot + (1ull << 40); break;
	case 2: r->slot = guest_claim("disk"); break;
	case 3: r->pfn = f->hi; break;
	case 4: r->pfn = f->lo - 1; break;
	case 5: r->pfn = ~0ull; break;
	case 6: r->pfn = 1ull << 52; break;
	case 7: r->offset = 13; break;
	case 8: r->offset = 0xfffffe00; break;
	case 9: r->slot = reader, r->pfn = f->lo + 6; break;
	case 10: r->pfn = f->lo + 6; break;             /* given away to reader */
	default: r->pfn = f->hi - 1, r->count *= 2;
	}
}

static void lie_about_blocks(struct exo_disk_req *r, unsigned n, uint64_t end)
{
	switch (n) {
	case 0: r->count = 0; break;
	case 1: r->count = 0xffffffff; break;
	case 2: r->count = EXO_DISK_MAX_BYTES / disk_block_bytes() + 1; break;
	case 3: r->block = end; break;
	case 4: r->block = end - 1; break;
	case 5: r->block = ~0ull; break;
	case 6: r->block = 0ull - r->count; break;
	case 7: r->op = 0; break;
	default: r->op = 77;
	}
}
#define LIES_FRAMES 12u
#define LIES        21u

EXO_TEST(requests_that_lie_are_refused_one_by_one, DISK)
{
	exo_slot reader, blocks = guest_claim("disk");
	uint64_t end = exos_cap_look(blocks)->hi;
	struct exo_disk_req good, bad;
	struct guest_frames f;
	struct disk disk;

	must_eq(disk_open(&disk, blocks), 0);
	must_eq(guest_frames_make(&f, 8), 0);
	must((reader = guest_narrow(f.slot, f.lo + 6, f.lo + 7, EXO_R_READ)) != 0);
	good = read_of(&f, 0, 8, PER_PAGE, 0);
	for (unsigned n = 0; n < LIES; n++) {
		bad = good;
		bad.tag = 100 + n;
		if (n < LIES_FRAMES)
			lie_about_frames(&bad, n, &f, reader);
		else
			lie_about_blocks(&bad, n - LIES_FRAMES, end);
		disk_put(&disk, &bad);
		good.tag = 200 + n;
		disk_put(&disk, &good);
		expect_eq(disk_run(&disk, 2), 2);
		if (disk_status(&disk, 100 + n) >= 0)
			guest_fail("lie %u: status %d", n, disk_status(&disk, 100 + n));
		expect_eq(disk_status(&disk, 200 + n), 0);
	}
	/* The last blocks of the disk are there for who names them rightly. */
	good.block = end - PER_PAGE;
	good.tag = 999;
	disk_put(&disk, &good);
	expect_eq(disk_run(&disk, 1), 1);
	expect_eq(disk_status(&disk, 999), 0);
	disk_close(&disk);
}

EXO_TEST(indices_that_jump_harm_only_the_ring, DISK)
{
	static const uint32_t jumps[] = { 65, 1000, 0x80000000, 0xffffffff, 0x7fffffff };
	struct guest_frames f;
	struct disk disk, other;

	must_eq(guest_frames_make(&f, 1), 0);
	must_eq(disk_open(&other, guest_claim("disk")), 0);
	for (unsigned i = 0; i < ARRAY_LEN(jumps); i++) {
		int64_t taken;

		must_eq(disk_open(&disk, guest_claim("disk")), 0);
		disk.cq->sq_tail += jumps[i];
		taken = exo_disk_kick(disk.ring);
		expect(taken <= EXO_DISK_RING);
		disk.cq->cq_head = jumps[i] * 3;
		disk.cq->cq_tail = jumps[i] * 5;
		disk.cq->sq_head = ~jumps[i];
		taken = exo_disk_kick(disk.ring);
		expect(taken <= EXO_DISK_RING);
		read_works(&other, &f, 3);
		disk_close(&disk);
	}
	read_works(&other, &f, 5);
	disk_close(&other);
}

EXO_TEST(bindings_of_rings_are_checked, DISK)
{
	exo_slot blocks = guest_claim("disk"), weak;
	uint32_t entry = exos_event_alloc();
	struct guest_frames f, g;
	struct disk disk;
	exo_slot ring;

	must_eq(guest_frames_make(&f, EXO_FRAMES_RING), 0);
	must_eq(guest_frames_make(&g, 1), 0);
	must((ring = guest_retype(f.slot, f.lo, EXO_KIND_RING, 0)) != 0);
	expect_refused(exo_disk_kick(ring));
	expect_error(exo_disk_bind(ring, ring, entry), KIND);
	expect_error(exo_disk_bind(blocks, blocks, entry), KIND);
	expect_error(exo_disk_bind(ring, 99, entry), STALE);
	expect_error(exo_disk_bind(ring, blocks, EXO_EVENTS), RANGE);
	must((weak = guest_narrow(ring, 0, 0, EXO_R_MAP)) != 0);
	expect_error(exo_disk_bind(weak, blocks, entry), RIGHTS);
	expect_error(exo_disk_kick(weak), RIGHTS);
	must_eq(disk_open(&disk, blocks), 0);
	expect_error(exo_disk_bind(ring, blocks, disk.entry), ROOM);
	expect_error(exo_disk_bind(disk.ring, blocks, entry), BUSY);
	expect_eq(exo_disk_bind(ring, blocks, entry), 0);
	read_works(&disk, &g, 11);
	disk_close(&disk);
}
