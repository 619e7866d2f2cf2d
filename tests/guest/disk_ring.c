/* SPDX-License-Identifier: MIT */
/*
 * disk_ring.c - making, using and checking a ring (disk.h); the tests are in disk.c.
 *
 * Word n of the disk is n * STEP: the runner on the host writes it so.
 */
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "disk.h"

#define STEP 0x9e3779b97f4a7c15ull

int disk_open(struct disk *disk, exo_slot blocks)
{
	int err = guest_frames_make(&disk->frames, EXO_FRAMES_RING);

	if (err < 0)
		return err;
	disk->ring = guest_retype(disk->frames.slot, disk->frames.lo, EXO_KIND_RING, 0);
	disk->sq = exos_space_window(disk->ring, disk->frames.lo + 1, 1, GUEST_RW, &err);
	if (!disk->sq)
		return err;
	disk->cq = exos_space_window(disk->ring, disk->frames.lo + 2, 1, GUEST_RW, &err);
	if (!disk->cq)
		return err;
	disk->entry = exos_event_alloc();
	return (int)exo_disk_bind(disk->ring, blocks, disk->entry);
}

void disk_close(struct disk *disk)
{
	exos_space_window_end(disk->sq, 1);
	exos_space_window_end(disk->cq, 1);
	guest_frames_end(&disk->frames);
	exos_slot_sweep();
	exos_event_free(disk->entry);
}

void disk_put(struct disk *disk, const struct exo_disk_req *req)
{
	disk->sq->req[disk->cq->sq_tail % EXO_DISK_RING] = *req;
	__atomic_store_n(&disk->cq->sq_tail, disk->cq->sq_tail + 1, __ATOMIC_RELEASE);
}

unsigned disk_run(struct disk *disk, unsigned count)
{
	uint64_t deadline = guest_device_deadline(10);
	uint32_t begin = disk->cq->cq_head;
	int64_t taken = exo_disk_kick(disk->ring);

	expect_eq(taken, count);
	while (__atomic_load_n(&disk->cq->cq_tail, __ATOMIC_ACQUIRE) - begin < count)
		if (!exos_event_wait(disk->entry, deadline))
			break;
	count = disk->cq->cq_tail - begin;
	__atomic_store_n(&disk->cq->cq_head, disk->cq->cq_tail, __ATOMIC_RELEASE);
	return count;
}

int disk_status(const struct disk *disk, uint64_t tag)
{
	uint32_t last = disk->cq->cq_tail;

	for (uint32_t i = 1; i <= EXO_DISK_RING && i <= last; i++)
		if (disk->cq->done[(last - i) % EXO_DISK_RING].tag == tag)
			return disk->cq->done[(last - i) % EXO_DISK_RING].status;
	return 1;
}

uint32_t disk_block_bytes(void)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_disk_info *disks = exos_machine_at(m->disks_off);

	return disks[exos_grant("disk", 0)->unit].block_bytes;
}

uint64_t disk_wrong(const uint64_t *words, uint64_t count, uint64_t block)
{
	uint64_t first = block * (disk_block_bytes() / 8), wrong = 0;

	for (uint64_t i = 0; i < count; i++)
		wrong += words[i] != (first + i) * STEP;
	return wrong;
}

void disk_right(uint64_t *words, uint64_t count, uint64_t block)
{
	uint64_t first = block * (disk_block_bytes() / 8);

	for (uint64_t i = 0; i < count; i++)
		words[i] = (first + i) * STEP;
}
