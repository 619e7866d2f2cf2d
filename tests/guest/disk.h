/* SPDX-License-Identifier: MIT */
/*
 * disk.h - a ring of one's own on the test disk, whose every word tells where it stands.
 */
#ifndef GUEST_DISK_H
#define GUEST_DISK_H

#include <exo/disk.h>
#include <exos/call.h>

#include "guest.h"

struct disk {
	struct guest_frames frames;     /* of the ring */
	exo_slot ring;
	uint32_t entry;                 /* event of completions */
	struct exo_disk_sq_page *sq;
	struct exo_disk_cq_page *cq;
};

/* Make a ring and bind it to a block range. 0 or -EXO_E_*. */
int disk_open(struct disk *disk, exo_slot blocks);
void disk_close(struct disk *disk);

/* Put a request behind the last one; it is not kicked. */
void disk_put(struct disk *disk, const struct exo_disk_req *req);
/* Kick and wait for `count` completions, at most 10 s; how many came. */
unsigned disk_run(struct disk *disk, unsigned count);
/* Take the completion of the tag out of those that came: its status, or 1 if it is not there. */
int disk_status(const struct disk *disk, uint64_t tag);

/* The block size of the granted disk, bytes. */
uint32_t disk_block_bytes(void);
/* Words of [words, words + count) that are not what stands on the disk from this block on. */
uint64_t disk_wrong(const uint64_t *words, uint64_t count, uint64_t block);
/* Make [words, words + count) what stands there, for a test that wrote something else. */
void disk_right(uint64_t *words, uint64_t count, uint64_t block);

#endif
