/* SPDX-License-Identifier: MIT */
/*
 * disk_pieces.c - requests of several pieces, writes through the cache, discards, polling, floods.
 */
#include <base/util.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/event.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "disk.h"

#define PER_PAGE (EXO_PAGE_SIZE / disk_block_bytes())

static const struct exo_disk_info *info(void)
{
	const struct exo_disk_info *disks = exos_machine_at(exos_machine()->disks_off);

	return &disks[exos_grant("disk", 0)->unit];
}

static struct exo_disk_req page_of(const struct guest_frames *f, uint16_t op, uint64_t page,
				   uint64_t block, uint16_t flags)
{
	static uint64_t tag = 50000;

	return (struct exo_disk_req){ .slot = f->slot, .pfn = f->lo + page, .block = block,
				      .count = PER_PAGE, .tag = ++tag, .op = op, .flags = flags };
}

/* Read `count` pages, the n-th into page (n * 7) % 32, as one request; its status. */
static int pieces_read(struct disk *disk, const struct guest_frames *f, unsigned count,
		       uint64_t block, unsigned bad)
{
	struct exo_disk_req req = { 0 };
	int status;

	for (unsigned n = 0; n < count; n++) {
		req = page_of(f, EXO_DISK_READ, n * 7 % 32, block + n * PER_PAGE,
			      n + 1 < count ? EXO_DISK_MORE : 0);
		if (n == bad)
			req.pfn = f->hi;
		disk_put(disk, &req);
	}
	expect_eq(disk_run(disk, count), count);
	status = disk_status(disk, req.tag);
	for (unsigned n = 1; n < count; n++)
		expect_eq(disk_status(disk, req.tag - n), status);
	return status;
}

EXO_TEST(pieces_are_read_as_one_request, DISK)
{
	unsigned most = (unsigned)min_u64(info()->pieces, 32);
	struct guest_frames f;
	struct disk disk;
	uint64_t *words;

	must(info()->pieces >= 1 && info()->pieces <= EXO_DISK_PIECES);
	must_eq(disk_open(&disk, guest_claim("disk")), 0);
	must_eq(guest_frames_make(&f, 32), 0);
	words = exos_space_window(f.slot, f.lo, 32, GUEST_RW, NULL);
	must(words != NULL);
	for (unsigned round = 0; round < 20; round++) {
		unsigned count = 1 + (round * 13 + most - 1) % most;

		for (unsigned i = 0; i < 32 * 512; i++)
			words[i] = 1;
		expect_eq(pieces_read(&disk, &f, count, 640 + round * 64, ~0u), 0);
		for (unsigned n = 0; n < count; n++)
			expect_eq(disk_wrong(words + n * 7 % 32 * 512, 512,
					     640 + round * 64 + n * PER_PAGE), 0);
		/* With one that is wrong, none is read. */
		for (unsigned i = 0; i < 32 * 512; i++)
			words[i] = 1;
		expect_error(pieces_read(&disk, &f, count, 640, count - 1 - round % count), RANGE);
		for (unsigned i = 0; i < 32 * 512; i++)
			must_eq(words[i], 1);
	}
	expect_eq(guest_frame(f.lo)->pins, 0);
	exos_space_window_end(words, 32);
	disk_close(&disk);
}

EXO_TEST(pieces_that_lie_are_refused_together, DISK)
{
	struct exo_disk_req a, b;
	struct guest_frames f;
	struct disk disk;

	must_eq(disk_open(&disk, guest_claim("disk")), 0);
	must_eq(guest_frames_make(&f, 32), 0);
	for (unsigned lie = 0; lie < 6; lie++) {
		a = page_of(&f, EXO_DISK_READ, 0, 64, EXO_DISK_MORE);
		b = page_of(&f, EXO_DISK_READ, 1, 64 + PER_PAGE, 0);
		switch (lie) {
		case 0: b.block++; break;               /* a gap */
		case 1: b.op = EXO_DISK_WRITE; break;
		case 2: b.flags = EXO_DISK_MORE; break; /* no end */
		case 3: b.flags = 0x8000; break;
		case 4: a.flags |= EXO_DISK_FUA; break; /* of a read */
		default: a.op = b.op = EXO_DISK_FLUSH;
		}
		disk_put(&disk, &a);
		disk_put(&disk, &b);
		expect_eq(disk_run(&disk, 2), 2);
		expect_error(disk_status(&disk, a.tag), ARG);
		expect_error(disk_status(&disk, b.tag), ARG);
		/* What had no end ends here; then all is well again. */
		a.flags = 0;
		a.op = EXO_DISK_READ;
		a.tag += 1000;
		disk_put(&disk, &a);
		expect_eq(disk_run(&disk, 1), 1);
		expect_eq(disk_status(&disk, a.tag), lie == 2 ? -EXO_E_ARG : 0);
		expect_eq(pieces_read(&disk, &f, 1, 640, ~0u), 0);
	}
	expect_eq(guest_frame(f.lo)->pins, 0);
	disk_close(&disk);
}

static int one(struct disk *disk, const struct exo_disk_req *req)
{
	disk_put(disk, req);
	expect_eq(disk_run(disk, 1), 1);
	return disk_status(disk, req->tag);
}

EXO_TEST(writes_pass_the_cache_and_blocks_are_discarded, DISK)
{
	uint64_t block = 58000 / PER_PAGE * PER_PAGE, *words;
	struct exo_disk_req req;
	struct guest_frames f;
	struct disk disk;
	int status;

	must_eq(disk_open(&disk, guest_claim("disk")), 0);
	must_eq(guest_frames_make(&f, 1), 0);
	words = exos_space_window(f.slot, f.lo, 1, GUEST_RW, NULL);
	must(words != NULL);
	for (unsigned i = 0; i < 512; i++)
		words[i] = ~(uint64_t)i;
	req = page_of(&f, EXO_DISK_WRITE, 0, block, EXO_DISK_FUA);
	must_eq(one(&disk, &req), 0);
	req = page_of(&f, EXO_DISK_READ, 0, block, 0);
	must_eq(one(&disk, &req), 0);
	for (unsigned i = 0; i < 512; i++)
		must_eq(words[i], ~(uint64_t)i);
	req = page_of(&f, EXO_DISK_DISCARD, 0, block, 0);
	status = one(&disk, &req);
	expect_eq(status, info()->discard ? 0 : -EXO_E_ABSENT);
	req = page_of(&f, EXO_DISK_DISCARD, 0, exos_cap_look(guest_claim("disk"))->hi, 0);
	expect_refused(one(&disk, &req));
	/* As it was, for the tests that follow. */
	disk_right(words, 512, block);
	req = page_of(&f, EXO_DISK_WRITE, 0, block, EXO_DISK_FUA);
	must_eq(one(&disk, &req), 0);
	exos_space_window_end(words, 1);
	disk_close(&disk);
}

/* Wait for completions without an event, at most 10 s. */
static bool polled(struct disk *disk, uint32_t count)
{
	uint64_t deadline = guest_device_deadline(10);

	while (__atomic_load_n(&disk->cq->cq_tail, __ATOMIC_ACQUIRE) != count)
		if (exos_tsc() > deadline)
			return false;
	__atomic_store_n(&disk->cq->cq_head, count, __ATOMIC_RELEASE);
	return true;
}

EXO_TEST(completions_are_polled_for, DISK)
{
	struct guest_frames f;
	struct exo_disk_req req;
	struct disk disk;

	must_eq(guest_frames_make(&f, 1), 0);
	must_eq(disk_open(&disk, guest_claim("disk")), 0);
	disk.cq->quiet = 1;
	for (unsigned i = 1; i <= 5; i++) {
		req = page_of(&f, EXO_DISK_READ, 0, i * 100, 0);
		disk_put(&disk, &req);
		must_eq(exo_disk_kick(disk.ring), 1);
		expect(polled(&disk, i));
		expect_eq(disk_status(&disk, req.tag), 0);
	}
	/* Nothing was posted: a wait for the event runs out.  With the flag cleared, it comes. */
	expect(!exos_event_wait(disk.entry, exos_deadline(20000000)));
	disk.cq->quiet = 0;
	expect_eq(one(&disk, &req), 0);
	disk_close(&disk);
	must_eq(guest_frames_make(&disk.frames, EXO_FRAMES_RING), 0);
	disk.ring = guest_retype(disk.frames.slot, disk.frames.lo, EXO_KIND_RING, 0);
	disk.sq = exos_space_window(disk.ring, disk.frames.lo + 1, 1, GUEST_RW, NULL);
	disk.cq = exos_space_window(disk.ring, disk.frames.lo + 2, 1, GUEST_RW, NULL);
	must(disk.sq && disk.cq);
	disk.entry = exos_event_alloc();
	must_eq(exo_disk_bind(disk.ring, guest_claim("disk"), 0), 0);
	disk_put(&disk, &req);
	must_eq(exo_disk_kick(disk.ring), 1);
	expect(polled(&disk, 1));
	expect_eq(disk_status(&disk, req.tag), 0);
	disk_close(&disk);
}

#define SHARE_MS 150u

/* Fill a ring up with copies of a request, and kick it. */
static void ring_fill(struct disk *disk, const struct exo_disk_req *req, unsigned depth)
{
	disk->cq->cq_head = __atomic_load_n(&disk->cq->cq_tail, __ATOMIC_ACQUIRE);
	while (disk->cq->sq_tail - disk->cq->cq_head < depth)
		disk_put(disk, req);
	expect(exo_disk_kick(disk->ring) >= 0);
}

/* Wait until nothing of a ring is waiting or in the device. */
static void ring_drain(struct disk *disk)
{
	expect(polled(disk, disk->cq->sq_tail));
}

/* Pages that `reader` gets read in a while, with a flood beside it or none. */
static uint32_t reads_in_a_while(struct disk *reader, const struct exo_disk_req *read,
				 struct disk *flood, const struct exo_disk_req *req)
{
	uint64_t deadline = exos_deadline(SHARE_MS * 1000000ull);
	uint32_t begin = reader->cq->cq_tail, done;

	while (exos_tsc() < deadline) {
		if (flood)
			ring_fill(flood, req, 64);
		ring_fill(reader, read, 16);
		exos_event_wait(reader->entry, deadline);
	}
	done = reader->cq->cq_tail - begin;
	ring_drain(reader);
	if (flood)
		ring_drain(flood);
	return done;
}

EXO_TEST(a_flood_of_flushes_leaves_others_their_share, DISK)
{
	struct exo_disk_req read, flush = { .op = EXO_DISK_FLUSH, .tag = 1 };
	struct disk reader, flood;
	struct guest_frames f;
	uint32_t alone = 0, beside = 0;

	if (guest_icount())
		guest_skip("the disk works in real time, the clock does not");
	must_eq(guest_frames_make(&f, 1), 0);
	must_eq(disk_open(&reader, guest_claim("disk")), 0);
	must_eq(disk_open(&flood, guest_claim("disk")), 0);
	read = page_of(&f, EXO_DISK_READ, 0, 640, 0);
	/*
	 * By turns, since the machine's own speed changes.  Two rings: half of the disk each, of
	 * which four fifths; whoever else uses the machine may spoil it twice.
	 */
	for (unsigned i = 0; i < 4 || (i < 12 && beside * 10 < alone * 4); i++) {
		if (i % 4 == 0)
			alone = beside = 0;
		alone += reads_in_a_while(&reader, &read, NULL, NULL);
		beside += reads_in_a_while(&reader, &read, &flood, &flush);
	}
	printf("disk: %u reads alone, %u beside %u flushes\n", alone, beside, flood.cq->cq_tail);
	expect(flood.cq->cq_tail > 0);
	expect(beside * 10ul >= alone * 4ul);
	disk_close(&flood);
	disk_close(&reader);
}
