/* SPDX-License-Identifier: MIT */
/*
 * fuzz_check.c - checkpoints: the exported tables, as they are now, into a group's log.
 *
 * Tables of claims and page tables of the arena are read through TRACE, the actors' own through the
 * test's windows, the owner map and slice vectors out of the export area.
 */
#include <base/util.h>
#include <exos/cap.h>
#include <exos/space.h>
#include <exos/start.h>
#include "fuzz.h"

#define PT_SEEN 0x60ul          /* accessed, dirty: when a processor looked */

/* A page as 64 records, without some bits of each word. */
static void page(struct group *g, enum fuzz_what what, uint64_t pfn, const void *bytes,
		 uint64_t without)
{
	const uint64_t *word = bytes;
	uint64_t some[8];

	fuzz_note(g, what, 0, &pfn, 1);
	for (unsigned i = 0; i < EXO_PAGE_SIZE / 8; i++) {
		some[i % 8] = word[i] & ~without;
		if (i % 8 == 7)
			fuzz_raw(g, some);
	}
}

/* The first frames of the arena's tables: a PT object's other three are shadows. */
static void arena_pages(struct group *g)
{
	exo_slot trace = guest_claim("trace");

	for (uint64_t pfn = g->arena.lo; pfn < g->arena.hi; pfn++) {
		enum exo_use use = guest_use(pfn);
		const void *window;
		int err;

		if (use != EXO_USE_TABLE && use != EXO_USE_PT)
			continue;
		window = exos_space_window(trace, pfn, 1, EXO_R_READ, &err);
		if (!window)            /* an actor reads it already: it will be there next time */
			continue;
		page(g, use == EXO_USE_TABLE ? FUZZ_TABLE : FUZZ_PT, pfn, window,
		     use == EXO_USE_PT ? PT_SEEN : 0);
		exos_space_window_end((void *)window, 1);
	}
}

/* Entries as if every chunk were mixed. */
static void owner_map(struct group *g)
{
	const uint64_t arg[2] = { g->arena.lo, g->arena.hi - g->arena.lo };
	struct exo_frame four[4];

	fuzz_note(g, FUZZ_MAP, 0, arg, 2);
	for (uint64_t pfn = g->arena.lo; pfn < g->arena.hi; pfn++) {
		struct exo_frame *f = &four[(pfn - g->arena.lo) % 4];

		*f = *guest_frame(pfn);
		f->holder = guest_holder(pfn);
		f->use = (uint8_t)guest_use(pfn);
		if ((pfn - g->arena.lo) % 4 == 3)
			fuzz_raw(g, four);
	}
}

/* Of the group's CPU, the slots it was given. */
static void vector(struct group *g)
{
	const struct exo_vector *v = exos_machine_at(exos_machine()->vectors_off +
						     g->cpu * (uint64_t)EXO_PAGE_SIZE);
	const struct exo_cap *c = exos_cap_look(g->given[HAS_SLOT]);
	uint64_t env[EXO_VECTOR_SLOTS], cpu = g->cpu;

	for (unsigned i = 0; i < EXO_VECTOR_SLOTS; i++)
		env[i] = i >= c->lo && i < c->hi ? v->slot[i].env : 0;
	fuzz_note(g, FUZZ_VECTOR, 0, &cpu, 1);
	for (unsigned i = 0; i < EXO_VECTOR_SLOTS; i += 8)
		fuzz_raw(g, &env[i]);
}

void fuzz_checkpoint(struct group *g)
{
	const uint64_t arg[2] = { g->calls, g->succeeded };

	fuzz_note(g, FUZZ_CHECK, 0, arg, 2);
	for (unsigned i = 0; i < g->actors; i++)
		page(g, FUZZ_TABLE, g->actor[i].peer.sid / EXO_SLOTS_PER_FRAME,
		     g->actor[i].peer.slots, 0);
	arena_pages(g);
	owner_map(g);
	vector(g);
	fuzz_note(g, FUZZ_DONE, 0, NULL, 0);
}
