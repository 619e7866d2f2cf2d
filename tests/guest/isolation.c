/* SPDX-License-Identifier: MIT */
/*
 * isolation.c - two applications side by side, each with memory, blocks, slots and events, of which
 * neither reaches the other's; each act that is refused succeeds for its rightful holder.
 *
 * The test starts its own program twice as `part neighbour`, tells each where the other's things
 * are, and judges by the exit codes: 0, or the number of the step that went wrong.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exos/archive.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/event.h>
#include <exos/frame.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/spawn.h>
#include <exos/start.h>
#include <exos/time.h>
#include "disk.h"
#include "guest.h"
#include "parts.h"
#include "peer.h"
#include "suite.h"
#include "x86/insn.h"

#define SECOND 1000000000ull
#define VA     0x0000200000000000ull
#define FRAMES 400u

const void *parts_program(size_t *bytes)
{
	static struct exos_archive archive;
	static const void *file;
	static size_t size;
	const char *why = NULL;

	if (!file)
		why = exos_archive_open(&archive);
	if (!file && !why)
		why = exos_archive_find(&archive, "app", &file, &size);
	if (why)
		guest_fail("the own program cannot be read: %s", why);
	*bytes = size;
	return why ? NULL : file;
}

/* What a neighbour is told of the other: pfn, first block, first slot, a slot of its table. */
struct other {
	uint64_t pfn, block, slot, sid;
};

/* Frames: ours map, the other's do not, by any claim we hold; nor is our claim good for them. */
static void try_frames(const struct other *other)
{
	const struct exos_grant *g;
	struct guest_frames f;
	int err;

	must_eq(guest_frames_make(&f, 1), 0);
	must_eq(exos_space_prepare(&exos_space_own, VA, 1), 0);
	for (unsigned n = 0; (g = exos_grant_at(n)); n++)
		expect_refused(exos_space_map(&exos_space_own, VA, g->slot,
					      other->pfn + FRAMES - 20, 1, EXO_R_READ));
	expect_refused(exos_space_map(&exos_space_own, VA, f.slot, other->pfn + FRAMES - 20, 1,
				      EXO_R_READ));
	expect_refused(exo_retype(f.slot, guest_sid(), other->pfn + FRAMES - 20, EXO_KIND_PT, 1));
	err = exos_space_map(&exos_space_own, VA, f.slot, f.lo, 1, GUEST_RW);
	must_eq(err, 0);
	*(volatile uint64_t *)VA = 1;
}

static void try_blocks(const struct other *other)
{
	exo_slot blocks = guest_claim("disk");
	struct guest_frames f;
	struct disk disk;
	struct exo_disk_req req;

	must_eq(guest_frames_make(&f, 1), 0);
	must_eq(disk_open(&disk, blocks), 0);
	req = (struct exo_disk_req){ .slot = f.slot, .pfn = f.lo, .count = 1, .op = EXO_DISK_READ };
	req.block = other->block;
	req.tag = 1;
	disk_put(&disk, &req);
	req.block = exos_cap_look(blocks)->lo;
	req.tag = 2;
	disk_put(&disk, &req);
	req.pfn = other->pfn + FRAMES - 20;
	req.tag = 3;
	disk_put(&disk, &req);
	expect_eq(disk_run(&disk, 3), 3);
	expect_error(disk_status(&disk, 1), RANGE);
	expect_eq(disk_status(&disk, 2), 0);
	expect_error(disk_status(&disk, 3), RANGE);
	disk_close(&disk);
}

static void try_slots_and_names(const struct other *other)
{
	const struct exos_grant *time = exos_grant("slots", 0);
	exo_slot bell = 0;

	must(time != NULL);
	expect_error(exo_slot_set(time->slot, other->slot, guest_claim("env")), RANGE);
	expect_error(exo_slot_set(time->slot, time->hi, guest_claim("env")), RANGE);
	expect_eq(exo_slot_set(time->slot, time->lo, guest_claim("env")), 0);
	for (uint64_t i = 0; i < EXO_SLOTS_PER_FRAME; i++)
		for (uint64_t gen = 1; gen < 4; gen++) {
			exo_slot name = exo_slot_make((exo_sid)(other->sid + i), (uint32_t)gen);

			expect_error(exo_env_notify(name), STALE);
			expect_error(exo_cap_revoke(name), STALE);
			expect_error(exo_env_control(name, EXO_ENV_STOP, 0, 0), STALE);
		}
	expect_error(exo_cap_narrow(time->slot, other->sid + 60, time->lo, time->lo + 1,
				    EXO_R_CONTROL), SLOT);
	must_eq(exos_cap_doorbell(exos_event_alloc(), &bell), 0);
	expect_eq(exo_env_notify(bell), 0);
}

static int be_neighbour(char **argv)
{
	struct other other;
	uint64_t *to[] = { &other.pfn, &other.block, &other.slot, &other.sid };
	const char *end;

	for (unsigned i = 0; i < ARRAY_LEN(to); i++)
		if (parse_u64(argv[i], &end, to[i]) < 0)
			return SUITE_EXIT_FAIL;
	for (unsigned round = 0; round < 5 && !guest_failures(); round++) {
		try_frames(&other);
		if (!guest_failures())
			expect_eq(exos_space_unmap(&exos_space_own, VA, 1), 0);
		if (exos_grant("disk", 0))
			try_blocks(&other);
		try_slots_and_names(&other);
		exo_env_yield(0);
	}
	return guest_failures() ? SUITE_EXIT_FAIL : SUITE_EXIT_OK;
}

int parts_play(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[2], "neighbour"))
		return be_neighbour(argv + 3);
	if (argc == 3 && !strcmp(argv[2], "nothing"))
		return SUITE_EXIT_OK;
	if (argc == 3 && !strcmp(argv[2], "spin"))
		insn_spin();
	if (argc == 3 && !strcmp(argv[2], "hostile"))
		return hostile_part();
	if (argc == 3 && !strcmp(argv[2], "citizen"))
		return citizen_part();
	if (argc == 3 && !strcmp(argv[2], "reader"))
		return reader_part();
	if (argc == 3 && !strcmp(argv[2], "deaf-reader"))
		return deaf_reader_part();
	if (argc == 3 && !strcmp(argv[2], "miser"))
		return miser_part();
	return SUITE_EXIT_FAIL;
}

/* Start a neighbour, held, with its share of slots and blocks. */
static bool start(struct exos_child *child, unsigned which, const struct other *other)
{
	static char text[2][4][24];
	const char *argv[] = { "suite", "part", "neighbour", text[which][0], text[which][1],
			      text[which][2],
			       text[which][3] };
	const struct exos_grant *time = peer_time(exos_page()->cpu), *disk = exos_grant("disk", 0);
	uint64_t slots = (time->hi - time->lo) / 4, lo = time->lo + which * slots;
	const struct exos_spawn_time kept = { time->slot, (uint32_t)(lo + 2 * slots),
					      (uint32_t)(lo + 3 * slots), 1 };
	const uint64_t told[] = { other->pfn, other->block, other->slot, other->sid };
	struct exos_spawn_grant grant[] = {
		{ "console", guest_claim("console"), 0, 0, EXO_R_CALL, 0 },
		{ "export", guest_claim("export"), 0, 0, EXO_R_READ | EXO_SHARE, 0 },
		{ "slots", time->slot, lo, lo + slots, EXO_R_CONTROL, 0 },
		{ "disk", disk ? disk->slot : 0, which * 20000ul, which * 20000ul + 10000,
		 EXO_R_READ, 0 },
	};
	struct exos_spawn request = { .argc = 7, .argv = argv, .frames = FRAMES, .grant = grant,
				      .grants = disk ? 4 : 3, .times = 1, .time = &kept,
					      .hold = true };
	int err;

	for (unsigned i = 0; i < 4; i++)
		format_buffer(text[which][i], sizeof(text[which][i]), "%lu", told[i]);
	request.file = parts_program(&request.file_bytes);
	err = request.file ? exos_spawn(&request, child) : -EXO_E_ABSENT;
	if (err < 0)
		guest_fail("a neighbour does not start: %s", child->why ? child->why : "?");
	return err == 0;
}

EXO_TEST(two_applications_side_by_side, DISK)
{
	struct exos_child child[2] = { { .page = NULL }, { .page = NULL } };
	const struct exos_grant *time = peer_time(exos_page()->cpu);
	uint64_t pfn, half;
	exo_slot claim;

	must(time != NULL);
	half = (time->hi - time->lo) / 4;
	/* Large runs come from the high end of memory: the second will lie below the first. */
	must_eq(exos_frame_alloc(FRAMES, &pfn, &claim), 0);
	exos_frame_free(pfn, FRAMES);
	for (unsigned i = 0; i < 2; i++) {
		struct other other = { .pfn = i ? pfn : pfn - FRAMES, .block = i ? 0 : 20000,
				       .slot = i ? time->lo : time->lo + half,
				       .sid = 0 };

		other.sid = (other.pfn + EXO_FRAMES_ENV) * EXO_SLOTS_PER_FRAME;
		must(start(&child[i], i, &other));
		must_eq(child[i].pfn, pfn - i * FRAMES);
	}
	for (unsigned i = 0; i < 2; i++)
		must_eq(exos_child_start(&child[i]), 0);
	for (unsigned i = 0; i < 2; i++) {
		expect_eq(exos_child_wait(&child[i], exos_deadline(60 * SECOND)), EXO_STOP_EXIT);
		expect_eq(child[i].page->exit_code, 0);
	}
	for (unsigned i = 0; i < 2; i++)
		expect_eq(exos_child_end(&child[i]), 0);
}
