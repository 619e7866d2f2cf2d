/* SPDX-License-Identifier: MIT */
/*
 * disk_slow.c - claims are taken while a disk works for them, slowly or not at all.
 *
 * Requests that the device has are waited for; where it completes none for its time limit, its
 * queue is reset.  The same test runs on a disk of any speed: what it printed says what happened.
 */
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/event.h>
#include <exos/frame.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "disk.h"

#define SECOND   1000000000ull
#define REQUESTS 60u
#define PAGES    64u            /* of each: the largest request */
#define LIMIT    10u            /* seconds without progress after which a device is reset */

/* How requests ended. */
struct ends {
	unsigned good, cancelled, reset, other;
};

static struct ends ends_of(const struct disk *disk)
{
	struct ends e = { 0 };

	for (unsigned i = 0; i < REQUESTS; i++)
		switch (disk_status(disk, i)) {
		case 0: e.good++; break;
		case -EXO_E_STALE: e.cancelled++; break;
		case -EXO_E_DEVICE: e.reset++; break;
		default: e.other++; break;
		}
	return e;
}

static void put_all(struct disk *disk, exo_slot claim, uint64_t pfn)
{
	uint32_t count = PAGES * EXO_PAGE_SIZE / disk_block_bytes();

	for (unsigned i = 0; i < REQUESTS; i++) {
		struct exo_disk_req req = { .slot = claim, .pfn = pfn, .block = i % 8 * count,
					    .tag = i, .count = count, .op = EXO_DISK_READ };

		disk_put(disk, &req);
	}
	expect_eq(exo_disk_kick(disk->ring), REQUESTS);
}

/* What is written to the frames now stays: no request reaches them any more. */
static void expect_quiet(const struct guest_frames *f)
{
	uint64_t *words = exos_space_window(f->slot, f->lo, PAGES, GUEST_RW, NULL), wrong = 0;

	must(words != NULL);
	for (unsigned i = 0; i < PAGES * 512; i++)
		words[i] = 0xabcd;
	guest_pause_ms(20);
	for (unsigned i = 0; i < PAGES * 512; i++)
		wrong += words[i] != 0xabcd;
	expect_eq(wrong, 0);
	exos_space_window_end(words, PAGES);
}

static void expect_unpinned(const struct guest_frames *f)
{
	for (uint64_t pfn = f->lo; pfn < f->hi; pfn++)
		expect_eq(guest_frame(pfn)->pins, 0);
}

/* Revoke, in time; milliseconds. */
static uint64_t revoke_timed(exo_slot slot)
{
	uint64_t start = exos_ns(), ms;

	expect_eq(exos_cap_revoke(slot), 0);
	ms = (exos_ns() - start) / 1000000;
	expect(ms < (LIMIT + 8) * 1000);
	return ms;
}

static void report(const char *what, uint64_t ms, const struct disk *disk)
{
	struct ends e = ends_of(disk);

	printf("disk: %s taken in %lu ms: %u done, %u cancelled, %u ended by a reset\n", what, ms,
	       e.good, e.cancelled, e.reset);
	expect_eq(e.other, 0);
	expect_eq(e.good + e.cancelled + e.reset, REQUESTS);
	/* Those that the device did not have yet need no waiting; under icount time runs ahead. */
	if (ms > 2000 && !guest_icount())
		expect(e.reset > 0);
}

EXO_TEST(frames_are_taken_from_a_slow_disk, DISK)
{
	struct guest_frames f;
	struct disk disk;
	exo_slot child;
	uint64_t ms;

	must_eq(guest_frames_make(&f, PAGES), 0);
	must((child = guest_narrow(f.slot, f.lo, f.hi, GUEST_RW)) != 0);
	must_eq(disk_open(&disk, guest_claim("disk")), 0);
	put_all(&disk, child, f.lo);
	expect(guest_frame(f.lo)->pins > 0);
	ms = revoke_timed(f.slot);
	expect_unpinned(&f);
	report("frames", ms, &disk);
	expect_quiet(&f);
	disk_close(&disk);
}

EXO_TEST(blocks_are_taken_from_a_slow_disk, DISK)
{
	exo_slot whole = guest_claim("disk"), blocks;
	struct guest_frames f;
	struct disk disk;
	uint64_t ms;

	must_eq(guest_frames_make(&f, PAGES), 0);
	must((blocks = guest_narrow(whole, 0, exos_cap_look(whole)->hi, EXO_R_READ)) != 0);
	must_eq(disk_open(&disk, blocks), 0);
	put_all(&disk, f.slot, f.lo);
	ms = revoke_timed(whole);
	expect(!exos_cap_look(blocks));
	expect_unpinned(&f);
	report("blocks", ms, &disk);
	expect_quiet(&f);
	expect_error(exo_disk_kick(disk.ring), ARG);
	disk_close(&disk);
}
