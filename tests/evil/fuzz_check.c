/* SPDX-License-Identifier: MIT */
/*
 * fuzz_check.c - checkpoints: the exported tables, as they are now, into the log.
 *
 * Tables of claims and page tables of the arena are read through TRACE, the actors' own through the
 * test's windows, the owner map and slice vectors out of the export area.
 */
#include <base/util.h>
#include <exos/cap.h>
#include <exos/space.h>
#include <exos/start.h>
#include "fuzz.h"

static void page(enum fuzz_what what, uint64_t pfn, uint64_t level, const void *bytes)
{
	const uint64_t arg[2] = { pfn, level };

	fuzz_note(what, 0, arg, 2);
	for (unsigned i = 0; i < EXO_PAGE_SIZE; i += sizeof(struct fuzz_record))
		fuzz_raw((const char *)bytes + i);
}

/* The first frames of the arena's tables: a PT object's other three are shadows. */
static void arena_pages(void)
{
	exo_slot trace = guest_claim("trace");

	for (uint64_t pfn = fuzz.arena_lo; pfn < fuzz.arena_hi; pfn++) {
		enum exo_use use = guest_use(pfn);
		const void *window;
		int err;

		if (use != EXO_USE_TABLE && use != EXO_USE_PT)
			continue;
		window = exos_space_window(trace, pfn, 1, EXO_R_READ, &err);
		if (!window)            /* an actor reads it already: it will be there next time */
			continue;
		page(use == EXO_USE_TABLE ? FUZZ_TABLE : FUZZ_PT, pfn, 0, window);
		exos_space_window_end((void *)window, 1);
	}
}

/* Entries as if every chunk were mixed. */
static void owner_map(void)
{
	const uint64_t arg[2] = { fuzz.arena_lo, fuzz.arena_hi - fuzz.arena_lo };
	struct exo_frame four[4];

	fuzz_note(FUZZ_MAP, 0, arg, 2);
	for (uint64_t pfn = fuzz.arena_lo; pfn < fuzz.arena_hi; pfn++) {
		struct exo_frame *f = &four[(pfn - fuzz.arena_lo) % 4];

		*f = *guest_frame(pfn);
		f->holder = guest_holder(pfn);
		f->use = (uint8_t)guest_use(pfn);
		if ((pfn - fuzz.arena_lo) % 4 == 3)
			fuzz_raw(four);
	}
}

static void vectors(void)
{
	const struct exo_machine *m = exos_machine();

	for (uint64_t cpu = 0; cpu < m->cpus; cpu++) {
		const struct exo_vector *v = exos_machine_at(m->vectors_off + cpu * EXO_PAGE_SIZE);
		uint64_t env[EXO_VECTOR_SLOTS];

		for (unsigned i = 0; i < EXO_VECTOR_SLOTS; i++)
			env[i] = v->slot[i].env;
		fuzz_note(FUZZ_VECTOR, 0, &cpu, 1);
		for (unsigned i = 0; i < EXO_VECTOR_SLOTS; i += 8)
			fuzz_raw(&env[i]);
	}
}

void fuzz_checkpoint(void)
{
	static int64_t number;
	const uint64_t arg[2] = { fuzz.calls, fuzz.succeeded };

	fuzz.checking = true;
	fuzz_note(FUZZ_CHECK, number++, arg, 2);
	for (unsigned i = 0; i < fuzz.actors; i++)
		page(FUZZ_TABLE, fuzz.actor[i].peer.sid / EXO_SLOTS_PER_FRAME, 0,
		     fuzz.actor[i].peer.slots);
	arena_pages();
	owner_map();
	vectors();
	fuzz_note(FUZZ_DONE, 0, NULL, 0);
	fuzz.checking = false;
}
