/* SPDX-License-Identifier: MIT */
/*
 * revoke_part.c - asking a program for memory, and looking at what became of both.
 */
#include "revoke_part.h"

#include <exos/cap.h>
#include <exos/revoke.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "parts.h"
#include "peer.h"

#define SECOND 1000000000ull

static bool part_start(const struct revoke_part *part, const struct guest_frames *f,
		       struct exos_child *child)
{
	const char *const argv[] = { "suite", "part", part->name };
	const struct exos_grant *time = peer_time(exos_page()->cpu);
	uint32_t first = (uint32_t)time->lo;
	struct exos_spawn_time slots = { time->slot, first, first + 4, 1 };
	struct exos_spawn_grant grant[2] = {
		{ "extra", f->slot, f->lo, f->hi, GUEST_R_FRAMES, 0 },
	};
	struct exos_spawn request = { .argc = 3, .argv = argv, .frames = part->own, .grant = grant,
				      .grants = 1, .times = 1, .time = &slots };
	uint64_t end = guest_device_deadline(20);

	if (part->grant)
		grant[request.grants++] = *part->grant;
	*child = (struct exos_child){ .page = NULL };
	request.file = parts_program(&request.file_bytes);
	if (!request.file || !expect_eq(exos_spawn(&request, child), 0))
		return false;
	while (child->page->exit_code != REVOKE_PART_FILLED && exos_child_runs(child) &&
	       exos_tsc() < end)
		exos_sleep(SECOND / 1000);
	return expect_eq(child->page->exit_code, REVOKE_PART_FILLED);
}

static uint64_t maps_of(const struct guest_frames *f)
{
	uint64_t maps = 0;

	for (uint64_t pfn = f->lo; pfn < f->hi; pfn++)
		maps += guest_maps(pfn);
	return maps;
}

void revoke_part_ask(const struct revoke_part *part, uint64_t ms, int taken)
{
	struct exos_child child;
	struct guest_frames f;

	must_eq(guest_frames_make(&f, part->extra), 0);
	must(part_start(part, &f, &child));
	expect(maps_of(&f) > 0);
	expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), 0);
	expect_eq(exos_revoke(f.slot, exos_deadline(ms * SECOND / 1000)), taken);
	expect_eq(maps_of(&f), 0);
	expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), part->extra);
	expect_eq(exos_cap_look(f.slot)->child, 0);
	expect_eq(exos_cap_look(f.slot)->unit, part->extra);
	/* The list of what went: one claim, or nothing. */
	expect_eq(child.page->taken, taken);
	expect_eq(exos_child_wait(&child, guest_device_deadline(30)), EXO_STOP_EXIT);
	expect_eq(child.page->exit_code, 0);
	expect_eq(exos_child_end(&child), 0);
	guest_frames_end(&f);
}
