/* SPDX-License-Identifier: MIT */
/*
 * machine.c - the owner map, and object frames through the TRACE claim.
 */
#include "machine.h"

#include <base/string.h>
#include <base/util.h>
#include <exos/frame.h>
#include <exos/pager.h>
#include <exos/space.h>
#include <exos/start.h>

static const struct exo_chunk *chunk_at(uint64_t pfn)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_chunk *chunks = exos_machine_at(m->chunks_off);

	return pfn < m->top_pfn ? &chunks[pfn / EXO_CHUNK_FRAMES] : NULL;
}

static const struct exo_frame *frame_at(const struct exo_chunk *c, uint64_t pfn)
{
	const struct exo_frame *fine = exos_machine_at(exos_machine()->fine_off);

	return &fine[(uint64_t)c->fine * EXO_CHUNK_FRAMES + pfn % EXO_CHUNK_FRAMES];
}

static bool use_is_object(unsigned use)
{
	return use >= EXO_USE_TABLE;
}

/* The frames of a mixed chunk: each object frame by itself, the others in runs. */
static void chunk_frames(const struct exo_chunk *c, uint64_t pfn, frame_visit *visit,
			 void *context)
{
	const struct exo_frame *f = frame_at(c, pfn);
	unsigned i = 0;

	while (i < EXO_CHUNK_FRAMES) {
		struct frame_run run = { pfn + i, 1, f[i].holder, f[i].use, &f[i] };

		while (!use_is_object(run.use) && i + run.count < EXO_CHUNK_FRAMES &&
		       f[i + run.count].holder == run.holder && f[i + run.count].use == run.use)
			run.count++;
		i += (unsigned)run.count;
		visit(context, &run);
	}
}

void machine_frames(frame_visit *visit, void *context)
{
	const struct exo_machine *m = exos_machine();

	for (uint64_t pfn = 0; pfn < m->top_pfn; pfn += EXO_CHUNK_FRAMES) {
		const struct exo_chunk *c = chunk_at(pfn);
		struct frame_run run = { pfn, EXO_CHUNK_FRAMES, c->holder, c->use, NULL };

		if (c->fine == 0)
			continue;
		if (c->mixed)
			chunk_frames(c, pfn, visit, context);
		else
			visit(context, &run);
	}
}

uint64_t machine_holder(exo_sid sid)
{
	uint64_t pfn = sid / EXO_SLOTS_PER_FRAME;
	const struct exo_chunk *c = chunk_at(pfn);

	if (sid == 0 || c == NULL || !c->mixed || frame_at(c, pfn)->use != EXO_USE_TABLE)
		return 0;
	return (uint32_t)frame_at(c, pfn)->object;    /* the upper half counts environments */
}

/* The window that object frames are read through, and a frame that stands in for one that ended. */
static struct exos_region window;
static uint64_t spare_pfn;
static exo_slot spare_claim;

static int window_fault(struct exos_region *region, struct exos_fault *fault)
{
	(void)fault;
	return exos_space_map(&exos_space_own, region->lo, spare_claim, spare_pfn, 1, EXO_R_READ);
}

static bool window_open(void)
{
	static const struct exos_pager pager = { .name = "object", .fault = window_fault };

	if (window.lo != 0)
		return true;
	if (exos_frame_alloc(1, &spare_pfn, &spare_claim) < 0)
		return false;
	window.lo = exos_space_reserve(EXO_PAGE_SIZE);
	window.hi = window.lo + EXO_PAGE_SIZE;
	window.prot = EXO_R_READ;
	window.pager = &pager;
	window.name = "object";
	return window.lo != 0 && exos_region_add(&window) >= 0;
}

bool machine_copy(uint64_t pfn, void *out)
{
	const struct exos_grant *trace = exos_grant("trace", 0);

	if (trace == NULL || !window_open() ||
	    exos_space_map(&exos_space_own, window.lo, trace->slot, pfn, 1, EXO_R_READ) < 0)
		return false;
	/* If the object ends now, the rest is read from the spare frame. */
	memcpy(out, (const void *)window.lo, EXO_PAGE_SIZE);
	exos_space_unmap(&exos_space_own, window.lo, 1);
	return true;
}

const char *use_text(unsigned use)
{
#define USE_TEXT(name, number, text) [number] = text,
	static const char *const texts[] = { EXO_USES(USE_TEXT) };

	return use < ARRAY_LEN(texts) ? texts[use] : "?";
}

const char *kind_text(unsigned kind)
{
#define KIND_TEXT(name, number) [number] = #name,
	static const char *const texts[] = { EXO_KINDS(KIND_TEXT) };

	return kind < ARRAY_LEN(texts) ? texts[kind] : "?";
}
