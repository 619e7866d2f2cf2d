/* SPDX-License-Identifier: MIT */
/*
 * spawn.c - whole programs, each in a space of its own, that are taken back while they run.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/frame.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/spawn.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "parts.h"
#include "peer.h"

#define SECOND 1000000000ull
#define FRAMES 400u
#define ROUNDS 20u

/* Start `part spin` in slots of a CPU and wait until it has run. */
static bool spin_on(struct exos_child *child, uint32_t cpu, unsigned first)
{
	static const char *const argv[] = { "suite", "part", "spin" };
	const struct exos_grant *time = peer_time(cpu);
	struct exos_spawn_time slots = { time->slot, (uint32_t)time->lo + first,
					(uint32_t)time->lo + first + 2,
					 1 };
	struct exos_spawn request = { .argc = 3, .argv = argv, .frames = FRAMES, .times = 1,
				     .time = &slots };
	uint64_t end = exos_deadline(20 * SECOND);

	*child = (struct exos_child){ .page = NULL };
	request.file = parts_program(&request.file_bytes);
	if (!request.file || !expect_eq(exos_spawn(&request, child), 0))
		return false;
	while (child->page->slices < 2 && exos_tsc() < end)
		exos_sleep(SECOND / 500);
	return expect(child->page->slices > 0);
}

static void end_on(uint32_t cpu)
{
	struct exos_frame_stats now = { .free = 0 };
	uint64_t before = 0;

	for (unsigned round = 0; round < ROUNDS && !guest_failures(); round++) {
		struct exos_child child;

		must(spin_on(&child, cpu, 0));
		expect_eq(exos_child_end(&child), 0);
		exos_frame_stats(&now);
		before = round == 2 ? now.free : before;
	}
	/* The library may have kept two page tables for windows, but nothing with each round. */
	expect_eq(before - now.free <= 2 * EXO_FRAMES_PT ? 0 : before - now.free, 0);
}

EXO_TEST(a_program_ends_on_our_own_cpu, LONG)
{
	end_on(exos_page()->cpu);
}

EXO_TEST(a_program_ends_while_it_runs_on_another_cpu, SMP)
{
	end_on((exos_page()->cpu + 1) % exos_machine()->cpus);
}

EXO_TEST(programs_end_on_every_cpu_at_once, SMP)
{
	enum { MOST = 4 };
	uint32_t cpus = (uint32_t)min_u64(exos_machine()->cpus, MOST);
	static struct exos_child child[MOST];

	for (unsigned round = 0; round < 8 && !guest_failures(); round++) {
		for (uint32_t cpu = 0; cpu < cpus; cpu++)
			must(spin_on(&child[cpu], cpu, 2));
		for (uint32_t cpu = 0; cpu < cpus; cpu++)
			expect_eq(exos_child_end(&child[cpu]), 0);
	}
}

#define PAINT 0x0123456789abcdefull

/* Words of PAINT in some frames, or fill them with it. */
static uint64_t painted(exo_slot claim, uint64_t lo, uint64_t frames, bool fill)
{
	uint64_t *words = exos_space_window(claim, lo, frames, GUEST_RW, NULL), found = 0;

	if (!expect(words != NULL))
		return ~0ull;
	for (uint64_t i = 0; i < frames * (EXO_PAGE_SIZE / 8); i++) {
		if (fill)
			words[i] = PAINT;
		found += words[i] == PAINT;
	}
	exos_space_window_end(words, frames);
	return found;
}

/* What is left of its starter's words in the image of a program that is not started yet. */
static void left_in_image(bool clean, uint64_t lo, uint64_t hi)
{
	static const char *const argv[] = { "suite" };
	struct exos_spawn request = { .argc = 1, .argv = argv, .frames = FRAMES, .clean = clean,
				      .hold = true };
	struct exos_child child = { .page = NULL };
	const struct exo_cap *image;
	uint64_t pfn, left;
	exo_slot claim;

	must_eq(exos_frame_alloc(FRAMES, &pfn, &claim), 0);
	expect_eq(painted(claim, pfn, FRAMES, true), FRAMES * EXO_PAGE_SIZE / 8);
	exos_frame_free(pfn, FRAMES);
	request.file = parts_program(&request.file_bytes);
	must(request.file != NULL);
	must_eq(exos_spawn(&request, &child), 0);
	/* The test shows nothing unless the child got the frames that were painted. */
	expect_eq(child.pfn, pfn);
	must((image = exos_cap_look(child.image)) != NULL);
	left = painted(child.image, image->lo, image->hi - image->lo, false);
	expect(left >= lo && left <= hi);
	expect_eq(exos_child_end(&child), 0);
}

EXO_TEST(a_clean_program_finds_nothing_of_its_starter, LONG)
{
	left_in_image(true, 0, 0);
	/* Else the stacks of its upcalls, and some tables, are as they were. */
	left_in_image(false, (16384 + 8192) / 8, 16 * EXO_PAGE_SIZE / 8);
}
