/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c - the owner map, the suite's own table and event ring, slice vectors and interrupts,
 * to compare.
 *
 * A frame counts with its holder, its use, and for what is no object its mappings (large ones of
 * its chunk included) and pins.  A claim counts with the rings, interrupts and packets bound by it
 * and its requests in flight; an entry of the own event ring counts if anything posts to it.
 * Invariant: taking a snapshot allocates nothing, so that it does not change what it looks at.
 */
#include <base/string.h>
#include <base/util.h>
#include <exo/cap.h>
#include <exo/machine.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/frame.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include "guest.h"
#include "suite.h"

#define SHOWN     6u            /* differences printed */
#define SLOTS_MAX 8192u         /* of the own table */
#define CPUS_MAX  16u

struct snapshot {
	uint64_t frames;        /* in frame[] */
	uint64_t slots;
	uint64_t vector[CPUS_MAX * EXO_VECTOR_SLOTS];
	uint64_t irq[256];
	uint64_t event[EXO_EVENTS];
	uint64_t slot[SLOTS_MAX];
	uint64_t frame[];
};

/* Chunks of the owner map that have frames, in order; a frame's place in the snapshot follows. */
static uint64_t chunks(void)
{
	return (exos_machine()->top_pfn + EXO_CHUNK_FRAMES - 1) / EXO_CHUNK_FRAMES;
}

static const struct exo_chunk *chunk_at(uint64_t n)
{
	return (const struct exo_chunk *)exos_machine_at(exos_machine()->chunks_off) + n;
}

static uint64_t count_frames(void)
{
	uint64_t count = 0;

	for (uint64_t n = 0; n < chunks(); n++)
		count += chunk_at(n)->fine ? EXO_CHUNK_FRAMES : 0;
	return count;
}

struct snapshot *snapshot_make(void)
{
	uint64_t bytes = sizeof(struct snapshot) + count_frames() * sizeof(uint64_t);
	uint64_t pages = round_up(bytes, EXO_PAGE_SIZE) / EXO_PAGE_SIZE, pfn;
	struct snapshot *s;
	exo_slot claim;

	if (exos_frame_alloc(pages, &pfn, &claim) < 0)
		return NULL;
	s = exos_space_window(claim, pfn, pages, EXO_R_READ | EXO_R_WRITE, NULL);
	if (s)
		memset(s, 0, bytes);
	return s;
}

static bool counts_maps(uint64_t use)
{
	return use == EXO_USE_MEMORY || use == EXO_USE_DEVICE || use == EXO_USE_EXPORT;
}

/* One word for a frame: holder, use, pins, mappings. */
static uint64_t pack_frame(const struct exo_chunk *chunk, const struct exo_frame *frame)
{
	uint64_t holder = chunk->mixed ? frame->holder : chunk->holder;
	uint64_t use = chunk->mixed ? frame->use : chunk->use;
	uint64_t word = holder << 32 | use << 24;

	if (counts_maps(use))
		word |= (uint64_t)(frame->pins & 0xff) << 16 |
			((frame->maps + chunk->large) & 0xffff);
	return word;
}

static void take_frames(struct snapshot *s)
{
	const struct exo_frame *fine = exos_machine_at(exos_machine()->fine_off);

	s->frames = 0;
	for (uint64_t n = 0; n < chunks(); n++) {
		const struct exo_chunk *chunk = chunk_at(n);

		for (uint64_t i = 0; chunk->fine && i < EXO_CHUNK_FRAMES; i++)
			s->frame[s->frames++] =
				pack_frame(chunk,
					   &fine[(uint64_t)chunk->fine * EXO_CHUNK_FRAMES + i]);
	}
}

/*
 * Rings, packets or an interrupt bound by it, and requests in flight.  Mappings are counted at
 * their frames; `held` of an object is where TRACE maps it.
 */
static uint64_t pack_bound(const struct exo_cap *cap)
{
	switch (cap->kind) {
	case EXO_KIND_BLOCK: case EXO_KIND_NIC: case EXO_KIND_IRQ: case EXO_KIND_SLOT:
		return cap->bind * 0x9e3779b97f4a7c15ull ^ cap->held;
	case EXO_KIND_FRAME:
		return cap->held;
	default:
		return 0;
	}
}

/* One word for a slot of the own table; generations count on and are left out. */
static uint64_t pack_slot(const struct exo_cap *cap)
{
	if (cap->kind == EXO_KIND_NONE)
		return 0;
	return pack_bound(cap) ^ ((cap->lo ^ cap->hi << 20 ^ (uint64_t)cap->rights << 44 ^
				   (uint64_t)cap->flags << 40 ^ (uint64_t)cap->unit << 36 ^
				   (uint64_t)cap->child << 24) | (uint64_t)cap->kind << 60);
}

static uint64_t table_slots(void)
{
	const struct exos_start *start = exos_started();
	uint64_t frames = max_u64(start ? start->table_frames : 1, exos_slot_frames());

	return min_u64(frames * EXO_SLOTS_PER_FRAME, SLOTS_MAX);
}

static void take_slots(struct snapshot *s)
{
	const struct exo_cap *table = (const void *)exos_started()->table_va;

	s->slots = table_slots();
	for (uint64_t i = 0; i < s->slots; i++)
		s->slot[i] = pack_slot(&table[i]);
}

static void take_rest(struct snapshot *s)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_irq_info *irq = exos_machine_at(m->irqs_off);

	for (uint64_t c = 0; c < min_u64(m->cpus, CPUS_MAX); c++) {
		const struct exo_vector *v = exos_machine_at(m->vectors_off + c * EXO_PAGE_SIZE);

		for (uint64_t i = 0; i < EXO_VECTOR_SLOTS; i++)
			s->vector[c * EXO_VECTOR_SLOTS + i] =
				v->slot[i].env << 32 | v->slot[i].claim;
	}
	for (uint64_t i = 0; i < min_u64(m->irqs, ARRAY_LEN(s->irq)); i++)
		s->irq[i] = irq[i].bound_env;
}

/*
 * Is anything to post to this entry of the suite's own ring?  Only who asks for it can tell: a
 * doorbell is refused where another kind of source has the entry.
 */
static uint64_t event_taken(exo_slot env, exo_sid sid, unsigned entry)
{
	int64_t bell = exo_doorbell(env, sid, entry, EXO_R_NOTIFY);

	if (bell > 0)
		while (exo_cap_drop((exo_slot)bell) == EXO_MORE)
			continue;
	return bell > 0 ? 0 : (uint64_t)-bell;
}

static void take_events(struct snapshot *s)
{
	exo_slot env = exos_grant("env", 0)->slot;
	exo_sid sid = exos_slot_alloc();

	for (unsigned entry = 1; sid && entry < EXO_EVENTS; entry++)
		s->event[entry] = event_taken(env, sid, entry);
	if (sid)
		exos_slot_free(sid);
}

void snapshot_take(struct snapshot *s)
{
	take_events(s);
	take_frames(s);
	take_slots(s);
	take_rest(s);
}

/* The frame number of a place in frame[]. */
static uint64_t pfn_of(uint64_t place)
{
	for (uint64_t n = 0; n < chunks(); n++) {
		if (!chunk_at(n)->fine)
			continue;
		if (place < EXO_CHUNK_FRAMES)
			return n * EXO_CHUNK_FRAMES + place;
		place -= EXO_CHUNK_FRAMES;
	}
	return 0;
}

static unsigned compare(const char *what, const uint64_t *a, const uint64_t *b, uint64_t count,
			unsigned found, bool frames)
{
	for (uint64_t i = 0; i < count; i++) {
		if (a[i] == b[i])
			continue;
		if (found++ < SHOWN)
			printf("note: left changed: %s %#lx: %#lx before, %#lx after\n", what,
			       frames ? pfn_of(i) : i, a[i], b[i]);
	}
	return found;
}

unsigned snapshot_compare(const struct snapshot *before, const struct snapshot *after)
{
	unsigned found = 0;

	if (before->frames != after->frames || before->slots != after->slots) {
		printf("note: left changed: %lu frames and %lu slots before, %lu and %lu after\n",
		       before->frames, before->slots, after->frames, after->slots);
		return 1;
	}
	found = compare("frame", before->frame, after->frame, before->frames, found, true);
	found = compare("own slot", before->slot, after->slot, before->slots, found, false);
	found = compare("vector slot", before->vector, after->vector, ARRAY_LEN(before->vector),
			found, false);
	found = compare("event entry", before->event, after->event, EXO_EVENTS, found, false);
	return compare("interrupt", before->irq, after->irq, ARRAY_LEN(before->irq), found, false);
}
