/* SPDX-License-Identifier: MIT */
/*
 * frame.c - the owner map: who holds each physical frame, what it is used for.
 *
 * Invariant: a chunk that is not mixed has one holder and one use for all its 512 frames; a mixed
 * one keeps both in its frames' entries.  Nothing is allocated or mapped here.
 */
#include <base/util.h>

#include "claim.h"
#include "frame.h"

#define FRAMES_FEW  64
#define FRAMES_CHUNK 4          /* frames that are looked at as soon as a chunk */
#define FRAMES_FREE 32          /* frames of an object between two windows for interrupts */
#define FRAME_STEPS 256         /* frames looked at between two windows for interrupts, and those
				 * of the last chunk */

struct frame_map frames;

static struct exo_chunk *chunk_of(uint64_t pfn)
{
	return &frames.chunks[pfn / EXO_CHUNK_FRAMES];
}

enum exo_use frame_use(uint64_t pfn)
{
	const struct exo_frame *f = frame_entry(pfn);

	return f ? frame_entry_use(f, pfn) : EXO_USE_NONE;
}

exo_sid frame_holder(uint64_t pfn)
{
	const struct exo_frame *f = frame_entry(pfn);

	if (!f)
		return 0;
	return chunk_of(pfn)->mixed ? f->holder : chunk_of(pfn)->holder;
}

/* End of the part of [pfn, hi) that lies in pfn's chunk. */
static uint64_t chunk_end(uint64_t pfn, uint64_t hi)
{
	uint64_t end = (pfn / EXO_CHUNK_FRAMES + 1) * EXO_CHUNK_FRAMES;

	return end < hi ? end : hi;
}

static bool fine_range_held(uint64_t lo, uint64_t hi, exo_sid sid)
{
	const struct exo_frame *f = frame_entry(lo);

	for (; hi - lo >= 4; lo += 4, f += 4)
		if (f[0].holder != sid || f[1].holder != sid || f[2].holder != sid ||
		    f[3].holder != sid)
			return false;
	for (; lo < hi; lo++, f++)
		if (f->holder != sid)
			return false;
	return true;
}

bool frame_range_held(uint64_t lo, uint64_t hi, exo_sid sid)
{
	unsigned steps = 0;

	while (lo < hi) {
		uint64_t end = chunk_end(lo, hi);

		if (!frame_entry(lo))
			return false;
		if (chunk_of(lo)->mixed ? !fine_range_held(lo, end, sid)
					: chunk_of(lo)->holder != sid)
			return false;
		steps += chunk_of(lo)->mixed ? end - lo : 0;
		window_every(&steps, FRAMES_CHUNK, FRAME_STEPS);
		lo = end;
	}
	return true;
}

bool frame_range_busy(uint64_t lo, uint64_t hi)
{
	unsigned steps = 0;

	while (lo < hi) {
		uint64_t end = chunk_end(lo, hi), first = lo;
		const struct exo_chunk *c = chunk_of(lo);

		if (c->large || (c->busy && end - lo == EXO_CHUNK_FRAMES))
			return true;
		for (const struct exo_frame *f = frame_entry(lo); c->busy && lo < end; lo++, f++)
			if (f->object)
				return true;
		window_every(&steps, FRAMES_CHUNK + (unsigned)(lo - first), FRAME_STEPS);
		lo = end;
	}
	return false;
}

/* Give each frame of a chunk its own holder and use. */
static void chunk_mix(uint64_t pfn)
{
	struct exo_chunk *c = chunk_of(pfn);
	struct exo_frame *f = &frames.fine[(uint64_t)c->fine * EXO_CHUNK_FRAMES];

	if (c->mixed)
		return;
	for (unsigned i = 0; i < EXO_CHUNK_FRAMES; i++) {
		f[i].holder = c->holder;
		f[i].use = c->use;
	}
	c->mixed = 1;
	c->odd = 0;
}

/*
 * Go back to one entry for the chunk, if all its frames are alike.  The search begins where it
 * ended the last time: frames that become alike one by one are looked at once or twice each, in
 * whatever order they come.
 */
static void chunk_unmix(uint64_t pfn)
{
	struct exo_chunk *c = chunk_of(pfn);
	const struct exo_frame *f = &frames.fine[(uint64_t)c->fine * EXO_CHUNK_FRAMES];

	for (unsigned i = 0; i < EXO_CHUNK_FRAMES; i++) {
		unsigned at = (c->odd + i) % EXO_CHUNK_FRAMES;

		if (f[at].holder != f[0].holder || f[at].use != f[0].use) {
			c->odd = at;
			return;
		}
	}
	c->holder = f[0].holder;
	c->use = f[0].use;
	c->mixed = 0;
}

/* Claims hold so many frames more or less. */
static void held_change(exo_sid sid, int64_t by)
{
	if (sid)
		slot_at(sid)->unit += (uint32_t)by;
}

static void held_move(exo_sid from, exo_sid to, int64_t count)
{
	held_change(from, -count);
	held_change(to, count);
}

/* The part [lo, hi) of one mixed chunk, whose frames are all alike in this: who holds them. */
static void fine_range_give(uint64_t lo, uint64_t hi, exo_sid to)
{
	struct exo_frame *f = frame_entry(lo);

	for (; hi - lo >= 4; lo += 4, f += 4)
		f[0].holder = f[1].holder = f[2].holder = f[3].holder = to;
	for (; lo < hi; lo++, f++)
		f->holder = to;
}

/* The part [lo, hi) of one mixed chunk; how many frames were moved. */
static uint64_t fine_range_move(uint64_t lo, uint64_t hi, exo_sid from, exo_sid to)
{
	uint64_t moved = 0;

	for (struct exo_frame *f = frame_entry(lo); lo < hi; lo++, f++)
		if (f->holder == from) {
			f->holder = to;
			moved++;
		}
	return moved;
}

static void part_move(uint64_t lo, uint64_t hi, exo_sid from, exo_sid to, bool all)
{
	struct exo_chunk *c = chunk_of(lo);
	uint64_t moved = hi - lo;

	if (!c->fine || (!c->mixed && c->holder != from))
		return;
	if (!c->mixed && hi - lo == EXO_CHUNK_FRAMES) {
		c->holder = to;
		held_move(from, to, EXO_CHUNK_FRAMES);
		return;
	}
	chunk_mix(lo);
	if (all)
		fine_range_give(lo, hi, to);
	else
		moved = fine_range_move(lo, hi, from, to);
	held_move(from, to, (int64_t)moved);
	chunk_unmix(lo);
}

/* What a step costs: see frame_range_move. */
static int part_work(uint64_t lo, uint64_t hi)
{
	return 1 + (chunk_of(lo)->mixed ? (int)((hi - lo) / 8) : 0);
}

/*
 * What half of a step counts towards the next window: one that mixes a chunk, or goes through much
 * of a mixed one, has a window on each side; one of a few frames has none.
 */
static unsigned part_steps(uint64_t lo, uint64_t hi)
{
	if (chunk_of(lo)->mixed && hi - lo < FRAMES_FEW)
		return FRAME_STEPS / 4;
	return chunk_of(lo)->mixed || hi - lo < EXO_CHUNK_FRAMES ? FRAME_STEPS : FRAMES_CHUNK;
}

uint64_t frame_range_move(uint64_t lo, uint64_t hi, exo_sid from, exo_sid to, bool all, int *work)
{
	unsigned steps = 0;

	while (lo < hi && *work > 0 && (!from || slot_at(from)->unit)) {
		uint64_t end = chunk_end(lo, hi);
		unsigned step = part_steps(lo, end);

		*work -= part_work(lo, end);
		window_every(&steps, step, FRAME_STEPS);
		part_move(lo, end, from, to, all);
		window_every(&steps, step, FRAME_STEPS);
		lo = end;
	}
	return lo;
}

/* Does a claim, not an object, hold frames of this use? */
static bool use_is_plain(enum exo_use use)
{
	return use == EXO_USE_MEMORY || use == EXO_USE_DEVICE;
}

static void part_take(uint64_t lo, uint64_t hi, exo_sid to)
{
	struct exo_chunk *c = chunk_of(lo);
	uint64_t first = lo;
	int64_t moved = 0;
	exo_sid from = 0;

	if (!c->fine)
		return;
	if (!c->mixed) {
		if (use_is_plain(c->use) && c->holder != to)
			part_move(lo, hi, c->holder, to, true);
		return;
	}
	for (struct exo_frame *f = frame_entry(lo); lo < hi; lo++, f++) {
		exo_sid holder = f->holder;

		if (holder == to || !use_is_plain(f->use))
			continue;
		if (holder != from) {
			held_move(from, to, moved);
			from = holder;
			moved = 0;
		}
		f->holder = to;
		moved++;
	}
	held_move(from, to, moved);
	if (hi - first >= FRAMES_FEW)
		interrupts_window();    /* frames of many holders in turn take long enough */
	chunk_unmix(first);
}

uint64_t frame_range_take(uint64_t lo, uint64_t hi, exo_sid to, int *work)
{
	unsigned steps = 0;

	while (lo < hi && *work > 0) {
		uint64_t end = chunk_end(lo, hi);
		unsigned step = part_steps(lo, end);

		*work -= part_work(lo, end);
		window_every(&steps, step, FRAME_STEPS);
		part_take(lo, end, to);
		window_every(&steps, step, FRAME_STEPS);
		lo = end;
	}
	return lo;
}

void frame_set(uint64_t pfn, exo_sid holder, enum exo_use use)
{
	struct exo_frame *f = frame_entry(pfn);

	chunk_mix(pfn);
	if (use_is_plain(f->use))
		held_change(f->holder, -1);
	if (use_is_plain(use))
		held_change(holder, 1);
	f->holder = holder;
	f->use = use;
	f->flags = 0;
	if (use == EXO_USE_MEMORY)
		chunk_unmix(pfn);
}

/* The part [lo, hi) of one chunk: its first frame is frame n of the object. */
static void part_use(uint64_t lo, uint64_t hi, exo_sid sid, const enum exo_use *use, uint64_t n)
{
	struct exo_frame *f = frame_entry(lo);
	uint8_t known;

	chunk_mix(lo);
	known = chunk_of(lo)->zeros ? EXO_FRAME_ZERO : 0;
	for (; lo < hi; lo++, f++, n++) {
		if (use_is_plain(f->use))
			held_change(f->holder, -1);
		f->holder = sid;
		f->use = use[min_u64(n, OBJECT_USES - 1)];
		f->flags &= known;
	}
}

void frames_use(uint64_t lo, uint64_t hi, exo_sid sid, const enum exo_use *use)
{
	uint64_t first = lo;

	while (lo < hi) {
		uint64_t end = min_u64(chunk_end(lo, hi), lo + FRAMES_FREE);

		part_use(lo, end, sid, use, lo - first);
		lo = end;
		if (lo < hi)
			interrupts_window();
	}
}

/* From now on flags tell which frames of the chunk are zero: of none it is known yet. */
static void chunk_zeros(struct exo_chunk *c)
{
	struct exo_frame *f = &frames.fine[(uint64_t)c->fine * EXO_CHUNK_FRAMES];

	if (c->zeros)
		return;
	for (unsigned i = 0; i < EXO_CHUNK_FRAMES; i++)
		f[i].flags = 0;
	c->zeros = 1;
}

void frames_free(uint64_t lo, uint64_t hi, uint64_t zeros, exo_sid holder)
{
	uint64_t zero = lo + zeros;

	while (lo < hi) {
		uint64_t end = chunk_end(lo, hi), first = lo;
		struct exo_frame *f = frame_entry(lo);

		end = min_u64(end, lo + FRAMES_FREE);
		chunk_mix(lo);
		chunk_zeros(chunk_of(lo));
		held_change(holder, (int64_t)(end - lo));
		for (; lo < end; lo++, f++) {
			if (use_is_plain(f->use))
				held_change(f->holder, -1);
			f->object = 0;
			f->holder = holder;
			f->use = EXO_USE_MEMORY;
			f->flags = lo < zero ? EXO_FRAME_ZERO : 0;
		}
		chunk_unmix(first);
		if (lo < hi)
			interrupts_window();
	}
}

void frame_pin(struct exo_cap *claim, uint64_t lo, uint64_t count)
{
	__atomic_add_fetch(&claim->held, 1, __ATOMIC_ACQ_REL);
	for (uint64_t pfn = lo; pfn < lo + count; pfn++) {
		frame_entry(pfn)->flags = 0;
		__atomic_add_fetch(&frame_entry(pfn)->pins, 1, __ATOMIC_ACQ_REL);
		__atomic_add_fetch(&chunk_of(pfn)->busy, 1, __ATOMIC_ACQ_REL);
	}
}

void frame_unpin(exo_sid claim, uint64_t lo, uint64_t count)
{
	for (uint64_t pfn = lo; pfn < lo + count; pfn++) {
		__atomic_sub_fetch(&frame_entry(pfn)->pins, 1, __ATOMIC_ACQ_REL);
		__atomic_sub_fetch(&chunk_of(pfn)->busy, 1, __ATOMIC_ACQ_REL);
	}
	__atomic_sub_fetch(&slot_at(claim)->held, 1, __ATOMIC_ACQ_REL);
}
