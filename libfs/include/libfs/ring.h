/* SPDX-License-Identifier: MIT */
/*
 * ring.h - the application's side of a disk ring (exo/disk.h): requests in, completions out.
 *
 * Makes no kernel call and knows no memory but the two pages: whoever uses it kicks and waits.
 * Invariant: a request that was put is on a list of flight[] until the completion of its entry is
 * taken, so that never more than EXO_DISK_RING entries are out and the completion ring cannot
 * overflow.
 */
#ifndef LIBFS_RING_H
#define LIBFS_RING_H

#include <exo/disk.h>
#include <libfs/device.h>

struct fs_ring {
	struct exo_disk_sq_page *sq;
	struct exo_disk_cq_page *cq;
	uint64_t first_block;   /* of the device, as the disk counts */
	uint32_t put;           /* entries ever put: sq_tail after the next fs_ring_show */
	uint32_t taken;         /* completions ever taken */
	uint32_t out;           /* entries whose requests are in flight[] */
	uint32_t pieces_most;   /* of one request to the disk; fs_ring_init: 1, set it after */
	uint32_t blocks_most;   /* likewise: EXO_DISK_MAX_BYTES / the disk's block size */
	uint32_t pieces, blocks;        /* of the request that the last entry belongs to */
	struct fs_request *flight[EXO_DISK_RING];       /* of an entry, by its tag; NULL: free */
};

/* Use two fresh pages of a ring whose block claim starts at first_block. */
void fs_ring_init(struct fs_ring *ring, struct exo_disk_sq_page *sq, struct exo_disk_cq_page *cq,
		  uint64_t first_block);

/*
 * Put a request whose data lies in the frame `pfn`, which `claim` covers: its status becomes
 * FS_PENDING.  false, with nothing changed, if the ring is full.
 */
bool fs_ring_put(struct fs_ring *ring, struct fs_request *request, exo_slot claim, uint64_t pfn);

/*
 * Make what was put last part of the same request to the disk as what was put before it, if it
 * goes on where that ends and was not shown yet: then both get the same status.  It becomes part of
 * the same entry if its frames go on there as well, and then there is room for another; else a
 * piece.
 */
void fs_ring_join(struct fs_ring *ring);

/* Show the kernel what was put since the last time; a kick must follow.  How many entries. */
uint32_t fs_ring_show(struct fs_ring *ring);

/* Take all completions that are there, giving each request its status.  How many entries. */
uint32_t fs_ring_take(struct fs_ring *ring);

/*
 * A kick failed: take back what the kernel has not taken, giving those requests this status.
 * `error` is negative.
 */
void fs_ring_take_back(struct fs_ring *ring, int error);

/* The ring is gone: give all requests in flight this status.  The pages are not touched. */
void fs_ring_abandon(struct fs_ring *ring, int error);

#endif
