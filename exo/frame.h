/* SPDX-License-Identifier: MIT */
/*
 * frame.h - the owner map: who holds each physical frame, what it is used for.
 *
 * Invariant: every frame of RAM and every exported device frame has exactly one holder and one
 * use.  Changed only with tree_lock held; pins also by disks, atomically.
 */
#ifndef EXO_FRAME_H
#define EXO_FRAME_H

#include <exo/cap.h>
#include <stdbool.h>

struct frame_map {
	struct exo_chunk *chunks;       /* [(top_pfn + 511) / 512] */
	struct exo_frame *fine;
	uint64_t top_pfn;
};
extern struct frame_map frames;

/* The map entry of a frame, or NULL if there is no such frame. */
static inline struct exo_frame *frame_entry(uint64_t pfn)
{
	uint64_t c = pfn / EXO_CHUNK_FRAMES;

	if (pfn >= frames.top_pfn || !frames.chunks[c].fine)
		return NULL;
	return &frames.fine[(uint64_t)frames.chunks[c].fine * EXO_CHUNK_FRAMES +
			    pfn % EXO_CHUNK_FRAMES];
}

/* What a frame, whose entry is f, is used for. */
static inline enum exo_use frame_entry_use(const struct exo_frame *f, uint64_t pfn)
{
	const struct exo_chunk *c = &frames.chunks[pfn / EXO_CHUNK_FRAMES];

	return c->mixed ? f->use : c->use;
}

/* Use and holder of a frame that exists. */
enum exo_use frame_use(uint64_t pfn);
exo_sid frame_holder(uint64_t pfn);

/*
 * The range functions let interrupts in every 256 frames or so: with a lock but tree_lock held,
 * only for 128 at most, which lie in two chunks.
 */

/* Are all frames of [lo, hi) held by `sid`?  Bounded by chunks plus frames of mixed chunks. */
bool frame_range_held(uint64_t lo, uint64_t hi, exo_sid sid);

/*
 * Is any frame of [lo, hi), plain memory or device frames, mapped or pinned?  Looks at chunks, and
 * at frames of at most two of them.
 */
bool frame_range_busy(uint64_t lo, uint64_t hi);

/*
 * Frames of [lo, hi) held by `from` are held by `to` from now on; 0 is nobody.  Returns where it
 * stopped: hi, or less when *work, which counts chunks and each 8 frames of mixed ones, is used up
 * or `from` holds nothing more.  Claims know how many frames they hold (cap->unit).  all: `from` is
 * known to hold every one of them, so that none needs to be looked at.
 */
uint64_t frame_range_move(uint64_t lo, uint64_t hi, exo_sid from, exo_sid to, bool all, int *work);

/* The same for plain frames held by any claim at all, which all are `to`'s descendants. */
uint64_t frame_range_take(uint64_t lo, uint64_t hi, exo_sid to, int *work);

/* More work than any range is. */
#define FRAME_WORK_ALL 0x7fffffff

/* Set holder and use of one frame. */
void frame_set(uint64_t pfn, exo_sid holder, enum exo_use use);

/*
 * Frames [lo, hi) are an object's from now on, whose node is `sid`; use: of the first OBJECT_USES
 * frames, the others are used as the last of these.  Their EXO_FRAME_ZERO tells which were zero.
 * Lets interrupts in.
 */
#define OBJECT_USES 4u
void frames_use(uint64_t lo, uint64_t hi, exo_sid sid, const enum exo_use *use);

/* Was a frame of an object known to be zero when the object was made? */
static inline bool frame_was_zero(uint64_t pfn)
{
	return frame_entry(pfn)->flags & EXO_FRAME_ZERO;
}

/*
 * Frames [lo, hi) of an object that ended are plain memory of `holder`, and name nothing; the first
 * `zeros` of them were zeroed.  Lets interrupts in.
 */
void frames_free(uint64_t lo, uint64_t hi, uint64_t zeros, exo_sid holder);

/*
 * Pin frames [lo, lo + count) for a device by `claim`, and unpin them; atomic.  The claim itself is
 * counted too (cap->held), so it cannot end while a request is in flight; pass its sid to unpin.
 */
void frame_pin(struct exo_cap *claim, uint64_t lo, uint64_t count);
void frame_unpin(exo_sid claim, uint64_t lo, uint64_t count);

#endif
