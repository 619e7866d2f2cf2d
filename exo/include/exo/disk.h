/* SPDX-License-Identifier: MIT */
/*
 * disk.h - disk rings: a pair of single-producer single-consumer rings in the application's frames.
 *
 * A RING object is three frames: the kernel's part, the request page and the completion page; the
 * last two are mapped by their owner with the RING claim.  The owner writes requests and sq_tail,
 * then kicks; the kernel writes completions and cq_tail and posts the event.  Indices run freely;
 * entry n stands at n % 64.  The kernel takes no new entries while 64 are neither completed nor
 * taken off the completion ring.  What lies in the pages is hostile input to the kernel.
 *
 * A request is one entry or several, all but the last with EXO_DISK_MORE: the pieces of one buffer,
 * for blocks that follow each other.  Each entry gets a completion; all of a request get the same
 * status, and come together.  The entries of a request are kicked together and have room together,
 * else it is refused (ARG): what is pinned must not wait for an end that may never come.
 *
 * A ring bound with event entry 0 posts no events; others post none while `quiet` is set.  Who
 * clears it looks at cq_tail again before waiting.  A kick with nothing new completes what the
 * device has done.  Of one ring, at most one flush or discard is in the device at a time.
 */
#ifndef EXO_DISK_H
#define EXO_DISK_H

#include <exo/types.h>

#define EXO_DISK_RING 64u
#define EXO_DISK_MAX_BYTES (256u * 1024u)   /* of one request, all its pieces */
#define EXO_DISK_PIECES 32u     /* of one request, at most; a disk may take fewer: exo_disk_info */

enum exo_disk_op {
	EXO_DISK_READ = 1, EXO_DISK_WRITE = 2,
	EXO_DISK_FLUSH = 3,     /* all completed writes are on the medium; uses only tag */
	EXO_DISK_DISCARD = 4,   /* the blocks hold anything from now on; needs what a write does. */
	                        /* ABSENT: the disk has no such thing, its info.discard is 0 */
};

#define EXO_DISK_MORE 0x0001    /* the next entry belongs to the same request */
#define EXO_DISK_FUA  0x0002    /* WRITE: complete when it is on the medium; in the first entry */

struct exo_disk_req {
	exo_slot slot;          /* FRAME claim (or share) of the buffer; to read: EXO_R_WRITE */
	uint64_t pfn;           /* first frame of the buffer, which is physically contiguous */
	uint64_t block;         /* first block, in the disk's block size, as the disk counts; of a
	                           further piece: the block behind the piece before */
	uint64_t tag;           /* returned in the completion */
	uint32_t count;         /* blocks, of this piece */
	uint32_t offset;        /* of the buffer within its first frame, bytes; a multiple of 512 */
	uint16_t op;            /* enum exo_disk_op; the same in all pieces */
	uint16_t flags;         /* EXO_DISK_MORE, EXO_DISK_FUA */
	uint16_t spare[2];
	uint64_t spare2[2];
};
_Static_assert(sizeof(struct exo_disk_req) == 64, "ABI: exo_disk_req");

struct exo_disk_done {
	uint64_t tag;
	int32_t  status;        /* 0 or -EXO_E_* */
	uint32_t spare;
};
_Static_assert(sizeof(struct exo_disk_done) == 16, "ABI: exo_disk_done");

struct exo_disk_sq_page {
	struct exo_disk_req req[EXO_DISK_RING];         /* [u] */
};
_Static_assert(sizeof(struct exo_disk_sq_page) == EXO_PAGE_SIZE, "ABI: exo_disk_sq_page");

struct exo_disk_cq_page {
	struct exo_disk_done done[EXO_DISK_RING];       /* [k] */
	uint32_t sq_tail;       /* [u] requests ever written */
	uint32_t cq_head;       /* [u] completions ever taken */
	uint32_t sq_head;       /* [k] requests ever taken by the kernel */
	uint32_t cq_tail;       /* [k] completions ever written */
	uint64_t kicks;         /* [k] times the device was told of this ring's requests */
	uint32_t quiet;         /* [u] not 0: post no event for completions (polling) */
	uint8_t  spare[EXO_PAGE_SIZE - EXO_DISK_RING * 16 - 28];
};
_Static_assert(sizeof(struct exo_disk_cq_page) == EXO_PAGE_SIZE, "ABI: exo_disk_cq_page");

#endif
