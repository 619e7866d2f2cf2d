/* SPDX-License-Identifier: MIT */
/*
 * disk.h - disks that several environments use at a time, each through rings on a block range.
 *
 * Invariant: each request that the kernel took stands in exactly one place (waiting in its ring, or
 * in the device), holds one pin on each of its frames, and is completed exactly once.  A ring is
 * on a disk's turn list exactly while it has waiting requests, but for one whose first is a flush
 * or a discard: that may wait for another of its own, on no list, or rest, on the list of those.
 *
 * Locks: tree_lock, then the disk's lock.  [t] fields are written with tree_lock, [d] with the
 * disk's lock, [td] with both (so either is enough to read).
 */
#ifndef EXO_DEV_DISK_H
#define EXO_DEV_DISK_H

#include <exo/cap.h>
#include <exo/disk.h>
#include <exo/machine.h>
#include <stdbool.h>
#include <stdint.h>

#include "env.h"
#include "lock.h"
#include "x86/direct.h"

struct disk;

/* A request as a driver sees it. */
struct disk_piece {
	uint64_t pa;            /* physically contiguous, a multiple of 512 */
	uint32_t bytes;         /* a multiple of the block size */
};
struct disk_io {
	const struct disk_piece *piece;
	uint32_t pieces;        /* at most info.pieces; 0: a flush or a discard */
	uint32_t bytes;         /* of all pieces, at most EXO_DISK_MAX_BYTES */
	uint64_t block;         /* first block, in the disk's block size */
	uint32_t count;         /* blocks, at most info.discard of a discard */
	uint16_t op;            /* enum exo_disk_op */
	bool     fua;           /* only where the device said DISK_CAN_FUA */
	uint64_t cookie;        /* returned by reap */
};
struct disk_result {
	uint64_t cookie;
	int32_t  status;        /* 0 or -EXO_E_* */
};

/* A driver.  All run with the disk's lock held. */
struct disk_ops {
	/*
	 * Put one request into the device's queue.  0; EXO_MORE: no room until something was reaped
	 * (at least one is in flight then); -EXO_E_DEVICE: the device does not work any more.
	 */
	int (*submit)(struct disk *d, const struct disk_io *io);
	/* Tell the device of what was submitted since the last kick. */
	void (*kick)(struct disk *d);
	/* Take one completed request; false: no more now. Never returns what was not submitted. */
	bool (*reap)(struct disk *d, struct disk_result *result);
	/* Stop the device and start anew; what was in flight is then reaped with -EXO_E_DEVICE. */
	void (*reset)(struct disk *d);
};

struct disk {
	struct lock lock;
	const struct disk_ops *ops;     /* [I] */
	void *driver;                   /* [I] the driver's own */
	struct exo_disk_info info;      /* [I] but root */
	unsigned can;                   /* [I] DISK_CAN_* */
	struct disk_piece piece[EXO_DISK_PIECES];       /* [d] of the request that is submitted */
	uint64_t turn;                  /* [d] pfn of the ring whose turn it is, 0: none waits */
	struct timer timer;             /* due when one may end its rest */
	uint64_t last;                  /* [d] pfn of the ring that submitted last */
	uint64_t shared_tsc;            /* [d] when that was another than before */
	uint64_t rest;                  /* [d] pfn of the first that rests, 0: none does */
	uint32_t turn_left;             /* [d] bytes it may still submit in this turn */
	uint64_t rounds;                /* [d] times the device was told of requests */
	uint64_t life_tsc;              /* [d] when it last completed one, or got one while idle */
	uint32_t flight;                /* [d] requests that it has */
};

#define DISK_CAN_FLUSH 1u       /* it has a cache to flush */
#define DISK_CAN_FUA   2u       /* it writes through that cache where asked to */

#define DISK_TURN_BYTES (256u * 1024u)  /* a ring's share of one turn; one flush or discard */
#define DISK_TAKE_WORK 128u             /* frames pinned at a time, an entry counted as 8 */
#define DISK_SUBMIT_BATCH 32u           /* requests given to the device at a time */
#define DISK_REAP_WORK 192u             /* frames unpinned at a time, an entry counted as 16 */
#define DISK_KICK_ROUNDS 16u            /* batches that one kick gives the device */
#define DISK_RESET_SECONDS 10u  /* of no progress, before somebody who waits resets the device */

/* The disks, and their exported list (roots are filled in by who makes the root claims). */
struct disk_list {
	struct disk *disk;              /* [count] */
	struct exo_disk_info *info;     /* [count] */
	uint32_t count;
};
extern struct disk_list disks;

/* Find and start all disks.  Boot only; after pci_start. */
void disks_start(void);

/* Drivers call this for each disk that works, in disks_start. */
struct disk *disk_add(const struct disk_ops *ops, void *driver, const struct exo_disk_info *info,
                      unsigned can);
/* Drivers call this from their interrupt handler: reap, complete, submit what waits. */
void disk_interrupt(struct disk *d);

/* The timer of a disk is due (timer.c). */
void disk_timer(struct timer *t);

/* virtio_blk.c: is this function one of its kind?  Start it: false and a notice if it is no use. */
bool virtio_blk_is(const struct exo_pci_info *info);
bool virtio_blk_start(const struct exo_pci_info *info);
/* nvme_disk.c: likewise. */
bool nvme_disk_is(const struct exo_pci_info *info);
bool nvme_disk_start(const struct exo_pci_info *info);

/* One entry that was taken off a ring: a request, or a piece of one, whose first stands for it. */
struct ring_request {
	uint64_t pfn;           /* first frame */
	uint64_t block;
	uint64_t tag;
	exo_sid  claim;         /* that authorised the pins; 0: none are needed */
	uint32_t count;         /* blocks of this piece */
	uint32_t bytes;         /* of the whole request; 0: flush or discard */
	uint16_t offset;        /* in the first frame, below 4096 */
	uint8_t  op;            /* enum exo_disk_op; FLUSH when a write with fua is at that */
	uint8_t  frames;        /* pinned: at most 65 */
	uint8_t  next;          /* the next piece; RING_NONE: none */
	bool     fua;           /* not complete before it is on the medium */
};
#define RING_NONE 0xffu

/* The kernel's part of a RING object: its first frame. */
struct ring {
	uint32_t disk;          /* [td] index + 1 of its disk; 0: not bound */
	uint32_t entry;         /* [td] event entry */
	uint64_t env;           /* [td] pfn of the environment whose event it is, 0: it is gone */
	exo_sid  block;         /* [t] the claim it is bound by */
	uint32_t block_gen;     /* [t] */
	uint64_t lo, hi;        /* [t] copy of the claim's */
	uint32_t rights;        /* [t] */
	bool     ending;        /* [td] takes nothing new */
	bool     in_turn;       /* [d] on the disk's turn list */
	int32_t  refused;       /* [d] why the request was that the next entry belongs to, or 0 */
	bool     heavy;         /* [d] a flush or discard of it is in the device */
	bool     resting;       /* [d] on the disk's list of those that rest */
	uint64_t heavy_tsc;     /* [d] when it was given to the device */
	uint64_t rest_tsc;      /* [d] no flush or discard before that, if others used the disk */
	uint64_t bind_next, bind_prev;  /* [t] other rings of the claim, pfn, 0: none */
	uint64_t turn_next, turn_prev;  /* [d] circle of rings with waiting requests */
	uint32_t sq_head;       /* [d] entries ever taken; the page's copy is never read back */
	uint32_t cq_tail;       /* [d] completions ever written */
	uint64_t kicks;         /* [d] rounds of the device in which it submitted */
	uint64_t round;         /* [d] the last of them */
	uint64_t used;          /* [d] bit n: request[n] is in use */
	uint32_t wait_head, wait_tail;  /* [d] order[n % 64] waits, for n in [head, tail) */
	uint32_t flight;        /* [d] in the device */
	uint8_t  order[EXO_DISK_RING];
	struct ring_request request[EXO_DISK_RING];
};
_Static_assert(sizeof(struct ring) <= EXO_PAGE_SIZE, "ring: one frame");
_Static_assert(EXO_DISK_RING == 64, "ring.used has a bit for each");

static inline struct ring *ring_at(uint64_t pfn) { return pfn_to_virt(pfn); }
static inline uint64_t ring_pfn(const struct ring *r)
{
	return virt_to_phys(r) >> EXO_PAGE_SHIFT;
}
/* Who is told of its completions, NULL: nobody.  tree_lock or the disk's lock held. */
static inline struct env *ring_env(const struct ring *r)
{
	return r->env ? env_at(r->env) : NULL;
}
static inline struct exo_disk_sq_page *ring_sq(const struct ring *r)
{
	return pfn_to_virt(ring_pfn(r) + 1);
}
static inline struct exo_disk_cq_page *ring_cq(const struct ring *r)
{
	return pfn_to_virt(ring_pfn(r) + 2);
}

/*
 * exo_disk_bind: let `ring` submit on the range of `block`, told of completions by event `entry` of
 * `e`; 0: by none.  Takes tree_lock.  Errors: claim_find's (ring needs CONTROL), FROZEN, SPLIT (the
 * range has been given away in part), BUSY (bound already), ABSENT (no such disk), RANGE, ROOM.
 */
int64_t sys_disk_bind(struct env *e, uint64_t ring, uint64_t block, uint64_t entry);

/*
 * exo_disk_kick: take new entries off the ring; how many were taken, refused ones included (their
 * completion carries the error).  Takes tree_lock and the disk's.  Errors: claim_find's, ARG (not
 * bound), STALE or FROZEN (its block claim is gone or going), RANGE (sq_tail more than 64 ahead).
 */
int64_t sys_disk_kick(struct env *e, uint64_t ring);

/*
 * A piece of detaching a ring from its disk; tree_lock held.  EXO_MORE while the device still has
 * requests of it; 0: nothing of it is left in the device, its event entry is free, its frames may
 * be used again.
 */
int ring_end(uint64_t pfn);

/* The environment that a ring tells of completions ends; the ring stays bound.  tree_lock held. */
void ring_forget(uint64_t pfn);

/*
 * Somebody waits for pins to go: reset devices that do not answer any more.  tree_lock held; cheap.
 */
void disks_expire(void);

/* The same for all rings bound by a BLOCK claim that ends: they stay objects, not bound. */
int block_unbind(struct exo_cap *block);

/* Between the files of disk*.c; the disk's lock held. */

/*
 * Give the device what waits, in turns, at most DISK_SUBMIT_BATCH requests, and tell it once: true
 * if it should be given more.  Its next interrupt, or the timer if none is to come, sees to that,
 * if nobody does before.  work: done just before by disk_reap, and so much less is done here.
 */
bool disk_submit(struct disk *d, unsigned work);
/*
 * Complete what the device has done, DISK_REAP_WORK of it: how much that was.  If it is all, there
 * may be more, for which an interrupt is on its way or its handler will come back.
 */
unsigned disk_reap(struct disk *d);
/* Put request n of a ring at the end of what waits. */
void ring_queue(struct disk *d, struct ring *r, unsigned n);
/* Request n of a ring is no longer in the device. */
void ring_returned(struct disk *d, struct ring *r, unsigned n);
/*
 * Complete with -EXO_E_STALE what waits of a ring that ends, DISK_REAP_WORK of it: true if there is
 * more.  It has no turn any more.
 */
bool ring_cancel(struct disk *d, struct ring *r);
/*
 * Have the timer go on with what is left, after as long as the work since `began`, a time stamp,
 * took: programs get their time in between.
 */
void disk_later(struct disk *d, uint64_t began);
/* Write a completion. */
void ring_complete(struct ring *r, uint64_t tag, int32_t status);
/* Reset a device that has done nothing for DISK_RESET_SECONDS; the requests it had end. */
void disk_expire(struct disk *d);
/* Unpin and complete request n with all its pieces; how much work that was. */
unsigned ring_finish(struct ring *r, unsigned n, int32_t status);
/* Tell the ring's environment, unless it polls. */
void ring_tell(const struct ring *r);

#endif
