/* SPDX-License-Identifier: MIT */
/*
 * disk_share.c - block ranges, writing, and taking things away while requests are in flight.
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

static int one(struct disk *disk, const struct guest_frames *f, uint16_t op, uint64_t block)
{
	static uint64_t tag = 1000;
	struct exo_disk_req req = { .slot = f->slot, .pfn = f->lo, .block = block,
				   .count = PER_PAGE,
				    .tag = ++tag, .op = op };

	disk_put(disk, &req);
	expect_eq(disk_run(disk, 1), 1);
	return disk_status(disk, tag);
}

EXO_TEST(two_block_ranges_do_not_meet, DISK)
{
	exo_slot blocks = guest_claim("disk"), low, high;
	uint64_t half = exos_cap_look(blocks)->hi / 2 / PER_PAGE * PER_PAGE;
	struct guest_frames f;
	struct disk a, b;

	must_eq(guest_frames_make(&f, 1), 0);
	must((low = guest_narrow(blocks, 0, half, GUEST_RW)) != 0);
	must((high = guest_narrow(blocks, half, exos_cap_look(blocks)->hi, EXO_R_READ)) != 0);
	expect_error(exo_cap_narrow(blocks, guest_sid(), half - 1, half + 1, EXO_R_READ), SPLIT);
	must_eq(disk_open(&a, low), 0);
	must_eq(disk_open(&b, high), 0);
	expect_eq(one(&a, &f, EXO_DISK_READ, half - PER_PAGE), 0);
	expect_eq(one(&b, &f, EXO_DISK_READ, half), 0);
	expect_error(one(&a, &f, EXO_DISK_READ, half), RANGE);
	expect_error(one(&a, &f, EXO_DISK_READ, half - PER_PAGE + 1), RANGE);
	expect_error(one(&b, &f, EXO_DISK_READ, half - 1), RANGE);
	expect_error(one(&b, &f, EXO_DISK_READ, 0), RANGE);
	/* The high half is read-only; the low one is not. */
	expect_error(one(&b, &f, EXO_DISK_WRITE, half + 64), RIGHTS);
	expect_eq(one(&a, &f, EXO_DISK_READ, half - 64), 0);
	expect_eq(one(&a, &f, EXO_DISK_WRITE, half - 64), 0);
	/* Taken back, the range is of no more use to its ring; the other goes on. */
	expect_eq(exos_cap_end(low), 0);
	{
		struct exo_disk_req req = { .slot = f.slot, .pfn = f.lo, .count = PER_PAGE,
					   .op = EXO_DISK_READ };

		disk_put(&a, &req);
		expect_refused(exo_disk_kick(a.ring));
	}
	expect_eq(one(&b, &f, EXO_DISK_READ, half + 8), 0);
	disk_close(&a);
	disk_close(&b);
}

EXO_TEST(what_is_written_is_read_again, DISK)
{
	uint64_t block = 60000 / PER_PAGE * PER_PAGE, *words;
	struct guest_frames f;
	struct disk disk;

	must_eq(disk_open(&disk, guest_claim("disk")), 0);
	must_eq(guest_frames_make(&f, 1), 0);
	words = exos_space_window(f.slot, f.lo, 1, GUEST_RW, NULL);
	must(words != NULL);
	for (unsigned i = 0; i < 512; i++)
		words[i] = ~(uint64_t)i;
	must_eq(one(&disk, &f, EXO_DISK_WRITE, block), 0);
	expect_eq(one(&disk, &f, EXO_DISK_FLUSH, 0), 0);
	for (unsigned i = 0; i < 512; i++)
		words[i] = 0;
	must_eq(one(&disk, &f, EXO_DISK_READ, block), 0);
	for (unsigned i = 0; i < 512; i++)
		must_eq(words[i], ~(uint64_t)i);
	/* As it was, for the tests that follow. */
	disk_right(words, 512, block);
	must_eq(one(&disk, &f, EXO_DISK_WRITE, block), 0);
	must_eq(one(&disk, &f, EXO_DISK_READ, block), 0);
	expect_eq(disk_wrong(words, 512, block), 0);
	exos_space_window_end(words, 1);
	disk_close(&disk);
}

/* Put 16 requests of 64 pages each into the ring, by this claim. */
static void put_many(struct disk *disk, exo_slot claim, uint64_t pfn)
{
	for (unsigned i = 0; i < 16; i++) {
		struct exo_disk_req req = { .slot = claim, .pfn = pfn, .block = i * 640, .tag = i,
					    .count = 64 * PER_PAGE, .op = EXO_DISK_READ };

		disk_put(disk, &req);
	}
}

EXO_TEST(frames_revoked_in_flight_are_quiet_when_done, DISK)
{
	struct guest_frames f;
	struct disk disk;

	must_eq(guest_frames_make(&f, 64), 0);
	for (unsigned round = 0; round < 10 && !guest_failures(); round++) {
		exo_slot child = guest_narrow(f.slot, f.lo, f.hi, GUEST_RW);
		uint64_t *words, wrong = 0;

		must(child != 0);
		must_eq(disk_open(&disk, guest_claim("disk")), 0);
		put_many(&disk, child, f.lo);
		must_eq(exo_disk_kick(disk.ring), 16);
		expect_eq(exos_cap_revoke(f.slot), 0);
		expect_eq(guest_frame(f.lo)->pins, 0);
		/* Done means gone: what we write now stays. */
		words = exos_space_window(f.slot, f.lo, 64, GUEST_RW, NULL);
		must(words != NULL);
		for (unsigned i = 0; i < 64 * 512; i++)
			words[i] = 0xabcd;
		guest_pause_ms(20);
		for (unsigned i = 0; i < 64 * 512; i++)
			wrong += words[i] != 0xabcd;
		expect_eq(wrong, 0);
		exos_space_window_end(words, 64);
		disk_close(&disk);
	}
}

EXO_TEST(a_ring_that_ends_in_flight_leaves_nothing, DISK)
{
	struct guest_frames f;
	struct disk disk;

	must_eq(guest_frames_make(&f, 64), 0);
	for (unsigned round = 0; round < 10 && !guest_failures(); round++) {
		must_eq(disk_open(&disk, guest_claim("disk")), 0);
		put_many(&disk, f.slot, f.lo);
		must_eq(exo_disk_kick(disk.ring), 16);
		disk_close(&disk);
		expect_eq(guest_frame(f.lo)->pins, 0);
		expect_eq(guest_frame(f.hi - 1)->pins, 0);
	}
}

/*
 * Requests in flight on frames that somebody tries to make an object of: how often that was
 * refused.
 */
static unsigned pinned_refusals(const struct guest_frames *f)
{
	struct disk disk;
	unsigned refused = 0;

	if (!expect_eq(disk_open(&disk, guest_claim("disk")), 0))
		return 0;
	put_many(&disk, f->slot, f->lo);
	expect_eq(exo_disk_kick(disk.ring), 16);
	while (__atomic_load_n(&disk.cq->cq_tail, __ATOMIC_ACQUIRE) < 16) {
		exo_sid sid = guest_sid();
		int64_t made = exo_retype(f->slot, sid, f->lo, EXO_KIND_TABLE, guest_claim("env"));

		refused += made == -EXO_E_PINNED;
		/* Made in spite of requests: then all of them must be over. */
		if (made > 0)
			break;
		exos_slot_free(sid);
	}
	while (__atomic_load_n(&disk.cq->cq_tail, __ATOMIC_ACQUIRE) < 16)
		if (!exos_event_wait(disk.entry, guest_device_deadline(10)))
			break;
	for (unsigned i = 0; i < 16; i++)
		expect_eq(disk_status(&disk, i), 0);
	disk_close(&disk);
	return refused;
}

EXO_TEST(pinned_frames_become_no_objects, DISK)
{
	struct guest_frames f;
	unsigned refused = 0;

	/* A fast disk may be done before we have asked. */
	for (unsigned round = 0; round < 200 && !refused; round++) {
		must_eq(guest_frames_make(&f, 64), 0);
		refused = pinned_refusals(&f);
		guest_frames_end(&f);
		exos_slot_sweep();
	}
	expect(refused > 0);
	must_eq(guest_frames_make(&f, 1), 0);
	expect(exo_retype(f.slot, guest_sid(), f.lo, EXO_KIND_TABLE, guest_claim("env")) > 0);
}
