/* SPDX-License-Identifier: MIT */
/*
 * suite_grant.c - what each test is given, beside its memory: claims of the suite's, and time.
 *
 * Invariant: what is given is derived from the suite's claims and ends with the test; the arrays
 * here are used for one start at a time.
 */
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/spawn.h>
#include <exos/start.h>
#include "guest.h"
#include "suite.h"

#define GRANTS_MAX   128u
#define TIMES_MAX    16u

/* What each test gets, beside its memory and time. */
static struct exos_spawn_grant grant[GRANTS_MAX];
static struct exos_spawn_time time_slots[TIMES_MAX];
static uint32_t grants, times;

/* Give on [lo, hi) of a claim with those of `rights` that it carries; both 0: all of it. */
static void grant_add(const char *name, exo_slot slot, uint64_t lo, uint64_t hi, uint32_t rights)
{
	const struct exo_cap *cap = exos_cap_look(slot);

	if (!cap || grants == GRANTS_MAX)
		return;
	rights = (rights & EXO_SHARE) | (rights & cap->rights);
	grant[grants++] = (struct exos_spawn_grant){ name, slot, lo, hi, rights, 0 };
}

static void grant_named(const char *name, uint32_t rights)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant(name, n)); n++)
		grant_add(name, g->slot, 0, 0, rights);
}

/* Claims of a kind beyond those granted by name, under the name the suite has them by. */
static void grant_kind(uint32_t kind)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant_at(n)); n++)
		if (g->kind == kind)
			grant_add(g->name, g->slot, 0, 0, EXO_R_ALL);
}

/*
 * Time: of each run of slots the suite names itself in the first quarter and, on the test's home
 * CPU, the test in the second; the upper half is the test's to hand out.
 */
static void grant_time(unsigned home)
{
	const struct exos_grant *g;

	times = 0;
	for (unsigned n = 0; (g = exos_grant("slots", n)); n++) {
		uint64_t slots = g->hi - g->lo;

		grant_add("slots", g->slot, g->lo + slots / 2, g->hi, EXO_R_ALL);
		if (g->unit == home && times < TIMES_MAX)
			time_slots[times++] = (struct exos_spawn_time){
				g->slot, (uint32_t)(g->lo + slots / 4),
					(uint32_t)(g->lo + slots / 2), 1,
			};
	}
}

/*
 * The suite stands in its own quarter of each run of slots, nobody in those that tests are given.
 */
void suite_time(void)
{
	exo_slot own = exos_grant("env", 0)->slot;
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("slots", n)); n++)
		for (uint64_t i = g->lo; i < g->hi; i++)
			exo_slot_set(g->slot, i, i < g->lo + (g->hi - g->lo) / 4 ? own : 0);
}

void suite_grant(struct exos_spawn *request, uint32_t needs, unsigned home)
{
	if (needs & GUEST_ALL)
		needs |= GUEST_DISK | GUEST_NIC | GUEST_PORT | GUEST_IRQ | GUEST_PCI;
	grants = 0;
	grant_named("console", EXO_R_CALL);
	grant_named("export", EXO_R_READ | EXO_SHARE);
	grant_named("archive", EXO_R_READ | EXO_SHARE);
	grant_named("trace", EXO_R_READ);
	grant_time(home);
	if (needs & GUEST_DISK)
		grant_named("disk", EXO_R_ALL);
	if (needs & GUEST_NIC)
		grant_named("nic", EXO_R_ALL);
	if (needs & GUEST_PCI)
		grant_kind(EXO_KIND_PCI);
	if (needs & GUEST_PORT)
		grant_kind(EXO_KIND_PORT);
	if (needs & GUEST_IRQ)
		grant_kind(EXO_KIND_IRQ);
	grant_add("suite", exos_grant("env", 0)->slot, 0, 0, EXO_R_NOTIFY);
	request->grant = grant;
	request->grants = grants;
	request->time = time_slots;
	request->times = times;
}
