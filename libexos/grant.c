/* SPDX-License-Identifier: MIT */
/*
 * grant.c - the program's named claims, and the exported pages about the machine.
 */
#include "core.h"

#include <base/string.h>
#include <exo/machine.h>
#include <exos/cap.h>
#include <exos/cap.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <exos/start.h>

static const struct exos_grant *grants;
static unsigned grant_count;
static const struct exo_machine *machine;

const struct exos_grant *exos_grant_at(unsigned index)
{
	return index < grant_count ? &grants[index] : NULL;
}

/*
 * Names are padded with NULs by their maker; one that is not is compared by its text all the
 * same.
 */
static bool name_is(const char *name, const char *key)
{
	const char *end = name + sizeof(grants->name);

	for (; name < end && *name == *key; name++, key++)
		if (!*key)
			return true;
	return name == end;
}

const struct exos_grant *exos_grant(const char *name, unsigned n)
{
	for (unsigned i = 0; i < grant_count; i++)
		if (name_is(grants[i].name, name) && n-- == 0)
			return &grants[i];
	return NULL;
}

/* Map the export area, frames [lo, hi), by its claim. */
static void machine_map(exo_slot claim, uint64_t lo, uint64_t hi)
{
	if (hi - lo > (EXOS_EXPORT_END - EXOS_EXPORT_VA) >> EXO_PAGE_SHIFT)
		return;
	if (exos_space_map(&exos_space_own, EXOS_EXPORT_VA, claim, lo, hi - lo, EXO_R_READ) < 0)
		return;
	machine = (const struct exo_machine *)EXOS_EXPORT_VA;
}

const struct exo_machine *exos_machine(void)
{
	const struct exos_grant *g = machine ? NULL : exos_grant("export", 0);

	if (g)
		machine_map(g->slot, g->lo, g->hi);
	if (machine && machine->magic != EXO_MACHINE_MAGIC)
		return NULL;
	return machine;
}

const void *exos_machine_at(uint64_t offset)
{
	const struct exo_machine *m = exos_machine();

	return m ? (const char *)m + offset : NULL;
}

static const struct exos_grant *started_grants(const struct exos_start *start)
{
	return (const struct exos_grant *)start->grants_va;
}

void exos_memory_each(exos_grant_visitor *visit, void *context)
{
	const struct exos_start *start = exos_started();

	if (!start)
		exos_memory_first(visit, context);
	for (uint32_t i = 0; start && i < start->grants; i++) {
		const struct exos_grant *g = &started_grants(start)[i];

		if (g->kind == EXO_KIND_FRAME && name_is(g->name, "memory"))
			visit(g, context);
	}
}

static exo_slot grant_slot(const char *name)
{
	const struct exos_grant *g = exos_grant(name, 0);

	return g ? g->slot : 0;
}

/* The library's own claims: needed before it has memory. */
void exos_own_setup(void)
{
	const struct exos_start *start = exos_started();

	if (start) {
		grants = started_grants(start);
		grant_count = start->grants;
		machine = (const struct exo_machine *)start->machine_va;
		exos_own_env = grant_slot("env");
		exos_own_space = grant_slot("space");
	} else {
		/* Only the first page of the area is mapped: enough for these two. */
		machine = (const struct exo_machine *)exos_first()->export_va;
		exos_own_env = exos_cap_name(machine->env_root);
		exos_own_space = exos_cap_name(machine->space_root);
	}
	exos_space_own.slot = exos_own_space;
}

static void count_visit(const struct exos_grant *g, void *context)
{
	(void)g;
	++*(unsigned *)context;
}

static void store_visit(const struct exos_grant *g, void *context)
{
	*(*(struct exos_grant **)context)++ = *g;
}

/* The first program's are stored in frames of its own. */
static void grant_first_store(void)
{
	unsigned count = 0;
	uint64_t pages, pfn;
	exo_slot claim;
	struct exos_grant *next;

	exos_grant_first(count_visit, &count);
	pages = round_up(count * sizeof(*next), EXO_PAGE_SIZE) >> EXO_PAGE_SHIFT;
	if (!pages || exos_frame_alloc(pages, &pfn, &claim) < 0)
		return;
	next = exos_space_window(claim, pfn, pages, EXO_R_READ | EXO_R_WRITE, NULL);
	if (!next)
		return;
	grants = next;
	grant_count = count;
	exos_grant_first(store_visit, &next);
}

void exos_grant_setup(void)
{
	const struct exo_cap *area;

	if (!exos_first())
		return;
	area = exos_cap_at(exos_first()->export_root);
	machine_map(exos_cap_name(exos_first()->export_root), area->lo, area->hi);
	grant_first_store();
}
