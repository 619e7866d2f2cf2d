/* SPDX-License-Identifier: MIT */
/*
 * disk.c - requests that reach beyond what their claims name, of blocks and of frames.
 *
 * Each binding here is of a part in the middle of the disk: what lies behind it is there, and
 * another's.  Invariant: what is refused has moved nothing; the same within the part is done.
 */
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include "evil.h"
#include "guest/disk.h"

#define PART  64u               /* blocks */
#define FIRST 2048u             /* of the part */

static struct disk disk;
static struct guest_frames frames;
static exo_slot part;
static uint64_t tag;

static bool make(uint32_t rights)
{
	exo_slot blocks = guest_claim("disk");
	uint64_t lo = exos_cap_look(blocks)->lo + FIRST;

	part = guest_narrow(blocks, lo, lo + PART, rights);
	return part && expect_eq(disk_open(&disk, part), 0) &&
	       expect_eq(guest_frames_make(&frames, 4), 0);
}

static void end(void)
{
	disk_close(&disk);
	guest_frames_end(&frames);
	exos_cap_end(part);
}

/* A page's worth of blocks, from this one of the part on. */
static struct exo_disk_req page_of(uint16_t op, uint64_t block, uint16_t flags)
{
	return (struct exo_disk_req){ .slot = frames.slot, .pfn = frames.lo, .tag = ++tag,
				      .block = exos_cap_look(part)->lo + block, .op = op,
				      .count = EXO_PAGE_SIZE / disk_block_bytes(), .flags = flags };
}

static int one(const struct exo_disk_req *req)
{
	disk_put(&disk, req);
	expect_eq(disk_run(&disk, 1), 1);
	return disk_status(&disk, req->tag);
}

/* Two pieces that follow each other; the status of both. */
static int two(uint16_t op, uint64_t block)
{
	struct exo_disk_req a = page_of(op, block, EXO_DISK_MORE), b = page_of(op, block, 0);

	b.block = a.block + a.count;
	b.pfn++;
	disk_put(&disk, &a);
	disk_put(&disk, &b);
	expect_eq(disk_run(&disk, 2), 2);
	expect_eq(disk_status(&disk, a.tag), disk_status(&disk, b.tag));
	return disk_status(&disk, b.tag);
}

static const struct exo_disk_info *info(void)
{
	const struct exo_disk_info *disks = exos_machine_at(exos_machine()->disks_off);

	return &disks[exos_cap_look(part)->unit];
}

static void discards(void)
{
	uint32_t page = EXO_PAGE_SIZE / disk_block_bytes();
	struct exo_disk_req req;

	req = page_of(EXO_DISK_DISCARD, PART, 0);
	expect_error(one(&req), RANGE);
	req = page_of(EXO_DISK_DISCARD, PART - page + 1, 0);
	expect_error(one(&req), RANGE);
	req = page_of(EXO_DISK_DISCARD, (uint64_t)-1, 0);
	expect_error(one(&req), RANGE);
	/* Nothing of it was thrown away. */
	req = page_of(EXO_DISK_DISCARD, PART - page, 0);
	expect_eq(one(&req), 0);
}

EXO_TEST(evil_pieces_and_discards_stay_inside, DISK)
{
	uint32_t page = EXO_PAGE_SIZE / disk_block_bytes();
	struct exo_disk_req req;

	must(make(GUEST_RW));
	for (uint16_t op = EXO_DISK_READ; op <= EXO_DISK_WRITE; op++) {
		req = page_of(op, PART, 0);
		expect_error(one(&req), RANGE);
		req = page_of(op, (uint64_t)-1, 0);
		expect_error(one(&req), RANGE);
		if (info()->pieces < 2)
			continue;
		/* The first piece inside, the second is the neighbour's. */
		expect_error(two(op, PART - page), RANGE);
		expect_error(two(op, PART - 2 * page + 1), RANGE);
		if (op == EXO_DISK_READ)
			expect_eq(two(op, PART - 2 * page), 0);
	}
	if (info()->discard)
		discards();
	end();
}

EXO_TEST(evil_readers_write_and_discard_nothing, DISK)
{
	struct exo_disk_req req;

	must(make(EXO_R_READ));
	req = page_of(EXO_DISK_WRITE, 0, 0);
	expect_error(one(&req), RIGHTS);
	req = page_of(EXO_DISK_DISCARD, 0, 0);
	expect_eq(one(&req), info()->discard ? -EXO_E_RIGHTS : -EXO_E_ABSENT);
	req = page_of(EXO_DISK_READ, 0, 0);
	expect_eq(one(&req), 0);
	end();
}

EXO_TEST(evil_frames_are_lent_by_their_holder, DISK)
{
	struct exo_disk_req req;
	exo_slot child, share;

	must(make(GUEST_RW));
	must((child = guest_narrow(frames.slot, frames.lo, frames.lo + 1, GUEST_RW)) != 0);
	req = page_of(EXO_DISK_READ, 0, 0);
	expect_error(one(&req), SPLIT);
	req.slot = child;
	req.tag = ++tag;
	expect_eq(one(&req), 0);
	must((share = guest_narrow(child, frames.lo, frames.lo + 1, EXO_R_READ | EXO_SHARE)) != 0);
	req.slot = share;       /* its holder may read the memory, not have it written */
	req.tag = ++tag;
	expect_error(one(&req), RIGHTS);
	/* A share is of its own range only. */
	must((share = guest_narrow(frames.slot, frames.lo + 1, frames.lo + 2,
				   GUEST_RW | EXO_SHARE)) != 0);
	req.slot = share;
	req.tag = ++tag;
	req.pfn = frames.lo + 2;
	expect_error(one(&req), RANGE);
	req.tag = ++tag;
	req.pfn = frames.lo + 1;
	expect_eq(one(&req), 0);
	req.pfn = frames.lo;
	expect_eq(exos_cap_revoke(frames.slot), 0);
	req.slot = child;
	req.tag = ++tag;
	expect_error(one(&req), STALE);
	req.slot = frames.slot;
	req.tag = ++tag;
	expect_eq(one(&req), 0);
	end();
}

EXO_TEST(evil_blocks_are_divided, DISK)
{
	exo_slot blocks = guest_claim("disk"), a, b;
	uint64_t lo = exos_cap_look(blocks)->lo + FIRST;

	must((a = guest_narrow(blocks, lo, lo + PART, GUEST_RW)) != 0);
	must((b = guest_narrow(blocks, lo + 2 * PART, lo + 3 * PART, GUEST_RW)) != 0);
	for (uint64_t at = lo - PART + 1; at < lo + 3 * PART; at += PART / 4)
		expect_error(exo_cap_narrow(blocks, guest_sid(), at, at + PART, EXO_R_READ), SPLIT);
	expect_error(exo_cap_narrow(blocks, guest_sid(), lo - 1, lo + 4 * PART, EXO_R_READ), SPLIT);
	/* Between them there is room for one more. */
	expect_eq(exos_cap_end(guest_narrow(blocks, lo + PART, lo + 2 * PART, EXO_R_READ)), 0);
	expect_eq(exos_cap_end(a), 0);
	expect_eq(exos_cap_end(b), 0);
}
